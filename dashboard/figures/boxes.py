"""What customers are worth by segment: a box of exact quantiles for each."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.figures import (
    NOTHING_LEFT,
    Drawing,
    drawing,
    empty_figure,
    faint_colour,
    ink,
    named_ticks,
    slots,
    visible_colour,
)
from dashboard.figures.scales import axis_of, log_ticks, titled_axis
from dashboard.frames.columns import Mask
from dashboard.frames.run import RunFrame, per_run
from dashboard.i18n.numbers import count, money
from dashboard.i18n.texts import column_title, say, segment_name
from engines.columns import CLV, describe


class Box(NamedTuple):
    """One segment's values by exact quantiles; whiskers reach the last customer within 1.5 boxes."""

    name: str
    colour: str
    customers: int
    low: float
    q1: float
    median: float
    q3: float
    high: float


class BoxData(NamedTuple):
    """A column's boxes in playbook order, and whether the axis is logarithmic (decided on everyone in the run)."""

    column: str
    boxes: tuple[Box, ...]
    log: bool
    floor: float
    currency: str


def box_data(frame: RunFrame, mask: Mask, column: str = CLV) -> BoxData:
    """Exact quantiles (linear interpolation) of a column for the customers in view of each segment."""
    order, (values, spans) = frame.order_within_segments(column), _rising(frame, column)
    axis = axis_of(frame, column)
    boxes = []
    for item, (start, end) in zip(frame.segments, spans, strict=True):
        mine = values[start:end].take(np.flatnonzero(mask.take(order[start:end])))
        if len(mine):
            boxes.append(_box(item.name, item.colour, mine))
    return BoxData(column, tuple(boxes), axis.log, float(axis.edges[0]), frame.currency)


@per_run
def _rising(frame: RunFrame, column: str) -> tuple[NDArray[np.float64], list[tuple[int, int]]]:
    """The values of everyone, rising within each segment, and where those of each segment that are known begin and end.

    Those without a value stand last in each.
    """
    values = frame.values(column)[frame.order_within_segments(column)].astype(np.float64)
    ends = np.cumsum(np.bincount(frame.segment_codes, minlength=len(frame.segments))).tolist()
    spans = pairwise([0, *ends])
    return values, [(start, end - int(np.count_nonzero(np.isnan(values[start:end])))) for start, end in spans]


def _box(name: str, colour: str, rising: NDArray[np.float64]) -> Box:
    """Of the rising values of the customers in view of a segment."""
    q1, median, q3 = (_quantile(rising, q) for q in (0.25, 0.5, 0.75))
    reach = 1.5 * (q3 - q1)
    low = rising[np.searchsorted(rising, q1 - reach, side="left")]
    high = rising[np.searchsorted(rising, q3 + reach, side="right") - 1]
    return Box(name, colour, len(rising), float(min(low, q1)), q1, median, q3, float(max(high, q3)))


def _quantile(rising: NDArray[np.float64], q: float) -> float:
    place = q * (len(rising) - 1)
    below = int(place)
    least, most = rising[below], rising[min(below + 1, len(rising) - 1)]
    return float(least + (most - least) * (place - below))


def draw_boxes(data: BoxData, theme: str) -> Drawing:
    """A lying box per segment, the first of the playbook on top."""
    if not data.boxes:
        return empty_figure(say(NOTHING_LEFT), theme)
    traces = []
    for box in data.boxes:
        colour = visible_colour(box.colour, theme)
        low, q1, median, q3, high = (max(value, data.floor) if data.log else value for value in box[3:])
        traces.append(
            {
                "type": "box", "y": [box.name], "q1": [q1], "median": [median], "q3": [q3],
                "lowerfence": [low], "upperfence": [high], "orientation": "h", "name": segment_name(box.name),
                "line": {"color": colour, "width": 1.5}, "fillcolor": faint_colour(colour), "width": 0.6,
                "hoverinfo": "x+name",
            }
        )  # fmt: skip
    across: dict[str, Any] = {
        "title": {"text": titled_axis(describe(data.column), data.currency, data.log)},
        "type": "log" if data.log else "linear",
        "tickformat": "~s",
        "hoverformat": ",.2f",
    }
    if data.log:
        reach = [max(value, data.floor) for box in data.boxes for value in (box.low, box.high)]
        across |= log_ticks(min(reach), max(reach))
        across["tickvals"] = across["tickvals"].tolist()
    layout = {
        "showlegend": False,
        "xaxis": across,
        "yaxis": {
            **named_ticks([box.name for box in data.boxes]),
            "range": slots(len(data.boxes)),
            "showgrid": False,
            "tickfont": {"color": ink(theme).text},
        },
    }
    parts = (say("Low"), say("Lower quarter"), say("Median"), say("Upper quarter"), say("High"))
    head = (say("Segment"), say("Customers"), *parts)
    rows = [
        (segment_name(box.name), count(box.customers), *(money(value, data.currency) for value in box[3:]))
        for box in data.boxes
    ]
    return drawing(theme, traces, layout, (head, rows))


def box_words(data: BoxData) -> str:
    """The highest and the lowest median, in words."""
    if not data.boxes:
        return say(NOTHING_LEFT)
    best, least = (pick(data.boxes, key=lambda box: box.median) for pick in (max, min))
    title = column_title(describe(data.column))
    if len(data.boxes) == 1:
        return say(
            "Half of {segment} have a {title} between {low} and {high}.",
            segment=segment_name(best.name),
            title=title,
            low=money(best.q1, data.currency),
            high=money(best.q3, data.currency),
        )
    return say(
        "Median {title} is highest for {best} ({most}; half of them between {low} and {high}) and lowest for "
        "{lowest} ({least}).",
        title=title,
        best=segment_name(best.name),
        most=money(best.median, data.currency),
        low=money(best.q1, data.currency),
        high=money(best.q3, data.currency),
        lowest=segment_name(least.name),
        least=money(least.median, data.currency),
    )
