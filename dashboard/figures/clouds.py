"""Where customers stand on two measures: a density of everyone in view with a sample of customers on top."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.figures import NOTHING_LEFT, Drawing, drawing, empty_figure, ink, typed_array, visible_colour
from dashboard.figures.scales import Axis, axis_of, log_ticks, titled_axis
from dashboard.frames.aggregates import class_counts
from dashboard.frames.columns import Mask, Numbers
from dashboard.frames.run import RunFrame, per_run
from dashboard.i18n.numbers import count, hover_money, plural, round_money, significant
from dashboard.i18n.texts import column_title, noted, say, segment_name
from engines.columns import CLV, FREQUENCY, MONETARY, RECENCY, describe

#: The two clouds of the Segments page: x, y.
RECENCY_FREQUENCY = (RECENCY, FREQUENCY)
SPEND_CLV = (MONETARY, CLV)

# Points are SVG: WebGL would need the page to allow code made from text, and some browsers lack it. This many
# are quick, and the density below them stands for everyone.
MOST_POINTS = 3_000
_ROWS = 65_536
_PARTS = (noted("{title}: lower quarter"), noted("{title}: median"), noted("{title}: upper quarter"))


class Cloud(NamedTuple):
    """Points of one segment, spread as drawn, with the ids of their customers."""

    name: str
    colour: str
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    ids: NDArray[np.object_]


class Sample(NamedTuple):
    """The customers who are drawn as points, and their ids."""

    places: NDArray[np.int32]
    ids: NDArray[np.object_]


class CloudData(NamedTuple):
    """Two columns of the customers in view: how many stand in each cell (rows: y), and the sample that is drawn.

    ``at_edge``: how many of everyone in view have a value too small for the logarithmic axes and stand at the edge.
    """

    x: Axis
    y: Axis
    cells: NDArray[np.intp]
    clouds: tuple[Cloud, ...]
    points: int
    total: int
    at_edge: int
    currency: str


def cloud_data(frame: RunFrame, mask: Mask, x: str, y: str, sample: Sample | None = None) -> CloudData:
    """How the customers in view spread over two columns.

    The axes and cells come from everyone in the run, so that filtering does not move the picture. ``sample``: that of
    the mask, if it was taken already.
    """
    axes = (axis_of(frame, x), axis_of(frame, y))
    across, up = (len(axis.edges) - 1 for axis in axes)
    cells = class_counts(_cell_of(frame, x, y), across * up, mask).reshape(up, across)
    places, ids = sample or sample_of(frame, mask)
    segment_of = frame.segment_codes[places]
    px, py = (_spread(frame, axis, places, salt) for salt, axis in enumerate(axes))
    clouds = []
    for code, item in enumerate(frame.segments):
        mine = segment_of == code
        if mine.any():
            clouds.append(Cloud(item.name, item.colour, px[mine], py[mine], ids[mine]))
    at_edge = int(np.count_nonzero(_at_edge(frame, x, y) & mask))
    return CloudData(*axes, cells, tuple(clouds), len(places), int(cells.sum()), at_edge, frame.currency)


def sample_of(frame: RunFrame, mask: Mask, limit: int = MOST_POINTS) -> Sample:
    """The first of the lottery that are in view, always by the same draw."""
    lottery, parts, number = frame.customers.lottery, [np.zeros(0, dtype=np.int32)], 0
    for start in range(0, len(lottery), _ROWS):  # mostly the first part has enough of them
        part = lottery[start : start + _ROWS]
        parts.append(part[mask.take(part)])
        number += len(parts[-1])
        if number >= limit:
            break
    places = np.concatenate(parts)[:limit]
    return Sample(places, np.array(frame.customers.ids.take(places).to_pylist(), dtype=object))


def _inside(axis: Axis, values: Numbers) -> NDArray[np.float64]:
    return np.clip(np.nan_to_num(values.astype(np.float64), nan=axis.edges[0]), axis.edges[0], axis.edges[-1])


@per_run
def _cell_of(frame: RunFrame, x: str, y: str) -> NDArray[np.uint16]:
    """Everyone's cell: at most 51 by 51 of them."""
    column, row = (
        np.clip(
            np.searchsorted(axis.edges, _inside(axis, frame.values(axis.column)), side="right") - 1,
            0,
            len(axis.edges) - 2,
        )
        for axis in (axis_of(frame, x), axis_of(frame, y))
    )
    return (row * (len(axis_of(frame, x).edges) - 1) + column).astype(np.uint16)


@per_run
def _at_edge(frame: RunFrame, x: str, y: str) -> Mask:
    """Who has a value too small for one of the two axes."""
    outside = np.zeros(len(frame), dtype=bool)
    for axis in (axis_of(frame, x), axis_of(frame, y)):
        if axis.log:
            outside |= ~(frame.values(axis.column) >= axis.edges[0])
    return outside


def _spread(frame: RunFrame, axis: Axis, places: NDArray[np.int32], salt: int) -> NDArray[np.float32]:
    """Where the sample is drawn: whole numbers are spread by less than a half, which hover text rounds away."""
    values = _inside(axis, frame.values(axis.column)[places])
    if axis.whole:
        values = values + _jitter(frame, salt)[places]
    return values.astype(np.float32)


@per_run
def _jitter(frame: RunFrame, salt: int) -> NDArray[np.float64]:
    return np.random.default_rng(salt).uniform(-0.35, 0.35, len(frame))


