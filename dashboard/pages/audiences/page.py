"""The page of saved audiences: who they are, how many today, and how that changed from date to date."""

from __future__ import annotations

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.i18n.retelling import reason_of
from dashboard.i18n.texts import say
from dashboard.pages.audiences import cards as audience_list
from dashboard.services import Services
from engines.errors import InputError
from storage.contract import NotFoundError
from storage.sql.audiences import NAME_LENGTH

PATH = "/audiences"
TITLE = "Audiences"
ORDER = 15
AREA = "marketing"

LIST, SAID = "audiences-list", "audiences-said"
ASKED = "audiences-asked"  # the audience that a window is open about
RENAMING, NAME, RENAME, KEEP = "audiences-renaming", "audiences-name", "audiences-rename", "audiences-keep"
DELETING, WHICH, DELETE, SPARE = "audiences-deleting", "audiences-which", "audiences-delete", "audiences-spare"


def layout(services: Services, **query: Any) -> Component:
    """The list, and two windows that are closed."""
    return html.Div(
        [
            html.H1(say(TITLE)),
            html.P(
                say("Selections with a name, shared by everyone here. Each is counted anew on every date."),
                className="seg-hint",
            ),
            html.Div(id=SAID, role="status"),
            dcc.Loading(html.Div(audience_list.listed(services), id=LIST), delay_show=300),
            dcc.Store(id=ASKED),
            _window(
                RENAMING,
                say("Rename this audience"),
                [
                    html.Label(say("Name"), htmlFor=NAME, className="form-label mb-1"),
                    dbc.Input(id=NAME, maxLength=NAME_LENGTH, autoComplete="off", autoFocus=True),
                ],
                [
                    dbc.Button(say("Cancel"), id=KEEP, color="secondary", outline=True),
                    dbc.Button(say("Rename"), id=RENAME, color="primary"),
                ],
            ),
            _window(
                DELETING,
                say("Delete this audience?"),
                [html.P(id=WHICH)],
                [
                    dbc.Button(say("Keep it"), id=SPARE, color="secondary", outline=True),
                    dbc.Button(say("Delete"), id=DELETE, color="danger"),
                ],
            ),
        ],
        className="audiences",
    )


def _window(name: str, title: str, body: list[Component], buttons: list[Component]) -> Component:
    parts = [dbc.ModalHeader(dbc.ModalTitle(title, tag="h2")), dbc.ModalBody(body), dbc.ModalFooter(buttons)]
    return dbc.Modal(parts, id=name, is_open=False, centered=True)


def _clicked(action: str) -> Input:
    return Input({"type": f"audiences-{action}", "id": ALL}, "n_clicks")


def register(app: dash.Dash, services: Services) -> None:
    """One callback pins, renames, deletes and counts, and draws the list anew."""

    @app.callback(
        output={
            "list": Output(LIST, "children"),
            "said": Output(SAID, "children"),
            "asked": Output(ASKED, "data"),
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
            "asked": State(ASKED, "data"),
        },
        prevent_initial_call=True,
    )
    def answer(clicks: Any, renamed: Any, deleted: Any, name: str | None, asked: int | None) -> dict[str, Any]:
        if not ctx.triggered[0]["value"]:  # a button has appeared without having been clicked
            raise PreventUpdate
        try:
            return _parts(**_done(services, ctx.triggered_id, name, asked))
        except (InputError, NotFoundError) as error:
            said = dbc.Alert(reason_of(error), color="warning", dismissable=True)
            return _parts(said=said, renaming=False, deleting=False, list=audience_list.listed(services))


def _done(services: Services, button: Any, name: str | None, asked: int | None) -> dict[str, Any]:
    store = services.store
    if isinstance(button, dict):
        audience = store.audience(button["id"])
        action = button["type"].removeprefix("audiences-")
        if action == "rename":
            return {"asked": audience.id, "renaming": True, "name": audience.name}
        if action == "delete":
            sentence = say(
                "{name} will be gone for everyone. Its customers and what was exported stay as they are.",
                name=audience.name,
            )
            return {"asked": audience.id, "deleting": True, "which": sentence}
        if action == "pin":
            store.change_audience(audience.id, pinned=not audience.pinned)
        return {"list": audience_list.listed(services, whole=audience.id if action == "count" else None), "said": None}
    if button in (KEEP, SPARE) or asked is None:
        return {"renaming": False, "deleting": False}
    if button == DELETE:
        store.delete_audience(asked)
    else:
        store.change_audience(asked, name=name or "")
    return {"list": audience_list.listed(services), "renaming": False, "deleting": False, "said": None}


def _parts(**parts: Any) -> dict[str, Any]:
    names = ("list", "said", "asked", "renaming", "name", "deleting", "which")
    return {name: parts.get(name, no_update) for name in names}
