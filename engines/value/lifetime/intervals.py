"""Prediction intervals of purchases and spend, per customer and in total.

Two things are uncertain: the parameters, learnt from so many customers and no more, and chance itself, even if they
were known. Both are in here. Parameters are drawn from the normal distribution of
:class:`~engines.value.lifetime.uncertainty.Uncertainty`; given those, the number of purchases ahead has an exact
distribution
(:meth:`~engines.value.lifetime.lifetime.LifetimeModel.at_least_if_alive` times P(alive)), and the spend on n
purchases is that
of Gamma-Gamma: (v + x m) times a ratio of Gamma(p n) to Gamma(q + p x), by sections 2 and 3 of note 025.

Every customer is looked at under the same :data:`DRAWS` futures, so an interval depends on the customer's own history
and the seed alone: not on the order of the rows, who else is there, or how many are worked on at a time. A total is not
taken from those, as customers do not share their luck: for each draw of the parameters its mean and variance are added
up exactly, and its distribution is taken to be the gamma distribution of that mean and variance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from pandas import DataFrame

from engines.errors import InputError
from engines.value.lifetime.gamma_gamma import GammaGamma
from engines.value.lifetime.lifetime import LifetimeModel
from engines.value.lifetime.patterns import Floats, Histories, Indices, distinct_rows
from engines.value.lifetime.uncertainty import Uncertainty, lifetime_at, root, value_at

PARAMETER_DRAWS, CHANCES = 32, 16
#: Futures that every customer is looked at under: so many of chance for each draw of the parameters.
DRAWS = PARAMETER_DRAWS * CHANCES
BATCH = 2048  # histories, or customers, at a time
_RARE = 1e-4  # chances of so many purchases or more that are left out
_MOST = 2**16  # purchases ahead of one customer that are told apart
_EDGE = 0.5 / DRAWS  # the first and last 1/1024 of every distribution is cut off
_LEAST_EXCESS = 0.1  # of q + p x over 2, below which the variance of spend has no end

SPEND_LOW, SPEND_HIGH = "spend_low", "spend_high"
PURCHASES_LOW, PURCHASES_HIGH = "purchases_low", "purchases_high"


class Interval(NamedTuple):
    """From where to where, with the probability that was asked for."""

    low: float
    high: float


@dataclass(frozen=True)
class Intervals:
    """Ranges of what happens in the weeks ahead; money is not discounted.

    ``level``: the probability of lying within, half of the rest on each side. ``customers``: ``SPEND_LOW``,
    ``SPEND_HIGH`` (currency), ``PURCHASES_LOW``, ``PURCHASES_HIGH`` on the customers' index. ``spend`` and
    ``purchases``: of all together.
    """

    level: float
    customers: DataFrame
    spend: Interval
    purchases: Interval


@dataclass(frozen=True)
class Future:
    """The models, what their parameters may be off by, how far ahead is looked, and the seed of the futures drawn."""

    lifetime: LifetimeModel
    value: GammaGamma
    uncertainty: Uncertainty
    weeks: float
    level: float = 0.8
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.level < 1.0:
            raise InputError(
                "clv interval = {level!r} cannot be; give a share between 0 and 1, such as 0.8.", level=self.level
            )


class Ahead(NamedTuple):
    """What is expected of customers, one value each, where that is not by the lifetime model itself.

    ``chance``: of a purchase. ``factor``: how many times what the lifetime model expects of who buys is expected. The
    spread of spend among who buys stays the lifetime model's, stretched by the factor. ``if_any``: what is expected of
    who buys (currency), which stands alone where the lifetime model sees no purchase in any future.
    """

    chance: Floats
    factor: Floats
    if_any: Floats


class _Draws(NamedTuple):
    lifetimes: list[LifetimeModel]
    values: list[GammaGamma]
    purchases: Floats  # uniform, shape (PARAMETER_DRAWS, CHANCES); as are the next two
    spend: Floats
    rhythm: Floats


def intervals(
    future: Future, histories: Histories, x: Floats, mean_value: Floats, ahead: Ahead | None = None
) -> tuple[Floats, Interval, Interval]:
    """Ranges of customers given by their histories, and as columns of repeat purchases and their mean value.

    ``ahead``: what is expected of each by other models; the totals stay the lifetime model's.

    Returns:
        Shape ``(customers, 4)``: low and high spend, low and high number of purchases; then the total spend's range,
        and that of all purchases.
    """
    spent = x * np.maximum(mean_value, 0.0)
    # customers alike in history and spend are one row; rows go by how much is expected, so that a batch has much the
    # same
    places = _places(future, histories)
    (of_history, paid, *other), at, alike = distinct_rows(places[histories.positions], spent, *(ahead or ()))
    order = np.argsort(places)
    histories_x, histories_t, histories_age = histories.x[order], histories.t_x[order], histories.age[order]
    draws = _drawn(future)
    gammas = _Gammas(draws, np.unique(histories.x))
    bounds = np.empty((len(paid), 4))
    totals = np.zeros((4, PARAMETER_DRAWS))
    borders = np.searchsorted(of_history, np.arange(0, len(order) + BATCH, BATCH))
    for batch, (start, end) in enumerate(pairwise(borders)):
        part = slice(batch * BATCH, (batch + 1) * BATCH)
        before = histories_x[part]
        counts, first, second = _purchases(future, draws, before, histories_t[part], histories_age[part])
        ratios = gammas.ratios(counts, before)
        rows = of_history[start:end] - batch * BATCH
        money, weights = paid[start:end], alike[start:end]
        here = Ahead(*(column[start:end] for column in other)) if other else None
        bounds[start:end] = _ranges(future.level, draws, ratios, counts, rows, money, here)
        sums = [np.bincount(rows, weights * money**power, len(first)).astype(np.float64) for power in (0, 1, 2)]
        totals += _moments(draws, before, first, second, sums)
    spend, purchases = (_total(future.level, totals[row], totals[row + 1]) for row in (0, 2))
    return bounds[at], spend, purchases


def _places(future: Future, histories: Histories) -> Indices:
    """The place of each history when those alike in purchases and age stand together, and expect more and more."""
    (count, since), pair, _ = distinct_rows(histories.x, histories.age)
    expected = future.lifetime.purchases_if_alive(count, since, future.weeks)
    rank = np.empty(len(count), dtype=np.int64)
    rank[np.argsort(expected, kind="stable")] = np.arange(len(count))
    place = np.empty(len(pair), dtype=np.int64)
    place[np.argsort(rank[pair], kind="stable")] = np.arange(len(pair))
    return place


def _drawn(future: Future) -> _Draws:
    """The parameters of each draw, with exactly the mean and covariance they shall have, and the numbers of chance."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    random = np.random.default_rng(future.seed)
    normal = ndtri(qmc.Sobol(7, scramble=True, rng=random).random(PARAMETER_DRAWS))
    normal -= normal.mean(axis=0)
    normal = np.linalg.solve(np.linalg.cholesky(np.cov(normal, rowvar=False, bias=True)), normal.T).T
    shifts = normal[:, :4] @ root(future.uncertainty.lifetime).T
    value_shifts = normal[:, 4:] @ root(future.uncertainty.value).T
    chances = np.clip(qmc.Sobol(3, scramble=True, rng=random).random(DRAWS), _EDGE, 1.0 - _EDGE)
    purchases, spend, rhythm = chances.T.reshape(3, PARAMETER_DRAWS, CHANCES)
    return _Draws(
        [lifetime_at(future.lifetime, shift) for shift in shifts],
        [value_at(future.value, shift) for shift in value_shifts],
        purchases,
        spend,
        rhythm,
    )


