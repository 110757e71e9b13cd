"""How recency, frequency and spend spread within each segment."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import NOTHING_LEFT, Drawing, drawing_of, empty_figure, ink, template
from dashboard.figures.scales import Axis, axis_of, log_ticks
from dashboard.frames.aggregates import class_counts
from dashboard.frames.columns import Mask
from dashboard.frames.run import RunFrame, per_run
from dashboard.i18n.numbers import count, percent, round_money
from dashboard.i18n.texts import column_title, say, segment_name
from engines.columns import FREQUENCY, MONETARY, RECENCY, describe

MEASURES = (RECENCY, FREQUENCY, MONETARY)


class Spread(NamedTuple):
    """One measure: its axis, and how many customers of each segment in view (rows) fall between its edges (columns)."""

    axis: Axis
    counts: NDArray[np.intp]


class SpreadData(NamedTuple):
    """Recency, frequency and monetary of the segments in view, by name."""

    names: tuple[str, ...]
    spreads: tuple[Spread, ...]
    currency: str


def spread_data(frame: RunFrame, mask: Mask) -> SpreadData:
    """Counts by segment and class of each measure; classes come from everyone in the run, so pictures stand still."""
    n = len(frame.segments)
    spreads = []
    for column in MEASURES:
        axis = axis_of(frame, column)
        classes = len(axis.edges) - 1
        counts = class_counts(_segment_and_class(frame, column), n * classes, mask).reshape(n, classes)
        spreads.append(Spread(axis, counts))
    occupied = np.flatnonzero(spreads[0].counts.sum(axis=1))
    return SpreadData(
        tuple(frame.segments[i].name for i in occupied),
        tuple(Spread(item.axis, item.counts[occupied]) for item in spreads),
        frame.currency,
    )


@per_run
def _segment_and_class(frame: RunFrame, column: str) -> NDArray[np.int32]:
    axis = axis_of(frame, column)
    classes = len(axis.edges) - 1
    values = np.nan_to_num(frame.values(axis.column).astype(np.float64), nan=axis.edges[0])
    place = np.clip(np.searchsorted(axis.edges, values, side="right") - 1, 0, classes - 1)
    return (frame.segment_codes * classes + place).astype(np.int32)


def draw_spreads(data: SpreadData, theme: str) -> Drawing:
    """A strip per segment and measure: the lighter, the larger the share of the segment that falls there."""
    if not data.names:
        return empty_figure(say(NOTHING_LEFT), theme)
    figure = go.Figure(layout={"template": template(theme), "uirevision": "stay"})
    called = [segment_name(name) for name in data.names]
    width = (1 - 0.04 * (len(data.spreads) - 1)) / len(data.spreads)
    for number, spread in enumerate(data.spreads):
        share = spread.counts / np.maximum(spread.counts.sum(axis=1, keepdims=True), 1)
        key = "" if number == 0 else str(number + 1)
        figure.add_trace(
            go.Heatmap(
                x=spread.axis.edges,
                y=list(data.names),
                z=np.where(spread.counts > 0, np.sqrt(share), np.nan),
                zmin=0,
                zmax=float(np.sqrt(share.max())) or 1.0,
                colorscale="Cividis",
                showscale=False,
                ygap=4,
                xaxis=f"x{key}",
                yaxis="y",
                customdata=np.stack([spread.counts, 100 * share], axis=-1),
                text=[[name] * (len(spread.axis.edges) - 1) for name in called],
                hovertemplate=f"<b>%{{text}}</b><br>{_hover(spread.axis)}<extra></extra>",
            )
        )
        start = number * (width + 0.04)
        figure.update_layout({f"xaxis{key}": _across(spread.axis, data.currency, [start, start + width])})
    figure.update_yaxes(
        autorange="reversed",
        tickvals=list(data.names),
        ticktext=called,
        showgrid=False,
        tickfont={"color": ink(theme).text},
    )
    return drawing_of(figure, _table(data))


def _hover(axis: Axis) -> str:
    return say(
        "{customers} customers ({share} %) at {title} {value}",
        customers="%{customdata[0]:,}",
        share="%{customdata[1]:.1f}",
        title=column_title(describe(axis.column)).lower(),
        value="%{x:,.0f}",
    )


def _across(axis: Axis, currency: str, domain: list[float]) -> dict[str, object]:
    column = describe(axis.column)
    unit = currency if column.kind == "money" else say("days") if column.kind == "days" else ""
    notes = ", ".join(filter(None, (unit, say("log") if axis.log else "")))
    title = {"text": f"{column_title(column)} ({notes})" if notes else column_title(column)}
    if not axis.log:
        return {"domain": domain, "title": title, "tickformat": "~s", "showgrid": False, "nticks": 5}
    ticks = log_ticks(axis.edges[0], axis.edges[-1])
    every = max(1, -(-len(ticks["tickvals"]) // 5))
    ticks = {name: item[::every] for name, item in ticks.items()}
    return {"domain": domain, "title": title, "type": "log", "showgrid": False, **ticks}


def _table(data: SpreadData) -> tuple[list[str], list[list[str]]]:
    """The middle half of each segment on each measure, as read off the classes."""
    head = [say("Segment"), say("Customers")]
    head += [say("{title}: middle half", title=column_title(describe(item.axis.column))) for item in data.spreads]
    rows = []
    for line, name in enumerate(data.names):
        cells = [segment_name(name), count(int(data.spreads[0].counts[line].sum()))]
        for spread in data.spreads:
            low, high = (_value_words(spread.axis, _quantile(spread, line, q), data.currency) for q in (0.25, 0.75))
            cells.append(say("{low} to {high}", low=low, high=high))
        rows.append(cells)
    return head, rows


def _quantile(spread: Spread, line: int, q: float) -> float:
    """The class in which a quantile falls, by its middle."""
    reached = np.cumsum(spread.counts[line])
    at = int(np.searchsorted(reached, q * reached[-1]))
    low, high = spread.axis.edges[at], spread.axis.edges[at + 1]
    return float(np.sqrt(low * high)) if spread.axis.log and low > 0 else float((low + high) / 2)


def _value_words(axis: Axis, value: float, currency: str) -> str:
    return round_money(value, currency) if describe(axis.column).kind == "money" else count(value)


def spread_words(data: SpreadData) -> str:
    """Where the largest share of one segment stands together, in words."""
    if not data.names:
        return say(NOTHING_LEFT)
    recency = data.spreads[0]
    shares = recency.counts / np.maximum(recency.counts.sum(axis=1, keepdims=True), 1)
    medians = [_quantile(recency, line, 0.5) for line in range(len(data.names))]
    latest, longest = int(np.argmin(medians)), int(np.argmax(medians))
    if len(data.names) == 1:
        return say(
            "Half of {segment} ordered within the last {number} days; the lighter, the more of them.",
            segment=segment_name(data.names[0]),
            number=count(medians[0]),
        )
    return say(
        "{latest} came last, {longest} have been away longest. The lighter a strip, the more of its segment stands "
        "there (at most {share} in one class of recency).",
        latest=segment_name(data.names[latest]),
        longest=segment_name(data.names[longest]),
        share=percent(float(shares.max())),
    )
