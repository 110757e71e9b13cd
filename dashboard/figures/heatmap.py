"""The 5 by 5 grid of recency and frequency: how many customers stand in each cell, and what such are called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import NOTHING_LEFT, Drawing, drawing_of, empty_figure, ink, template
from dashboard.frames.aggregates import class_counts
from dashboard.frames.columns import Mask
from dashboard.frames.run import RunFrame, per_run
from dashboard.i18n.numbers import count, percent, plural
from dashboard.i18n.texts import say, segment_name
from engines.columns import FREQUENCY, RECENCY
from engines.contract import Play, segment_by_key
from engines.naming.grids import TEN, named_grid
from engines.naming.vocabulary import playbook_name
from engines.rfm import order_edges, quantile_edges

SCORES = 5
_ROWS = tuple(f"R{score}" for score in range(1, SCORES + 1))
_COLUMNS = tuple(f"F{score}" for score in range(1, SCORES + 1))


class HeatmapCell(NamedTuple):
    """One cell: its scores, the name such customers have, who is in view, and the values that its customers have.

    ``recency`` and ``frequency`` are the least and greatest value of anyone in the run with that score, so that these
    bounds select exactly the cell; None where nobody has the score.
    """

    r: int
    f: int
    name: str
    customers: int
    recency: tuple[float, float] | None
    frequency: tuple[float, float] | None


class GridData(NamedTuple):
    """The 25 cells, recency score 5 first, within it frequency score 1 first."""

    cells: tuple[HeatmapCell, ...]
    customers: int


def grid_data(frame: RunFrame, mask: Mask, called: Callable[[str], str] = str) -> GridData:
    """Customers in view by scores of recency and frequency as the RFM engine gives them, on everyone in the run.

    ``called`` says what people see for a name of the grid: see :func:`names_in`.
    """
    codes, recency, frequency = _scored(frame)
    counts = class_counts(codes, SCORES * SCORES, mask).reshape(SCORES, SCORES)
    grid = named_grid(TEN, SCORES)
    cells = []
    for r in range(SCORES, 0, -1):
        for f in range(1, SCORES + 1):
            name = segment_name(called(grid.names[int(grid.cells[r - 1, f - 1, 0])]))
            cells.append(HeatmapCell(r, f, name, int(counts[r - 1, f - 1]), recency[r - 1], frequency[f - 1]))
    return GridData(tuple(cells), int(counts.sum()))


def names_in(frame: RunFrame, plays: Sequence[Play]) -> Callable[[str], str]:
    """What people see for a name of the grid: in a run of RFM with this grid its segment's name, else the playbook's.

    A segment's name can be another than the grid's: given by hand, or a neutral one where the grid's would not be true.
    """
    settings, shown = frame.run.settings, {}
    if frame.run.engine == "rfm" and settings.get("grid") == TEN and not settings.get("cells"):
        names = named_grid(TEN, SCORES).names
        by_key = segment_by_key(frame.segments)
        shown = {names[key]: item.name for key, item in by_key.items() if 0 <= key < len(names)}
    return lambda name: shown.get(name) or playbook_name(name, plays)


def spans_of(frame: RunFrame, x: str, y: str) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """The recency and frequency that the customers of a square have, by its names on the axes (``F4``, ``R5``).

    None where there is no such square, or nobody in the run has its scores.
    """
    if x not in _COLUMNS or y not in _ROWS:
        return None
    _, recency, frequency = _scored(frame)
    r, f = recency[_ROWS.index(y)], frequency[_COLUMNS.index(x)]
    return None if r is None or f is None else (r, f)


Spans = list[tuple[float, float] | None]


@per_run
def _scored(frame: RunFrame) -> tuple[NDArray[np.uint8], Spans, Spans]:
    """Everyone's cell, and for each score of recency and of frequency the values that have it."""
    recency, rows = _scores(-frame.values(RECENCY).astype(np.float64), quantile_edges)
    frequency, columns = _scores(frame.values(FREQUENCY).astype(np.float64), order_edges)
    rows = [None if span is None else (-span[1], -span[0]) for span in rows]
    return (recency * SCORES + frequency).astype(np.uint8), rows, columns


