"""What customers are worth by segment, and which countries the money comes from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import NOTHING_LEFT, Drawing, drawing, empty, ink, named_ticks, seen
from dashboard.figures.scales import axis_of, log_ticks, titled_axis
from dashboard.frames.aggregates import Aggregate
from dashboard.frames.columns import Mask
from dashboard.frames.run import RunFrame, per_run
from dashboard.i18n.numbers import count, money, percent, plotted, plural, short_money
from dashboard.i18n.texts import noted, say, segment_name, titled
from engines.columns import CLV, MONETARY, describe

TOP_COUNTRIES = 12
_OTHER = noted("Other ({number})")  # the bar of all other countries


# --- what customers are worth, by segment -----------------------------------------------------------------------------


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


def draw_boxes(data: BoxData, theme: str) -> Drawing | go.Figure:
    """A lying box per segment, the first of the playbook on top."""
    if not data.boxes:
        return empty(say(NOTHING_LEFT), theme)
    traces = []
    for box in data.boxes:
        colour = seen(box.colour, theme)
        low, q1, median, q3, high = (max(value, data.floor) if data.log else value for value in box[3:])
        traces.append(
            {
                "type": "box", "y": [box.name], "q1": [q1], "median": [median], "q3": [q3],
                "lowerfence": [low], "upperfence": [high], "orientation": "h", "name": segment_name(box.name),
                "line": {"color": colour, "width": 1.5}, "fillcolor": _faint(colour), "width": 0.6,
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
            "range": _slots(len(data.boxes)),
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


def _slots(lines: int) -> list[float]:
    """The reach of a downward axis of names: a few lines keep the thickness of many."""
    return [max(lines, 6) - 0.5, -0.5]


def box_words(data: BoxData) -> str:
    """The highest and the lowest median, in words."""
    if not data.boxes:
        return say(NOTHING_LEFT)
    best, least = (pick(data.boxes, key=lambda box: box.median) for pick in (max, min))
    title = titled(describe(data.column))
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


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.35)"


# --- where the money comes from ---------------------------------------------------------------------------------------


class CountryBar(NamedTuple):
    """A country's customers in view and what they have spent."""

    name: str
    customers: int
    revenue: float


class CountryData(NamedTuple):
    """The countries with most revenue, the rest in one; ``revenue`` is that of everyone in view."""

    bars: tuple[CountryBar, ...]
    others: int
    rest: CountryBar | None
    revenue: float
    currency: str


def country_data(frame: RunFrame, view: Aggregate, top: int = TOP_COUNTRIES) -> CountryData:
    """Revenue by primary country of the customers in view; those without a country are in no bar."""
    n = len(frame.countries)
    customers, revenue = view.sizes_by_country(n)[:n], view.by_country(MONETARY, n)
    whole, revenue = float(revenue.sum()), revenue[:n]
    there = [code for code in np.argsort(-revenue, kind="stable") if customers[code]]
    bars = [CountryBar(frame.countries[code], int(customers[code]), float(revenue[code])) for code in there]
    rest = bars[top:] if len(bars) > top + 1 else []
    other = CountryBar("Other", sum(b.customers for b in rest), sum(b.revenue for b in rest)) if rest else None
    shown = bars[:top] if rest else bars
    return CountryData(tuple(shown), len(rest), other, whole, frame.currency)


def draw_countries(data: CountryData, theme: str) -> Drawing | go.Figure:
    """A lying bar per country, the biggest on top, "Other" last and paler."""
    if not data.bars:
        return empty(say(NOTHING_LEFT), theme)
    bars = (*data.bars, data.rest) if data.rest else data.bars
    names = [bar.name for bar in data.bars] + ([say(_OTHER, number=data.others)] if data.rest else [])
    revenue = [bar.revenue for bar in bars]
    shares = [percent(bar.revenue / data.revenue) if data.revenue > 0 else "–" for bar in bars]
    amount = plotted("x", data.currency)
    hover = say("{amount} from {customers} customers", amount=amount, customers="%{customdata:,}")
    colours = [ink(theme).bar] * len(data.bars) + ([ink(theme).line] if data.rest else [])
    trace = {
        "type": "bar",
        "x": revenue,
        "y": names,
        "orientation": "h",
        "marker": {"color": colours},
        "text": [
            f"{short_money(bar.revenue, data.currency)} · {share}" for bar, share in zip(bars, shares, strict=True)
        ],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": [bar.customers for bar in bars],
        "hovertemplate": f"<b>%{{y}}</b><br>{hover}<extra></extra>",
    }
    head_room = 1.6 * max(*revenue, 1e-9)  # for the labels, which are clipped without it
    layout = {
        "bargap": 0.25,
        "xaxis": {
            "title": {"text": say("Revenue ({currency})", currency=data.currency)},
            "range": [min(0.0, *revenue), head_room],
            "tickformat": "~s",
        },
        "yaxis": {
            **named_ticks(names),
            "range": _slots(len(bars)),
            "showgrid": False,
            "tickfont": {"color": ink(theme).text},
        },
    }
    named = [bar._replace(name=name) for bar, name in zip(bars, names, strict=True)]
    return drawing(theme, [trace], layout, country_rows(named, data.revenue, data.currency))


def is_rest(name: str) -> bool:
    """Whether a bar is that of all other countries."""
    before, _, after = say(_OTHER).partition("{number}")
    inside = name.removeprefix(before).removesuffix(after)
    return inside.isdecimal() and name == f"{before}{inside}{after}"


def country_rows(
    bars: Sequence[CountryBar], revenue: float, currency: str
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The head and the rows of the table of countries; shares are of ``revenue``."""
    head = (say("Country"), say("Customers"), say("Revenue ({currency})", currency=currency), say("Share"))
    return head, [
        (
            bar.name,
            count(bar.customers),
            money(bar.revenue, currency),
            percent(bar.revenue / revenue) if revenue > 0 else "–",
        )
        for bar in bars
    ]


def country_words(data: CountryData) -> str:
    """The biggest country and how many there are, in words."""
    if not data.bars:
        return say(NOTHING_LEFT)
    first = data.bars[0]
    countries = plural(len(data.bars) + data.others, "{n} country", "{n} countries")
    if data.revenue <= 0:
        return say("{countries}; {first} brings most.", countries=countries, first=first.name)
    return say(
        "{countries}; {first} brings most ({share} of the revenue).",
        countries=countries,
        first=first.name,
        share=percent(first.revenue / data.revenue),
    )
