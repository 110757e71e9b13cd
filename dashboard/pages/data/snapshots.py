"""What data there is: every snapshot with where each of its lines went."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.ledger import ledger_table
from dashboard.components.panels import panel
from dashboard.components.tables import Head, number_cell, number_heads, table
from dashboard.i18n.numbers import NOTHING, count, day, plural, short_money
from dashboard.i18n.texts import say
from dashboard.queries.which_run import title_of
from dashboard.services import Services
from storage.contract import Snapshot


def snapshots_panel(services: Services) -> Component:
    """Every snapshot with its ledger."""
    snapshots = services.store.snapshots()
    if not snapshots:
        words = say("Nothing yet. Upload a file above, or read one in a terminal:")
        return panel(say("What is there"), html.P([words, " ", html.Code("segmentry run sales.csv")], className="mb-0"))
    heads = [
        Head(say("Data set")),
        Head(say("Date")),
        *number_heads(say("Customers"), say("Lines"), say("Revenue")),
        Head(say("Read from")),
    ]
    rows = [row for item in snapshots for row in _rows(item)]
    names = len({item.dataset for item in snapshots})
    lead = say(
        "{snapshots} of {data_sets}: customers as they stood at a date.",
        snapshots=plural(len(snapshots), "{n} snapshot", "{n} snapshots"),
        data_sets=plural(names, "{n} data set", "{n} data sets"),
    )
    hint = [lead, " ", dcc.Link(say("Run engines on them"), href="/new"), "."]
    return panel(say("What is there"), table(say("Snapshots"), heads, rows, "data-there"), hint=hint)


def _rows(snapshot: Snapshot) -> list[Component]:
    out, currency = snapshot.ledger.get("out") or {}, str(snapshot.info.get("currency", ""))
    cells = [
        html.Th(title_of(snapshot), scope="row"),
        html.Td(day(snapshot.as_of), className="text-nowrap"),
        number_cell(count(snapshot.customers)),
        number_cell(count(out["lines"]) if out else NOTHING),
        number_cell(short_money(out["revenue"], currency) if out else NOTHING),
        html.Td(snapshot.source, className="seg-hint"),
    ]
    ledger = html.Details(
        [html.Summary(say("Where every line went"), className="seg-hint"), ledger_table(snapshot.ledger, currency)]
    )
    return [html.Tr(cells, className="data-first"), html.Tr(html.Td(ledger, colSpan=len(cells)))]
