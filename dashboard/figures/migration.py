"""Who went where: ribbons between the segments of two dates, and how large segments were date by date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import Drawing, drawing_of, faint_colour, ink, template, visible_colour
from dashboard.i18n.texts import say, segment_name
from engines.contract import NamedSegment
from engines.evaluation.migration import GONE, NEW, Migration
from storage.contract import Run

_GREY = "#999999"


class SankeyData(NamedTuple):
    """Nodes (left then right) with their colours, and ribbons between them."""

    names: tuple[str, ...]
    colours: tuple[str, ...]
    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    customers: NDArray[np.int64]
    money: NDArray[np.float64]


def sankey_data(migration: Migration) -> SankeyData:
    """Ribbons for every cell of the matrix that has customers."""
    names = (*migration.rows, *migration.columns)
    colours = tuple(migration.colours.get(name, _GREY) for name in names)
    rows, columns = np.nonzero(migration.customers)
    return SankeyData(
        names,
        colours,
        rows,
        columns + len(migration.rows),
        migration.customers[rows, columns],
        migration.money[rows, columns],
    )


def row_name(name: str) -> str:
    """What a row or a column of the matrix is called: segments by their names, who came and who went in words."""
    return {NEW: say("New"), GONE: say("Gone")}.get(name) or segment_name(name)


def draw_sankey(data: SankeyData, theme: str) -> Drawing:
    """Ribbons in the colour of the segment that customers come from."""
    shown = [visible_colour(colour, theme) for colour in data.colours]
    figure = go.Figure(layout={"template": template(theme)})
    figure.add_sankey(
        node={
            "label": [row_name(name) for name in data.names],
            "color": shown,
            "pad": 14,
            "thickness": 16,
            "line": {"width": 0},
            "hovertemplate": say("%{label}: %{value:,.0f} customers<extra></extra>"),
        },
        link={
            "source": data.sources,
            "target": data.targets,
            "value": data.customers,
            "color": [faint_colour(shown[place]) for place in data.sources.tolist()],
            "customdata": data.money,
            "hovertemplate": (
                say(
                    "%{source.label} → %{target.label}<br>%{value:,.0f} customers who had spent "
                    "%{customdata:,.0f}<extra></extra>"
                )
            ),
        },
        textfont={"color": ink(theme).text, "size": 12, "shadow": "none"},
    )
    return drawing_of(figure.update_layout(margin={"l": 8, "r": 8, "t": 8, "b": 8}))


class SizeLinesData(NamedTuple):
    """Segments of a frozen model by date: shape (segments, dates)."""

    dates: NDArray[np.datetime64]
    names: tuple[str, ...]
    colours: tuple[str, ...]
    customers: NDArray[np.int64]
    revenue: NDArray[np.float64]


def size_lines_data(
    dates: Sequence[date],
    segments: Sequence[NamedSegment],
    customers: NDArray[np.int64],
    spent: NDArray[np.float64],
) -> SizeLinesData:
    """How many customers each segment (row) had at each date (column), and what they had spent so far."""
    days = np.array([day.isoformat() for day in dates], dtype="datetime64[D]")
    return SizeLinesData(
        days, tuple(item.name for item in segments), tuple(item.colour for item in segments), customers, spent
    )


def sizes_of_runs(runs: Sequence[Run]) -> SizeLinesData:
    """The same of runs, one for each date, in the order of time; a segment is the same where what it is known by is.

    It has the name and colour of the latest date that has it.
    """
    latest = {run.as_of: run for run in runs}
    by_date = [{item.known_by: item for item in run.segments} for run in latest.values()]
    known = {item.known_by: item for run in latest.values() for item in run.segments}
    customers = [[here[key].customers if key in here else 0 for here in by_date] for key in known]
    spent = [[here[key].customers * here[key].monetary if key in here else 0.0 for here in by_date] for key in known]
    shape = (len(known), len(by_date))
    return SizeLinesData(
        np.array([day.isoformat() for day in latest], dtype="datetime64[D]"),
        tuple(item.name for item in known.values()),
        tuple(item.colour for item in known.values()),
        np.array(customers, dtype=np.int64).reshape(shape),
        np.array(spent, dtype=np.float64).reshape(shape),
    )


def draw_size_lines(
    data: SizeLinesData, values: NDArray[np.float64] | NDArray[np.int64], title: str, theme: str
) -> Drawing:
    """A line per segment."""
    figure = go.Figure(layout={"template": template(theme)})
    for place, name in enumerate(data.names):
        figure.add_scatter(
            x=data.dates,
            y=values[place],
            mode="lines+markers",
            name=segment_name(name),
            line={"color": visible_colour(data.colours[place], theme), "width": 2},
            marker={"size": 5},
            hovertemplate=f"{segment_name(name)}<br>%{{x|%-d %b %Y}}: %{{y:,.0f}}<extra></extra>",
        )
    figure.update_yaxes(rangemode="tozero", title_text=title)
    figure.update_xaxes(tickformat="%b %Y", showgrid=False)
    figure.update_layout(legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0}, uirevision="sizes")
    return drawing_of(figure)
