"""What customers did lately: spend, orders and items of windows of days, the same a year before, and their rhythm.

Days with purchases and orders are few beside the lines. They are fetched once, and the windows before any date are
added up from them here, in whole units, so that another date costs no question to the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engines.columns import GAP_TREND, MONEY_SCALE, NEXT_ORDER, SILENCE_RATIO, WINDOW_DAYS, WINDOWED, windowed
from engines.features.aggregates import QUANTITY_SCALE
from engines.features.rfm import FIRST_DAY, LAST_DAY, PURCHASE_DAYS, whole_days

#: What is made here.
COLUMNS = (*WINDOWED, GAP_TREND, SILENCE_RATIO, NEXT_ORDER)

#: Of each customer: days with known quantities; the sum of the gaps between purchase days, each times its number.
COUNTED, NUMBERED_GAPS = "counted_days", "numbered_gap_days"

_YEAR = 365
# how many days before a date each window ends that is no part of another: the last 30 days, then on to 90, then to 365,
# and the same again a year before
_ENDS = np.array([*WINDOW_DAYS, *(_YEAR + days for days in WINDOW_DAYS)])

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Days:
    """Days on which customers bought, a row for each customer, day and time for which it holds; all of one length.

    ``place``: of the customer. ``day``: since 1970. ``units``: spent, in 1/10,000. ``items``: in millionths, 0 where no
    quantity is known. ``counted``: whether one is. ``begun``, ``ended``: the periods from and until which a row holds.
    """

    place: Integers
    day: Integers
    units: Integers
    items: Integers
    counted: NDArray[np.bool_]
    begun: Integers
    ended: Integers

    def sums(self, as_of: date, period: int, orders: tuple[Integers, Integers], customers: int) -> dict[str, Integers]:
        """What each of so many customers did in the windows before a date, under the names of the columns.

        Args:
            as_of: exclusive.
            period: that ends with it.
            orders: the customer's place and the first day of every order that there is as of the date.
            customers: how many there are; places are below that.

        Returns:
            Whole units by place: spend, orders and items of every window, ``COUNTED`` and ``NUMBERED_GAPS``.
        """
        end = (as_of - date(1970, 1, 1)).days
        here = np.flatnonzero((self.begun <= period) & (period < self.ended) & (self.day < end))
        place, day = self.place[here], self.day[here]
        made = {
            COUNTED: np.bincount(place[self.counted[here]], minlength=customers),
            NUMBERED_GAPS: _numbered_gaps(place, day, customers),
        }
        lately = end - day <= _ENDS[-1]
        which, rows = place[lately], here[lately]
        for what, at, past, amounts in (
            ("spend", which, end - day[lately], self.units[rows]),
            ("orders", orders[0], end - orders[1], None),
            ("items", which, end - day[lately], self.items[rows]),
        ):
            made |= _in_windows(what, at, past, amounts, customers)
        return made


def _in_windows(
    what: str, place: Integers, past: Integers, amounts: Integers | None, customers: int
) -> dict[str, Integers]:
    """The sums of each window, or how many there are, of what was so many days before a date."""
    part = np.searchsorted(_ENDS, past)
    inside = (past > 0) & (part < len(_ENDS))
    at = part[inside] * customers + place[inside]
    parts = np.zeros((len(_ENDS), customers), dtype=np.int64)
    np.add.at(parts.reshape(-1), at, 1 if amounts is None else amounts[inside])
    several = len(WINDOW_DAYS)
    made: dict[str, Integers] = {}
    for before in (False, True):
        sums = parts[before * several :][:several].cumsum(axis=0)
        made |= {windowed(what, days, before): sums[number] for number, days in enumerate(WINDOW_DAYS)}
    return made


def _numbered_gaps(place: Integers, day: Integers, customers: int) -> Integers:
    """The gaps between each customer's days in order, each times its number (1, 2 ...), added up."""
    order = np.lexsort((day, place))
    place, day = place[order], day[order]
    # a day is several rows where they do not hold for equally long
    other = np.flatnonzero((np.diff(place, prepend=-1) != 0) | (np.diff(day, prepend=-1) != 0))
    place, day = place[other], day[other]
    number = np.arange(len(place)) - np.searchsorted(place, place)
    gap = np.diff(day, prepend=0)
    total = np.zeros(customers, dtype=np.int64)
    np.add.at(total, place, np.where(number > 0, number * gap, 0))
    return total


def columns(raw: pd.DataFrame, as_of: date) -> dict[str, pd.Series]:
    """The columns of lately, of customers as of a date.

    Where the sales do not reach back to the beginning of a window of the year before, what was bought in it is not
    known and missing; so are items of customers whose quantities nobody knows, and a rhythm with fewer than two
    purchase days, a trend with fewer than three.
    """
    opened = raw[FIRST_DAY].min()
    known = raw[COUNTED] > 0
    made: dict[str, pd.Series] = {}
    for days in WINDOW_DAYS:
        for before in (False, True):
            spend, placed, items = (windowed(what, days, before) for what in ("spend", "orders", "items"))
            made[spend] = raw[spend] / MONEY_SCALE
            made[placed] = raw[placed].astype("float64") if before else raw[placed]
            made[items] = (raw[items] / QUANTITY_SCALE).where(known)
            if before and not opened <= pd.Timestamp(as_of) - pd.Timedelta(days=_YEAR + days):
                made |= dict.fromkeys((spend, placed, items), pd.Series(np.nan, index=raw.index))
    return {**made, **_rhythm(raw, as_of)}


def _rhythm(raw: pd.DataFrame, as_of: date) -> Mapping[str, pd.Series]:
    """How the gaps change, how long the silence is against them, and when the next order would come."""
    first, last, gaps = raw[FIRST_DAY], raw[LAST_DAY], raw[PURCHASE_DAYS].astype("float64") - 1
    span = whole_days(first, last)
    usual, several = span / gaps.where(gaps > 0), gaps.where(gaps > 1)
    # least squares of the gaps on their numbers: sum((i - mean i) * gap) / sum((i - mean i)^2), as a share of the mean
    slope = (raw[NUMBERED_GAPS] - (several + 1) / 2 * span) / (several * (several**2 - 1) / 12)
    soon = last + pd.Series(usual.round().fillna(0.0).to_numpy().astype("timedelta64[D]"), index=raw.index)
    return {
        GAP_TREND: slope / usual,
        SILENCE_RATIO: whole_days(last, pd.Timestamp(as_of)) / usual,
        NEXT_ORDER: soon.where(usual.notna()).astype("datetime64[us]"),
    }
