"""Training examples from past windows: what was known of a customer, and what the customer then did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from engines.clustering.sampling import sample_rows
from engines.errors import InputError
from engines.value.contract import PURCHASES_AFTER, SPEND_AFTER, Window
from engines.value.learned.predictors import Forecast, predictors_of
from engines.value.lifetime.patterns import Floats

#: Examples that are learned from, and customers that a forecast is fitted on, at most; above it is a seeded sample.
MOST = 100_000
#: Examples of either outcome that are needed.
LEAST = 20


@dataclass(frozen=True)
class Examples:
    """Customers of all windows, one row per customer and window: the same customer may be in several.

    ``predictors``: columns with at least two values among the examples. ``chance``, ``spend``: what the forecast of the
    day said. ``bought``: whether there was a purchase in the window. ``spent``: what was spent in it (currency).
    ``weeks``: length of the windows, the median where they differ.
    """

    predictors: DataFrame
    chance: Floats
    spend: Floats
    bought: NDArray[np.bool_]
    spent: Floats
    weeks: float

    def __len__(self) -> int:
        return len(self.predictors)


def examples(past: Sequence[Window], seed: int, owner: str) -> Examples:
    """The windows stacked, each measured by a forecast fitted on its own customers as of its own cut-off.

    Nothing of an outcome enters a measure, so a window whose outcome overlaps another's cut-off gives nothing away:
    all outcomes are over by the day that is predicted from.

    Raises:
        InputError: no windows, or fewer than ``LEAST`` examples of either outcome; names the owner.
    """
    if not past:
        raise InputError(
            "{owner} learns from what customers did after earlier days, and the sales are too short "
            "for such a day. Give a longer history.",
            owner=owner,
        )
    parts = []
    for window in past:
        customers = sample_customers(window.customers, MOST // len(past), seed)
        outcome = window.outcome.loc[customers.index]
        forecast = Forecast.of(customers)
        parts.append(
            Examples(
                predictors_of(customers, forecast, window.weeks),
                forecast.chance(customers, window.weeks),
                forecast.spend(customers, window.weeks),
                outcome[PURCHASES_AFTER].to_numpy(np.float64) > 0,
                np.maximum(outcome[SPEND_AFTER].to_numpy(np.float64), 0.0),
                window.weeks,
            )
        )
    bought = np.concatenate([part.bought for part in parts])
    if min(bought.sum(), (~bought).sum()) < LEAST:
        raise InputError(
            "{owner} needs at least {least} customers that bought again and {least} that did not in "
            "the windows it learns from; there are {bought} and {others}. Give a longer history, or "
            "more customers.",
            owner=owner,
            least=LEAST,
            bought=int(bought.sum()),
            others=int((~bought).sum()),
        )
    predictors = pd.concat([part.predictors for part in parts], ignore_index=True)
    varying = [name for name in predictors.columns if predictors[name].nunique() > 1]
    if not varying:
        raise InputError(
            "{owner} cannot tell customers apart: they are all alike. Map more columns of the sales.", owner=owner
        )
    return Examples(
        predictors[varying],
        np.concatenate([part.chance for part in parts]),
        np.concatenate([part.spend for part in parts]),
        bought,
        np.concatenate([part.spent for part in parts]),
        float(np.median([part.weeks for part in parts])),
    )


def sample_customers(customers: DataFrame, limit: int, seed: int) -> DataFrame:
    """At most so many customers, in the order of their ids, and the same ones whatever the order of the rows."""
    ordered = customers.sort_index()
    if len(ordered) <= limit:
        return ordered
    return ordered.iloc[sample_rows(len(ordered), limit, seed)]


@dataclass(frozen=True)
class Linear:
    """Predictors standardised for a linear model: spread 1 around 0, at most 5 away; missing is 0, with a flag.

    ``means``, ``spreads`` by measure; ``flagged``: predictors that were missing for some.
    """

    means: dict[str, float]
    spreads: dict[str, float]
    flagged: tuple[str, ...]

    @classmethod
    def of(cls, predictors: DataFrame) -> Linear:
        """Means and spreads of these predictors."""
        flagged = tuple(name for name in predictors.columns if predictors[name].isna().any())
        return cls(dict(predictors.mean()), dict(predictors.std(ddof=0)), flagged)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns, in order."""
        return (*self.means, *(f"{name}_missing" for name in self.flagged))

    def columns(self, predictors: DataFrame) -> list[Floats]:
        """A column for each of ``names``."""
        values = {name: predictors[name].to_numpy(np.float64) for name in self.means}
        scaled = [np.clip((values[name] - mean) / self.spreads[name], -5.0, 5.0) for name, mean in self.means.items()]
        filled = [np.where(np.isnan(column), 0.0, column) for column in scaled]
        return [*filled, *(np.isnan(values[name]).astype(np.float64) for name in self.flagged)]

    def weigh(self, predictors: DataFrame, weights: Sequence[float]) -> Floats:
        """The weighted sum of the columns.

        Summed one column after the other, so that a customer alone gets to the last digit what it gets in the crowd: a
        matrix product adds in an order that depends on how many rows there are.
        """
        total = np.zeros(len(predictors))
        for column, weight in zip(self.columns(predictors), weights, strict=True):
            total += weight * column
        return total
