"""Every list that left the house: who took which customers when, the slip that goes with it, and the way back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from dash import Dash, dcc, html
from dash.development.base_component import Component

from dashboard.components import cards
from dashboard.components.attributes import aria
from dashboard.components.tables import Head, simple_table
from dashboard.exports.manifest import OTHERS, conditions_of, file_name, repeat_url, view_of
from dashboard.i18n.numbers import NOTHING, count, day, percent, plural, written
from dashboard.i18n.texts import noted, say
from dashboard.queries.which_run import engine_titles
from dashboard.services import Services
from engines.errors import InputError
from storage.contract.exports import Export

PATH = "/exports"
TITLE = noted("Exports")
ORDER = 20
AREA = "data"

PAGE_SIZE = 50
_HEADS = (  # title, its sentence on hover, whether it is a number
    (noted("When (UTC), who"), noted("When the download began, and the user name it was asked for with."), False),
    (noted("Data set"), noted("The customers' data set and date, and the engine that segmented them."), False),
    (noted("Filters"), noted("Who is in the list."), False),
    (noted("Customers"), noted("Rows of the file."), True),
    (noted("File"), noted("Format and size."), False),
    (noted("Columns"), noted("Columns of the file."), True),
    (
        noted("Control group"),
        noted("Who was drawn by lot to get nothing, so that the campaign's effect can be told."),
        False,
    ),
    (noted("SHA-256"), noted("The checksum of the file: it tells whether a file is this one, unchanged."), False),
    ("", "", False),
)
_STATES = {
    "begun": (
        noted("Not finished"),
        noted("The download has begun and has not ended: it is under way, or the server was stopped."),
    ),
    "broken off": (noted("Broken off"), noted("The download was broken off; the file is not whole.")),
}
_PARTS = {
    "all": noted("in a column of the list, seed {seed}"),
    "campaign": noted("left out of the list, seed {seed}"),
    "control": noted("alone in the list, seed {seed}"),
}


def layout(services: Services, before: str = "", **query: Any) -> Component:
    """The exports, the newest first; ``before`` is the number of the export that the page goes on from.

    Raises:
        InputError: ``before`` is no number.
    """
    exports = services.store.exports(limit=PAGE_SIZE + 1, before=_number(before))
    if not exports:
        return _nothing(bool(before), query.get("run"))
    runs = {run.id for run in services.store.runs(state="done")}
    titles = engine_titles()
    heads = [Head(say(title), is_number, say(help)) for title, help, is_number in _HEADS]
    body = [_line(item, runs, titles) for item in exports[:PAGE_SIZE]]
    table = simple_table(heads, body, "exports-table")
    return html.Div(
        [
            html.H1(say(TITLE)),
            html.P(
                say(
                    "Every list that was downloaded, the newest first. The manifest of a list says what is in it and "
                    "by which checksum the file is known; it can be exported again as long as its run is kept."
                ),
                className="seg-lead",
            ),
            html.Section(table, className="seg-card seg-scroll", tabIndex=0, **aria(label=say(TITLE))),
            html.Nav(_pages(exports, bool(before), query.get("run")), className="exports-pages"),
        ]
    )


def _number(before: str) -> int | None:
    if not before:
        return None
    if not isinstance(before, str) or not (before.isascii() and before.isdecimal()) or len(before) > 9:
        raise InputError("before must be the number of an export, not {text}.", text=repr(before))
    return int(before)


def _nothing(went_on: bool, run: Any) -> Component:
    if went_on:
        newest = dcc.Link(say("Show the newest"), href=_address(run), className="btn btn-primary")
        return cards.empty_state(say("There are no earlier exports"), [newest])
    way = dcc.Link(say("Go to the segments"), href="/", className="btn btn-primary")
    sentence = say(
        "Filter customers on the Segments page and press Export: every list that is taken is written down here."
    )
    return cards.empty_state(say("Nothing has been exported yet"), [sentence, way])


def _address(run: Any, before: int | None = None) -> str:
    pairs = [("before", before), ("run", run if isinstance(run, str) and run.isdecimal() else None)]
    query = "&".join(f"{name}={value}" for name, value in pairs if value is not None)
    return f"{PATH}?{query}" if query else PATH


def _pages(exports: list[Export], went_on: bool, run: Any) -> list[Component]:
    ways: list[Component] = []
    if went_on:
        ways.append(dcc.Link(say("Newest"), href=_address(run), className="btn btn-sm btn-outline-secondary"))
    if len(exports) > PAGE_SIZE:
        href = _address(run, exports[PAGE_SIZE - 1].id)
        ways.append(dcc.Link(say("Earlier"), href=href, className="btn btn-sm btn-outline-secondary"))
    return ways


def _line(export: Export, runs: Collection[int], titles: Mapping[str, str]) -> Component:
    name = str(export.about.get("title") or export.dataset or NOTHING)
    settings = export.about.get("engine_settings") or {}
    engine = titles.get(export.engine or "", export.engine or "")
    engine = f"{engine} k={settings['k']}" if "k" in settings else engine
    run = say("run {run}", run=export.run_id)
    of = [text for text in (day(export.as_of) if export.as_of else "", engine, run) if text]
    state = _STATES.get(export.state)
    begun = export.exported_at.strftime("%Y-%m-%d %H:%M")
    cells = [
        html.Td(
            [
                html.Span(begun, className="text-nowrap"),
                html.Div(export.user or NOTHING, className="seg-hint who", title=export.user),
            ]
        ),
        html.Th([html.Span(name, className="exports-name", title=name), _hint(" · ".join(of))], scope="row"),
        html.Td(_filters(export)),
        html.Td([html.Span(count(export.rows)), *_state(state)], className="seg-number"),
        html.Td([html.Span(export.format.upper()), _hint(_size(export.size))], title=file_name(export)),
        html.Td(_columns(export), className="seg-number"),
        html.Td(_control(export)),
        html.Td(_checksum(export)),
        html.Td(_ways(export, export.run_id in runs), className="exports-ways"),
    ]
    for cell, (title, _, _) in zip(cells, _HEADS, strict=True):
        setattr(cell, "data-title", say(title))  # what stands before it where there is no room for a table
    return html.Tr(cells)


def _hint(text: str) -> Component:
    return html.Div(text, className="seg-hint")


def _state(state: tuple[str, str] | None) -> list[Component]:
    if state is None:
        return []
    return [html.Div(say(state[0]), title=say(state[1]), className="seg-state seg-state-failed")]


def _filters(export: Export) -> Component:
    if (other := OTHERS.get(str(export.about.get("list")))) is not None:
        return html.Span(say(other), className="chip chip-still")
    words = [condition.words for condition in conditions_of(export)]
    if not words:
        return html.Span(say("Everyone"), className="seg-hint")
    return html.Div([html.Span(text, className="chip chip-still", title=text) for text in words], className="chips")


def _size(size: int | None) -> str:
    if size is None:
        return ""
    for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= scale:
            return f"{written(size / scale, ',.1f')}\u00a0{unit}"
    return say("{number}\u00a0bytes", number=size)


def _columns(export: Export) -> Any:
    if export.columns is None:
        return NOTHING
    return html.Details(
        [
            html.Summary(count(len(export.columns)), title=", ".join(export.columns)),
            html.Div(", ".join(export.columns), className="seg-hint exports-columns"),
        ]
    )


def _control(export: Export) -> Any:
    if export.control is None:
        return NOTHING
    sentence = say(_PARTS[export.control.part], seed=export.control.seed)
    return [html.Span(percent(export.control.share)), html.Div(sentence, className="seg-hint exports-control")]


def _checksum(export: Export) -> Any:
    if export.sha256 is None:
        return NOTHING
    copy = dcc.Clipboard(content=export.sha256, title=say("Copy the checksum"), className="exports-copy")
    return html.Span([html.Code(export.sha256[:8], title=export.sha256), copy], className="text-nowrap")


def _ways(export: Export, has_file: bool) -> list[Component]:
    number = plural(export.rows, "{n} customer", "{n} customers")
    slip = f"/api/v1/exports/{export.id}/manifest"
    label = say("Manifest of export {export}, {customers}", export=export.id, customers=number)
    ways: list[Component] = [html.A(say("Manifest"), href=slip, title=label)]
    if not has_file:
        gone = say("Its customers are no longer kept.")
        return [*ways, html.Span(say("Run deleted"), className="seg-hint", title=gone)]
    if export.about.get("list") not in OTHERS:
        label = say("Show the customers of export {export}", export=export.id)
        ways.append(dcc.Link(say("Open the view"), href=view_of(export), title=label))
    label = say("Make the list of export {export} once more", export=export.id)
    return [*ways, html.A(say("Export again"), href=repeat_url(export), title=label)]


def register(app: Dash, services: Services) -> None:
    """Nothing happens on this page that is not a link."""
