"""The drift timeline and what moved: the model, the customers, and what they are like."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import Drawing, drawing_of, ink, template
from dashboard.i18n.numbers import count, day, percent, plural, written
from dashboard.i18n.texts import say
from engines.columns import describe
from engines.contract import AgeAgreement, DriftPoint, LivePoint

ALARM = {"light": "#b3261e", "dark": "#ff8a80"}


class TimelineData(NamedTuple):
    """The points of a timeline, the oldest first. ``noise_low`` is NaN where it is not known.

    ``changed``: the alerts that are about the customers themselves, not about agreement.
    """

    dates: NDArray[np.datetime64]
    ari: NDArray[np.float64]
    alerts: NDArray[np.bool_]
    noise_low: NDArray[np.float64]
    threshold: float
    hover: tuple[str, ...]
    changed: NDArray[np.bool_]
    frozen_at: date | None = None
    live: tuple[LivePoint, ...] = ()

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which alerts carry their figure: the first of those in a row, and the latest, so that none covers another."""
        first: NDArray[np.bool_] = self.alerts & ~np.append(False, self.alerts[:-1])
        if self.alerts.any():
            first[np.flatnonzero(self.alerts)[-1]] = True
        return first

    @property
    def has_noise(self) -> bool:
        """Whether the noise band is known at any date."""
        return bool(np.isfinite(self.noise_low).any())


def timeline_data(
    points: Sequence[DriftPoint],
    threshold: float,
    frozen_at: date | None = None,
    live: Sequence[LivePoint] = (),
) -> TimelineData:
    """The arithmetic behind the timeline: arrays by date and a sentence per point."""
    return TimelineData(
        dates=np.array([point.as_of for point in points], dtype="datetime64[D]"),
        ari=np.array([point.ari for point in points], dtype=np.float64),
        alerts=np.array([point.alert for point in points], dtype=bool),
        noise_low=np.array([np.nan if point.noise_low is None else point.noise_low for point in points]),
        threshold=threshold,
        hover=tuple(_point_words(point) for point in points),
        changed=np.array([point.cause == "population" for point in points], dtype=bool),
        frozen_at=frozen_at,
        live=tuple(live),
    )


def _point_words(point: DriftPoint) -> str:
    when = day(date.fromisoformat(point.as_of))
    changed = point.cause == "population"
    alert = say("<b>{day}</b> · customers changed", day=when) if changed else say("<b>{day}</b> · alert", day=when)
    lines = [
        alert if point.alert else f"<b>{when}</b>",
        f"ARI {written(point.ari, '.3f')}",
        say("{customers} customers", customers=count(point.customers)),
    ]
    if point.moved_share is not None:
        lines.append(say("{share} changed segment since the date before", share=percent(point.moved_share)))
    if point.noise_low is not None:
        lines.append(say("noise alone reaches down to {index}", index=written(point.noise_low, ".3f")))
    if point.model_moved is not None:
        lines.append(say("a new model would put {share} elsewhere", share=percent(point.model_moved)))
    return "<br>".join(lines)


