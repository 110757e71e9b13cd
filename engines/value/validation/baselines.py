"""Naive baselines: nothing, as much as last time, and the customer's own rate going on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pandas import DataFrame, Series

from engines.columns import AGE, MEAN_REPEAT_VALUE, MONETARY, MONEY_SCALE, REPEAT_PURCHASES
from engines.messages import message
from engines.value.contract import FittedValueModel
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
    return {name: guess.predict(customers, weeks) for name, guess in fitted_baselines(before, weeks).items()}


def fitted_baselines(before: DataFrame, weeks: float) -> dict[str, FittedValueModel]:
    """The baselines as fitted models, by name; ``before``: the customers as they stood ``weeks`` ago."""
    return {"zero": Nothing(), "carry_forward": CarryForward(before, weeks), "rate": Rate()}


@dataclass(frozen=True)
class Nothing:
    """Nothing of anyone."""

    parameters: Mapping[str, float] = field(default_factory=dict)

    def predict(self, customers: DataFrame, weeks: float) -> DataFrame:
        """No purchases and no spend."""
        return _forecast(np.zeros(len(customers)), np.zeros(len(customers)), customers)


@dataclass(frozen=True)
class CarryForward:
    """As much as in the ``weeks`` since ``before``; of another length of time in proportion."""

    before: DataFrame
    weeks: float
    parameters: Mapping[str, float] = field(default_factory=dict)

    def predict(self, customers: DataFrame, weeks: float) -> DataFrame:
        """Repeat purchases since then, and what was paid for them."""
        has_history = customers.index.isin(self.before.index)
        then = self.before.reindex(customers.index)
        repeats = customers[REPEAT_PURCHASES].to_numpy(np.float64)
        purchases = repeats - np.where(has_history, then[REPEAT_PURCHASES].to_numpy(np.float64, na_value=0.0), 0.0)
        grown = _units(customers[MONETARY]) - _units(then[MONETARY])
        spend = np.where(has_history, grown / MONEY_SCALE, _repeat_spend(customers))
        share = weeks / self.weeks
        # where returns are taken off, there may be less than there was
        return _forecast(share * np.maximum(purchases, 0.0), share * np.maximum(spend, 0.0), customers)


@dataclass(frozen=True)
class Rate:
    """The customer's own rate of repeat purchases since the first one, and of what was paid for them, going on."""

    parameters: Mapping[str, float] = field(default_factory=dict)

    def predict(self, customers: DataFrame, weeks: float) -> DataFrame:
        """X / T times the weeks."""
        age = customers[AGE].to_numpy(np.float64)
        ahead = weeks / np.where(age > 0, age, np.inf)
        repeats = customers[REPEAT_PURCHASES].to_numpy(np.float64)
        return _forecast(repeats * ahead, _repeat_spend(customers) * ahead, customers)

    def to_record(self) -> dict[str, Any]:
        """Nothing has to be kept."""
        return {}

    @classmethod
    def from_record(cls, entry: Mapping[str, Any]) -> Rate:
        """As it was before :meth:`to_record`."""
        return cls()


@dataclass(frozen=True)
class Filled:
    """A baseline as it is used: of whom it expects nothing, another model says what to expect.

    A guess that carries the past on has nothing to say of who has bought once, or not of late; with a chance of buying
    they cannot be worth nothing.
    """

    guess: FittedValueModel
    other: FittedValueModel

    @property
    def parameters(self) -> Mapping[str, float]:
        """None: a guess has no parameters."""
        return {}

    def predict(self, customers: DataFrame, weeks: float) -> DataFrame:
        """Purchases and spend."""
        return filled_in(self.guess.predict(customers, weeks), self.other.predict(customers, weeks))


def filled_in(guess: DataFrame, other: DataFrame) -> DataFrame:
    """Answers of a baseline, and those of another model where it expects nothing."""
    columns = {name: np.where(guess[name] > 0, guess[name], other[name]) for name in (PURCHASES, SPEND)}
    return DataFrame(columns, index=guess.index)


def _forecast(purchases: Floats, spend: Floats, customers: DataFrame) -> DataFrame:
    return DataFrame({PURCHASES: purchases, SPEND: spend}, index=customers.index)


def _repeat_spend(customers: DataFrame) -> Floats:
    spent = customers[REPEAT_PURCHASES].to_numpy(np.float64) * customers[MEAN_REPEAT_VALUE].to_numpy(np.float64)
    return np.asarray(np.maximum(spent, 0.0), dtype=np.float64)


def _units(money: Series) -> Floats:
    """Money as whole units; none for who was not there."""
    return np.asarray(np.rint(np.nan_to_num(money.to_numpy(np.float64)) * MONEY_SCALE), dtype=np.float64)
