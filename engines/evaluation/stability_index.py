"""Population stability index and effect size of each column: how far the customers themselves have changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from engines.columns import AVERAGE_ORDER_VALUE, FREQUENCY, MONETARY, RECENCY
from engines.contract import Shift

#: What is watched, where a table has it.
WATCHED = (RECENCY, FREQUENCY, MONETARY, AVERAGE_ORDER_VALUE)
#: Into how many parts the customers of then are divided.
BINS = 10
#: From here on a population is usually said to have moved a little, and to have moved.
MODERATE, LARGE = 0.1, 0.25

#: A cohort of fewer customers, then or now, is left out where customers of the same age are compared.
_FEW = 10
#: How many standard deviations above its mean an index must be to be more than chance.
_DEVIATIONS = 3.0

Floats = NDArray[np.float64]
Cohorts = NDArray[np.int64]


def shifts(
    before: DataFrame,
    now: DataFrame,
    columns: Sequence[str] = WATCHED,
    cohorts: tuple[Cohorts, Cohorts] | None = None,
) -> tuple[Shift, ...]:
    """How far each watched column has moved between two customer tables, as sizes of effects.

    There are no tests of significance here: among thousands of customers any difference is significant. But among few
    customers an index is large by chance alone, so it is said whether it is larger than that.

    A shop grows older, and its customers with it: where it opened not long ago, everything moves though nothing has
    changed. Customers of the same age do not. But where a file begins in the middle of a shop's life, ages are wrong
    at first, and customers of the same apparent age move while all of them together do not. So a column has moved only
    as far as both say.

    Args:
        before: customers of then, one row each.
        now: customers of now, known of then or not.
        columns: those that both tables have are looked at; customers without a value are left out.
        cohorts: of each customer of then and of now, how long known, as a whole number of steps.
    """
    weights = None if cohorts is None else same_age_weights(*cohorts)
    result = []
    for name in columns:
        if name in before.columns and name in now.columns:
            then, today = (table[name].to_numpy(np.float64, na_value=np.nan) for table in (before, now))
            known = np.isfinite(then), np.isfinite(today)
            if known[0].any() and known[1].any():
                aged = None if weights is None else (weights[0][known[0]], weights[1][known[1]])
                result.append(_shift(name, then[known[0]], today[known[1]], aged))
    return tuple(result)


def _shift(name: str, then: Floats, today: Floats, aged: tuple[Floats, Floats] | None) -> Shift:
    edges = _edges(then, BINS)
    psi = _index(edges, then, today)
    beyond = psi > _chance(edges, len(then), len(today))
    same_age = None
    if aged is not None:
        of_then, of_now = (_effective(weights) for weights in aged)
        comparable = min(of_then, of_now) > 0
        same_age = _index(edges, then, today, aged) if comparable else None
        beyond = beyond and same_age is not None and same_age > _chance(edges, of_then, of_now)
    medians = float(np.median(then)), float(np.median(today))
    return Shift(name, psi, cliffs_delta(then, today), *medians, same_age, beyond)


def same_age_weights(before: Cohorts, now: Cohorts) -> tuple[Floats, Floats]:
    """Weights that give the customers of now the ages of those of then (direct standardisation).

    A cohort that has fewer than ten customers, then or now, has no weight on either side.

    Args:
        before: the cohort of each customer of then, 0 or more, shape ``(n,)``.
        now: the cohort of each customer of now, shape ``(m,)``.
    """
    number = int(max(before.max(initial=-1), now.max(initial=-1))) + 1
    then, today = np.bincount(before, minlength=number), np.bincount(now, minlength=number)
    both = (then >= _FEW) & (today >= _FEW)
    return both[before].astype(np.float64), np.where(both, then / np.maximum(today, 1), 0.0)[now]


def _effective(weights: Floats) -> float:
    """How many customers of equal weight would say as much (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum()) if weights.any() else 0.0


def _chance(edges: Floats, then: float, now: float) -> float:
    """What chance may make of an index where nothing moved, with so many customers.

    Over (1/n + 1/m) it is then distributed as chi-squared with one degree of freedom less than there are bins
    (Yurdakul & Naranjo 2020): its mean and three standard deviations.
    """
    freedom = len(edges)
    return (freedom + _DEVIATIONS * float(np.sqrt(2 * freedom))) * (1 / then + 1 / now)


def stability_index(before: Floats, now: Floats, bins: int = BINS) -> float:
    """The population stability index: sum of (q - p) ln(q / p) over bins, p and q the shares of then and now.

    Bins end at the tenths (``bins``) of the values of then, the first and last without end; tenths that coincide, as
    where half of the customers ordered once, make one bin. Half a customer is added to every bin that held anybody then
    or holds anybody now, so that an empty one gives a number. By custom below 0.1 says that nothing much moved, above
    0.25 that much did.

    Args:
        before: values of then, shape ``(n,)``, at least one, finite.
        now: values of now, shape ``(m,)``, at least one, finite.
        bins: into how many parts of equal size the values of then are divided, as far as they can be.
    """
    return _index(_edges(before, bins), before, now)


def _edges(before: Floats, bins: int) -> Floats:
    return np.unique(np.quantile(before, np.arange(1, bins) / bins, method="lower"))


def _index(edges: Floats, before: Floats, now: Floats, weights: tuple[Floats, Floats] | None = None) -> float:
    counts = np.array(
        [
            np.bincount(np.searchsorted(edges, values, side="left"), weight, minlength=len(edges) + 1)
            for values, weight in zip((before, now), weights or (None, None), strict=True)
        ]
    )
    held = counts[:, counts.any(axis=0)] + 0.5
    then, today = held / held.sum(axis=1, keepdims=True)
    return float(((today - then) * np.log(today / then)).sum())


def cliffs_delta(before: Floats, now: Floats) -> float:
    """Cliff's delta (1993), -1 to 1: the share of pairs in which the value of now is larger, less that of smaller ones.

    Some 0.15 is a small difference, 0.33 a middling one, 0.47 a large one.

    Args:
        before: values of then, shape ``(n,)``, at least one.
        now: values of now, shape ``(m,)``, at least one.
    """
    ordered = np.sort(before)
    larger = int(np.searchsorted(ordered, now, side="left").sum())
    smaller = len(before) * len(now) - int(np.searchsorted(ordered, now, side="right").sum())
    return (larger - smaller) / (len(before) * len(now))
