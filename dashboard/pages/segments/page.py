"""The page marketing opens first: who the customers are, what they are worth, and the list to take along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.components import ids, name_editor
from dashboard.components.attributes import aria
from dashboard.frames import filters
from dashboard.frames.filters import LISTS, View
from dashboard.i18n.texts import say
from dashboard.pages.segments import audience_window as audience_saver
from dashboard.pages.segments import clicks as clicking
from dashboard.pages.segments import customers as customer_table
from dashboard.pages.segments import export_window as export_panel
from dashboard.pages.segments import rail as controls
from dashboard.pages.segments import side_panel as asides
from dashboard.pages.segments.browser import in_the_browser
from dashboard.pages.segments.charts import CHARTS, CLICKED, CLOUDS, GRID, TABS, panels
from dashboard.pages.segments.ids import (
    BAR,
    BESIDE,
    BODY,
    CATEGORY_GROUP,
    CHIPS,
    CLOSE,
    COUNTRY_GROUP,
    CUSTOMERS,
    DRAWN,
    EDITED,
    EXPORT,
    EXPORT_PARQUET,
    EXPORT_XLSX,
    HEAD,
    INSIGHTS,
    KPIS,
    LEGEND,
    NOTICE,
    PAGE,
    PINNED,
    RAIL,
    RESET,
    SEARCH,
    SHAPE,
    TABLE,
)
from dashboard.pages.segments.key_figures import kpi_skeleton, skeleton
from dashboard.pages.segments.rail import CATEGORY, FIELDS, LEAST_SHARE, control, place
from dashboard.pages.segments.toolbar import toolbar
from dashboard.pages.segments.view import charts_of, desk
from dashboard.services import Services
from engines.columns import FILTERS
from storage.contract import Selection
from storage.contract.selection import BOUNDS

PATH = "/"
TITLE = "Segments"
ORDER = 10
AREA = "marketing"


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
                    *controls.rail(PAGE),
                ],
                id=RAIL,
                className="segments-rail",
                **aria(label=say("Filters")),
            ),
            html.Div([toolbar(), html.Div(id=NOTICE), _body()], className="segments-main"),
            name_editor.editor(PAGE),
            export_panel.panel(PAGE),
            asides.panel(services, PAGE, query),
            audience_saver.window(PAGE),
        ],
        className="segments-page",
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
                    customer_table.chooser(CUSTOMERS),
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
    export_panel.register(app, services, PAGE, DRAWN, EXPORT, f"{CUSTOMERS}-chosen")
    asides.register(app, services, PAGE, DRAWN, EDITED)
    audience_saver.register(app, services, PAGE, DRAWN, PINNED)

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
        asked_by = ctx.triggered_id if drawn else None  # before anything is drawn the address alone counts
        theme = theme or "light"
        # what the page has written into the address itself is in DRAWN, not in SEARCH
        address = search if asked_by in (None, SEARCH) else drawn["address"]
        view = filters.read_view(address)
        if isinstance(asked_by, str) and asked_by in TABS:
            return complete(charts_of(services, drawn["run"], view.selection, theme, (tabs[asked_by],)))
        if asked_by == control(PAGE, CATEGORY):  # another category alone filters by nothing
            return complete({"controls": {LEAST_SHARE: controls.share_of(view.selection, shown[CATEGORY])}})
        selection = asked(view.selection, shown, asked_by, clicks)
        if asked_by == GRID.graph:
            selection = clicking.in_cell(services.frames.get(drawn["run"]), selection, clicks["charts"][GRID.name])
        if asked_by == SHAPE:
            selection = clicking.drawn_around(services.frames.get(drawn["run"]), selection, clicks["shape"])
        if asked_by == EDITED and renamed:
            selection = filters.renamed(selection, renamed["before"], renamed["name"])
        if asked_by == SEARCH and _is_drawn(view, drawn):
            raise PreventUpdate
        wanted = (*(chart.name for chart in CLOUDS), *tabs.values())
        parts = desk(
            services,
            view,
            selection,
            theme,
            PAGE,
            drawn["run"] if drawn else None,
            wanted,
            fresh=asked_by in _READ_ANEW,
        )
        if selection == view.selection and parts["drawn"]:
            parts["drawn"]["address"] = address  # it says so already, if in other letters
        if asked_by not in _CONTROLS and asked_by != ids.THEME:  # what a user is typing in is left alone
            parts["controls"] = controls.control_values(selection, shown.get(CATEGORY) or "")
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
        return customer_table.answer(frame, frame.mask(filters.read_view(drawn["query"]).selection), request)

    in_the_browser(app)


_READ_ANEW = (None, SEARCH, EDITED)
_CONTROLS = tuple(control(PAGE, field) for field in FIELDS)


def asked(now: Selection, shown: Mapping[str, Any], asked_by: Any, clicks: Mapping[str, Any]) -> Selection:
    """The selection meant after ``asked_by`` was used: ``now`` is the address's, ``shown`` the controls' values.

    Raises:
        PreventUpdate: something clickable has appeared without having been clicked.
    """
    if asked_by in _CONTROLS:
        return controls.from_controls(shown, now)
    if asked_by == RESET:
        return Selection()
    if asked_by == LEGEND:
        return filters.toggled(now, "segments", clicks["legend"]["name"])
    chart = next((chart for chart in CLICKED if chart.graph == asked_by), None)
    if chart is not None and chart != GRID:
        return clicking.clicked(now, chart, clicks["charts"][chart.name])
    if isinstance(asked_by, dict):
        if not ctx.triggered[0]["value"]:
            raise PreventUpdate
        if asked_by["type"] == f"{PAGE}-pick":
            return filters.toggled(now, "segments", asked_by["name"])
        return filters.without(now, asked_by["field"], asked_by.get("value", ""))
    return now


def _is_drawn(view: View, drawn: Mapping[str, Any]) -> bool:
    same = filters.write_view(None, view.selection) == drawn["query"] and list(view.problems) == drawn["problems"]
    return same and view.run in (None, drawn["run"])


def _outputs() -> dict[str, Any]:
    return {
        "drawn": Output(DRAWN, "data"),
        "controls": {field: Output(control(PAGE, field), "value") for field in FIELDS},
        "options": {name: Output(control(PAGE, name), "options") for name in (*LISTS, CATEGORY)},
        "reach": {field: Output(control(PAGE, field), "placeholder") for field in BOUNDS},
        "absent": {column.name: Output(place(PAGE, column), "hidden") for column in FILTERS},
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
