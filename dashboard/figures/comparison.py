"""Runs side by side: sizes, agreement, the same customers on one plane, flows between two runs, later revenue."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.figures import Drawing, drawing, ink, readable_on, typed_array, visible_colour
from dashboard.figures.migration import SankeyData
from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import count, percent, written
from dashboard.i18n.texts import noted, say, segment_name
from engines.contract import NamedSegment

_LABELLED = 0.07  # a piece of a bar smaller than this share has no room for its figure

NO_TABLE: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())  # the page has the numbers below the picture


def short_name(name: str, most: int = 24) -> str:
    """A name that leaves room for the picture; its table has it in full."""
    return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"


def wrapped_label(name: str) -> str:
    """A run's label in short lines, for an axis."""
    return "<br>".join(textwrap.wrap(name, 14)) or name


# --- sizes ----------------------------------------------------------------------------------------------------------


class SizeBarsData(NamedTuple):
    """Shares of customers or of revenue by named segment and run; ``shares``: (segments, runs), NaN where not there."""

    of: str
    runs: tuple[str, ...]
    names: tuple[str, ...]
    colours: tuple[str, ...]
    shares: NDArray[np.float64]
    customers: NDArray[np.float64]


def size_bars_data(
    frames: Sequence[RunFrame], titles: Sequence[str], names: Sequence[str], of: Literal["customers", "revenue"]
) -> SizeBarsData:
    """The segments of several runs under their names, in the order of ``names`` (the playbook), then as they come."""
    by_name = dict.fromkeys(segment.name for frame in frames for segment in frame.segments)
    order = [name for name in names if name in by_name] + [name for name in by_name if name not in set(names)]
    colours = {segment.name: segment.colour for frame in frames for segment in frame.segments}
    shares = np.full((len(order), len(frames)), np.nan)
    customers = np.full((len(order), len(frames)), np.nan)
    for place, frame in enumerate(frames):
        for segment in frame.segments:
            row = order.index(segment.name)
            share = segment.customers / len(frame) if of == "customers" else segment.revenue_share
            shares[row, place] = np.nansum([shares[row, place], share])
            customers[row, place] = np.nansum([customers[row, place], segment.customers])
    return SizeBarsData(of, tuple(titles), tuple(order), tuple(colours[name] for name in order), shares, customers)


