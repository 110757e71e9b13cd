"""Runs side by side: the same customers on one plane, ribbons between two runs, and later revenue captured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.figures import Drawing, drawing, ink, seen, typed
from dashboard.figures.comparison import NO_TABLE, shortened
from dashboard.figures.migration import SankeyData
from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import percent
from dashboard.i18n.texts import say, segment_name
from engines.contract import NamedSegment

_MARKS = ("circle", "square", "diamond", "triangle-up", "x", "star")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_LINES = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377")  # runs, not segments


# --- ribbons ----------------------------------------------------------------------------------------------------------


def ribbons(
    rows: Sequence[NamedSegment],
    columns: Sequence[NamedSegment],
    customers: NDArray[np.int64],
    money: NDArray[np.float64],
) -> SankeyData:
    """From the segments of one run to those of another: a ribbon for every cell of the cross-table with customers."""
    one, other = np.nonzero(customers)
    everyone = (*rows, *columns)
    return SankeyData(
        tuple(shortened(segment_name(item.name)) for item in everyone),
        tuple(item.colour for item in everyone),
        one,
        other + len(rows),
        customers[one, other],
        money[one, other],
    )


# --- one plane --------------------------------------------------------------------------------------------------------


class PlaneData(NamedTuple):
    """Customers on a plane, each in a segment of one run; ``explained`` and ``reach`` are the same for every run."""

    name: str
    places: NDArray[np.float64]
    codes: NDArray[np.intp]
    segments: tuple[NamedSegment, ...]
    explained: tuple[float, float]
    reach: tuple[tuple[float, float], tuple[float, float]]


def plane_data(
    name: str, frame: RunFrame, drawn: NDArray[np.int32], places: NDArray[np.float64], explained: tuple[float, float]
) -> PlaneData:
    """The places of a sample, with the segments that a run puts it into."""
    low, high = (places.min(axis=0), places.max(axis=0)) if len(places) else (np.zeros(2), np.ones(2))
    room = np.maximum(0.04 * (high - low), 0.1)
    reach = tuple((float(low[i] - room[i]), float(high[i] + room[i])) for i in (0, 1))
    return PlaneData(name, places, frame.segment_codes[drawn], frame.segments, explained, (reach[0], reach[1]))


def draw_plane(data: PlaneData, theme: str) -> Drawing:
    """A cloud per segment; axes are the same for every run, so that the panels can be laid over one another."""
    traces = []
    for code, item in enumerate(data.segments):
        mine = data.places[data.codes == code].astype(np.float32)
        if not len(mine):
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": shortened(segment_name(item.name)),
                "x": typed(mine[:, 0]),
                "y": typed(mine[:, 1]),
                "marker": {
                    "color": seen(item.colour, theme),
                    "size": 4,
                    "opacity": 0.65,
                    "symbol": _MARKS[code % len(_MARKS)],
                },
                "hovertemplate": f"<b>{segment_name(item.name)}</b><extra></extra>",
            }
        )
    first, second = (percent(share) for share in data.explained)
    across = say("First component ({share} of the variance)", share=first)
    layout = {
        "xaxis": {"title": {"text": across}, "range": list(data.reach[0])},
        "yaxis": {"title": {"text": say("Second ({share})", share=second)}, "range": list(data.reach[1])},
        "legend": {"orientation": "h", "y": -0.22, "yanchor": "top", "x": 0, "itemsizing": "constant"},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 140},  # room for eight names, so that panels are equally high
        "uirevision": data.name,
    }
    return drawing(theme, traces, layout, NO_TABLE)


# --- later revenue ----------------------------------------------------------------------------------------------------


class CaptureData(NamedTuple):
    """For each run its name, shares of customers and of later revenue; of a run without a curve, one point or none."""

    runs: tuple[str, ...]
    customers: tuple[NDArray[np.float64], ...]
    revenue: tuple[NDArray[np.float64], ...]


def draw_capture(data: CaptureData, theme: str) -> Drawing:
    """How much of later revenue the best segments brought in; the dotted diagonal is what chance gives."""
    faint = ink(theme).faint
    even = np.array([0.0, 1.0])
    traces: list[dict[str, object]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": say("Chance"),
            "x": typed(even),
            "y": typed(even),
            "line": {"color": faint, "width": 1, "dash": "dot"},
            "hoverinfo": "skip",
        }
    ]
    for place, (name, x, y) in enumerate(zip(data.runs, data.customers, data.revenue, strict=True)):
        if not len(x):
            continue
        colour = seen(_LINES[place % len(_LINES)], theme)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if len(x) > 1 else "markers",
                "name": name,
                "x": typed(x),
                "y": typed(y),
                "line": {"color": colour, "width": 2, "dash": _DASHES[place % len(_DASHES)]},
                "marker": {"color": colour, "size": 7, "symbol": _MARKS[place % len(_MARKS)]},
                "hovertemplate": say(
                    "<b>{name}</b><br>the first %{{x:.1%}} of customers<br>brought in %{{y:.1%}}<extra></extra>",
                    name=name,
                ),
            }
        )
    layout = {
        "xaxis": {"title": {"text": say("Customers, best segments first")}, "tickformat": ".0%", "range": [0, 1.02]},
        "yaxis": {"title": {"text": say("Later revenue")}, "tickformat": ".0%", "rangemode": "tozero"},
        "legend": {"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0},
        "shapes": [
            {"type": "line", "x0": 0.2, "x1": 0.2, "y0": 0, "y1": 1, "yref": "paper",
             "line": {"color": faint, "width": 1, "dash": "dash"}}
        ],
    }  # fmt: skip
    return drawing(theme, traces, layout, NO_TABLE)
