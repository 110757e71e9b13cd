"""The page marketing opens first: who the customers are, what they are worth, and the list to take along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.components import ids, name_editor
from dashboard.components.attributes import aria
from dashboard.frames import filters
from dashboard.frames.filters import LISTS, View
from dashboard.i18n.texts import noted, say
from dashboard.pages.segments import customers, dialogs, rail, side_panel
from dashboard.pages.segments.charts import CHARTS, CLICKED, CLOUDS, GRID, TABS, panels
from dashboard.pages.segments.customers import CUSTOMERS
from dashboard.pages.segments.rail import (
    CATEGORY,
    CATEGORY_GROUP,
    COUNTRY_GROUP,
    COUNTRY_SEARCH,
    FIELDS,
    LEAST,
    control,
    in_cell,
    place,
    selection_after_click,
    selection_in_box,
)
from dashboard.pages.segments.view import draw_chosen_charts, draw_parts, kpi_skeleton, skeleton
from dashboard.services import Services
from engines.columns import FILTERS
from storage.contract import Selection
from storage.contract.selection import BOUNDS

PATH = "/"
TITLE = noted("Segments")
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
PINNED = "segments-pinned"  # where pinned audiences stand
RESET = "segments-reset"
EXPORT = "segments-export"
EXPORT_XLSX = "segments-export-xlsx"
EXPORT_PARQUET = "segments-export-parquet"
KPIS = "segments-kpis"
INSIGHTS = "segments-insights"
TABLE = "segments-table"
RAIL = "segments-rail"
EDITED = name_editor.edit_store_id(PAGE)
OPEN, CLOSE, BESIDE = "segments-open", "segments-close", "segments-beside"
SHAPE = "segments-shape"  # the box that was drawn: {"chart", "range"}
LEGEND = "segments-legend"  # the segment whose name was clicked in a legend: {"name"}


# --- what is there from the start -------------------------------------------------------------------------------------


def layout(services: Services, **query: Any) -> Component:
    """The page without its figures, which come with the first callback for what the address says."""
    return html.Div(
        [
            dcc.Store(id=SEARCH),
            dcc.Store(id=DRAWN),
            dcc.Store(id=SHAPE),
            dcc.Store(id=LEGEND),
            html.Div(id=BESIDE, className="segments-beside"),
            html.Aside(
                [
                    html.Div(
                        [
                            html.Strong(say("Filters")),
                            html.Button(say("Close"), id=CLOSE, className="btn btn-sm btn-light"),
                        ],
                        className="rail-head",
                    ),
                    *rail.rail(),
                ],
                id=RAIL,
                className="segments-rail",
                **aria(label=say("Filters")),
            ),
            html.Div([_toolbar(), html.Div(id=NOTICE), _body()], className="segments-main"),
            name_editor.editor(PAGE),
            dialogs.export_dialog(),
            side_panel.side_panel(services, query),
            dialogs.audience_dialog(),
        ],
        className="segments-page",
    )


def _toolbar() -> Component:
    """The toolbar, still empty; the page's callback fills it."""
    export = html.Div(
        [
            html.A(say("Export"), id=EXPORT, className="btn btn-primary"),
            dbc.DropdownMenu(
                [
                    dbc.DropdownMenuItem("Excel (.xlsx)", id=EXPORT_XLSX, external_link=True, href=""),
                    dbc.DropdownMenuItem("Parquet (.parquet)", id=EXPORT_PARQUET, external_link=True, href=""),
                    dialogs.export_entry(),
                ],
                label=html.Span(say("Other formats and choices"), className="visually-hidden"),
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
                        [
                            html.Button(say("Filters"), id=OPEN, className="btn btn-outline-secondary segments-open"),
                            dialogs.audience_button(),
                            export,
                        ],
                        id=BAR,
                        className="segments-bar",
                    ),
                ],
                className="segments-title",
            ),
            html.Div(
                [
                    html.Div(id=CHIPS, className="chips", role="group", **aria(label=say("Filters in force"))),
                    html.Button(say("Reset all"), id=RESET, className="link-button reset", hidden=True),
                ],
                className="chip-row",
            ),
            html.Div(id=PINNED),
        ],
        className="segments-top",
    )