def draw_size_bars(data: SizeBarsData, theme: str) -> Drawing:
    """One bar per run, cut into its segments; the same name has the same colour in every bar."""
    traces = []
    for name, colour, shares, customers in zip(data.names, data.colours, data.shares, data.customers, strict=True):
        defined = ~np.isnan(shares)
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": short_name(segment_name(name)),
                "y": [run for run, is_there in zip(data.runs, defined.tolist(), strict=True) if is_there],
                "x": shares[defined].tolist(),
                "marker": {"color": colour, "line": {"width": 1, "color": ink(theme).surface}},
                "text": [percent(share) if share >= _LABELLED else "" for share in shares[defined]],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "textfont": {"color": readable_on(colour)},
                "customdata": [
                    [percent(s), count(c)] for s, c in zip(shares[defined], customers[defined], strict=True)
                ],
                "hovertemplate": _size_hover(segment_name(name), data.of),
            }
        )
    layout = {
        "barmode": "stack",
        "yaxis": {
            "categoryorder": "array",
            "categoryarray": list(reversed(data.runs)),
            "ticks": "",
            "showgrid": False,
            **_ticks(data.runs, wrapped_label),
        },
        "xaxis": {"tickformat": ".0%", "range": [0, 1]},
        "legend": {"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0, "traceorder": "normal"},
        "bargap": 0.35,
        "uniformtext": {"minsize": 10, "mode": "hide"},
    }
    return drawing(theme, traces, layout, NO_TABLE)


def _size_hover(name: str, of: str) -> str:
    """What is said of a piece of a bar; Plotly fills in the run and the figures."""
    if of == "customers":
        return say(
            "<b>{name}</b> · %{{y}}<br>%{{customdata[0]}} of customers<br>%{{customdata[1]}} customers<extra></extra>",
            name=name,
        )
    return say(
        "<b>{name}</b> · %{{y}}<br>%{{customdata[0]}} of revenue<br>%{{customdata[1]}} customers<extra></extra>",
        name=name,
    )


def _ticks(names: Sequence[str], written: Callable[[str], str]) -> dict[str, Any]:
    """Names on an axis as there is room for them."""
    return {"tickvals": list(names), "ticktext": [written(name) for name in names]}


# --- agreement ------------------------------------------------------------------------------------------------------


class AgreementData(NamedTuple):
    """How far each run agrees with each: shape (runs, runs), 1 on the diagonal; ``measure`` in words."""

    runs: tuple[str, ...]
    agreement: NDArray[np.float64]
    measure: str = noted("adjusted Rand index")

    @property
    def extremes(self) -> tuple[tuple[str, str, float], tuple[str, str, float]]:
        """The pair that agrees most and the one that agrees least, with their index; needs two runs."""
        rows, columns = np.triu_indices(len(self.runs), k=1)
        values = self.agreement[rows, columns]
        most, least = int(np.argmax(values)), int(np.argmin(values))
        pairs = [(self.runs[rows[place]], self.runs[columns[place]], float(values[place])) for place in (most, least)]
        return pairs[0], pairs[1]


def draw_agreement(data: AgreementData, theme: str) -> Drawing:
    """A square of pairs: the brighter, the more two runs agree."""
    trace = {
        "type": "heatmap",
        "z": data.agreement.tolist(),
        "x": list(data.runs),
        "y": list(data.runs),
        "zmin": 0,
        "zmax": 1,
        "colorscale": "Cividis",
        "text": [[written(value, ".2f") for value in row] for row in data.agreement],
        "texttemplate": "%{text}",
        "xgap": 2,
        "ygap": 2,
        "showscale": False,  # every square says its figure
        "hovertemplate": say("%{{y}} and %{{x}}<br>{measure} %{{z:.3f}}<extra></extra>", measure=say(data.measure)),
    }
    ticks = {"showgrid": False, "ticks": "", **_ticks(data.runs, wrapped_label)}
    return drawing(theme, [trace], {"yaxis": {**ticks, "autorange": "reversed"}, "xaxis": ticks}, NO_TABLE)


# --- the same customers in two runs ---------------------------------------------------------------------------------


class CrossData(NamedTuple):
    """Customers by segment of one run (rows) and of another (columns); ``shares`` are of each row."""

    one: str
    other: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    customers: NDArray[np.int64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Of each row's customers; NaN in an empty row."""
        totals = self.customers.sum(axis=1, keepdims=True)
        shares: NDArray[np.float64] = np.full(self.customers.shape, np.nan)
        np.divide(self.customers, totals, out=shares, where=totals > 0)
        return shares


def draw_cross(data: CrossData, theme: str) -> Drawing:
    """Where the customers of each row's segment are in the other run: counts, shaded by share of the row."""
    shares = data.shares
    trace = {
        "type": "heatmap",
        "z": [[None if share != share else share for share in row] for row in shares.tolist()],
        "x": list(data.columns),
        "y": list(data.rows),
        "zmin": 0,
        "zmax": 1,
        "colorscale": "Cividis",
        "text": [[count(item) if item else "" for item in row] for row in data.customers.tolist()],
        "texttemplate": "%{text}",
        "customdata": [[percent(share) for share in row] for row in shares],
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "hovertemplate": say(
            "{first}: <b>%{{y}}</b><br>{second}: <b>%{{x}}</b><br>%{{text}} customers, %{{customdata}} of "
            "the row<extra></extra>",
            first=data.one,
            second=data.other,
        ),
    }
    axis = {"showgrid": False, "ticks": ""}
    layout = {
        "yaxis": {**axis, "autorange": "reversed", "title": {"text": data.one}, **_ticks(data.rows, short_name)},
        "xaxis": {**axis, "title": {"text": data.other}, **_ticks(data.columns, short_name)},
    }
    return drawing(theme, [trace], layout, NO_TABLE)


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
        tuple(short_name(segment_name(item.name)) for item in everyone),
        tuple(item.colour for item in everyone),
        one,
        other + len(rows),
        customers[one, other],
        money[one, other],
    )


# --- one plane --------------------------------------------------------------------------------------------------------


class PlaneData(NamedTuple):
    """Customers on a plane, each in a segment of one run; the variance and ``reach`` are the same for every run."""

    name: str
    places: NDArray[np.float64]
    codes: NDArray[np.intp]
    segments: tuple[NamedSegment, ...]
    explained_variance: tuple[float, float]
    reach: tuple[tuple[float, float], tuple[float, float]]


def plane_data(
    name: str,
    frame: RunFrame,
    drawn: NDArray[np.int32],
    places: NDArray[np.float64],
    explained_variance: tuple[float, float],
) -> PlaneData:
    """The places of a sample, with the segments that a run puts it into."""
    low, high = (places.min(axis=0), places.max(axis=0)) if len(places) else (np.zeros(2), np.ones(2))
    room = np.maximum(0.04 * (high - low), 0.1)
    reach = tuple((float(low[i] - room[i]), float(high[i] + room[i])) for i in (0, 1))
    return PlaneData(name, places, frame.segment_codes[drawn], frame.segments, explained_variance, (reach[0], reach[1]))


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
                "name": short_name(segment_name(item.name)),
                "x": typed_array(mine[:, 0]),
                "y": typed_array(mine[:, 1]),
                "marker": {
                    "color": visible_colour(item.colour, theme),
                    "size": 4,
                    "opacity": 0.65,
                    "symbol": _MARKS[code % len(_MARKS)],
                },
                "hovertemplate": f"<b>{segment_name(item.name)}</b><extra></extra>",
            }
        )
    first, second = (percent(share) for share in data.explained_variance)
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
    """For each run its name, shares of customers and of later revenue; of a run without a curve, one point or none.

    ``sortings``: the same of plain sorting, by what it is called.
    """

    runs: tuple[str, ...]
    customers: tuple[NDArray[np.float64], ...]
    revenue: tuple[NDArray[np.float64], ...]
    sortings: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]] | None = None


