"""Training examples from past windows: what was known of a customer, and what the customer then did."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from engines.clustering.sampling import sample_rows
from engines.errors import InputError
from engines.value.contract import PURCHASES_AFTER, SPEND_AFTER, FittedValueModel, ValueModel, Window
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


class Lessons:
    """What learning models have in common, worked out once for all of them: forecasts of days, and examples of windows.

    One is made for one look at a data set, handed from model to model and from origin to origin, and dropped with it.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._forecast: tuple[DataFrame, Forecast] | None = None
        self._measured: dict[tuple[date, float, int], Examples] = {}
        self._stacked: tuple[tuple[tuple[date, float, int], ...], Examples] | None = None

    def forecast(self, customers: DataFrame) -> Forecast:
        """BG/NBD x Gamma-Gamma fitted on customers as they stand."""
        if self._forecast is None or self._forecast[0] is not customers:
            self._forecast = customers, Forecast.of(sample_customers(customers, MOST, self.seed))
        return self._forecast[1]

    def examples(self, past: Sequence[Window], owner: str) -> Examples:
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
        keys = tuple((window.as_of, window.weeks, len(window.customers)) for window in past)
        if self._stacked is None or self._stacked[0] != keys:
            parts = [self._measure(key, window, MOST // len(past)) for key, window in zip(keys, past, strict=True)]
            self._stacked = keys, _stacked(parts)
        training = self._stacked[1]
        bought, others = int(training.bought.sum()), int((~training.bought).sum())
        if min(bought, others) < LEAST:
            raise InputError(
                "{owner} needs at least {least} customers that bought again and {least} that did not in "
                "the windows it learns from; there are {bought} and {others}. Give a longer history, or "
                "more customers.",
                owner=owner,
                least=LEAST,
                bought=bought,
                others=others,
            )
        if not len(training.predictors.columns):
            raise InputError(
                "{owner} cannot tell customers apart: they are all alike. Map more columns of the sales.", owner=owner
            )
        return training

    def _measure(self, key: tuple[date, float, int], window: Window, limit: int) -> Examples:
        if key not in self._measured:
            customers = sample_customers(window.customers, limit, self.seed)
            outcome = window.outcome.loc[customers.index]
            forecast = Forecast.of(customers)
            self._measured[key] = Examples(
                predictors_of(customers, forecast, window.weeks),
                forecast.chance(customers, window.weeks),
                forecast.spend(customers, window.weeks),
                outcome[PURCHASES_AFTER].to_numpy(np.float64) > 0,
                np.maximum(outcome[SPEND_AFTER].to_numpy(np.float64), 0.0),
                window.weeks,
            )
        return self._measured[key]


def _stacked(parts: Sequence[Examples]) -> Examples:
    predictors = pd.concat([part.predictors for part in parts], ignore_index=True)
    return Examples(
        predictors[[name for name in predictors.columns if predictors[name].nunique() > 1]],
        np.concatenate([part.chance for part in parts]),
        np.concatenate([part.spend for part in parts]),
        np.concatenate([part.bought for part in parts]),
        np.concatenate([part.spent for part in parts]),
        float(np.median([part.weeks for part in parts])),
    )


class LearnedModel(ValueModel):
    """A value model that learns from examples, and can share their preparation with others of its kind."""

    @abstractmethod
    def learn(self, customers: DataFrame, past: Sequence[Window], lessons: Lessons) -> FittedValueModel:
        """As ``fit``, with what others have prepared already.

        Raises:
            InputError: nothing, or not enough, to learn from.
        """

    def fit(self, customers: DataFrame, past: Sequence[Window]) -> FittedValueModel:
        """Learn from the windows.

        Raises:
            InputError: nothing, or not enough, to learn from.
        """
        return self.learn(customers, past, Lessons(getattr(self, "seed", 0)))


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

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Linear:
        """As it was before ``asdict``, also when it has been through JSON."""
        return cls(dict(entry["means"]), dict(entry["spreads"]), tuple(entry["flagged"]))

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
