"""The page marketing opens first: who the customers are, what they are worth, and the list to take along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard import cards, customer_table, filters, ids, name_editor
from dashboard.desk import BOXES, CHARTS, COUNTRIES, desk, panel
from dashboard.figures import segments as charts
from dashboard.filters import FIELDS, LISTS, View, control
from dashboard.services import Services
from storage.contract import Selection

PATH = "/"
TITLE = "Segments"
ORDER = 10
AREA = "marketing"

PAGE = "segments"
SEARCH = "segments-search"  # the address's query string as it concerns this page
DRAWN = "segments-drawn"  # the run, query and address that the page shows now; None until it shows any
NOTICE = "segments-notice"
BODY = "segments-body"
HEAD = "segments-head"
BAR = "segments-bar"
CHIPS = "segments-chips"
RESET = "segments-reset"
EXPORT = "segments-export"
EXPORT_XLSX = "segments-export-xlsx"
EXPORT_PARQUET = "segments-export-parquet"
KPIS = "segments-kpis"
INSIGHTS = "segments-insights"
TABLE = "segments-table"
CUSTOMERS = "segments-customers"
RAIL = "segments-rail"
EDITED = name_editor.edited(PAGE)
OPEN, CLOSE, BESIDE = "segments-open", "segments-close", "segments-beside"
COUNTRY_GROUP = "segments-country-group"
COUNTRY_SEARCH = "segments-country-search"


# --- what is there from the start -------------------------------------------------------------------------------------


def layout(services: Services, **query: Any) -> Component:
    """The page without its figures, which come with the first callback for what the address says."""
    return html.Div(
        [
            dcc.Store(id=SEARCH),
            dcc.Store(id=DRAWN),
            html.Div(id=BESIDE, className="segments-beside"),
            html.Aside(
                [
                    html.Div(
                        [html.Strong("Filters"), html.Button("Close", id=CLOSE, className="btn btn-sm btn-light")],
                        className="rail-head",
                    ),
                    *filters.rail(PAGE),
                ],
                id=RAIL,
                className="segments-rail",
                **{"aria-label": "Filters"},
            ),
            html.Div([_toolbar(), html.Div(id=NOTICE), _body()], className="segments-main"),
            name_editor.editor(PAGE),
        ],
        className="segments-page",
    )


def _toolbar() -> Component:
    export = html.Div(
        [
            html.A("Export", id=EXPORT, className="btn btn-primary"),
            dbc.DropdownMenu(
                [
                    dbc.DropdownMenuItem("Excel (.xlsx)", id=EXPORT_XLSX, external_link=True, href=""),
                    dbc.DropdownMenuItem("Parquet (.parquet)", id=EXPORT_PARQUET, external_link=True, href=""),
                ],
                label=html.Span("Other formats", className="visually-hidden"),
                group=True,
                align_end=True,
                color="primary",
            ),
        ],
        className="btn-group",
    )
    return html.Div(
        [
            html.Div(
                [
                    html.Div(id=HEAD, className="segments-head"),
                    html.Div(
                        [html.Button("Filters", id=OPEN, className="btn btn-outline-secondary segments-open"), export],
                        id=BAR,
                        className="segments-bar",
                    ),
                ],
                className="segments-title",
            ),
            html.Div(
                [
                    html.Div(id=CHIPS, className="chips", role="group", **{"aria-label": "Filters in force"}),
                    html.Button("Reset all", id=RESET, className="link-button reset", hidden=True),
                ],
                className="chip-row",
            ),
        ],
        className="segments-top",
    )


def _body() -> Component:
    return html.Div(
        [
            html.Div([cards.kpi_skeleton() for _ in range(5)], id=KPIS, className="kpis"),
            html.Div(id=INSIGHTS),
            html.Section(
                [html.H2("Segments in view"), html.Div(id=TABLE, className="table-place")], className="seg-card"
            ),
            html.Div([panel(chart) for chart in CHARTS], className="chart-grid"),
            html.Section(
                [
                    html.H2("Customers in view"),
                    html.P(
                        "Sorted by what they are likely to spend; a click on a column sorts by it.",
                        className="seg-hint",
                    ),
                    customer_table.grid(CUSTOMERS),
                ],
                className="seg-card",
            ),
        ],
        id=BODY,
        className="segments-body",
    )


# --- what happens -----------------------------------------------------------------------------------------------------


def register(app: dash.Dash, services: Services) -> None:
    """The callbacks: one owns filters, address and everything drawn; one answers the table's questions for rows."""
    name_editor.register(app, services, PAGE)

    @app.callback(
        output=_outputs(),
        inputs={
            "search": Input(SEARCH, "data"),
            "theme": Input(ids.THEME, "data"),
            "shown": {field: Input(control(PAGE, field), "value") for field in FIELDS},
            "clicks": {
                "chips": Input({"type": f"{PAGE}-chip", "field": ALL, "value": ALL}, "n_clicks"),
                "names": Input({"type": f"{PAGE}-pick", "name": ALL}, "n_clicks"),
                "drops": Input({"type": f"{PAGE}-drop", "field": ALL}, "n_clicks"),
                "reset": Input(RESET, "n_clicks"),
                "box": Input(BOXES.graph, "clickData"),
                "bar": Input(COUNTRIES.graph, "clickData"),
            },
            "renamed": Input(EDITED, "data"),
            "drawn": State(DRAWN, "data"),
        },
    )
    def update(
        search: str | None,
        theme: str | None,
        shown: dict[str, Any],
        clicks: dict[str, Any],
        renamed: dict[str, Any] | None,
        drawn: dict[str, Any] | None,
    ) -> dict[str, Any]:
        asked_by = ctx.triggered_id if drawn else None  # before anything is drawn the address alone counts
        # what the page has written into the address itself is in DRAWN, not in SEARCH
        address = (search or "") if asked_by in (None, SEARCH) else drawn["address"]
        view = filters.read_view(address)
        selection = asked(view.selection, shown, asked_by, clicks)
        if asked_by == EDITED and renamed:
            selection = filters.renamed(selection, renamed["before"], renamed["name"])
        if asked_by == SEARCH and _is_drawn(view, drawn):
            raise PreventUpdate
        parts = desk(services, view, selection, theme or "light", PAGE, drawn["run"] if drawn else None)
        if selection == view.selection and parts["drawn"]:
            parts["drawn"]["address"] = address  # it says so already, if in other letters
        if asked_by not in _CONTROLS and asked_by != ids.THEME:  # what a user is typing in is left alone
            parts["controls"] = filters.control_values(selection)
        return complete({**parts, "clicked": dict.fromkeys((BOXES.name, COUNTRIES.name))})

    @app.callback(
        Output(CUSTOMERS, "getRowsResponse"),
        Input(CUSTOMERS, "getRowsRequest"),
        State(DRAWN, "data"),
        prevent_initial_call=True,
    )
    def rows(request: dict[str, Any] | None, drawn: dict[str, Any] | None) -> dict[str, Any]:
        if not request or not drawn:
            raise PreventUpdate
        frame = services.frames.get(drawn["run"])
        return customer_table.answer(frame, frame.mask(filters.read_view(drawn["query"]).selection), request)

    here = "segmentry_segments"
    app.clientside_callback(
        ClientsideFunction(here, "read"),
        Output(SEARCH, "data"),
        Input(ids.LOCATION, "search"),
        State(DRAWN, "data"),
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


_CONTROLS = tuple(control(PAGE, field) for field in FIELDS)


def asked(now: Selection, shown: Mapping[str, Any], asked_by: Any, clicks: Mapping[str, Any]) -> Selection:
    """The selection meant after ``asked_by`` was used: ``now`` is the address's, ``shown`` the controls' values.

    Raises:
        PreventUpdate: something clickable has appeared without having been clicked.
    """
    if asked_by in _CONTROLS:
        return filters.from_controls(shown)
    if asked_by == RESET:
        return Selection()
    if asked_by == BOXES.graph:
        return filters.toggled(now, "segments", _clicked(clicks["box"]))
    if asked_by == COUNTRIES.graph:
        name = _clicked(clicks["bar"])
        if name.startswith(charts.OTHER):
            raise PreventUpdate
        return filters.toggled(now, "countries", name)
    if isinstance(asked_by, dict):
        if not ctx.triggered[0]["value"]:
            raise PreventUpdate
        if asked_by["type"] == f"{PAGE}-pick":
            return filters.toggled(now, "segments", asked_by["name"])
        return filters.without(now, asked_by["field"], asked_by.get("value", ""))
    return now


def _clicked(data: Mapping[str, Any] | None) -> str:
    """The name on the vertical axis that was clicked."""
    if not data:
        raise PreventUpdate
    return str(data["points"][0]["y"])


def _is_drawn(view: View, drawn: Mapping[str, Any]) -> bool:
    same = filters.write_view(None, view.selection) == drawn["query"] and list(view.problems) == drawn["problems"]
    return same and view.run in (None, drawn["run"])


def _outputs() -> dict[str, Any]:
    return {
        "drawn": Output(DRAWN, "data"),
        "controls": {field: Output(control(PAGE, field), "value") for field in FIELDS},
        "options": {name: Output(control(PAGE, name), "options") for name in LISTS},
        "country_group": Output(COUNTRY_GROUP, "hidden"),
        "notice": Output(NOTICE, "children"),
        "body": Output(BODY, "hidden"),
        "rail": Output(RAIL, "hidden"),
        "bar": Output(BAR, "hidden"),
        "head": Output(HEAD, "children"),
        "chips": Output(CHIPS, "children"),
        "reset": Output(RESET, "hidden"),
        "export": {
            "text": Output(EXPORT, "children"),
            "csv": Output(EXPORT, "href"),
            "xlsx": Output(EXPORT_XLSX, "href"),
            "parquet": Output(EXPORT_PARQUET, "href"),
        },
        "kpis": Output(KPIS, "children"),
        "insights": Output(INSIGHTS, "children"),
        "table": Output(TABLE, "children"),
        "columns": Output(CUSTOMERS, "columnDefs"),
        "figures": {chart.name: Output(chart.graph, "figure") for chart in CHARTS},
        "styles": {chart.name: Output(chart.graph, "style") for chart in CHARTS},
        "words": {chart.name: Output(chart.words, "children") for chart in CHARTS},
        "clicked": {chart.name: Output(chart.graph, "clickData") for chart in (BOXES, COUNTRIES)},
    }


def complete(parts: Mapping[str, Any], outputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The parts, and everything that they do not name left as it is."""
    outputs = _outputs() if outputs is None else outputs
    return {
        name: complete(parts.get(name, {}), item) if isinstance(item, dict) else parts.get(name, no_update)
        for name, item in outputs.items()
    }
