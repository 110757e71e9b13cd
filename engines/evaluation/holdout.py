"""Holdout revenue: whether the segments that looked best before a date brought in the money after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series

from engines.checks import labels_of
from engines.columns import MONETARY
from engines.contract import Engine
from engines.run import check, fit, in_order

#: The share of customers that the top segments hold.
TOP = 0.2
#: Days of sales that are needed before the cut-off and after it.
DAYS_BEFORE, DAYS_AFTER = 90, 28


def holdout_cutoff(first_day: date, as_of: date) -> date | None:
    """The day that divides the sales into three quarters to look at and one to be judged by.

    None where that leaves less than 90 days before it or less than 28 after it.

    Args:
        first_day: day of the first sale.
        as_of: the day up to which (exclusive) sales are known.
    """
    cutoff = as_of - timedelta(days=(as_of - first_day).days // 4)
    enough = (cutoff - first_day).days >= DAYS_BEFORE and (as_of - cutoff).days >= DAYS_AFTER
    return cutoff if enough else None


@dataclass(frozen=True)
class Capture:
    """What later revenue the segments brought in, the best segment by its spend before the cut-off first.

    ``customers`` and ``revenue``: shares of all customers and of the later revenue up to and with each segment, both
    from 0 to 1 (revenue may fall where returns outweigh what was bought).
    """

    customers: NDArray[np.float64]
    revenue: NDArray[np.float64]

    def at(self, share: float) -> float:
        """The share of later revenue of the first ``share`` of customers.

        A segment that is cut in two counts in proportion, as if its customers were taken at random: so ``share`` itself
        is what no segmentation would give, and few large segments are measured as many small ones are.
        """
        return float(np.interp(share, self.customers, self.revenue))


@dataclass(frozen=True)
class LaterSales:
    """What came after a cut-off: customers as they stood then, indexed by id, and what each spent from it on, by id.

    ``before`` has ``monetary`` and what engines need; who is not in ``spend_after`` spent nothing.
    """

    before: DataFrame
    spend_after: Series
    since: date


def holdout_curve(engine: Engine, before: DataFrame, spend_after: Series) -> Capture | None:
    """Which share of the revenue after a cut-off each share of customers brought in, by the segments before it.

    The engine is fitted on the customers as they stood at the cut-off. Segments are put in the order of their mean
    spend so far, the highest first. Customers who came after the cut-off are left out.

    Args:
        engine: with its settings.
        before: customers as of the cut-off, indexed by customer id, with what the engine needs and ``monetary``.
        spend_after: what customers spent from the cut-off on, by customer id; who is not in it spent nothing.

    Returns:
        None where nobody known at the cut-off bought afterwards.

    Raises:
        InputError: the engine cannot segment the customers of then.
    """
    check(engine, before)
    ordered = in_order(before)
    after = _after(ordered, spend_after)
    if not after.sum() > 0:
        return None
    labels = labels_of(engine.title, fit(engine, ordered)[0], ordered).to_numpy()
    return _curve(np.unique(labels, return_inverse=True)[1], ordered[MONETARY].to_numpy(np.float64), after)


def sorted_curve(scores: Series, spend_after: Series) -> Capture | None:
    """The same with no segments at all: customers simply sorted by a score known at the cut-off, the highest first.

    Customers of equal score count as one segment, which is cut in proportion. Whoever has no score comes last.

    Args:
        scores: by customer id; such as what each has spent so far.
        spend_after: as for :func:`holdout_curve`.

    Returns:
        None where nobody known at the cut-off bought afterwards.
    """
    after = _after(scores.to_frame(), spend_after)
    if not after.sum() > 0:
        return None
    values = scores.fillna(-np.inf).to_numpy(np.float64)
    different, codes = np.unique(-values, return_inverse=True)
    return _curve(codes, -np.arange(len(different), dtype=np.float64)[codes], after)


def captured_shares(
    codings: Sequence[NDArray[np.int64]], worth: NDArray[np.float64], after: NDArray[np.float64], draws: int, seed: int
) -> NDArray[np.float64]:
    """The share of later revenue of the top fifth by each coding, on all customers and on draws of them.

    Args:
        codings: each customer's segment, 0, 1, 2, ..., one array of shape (customers,) for each segmentation.
        worth: what each spent before the cut-off.
        after: what each spent from it on.
        draws: how many times as many customers are drawn with replacement.
        seed: of the draws, which are the same for every coding.

    Returns:
        Shape (1 + draws, codings): all customers first; NaN where the customers drawn spent nothing later.
    """
    random = np.random.default_rng(seed)
    shares = np.full((1 + draws, len(codings)), np.nan)
    for row in range(1 + draws):
        times = (
            np.bincount(random.integers(len(after), size=len(after)), minlength=len(after)).astype(np.float64)
            if row
            else np.ones(len(after))
        )
        if (after * times).sum() > 0:
            shares[row] = [_curve(codes, worth, after, times).at(TOP) for codes in codings]
    return shares


def _after(customers: DataFrame, spend_after: Series) -> NDArray[np.float64]:
    return np.asarray(spend_after.reindex(customers.index).fillna(0.0), dtype=np.float64)


def _curve(
    codes: NDArray[np.int64],
    worth: NDArray[np.float64],
    after: NDArray[np.float64],
    times: NDArray[np.float64] | None = None,
) -> Capture:
    """The curve of segments in the order of their mean worth, each customer counted so many times."""
    times = np.ones(len(after)) if times is None else times
    sizes = np.bincount(codes, times)
    mean = np.bincount(codes, worth * times) / np.maximum(sizes, 1)
    order = np.lexsort((np.arange(len(sizes)), -mean))
    customers, revenue = np.cumsum(sizes[order]), np.cumsum(np.bincount(codes, after * times)[order])
    return Capture(np.array([0, *customers]) / customers[-1], np.array([0.0, *revenue]) / revenue[-1])
