"""Curves over the number of segments, one small chart per question, with the chosen number marked in each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import Drawing, drawing_of, ink, template
from dashboard.i18n.numbers import NOTHING, decimal, percent
from dashboard.i18n.texts import noted, say
from engines.evaluation.selection import KSelection
from engines.metrics import METRICS

ACCENT = {"light": "#0b57d0", "dark": "#8ab4f8"}


class Curve(NamedTuple):
    """One question over k. ``values`` are NaN where there are none, as are the ends ``low`` and ``high`` of their bars.

    ``interval``: whether the ends are those of an interval; else they are one standard error away. ``recommended``: the
    k that is recommended on the whole; ``own``: the k that this curve alone would take, with ``own_words`` for it.
    ``share``: whether values are shares.
    """

    name: str
    title: str
    meaning: str
    better: str
    ks: NDArray[np.int64]
    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    recommended: int | None
    own: int | None = None
    own_words: str = ""
    share: bool = False
    interval: bool = False

    def format_value(self, value: float) -> str:
        """A value of this curve as people read it."""
        if np.isnan(value):
            return NOTHING
        return percent(value) if self.share else decimal(value, 3 if abs(value) < 100 else 0)

    def words_at(self, place: int) -> str:
        """The value of one k with its standard error or its interval, where it has one."""
        value, low, high = (float(ends[place]) for ends in (self.values, self.low, self.high))
        if np.isnan(low):
            return self.format_value(value)
        if self.interval:
            return f"{self.format_value(value)} ({self.format_value(low)}\u2013{self.format_value(high)})"
        return f"{self.format_value(value)} ± {self.format_value(high - value)}"


#: What the list of metrics explains under another name.
_METRIC = {"captured": "holdout_revenue"}
#: What no finished run has and so the list of metrics does not explain.
_ONLY_HERE = {
    "bic": (
        "BIC",
        noted("How badly the mixture describes the customers, with a fine for every parameter (Schwarz 1978)."),
        "lower",
    ),
    "aic": (
        "AIC",
        noted("As BIC, with a smaller fine for parameters (Akaike 1974), so it prefers more segments."),
        "lower",
    ),
}
_ORDER = (
    "captured",
    "stability",
    "smallest_share",
    "silhouette",
    "inertia",
    "bic",
    "aic",
    "calinski_harabasz",
    "davies_bouldin",
)


def curves(selection: KSelection) -> tuple[Curve, ...]:
    """The curves that the engine has, in the order in which they are shown."""
    own: dict[str, tuple[int | None, str]] = {choice.measure: (choice.k, say("best")) for choice in selection.measures}
    own |= {"inertia": (selection.elbow, say("elbow"))}
    ks = np.array([point.k for point in selection.points])
    result = []
    for name in _ORDER:
        values, errors, low, high = (
            _numbers(selection, attribute) for attribute in (name, f"{name}_error", f"{name}_low", f"{name}_high")
        )
        interval = not np.isnan(low).all()
        if not interval:
            low, high = values - errors, values + errors
        if np.isnan(values).all():
            continue
        metric = METRICS.get(_METRIC.get(name, name))
        title, meaning, better = (metric.title, metric.meaning, metric.better) if metric else _ONLY_HERE[name]
        if name == "captured":
            title = noted("Later revenue captured")
        place, words = own.get(name, (None, ""))
        share = metric is not None and metric.share
        ends = (values, low, high)
        result.append(
            Curve(name, title, meaning, better, ks, *ends, selection.recommended, place, words, share, interval)
        )
    return tuple(result)


def _numbers(selection: KSelection, name: str) -> NDArray[np.float64]:
    values = [getattr(point, name, None) for point in selection.points]
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def draw_curve(curve: Curve, theme: str) -> Drawing:
    """A line over k with its errors or interval as bars, the recommended k ringed, the curve's own choice named."""
    colours, accent = ink(theme), ACCENT["dark" if theme == "dark" else "light"]
    figure = go.Figure(layout={"template": template(theme), "showlegend": False})
    defined = ~np.isnan(curve.values)
    ks, values = curve.ks[defined], curve.values[defined]
    up, down = np.nan_to_num(curve.high[defined] - values), np.nan_to_num(values - curve.low[defined])
    with_errors = not np.isnan(curve.low[defined]).all()
    bars = {"type": "data", "array": up, "color": colours.faint, "thickness": 1.5, "width": 3}
    bars |= {"arrayminus": down} if curve.interval else {}
    figure.add_scatter(
        x=ks,
        y=values,
        mode="lines+markers",
        line={"color": colours.bar, "width": 2},
        marker={"color": colours.bar, "size": 6},
        error_y=bars if with_errors else None,
        hovertext=np.array([_hover(curve, int(place)) for place in np.flatnonzero(defined)]),
        hoverinfo="text",
    )
    if curve.recommended is not None:
        figure.add_vline(x=curve.recommended, line={"color": accent, "width": 1, "dash": "dot"})
        here = ks == curve.recommended
        ring = {"color": colours.surface, "size": 11, "line": {"color": accent, "width": 3}}
        figure.add_scatter(x=ks[here], y=values[here], mode="markers", marker=ring, hoverinfo="skip")
    if curve.own is not None:
        here = ks == curve.own
        figure.add_scatter(
            x=ks[here],
            y=values[here],
            mode="markers+text",
            marker={"color": colours.text, "size": 9, "symbol": "diamond"},
            text=np.array([curve.own_words] * int(here.sum())),
            textposition={curve.ks[0]: "top right", curve.ks[-1]: "top left"}.get(curve.own, "top center"),
            textfont={"color": colours.text, "size": 12},
            hoverinfo="skip",
        )
    if curve.own is not None or with_errors:
        low, high = float((values - down).min()), float((values + up).max())
        room = 0.12 * ((high - low) or 1.0)
        figure.update_yaxes(range=[low - room, high + (1.6 if curve.own is not None else 1.0) * room])
    figure.update_xaxes(
        tickvals=curve.ks, range=[curve.ks[0] - 0.4, curve.ks[-1] + 0.4], title_text="k", showgrid=False
    )
    form = ".0%" if curve.share else "," if np.abs(values).max() >= 100 else None
    figure.update_yaxes(nticks=5, tickformat=form)
    return drawing_of(figure.update_layout(uirevision=curve.name, hovermode="closest"))


def _hover(curve: Curve, place: int) -> str:
    k = int(curve.ks[place])
    chosen = " · " + say("recommended") if k == curve.recommended else ""
    return f"<b>k = {k}</b>{chosen}<br>{say(curve.title)} {curve.words_at(place)}"
