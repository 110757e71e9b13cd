"""What a click, a box or a lasso on a chart means for the selection."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from dash.exceptions import PreventUpdate
from numpy.typing import NDArray

from dashboard.figures import segments as charts
from dashboard.figures.heatmap import spans_of
from dashboard.figures.scales import Axis, axis_of
from dashboard.frames import filters
from dashboard.frames.filters import MEASURES, drawn
from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import significant
from dashboard.pages.segments.charts import CLOUDS, COUNTRIES, MAP, TILES, Chart
from engines.columns import FREQUENCY, RECENCY
from storage.contract import Selection
from storage.contract.area import MOST_CORNERS, Area

_DIGITS = 5  # what the eye can aim at, and short in an address
_TOLERANCE = 0.004  # of the picture's width: how far a corner may move when a lasso is made simpler
_LONG = 0.05  # of the picture's width: a longer side is drawn in pieces where an axis is logarithmic

Points = NDArray[np.float64]


def selected_by(frame: RunFrame, selection: Selection, pair: tuple[str, str], shape: Mapping[str, Any]) -> Selection:
    """The selection narrowed by a shape over two columns, as Plotly reports it: ``range`` or ``lassoPoints``.

    A box becomes ranges, a lasso an area. What is drawn beyond the end of a logarithmic axis takes in those who stand
    at its edge because their values are smaller. A shape that means nobody leaves the selection as it is.
    """
    axes = (axis_of(frame, pair[0]), axis_of(frame, pair[1]))
    if box := shape.get("range"):
        return _boxed(selection, axes, (box["x"], box["y"]))
    if lasso := shape.get("lassoPoints"):
        corners = _corners(axes, np.array([lasso["x"], lasso["y"]], dtype=np.float64).T)
        return drawn(selection, Area(*pair, corners)) if len(corners) >= 3 else selection
    return selection


# --- a box ------------------------------------------------------------------------------------------------------------


def _boxed(selection: Selection, axes: Sequence[Axis], ends: Sequence[Sequence[float]]) -> Selection:
    bounds: dict[str, float | None] = {}
    for axis, (one, other) in zip(axes, ends, strict=True):
        measure = next(item for item in MEASURES if item.column == axis.column)
        bounds |= dict(zip(measure.fields, _range(axis, min(one, other), max(one, other)), strict=True))
    return replace(selection, **bounds)


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


# --- a lasso ----------------------------------------------------------------------------------------------------------


def _corners(axes: Sequence[Axis], points: Points) -> tuple[tuple[float, float], ...]:
    """At most ``MOST_CORNERS`` corners in the columns' own units of a shape drawn on axes that may be logarithmic.

    Sides are straight in those units, so that long ones on a logarithmic axis are drawn in pieces.
    """
    seen = np.column_stack([_on_screen(axis, points[:, i]) for i, axis in enumerate(axes)])
    kept = _simpler(seen, _TOLERANCE)
    tolerance = _TOLERANCE
    while len(kept) > MOST_CORNERS // 2:
        tolerance *= 1.5
        kept = _simpler(seen, tolerance)
    if any(axis.log for axis in axes):
        kept = _in_pieces(kept, MOST_CORNERS)
    found = zip(*(_in_units(axis, kept[:, i]) for i, axis in enumerate(axes)), strict=True)
    return tuple(dict.fromkeys(found))


def _on_screen(axis: Axis, values: Points) -> Points:
    """0 to 1 along the axis; below 0 is before its beginning."""
    low, high = axis.edges[0], axis.edges[-1]
    if not axis.log:
        return (values - low) / (high - low)
    return np.log(np.maximum(values, low / 10) / low) / np.log(high / low)


def _in_units(axis: Axis, places: Points) -> list[float]:
    low, high = axis.edges[0], axis.edges[-1]
    values = low * (high / low) ** places if axis.log else low + places * (high - low)
    # before the beginning of a logarithmic axis stand those for whom it has no room: nothing, or less
    found = [-1.0 if axis.log and place <= 0 else float(value) for place, value in zip(places, values, strict=True)]
    return [significant(value, _DIGITS) for value in found]


def _simpler(points: Points, tolerance: float) -> Points:
    """The closed line through fewer points: the way of Douglas and Peucker, from two points far apart."""
    if len(points) < 4:
        return points
    far = int(np.argmax(np.hypot(*(points - points[0]).T)))
    halves = (points[: far + 1], np.vstack([points[far:], points[:1]]))
    return np.vstack([_thinned(half, tolerance)[:-1] for half in halves])


def _thinned(line: Points, tolerance: float) -> Points:
    if len(line) < 3:
        return line
    start, along = line[0], line[-1] - line[0]
    length = float(np.hypot(*along))
    away = line[1:-1] - start
    off = np.hypot(*away.T) if length == 0 else np.abs(along[0] * away[:, 1] - along[1] * away[:, 0]) / length
    worst = int(np.argmax(off)) + 1
    if off[worst - 1] <= tolerance:
        return line[[0, -1]]
    return np.vstack([_thinned(line[: worst + 1], tolerance)[:-1], _thinned(line[worst:], tolerance)])


def _in_pieces(corners: Points, most: int) -> Points:
    """The same closed line with further points on its long sides, as many as there is room for."""
    ends = np.roll(corners, -1, axis=0)
    lengths = np.hypot(*(ends - corners).T)
    wanted = np.maximum(np.ceil(lengths / _LONG), 1)
    if wanted.sum() > most:
        spare = most - len(corners)
        wanted = 1 + np.floor((wanted - 1) * spare / max(float((wanted - 1).sum()), 1.0))
    pieces = [
        start + (end - start) * np.arange(int(number))[:, None] / number
        for start, end, number in zip(corners, ends, wanted, strict=True)
    ]
    return np.vstack(pieces)


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
