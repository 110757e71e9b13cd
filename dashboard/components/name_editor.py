"""The dialog in which people name a segment by hand, for any page that shows segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.components import elements
from dashboard.components.attributes import aria
from dashboard.components.dialogs import button, dialog, name_input
from dashboard.i18n.texts import say, segment_name
from dashboard.pipeline.rename import rename
from dashboard.services import Services
from engines.contract import NamedSegment, segment_by_key
from engines.errors import InputError
from storage.contract import ChangedError, NotFoundError, Run
from storage.sql.edits import ACTION_LENGTH, NAME_LENGTH


def edit_store_id(page: str) -> str:
    """The id of the store on a page that tells of the latest edit: run, key, and the name before and after."""
    return f"{page}-edited"


def pencil(page: str, run_id: int, segment: NamedSegment) -> Component:
    """The button beside a segment's name that opens the dialog, and a word where name and action are pinned."""
    label = say("Edit name and action of {segment}", segment=segment_name(segment.name))
    opener = elements.Button(
        "✎",
        id={"type": f"{page}-edit", "run": run_id, "key": segment.key},
        type="button",
        className="seg-pencil",
        title=label,
        **aria(label=label),
    )
    hint = say("Name and action stay with these customers in later runs.")
    pin = [elements.Span(say("pinned"), className="seg-badge seg-pinned", title=hint)] if segment.pinned else []
    with_names = say("Treated as one: {segments}", segments=_joined([segment.name, *segment.merged_names]))
    one = [elements.Span(say("as one"), className="seg-badge", title=with_names)] if segment.merged_names else []
    return elements.Span([opener, *pin, *one], className="text-nowrap")


def _joined(names: Sequence[str]) -> str:
    return ", ".join(segment_name(name) for name in names)


def rename_button(page: str, run_id: int, segment: NamedSegment) -> Component:
    """A button in words that opens the dialog; its id has texts for numbers, since the pencil may be there as well."""
    which = {"type": f"{page}-edit", "run": str(run_id), "key": str(segment.key)}
    return html.Button(say("Rename"), id=which, type="button", className="btn btn-outline-secondary")


def editor(page: str) -> Component:
    """The dialog, closed, and what it keeps in mind."""
    fields = [
        *name_input(f"{page}-name", say("Name"), NAME_LENGTH),
        html.Label(say("What to do"), htmlFor=f"{page}-action", className="form-label mb-1"),
        dbc.Textarea(id=f"{page}-action", maxLength=ACTION_LENGTH, rows=3, class_name="mb-3"),
        dbc.Checkbox(
            id=f"{page}-pin",
            label=say("Pin: name and action stay with these customers in later runs"),
            value=False,
        ),
        html.Label(say("Treat as one with"), htmlFor=f"{page}-into", className="form-label mt-3 mb-1"),
        dbc.Select(id=f"{page}-into", value="", options=[]),
        dbc.Checkbox(id=f"{page}-apart", value=False, class_name="mt-2", label=""),
        html.P(
            say("All of this holds for every date of this engine and data set. Nobody changes segment by it."),
            className="seg-hint mt-2 mb-0",
        ),
        dbc.Alert(id=f"{page}-refused", color="warning", is_open=False, className="mt-3 mb-0"),
    ]
    buttons = [
        dbc.Button(say("Back to the run's own"), id=f"{page}-own", color="link", className="me-auto px-0"),
        button(f"{page}-cancel", say("Cancel"), "secondary"),
        button(f"{page}-save", say("Save")),
    ]
    return html.Div(
        [
            dcc.Store(id=f"{page}-editing"),
            dcc.Store(id=edit_store_id(page)),
            dcc.Store(id=f"{page}-focused"),
            dialog(f"{page}-editor", say("Name this segment"), fields, buttons),
        ]
    )