def _body() -> Component:
    return html.Div(
        [
            html.Div([kpi_skeleton() for _ in range(6)], id=KPIS, className="kpis"),
            html.Div(skeleton(4, "seg-card insights-to-come"), id=INSIGHTS),
            html.Section(
                [
                    html.H2(say("Segments in view")),
                    html.Div(skeleton(7, "segments-to-come"), id=TABLE, className="table-place"),
                ],
                className="seg-card",
            ),
            panels(),
            html.Section(
                [
                    html.H2(say("Customers in view")),
                    customers.chooser(),
                    customers.grid(),
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
    dialogs.register_export(app, services, DRAWN, EXPORT, customers.CHOSEN)
    side_panel.register(app, services, DRAWN, EDITED)
    dialogs.register_audience(app, services, DRAWN, PINNED)

    @app.callback(
        output=_outputs(),
        inputs={
            "search": Input(SEARCH, "data"),
            "theme": Input(ids.THEME, "data"),
            "shown": {field: Input(control(field), "value") for field in FIELDS},
            "clicks": {
                "chips": Input({"type": f"{PAGE}-chip", "field": ALL, "value": ALL}, "n_clicks"),
                "names": Input({"type": f"{PAGE}-pick", "name": ALL}, "n_clicks"),
                "drops": Input({"type": f"{PAGE}-drop", "field": ALL}, "n_clicks"),
                "reset": Input(RESET, "n_clicks"),
                "legend": Input(LEGEND, "data"),
                "shape": Input(SHAPE, "data"),
                "charts": {chart.name: Input(chart.graph, "clickData") for chart in CLICKED},
            },
            "renamed": Input(EDITED, "data"),
            "tabs": {name: Input(name, "value") for name in TABS},
            "drawn": State(DRAWN, "data"),
        },
    )
    def update(
        search: str | None,
        theme: str | None,
        shown: dict[str, Any],
        clicks: dict[str, Any],
        renamed: dict[str, Any] | None,
        tabs: dict[str, str],
        drawn: dict[str, Any] | None,
    ) -> dict[str, Any]:
        if search is None:  # the address is not known yet
            raise PreventUpdate
        drawn = drawn or {}
        trigger: Any = ctx.triggered_id if drawn else None  # before anything is drawn the address alone counts
        theme = theme or "light"
        # what the page has written into the address itself is in DRAWN, not in SEARCH
        address = search if trigger in (None, SEARCH) else drawn["address"]
        view = filters.read_view(address)
        if isinstance(trigger, str) and trigger in TABS:
            return complete(draw_chosen_charts(services, drawn["run"], view.selection, theme, (tabs[trigger],)))
        if trigger == control(CATEGORY):  # another category alone filters by nothing
            return complete({"controls": {LEAST: rail.share_of(view.selection, shown[CATEGORY])}})
        clicked = trigger == LEGEND or any(chart.graph == trigger for chart in CLICKED)
        named = services.frames.get(drawn["run"]).segments if clicked else ()  # charts know segments by name
        identities = {item.name: item.known_by for item in named}
        selection = selection_after(view.selection, shown, trigger, clicks, identities)
        if trigger == GRID.graph:
            selection = in_cell(services.frames.get(drawn["run"]), selection, clicks["charts"][GRID.name])
        if trigger == SHAPE:
            selection = selection_in_box(services.frames.get(drawn["run"]), selection, clicks["shape"])
        if trigger == SEARCH and _is_drawn(view, drawn):
            raise PreventUpdate
        visible = (*(chart.name for chart in CLOUDS), *tabs.values())
        parts = draw_parts(
            services,
            view,
            selection,
            theme,
            drawn.get("run"),
            visible,
            fresh=trigger in _READ_ANEW,
        )
        if selection == view.selection and parts["drawn"]:
            parts["drawn"]["address"] = address  # it says so already, if in other letters
        if trigger not in _CONTROLS and trigger != ids.THEME:  # what a user is typing in is left alone
            parts["controls"] = rail.control_values(selection, shown.get(CATEGORY) or "")
        return complete({**parts, "clicked": dict.fromkeys(chart.name for chart in CLICKED)})

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
        return customers.answer(frame, frame.mask(filters.read_view(drawn["query"]).selection), request)

    _register_in_browser(app)


_READ_ANEW = (None, SEARCH, EDITED)
_CONTROLS = tuple(control(field) for field in FIELDS)


def selection_after(
    now: Selection,
    shown: Mapping[str, Any],
    trigger: Any,
    clicks: Mapping[str, Any],
    identities: Mapping[str, str] = {},
) -> Selection:
    """The selection meant after ``trigger`` was used: ``now`` is the address's, ``shown`` the controls' values.

    ``identities``: what segments are known by, by the names that charts have for them.

    Raises:
        PreventUpdate: something clickable has appeared without having been clicked.
    """
    if trigger in _CONTROLS:
        return rail.from_controls(shown, now)
    if trigger == RESET:
        return Selection()
    if trigger == LEGEND:
        name = clicks["legend"]["name"]
        return filters.toggle_option(now, "segments", identities.get(name, name))
    chart = next((chart for chart in CLICKED if chart.graph == trigger), None)
    if chart is not None and chart != GRID:
        return selection_after_click(now, chart, clicks["charts"][chart.name], identities)
    if isinstance(trigger, dict):
        if not ctx.triggered[0]["value"]:
            raise PreventUpdate
        if trigger["type"] == f"{PAGE}-pick":
            return filters.toggle_option(now, "segments", trigger["name"])
        return filters.without_condition(now, trigger["field"], trigger.get("value", ""))
    return now


def _is_drawn(view: View, drawn: Mapping[str, Any]) -> bool:
    same = filters.write_view(None, view.selection) == drawn["query"] and list(view.problems) == drawn["problems"]
    return same and view.run in (None, drawn["run"])


def _outputs() -> dict[str, Any]:
    return {
        "drawn": Output(DRAWN, "data"),
        "controls": {field: Output(control(field), "value") for field in FIELDS},
        "options": {name: Output(control(name), "options") for name in (*LISTS, CATEGORY)},
        "reach": {field: Output(control(field), "placeholder") for field in BOUNDS},
        "absent": {column.name: Output(place(column), "hidden") for column in FILTERS},
        "country_group": Output(COUNTRY_GROUP, "hidden"),
        "category_group": Output(CATEGORY_GROUP, "hidden"),
        "notice": Output(NOTICE, "children"),
        "body": Output(BODY, "hidden"),
        "rail": Output(RAIL, "hidden"),
        "bar": Output(BAR, "hidden"),
        "head": Output(HEAD, "children"),
        "chips": Output(CHIPS, "children"),
        "reset": Output(RESET, "hidden"),
        "pinned": Output(PINNED, "children"),
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
        "clicked": {chart.name: Output(chart.graph, "clickData") for chart in CLICKED},
    }


def complete(parts: Mapping[str, Any], outputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The parts, and everything that they do not name left as it is."""
    outputs = _outputs() if outputs is None else outputs
    return {
        name: complete(parts.get(name, {}), item) if isinstance(item, dict) else parts.get(name, no_update)
        for name, item in outputs.items()
    }


def _register_in_browser(app: dash.Dash) -> None:
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
    customers.register(app)
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
        Input(control("countries"), "options"),
        State(control("countries"), "value"),
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
