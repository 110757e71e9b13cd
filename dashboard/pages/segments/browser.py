"""What the Segments page does in the browser itself, without asking the server."""

from __future__ import annotations

import dash
from dash import ClientsideFunction, Input, Output, State

from dashboard.components import ids
from dashboard.pages.segments import customers as customer_table
from dashboard.pages.segments.charts import CHARTS, CLOUDS, TABS
from dashboard.pages.segments.ids import (
    BESIDE,
    CLOSE,
    COUNTRY_SEARCH,
    CUSTOMERS,
    DRAWN,
    OPEN,
    PAGE,
    RAIL,
    SEARCH,
    SHAPE,
)
from dashboard.pages.segments.rail import control


def in_the_browser(app: dash.Dash) -> None:
    """What needs no server: the address, the drawer, tables of charts, tabs, what is drawn over a chart."""
    here = "segmentry_segments"
    for chart in CHARTS:
        app.clientside_callback(
            ClientsideFunction(here, "table"),
            Output(chart.table, "children"),
            Output(chart.table, "hidden"),
            Output(chart.more, "children"),
            Output(chart.more, "aria-expanded"),
            Input(chart.more, "n_clicks"),
            Input(chart.graph, "figure"),
            prevent_initial_call=True,
        )
    app.clientside_callback(
        ClientsideFunction(here, "shape"),
        Output(SHAPE, "data"),
        *(Input(chart.graph, "selectedData") for chart in CLOUDS),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction(here, "legends"),
        Output(BESIDE, "className"),
        *(Input(chart.graph, "figure") for chart in CLOUDS),
    )
    for name, group in TABS.items():
        app.clientside_callback(
            ClientsideFunction(here, "tab"),
            *(Output(chart.place, "hidden") for chart in group),
            Input(name, "value"),
            State(name, "options"),
        )
    customer_table.register(app, CUSTOMERS)
    app.clientside_callback(
        ClientsideFunction(here, "read"),
        Output(SEARCH, "data"),
        Input(ids.LOCATION, "search"),
        State(DRAWN, "data"),
        State(SEARCH, "data"),
    )
    app.clientside_callback(
        ClientsideFunction(here, "write"), Output(BESIDE, "lang"), Input(DRAWN, "data"), prevent_initial_call=True
    )
    app.clientside_callback(
        ClientsideFunction(here, "find"),
        Output(COUNTRY_SEARCH, "className"),
        Input(COUNTRY_SEARCH, "value"),
        Input(control(PAGE, "countries"), "options"),
        State(control(PAGE, "countries"), "value"),
    )
    app.clientside_callback(
        ClientsideFunction(here, "drawer"),
        Output(RAIL, "className"),
        *(Input(name, "n_clicks") for name in (OPEN, CLOSE, BESIDE)),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction(here, "refresh"), Output(BESIDE, "title"), Input(DRAWN, "data"), prevent_initial_call=True
    )
