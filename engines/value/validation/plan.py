"""Dates of a backtest: cut-offs whose outcome is over, for training and for the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from engines.columns import MONETARY, MONEY_SCALE, REPEAT_PURCHASES
from engines.errors import InputError
from engines.value.contract import PURCHASES_AFTER, SPEND_AFTER, Window

#: Days of sales needed before a cut-off, and the least that an outcome may have.
DAYS_BEFORE, DAYS_AFTER = 90, 28
#: How many cut-offs there are to learn from, at most.
LESSONS = 3


@dataclass(frozen=True)
class Cut:
    """A cut-off (exclusive: the first day of the outcome) and how many days of outcome follow."""

    as_of: date
    days: int

    @property
    def end(self) -> date:
        """The day after the outcome's last."""
        return self.as_of + timedelta(days=self.days)

    @property
    def weeks(self) -> float:
        """Length of the outcome in weeks."""
        return self.days / 7


@dataclass(frozen=True)
class BacktestPlan:
    """One test and what may be learned from before it, for one length of looking ahead.

    ``test``: the cut-off the models are judged at; nothing from its midnight on is known to them. ``training``:
    cut-offs whose outcomes were over by then, the latest first; their outcomes are shorter where the history is.
    """

    test: Cut
    training: tuple[Cut, ...]

    @property
    def before(self) -> date:
        """``test.days`` before the test: what happened since is what naive guesses carry forward."""
        return self.test.as_of - timedelta(days=self.test.days)

    @property
    def dates(self) -> set[date]:
        """Every date as of which the customers are needed; ``before`` among them."""
        return {self.before, *(day for cut in (self.test, *self.training) for day in (cut.as_of, cut.end))}


def plan_backtest(first_day: date, as_of: date, days: int, *, cutoff: date | None = None) -> BacktestPlan | None:
    """The test for a look ahead of so many days and the cut-offs to learn from; None where the history is too short.

    Without a cut-off the test is of ``days`` days, or of as many as leave as much history before it, and ends with the
    sales. With one it is of all days from there on.

    Args:
        first_day: day of the first sale.
        as_of: the day up to which (exclusive) sales are known.
        days: how far ahead the models look.
        cutoff: the first day that the models shall not know.

    Raises:
        InputError: a cut-off that leaves fewer than ``DAYS_BEFORE`` days before it or ``DAYS_AFTER`` after it.
    """
    if cutoff is None:
        days = min(days, (as_of - first_day).days // 2)
        cutoff = as_of - timedelta(days=days)
        if days < DAYS_AFTER or (cutoff - first_day).days < DAYS_BEFORE:
            return None
    elif (cutoff - first_day).days < DAYS_BEFORE or (as_of - cutoff).days < DAYS_AFTER:
        raise InputError(
            "A cut-off after {cutoff} leaves too little: the sales go from {first_day} to {as_of}, "
            "and a check needs {days_before} days before it and {days_after} after it.",
            cutoff=cutoff - timedelta(days=1),
            first_day=first_day,
            as_of=as_of - timedelta(days=1),
            days_before=DAYS_BEFORE,
            days_after=DAYS_AFTER,
        )
    test = Cut(cutoff, (as_of - cutoff).days)
    return BacktestPlan(test, training_cuts(first_day, cutoff, test.days))


def training_cuts(first_day: date, known_until: date, days: int) -> tuple[Cut, ...]:
    """Cut-offs to learn from whose outcomes end by a date (exclusive), the latest first.

    Each is half an outcome before the one after it. Where the history is too short for one of so many days, there is
    one with the longest outcome that leaves as much history before it; none where that is too short as well.
    """
    days = min(days, (known_until - first_day).days // 2)
    if days < DAYS_AFTER:
        return ()
    starts = (known_until - timedelta(days=days + step * (days // 2)) for step in range(LESSONS))
    return tuple(Cut(start, days) for start in starts if (start - first_day).days >= DAYS_BEFORE)


def window(cut: Cut, tables: Mapping[date, DataFrame]) -> Window:
    """The customers at a cut-off with their outcome, from the customer tables of its two dates.

    What lies between is the difference of purchases and spend so far; money is subtracted as whole units. Where returns
    take off what was bought before, more may come back meanwhile than is bought: that is nothing bought, and so it is
    of customers who returned everything and are none any more.
    """
    before, after = tables[cut.as_of], tables[cut.end].reindex(tables[cut.as_of].index)
    more = after[REPEAT_PURCHASES].to_numpy(np.float64) - before[REPEAT_PURCHASES].to_numpy(np.float64)
    purchases = np.maximum(np.nan_to_num(more), 0)
    units = np.maximum(_units(after) - _units(before), 0)
    outcome = DataFrame({PURCHASES_AFTER: purchases.astype(np.int64), SPEND_AFTER: units / MONEY_SCALE}, before.index)
    return Window(cut.as_of, cut.weeks, before, outcome)


def windows(cuts: Sequence[Cut], tables: Mapping[date, DataFrame]) -> tuple[Window, ...]:
    """A window for each cut-off, in order."""
    return tuple(window(cut, tables) for cut in cuts)


def _units(customers: DataFrame) -> NDArray[np.int64]:
    money = np.nan_to_num(customers[MONETARY].to_numpy(np.float64))
    units: NDArray[np.int64] = np.rint(money * MONEY_SCALE).astype(np.int64)
    return units
