"""What data there is: every snapshot with where each of its lines went."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.attributes import aria
from dashboard.components.ledger import ledger_table
from dashboard.i18n.numbers import NOTHING, count, day, plural, short_money
from dashboard.i18n.texts import noted, say
from dashboard.queries.which_run import title_of
from dashboard.services import Services
from storage.contract import Snapshot


def there(services: Services) -> Component:
    """Every snapshot with its ledger."""
    snapshots = services.store.snapshots()
    if not snapshots:
        words = say("Nothing yet. Upload a file above, or read one in a terminal:")
        return html.Section(
            [
                html.H2(say("What is there")),
                html.P([words, " ", html.Code("segmentry run sales.csv")], className="mb-0"),
            ],
            className="seg-card",
        )
    heads = (noted("Data set"), noted("Date"), noted("Customers"), noted("Lines"), noted("Revenue"), noted("Read from"))
    right = ("Customers", "Lines", "Revenue")
    head = html.Tr([html.Th(say(text), scope="col", className="seg-number" if text in right else "") for text in heads])
    rows = [row for item in snapshots for row in _rows(item)]
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="seg-table data-there")
    names = len({item.dataset for item in snapshots})
    lead = say(
        "{snapshots} of {data_sets}: customers as they stood at a date.",
        snapshots=plural(len(snapshots), "snapshot"),
        data_sets=plural(names, "data set"),
    )
    return html.Section(
        [
            html.H2(say("What is there")),
            html.P([lead, " ", dcc.Link(say("Run engines on them"), href="/new"), "."], className="seg-hint mb-2"),
            html.Div(table, className="seg-scroll", tabIndex=0, role="region", **aria(label=say("Snapshots"))),
        ],
        className="seg-card",
    )


def _rows(snapshot: Snapshot) -> list[Component]:
    out, currency = snapshot.ledger.get("out") or {}, str(snapshot.info.get("currency", ""))
    cells = [
        html.Th(title_of(snapshot), scope="row"),
        html.Td(day(snapshot.as_of), className="text-nowrap"),
        html.Td(count(snapshot.customers), className="seg-number"),
        html.Td(count(out["lines"]) if out else NOTHING, className="seg-number"),
        html.Td(short_money(out["revenue"], currency) if out else NOTHING, className="seg-number"),
        html.Td(snapshot.source, className="seg-hint"),
    ]
    ledger = html.Details(
        [html.Summary(say("Where every line went"), className="seg-hint"), ledger_table(snapshot.ledger, currency)]
    )
    return [html.Tr(cells, className="data-first"), html.Tr(html.Td(ledger, colSpan=len(cells)))]
