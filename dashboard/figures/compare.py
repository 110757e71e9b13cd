"""Runs side by side: how big their segments are, how far they agree, and where they put the same customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import ink, template
from dashboard.numbers import count, percent, written
from dashboard.run_frame import RunFrame

_LABELLED = 0.07  # a piece of a bar smaller than this share has no room for its figure


# --- sizes ----------------------------------------------------------------------------------------------------------


class SizeData(NamedTuple):
    """Shares of customers or of revenue by named segment and run; ``shares``: (segments, runs), NaN where not there."""

    of: str
    runs: tuple[str, ...]
    names: tuple[str, ...]
    colours: tuple[str, ...]
    shares: NDArray[np.float64]
    customers: NDArray[np.float64]


def size_data(
    frames: Sequence[RunFrame], titles: Sequence[str], names: Sequence[str], of: Literal["customers", "revenue"]
) -> SizeData:
    """The segments of several runs under their names, in the order of ``names`` (the playbook), then as they come."""
    found = dict.fromkeys(segment.name for frame in frames for segment in frame.segments)
    order = [name for name in names if name in found] + [name for name in found if name not in set(names)]
    colours = {segment.name: segment.colour for frame in frames for segment in frame.segments}
    shares = np.full((len(order), len(frames)), np.nan)
    customers = np.full((len(order), len(frames)), np.nan)
    for place, frame in enumerate(frames):
        for segment in frame.segments:
            row = order.index(segment.name)
            share = segment.customers / len(frame) if of == "customers" else segment.revenue_share
            shares[row, place] = np.nansum([shares[row, place], share])
            customers[row, place] = np.nansum([customers[row, place], segment.customers])
    return SizeData(of, tuple(titles), tuple(order), tuple(colours[name] for name in order), shares, customers)


def draw_sizes(data: SizeData, theme: str) -> go.Figure:
    """One bar per run, cut into its segments; the same name has the same colour in every bar."""
    figure = go.Figure(layout={"template": template(theme), "barmode": "stack"})
    for name, colour, shares, customers in zip(data.names, data.colours, data.shares, data.customers, strict=True):
        there = ~np.isnan(shares)
        figure.add_bar(
            orientation="h",
            name=name,
            y=np.array(data.runs)[there],
            x=shares[there],
            marker={"color": colour, "line": {"width": 1, "color": ink(theme).surface}},
            text=[percent(share) if share >= _LABELLED else "" for share in shares[there]],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"color": _on(colour)},
            customdata=np.array([[percent(s), count(c)] for s, c in zip(shares[there], customers[there], strict=True)]),
            hovertemplate=f"<b>{name}</b> · %{{y}}<br>%{{customdata[0]}} of {data.of}"
            "<br>%{customdata[1]} customers<extra></extra>",
        )
    figure.update_yaxes(categoryorder="array", categoryarray=list(reversed(data.runs)), ticks="", showgrid=False)
    figure.update_xaxes(tickformat=".0%", range=[0, 1])
    legend = {"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0, "traceorder": "normal"}
    return figure.update_layout(
        legend=legend, bargap=0.35, uirevision="sizes", uniformtext={"minsize": 10, "mode": "hide"}
    )


def _on(colour: str) -> str:
    """Black or white, whichever is easier to read on a colour (relative luminance of WCAG 2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return "#ffffff" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.179 else "#000000"


# --- agreement ------------------------------------------------------------------------------------------------------


class AgreementData(NamedTuple):
    """Adjusted Rand index of each run with each: shape (runs, runs), 1 on the diagonal."""

    runs: tuple[str, ...]
    agreement: NDArray[np.float64]

    @property
    def extremes(self) -> tuple[tuple[str, str, float], tuple[str, str, float]]:
        """The pair that agrees most and the one that agrees least, with their index; needs two runs."""
        rows, columns = np.triu_indices(len(self.runs), k=1)
        values = self.agreement[rows, columns]
        most, least = int(np.argmax(values)), int(np.argmin(values))
        pairs = [(self.runs[rows[place]], self.runs[columns[place]], float(values[place])) for place in (most, least)]
        return pairs[0], pairs[1]


def draw_agreement(data: AgreementData, theme: str) -> go.Figure:
    """A square of pairs: the brighter, the more two runs agree."""
    text = np.array([[written(value, ".2f") for value in row] for row in data.agreement])
    figure = go.Figure(layout={"template": template(theme)})
    figure.add_heatmap(
        z=data.agreement,
        x=list(data.runs),
        y=list(data.runs),
        zmin=0,
        zmax=1,
        colorscale="cividis",
        text=text,
        texttemplate="%{text}",
        xgap=2,
        ygap=2,
        colorbar={"thickness": 10, "outlinewidth": 0, "tickvals": [0, 0.5, 1], "title": {"text": "ARI"}},
        hovertemplate="%{y} and %{x}<br>adjusted Rand index %{z:.3f}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    figure.update_xaxes(showgrid=False, side="bottom", ticks="")
    return figure.update_layout(uirevision="agreement")


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
        return np.divide(self.customers, totals, out=np.full(self.customers.shape, np.nan), where=totals > 0)


def draw_cross(data: CrossData, theme: str) -> go.Figure:
    """Where the customers of each row's segment are in the other run: counts, shaded by share of the row."""
    shares = np.array([[percent(share) for share in row] for row in data.shares])
    figure = go.Figure(layout={"template": template(theme)})
    figure.add_heatmap(
        z=data.shares,
        x=list(data.columns),
        y=list(data.rows),
        zmin=0,
        zmax=1,
        colorscale="cividis",
        text=np.array([[count(item) if item else "" for item in row] for row in data.customers]),
        texttemplate="%{text}",
        customdata=shares,
        xgap=2,
        ygap=2,
        colorbar={"thickness": 10, "outlinewidth": 0, "tickformat": ".0%", "title": {"text": "of the row"}},
        hovertemplate=f"{data.one}: <b>%{{y}}</b><br>{data.other}: <b>%{{x}}</b><br>"
        "%{text} customers, %{customdata} of the row<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", title_text=data.one)
    figure.update_xaxes(showgrid=False, ticks="", title_text=data.other)
    return figure.update_layout(uirevision="cross")
