"""The drift timeline: month by month, how far a frozen model still agrees with one fitted anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import ink, template
from dashboard.numbers import count, day, percent
from engines.contract import DriftPoint

ALARM = {"light": "#b3261e", "dark": "#ff8a80"}


class TimelineData(NamedTuple):
    """The points of a timeline, the oldest first. ``noise_low`` is NaN where it is not known."""

    dates: NDArray[np.datetime64]
    ari: NDArray[np.float64]
    alerts: NDArray[np.bool_]
    noise_low: NDArray[np.float64]
    threshold: float
    hover: tuple[str, ...]

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which alerts carry their figure: the first of those in a row, and the latest, so that none covers another."""
        first = self.alerts & ~np.append(False, self.alerts[:-1])
        if self.alerts.any():
            first[np.flatnonzero(self.alerts)[-1]] = True
        return first

    @property
    def has_noise(self) -> bool:
        """Whether the noise band is known at any date."""
        return bool(np.isfinite(self.noise_low).any())


def timeline_data(points: Sequence[DriftPoint], threshold: float) -> TimelineData:
    """The arithmetic behind the timeline: arrays by date and a sentence per point."""
    return TimelineData(
        dates=np.array([point.as_of for point in points], dtype="datetime64[D]"),
        ari=np.array([point.ari for point in points], dtype=np.float64),
        alerts=np.array([point.alert for point in points], dtype=bool),
        noise_low=np.array([np.nan if point.noise_low is None else point.noise_low for point in points]),
        threshold=threshold,
        hover=tuple(_told(point) for point in points),
    )


def _told(point: DriftPoint) -> str:
    lines = [
        f"<b>{day(date.fromisoformat(point.as_of))}</b>{' · alert' if point.alert else ''}",
        f"ARI {point.ari:.3f}",
        f"{count(point.customers)} customers",
    ]
    if point.moved_share is not None:
        lines.append(f"{percent(point.moved_share)} changed segment since the date before")
    if point.noise_low is not None:
        lines.append(f"noise alone reaches down to {point.noise_low:.3f}")
    return "<br>".join(lines)


def draw_timeline(data: TimelineData, theme: str) -> go.Figure:
    """A line of agreement, the alarm line, the noise band where it is known, and alerts in red with their figure."""
    colours, alarm = ink(theme), ALARM["dark" if theme == "dark" else "light"]
    figure = go.Figure(layout={"template": template(theme)})
    if data.has_noise:
        known = np.isfinite(data.noise_low)
        edge = {"x": data.dates[known], "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        figure.add_scatter(**edge, y=np.ones(int(known.sum())), showlegend=False)
        figure.add_scatter(
            **edge,
            y=data.noise_low[known],
            fill="tonexty",
            fillcolor="rgba(120,140,170,0.20)",
            name="noise of refitting",
        )
    figure.add_hline(
        y=data.threshold,
        line={"color": alarm, "width": 1.5, "dash": "dash"},
        annotation={"text": f"alarm line {data.threshold:g}", "font": {"color": alarm, "size": 12}},
        annotation_position="bottom left",
    )
    figure.add_scatter(
        x=data.dates,
        y=data.ari,
        mode="lines+markers",
        name="frozen model against a refit",
        line={"color": colours.text, "width": 2},
        marker={"color": colours.text, "size": 7},
        hovertext=list(data.hover),
        hoverinfo="text",
    )
    if data.alerts.any():
        figure.add_scatter(
            x=data.dates[data.alerts],
            y=data.ari[data.alerts],
            mode="markers+text",
            name="alert",
            marker={"color": alarm, "size": 12, "symbol": "triangle-down"},
            text=[f"{data.ari[place]:.2f}" if data.labelled[place] else "" for place in np.flatnonzero(data.alerts)],
            textposition="bottom center",
            textfont={"color": alarm},
            hoverinfo="skip",
        )
    lowest = float(np.nanmin(np.append(data.ari, data.noise_low)))
    figure.update_yaxes(range=[min(0.0, lowest) - 0.06, 1.04], title_text="adjusted Rand index (1 = the same segments)")
    figure.update_xaxes(tickformat="%b %Y", showgrid=False)
    legend = {"orientation": "h", "y": -0.14, "yanchor": "top", "x": 0, "traceorder": "normal"}
    return figure.update_layout(legend=legend, uirevision="drift", hovermode="closest")
