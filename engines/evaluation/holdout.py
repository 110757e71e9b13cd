"""Holdout revenue: whether the segments that looked best before a date brought in the money after it."""

from __future__ import annotations

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
    after = spend_after.reindex(ordered.index).fillna(0.0).to_numpy(np.float64)
    if not after.sum() > 0:
        return None
    labels = labels_of(engine.title, fit(engine, ordered)[0], ordered).to_numpy()
    keys, codes = np.unique(labels, return_inverse=True)
    sizes = np.bincount(codes)
    worth = np.bincount(codes, ordered[MONETARY].to_numpy(np.float64)) / sizes
    order = np.lexsort((keys, -worth))
    customers, revenue = np.cumsum(sizes[order]), np.cumsum(np.bincount(codes, after)[order])
    return Capture(np.array([0, *customers]) / len(after), np.array([0.0, *revenue]) / after.sum())
