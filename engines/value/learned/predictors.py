"""Predictors of the learned models: numbers known of a customer on a day, and the BG/NBD forecast they start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pandas import DataFrame

from engines.columns import (
    AGE,
    AVERAGE_ORDER_VALUE,
    CATEGORY_SHARE,
    FIRST_TO_LAST,
    FREQUENCY,
    IS_HOME_COUNTRY,
    ITEMS_PER_ORDER,
    MEAN_DAYS_BETWEEN_ORDERS,
    MEAN_REPEAT_VALUE,
    MONETARY,
    NET_MONETARY,
    PURCHASE_SPAN,
    RECENCY,
    REPEAT_PURCHASES,
    RETURN_RATE,
    TENURE,
    UNIQUE_PRODUCTS,
)
from engines.errors import InputError
from engines.value.lifetime import lifetime
from engines.value.lifetime.bgnbd import BGNBD
from engines.value.lifetime.gamma_gamma import GammaGamma
from engines.value.lifetime.history import fit_value, history_arrays
from engines.value.lifetime.lifetime import LifetimeModel
from engines.value.lifetime.patterns import Floats, Histories, distinct_rows

#: Predictors that are made of several columns.
ODDS = "lifetime_log_odds"  # of a purchase in the window, by BG/NBD: what carries the length of the window
OVERDUE = "overdue"  # days of silence against the customer's usual gap
PACE = "pace"  # orders against days since the first
SILENCE = "silence"  # share of the time since the first order without any

_LIFETIME = (REPEAT_PURCHASES, FIRST_TO_LAST, AGE, MEAN_REPEAT_VALUE)
_NEEDED = (*_LIFETIME, RECENCY, FREQUENCY, MONETARY, TENURE)
_LOGGED = (
    *(RECENCY, FREQUENCY, ITEMS_PER_ORDER, UNIQUE_PRODUCTS),
    *(MEAN_DAYS_BETWEEN_ORDERS, PURCHASE_SPAN),
)
#: Money is measured in purchases of the mean value, so that it does not matter whether it comes in pounds or in pence.
_MONEY = (MONETARY, NET_MONETARY, AVERAGE_ORDER_VALUE)
_PLAIN = (RETURN_RATE, IS_HOME_COUNTRY)
_SETTLING_IN = 30.0  # days added to the tenure, so that one order yesterday is not a pace of one a day
_SURE = 1e-9  # how near to 0 and 1 a probability may come before its odds are taken


@dataclass(frozen=True)
class Forecast:
    """BG/NBD with Gamma-Gamma, fitted on customers as they stood: the first guess that learning starts from.

    It knows how long the window is, so what is learned from windows of one length serves for another.
    """

    lifetime: LifetimeModel
    value: GammaGamma

    @classmethod
    def of(cls, customers: DataFrame) -> Forecast:
        """Fitted on these customers, whatever the order of the rows.

        Raises:
            InputError: no customers, a missing column or a value that cannot be.
        """
        x, t_x, age, mean_value, monetary = history_arrays(customers)
        bought = lifetime.fit_lifetime(BGNBD, Histories.of(x, t_x, age)).model
        return cls(bought, fit_value(x, mean_value, monetary).model)

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Its parameters, JSON-ready."""
        return {"lifetime": self.lifetime.parameters(), "value": self.value.parameters()}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Mapping[str, float]]) -> Forecast:
        """As it was before :meth:`to_dict`."""
        return cls(BGNBD(**entry["lifetime"]), GammaGamma(**entry["value"]))

    def chance(self, customers: DataFrame, weeks: float) -> Floats:
        """P(at least one purchase in the weeks ahead), strictly between 0 and 1."""
        x, t_x, age, _ = _floats(customers, _LIFETIME)
        chance = self.lifetime.alive(x, t_x, age) * (1.0 - self.lifetime.none_if_alive(x, age, weeks))
        return np.clip(chance, _SURE, 1.0 - _SURE)

    def log_odds(self, customers: DataFrame, weeks: float) -> Floats:
        """Log-odds of :meth:`chance`."""
        chance = self.chance(customers, weeks)
        return np.asarray(np.log(chance) - np.log1p(-chance))

    def spend(self, customers: DataFrame, weeks: float) -> Floats:
        """Expected purchases in the weeks ahead times their expected value, in the currency."""
        x, t_x, age, mean_value = _floats(customers, _LIFETIME)
        (some_x, some_age), at, _ = distinct_rows(x, age)  # the costly part depends on these two alone
        purchases = self.lifetime.purchases_if_alive(some_x, some_age, weeks)[at] * self.lifetime.alive(x, t_x, age)
        return np.asarray(purchases * np.maximum(self.value.expected_value(x, mean_value), 0.0))


def predictors_of(customers: DataFrame, forecast: Forecast, weeks: float) -> DataFrame:
    """One row of numbers per customer, from columns of the customer table alone; missing where they are.

    Counts, money and days are taken as log1p, so that what counts is how many times as much. Left out is tenure: with
    every month that passes it takes values that no lesson had. It enters through ratios. Columns of which a table has
    none (items, products, shares) are left out too.

    Args:
        customers: with the columns of the data dictionary, as of the day from which on is predicted.
        forecast: fitted on customers as they stood that day.
        weeks: length of the window ahead.

    Raises:
        InputError: a column that every model needs is missing.
    """
    missing = [name for name in _NEEDED if name not in customers.columns]
    if missing:
        raise InputError(
            "Learning who buys again needs {needed}; this table has no {missing}. Build the customer "
            "table from sales lines first.",
            needed=", ".join(_NEEDED),
            missing=", ".join(missing),
        )
    recency, frequency, tenure = _floats(customers, (RECENCY, FREQUENCY, TENURE))
    mean = forecast.value.population_mean
    unit = mean if np.isfinite(mean) and mean > 0 else 1.0
    made = {ODDS: forecast.log_odds(customers, weeks)}
    shares = [str(name) for name in customers.columns if str(name).startswith(CATEGORY_SHARE)]
    for name in (*_LOGGED, *_MONEY, *_PLAIN, *sorted(shares)):
        if name in customers.columns:
            (values,) = _floats(customers, (name,))
            if name in _MONEY:
                values = values / unit
            made[name] = np.log1p(np.maximum(values, 0.0)) if name in (*_LOGGED, *_MONEY) else values
    if MEAN_DAYS_BETWEEN_ORDERS in customers.columns:
        (gap,) = _floats(customers, (MEAN_DAYS_BETWEEN_ORDERS,))
        made[OVERDUE] = np.log1p(recency / np.maximum(gap, 1.0))
    made[PACE] = np.log(np.maximum(frequency, 1.0) / (tenure + _SETTLING_IN))
    made[SILENCE] = recency / np.maximum(tenure, 1.0)
    return DataFrame(made, index=customers.index)


def _floats(customers: DataFrame, names: tuple[str, ...]) -> list[Floats]:
    return [customers[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in names]