def draw_cloud(data: CloudData, theme: str) -> Drawing:
    """Density of everyone in view in grey, the sample on top in the segments' colours."""
    if not data.total:
        return empty_figure(say(NOTHING_LEFT), theme)
    depth = np.where(data.cells > 0, np.sqrt(data.cells / data.cells.max()), np.nan)
    ground = {
        "type": "heatmap",
        "name": say("everyone"),
        "x": typed_array(data.x.edges),
        "y": typed_array(data.y.edges),
        "z": typed_array(depth.astype(np.float32)),
        "colorscale": ink(theme).density,
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
        "hoverinfo": "skip",
    }
    size, opacity = (6, 0.75) if data.points < MOST_POINTS else (4, 0.6)
    hover = f"{_hover(data.x, 'x', data.currency)}<br>{_hover(data.y, 'y', data.currency)}"
    points = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": segment_name(cloud.name),
            "meta": cloud.name,
            "x": typed_array(cloud.x),
            "y": typed_array(cloud.y),
            "marker": {"color": visible_colour(cloud.colour, theme), "size": size, "opacity": opacity},
            "customdata": cloud.ids.tolist(),
            "hovertemplate": f"<b>%{{customdata}}</b><br>{hover}<extra>{segment_name(cloud.name)}</extra>",
        }
        for cloud in data.clouds
    ]
    layout = {
        "xaxis": _axis_layout(data.x, data.currency),
        "yaxis": _axis_layout(data.y, data.currency),
        "legend": {"itemsizing": "constant", "entrywidth": 104, "font": {"size": 11}, "y": -0.22},
        "selections": [],  # what was drawn has become a filter
    }
    return drawing(theme, [ground, *points], layout, _table(data))


def _table(data: CloudData) -> tuple[list[str], list[list[str]]]:
    """The middle half of the customers drawn of each segment, on both columns."""
    head = [say("Segment"), say("Customers drawn")]
    head += [say(part, title=column_title(describe(axis.column))) for axis in (data.x, data.y) for part in _PARTS]
    rows = []
    for cloud in data.clouds:
        cells = [segment_name(cloud.name), count(len(cloud.x))]
        for axis, values in ((data.x, cloud.x), (data.y, cloud.y)):
            rising = np.sort(values)
            for value in rising[[len(rising) // 4, len(rising) // 2, 3 * len(rising) // 4]]:
                exact = describe(axis.column).kind == "money"
                cells.append(round_money(float(value), data.currency) if exact else count(float(value)))
        rows.append(cells)
    return head, rows


def cloud_words(data: CloudData) -> str:
    """What the cloud shows, in words: who is drawn, and what the eye would find."""
    if not data.total:
        return say(NOTHING_LEFT)
    who = plural(data.total, "{n} customer", "{n} customers")
    if data.points < data.total:
        who = say("{drawn} of {customers} drawn", drawn=count(data.points), customers=who)
    row, column = np.unravel_index(int(data.cells.argmax()), data.cells.shape)
    x, y = (
        _range(axis, float(axis.edges[at]), float(axis.edges[at + 1]), data.currency)
        for axis, at in ((data.x, int(column)), (data.y, int(row)))
    )
    words = say("{who}. Grey counts everyone in view; most stand at {x} and {y}.", who=who, x=x, y=y)
    if not data.at_edge:
        return words
    edge = plural(data.at_edge, "{n} customer", "{n} customers")
    return f"{words} " + say("{customers} with less than the axes show stand at the edge.", customers=edge)


def _range(axis: Axis, low: float, high: float, currency: str) -> str:
    """One cell's reach in words: ``15 to 22 days``, ``2 orders``, ``£820 to £1,000``."""
    column = describe(axis.column)
    if column.kind == "money":
        least, most = (round_money(significant(value), currency) for value in (low, high))
        return say("{low} to {high}", low=least, high=most)
    first, last = (int(np.ceil(low)), int(np.floor(high))) if axis.whole else (round(low), round(high))
    if first == last:
        return (
            plural(first, "{n} day", "{n} days") if column.kind == "days" else plural(first, "{n} order", "{n} orders")
        )
    if column.kind == "days":
        return say("{low} to {high} days", low=count(first), high=count(last))
    return say("{low} to {high} orders", low=count(first), high=count(last))


def _hover(axis: Axis, letter: str, currency: str) -> str:
    column = describe(axis.column)
    if column.kind == "money":
        return f"{column_title(column)} {hover_money(letter, currency)}"
    number = f"%{{{letter}:,.0f}}"
    if column.kind == "days":
        return say("{title} {number} days", title=column_title(column), number=number)
    return say("{title} {number} orders", title=column_title(column), number=number)


def _axis_layout(axis: Axis, currency: str) -> dict[str, Any]:
    column = describe(axis.column)
    unit = currency if column.kind == "money" else say(column.unit)
    title = titled_axis(column, unit, axis.log)
    low, high = axis.edges[0], axis.edges[-1]
    if not axis.log:
        return {
            "title": {"text": title},
            "range": [low - 0.02 * (high - low), high + 0.02 * (high - low)],
            "tickformat": "~s",
        }
    reach = np.log10([low, high]) + np.array([-0.04, 0.04]) * np.log10(high / low)
    return {"title": {"text": title}, "type": "log", "range": reach.tolist(), **_ticks(low, high)}


def _ticks(low: float, high: float) -> dict[str, Any]:
    ticks = log_ticks(low, high)
    return {**ticks, "tickvals": ticks["tickvals"].tolist()}