def draw_timeline(data: TimelineData, theme: str) -> Drawing:
    """A line of agreement, the alarm line, the noise band where it is known, and alerts in red with their figure."""
    colours, alarm = ink(theme), ALARM["dark" if theme == "dark" else "light"]
    figure = go.Figure(layout={"template": template(theme)})
    if data.has_noise:
        defined = np.isfinite(data.noise_low)
        edge = {"x": data.dates[defined], "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        figure.add_scatter(**edge, y=np.ones(int(defined.sum())), showlegend=False)
        figure.add_scatter(
            **edge,
            y=data.noise_low[defined],
            fill="tonexty",
            fillcolor="rgba(120,140,170,0.20)",
            name=say("noise of refitting"),
        )
    figure.add_hline(
        y=data.threshold,
        line={"color": alarm, "width": 1.5, "dash": "dash"},
        annotation={"text": say("alarm line {line}", line=f"{data.threshold:g}"), "font": {"color": alarm, "size": 12}},
        annotation_position="top right",
    )
    figure.add_scatter(
        x=data.dates,
        y=data.ari,
        mode="lines+markers",
        name=say("frozen model against a refit"),
        line={"color": colours.text, "width": 2},
        marker={"color": colours.text, "size": 7},
        hovertext=list(data.hover),
        hoverinfo="text",
    )
    for name, symbol, side, of_kind in (
        (say("alert"), "triangle-down", "bottom", data.alerts & ~data.changed),
        (say("alert: customers changed"), "square", "top", data.alerts & data.changed),
    ):
        if of_kind.any():
            places = np.flatnonzero(of_kind)
            figure.add_scatter(
                x=data.dates[of_kind],
                y=data.ari[of_kind],
                mode="markers+text",
                name=name,
                marker={"color": alarm, "size": 12, "symbol": symbol},
                text=[written(data.ari[place], ".2f") if data.labelled[place] else "" for place in places],
                textposition=f"{side} center",
                textfont={"color": alarm},
                hoverinfo="skip",
            )
    if data.live:
        figure.add_scatter(
            x=np.array([point.as_of for point in data.live], dtype="datetime64[D]"),
            y=np.array([point.ari for point in data.live]),
            mode="markers",
            name=say("live run against the one before"),
            marker={
                "size": 11,
                "symbol": "diamond-open",
                "line": {"width": 2},
                "color": [alarm if point.alert else colours.text for point in data.live],
            },
            hovertext=[
                say(
                    "<b>{day}</b> against run {run}<br>ARI {ari}",
                    day=day(date.fromisoformat(point.as_of)),
                    run=point.against,
                    ari=written(point.ari, ".3f"),
                )
                for point in data.live
            ],
            hoverinfo="text",
        )
    if data.frozen_at is not None:
        figure.add_vline(x=data.frozen_at.isoformat(), line={"color": colours.faint, "width": 1.5, "dash": "dot"})
        figure.add_annotation(
            x=data.frozen_at.isoformat(),
            y=1.0,
            yref="paper",
            text=say("model frozen"),
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            font={"color": colours.faint, "size": 12},
        )
    live = [point.ari for point in data.live]
    lowest = float(np.nanmin(np.concatenate([data.ari, data.noise_low, live, [1.0]])))
    figure.update_yaxes(
        range=[min(0.0, lowest) - 0.06, 1.04], title_text=say("adjusted Rand index (1 = the same segments)")
    )
    figure.update_xaxes(tickformat="%b %Y", showgrid=False)
    legend = {"orientation": "h", "y": -0.14, "yanchor": "top", "x": 0, "traceorder": "normal"}
    return drawing_of(figure.update_layout(legend=legend, uirevision="drift", hovermode="closest"))


def draw_ages(ages: Sequence[AgeAgreement], threshold: float, theme: str) -> Drawing:
    """Mean agreement by age of the model with a line from the least to the largest, and the alarm line."""
    colours, alarm = ink(theme), ALARM["dark" if theme == "dark" else "light"]
    figure = go.Figure(layout={"template": template(theme)})
    figure.add_hline(y=threshold, line={"color": alarm, "width": 1.5, "dash": "dash"})
    mean = np.array([age.ari for age in ages])
    figure.add_scatter(
        x=[age.months for age in ages],
        y=mean,
        error_y={
            "type": "data",
            "symmetric": False,
            "array": np.array([age.high for age in ages]) - mean,
            "arrayminus": mean - np.array([age.low for age in ages]),
            "color": colours.faint,
            "thickness": 1.5,
            "width": 4,
        },
        mode="lines+markers",
        line={"color": colours.text, "width": 2},
        marker={"color": colours.text, "size": 7},
        hovertext=[
            say(
                "{months} old: ARI {ari}, from {low} to {high} at {dates}",
                months=plural(age.months, "{n} month", "{n} months"),
                ari=written(age.ari, ".2f"),
                low=written(age.low, ".2f"),
                high=written(age.high, ".2f"),
                dates=plural(age.pairs, "{n} date", "{n} dates"),
            )
            for age in ages
        ],
        hoverinfo="text",
        showlegend=False,
    )
    lowest = min((age.low for age in ages), default=0.0)
    figure.update_yaxes(range=[min(0.0, lowest) - 0.02, 1.04], title_text=say("adjusted Rand index"))
    figure.update_xaxes(dtick=1, showgrid=False, title_text=say("age of the model in months"))
    return drawing_of(figure.update_layout(uirevision="ages", hovermode="closest"))


# --- what moved -------------------------------------------------------------------------------------------------------


class MovedData(NamedTuple):
    """Shares of customers by date, NaN where they are not known: whom the frozen model moved, whom a new one would."""

    dates: NDArray[np.datetime64]
    customers: NDArray[np.float64]
    model: NDArray[np.float64]


def moved_data(points: Sequence[DriftPoint]) -> MovedData:
    """The two kinds of movement by date."""

    def shares(name: str) -> NDArray[np.float64]:
        values = [getattr(point, name) for point in points]
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)

    dates = np.array([point.as_of for point in points], dtype="datetime64[D]")
    return MovedData(dates, shares("moved_share"), shares("model_moved"))


