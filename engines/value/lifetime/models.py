"""Lifetime models as value models: expected purchases times the expected value of a purchase (Gamma-Gamma)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from pandas import DataFrame, Series

from engines.errors import InputError
from engines.messages import noted
from engines.value.contract import ValueModel, Window
from engines.value.lifetime import lifetime
from engines.value.lifetime.bgnbd import BGNBD
from engines.value.lifetime.gamma_gamma import ValueFit
from engines.value.lifetime.history import correlation, fit_notes, fit_value, history_arrays, repeat_buyers
from engines.value.lifetime.intervals import (
    PURCHASES_HIGH,
    PURCHASES_LOW,
    SPEND_HIGH,
    SPEND_LOW,
    Ahead,
    Future,
    Interval,
    Intervals,
    intervals,
)
from engines.value.lifetime.lifetime import LifetimeFit, LifetimeModel
from engines.value.lifetime.mbgnbd import MBGNBD
from engines.value.lifetime.paretonbd import ParetoNBD
from engines.value.lifetime.patterns import Floats, Histories, distinct_rows
from engines.value.lifetime.uncertainty import Uncertainty, uncertainty

_LEAST_CHANCE = 1e-9  # below it nobody is taken to buy


@dataclass(frozen=True)
class FittedLifetime:
    """A model of repeat purchases and one of their value, fitted to the same customers.

    ``uncertainty``: how far their parameters may be off; what intervals are made of.
    """

    lifetime: LifetimeFit
    value: ValueFit
    parameters: Mapping[str, float]
    uncertainty: Uncertainty
    notes: tuple[str, ...]

    def predict(self, customers: DataFrame, weeks: float) -> DataFrame:
        """Expected purchases, the chance of any, and purchases x the Gamma-Gamma mean, in the next ``weeks``.

        Raises:
            InputError: no customers, a missing column, a value that cannot be, or no time ahead.
        """
        weeks = _ahead(weeks)
        x, t_x, age, mean_value, _ = history_arrays(customers)
        histories = Histories.of(x, t_x, age)
        model = self.lifetime.model
        alive = model.alive(histories.x, histories.t_x, histories.age)
        (count, since), at, _ = distinct_rows(histories.x, histories.age)
        purchases = (alive * model.purchases_if_alive(count, since, weeks)[at])[histories.positions]
        some = (alive * (1.0 - model.none_if_alive(count, since, weeks)[at]))[histories.positions]
        spend = purchases * self.value.model.expected_value(x, mean_value)
        return DataFrame(
            {"expected_purchases": purchases, "p_purchase": some, "future_spend": spend}, index=customers.index
        )


def fit_lifetime_and_value(
    kind: type[LifetimeModel], histories: Histories, x: Floats, mean_value: Floats, monetary: Floats
) -> FittedLifetime:
    """A lifetime model and Gamma-Gamma, fitted to customers given as columns."""
    purchases = lifetime.fit_lifetime(kind, histories)
    value = fit_value(x, mean_value, monetary)
    figures = {
        **purchases.model.parameters(),
        "log_likelihood": purchases.model.log_likelihood(histories),
        "penalizer": purchases.penalizer,
        **value.model.parameters(),
    }
    who = repeat_buyers(x, mean_value)
    off = uncertainty(purchases, histories, value, x[who], mean_value[who])
    said = fit_notes(purchases, value, x, mean_value, correlation(x, mean_value))
    return FittedLifetime(purchases, value, figures, off, tuple(said))


def fit_dict(found: LifetimeFit | ValueFit, log_likelihood: float | None) -> dict[str, Any]:
    """A fit as JSON-ready values: its parameters, and how they were come by."""
    return {
        "parameters": found.model.parameters(),
        "log_likelihood": log_likelihood,
        "method": found.method,
        "penalizer": found.penalizer,
        "converged": found.converged,
    }


def spend_intervals(
    fitted: FittedLifetime,
    customers: DataFrame,
    weeks: float,
    level: float = 0.8,
    seed: int = 0,
    expected: DataFrame | None = None,
) -> Intervals:
    """Ranges of what customers will spend and how often they will buy in the weeks ahead, each and all together.

    Args:
        fitted: by one of the lifetime models.
        customers: with the feature columns; any order, one or many.
        weeks: how far ahead, above 0.
        level: the probability with which the truth shall lie within.
        seed: of the futures drawn; see :mod:`engines.value.lifetime.intervals`.
        expected: by other models, with the columns and the index of :meth:`FittedLifetime.predict`: the ranges then
            belong to these expectations.

    Raises:
        InputError: customers that cannot be valued, no time ahead, or a level that is no share.
    """
    weeks = _ahead(weeks)
    x, t_x, age, mean_value, _ = history_arrays(customers)
    future = Future(fitted.lifetime.model, fitted.value.model, fitted.uncertainty, weeks, level, seed)
    own = None if expected is None else fitted.predict(customers, weeks)
    ahead = None if own is None or expected is None else ahead_of(own, expected)
    bounds, spend, purchases = intervals(future, Histories.of(x, t_x, age), x, mean_value, ahead)
    if own is not None and expected is not None:
        spend = scaled(spend, own["future_spend"], expected["future_spend"])
        purchases = scaled(purchases, own["expected_purchases"], expected["expected_purchases"])
    columns = [SPEND_LOW, SPEND_HIGH, PURCHASES_LOW, PURCHASES_HIGH]
    return Intervals(level, DataFrame(bounds, customers.index, columns), spend, purchases)


def ahead_of(own: DataFrame, expected: DataFrame) -> Ahead | None:
    """What other models expect beside what the lifetime model does; None where that is the same.

    Args:
        own: answers of the lifetime model, ``p_purchase`` and ``future_spend``.
        expected: the same by the models in use.
    """
    if own[["p_purchase", "future_spend"]].equals(expected[["p_purchase", "future_spend"]]):
        return None
    now, before = (
        frame["future_spend"].to_numpy(np.float64) / np.maximum(frame["p_purchase"].to_numpy(np.float64), _LEAST_CHANCE)
        for frame in (expected, own)
    )
    factor = np.divide(now, before, out=np.zeros(len(own)), where=before > 0)
    return Ahead(expected["p_purchase"].to_numpy(dtype=np.float64), factor, now)


def scaled(total: Interval, own: Series, expected: Series) -> Interval:
    """The range of a total, moved in proportion to what is expected in all."""
    before, now = math.fsum(own), math.fsum(expected)
    share = now / before if before > 0 else 1.0
    return Interval(total.low * share, total.high * share)


def _ahead(weeks: float) -> float:
    if not (np.isfinite(weeks) and weeks > 0):
        raise InputError("weeks = {weeks!r} cannot be looked ahead; give a number above 0.", weeks=weeks)
    return float(weeks)


@dataclass(frozen=True)
class LifetimeValueModel(ValueModel):
    """What the lifetime models share: the fit of purchases is their own, that of purchase values is Gamma-Gamma."""

    answers = ("expected_purchases", "p_purchase", "future_spend")
    learns = False
    kind: ClassVar[type[LifetimeModel]]

    def fit(self, customers: DataFrame, past: Sequence[Window]) -> FittedLifetime:
        """Fitted to the customers as they stand; windows of the past are not looked at.

        Raises:
            InputError: no customers, a missing column or a value that cannot be.
        """
        x, t_x, age, mean_value, monetary = history_arrays(customers)
        return fit_lifetime_and_value(self.kind, Histories.of(x, t_x, age), x, mean_value, monetary)


@dataclass(frozen=True)
class BGNBDModel(LifetimeValueModel):
    """BG/NBD x Gamma-Gamma."""

    title = noted("BG/NBD x Gamma-Gamma")
    summary = noted("Every customer has a rhythm, and a chance of leaving after each repeat purchase.")
    kind = BGNBD


@dataclass(frozen=True)
class MBGNBDModel(LifetimeValueModel):
    """MBG/NBD x Gamma-Gamma."""

    title = noted("MBG/NBD x Gamma-Gamma")
    summary = noted("Every customer has a rhythm, and a chance of leaving after each purchase, the first one included.")
    kind = MBGNBD


@dataclass(frozen=True)
class ParetoNBDModel(LifetimeValueModel):
    """Pareto/NBD x Gamma-Gamma."""

    title = noted("Pareto/NBD x Gamma-Gamma")
    summary = noted("Every customer has a rhythm, and leaves at any moment, with or without a purchase.")
    kind = ParetoNBD


#: The lifetime models by the name that they have as value models, in configuration and in a valuation's ``model``.
LIFETIMES: dict[str, type[LifetimeModel]] = {kind.name: kind for kind in (BGNBD, MBGNBD, ParetoNBD)}
