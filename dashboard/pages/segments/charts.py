"""The charts of the Segments page: where each stands, what it is drawn from, and what it says in words."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.attributes import aria
from dashboard.components.panels import picture_buttons
from dashboard.figures import (
    Drawing,
    clouds,
    cohorts,
    country_map,
    empty_figure,
    graph_config,
    heatmap,
    spreads,
    treemap,
)
from dashboard.figures.boxes import box_data, box_words, draw_boxes
from dashboard.figures.country_bars import country_data, country_words, draw_countries
from dashboard.frames.aggregates import Aggregate, SegmentTotals
from dashboard.frames.columns import Mask
from dashboard.frames.run import RunFrame
from dashboard.i18n.texts import noted, say
from engines.columns import CLV, WITHOUT_MONEY
from engines.contract import Play
from storage.contract import Selection


class Chart(NamedTuple):
    """A chart of the page: its name among the parts, its title, what its picture is called, its tab's name.

    ``pair``: the columns of the axes on which a box selects.
    """

    name: str
    title: str
    picture: str
    tab: str = ""
    pair: tuple[str, str] | None = None

    @property
    def graph(self) -> str:
        """The id of the graph."""
        return f"segments-{self.name}"

    @property
    def words(self) -> str:
        """The id of what the chart shows in words."""
        return f"segments-{self.name}-words"

    @property
    def place(self) -> str:
        """The id of the whole."""
        return f"segments-{self.name}-place"

    @property
    def more(self) -> str:
        """The id of the button that opens its table."""
        return f"segments-{self.name}-more"

    @property
    def table(self) -> str:
        """The id of where its table stands."""
        return f"segments-{self.name}-table"


ACTIVITY = Chart(
    "activity", noted("Recency and frequency by segment"), "recency-frequency", pair=clouds.RECENCY_FREQUENCY
)
VALUE = Chart("value", noted("Spend so far and CLV by segment"), "spend-clv", pair=clouds.SPEND_CLV)
BOXES = Chart("boxes", noted("CLV by segment"), "clv-by-segment", noted("CLV"))
SPREADS = Chart("spreads", noted("Recency, frequency and spend within segments"), "rfm-by-segment", noted("R, F, M"))
TILES = Chart("tiles", noted("Segments by customers and by revenue"), "segment-sizes", noted("Sizes"))
COUNTRIES = Chart("countries", noted("Revenue by country"), "revenue-by-country", noted("Countries"))
MAP = Chart("map", noted("Where the revenue comes from"), "revenue-map", noted("Map"))
GRID = Chart("grid", noted("Recency and frequency scores"), "rfm-grid", noted("RFM grid"))
COHORTS = Chart("cohorts", noted("Who bought again, by month of the first purchase"), "retention", noted("Retention"))

CLOUDS = (ACTIVITY, VALUE)
#: Charts of which one at a time is seen, by the id of what chooses among them; only that one is worked out.
TABS: dict[str, tuple[Chart, ...]] = {
    "segments-left-tab": (BOXES, SPREADS, TILES),
    "segments-right-tab": (COUNTRIES, MAP, GRID, COHORTS),
}
CHARTS = (*CLOUDS, *(chart for group in TABS.values() for chart in group))
#: Charts of which a click on a part filters.
CLICKED = (BOXES, SPREADS, TILES, COUNTRIES, MAP, GRID)

HIDDEN = {"display": "none"}
SEEN: dict[str, str] = {}
_NO_CLV = noted("These customers have not been valued, so there is no CLV to show.")
_NO_COUNTRY = noted("These sales do not say where customers live, so this chart steps aside.")
_NO_MONEY = noted("These sales hold no money, so this chart steps aside.")

Picture = tuple[Drawing, str] | str  # the figure and its words, or why there is none


@dataclass(frozen=True, eq=False)
class ChartInput:
    """What charts are drawn from: a run, who of it is in view, how they add up, and the words of the playbook."""

    frame: RunFrame
    mask: Mask
    selection: Selection
    view: Aggregate
    rows: list[SegmentTotals]
    plays: tuple[Play, ...]
    theme: str

    @cached_property
    def sample(self) -> clouds.Sample:
        """The customers drawn as points: the same on both clouds."""
        return clouds.sample_of(self.frame, self.mask)


def pictures(given: ChartInput, names: Collection[str]) -> dict[str, Any]:
    """The wanted charts by name, their words, and whether they are in sight; one without its column says so instead."""
    without = _OF_MONEY if given.frame.currency == WITHOUT_MONEY else ()
    drawn = {name: say(_NO_MONEY) if name in without else _DRAWN[name](given) for name in names}
    shown = {name: item for name, item in drawn.items() if not isinstance(item, str)}
    return {
        "figures": {name: item[0] for name, item in shown.items()},
        "words": {name: item if isinstance(item, str) else item[1] for name, item in drawn.items()},
        "styles": {name: SEEN if name in shown else HIDDEN for name in drawn},
    }


def _cloud(given: ChartInput, pair: tuple[str, str]) -> Picture:
    if not all(given.frame.has(column) for column in pair):
        return say(_NO_CLV)
    data = clouds.cloud_data(given.frame, given.mask, *pair, sample=given.sample)
    return clouds.draw_cloud(data, given.theme), clouds.cloud_words(data)


def _boxes(given: ChartInput) -> Picture:
    if not given.frame.has_clv:
        return say(_NO_CLV)
    data = box_data(given.frame, given.mask, CLV)
    return draw_boxes(data, given.theme), box_words(data)


def _spreads(given: ChartInput) -> Picture:
    data = spreads.spread_data(given.frame, given.mask)
    return spreads.draw_spreads(data, given.theme), spreads.spread_words(data)


def _tiles(given: ChartInput) -> Picture:
    data = treemap.tile_data(given.rows, given.frame.currency)
    return treemap.draw_tiles(data, given.theme), treemap.tile_words(data)


def _countries(given: ChartInput) -> Picture:
    if not given.frame.has_country:
        return say(_NO_COUNTRY)
    data = country_data(given.frame, given.view)
    return draw_countries(data, given.theme), country_words(data)


def _map(given: ChartInput) -> Picture:
    if not given.frame.has_country:
        return say(_NO_COUNTRY)
    data = country_map.map_data(country_data(given.frame, given.view, top=len(given.frame.countries)))
    return country_map.draw_map(data, given.theme), country_map.map_words(data)


def _grid(given: ChartInput) -> Picture:
    data = heatmap.grid_data(given.frame, given.mask, heatmap.names_in(given.frame, given.plays))
    return heatmap.draw_grid(data, given.theme), heatmap.grid_words(data)


def _cohorts(given: ChartInput) -> Picture:
    data = cohorts.cohort_data(given.frame.snapshot.info)
    if data is None:
        return say(cohorts.NO_COHORTS)
    return cohorts.draw_cohorts(data, given.theme), cohorts.cohort_words(data)


_DRAWN: dict[str, Callable[[ChartInput], Picture]] = {
    ACTIVITY.name: partial(_cloud, pair=clouds.RECENCY_FREQUENCY),
    VALUE.name: partial(_cloud, pair=clouds.SPEND_CLV),
    BOXES.name: _boxes,
    SPREADS.name: _spreads,
    TILES.name: _tiles,
    COUNTRIES.name: _countries,
    MAP.name: _map,
    GRID.name: _grid,
    COHORTS.name: _cohorts,
}
#: Charts of money alone.
_OF_MONEY = {chart.name for chart in (VALUE, BOXES, TILES, COUNTRIES, MAP)}


# --- their places -----------------------------------------------------------------------------------------------------


def panels() -> Component:
    """The places of all charts: the two clouds, and below them two cards with tabs."""
    return html.Div(
        [
            *(html.Div(_panel(chart), className="seg-card") for chart in CLOUDS),
            *(html.Div(_tabbed(name, group), className="seg-card") for name, group in TABS.items()),
        ],
        className="chart-grid",
    )


def _tabbed(name: str, group: tuple[Chart, ...]) -> list[Component]:
    chooser = dbc.RadioItems(
        id=name,
        options=[{"label": say(chart.tab), "value": chart.name} for chart in group],
        value=group[0].name,
        class_name="btn-group btn-group-sm chart-tabs",
        input_class_name="btn-check",
        label_class_name="btn btn-outline-secondary",
        label_checked_class_name="active",
    )
    head = html.Div(chooser, role="group", **aria(label=say("Which chart is shown here")))
    return [head, *(_panel(chart, hidden=chart is not group[0]) for chart in group)]


def _panel(chart: Chart, *, hidden: bool = False) -> Component:
    """The place of a chart: title, words, a graph that is still empty, its table on request and its downloads."""
    title_id = f"{chart.graph}-title"
    config: Any = graph_config(f"segmentry-{chart.picture}", selecting=chart.pair is not None)
    graph = dcc.Graph(
        id=chart.graph,
        figure=empty_figure("", "light"),
        config=config,
        className="chart",
    )
    return html.Figure(
        [
            html.H2(say(chart.title), id=title_id),
            html.Figcaption(id=chart.words, className="seg-hint"),
            dcc.Loading(graph, delay_show=400, overlay_style={"visibility": "visible", "opacity": 0.5}, type="dot"),
            html.Div(
                [
                    html.Button(say("Show as table"), id=chart.more, className="link-button", **aria(expanded="false")),
                    *picture_buttons(chart.graph, f"segmentry-{chart.picture}"),
                ],
                className="chart-foot",
            ),
            html.Div(id=chart.table, className="chart-table seg-scroll", tabIndex=0, hidden=True),
        ],
        id=chart.place,
        hidden=hidden,
        **aria(labelledby=title_id, describedby=chart.words),
    )
