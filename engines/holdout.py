"""Asks what a shop asks of segments: whether those that looked best before a date brought in the money after it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from pandas import DataFrame, Series

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


def holdout_capture(engine: Engine, before: DataFrame, spend_after: Series) -> float | None:
    """The share of the revenue after a cut-off that the top fifth of customers bring in, by the segments before it.

    The engine is fitted on the customers as they stood at the cut-off. Segments are put in the order of their mean
    spend so far, the highest first, until they hold 20 % of the customers; the last one counts in proportion, as if
    its customers were taken at random. (So 0.2 is what no segmentation at all would give, and engines with few large
    segments are measured by the same fifth as engines with many.) Customers who came after the cut-off are left out.

    Args:
        engine: with its settings.
        before: customers as of the cut-off, indexed by customer id, with what the engine needs and ``monetary``.
        spend_after: what customers spent from the cut-off on, by customer id; who is not in it spent nothing.

    Returns:
        0 to 1; None where nobody known at the cut-off bought afterwards.

    Raises:
        InputError: the engine cannot segment the customers of then.
    """
    check(engine, before)
    ordered = in_order(before)
    after = spend_after.reindex(ordered.index).fillna(0.0).to_numpy(np.float64)
    if not after.sum() > 0:
        return None
    labels = fit(engine, ordered)[0].assign(ordered).to_numpy(np.int64)
    keys, codes = np.unique(labels, return_inverse=True)
    sizes = np.bincount(codes)
    worth = np.bincount(codes, ordered[MONETARY].to_numpy(np.float64)) / sizes
    order = np.lexsort((keys, -worth))
    customers, revenue = np.cumsum(sizes[order]), np.cumsum(np.bincount(codes, after)[order])
    return float(np.interp(TOP * len(after), [0, *customers], [0.0, *revenue]) / after.sum())
