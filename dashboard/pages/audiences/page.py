"""The page of saved audiences: who they are, how many today, and how that changed from date to date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.components.attributes import aria
from dashboard.components.cards import alert, empty_state, spark
from dashboard.components.dialogs import button, dialog, name_input
from dashboard.components.tables import Head, number_heads, simple_table, table_row
from dashboard.frames import filters
from dashboard.i18n.numbers import NOTHING, change, count, day, plural
from dashboard.i18n.texts import noted, say
from dashboard.queries.audiences import AudienceSize, audience_run, audience_selection, sizes
from dashboard.queries.which_run import engine_titles, title_of
from dashboard.services import Services
from engines.errors import InputError
from storage.contract import NotFoundError, Run
from storage.contract.audiences import NAME_LENGTH, Audience

PATH = "/audiences"
TITLE = noted("Audiences")
ORDER = 15
AREA = "marketing"

LIST, MESSAGE = "audiences-list", "audiences-message"
CHOSEN = "audiences-chosen"  # the audience that a dialog is open about
RENAMING, NAME, RENAME, KEEP = "audiences-renaming", "audiences-name", "audiences-rename", "audiences-keep"
DELETING, WHICH, DELETE, SPARE = "audiences-deleting", "audiences-which", "audiences-delete", "audiences-spare"


def layout(services: Services, **query: Any) -> Component:
    """The list, and two dialogs that are closed."""
    return html.Div(
        [
            html.H1(say(TITLE)),
            html.P(
                say("Selections with a name, shared by everyone here. Each is counted anew on every date."),
                className="seg-hint",
            ),
            html.Div(id=MESSAGE, role="status"),
            dcc.Loading(html.Div(audience_cards(services), id=LIST), delay_show=300),
            dcc.Store(id=CHOSEN),
            dialog(
                RENAMING,
                say("Rename this audience"),
                name_input(NAME, say("Name"), NAME_LENGTH),
                [button(KEEP, say("Cancel"), "secondary"), button(RENAME, say("Rename"))],
            ),
            dialog(
                DELETING,
                say("Delete this audience?"),
                [html.P(id=WHICH)],
                [button(SPARE, say("Keep it"), "secondary"), button(DELETE, say("Delete"), "danger")],
            ),
        ],
        className="audiences",
    )


# --- the list ---------------------------------------------------------------------------------------------------------


def audience_cards(services: Services, whole: int | None = None) -> list[Component]:
    """All audiences, pinned ones first; ``whole`` is one whose every date is to be counted."""
    audiences = services.store.audiences()
    if not audiences:
        way = dcc.Link(say("Go to the segments"), href="/", className="btn btn-primary")
        sentence = say(
            "Filter customers on the Segments page and click Save as audience: the filter stays here under a name."
        )
        return [empty_state(say("No audience yet"), [sentence], [way])]
    titles = {item.dataset: title_of(item) for item in services.store.snapshots()}
    return [_card(services, each, audience_run(services, each), titles, each.id == whole) for each in audiences]


def _card(services: Services, audience: Audience, run: Run | None, titles: dict[str, str], whole: bool) -> Component:
    head = [html.H2(audience.name), *([html.Span(say("pinned"), className="seg-badge")] if audience.pinned else [])]
    if run is None:
        sentence = say("There is no finished run of its data set and engine any more.")
        return _framed(audience, head, [html.P(sentence, className="seg-hint")], _buttons(audience))
    try:
        selection = audience_selection(audience)
    except InputError as error:  # of an older version
        return _framed(audience, head, [html.P(say(error.message), className="seg-hint")], _buttons(audience))
    currency = services.store.snapshot(run.snapshot_id).currency
    selection, names = filters.by_identity(selection, run.segments), filters.segment_names(run.segments)
    words = ", ".join(item.words for item in filters.condition_texts(selection, currency, names)) or say("everyone")
    about = f"{words} · {titles.get(run.dataset, run.dataset)} · {engine_titles().get(run.engine, run.engine)}"
    history = sizes(services, audience, every_date=whole, last=run)
    query = filters.write_view(None, selection)
    body = [html.P(about, className="seg-hint"), *_figures(history.counted)]
    if len(history.counted) > 1:
        body.append(html.Details([html.Summary(say("Date by date")), _table(history.counted)], open=whole or None))
    if not history.published:
        sentence = say("Counted on run {run}, which is not the published run of its data set.", run=run.id)
        body.append(html.P(sentence, className="seg-hint mb-1"))
    if history.uncounted:
        label = say("Count {dates} as well", dates=plural(history.uncounted, "{n} earlier date", "{n} earlier dates"))
        which = {"type": "audiences-count", "id": audience.id}
        body.append(html.Button(label, id=which, className="link-button audience-count"))
    if history.other_rules:
        sentence = say(
            "{dates} were read by other rules and are not compared.",
            dates=plural(history.other_rules, "{n} other date", "{n} other dates"),
        )
        body.append(html.P(sentence, className="seg-hint mb-1"))
    links: list[Component] = [
        dcc.Link(say("Open"), href="/" + filters.write_view(run.id, selection), className="btn btn-primary btn-sm")
    ]
    now = history.counted[-1].customers if history.counted else None
    if now:
        address = f"/api/v1/runs/{run.id}/export.csv{query}"
        label = say("Export {customers}", customers=plural(now, "{n} customer", "{n} customers"))
        links.append(html.A(label, href=address, className="btn btn-outline-secondary btn-sm"))
    return _framed(audience, head, body, [*links, *_buttons(audience)])


def _framed(
    audience: Audience, head: list[Component], body: Sequence[Component], actions: list[Component]
) -> Component:
    return html.Section(
        [html.Div(head, className="audience-head"), *body, html.Div(actions, className="side-panel-actions")],
        className="seg-card audience",
        **aria(label=audience.name),
    )


def _buttons(audience: Audience) -> list[Component]:
    pin = (say("Unpin"), say("Unpin {audience}")) if audience.pinned else (say("Pin"), say("Pin {audience}"))
    named = (
        ("pin", *pin),
        ("rename", say("Rename"), say("Rename {audience}")),
        ("delete", say("Delete"), say("Delete {audience}")),
    )
    return [
        html.Button(
            words,
            id={"type": f"audiences-{action}", "id": audience.id},
            className="btn btn-outline-secondary btn-sm",
            **aria(label=label.format(audience=audience.name)),
        )
        for action, words, label in named
    ]


def _figures(counted: Sequence[AudienceSize]) -> list[Component]:
    if not counted:
        return []
    now = counted[-1]
    parts: list[Component] = [html.Div(_count(now), className="kpi-value")]
    if now.missing:
        parts.append(html.P(_missing_words(now), className="seg-hint"))
    before = next((size for size in reversed(counted[:-1]) if size.customers is not None), None)
    if before is not None and now.customers is not None:
        how, since = change(before.customers, now.customers), day(before.run.as_of)
        sentence = say("{change} since {day}", change=how, day=since)
        parts.append(html.Div([html.Div(sentence, className="kpi-change"), _spark(counted)], className="kpi-way"))
    return parts


def _missing_words(size: AudienceSize) -> str:
    missing = ", ".join(say(name) for name in size.missing)
    return say("The run of {day} has no {missing}.", day=day(size.run.as_of), missing=missing)


def _spark(counted: Sequence[AudienceSize]) -> Component:
    words = "; ".join(f"{day(size.run.as_of)}: {_count(size)}" for size in counted)
    return spark(say("Customers"), [size.customers or 0 for size in counted], words)


def _count(size: AudienceSize) -> str:
    return NOTHING if size.customers is None else count(size.customers)


def _table(counted: Sequence[AudienceSize]) -> Component:
    heads = [Head(say("Date")), *number_heads(say("Customers")), Head(say("Note"))]
    lines = [
        table_row(day(size.run.as_of), _count(size), html.Td(_missing_words(size) if size.missing else ""))
        for size in reversed(counted)
    ]
    return simple_table(heads, lines)


# --- what happens -----------------------------------------------------------------------------------------------------


def _clicked(action: str) -> Input:
    return Input({"type": f"audiences-{action}", "id": ALL}, "n_clicks")


def register(app: dash.Dash, services: Services) -> None:
    """One callback pins, renames, deletes and counts, and draws the list anew."""

    @app.callback(
        output={
            "list": Output(LIST, "children"),
            "message": Output(MESSAGE, "children"),
            "audience_id": Output(CHOSEN, "data"),
            "renaming": Output(RENAMING, "is_open"),
            "name": Output(NAME, "value"),
            "deleting": Output(DELETING, "is_open"),
            "which": Output(WHICH, "children"),
        },
        inputs={
            "clicks": [_clicked(action) for action in ("pin", "rename", "delete", "count")],
            "renamed": [Input(RENAME, "n_clicks"), Input(NAME, "n_submit"), Input(KEEP, "n_clicks")],
            "deleted": [Input(DELETE, "n_clicks"), Input(SPARE, "n_clicks")],
            "name": State(NAME, "value"),
            "audience_id": State(CHOSEN, "data"),
        },
        prevent_initial_call=True,
    )
    def answer(clicks: Any, renamed: Any, deleted: Any, name: str | None, audience_id: int | None) -> dict[str, Any]:
        if not ctx.triggered[0]["value"]:  # a button has appeared without having been clicked
            raise PreventUpdate
        try:
            return _parts(**_done(services, ctx.triggered_id, name, audience_id))
        except (InputError, NotFoundError) as error:
            message = alert(say(error.message), "warning", dismissable=True)
            return _parts(message=message, renaming=False, deleting=False, list=audience_cards(services))


def _done(services: Services, button: Any, name: str | None, audience_id: int | None) -> dict[str, Any]:
    store = services.store
    if isinstance(button, dict):
        audience = store.audience(button["id"])
        action = button["type"].removeprefix("audiences-")
        if action == "rename":
            return {"audience_id": audience.id, "renaming": True, "name": audience.name}
        if action == "delete":
            sentence = say(
                "{name} will be gone for everyone. Its customers and what was exported stay as they are.",
                name=audience.name,
            )
            return {"audience_id": audience.id, "deleting": True, "which": sentence}
        if action == "pin":
            store.change_audience(audience.id, pinned=not audience.pinned)
        return {"list": audience_cards(services, whole=audience.id if action == "count" else None), "message": None}
    if button in (KEEP, SPARE) or audience_id is None:
        return {"renaming": False, "deleting": False}
    if button == DELETE:
        store.delete_audience(audience_id)
    else:
        store.change_audience(audience_id, name=name or "")
    return {"list": audience_cards(services), "renaming": False, "deleting": False, "message": None}


def _parts(**parts: Any) -> dict[str, Any]:
    names = ("list", "message", "audience_id", "renaming", "name", "deleting", "which")
    return {name: parts.get(name, no_update) for name in names}
