"""Dates of a drift timeline: when the model is frozen, every month or week from then on, and how far they look back."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Literal, NamedTuple

from engines.errors import InputError

#: Days of sales a model needs before it is frozen and watched.
HISTORY_DAYS = 90

#: How many days a date of a timeline looks back where nothing else is said: every season once.
WINDOW_DAYS = 365
#: The last quarter, in which a change of the customers shows before it shows in the window.
RECENT_DAYS = 91

_LEAST_WATCHED = 183  # days after the freezing without which a long window is not worth waiting for

Every = Literal["month", "week"]


class Plan(NamedTuple):
    """A timeline to be: its dates, and how many days of sales each looks back, all and the most recent of them.

    ``asked_days``: the window that was asked for; ``window_days`` is less where there are too few sales for that.
    """

    dates: list[date]
    window_days: int
    recent_days: int
    asked_days: int


def plan(
    first_day: date,
    as_of: date,
    *,
    every: Every = "month",
    freeze: date | None = None,
    window_days: int = WINDOW_DAYS,
) -> Plan:
    """The dates of a timeline whose every date looks back equally far.

    The model is frozen when the first window is full. A shop too young for that, and for half a year after it, is
    looked at over 90 days; one that is frozen on a day of the user's own over the days before it, if these are fewer.

    Args:
        first_day: day of the first sale.
        as_of: the day up to which (exclusive) sales are known.
        every: how far points lie apart.
        freeze: sales before this day make the frozen model.
        window_days: how far to look back.

    Raises:
        InputError: as :func:`cutoffs` does.
    """
    window = window_days
    if freeze is not None:
        window = min(window, max(1, (freeze - first_day).days))
    elif (as_of - first_day).days < window + _LEAST_WATCHED:
        window = min(window, HISTORY_DAYS)
    dates = cutoffs(first_day, as_of, every=every, freeze=freeze, history_days=max(window, HISTORY_DAYS))
    return Plan(dates, window, min(window, RECENT_DAYS), window_days)


def cutoffs(
    first_day: date,
    as_of: date,
    *,
    every: Every = "month",
    freeze: date | None = None,
    history_days: int = HISTORY_DAYS,
) -> list[date]:
    """The dates of a timeline, each the (exclusive) ``as_of`` of one customer table.

    The first is when the model is frozen: ``freeze``, else the first start of a month with ``history_days`` of sales
    before it. Points begin one month later: at the starts of months, or every seven days, up to ``as_of``, which is a
    point itself. Where not even one whole month follows the freezing, there is no timeline and the list is empty.

    Args:
        first_day: day of the first sale.
        as_of: the day up to which (exclusive) sales are known.
        every: how far points lie apart.
        freeze: sales before this day make the frozen model.
        history_days: days of sales the frozen model needs, where ``freeze`` does not say it.

    Raises:
        InputError: ``freeze`` leaves no sales before it, or less than a month after it.
    """
    if freeze is None:
        frozen = first_day.replace(day=1)
        while (frozen - first_day).days < history_days:
            frozen = next_month(frozen)
    else:
        frozen = freeze
    start = month_later(frozen)
    if freeze is not None and (freeze <= first_day or start > as_of):
        raise InputError(
            "--freeze {freeze} cannot be: sales go from {first_day} to {as_of}, and the model needs "
            "some before that day and a month after it. Choose a day in between.",
            freeze=freeze,
            first_day=first_day,
            as_of=as_of - timedelta(days=1),
        )
    if every == "month" and start.day > 1:
        start = next_month(start)
    points = []
    while start <= as_of:
        points.append(start)
        start = next_month(start) if every == "month" else start + timedelta(days=7)
    if not points and freeze is None:
        return []
    return [frozen, *points] if points and points[-1] == as_of else [frozen, *points, as_of]


def months_between(start: date, end: date) -> float:
    """Whole months where both are the same day of the month, otherwise with the days as a part of 365.25 / 12."""
    if start.day == end.day:
        return float((end.year - start.year) * 12 + end.month - start.month)
    return round((end - start).days / (365.25 / 12), 1)


def next_month(day: date) -> date:
    """The first day of the month after."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def month_later(day: date) -> date:
    """The same day of the next month, or its last where it is shorter."""
    following = next_month(day)
    return following.replace(day=min(day.day, monthrange(following.year, following.month)[1]))
