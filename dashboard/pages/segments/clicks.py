"""What a click or a box on a chart means for the selection."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dash.exceptions import PreventUpdate

from dashboard.figures import segments as charts
from dashboard.figures.heatmap import spans_of
from dashboard.figures.scales import Axis, axis_of
from dashboard.frames import filters
from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import significant
from dashboard.pages.segments.charts import CLOUDS, COUNTRIES, MAP, TILES, Chart
from engines.columns import FREQUENCY, RECENCY
from storage.contract import Selection
from storage.contract.selection import Range

_DIGITS = 5  # what the eye can aim at, and short in an address


def selected_by(frame: RunFrame, selection: Selection, pair: tuple[str, str], box: Mapping[str, Any]) -> Selection:
    """The selection narrowed to a box over two columns, as Plotly reports its ends: two ranges.

    What is drawn beyond the end of a logarithmic axis takes in those who stand at its edge because their values are
    smaller.
    """
    for column, ends in zip(pair, (box["x"], box["y"]), strict=True):
        selection = selection.with_bound(column, *_range(axis_of(frame, column), min(ends), max(ends)))
    return selection


def _range(axis: Axis, low: float, high: float) -> tuple[float | None, float | None]:
    """The least and greatest value that a box takes in; None where it reaches the end of the axis."""
    least = None if low <= axis.edges[0] else low
    most = None if high >= axis.edges[-1] else high
    if axis.counts_days_or_orders:
        least = None if least is None else float(math.ceil(least))
        most = None if most is None else float(math.floor(most))
        if least is not None and most is not None and least > most:  # between two whole numbers: the nearest
            least = most = float(round((low + high) / 2))
        return least, most
    return (
        None if least is None else significant(least, _DIGITS),
        None if most is None else significant(most, _DIGITS),
    )


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
    return filters.within(now, {RECENCY: Range(*spans[0]), FREQUENCY: Range(*spans[1])})


def drawn_around(frame: RunFrame, now: Selection, shape: Mapping[str, Any] | None) -> Selection:
    """The selection narrowed by the box that was drawn over one of the clouds.

    Raises:
        PreventUpdate: nothing was drawn, or nothing that narrows.
    """
    chart = next((chart for chart in CLOUDS if shape and chart.name == shape.get("chart")), None)
    if chart is None or chart.pair is None or shape is None:
        raise PreventUpdate
    selection = selected_by(frame, now, chart.pair, shape["range"])
    if selection == now:
        raise PreventUpdate
    return selection
