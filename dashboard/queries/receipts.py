"""The figures by which value models are judged: what each is called, what it means, and which way is better."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import NamedTuple

from dashboard.i18n.numbers import NOTHING, decimal, is_number, percent, written
from dashboard.i18n.texts import noted, say


class Measure(NamedTuple):
    """One figure of a check: its name in the receipt, how it is shown, what it means, and which way is better.

    ``better``: "higher", "lower", or "zero" for what should be neither.
    """

    name: str
    title: str
    meaning: str
    better: str
    format_value: Callable[[float | None], str]


def _three(value: float | None) -> str:
    return decimal(value, 3)


def _signed(value: float | None) -> str:
    return f"{'+' if value > 0 else ''}{percent(value)}".replace("-", "−") if is_number(value) else NOTHING


def _times(value: float | None) -> str:
    return f"{written(value, '.2f')}×" if is_number(value) else NOTHING


FORESIGHT = (
    Measure("rmse", "RMSE", noted("Root of the mean squared miss: large misses count most."), "lower", _three),
    Measure(
        "msle",
        "MSLE",
        noted("Mean squared miss on the logarithm: being off by half counts alike for all."),
        "lower",
        _three,
    ),
    Measure(
        "mae",
        "MAE",
        noted("Mean miss. It cannot tell a model from expecting nothing of anyone, so it decides nothing."),
        "lower",
        _three,
    ),
    Measure(
        "bias", noted("Bias"), noted("How much too much (+) or too little (−) was expected in all."), "zero", _signed
    ),
    Measure(
        "correlation",
        noted("Correlation"),
        noted("Whether those of whom more was expected brought more: 1 is always."),
        "higher",
        _three,
    ),
    Measure(
        "top_decile_revenue",
        noted("Top tenth's revenue"),
        noted("What the tenth of whom most was expected really brought in, of all revenue."),
        "higher",
        percent,
    ),
)
LOSS = (
    Measure(
        "log_loss",
        noted("Log loss"),
        noted("How surprised the model was by what came; the model is chosen by it."),
        "lower",
        _three,
    ),
    Measure("brier", noted("Brier score"), noted("Mean squared miss of the probability."), "lower", _three),
    Measure(
        "roc_auc",
        "ROC AUC",
        noted("Chance that of two customers the one who was lost had the higher risk: 0.5 is a coin."),
        "higher",
        _three,
    ),
    Measure(
        "pr_auc",
        "PR AUC",
        noted("Precision averaged over all thresholds; to be held against the share who were lost."),
        "higher",
        _three,
    ),
    Measure(
        "lift_at_10",
        noted("Lift at 10 %"),
        noted("How many times more of the riskiest tenth were lost than of all."),
        "higher",
        _times,
    ),
)


def best_of(figures: Mapping[str, Mapping[str, float | None]], measure: Measure) -> str | None:
    """The name of the model with the best figure; None where none has one."""
    values = ((name, metrics.get(measure.name)) for name, metrics in figures.items())
    comparable = {name: value for name, value in values if value is not None and value == value}
    if not comparable:
        return None
    losses: Mapping[str, Callable[[float], float]] = {"higher": operator.neg, "lower": float, "zero": abs}
    return min(comparable, key=lambda name: losses[measure.better](comparable[name]))


def way_of(measure: Measure) -> str:
    """Which way is better, in words."""
    return {
        "higher": say("Higher is better."),
        "lower": say("Lower is better."),
        "zero": say("Closest to zero is best."),
    }[measure.better]