def _purchases(future: Future, draws: _Draws, x: Floats, t_x: Floats, age: Floats) -> tuple[Indices, Floats, Floats]:
    """Purchases of each history in each future, shape ``(n, DRAWS)``, and E[N] and E[N^2] by draw of the parameters."""
    counts = np.empty((len(x), PARAMETER_DRAWS, CHANCES), dtype=np.int64)
    first, second = np.empty((2, len(x), PARAMETER_DRAWS))
    # if alive, everything depends on purchases and age alone
    (count, since), pair, _ = distinct_rows(x, age)
    most = 2
    for draw, model in enumerate(draws.lifetimes):
        alive = model.alive(x, t_x, age)
        while True:
            tail = model.at_least_if_alive(count, since, future.weeks, most)
            if tail[:, -1].max() < _RARE or most >= _MOST:
                break
            most += 1 + most // 3
        levels = np.argsort(draws.purchases[draw])
        counts[:, draw, levels] = _above(alive[:, None] * tail[pair], draws.purchases[draw, levels])
        first[:, draw] = alive * tail.sum(axis=1)[pair]
        second[:, draw] = alive * (tail * (2.0 * np.arange(1.0, most + 1.0) - 1.0)).sum(axis=1)[pair]
    return counts.reshape(len(x), DRAWS), first, second


def _above(tail: Floats, levels: Floats) -> Indices:
    """How many entries of each falling row are above each of the ascending levels; shape ``(rows, levels)``."""
    size = len(levels) + 1
    beaten = np.searchsorted(levels, tail)  # how many levels each entry is above
    of_row = np.bincount((beaten + size * np.arange(len(tail))[:, None]).ravel(), minlength=size * len(tail))
    return np.asarray(of_row.reshape(len(tail), size)[:, :0:-1].cumsum(axis=1)[:, ::-1], dtype=np.int64)


class _Gammas:
    """Gamma variates of every future for whole numbers of purchases, ahead and before, worked out once each."""

    def __init__(self, draws: _Draws, before: Floats) -> None:
        self._p = np.repeat([model.p for model in draws.values], CHANCES)
        q = np.repeat([model.q for model in draws.values], CHANCES)
        self._spend = draws.spend.reshape(DRAWS)
        self._before = before
        self._below = _gamma_quantile(q + self._p * before[:, None], draws.rhythm.reshape(DRAWS))
        self._above = np.zeros((1, DRAWS))

    def ratios(self, counts: Indices, x: Floats) -> Floats:
        """Spend in units of v + x m, shape ``(n, DRAWS)``; 0 without a purchase."""
        computed, most = len(self._above), int(counts.max())
        if most >= computed:
            further = np.arange(computed, most + 1.0)[:, None]
            self._above = np.concatenate([self._above, _gamma_quantile(self._p * further, self._spend)])
        above = self._above[counts, np.arange(DRAWS)]
        return np.asarray(above / self._below[np.searchsorted(self._before, x)], dtype=np.float64)