def _hover_capture(name: str) -> str:
    return say(
        "<b>{name}</b><br>the first %{{x:.1%}} of customers<br>brought in %{{y:.1%}}<extra></extra>",
        name=name,
    )


def draw_capture(data: CaptureData, theme: str) -> Drawing:
    """How much of later revenue the best segments brought in; the dotted diagonal is what chance gives."""
    faint = ink(theme).faint
    even = np.array([0.0, 1.0])
    traces: list[dict[str, object]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": say("Chance"),
            "x": typed_array(even),
            "y": typed_array(even),
            "line": {"color": faint, "width": 1, "dash": "dot"},
            "hoverinfo": "skip",
        }
    ]
    for dash, (name, (x, y)) in zip(("dash", "dashdot"), (data.sortings or {}).items(), strict=False):
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": typed_array(x),
                "y": typed_array(y),
                "line": {"color": faint, "width": 2, "dash": dash},
                "hovertemplate": _hover_capture(name),
            }
        )
    for place, (name, x, y) in enumerate(zip(data.runs, data.customers, data.revenue, strict=True)):
        if not len(x):
            continue
        colour = visible_colour(_LINES[place % len(_LINES)], theme)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if len(x) > 1 else "markers",
                "name": name,
                "x": typed_array(x),
                "y": typed_array(y),
                "line": {"color": colour, "width": 2, "dash": _DASHES[place % len(_DASHES)]},
                "marker": {"color": colour, "size": 7, "symbol": _MARKS[place % len(_MARKS)]},
                "hovertemplate": _hover_capture(name),
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
