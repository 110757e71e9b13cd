"""How well the value models foresaw a past that is over: what was expected against what came, bin by bin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import Drawing, drawing_of, ink, template
from dashboard.figures.choose_k import ACCENT
from dashboard.i18n.numbers import count, decimal, percent, written
from dashboard.i18n.texts import say

Bins = Sequence[Mapping[str, Any]]


class BinData(NamedTuple):
    """Customers in bins of what was foreseen for them; ``share``: whether both sides are shares, else counts."""

    foreseen: NDArray[np.float64]
    actual: NDArray[np.float64]
    customers: NDArray[np.int64]
    share: bool

    def format_value(self, value: float) -> str:
        """A value as people read it."""
        return percent(value) if self.share else decimal(value, 2)


def calibration_data(bins: Bins) -> BinData:
    """Purchases expected and made, per customer, from the receipt's calibration."""
    return _bins(bins, "expected", share=False)


def reliability_data(bins: Bins) -> BinData:
    """The chance of no purchase as foreseen and the share that bought nothing, from the receipt's reliability."""
    return _bins(bins, "predicted", share=True)


def _bins(bins: Bins, foreseen: str, *, share: bool) -> BinData:
    return BinData(
        foreseen=np.array([item[foreseen] for item in bins], dtype=np.float64),
        actual=np.array([item["actual"] for item in bins], dtype=np.float64),
        customers=np.array([item["customers"] for item in bins], dtype=np.int64),
        share=share,
    )


def bin_words(data: BinData) -> str:
    """The picture in a sentence: how far bins are from what came, the farthest named."""
    if not len(data.customers):
        return say("There are no customers to show.")
    worst = int(np.abs(data.actual - data.foreseen).argmax())
    off = float(np.average(np.abs(data.actual - data.foreseen), weights=data.customers))
    return say(
        "On average what came is {off} away from what was foreseen; farthest off are {customers} "
        "customers with {foreseen} foreseen and {actual} come true.",
        off=data.format_value(off),
        customers=count(data.customers[worst]),
        foreseen=data.format_value(data.foreseen[worst]),
        actual=data.format_value(data.actual[worst]),
    )


def draw_bins(data: BinData, theme: str, *, foreseen: str, actual: str) -> Drawing:
    """A point per bin, as large as its customers are many; on the dotted line what came is what was foreseen."""
    colours, accent = ink(theme), ACCENT["dark" if theme == "dark" else "light"]
    figure = go.Figure(layout={"template": template(theme), "showlegend": False})
    most = 1.0 if data.share else 1.08 * max(float(data.foreseen.max()), float(data.actual.max()), 1e-9)
    ends = np.array([0.0, most])
    figure.add_scatter(
        x=ends, y=ends, mode="lines", line={"color": colours.faint, "width": 1, "dash": "dot"}, hoverinfo="skip"
    )
    sizes = 8 + 14 * np.sqrt(data.customers / max(int(data.customers.max()), 1))
    figure.add_scatter(
        x=data.foreseen,
        y=data.actual,
        mode="lines+markers",
        line={"color": colours.line, "width": 1},
        marker={"color": accent, "size": sizes, "opacity": 0.9, "line": {"color": colours.surface, "width": 1}},
        hovertext=np.array(
            [
                say(
                    "<b>{customers} customers</b><br>foreseen {foreseen}<br>came {actual}",
                    customers=count(many),
                    foreseen=data.format_value(before),
                    actual=data.format_value(after),
                )
                for before, after, many in zip(data.foreseen, data.actual, data.customers, strict=True)
            ]
        ),
        hoverinfo="text",
    )
    form = ".0%" if data.share else None
    room = [-0.03 * most, 1.03 * most]
    figure.update_xaxes(title_text=foreseen, range=room, tickformat=form, nticks=6)
    figure.update_yaxes(title_text=actual, range=room, tickformat=form, nticks=6)
    return drawing_of(figure.update_layout(uirevision=foreseen, hovermode="closest"))


class Importance(NamedTuple):
    """Features of a model by how much worse it does when one of them is shuffled, the weightiest first."""

    features: tuple[str, ...]
    importance: NDArray[np.float64]
    spread: NDArray[np.float64]


def importance_data(items: Bins, title: Any, most: int = 10) -> Importance:
    """The weightiest features of the receipt's importances, titled by ``title``."""
    ranked = sorted(items, key=lambda item: (-item["importance"], item["feature"]))[:most]
    return Importance(
        tuple(title(item["feature"]) for item in ranked),
        np.array([item["importance"] for item in ranked], dtype=np.float64),
        np.array([item["spread"] or 0.0 for item in ranked], dtype=np.float64),
    )


def draw_importances(data: Importance, theme: str) -> Drawing:
    """A bar per feature, the weightiest on top, with the spread between shufflings."""
    colours = ink(theme)
    figure = go.Figure(layout={"template": template(theme), "showlegend": False})
    figure.add_bar(
        x=data.importance[::-1],
        y=np.array(data.features[::-1], dtype=object),
        orientation="h",
        marker={"color": colours.bar},
        error_x={"type": "data", "array": data.spread[::-1], "color": colours.faint, "thickness": 1.5, "width": 3},
        hovertext=np.array(
            [
                f"<b>{name}</b><br>{written(value, '.3g')}"
                for name, value in zip(data.features, data.importance, strict=True)
            ][::-1]
        ),
        hoverinfo="text",
    )
    figure.update_xaxes(title_text=say("how much worse without it"), nticks=5, rangemode="tozero")
    figure.update_yaxes(showgrid=False)
    return drawing_of(figure.update_layout(uirevision="importances", bargap=0.35))
