"""Dates of backtests: cut-offs whose outcome is over, to learn from, to choose by, and to be shown."""

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
#: How many earlier origins models are chosen by, at most, and the fewest that choose at all.
EARLIER, FEWEST = 3, 2


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
    """One origin: a cut-off, what is tested after it, and what may be learned from before it.

    ``test``: the cut-off and the days over which purchases and spend are tested; nothing from its midnight on is known
    to the models. ``risk_days``: the days over which the risk of no purchase is tested. ``training``: cut-offs whose
    outcomes were over by the test's, the latest first.
    """

    test: Cut
    training: tuple[Cut, ...]
    risk_days: int

    @property
    def risk(self) -> Cut:
        """The cut-off with the days over which the risk is tested."""
        return Cut(self.test.as_of, self.risk_days)

    @property
    def before(self) -> date:
        """``test.days`` before the test: what happened since is what naive guesses carry forward."""
        return self.test.as_of - timedelta(days=self.test.days)

    @property
    def dates(self) -> set[date]:
        """Every date as of which the customers are needed; ``before`` among them."""
        cuts = (self.test, self.risk, *self.training)
        return {self.before, *(day for cut in cuts for day in (cut.as_of, cut.end))}


@dataclass(frozen=True)
class Origins:
    """Rolling origins: models are chosen at the earlier ones, and what they are worth is shown at the last.

    ``earlier``: the latest first; their outcomes were over by the cut-off of ``shown``, so that nothing of what is
    shown takes part in choosing. They may look less far ahead than ``shown``, where the history is short.
    """

    shown: BacktestPlan
    earlier: tuple[BacktestPlan, ...]

    @property
    def plans(self) -> tuple[BacktestPlan, ...]:
        """All of them, the latest first."""
        return (self.shown, *self.earlier)

    @property
    def enough(self) -> bool:
        """Whether there are origins enough to choose by."""
        return len(self.earlier) >= FEWEST


def plan_origins(
    first_day: date, as_of: date, days: int, risk_days: int, *, cutoff: date | None = None
) -> Origins | None:
    """The origins for a look ahead; None where the history is too short for any.

    Without a cut-off the last origin looks so far ahead that two more outcomes of that length fit between the first
    ``DAYS_BEFORE`` days and its own cut-off; where that would be fewer than ``DAYS_AFTER`` days, at most half of the
    history. With a cut-off it is of all days from there on, for purchases, spend and risk alike. The earlier origins
    are half an outcome apart, as long ahead as leaves each of them something to learn from.

    Args:
        first_day: day of the first sale.
        as_of: the day up to which (exclusive) sales are known.
        days: how far ahead purchases and spend are foreseen.
        risk_days: how far ahead the risk of no purchase is foreseen.
        cutoff: the first day that the models shall not know.

    Raises:
        InputError: a cut-off that leaves fewer than ``DAYS_BEFORE`` days before it or ``DAYS_AFTER`` after it.
    """
    history = (as_of - first_day).days
    if cutoff is None:
        most = (history - DAYS_BEFORE) // 3
        most = most if most >= DAYS_AFTER else history // 2
        days, risk_days = min(days, most), min(risk_days, most)
        cutoff = as_of - timedelta(days=max(days, risk_days))
        if most < DAYS_AFTER or (cutoff - first_day).days < DAYS_BEFORE:
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
    else:
        days = risk_days = (as_of - cutoff).days
    return Origins(_origin(first_day, cutoff, days, risk_days), _earlier(first_day, cutoff, days, risk_days))


def _origin(first_day: date, cutoff: date, days: int, risk_days: int) -> BacktestPlan:
    return BacktestPlan(Cut(cutoff, days), training_cuts(first_day, cutoff, lesson_days(days, risk_days)), risk_days)


def lesson_days(days: int, risk_days: int) -> int:
    """How long the outcomes are that models learn from: the shorter look ahead, so that more of them are over."""
    return max(DAYS_AFTER, min(days, risk_days))


def _earlier(first_day: date, known_until: date, days: int, risk_days: int) -> tuple[BacktestPlan, ...]:
    """Origins whose outcomes are over by a day (exclusive)."""
    most = max(DAYS_AFTER, ((known_until - first_day).days - DAYS_BEFORE) // 3)
    days, risk_days = min(days, most), min(risk_days, most)
    latest = known_until - timedelta(days=max(days, risk_days))
    # half an outcome apart, what one learns from is what another is tested on, and is worked out once
    step = lesson_days(days, risk_days) // 2
    cutoffs = (latest - timedelta(days=number * step) for number in range(EARLIER))
    return tuple(
        _origin(first_day, cutoff, days, risk_days) for cutoff in cutoffs if (cutoff - first_day).days >= DAYS_BEFORE
    )


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