def _scores(
    values: NDArray[np.float64], edges: Callable[[NDArray[np.float64], int], NDArray[np.float64]]
) -> tuple[NDArray[np.int64], Spans]:
    """Scores less one, and the least and greatest value of each; the greater, the better."""
    if not len(values):
        return np.zeros(0, dtype=np.int64), [None] * SCORES
    scores = np.searchsorted(edges(values, SCORES), values, side="right")
    spans: Spans = []
    for score in range(SCORES):
        mine = values[scores == score]
        spans.append((float(mine.min()), float(mine.max())) if len(mine) else None)
    return scores, spans


def draw_grid(data: GridData, theme: str) -> Drawing:
    """A square per cell, the best customers at the top right; a click selects its customers."""
    if not data.customers:
        return empty_figure(say(NOTHING_LEFT), theme)
    counts = np.array([cell.customers for cell in data.cells], dtype=np.int64).reshape(SCORES, SCORES)
    depth = np.sqrt(counts / counts.max())
    letters = [
        f"<b>{cell.name.replace(' ', '<br>', 1)}</b><br>{count(cell.customers)} · "
        f"{percent(cell.customers / data.customers)}"
        for cell in data.cells
    ]
    hover = [_hover(cell, data.customers) for cell in data.cells]
    figure = go.Figure(
        go.Heatmap(
            x=[f"F{f}" for f in range(1, SCORES + 1)],
            y=[f"R{r}" for r in range(SCORES, 0, -1)],
            z=np.where(counts > 0, depth, np.nan),
            zmin=0,
            zmax=1,
            colorscale="Cividis",
            showscale=False,
            xgap=3,
            ygap=3,
            hovertext=np.array(hover, dtype=object).reshape(SCORES, SCORES),
            hoverinfo="text",
        ),
        layout={"template": template(theme), "uirevision": "stay"},
    )
    for cell, text, value in zip(data.cells, letters, depth.ravel(), strict=True):
        colour = ink(theme).faint if value == 0 else "#ffffff" if value < 0.55 else "#10151c"
        figure.add_annotation(
            x=f"F{cell.f}", y=f"R{cell.r}", text=text, showarrow=False, font={"size": 11, "color": colour}
        )
    figure.update_xaxes(title_text=say("Frequency score (5: orders most)"), showgrid=False, fixedrange=True)
    figure.update_yaxes(
        title_text=say("Recency score (5: came last)"), showgrid=False, fixedrange=True, autorange="reversed"
    )
    figure.update_layout(font={"color": ink(theme).text})
    head = (
        say("Recency score"), say("Frequency score"), say("Name"), say("Recency, days"), say("Orders"),
        say("Customers"), say("Share"),
    )  # fmt: skip
    rows = [
        (str(cell.r), str(cell.f), cell.name, _span(cell.recency), _span(cell.frequency), count(cell.customers),
         percent(cell.customers / data.customers))
        for cell in data.cells
    ]  # fmt: skip
    return drawing_of(figure, (head, rows))


def _hover(cell: HeatmapCell, everyone: int) -> str:
    return say(
        "<b>{name}</b><br>{customers} · {share}<br>Last order {days} days ago<br>{orders} orders",
        name=cell.name,
        customers=plural(cell.customers, "{n} customer", "{n} customers"),
        share=percent(cell.customers / everyone),
        days=_span(cell.recency),
        orders=_span(cell.frequency),
    )


def _span(span: tuple[float, float] | None) -> str:
    if span is None:
        return "–"
    low, high = (count(value) for value in span)
    return low if low == high else say("{low} to {high}", low=low, high=high)


def grid_words(data: GridData) -> str:
    """Which name has most of the customers, in words."""
    if not data.customers:
        return say(NOTHING_LEFT)
    by_name: dict[str, int] = {}
    for cell in data.cells:
        by_name[cell.name] = by_name.get(cell.name, 0) + cell.customers
    name = max(by_name, key=lambda item: by_name[item])
    return say(
        "All customers by scores of last order and number of orders; most in view are {name} ({share}). "
        "A click on a square shows its customers alone.",
        name=name,
        share=percent(by_name[name] / data.customers),
    )
