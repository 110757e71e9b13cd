"""Naive baselines: nothing, as much as last time, and the customer's own rate going on."""

from __future__ import annotations

import numpy as np
from pandas import DataFrame, Series

from engines.columns import AGE, MEAN_REPEAT_VALUE, MONETARY, MONEY_SCALE, REPEAT_PURCHASES
from engines.messages import message
from engines.value.lifetime.patterns import Floats

#: Name and title of each, in the order in which they are shown.
BASELINES = {
    "zero": message("Nothing"),
    "carry_forward": message("As much as last time"),
    "rate": message("The rate so far"),
}
#: The model of the churn question that is one: it looks at days since the last purchase alone.
RECENCY = "recency"

#: Columns of a forecast.
PURCHASES, SPEND = "expected_purchases", "future_spend"


def forecasts(customers: DataFrame, before: DataFrame, weeks: float) -> dict[str, DataFrame]:
    """What each baseline expects of customers in the weeks ahead: ``expected_purchases`` and ``future_spend``.

    ``zero``: nothing of anyone. ``carry_forward``: repeat purchases of as many weeks before, and what was paid for
    them. ``rate``: repeat purchases (and their spend) per week since the first one, x / T, going on.

    Args:
        customers: as they stand now.
        before: the customers as they stood ``weeks`` ago; who is not among them has come since.
        weeks: how far ahead.
    """
    nothing = np.zeros(len(customers))
    guesses = {
        "zero": (nothing, nothing),
        "carry_forward": _carry_forward(customers, before),
        "rate": _rate(customers, weeks),
    }
    return {
        name: DataFrame({PURCHASES: purchases, SPEND: spend}, customers.index)
        for name, (purchases, spend) in guesses.items()
    }


def _carry_forward(customers: DataFrame, before: DataFrame) -> tuple[Floats, Floats]:
    has_history = customers.index.isin(before.index)
    then = before.reindex(customers.index)
    repeats = customers[REPEAT_PURCHASES].to_numpy(np.float64)
    purchases = repeats - np.where(has_history, then[REPEAT_PURCHASES].to_numpy(np.float64, na_value=0.0), 0.0)
    grown = _units(customers[MONETARY]) - _units(then[MONETARY])
    spend = np.where(has_history, grown / MONEY_SCALE, _repeat_spend(customers))
    return purchases, np.maximum(spend, 0.0)


def _rate(customers: DataFrame, weeks: float) -> tuple[Floats, Floats]:
    age = customers[AGE].to_numpy(np.float64)
    ahead = weeks / np.where(age > 0, age, np.inf)
    return customers[REPEAT_PURCHASES].to_numpy(np.float64) * ahead, _repeat_spend(customers) * ahead


def _repeat_spend(customers: DataFrame) -> Floats:
    spent = customers[REPEAT_PURCHASES].to_numpy(np.float64) * customers[MEAN_REPEAT_VALUE].to_numpy(np.float64)
    return np.asarray(np.maximum(spent, 0.0), dtype=np.float64)


def _units(money: Series) -> Floats:
    """Money as whole units; none for who was not there."""
    return np.asarray(np.rint(np.nan_to_num(money.to_numpy(np.float64)) * MONEY_SCALE), dtype=np.float64)
