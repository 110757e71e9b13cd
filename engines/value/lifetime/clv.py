"""CLV: expected spend of every customer in the horizon, discounted to today, and the risk of no purchase."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pandas import DataFrame, Index, Series

from engines.columns import (
    CHURN_RISK,
    CLV,
    CLV_HIGH,
    CLV_LOW,
    EXPECTED_PURCHASE_VALUE,
    EXPECTED_PURCHASES,
    P_ALIVE,
    P_PURCHASE,
    VALUE_COLUMNS,
)
from engines.errors import InputError
from engines.value.lifetime.bgnbd import BGNBD
from engines.value.lifetime.gamma_gamma import GammaGamma
from engines.value.lifetime.history import correlation, history_arrays, rank_correlation, repeat_buyers
from engines.value.lifetime.intervals import Future, intervals
from engines.value.lifetime.lifetime import LifetimeModel
from engines.value.lifetime.models import (
    LIFETIMES,
    FittedLifetime,
    ahead_of,
    fit_dict,
    fit_lifetime_and_value,
    scaled,
)
from engines.value.lifetime.patterns import Floats, Histories, distinct_rows
from engines.value.lifetime.uncertainty import Uncertainty

WEEKS_PER_YEAR = 365.25 / 7
LONGEST_HORIZON = 520  # weeks: ten years, beyond which no purchase history says anything


@dataclass(frozen=True)
class Valuation:
    """The estimated future of every customer.

    ``columns``: exactly ``VALUE_COLUMNS``, finite for everyone, on the index of the customers given.
    ``model``: JSON-ready. ``model`` in it names the lifetime model; under its name and ``gamma_gamma`` are
    ``parameters``, ``log_likelihood`` (total over the customers fitted, time in weeks, money in the currency; None
    where there is none), ``method``, ``penalizer`` and ``converged`` (plain maximum likelihood did); then counts;
    ``frequency_value_correlation`` (Pearson) and ``frequency_value_rank_correlation`` (Spearman); horizon and rate;
    ``uncertainty``, ``interval`` and ``seed``, which intervals are made of; and ``total``: ``clv``, ``spend`` and
    ``purchases`` of all customers, and ``*_range``, each from low to high. ``notes``: what a reader of the figures
    should know, in plain sentences.
    """

    columns: DataFrame
    model: dict[str, Any]
    notes: tuple[str, ...]


def estimate(
    customers: DataFrame,
    *,
    horizon_weeks: float = 26,
    discount_rate: float = 0.10,
    model: str = "bg_nbd",
    interval: float = 0.8,
    seed: int = 0,
    fit: FittedLifetime | None = None,
    expected: DataFrame | None = None,
) -> Valuation:
    """CLV with its interval, expected purchases and their value, and chances of every customer, by a lifetime model.

    CLV is the sum over the weeks i = 1..horizon of (purchases expected in week i) x (expected purchase value)
    / (1 + discount_rate)^(i / 52.18): money that comes in week i counts as if it came at the end of it, and a year has
    365.25 / 7 weeks; a horizon that is no whole number of weeks ends with a shorter one.
    ``lifetimes.customer_lifetime_value`` takes months of 4.345 weeks and a monthly rate instead; with its steps
    :func:`discounted_purchases` gives its figures. Weeks fit any horizon, and discount a payment by half a week too
    much on average instead of half a month: at 10 % a year about 0.3 % more CLV.

    The interval is that of :func:`engines.value.lifetime.models.spend_intervals`, with the discount that the CLV has.
    CLV is a mean: where few are likely to buy at all, it lies above the interval, as most of them will spend nothing.

    Expected purchases and future spend are not discounted. Churn risk is 1 - the probability of a purchase, which is
    P(alive) x P(a purchase in the horizon | alive); see ``none_if_alive`` of the model.

    Args:
        customers: one row each, with ``REPEAT_PURCHASES``, ``FIRST_TO_LAST`` and ``AGE`` (weeks), ``MEAN_REPEAT_VALUE``
            and ``MONETARY`` (currency). Any index; the order of the rows changes nothing.
        horizon_weeks: how far ahead to look, 1 to 520 weeks, in whole days: 184 / 7 is half a year from 1 July.
        discount_rate: per year, 0.10 being ten per cent.
        model: of purchases, a name in :data:`engines.value.lifetime.models.LIFETIMES`.
        interval: the probability with which spend shall lie within the interval.
        seed: of the futures that the interval is drawn from.
        fit: the model fitted to these customers, where that has been done already.
        expected: ``expected_purchases``, ``p_purchase`` and ``future_spend`` of each within the horizon, where other
            models foresee them; the lifetime model then says when they come, and how far they may be off.

    Raises:
        InputError: no customers, a missing column, a value that cannot be, or a horizon, rate, model or interval that
            cannot be.
    """
    if model not in LIFETIMES:
        raise InputError(
            "clv model = {model!r} is no lifetime model; choose from {lifetimes}.",
            model=model,
            lifetimes=", ".join(LIFETIMES),
        )
    if not 1 <= horizon_weeks <= LONGEST_HORIZON or not math.isclose(7 * horizon_weeks, round(7 * horizon_weeks)):
        raise InputError(
            "clv horizon_weeks = {horizon_weeks!r} cannot be; give whole weeks between 1 and "
            "{longest_horizon}, or sevenths of them.",
            horizon_weeks=horizon_weeks,
            longest_horizon=LONGEST_HORIZON,
        )
    if not (math.isfinite(discount_rate) and discount_rate >= 0):
        raise InputError(
            "clv discount_rate = {discount_rate!r} cannot be; give a yearly rate of 0 or more, such as 0.10.",
            discount_rate=discount_rate,
        )
    x, t_x, age, mean_value, monetary = history_arrays(customers)
    histories = Histories.of(x, t_x, age)
    fit = fit or fit_lifetime_and_value(LIFETIMES[model], histories, x, mean_value, monetary)
    lifetime, value = fit.lifetime, fit.value
    horizon = Horizon(float(horizon_weeks), float(discount_rate))
    future = Future(lifetime.model, value.model, fit.uncertainty, horizon.weeks, interval, seed)
    columns, total = _columns(future, horizon, histories, x, mean_value, customers.index, expected)

    who = repeat_buyers(x, mean_value)
    details = {
        "model": model,
        model: fit_dict(lifetime, fit.parameters["log_likelihood"]),
        "gamma_gamma": {
            **fit_dict(value, value.likelihood(x[who], mean_value[who])),
            "population_mean": value.model.population_mean,
        },
        "customers": len(customers),
        "distinct_histories": len(histories.x),
        "repeat_buyers": int((x > 0).sum()),
        "repeat_buyers_with_positive_value": int(who.sum()),
        "frequency_value_correlation": correlation(x, mean_value),
        "frequency_value_rank_correlation": rank_correlation(x, mean_value),
        "horizon_weeks": int(horizon_weeks) if horizon_weeks == int(horizon_weeks) else float(horizon_weeks),
        "discount_rate": float(discount_rate),
        "uncertainty": fit.uncertainty.to_dict(),
        "interval": float(interval),
        "seed": int(seed),
        "total": total,
    }
    return Valuation(columns, details, fit.notes)


def clv_alone(
    customers: DataFrame, *, horizon_weeks: float = 26, discount_rate: float = 0.10, model: str = "bg_nbd"
) -> Series:
    """The CLV of :func:`estimate` and nothing else: what a look at many dates can afford."""
    x, t_x, age, mean_value, monetary = history_arrays(customers)
    histories, horizon = Histories.of(x, t_x, age), Horizon(float(horizon_weeks), float(discount_rate))
    fit = fit_lifetime_and_value(LIFETIMES[model], histories, x, mean_value, monetary)
    _, discounted = discounted_purchases(fit.lifetime.model, histories, horizon.times, horizon.factors)
    clv = discounted[histories.positions] * fit.value.model.expected_value(x, mean_value)
    return Series(clv, index=customers.index, name=CLV)


def revalue(customers: DataFrame, model: Mapping[str, Any], expected: DataFrame | None = None) -> DataFrame:
    """``VALUE_COLUMNS`` of customers by models fitted earlier on others: what even one new customer can be given.

    The customers that the models were fitted on get exactly what :func:`estimate` gave them.

    Args:
        customers: as for :func:`estimate`.
        model: the ``model`` of a :class:`Valuation`, also when it has been through JSON.
        expected: as for :func:`estimate`.

    Raises:
        InputError: no customers, a missing column or a value that cannot be.
    """
    x, t_x, age, mean_value, _ = history_arrays(customers)
    name = model.get("model", BGNBD.name)
    horizon = Horizon(float(model["horizon_weeks"]), float(model["discount_rate"]))
    future = Future(
        LIFETIMES[name](**model[name]["parameters"]),
        GammaGamma(**model["gamma_gamma"]["parameters"]),
        Uncertainty.from_dict(model.get("uncertainty")),
        horizon.weeks,
        float(model.get("interval", 0.8)),
        int(model.get("seed", 0)),
    )
    return _columns(future, horizon, Histories.of(x, t_x, age), x, mean_value, customers.index, expected)[0]


@dataclass(frozen=True)
class Horizon:
    """How far ahead, in weeks, and what money is worth: ``rate`` per year."""

    weeks: float
    rate: float

    @property
    def times(self) -> Floats:
        """The ends of its weeks, and its own."""
        whole = np.arange(1.0, np.floor(self.weeks + 1e-9) + 1.0)
        return whole if self.weeks - len(whole) < 1e-9 else np.append(whole, self.weeks)

    @property
    def factors(self) -> Floats:
        """What money that comes by each of ``times`` is worth today."""
        return np.asarray((1.0 + self.rate) ** (-self.times / WEEKS_PER_YEAR), dtype=np.float64)


def _columns(
    future: Future,
    horizon: Horizon,
    histories: Histories,
    x: Floats,
    mean_value: Floats,
    index: Index,
    expected: DataFrame | None,
) -> tuple[DataFrame, dict[str, Any]]:
    """``VALUE_COLUMNS``, and the totals with their ranges."""
    model = future.lifetime
    purchases_if_alive, discounted, silent = _ahead(model, histories, horizon.times, horizon.factors)
    alive = model.alive(histories.x, histories.t_x, histories.age)
    at = histories.positions
    purchase_value = future.value.expected_value(x, mean_value)
    purchases = (alive * purchases_if_alive)[at]
    own = DataFrame(
        {
            "expected_purchases": purchases,
            "p_purchase": (alive * (1.0 - silent))[at],
            "future_spend": purchases * purchase_value,
        },
        index=index,
    )
    ahead = None if expected is None else ahead_of(own, expected)
    ranges, total_spend, total_purchases = intervals(future, histories, x, mean_value, ahead)
    # what a payment is worth on average: of whom nothing is expected, as of one at the end
    some = purchases_if_alive > 0
    worth = np.where(some, discounted / np.where(some, purchases_if_alive, 1.0), horizon.factors[-1])[at]
    chance, spend, clv = own["p_purchase"].to_numpy(), own["future_spend"].to_numpy(), (alive * discounted)[at]
    clv, p_alive = clv * purchase_value, alive[at]
    if expected is not None:
        total_spend = scaled(total_spend, own["future_spend"], expected["future_spend"])
        total_purchases = scaled(total_purchases, own["expected_purchases"], expected["expected_purchases"])
        purchases, chance, spend = (expected[name].to_numpy(dtype=np.float64) for name in own.columns)
        purchase_value = np.divide(spend, purchases, out=purchase_value.copy(), where=purchases > 0)
        clv, p_alive = spend * worth, np.maximum(p_alive, chance)
    columns = DataFrame(
        {
            EXPECTED_PURCHASES: purchases,
            EXPECTED_PURCHASE_VALUE: purchase_value,
            CLV: clv,
            CLV_LOW: ranges[:, 0] * worth,
            CLV_HIGH: ranges[:, 1] * worth,
            P_ALIVE: p_alive,
            P_PURCHASE: chance,
            CHURN_RISK: 1.0 - chance,
        },
        index=index,
    )[list(VALUE_COLUMNS)]
    sums = {name: math.fsum(values) for name, values in (("clv", clv), ("spend", spend), ("purchases", purchases))}
    share = sums["clv"] / sums["spend"] if sums["spend"] > 0 else 1.0
    total = {
        **sums,
        "clv_range": [end * share for end in total_spend],
        "spend_range": list(total_spend),
        "purchases_range": list(total_purchases),
    }
    return columns, total


def discounted_purchases(
    model: LifetimeModel, histories: Histories, times: Floats, factors: Floats
) -> tuple[Floats, Floats]:
    """Purchases expected up to the last of ``times``, plain and discounted, one value per distinct history.

    The purchases expected between one time and the next count ``factors`` each. With
    ``times = 4.345 * arange(1, months + 1)`` and ``factors = (1 + monthly_rate) ** -arange(1, months + 1)`` this is
    what ``lifetimes.customer_lifetime_value`` sums.

    Args:
        model: of repeat purchases, time in weeks.
        histories: distinct purchase histories.
        times: ascending, in weeks from now, shape ``(steps,)``.
        factors: what a purchase in each step is worth today, shape ``(steps,)``.
    """
    alive = model.alive(histories.x, histories.t_x, histories.age)
    expected, discounted, _ = _ahead(model, histories, times, factors)
    return alive * expected, alive * discounted


def _ahead(model: LifetimeModel, histories: Histories, times: Floats, factors: Floats) -> tuple[Floats, Floats, Floats]:
    """For who is alive: purchases up to the last time, the same discounted, and the chance of none.

    All three depend on ``x`` and age alone, so they are worked out once per distinct pair.
    """
    (x, age), at, _ = distinct_rows(histories.x, histories.age)
    so_far = np.zeros_like(x)
    discounted = np.zeros_like(x)
    for time, factor in zip(times, factors, strict=True):
        by_then = np.maximum(model.purchases_if_alive(x, age, float(time)), so_far)
        discounted += factor * (by_then - so_far)
        so_far = by_then
    return so_far[at], discounted[at], model.none_if_alive(x, age, float(times[-1]))[at]
