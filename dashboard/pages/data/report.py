"""What came of an upload (progress, ledger, what changes, the way to the result), and the snapshots there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.cards import alert, note_list, progress
from dashboard.components.computing import ticker
from dashboard.components.ledger import ledger_table
from dashboard.components.panels import panel
from dashboard.components.tables import Head, number_cell, number_heads, table
from dashboard.i18n.numbers import NOTHING, count, day, money, plural, short_money
from dashboard.i18n.texts import noted, say
from dashboard.pages.data.questions import in_page_words
from dashboard.pipeline.series import newest_snapshot
from dashboard.queries.which_run import title_of
from dashboard.services import Services
from storage.contract import Snapshot
from storage.contract.uploads import Upload

BUSY = ("queued", "running")
DROPPED, DROPPED_PLACE, DROPPED_TICK = "data-dropped", "data-dropped-place", "data-dropped-tick"


def outcome(upload: Upload) -> list[Component]:
    """How the last task stands; of an inspection that is done, all that it found."""
    if upload.state == "queued":
        hint = say(
            "A worker takes it as soon as it is free; `segmentry serve` brings one, unless [worker] in_server is off."
        )
        return _progress(say("Waiting for a worker"), 0.0, hint)
    if upload.state == "running":
        return _progress(
            say(upload.stage or noted("Beginning")),
            upload.progress or 0.0,
            say("This page may be left and come back to."),
        )
    if upload.state == "failed":
        return [alert(in_page_words(say(upload.error or noted("It did not work out."))))]
    if upload.state == "cancelled":
        return [html.P(say("Cancelled; nothing was stored."), className="seg-hint mb-0")]
    if upload.state == "done":
        return _stored(upload) if upload.task == "store" else _inspection_panels(upload.found)
    return []


def _progress(stage: str, share: float, hint: str) -> list[Component]:
    return [*progress(f"{stage} …", share), html.P(hint, className="seg-hint mb-0 mt-1")]


def _stored(upload: Upload) -> list[Component]:
    runs = ", ".join(map(str, upload.runs))
    first = f"/?run={upload.runs[0]}" if upload.runs else "/"
    return [
        html.P(
            [
                html.Strong(say("Snapshot {snapshot} is made", snapshot=upload.snapshot_id)),
                say("; its runs ({runs}) are being worked on.", runs=runs),
            ]
        ),
        html.P(
            [
                dcc.Link(say("See the segments"), href=first, className="btn btn-primary btn-sm me-3"),
                dcc.Link(say("See its runs"), href="/runs" + (f"?run={upload.runs[0]}" if upload.runs else "")),
            ],
            className="mb-0",
        ),
    ]


def _inspection_panels(problems: Mapping[str, Any]) -> list[Component]:
    currency, ledger = str(problems["currency"] or ""), problems["ledger"]
    first, last = (day(date.fromisoformat(problems[name])) for name in ("first_day", "last_day"))
    out = ledger["out"]
    lead = say(
        "{customers} with {money} from {first} to {last}, as of {day}.",
        customers=plural(out["customers"], "{n} customer", "{n} customers"),
        money=money(out["revenue"], currency),
        first=first,
        last=last,
        day=day(date.fromisoformat(problems["as_of"])),
    )
    return [
        html.P(lead, className="mb-2"),
        *same_as_words(problems.get("same_as")),
        ledger_table(ledger, currency),
        *note_list([in_page_words(say(note)) for note in problems["notes"]]),
        *_dropped_button(ledger),
        html.P(_effect(problems["effect"], currency), className="mt-2 mb-0", id="data-effect"),
    ]


def _dropped_button(ledger: Mapping[str, Any]) -> list[Component]:
    """What has the lines that are left out written to a file, where there are any."""
    lines = sum(rule["lines"] for rule in ledger["rules"])
    if not lines:
        return []
    words = say("Download the {lines} left out", lines=plural(lines, "{n} line", "{n} lines"))
    return [
        html.Div(
            [
                html.Button(words, id=DROPPED, className="btn btn-outline-secondary btn-sm", type="button"),
                html.Span("", id=DROPPED_PLACE, className="seg-hint ms-2", role="status"),
                ticker(DROPPED_TICK),
            ],
            className="mt-2",
        )
    ]


def same_as_words(twin: Mapping[str, Any] | None) -> list[Component]:
    """That the same content is here already, where it is."""
    if twin is None:
        return []
    snapshot = twin["snapshot"]
    if snapshot is None:
        words = say("This file is already here: {file}.", file=twin["name"])
    else:
        words = say(
            "This file is already here: {file}, as snapshot {snapshot} of {dataset}. Reading it again the same way "
            "gives that snapshot; nothing is stored twice.",
            file=twin["name"],
            snapshot=snapshot["id"],
            dataset=snapshot["name"],
        )
    return [alert(words, "info", id="data-same")]


def _effect(effect: Mapping[str, Any], currency: str) -> str:
    before, after = effect["before"], effect["after"]
    if before is None:
        return say("A snapshot is added; nothing that is there changes.")
    customers, lines = before.get("customers"), before.get("lines")
    was = say(
        "{customers} to {customers_now} customers, {lines} to {lines_now} lines, {money} to {money_now}",
        customers=count(customers),
        customers_now=count(after["customers"]),
        lines=count(lines),
        lines_now=count(after["lines"]),
        money=money(before.get("revenue"), str(before.get("currency", currency) or "")),
        money_now=money(after["revenue"], currency),
    )
    if effect["how"] == "append":
        return say("Together with what is there: from {was}. The snapshot there stays.", was=was)
    if effect.get("stays"):
        stays = say(
            "Snapshot {snapshot} stays: its run {run} is the published one",
            snapshot=before["snapshot"],
            run=effect["stays"]["published"],
        )
        return say("In place of what is there: from {was}. {gone}.", was=was, gone=stays)
    gone = say(
        "Snapshot {snapshot} goes with {runs}",
        snapshot=before["snapshot"],
        runs=plural(effect["removed"]["runs"], "{n} run", "{n} runs"),
    )
    return say("In place of what is there: from {was}. {gone}.", was=was, gone=gone)


# --- the snapshots there are ------------------------------------------------------------------------------------------


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
    newest = {name: newest_snapshot(snapshots, name) for name in {item.dataset for item in snapshots}}
    rows = [row for item in snapshots for row in _rows(item, newest[item.dataset] == item)]
    names = len(newest)
    lead = say(
        "{snapshots} of {data_sets}: customers as they stood at a date.",
        snapshots=plural(len(snapshots), "{n} snapshot", "{n} snapshots"),
        data_sets=plural(names, "{n} data set", "{n} data sets"),
    )
    hint = [lead, " ", dcc.Link(say("Run engines on them"), href="/new"), "."]
    return panel(say("What is there"), table(say("Snapshots"), heads, rows, "data-snapshots"), hint=hint)


def rename_id(part: str, snapshot: Any) -> dict[str, Any]:
    """The id of a part of the form that renames the data set of a snapshot: ``name`` or ``save``."""
    return {"type": f"data-rename-{part}", "snapshot": snapshot}


def _rename(snapshot: Snapshot) -> Component:
    control = dbc.Input(id=rename_id("name", snapshot.id), value=title_of(snapshot), size="sm", maxlength=200)
    label = html.Label([html.Span(say("Name of the data set"), className="visually-hidden"), control])
    save = html.Button(
        say("Save"), id=rename_id("save", snapshot.id), className="btn btn-outline-secondary btn-sm", type="button"
    )
    words = html.Summary(say("Rename the data set"), className="seg-hint")
    return html.Details([words, html.Div([label, save], className="data-rename")])


def _rows(snapshot: Snapshot, can_be_renamed: bool) -> list[Component]:
    out, currency = snapshot.ledger.get("out") or {}, snapshot.currency
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
    more = [ledger, _rename(snapshot)] if can_be_renamed else [ledger]
    return [html.Tr(cells, className="data-first"), html.Tr(html.Td(more, colSpan=len(cells)))]