def draw_moved(data: MovedData, theme: str) -> Drawing:
    """Bars of customers that moved, a line of what a new model would move."""
    colours = ink(theme)
    figure = go.Figure(layout={"template": template(theme)})
    figure.add_bar(
        x=data.dates,
        y=data.customers,
        name=say("customers moved since the date before"),
        marker={"color": colours.bar},
        hovertemplate=say("%{x|%-d %b %Y}<br>%{y:.1%} of customers moved<extra></extra>"),
    )
    figure.add_scatter(
        x=data.dates,
        y=data.model,
        mode="lines+markers",
        name=say("a new model would put elsewhere"),
        line={"color": colours.text, "width": 2, "dash": "dot"},
        hovertemplate=say("%{x|%-d %b %Y}<br>a new model would put %{y:.1%} elsewhere<extra></extra>"),
    )
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", title_text=say("share of customers"))
    figure.update_xaxes(tickformat="%b %Y", showgrid=False)
    figure.update_layout(legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0}, uirevision="moved")
    return drawing_of(figure)


class ShiftData(NamedTuple):
    """One column by date: its stability index and Cliff's delta against the customers of the frozen model.

    ``same_age``: the index among customers as long known as those of then, NaN where it is not known.
    """

    column: str
    title: str
    dates: NDArray[np.datetime64]
    psi: NDArray[np.float64]
    effect: NDArray[np.float64]
    before: float
    now: float
    same_age: NDArray[np.float64]


def shift_data(points: Sequence[DriftPoint]) -> list[ShiftData]:
    """The columns that are watched, in their own order."""
    columns = dict.fromkeys(shift.column for point in points for shift in point.shifts)
    panels = []
    for column in columns:
        rows = [(point.as_of, shift) for point in points for shift in point.shifts if shift.column == column]
        dates = np.array([as_of for as_of, _ in rows], dtype="datetime64[D]")
        psi, effect = (np.array([getattr(shift, name) for _, shift in rows]) for name in ("psi", "effect"))
        ages = (shift.same_age_psi for _, shift in rows)
        same_age = np.array([np.nan if psi is None else psi for psi in ages], dtype=np.float64)
        latest = rows[-1][1]
        title = describe(column).title
        panels.append(ShiftData(column, title, dates, psi, effect, latest.before, latest.now, same_age))
    return panels


def draw_shift(data: ShiftData, theme: str, top: float) -> Drawing:
    """The stability index by date up to a common ``top``, with the customary lines at 0.1 and 0.25."""
    colours = ink(theme)
    figure = go.Figure(layout={"template": template(theme)})
    for level in (0.1, 0.25):
        figure.add_hline(y=level, line={"color": colours.faint, "width": 1, "dash": "dot"})
    figure.add_scatter(
        x=data.dates,
        y=data.psi,
        mode="lines+markers",
        line={"color": colours.text, "width": 2},
        marker={"size": 5},
        customdata=data.effect,
        hovertemplate=say("%{x|%-d %b %Y}<br>PSI %{y:.2f}<br>Cliff's delta %{customdata:+.2f}<extra></extra>"),
        showlegend=False,
    )
    if np.isfinite(data.same_age).any():
        figure.add_scatter(
            x=data.dates,
            y=data.same_age,
            mode="lines",
            line={"color": colours.text, "width": 1.5, "dash": "dot"},
            hovertemplate=say("%{x|%-d %b %Y}<br>PSI %{y:.2f} at the same age<extra></extra>"),
            showlegend=False,
        )
    figure.update_yaxes(range=[0, top], title_text="PSI")
    figure.update_xaxes(tickformat="%b %y", showgrid=False, nticks=4)
    return drawing_of(figure.update_layout(margin={"l": 48, "r": 8, "t": 8, "b": 28}, uirevision="shift"))
