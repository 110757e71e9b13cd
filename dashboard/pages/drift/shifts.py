"""How the customers themselves have changed since a model was frozen: a small chart for each column that is watched."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.figures import drift as figures
from dashboard.figures import graph_config
from dashboard.i18n.numbers import round_money, written
from dashboard.i18n.texts import say
from engines.columns import describe
from engines.contract import DriftPoint


def shift_panels(points: Sequence[DriftPoint], theme: str, currency: str) -> list[Component]:
    """A panel for each column that is watched: how far it has moved, in figures and by date."""
    found = figures.shift_data(points)
    if not found:
        return [
            html.P(say("How customers changed was not kept with this run; run its engine again."), className="seg-hint")
        ]
    top = max(0.3, 1.1 * max(float(item.psi.max()) for item in found))
    panels = []
    for item in found:
        told = say(
            "PSI {psi}, Cliff's delta {delta}; median {before} → {now}",
            psi=written(item.psi[-1], ".2f"),
            delta=written(item.effect[-1], "+.2f"),
            before=_median(item.column, item.before, currency),
            now=_median(item.column, item.now, currency),
        )
        graph = dcc.Graph(
            id=f"drift-shift-{item.column}",
            config={**graph_config(f"psi-{item.column}"), "displayModeBar": False},
            figure=figures.draw_shift(item, theme, top),
            style={"height": "170px"},
        )
        panels.append(
            html.Div([html.H3(say(item.title), className="h6 mb-0"), html.P(told, className="seg-hint mb-0"), graph])
        )
    return panels


def _median(column: str, value: float, currency: str) -> str:
    return round_money(value, currency) if describe(column).kind == "money" else written(value, ",.6g")
