"""Giving the customers in view a name: the window that saves an audience, and pinned audiences as chips."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.frames import filters
from dashboard.i18n.retelling import reason_of
from dashboard.i18n.texts import say
from dashboard.queries.audiences import newest_run, save, selection_of
from dashboard.services import Services
from engines.errors import InputError
from storage.contract import NotFoundError, Run
from storage.sql.audiences import NAME_LENGTH


def opener(page: str) -> Component:
    """The button that opens the window."""
    return html.Button(say("Save as audience"), id=f"{page}-audience-open", className="btn btn-outline-secondary")


def window(page: str) -> Component:
    """The window, closed."""
    name = f"{page}-audience-name"
    body = [
        html.P(id=f"{page}-audience-words", className="seg-hint"),
        html.Label(say("Name"), htmlFor=name, className="form-label mb-1"),
        dbc.Input(id=name, maxLength=NAME_LENGTH, autoComplete="off", autoFocus=True, class_name="mb-3"),
        dbc.Checkbox(id=f"{page}-audience-pin", label=say("Pin: one click away on this page for everyone"), value=True),
        dbc.Alert(id=f"{page}-audience-refused", color="warning", is_open=False, className="mt-3 mb-0"),
    ]
    buttons = [
        dbc.Button(say("Cancel"), id=f"{page}-audience-cancel", color="secondary", outline=True),
        dbc.Button(say("Save"), id=f"{page}-audience-save", color="primary"),
    ]
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(say("Save as audience"), tag="h2")),
            dbc.ModalBody(body),
            dbc.ModalFooter(buttons),
        ],
        id=f"{page}-audience-window",
        is_open=False,
        centered=True,
    )


def chips(services: Services, run: Run) -> Component | None:
    """The pinned audiences of a run's data set, each a link that brings its customers into view."""
    links = []
    for audience in services.store.audiences():
        if not audience.pinned or audience.dataset not in ("", run.dataset):
            continue
        try:
            selection = selection_of(audience)
        except InputError:  # of an older version; the page of audiences says so
            continue
        there: Run | None = run
        if selection.segments and audience.engine not in ("", run.engine):  # names of segments belong to an engine
            there = newest_run(services, audience)
        if there is not None:
            href = "/" + filters.write_view(there.id, selection)
            title = say("Show the audience {audience}", audience=audience.name)
            links.append(dcc.Link(audience.name, href=href, className="chip", title=title))
    if not links:
        return None
    return html.Div([html.Span(say("Audiences"), className="seg-hint"), *links], className="chips audience-chips")


def register(app: Dash, services: Services, page: str, drawn: str, place: str) -> None:
    """One callback opens the window, saves and closes it; ``place`` is where the chips stand."""

    @app.callback(
        output={
            "open": Output(f"{page}-audience-window", "is_open"),
            "words": Output(f"{page}-audience-words", "children"),
            "name": Output(f"{page}-audience-name", "value"),
            "refused": Output(f"{page}-audience-refused", "children"),
            "is_refused": Output(f"{page}-audience-refused", "is_open"),
            "chips": Output(place, "children", allow_duplicate=True),
        },
        inputs={
            "opened": Input(f"{page}-audience-open", "n_clicks"),
            "cancelled": Input(f"{page}-audience-cancel", "n_clicks"),
            "saved": Input(f"{page}-audience-save", "n_clicks"),
            "entered": Input(f"{page}-audience-name", "n_submit"),
            "name": State(f"{page}-audience-name", "value"),
            "pinned": State(f"{page}-audience-pin", "value"),
            "drawn": State(drawn, "data"),
        },
        prevent_initial_call=True,
    )
    def answer(
        opened: Any,
        cancelled: Any,
        saved: Any,
        entered: Any,
        name: str | None,
        pinned: bool,
        drawn: dict[str, Any] | None,
    ) -> dict[str, Any]:
        if not drawn or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        if ctx.triggered_id == f"{page}-audience-open":
            return _parts(open=True, words=_words(services, drawn), name="", is_refused=False)
        if ctx.triggered_id == f"{page}-audience-cancel":
            return _parts(open=False)
        if not (name or "").strip():
            return _parts(refused=say("Give the audience a name."), is_refused=True)
        try:
            run = services.store.run(drawn["run"])
            save(services, name or "", filters.read_view(drawn["query"]).selection, run, pinned=bool(pinned))
        except (InputError, NotFoundError) as error:
            return _parts(refused=reason_of(error), is_refused=True)
        return _parts(open=False, chips=chips(services, run))


def _words(services: Services, drawn: dict[str, Any]) -> str:
    """What is about to be saved."""
    frame = services.frames.get(drawn["run"])
    found = filters.conditions(filters.read_view(drawn["query"]).selection, frame.currency)
    if not found:
        return say("No filter is set: this audience will be everyone.")
    return say(
        "Whoever meets {conditions}, on every later date of {dataset}.",
        conditions=", ".join(item.words for item in found),
        dataset=frame.dataset,
    )


def _parts(**parts: Any) -> dict[str, Any]:
    names = ("open", "words", "name", "refused", "is_refused", "chips")
    return {name: parts.get(name, no_update) for name in names}