def _gamma_quantile(shape: Floats, level: Floats) -> Floats:
    from scipy.special import gammaincinv

    return np.asarray(gammaincinv(shape, level), dtype=np.float64)


def _ranges(
    level: float,
    draws: _Draws,
    ratios: Floats,
    counts: Indices,
    rows: Indices,
    paid: Floats,
    ahead: Ahead | None,
) -> Floats:
    unit = np.repeat([model.v for model in draws.values], CHANCES)
    ends = [(1.0 - level) / 2.0, (1.0 + level) / 2.0]
    bounds = np.empty((len(rows), 4))
    for start in range(0, len(rows), BATCH):
        part = slice(start, start + BATCH)
        spend = (unit + paid[part, None]) * ratios[rows[part]]
        if ahead is None:
            bounds[part, :2] = np.quantile(spend, ends, axis=1).T
            continue
        chance, alone = ahead.chance[part], ahead.if_any[part]
        bounds[part, :2] = _with_chance(spend * ahead.factor[part, None], chance, ends, alone)
        often = counts[rows[part]].astype(np.float64)
        bounds[part, 2:] = np.ceil(_with_chance(often, chance, ends, np.ones(len(chance))))
    if ahead is None:
        bounds[:, 2:] = np.quantile(counts, ends, axis=1, method="inverted_cdf").T[rows]
    return bounds


def _with_chance(futures: Floats, chance: Floats, ends: list[float], alone: Floats) -> Floats:
    """Quantiles of futures, shape ``(customers, DRAWS)``, in which something happens with another probability.

    What happens if anything does is spread as in the futures above 0; nothing happens with probability 1 - chance.
    Where none of the futures is above 0, nothing is known of that spread, and ``alone`` stands for it.
    """
    ordered = np.sort(futures, axis=1)
    some = (futures > 0).sum(axis=1)
    rows = np.arange(len(futures))
    found = np.zeros((len(futures), len(ends)))
    for column, end in enumerate(ends):
        share = (end - (1.0 - chance)) / np.maximum(chance, 1e-12)
        place = DRAWS - some + np.clip(share, 0.0, 1.0) * (some - 1.0)
        low = np.clip(np.floor(place), 0, DRAWS - 1).astype(np.int64)
        high = np.minimum(low + 1, DRAWS - 1)
        value = ordered[rows, low] + (place - low) * (ordered[rows, high] - ordered[rows, low])
        found[:, column] = np.where(share > 0.0, np.where(some > 0, value, alone), 0.0)
    return found


def _moments(draws: _Draws, x: Floats, first: Floats, second: Floats, sums: list[Floats]) -> Floats:
    """Mean and variance of the total spend, and of the total number of purchases, by draw of the parameters."""
    customers, paid, squared = sums
    result = np.empty((4, PARAMETER_DRAWS))
    for draw, model in enumerate(draws.values):
        mean, square = first[:, draw], second[:, draw]
        posterior_shape = model.q + model.p * x
        excess = np.maximum(posterior_shape - 2.0, _LEAST_EXCESS)
        per_unit = model.p * mean / (posterior_shape - 1.0)
        spread = (model.p**2 * square + model.p * mean) / ((posterior_shape - 1.0) * excess) - per_unit**2
        result[0, draw] = (per_unit * (customers * model.v + paid)).sum()
        result[1, draw] = (np.maximum(spread, 0.0) * (customers * model.v**2 + 2.0 * model.v * paid + squared)).sum()
        result[2, draw] = (customers * mean).sum()
        result[3, draw] = (customers * np.maximum(square - mean**2, 0.0)).sum()
    return result


def _total(level: float, means: Floats, variances: Floats) -> Interval:
    """The range of a total that is gamma distributed with these means and variances, each as likely as the others."""
    from scipy.special import gammainc

    some = (means > 0) & (variances > 0)
    if not some.any():
        return Interval(float(means.mean()), float(means.mean()))
    shape, scale = means[some] ** 2 / variances[some], variances[some] / means[some]
    nothing = 1.0 - some.mean()

    def below(amount: float) -> float:
        return float(nothing + some.mean() * gammainc(shape, amount / scale).mean())

    most = float((means + 40.0 * np.sqrt(variances)).max())
    low, high = (_where(below, end, most) for end in ((1.0 - level) / 2.0, (1.0 + level) / 2.0))
    return Interval(low, high)


def _where(below: Callable[[float], float], share: float, most: float) -> float:
    """Where a distribution function reaches a share, by halving."""
    low, high = 0.0, most
    for _ in range(100):
        middle = (low + high) / 2.0
        low, high = (middle, high) if below(middle) < share else (low, middle)
        if math.isclose(low, high, rel_tol=1e-12, abs_tol=1e-12):
            break
    return high
