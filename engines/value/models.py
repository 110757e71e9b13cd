"""The lifetime models as value models: how often customers will buy, times what a purchase of theirs is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pandas import DataFrame

from engines.errors import InputError
from engines.value import lifetime
from engines.value.bgnbd import BGNBD
from engines.value.contract import ValueModel, Window
from engines.value.gamma_gamma import ValueFit
from engines.value.history import correlation, fit_value, notes, read
from engines.value.lifetime import LifetimeFit, LifetimeModel
from engines.value.mbgnbd import MBGNBD
from engines.value.paretonbd import ParetoNBD
from engines.value.patterns import Histories, distinct


@dataclass(frozen=True)
class FittedLifetime:
    """A model of repeat purchases and one of their value, fitted to the same customers."""

    lifetime: LifetimeFit
    value: ValueFit
    parameters: Mapping[str, float]
    notes: tuple[str, ...]

    def predict(self, customers: DataFrame, weeks: float) -> DataFrame:
        """Expected purchases, the chance of any, and purchases x the Gamma-Gamma mean, in the next ``weeks``.

        Raises:
            InputError: no customers, a missing column, a value that cannot be, or no time ahead.
        """
        if not (np.isfinite(weeks) and weeks > 0):
            raise InputError(f"weeks = {weeks!r} cannot be looked ahead; give a number above 0.")
        x, t_x, age, mean_value, _ = read(customers)
        histories = Histories.of(x, t_x, age)
        model = self.lifetime.model
        alive = model.alive(histories.x, histories.t_x, histories.age)
        (count, since), at, _ = distinct(histories.x, histories.age)
        purchases = (alive * model.purchases_if_alive(count, since, weeks)[at])[histories.positions]
        some = (alive * (1.0 - model.none_if_alive(count, since, weeks)[at]))[histories.positions]
        spend = purchases * self.value.model.expected_value(x, mean_value)
        return DataFrame(
            {"expected_purchases": purchases, "p_purchase": some, "future_spend": spend}, index=customers.index
        )


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
        x, t_x, age, mean_value, monetary = read(customers)
        histories = Histories.of(x, t_x, age)
        purchases = lifetime.fit(self.kind, histories)
        value = fit_value(x, mean_value, monetary)
        figures = {
            **purchases.model.parameters(),
            "log_likelihood": purchases.model.log_likelihood(histories),
            "penalizer": purchases.penalizer,
            **value.model.parameters(),
        }
        told = notes(purchases, value, x, mean_value, correlation(x, mean_value))
        return FittedLifetime(purchases, value, figures, told)


@dataclass(frozen=True)
class BGNBDModel(LifetimeValueModel):
    """BG/NBD x Gamma-Gamma."""

    title = "BG/NBD x Gamma-Gamma"
    summary = "Every customer has a rhythm, and a chance of leaving after each repeat purchase."
    kind = BGNBD


@dataclass(frozen=True)
class MBGNBDModel(LifetimeValueModel):
    """MBG/NBD x Gamma-Gamma."""

    title = "MBG/NBD x Gamma-Gamma"
    summary = "Every customer has a rhythm, and a chance of leaving after each purchase, the first one included."
    kind = MBGNBD


@dataclass(frozen=True)
class ParetoNBDModel(LifetimeValueModel):
    """Pareto/NBD x Gamma-Gamma."""

    title = "Pareto/NBD x Gamma-Gamma"
    summary = "Every customer has a rhythm, and leaves at any moment, with or without a purchase."
    kind = ParetoNBD


#: The lifetime models by the name that they have as value models, in configuration and in a valuation's ``model``.
LIFETIMES: dict[str, type[LifetimeModel]] = {kind.name: kind for kind in (BGNBD, MBGNBD, ParetoNBD)}
