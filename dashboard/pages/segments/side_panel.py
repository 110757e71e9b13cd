"""The panel that slides in from the side of the Segments page: all about one customer, or all about one segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.components import elements, ids
from dashboard.components.attributes import aria, data
from dashboard.components.cards import alert
from dashboard.i18n.texts import say, segment_name
from dashboard.pages.segments.about_customer import about_customer, about_returned
from dashboard.pages.segments.about_segment import about_segment
from dashboard.queries.customer import ReturnedEverything, returned_everything
from dashboard.services import Services
from engines.contract import NamedSegment
from storage.contract import NotFoundError, Run

#: Parameters of the address that open the panel; they are no filters.
CUSTOMER, ABOUT = PARAMETERS = ("customer", "about")


def about_button(segment: NamedSegment) -> Component:
    """The button in the table of segments that opens the panel."""
    label = say(
        "About {segment}: rule, countries, categories, who came and who left", segment=segment_name(segment.name)
    )
    return elements.Button(
        say("About"),
        type="button",
        className="about-button",
        title=label,
        **data(about=str(segment.key)),
        **aria(label=label),
    )


def side_panel(services: Services, query: Mapping[str, Any]) -> Component:
    """The panel, and what it is asked for: filled already where the page is opened by a link and the run is at hand.

    What is in the page from the start is read before the first chart is drawn, which keeps a browser busy for seconds.
    """
    opened = _opened_by(services, query)
    title, body = content(services, opened, opened["theme"]) if opened else ("", [])
    return html.Div(
        [
            dcc.Store(id="segments-side-panel-request", data=opened),
            dcc.Store(id="segments-side-panel-done"),
            dcc.Store(id="segments-side-panel-closed"),
            dbc.Offcanvas(
                dcc.Loading(
                    html.Div(body, id="segments-side-panel-body", className="side-panel-body"),
                    delay_show=200,
                    parent_className="side-panel-loading",
                ),
                id="segments-side-panel",
                title=html.Span(title, id="segments-side-panel-title"),
                is_open=opened is not None,
                placement="end",
                scrollable=True,
                class_name="side-panel",
            ),
        ]
    )


def _opened_by(services: Services, query: Mapping[str, Any]) -> dict[str, Any] | None:
    """What an address opens, as the browser asks for it (assets/drawers.js); None where that has to be read first."""
    run, name = str(query.get("run", "")), next((name for name in PARAMETERS if query.get(name)), None)
    if name is None or not (run.isascii() and run.isdecimal()) or not services.frames.is_cached(int(run)):
        return None
    return {"run": int(run), name: str(query[name]), "theme": "light"}


def register(app: Dash, services: Services, drawn: str, edited: str) -> None:
    """The address opens and closes the panel; one callback fills it.

    ``drawn`` and ``edited`` are the stores that tell which run the page shows and that a segment was renamed.
    """
    app.clientside_callback(
        ClientsideFunction("segmentry_drawers", "openFromAddress"),
        Output("segments-side-panel-request", "data"),
        Output("segments-side-panel", "is_open"),
        Input(ids.LOCATION, "search"),
        State("segments-side-panel-request", "data"),
        State("segments-side-panel", "is_open"),
        State(drawn, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("segmentry_drawers", "runResolved"),
        Output("segments-side-panel-done", "data"),
        Input(drawn, "data"),
        State("segments-side-panel-request", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("segmentry_drawers", "closed"),
        Output("segments-side-panel-closed", "data"),
        Input("segments-side-panel", "is_open"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("segments-side-panel-title", "children"),
        Output("segments-side-panel-body", "children"),
        Input("segments-side-panel-request", "data"),
        Input(edited, "data"),
        prevent_initial_call=True,
    )
    def fill(opened: dict[str, Any] | None, renamed: Any) -> tuple[str, list[Component]]:
        if not opened:
            raise PreventUpdate
        return content(services, opened, opened["theme"])


def _returned(services: Services, run_id: int, customer: str) -> tuple[Run, ReturnedEverything] | None:
    """The run, and who is none of its customers because they returned everything."""
    try:
        run = services.store.run(run_id)
    except NotFoundError:
        return None
    found = returned_everything(services, run, customer)
    return None if found is None else (run, found)


def content(services: Services, opened: dict[str, Any], theme: str) -> tuple[str, list[Component]]:
    """Title and content of the panel for a run and a customer or a segment's key."""
    customer, key = opened.get(CUSTOMER), opened.get(ABOUT)
    try:
        if customer is not None:
            return say("Customer {customer}", customer=customer), about_customer(
                services, opened["run"], customer, theme
            )
        if not str(key).isdecimal():
            raise NotFoundError("There is no segment {segment} in run {run}.", segment=repr(key), run=opened["run"])
        return about_segment(services, opened["run"], int(str(key)))
    except NotFoundError as error:
        if customer is not None and (found := _returned(services, opened["run"], customer)):
            return say("Customer {customer}", customer=customer), about_returned(services, *found, theme)
        return say("Not found"), [alert(say(error.message), "warning")]
