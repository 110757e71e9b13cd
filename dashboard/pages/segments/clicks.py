"""What a click on a part of a chart means for the selection, and what a box or a lasso drawn over one means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash.exceptions import PreventUpdate

from dashboard.figures import segments as charts
from dashboard.figures.heatmap import spans_of
from dashboard.frames import filters
from dashboard.frames.run import RunFrame
from dashboard.pages.segments.charts import CLOUDS, COUNTRIES, MAP, TILES, Chart
from dashboard.pages.segments.shapes import selected_by
from engines.columns import FREQUENCY, RECENCY
from storage.contract import Selection


def clicked(now: Selection, chart: Chart, data: Mapping[str, Any] | None) -> Selection:
    """The selection after a click on a part of a chart: a segment or a country; a second click takes it back.

    Raises:
        PreventUpdate: nothing was clicked that means anybody.
    """
    if not data or not data.get("points"):
        raise PreventUpdate
    point = data["points"][0]
    name = point.get("y")
    if chart is TILES:
        name = point.get("customdata")
    elif chart is MAP:
        name = next(iter(point.get("customdata") or ()), None)
    if not isinstance(name, str) or (chart == COUNTRIES and charts.is_rest(name)):
        raise PreventUpdate
    return filters.toggled(now, "countries" if chart in (COUNTRIES, MAP) else "segments", name)


def in_cell(frame: RunFrame, now: Selection, data: Mapping[str, Any] | None) -> Selection:
    """The selection after a click on a square of the grid of scores: exactly its customers; a second click undoes it.

    Raises:
        PreventUpdate: nobody has the scores of that square.
    """
    point = data["points"][0] if data and data.get("points") else {}
    spans = spans_of(frame, str(point.get("x")), str(point.get("y")))
    if spans is None:
        raise PreventUpdate
    return filters.within(now, dict(zip((RECENCY, FREQUENCY), spans, strict=True)))


def drawn_around(frame: RunFrame, now: Selection, shape: Mapping[str, Any] | None) -> Selection:
    """The selection narrowed by what was drawn over one of the clouds.

    Raises:
        PreventUpdate: nothing was drawn, or nothing that narrows.
    """
    chart = next((chart for chart in CLOUDS if shape and chart.name == shape.get("chart")), None)
    if chart is None or chart.pair is None or shape is None:
        raise PreventUpdate
    selection = selected_by(frame, now, chart.pair, shape)
    if selection == now:
        raise PreventUpdate
    return selection