def register(app: Dash, services: Services, page: str) -> None:
    """One callback opens the dialog, saves and closes it; who shows the segments listens to ``edit_store_id(page)``."""
    app.clientside_callback(
        ClientsideFunction("segmentry_names", "back"),
        Output(f"{page}-focused", "data"),
        Input(edit_store_id(page), "data"),
        State(f"{page}-editor", "id"),
        prevent_initial_call=True,
    )

    @app.callback(
        output={
            "open": Output(f"{page}-editor", "is_open"),
            "name": Output(f"{page}-name", "value"),
            "action": Output(f"{page}-action", "value"),
            "pinned": Output(f"{page}-pin", "value"),
            "into": Output(f"{page}-into", "value"),
            "others": Output(f"{page}-into", "options"),
            "apart": Output(f"{page}-apart", "value"),
            "parts": Output(f"{page}-apart", "label"),
            "alone": Output(f"{page}-apart", "class_name"),
            "editing": Output(f"{page}-editing", "data"),
            "refused": Output(f"{page}-refused", "children"),
            "is_refused": Output(f"{page}-refused", "is_open"),
            "edited": Output(edit_store_id(page), "data"),
        },
        inputs={
            "clicks": Input({"type": f"{page}-edit", "run": ALL, "key": ALL}, "n_clicks"),
            "save": Input(f"{page}-save", "n_clicks"),
            "entered": Input(f"{page}-name", "n_submit"),
            "own": Input(f"{page}-own", "n_clicks"),
            "cancel": Input(f"{page}-cancel", "n_clicks"),
            "name": State(f"{page}-name", "value"),
            "action": State(f"{page}-action", "value"),
            "pinned": State(f"{page}-pin", "value"),
            "into": State(f"{page}-into", "value"),
            "apart": State(f"{page}-apart", "value"),
            "editing": State(f"{page}-editing", "data"),
        },
        prevent_initial_call=True,
    )
    def edit(
        clicks: Any,
        save: Any,
        entered: Any,
        own: Any,
        cancel: Any,
        name: str | None,
        action: str | None,
        pinned: bool | None,
        into: str | None,
        apart: bool | None,
        editing: dict[str, Any] | None,
    ) -> dict[str, Any]:
        if not ctx.triggered[0]["value"]:  # a pencil has appeared without having been clicked
            raise PreventUpdate
        if isinstance(ctx.triggered_id, dict):
            return _answer(**_opened(services, int(ctx.triggered_id["run"]), int(ctx.triggered_id["key"])))
        if ctx.triggered_id == f"{page}-cancel" or editing is None:
            return _answer(open=False)
        if ctx.triggered_id == f"{page}-own":
            name, action, pinned, into, apart = "", "", False, "", True
        elif not (name or "").strip():
            return _answer(refused=say("Give the segment a name."), is_refused=True)
        which = {key: editing[key] for key in ("run", "key", "revision")}
        try:
            run = rename(
                services,
                which["run"],
                which["key"],
                revision=which["revision"],
                name=_changed(name, editing["name"]),
                action=_changed(action, editing["action"]),
                pinned=bool(pinned),
            )
            now = _of(run, which["key"])
            if into or (apart and now.merged):
                other = int(into) if into else None
                run = services.store.merge_segment(run.id, now.key, other, revision=now.revision)
        except (InputError, ChangedError, NotFoundError) as error:
            return _answer(refused=say(error.message), is_refused=True)
        now = _of(run, which["key"])
        saved = {"run": run.id, "key": now.key, "before": editing["name"], "name": now.name, "revision": now.revision}
        return _answer(open=False, edited=saved)


def _of(run: Run, key: int) -> NamedSegment:
    """The segment that a key belongs to, which may be one with others."""
    return segment_by_key(run.segments)[key]


def _changed(given: str | None, before: str) -> str | None:
    """What was typed; nothing where it is as it was, so that a name the run gave stays the run's."""
    return None if (given or "") == before else given or ""


def _opened(services: Services, run_id: int, key: int) -> dict[str, Any]:
    run = services.store.run(run_id)
    segment = segment_by_key(run.segments).get(key)
    if segment is None:
        raise PreventUpdate
    others = [item for item in run.segments if item is not segment]
    choices = [{"label": segment_name(item.name), "value": str(item.key)} for item in others]
    merging = {
        "into": "",
        "others": [{"label": say("no other segment"), "value": ""}, *choices],
        "apart": False,
        "parts": say("Take apart again: {segments}", segments=_joined(segment.merged_names)),
        "alone": "mt-2" if segment.merged else "d-none",
    }
    editing = {"run": run_id, "key": key, "revision": segment.revision, "name": segment.name, "action": segment.action}
    shown = {"name": segment.name, "action": segment.action, "pinned": segment.pinned}
    return {"open": True, "editing": editing, **shown, **merging, "is_refused": False}


def _answer(**parts: Any) -> dict[str, Any]:
    fields = ("name", "action", "pinned", "into", "others", "apart", "parts", "alone")
    names = ("open", *fields, "editing", "refused", "is_refused", "edited")
    return {name: parts.get(name, no_update) for name in names}
