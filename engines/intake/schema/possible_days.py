"""Which moments can be those of sales: none of tomorrow, and no day that programs write where they know none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from engines.messages import Message, message, message_number

_FIRST_YEAR, _LAST_YEAR = 1900, 2199  # a sale in the year 10 or 9999 is a slip or a placeholder
#: Days where the clocks and calendars of programs begin or end, which they write where no date is known.
PLACEHOLDERS = tuple(
    map(
        date.fromisoformat,
        (
            *("1900-01-01", "1900-01-02", "1901-01-01", "1901-12-13", "1904-01-01", "1950-01-01"),
            *("1969-12-31", "1970-01-01", "1980-01-01", "1980-01-06", "1990-01-01", "1999-11-30", "1999-12-31"),
            *("2000-01-01", "2001-01-01", "2038-01-19", "2049-12-31", "2050-01-01", "2079-06-06", "2099-01-01"),
            *("2099-12-31", "2100-01-01", "2199-12-31"),
        ),
    )
)
_ALONE = date(1971, 1, 1)  # where a column has no other days: whole shops opened on the first of January 2000
#: So far from every other sale, a placeholder is one. A shop that sold in 1972 may have sold on 1970-01-01.
_FAR = timedelta(days=5 * 365)
_PIVOT = 1969  # years of two digits are those from here on, unless they are still to come
_SLACK = timedelta(days=1)  # the day is further on in other time zones
#: How far the few last or first sales may be from all others.
_AFTER, _BEFORE = timedelta(days=365), timedelta(days=3 * 365)
_FEW = 1000  # of so many lines one may be alone; of fewer one as well, where it is further off than the others span
_SEVERAL = 5  # of so many lines one may be as far off and is worth a note
_BULK = 5  # lines, below which nothing is far from the others
_BUDDHIST = 543  # years before the common era in which that calendar begins


@dataclass(frozen=True)
class PossibleDays:
    """The days on which sales may have been.

    ``today``: nothing was sold later than a day after it; None where nobody says which day it is. ``placeholders``:
    days that stand for no date. ``first``: the first day that is possible.
    """

    today: date | None = None
    placeholders: Collection[date] = PLACEHOLDERS
    first: date = date(_FIRST_YEAR, 1, 1)

    @property
    def last(self) -> date:
        """The last day that is possible."""
        latest = date(_LAST_YEAR, 12, 31)
        return latest if self.today is None else min(self.today + _SLACK, latest)

    def moment(self, timestamp: str) -> str:
        """SQL: the timestamp, or null where it cannot be that of a sale."""
        after = f"timestamp '{self.last + timedelta(days=1)}'"
        usual, listed = self._usual(), ", ".join(f"date '{day}'" for day in sorted(self.placeholders))
        plain = f"when {timestamp} between timestamp '{usual[0]}' and timestamp '{usual[1]}' then {timestamp} "
        known = f" and cast({timestamp} as date) not in ({listed})" if listed else ""
        rest = f"{timestamp} >= timestamp '{self.first}' and {timestamp} < {after}{known}"
        return f"case {plain if listed else ''}when {rest} then {timestamp} end"

    def century(self, timestamp: str) -> str:
        """SQL: a timestamp whose year was written with two digits, which are never those of a year to come."""
        if self.today is None:
            return timestamp
        after = f"timestamp '{self.last + timedelta(days=1)}'"
        return f"case when {timestamp} >= {after} then {timestamp} - interval 100 year else {timestamp} end"

    def beside(self, days: Iterable[date]) -> PossibleDays:
        """The same, where sales were on these days: what is not far from them is no placeholder."""
        others = sorted({*days} - {*PLACEHOLDERS})
        if not others:
            return replace(self, placeholders=tuple(day for day in PLACEHOLDERS if day < _ALONE))
        far = [day for day in PLACEHOLDERS if all(abs(day - other) >= _FAR for other in others)]
        return replace(self, placeholders=tuple(far))

    def without_lone_century(self, days: Collection[date]) -> PossibleDays:
        """The same without days of the last century far before all others, where years had two digits.

        A year to come is a slip then, rather than one of a hundred years before.
        """
        before = [day for day in days if day.year < _PIVOT]
        others = [day for day in days if day.year >= _PIVOT and day not in self.placeholders]
        if not before or not others or min(others) - max(before) < _FAR:
            return self
        return replace(self, first=min(others))

    def why_not(self, day: date) -> str:
        """Why it cannot be the day of a sale: "placeholder", "buddhist", "later", or empty."""
        if day in self.placeholders:
            return "placeholder"
        if day.year > 2400 and self.today is not None and abs(day.year - _BUDDHIST - self.today.year) < 100:
            return "buddhist"
        return "later" if self.today is not None and day > self.last else ""

    def _usual(self) -> tuple[date, str]:
        """The span of years without a placeholder in which nearly all sales are: it is asked first."""
        first = max(day for day in PLACEHOLDERS if day.year < 2010) + timedelta(days=1)
        following = min(day for day in PLACEHOLDERS if day > first)
        last = min(self.last, following - timedelta(days=1))
        return first, f"{last} 23:59:59.999999"


ANY_DAYS = PossibleDays()


def reasons_why_not(found: Iterable[tuple[date, str, int]], possible: PossibleDays) -> tuple[Message, ...]:
    """What to say of days on which nothing can have been sold: of each kind how many lines, and one as it is written.

    Args:
        found: day, as it is written, number of lines.
        possible: which days are possible.
    """
    lines: dict[str, int] = {}
    first: dict[str, tuple[date, str]] = {}
    for day, written, count in found:
        if why := possible.why_not(day):
            lines[why] = lines.get(why, 0) + count
            first.setdefault(why, (day, written))
    said = []
    for why, (day, written) in first.items():
        count = lines[why]
        if why == "placeholder":
            said.append(
                message_number(
                    "{count:,} line with a day that stands for no date, as {written!r} does",
                    "{count:,} lines with days that stand for no date, as {written!r} does",
                    count,
                    count=count,
                    written=written,
                )
            )
        elif why == "later":
            said.append(
                message_number(
                    "{count:,} line with a date after today, {today}: {written!r}",
                    "{count:,} lines with a date after today, {today}, such as {written!r}",
                    count,
                    count=count,
                    today=possible.today,
                    written=written,
                )
            )
        else:
            said.append(
                message(
                    "{written!r} has a year of the Buddhist calendar: write {year} for {buddhist}",
                    written=written,
                    year=day.year - _BUDDHIST,
                    buddhist=day.year,
                )
            )
    return tuple(said)


# --- sales far from all others --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FarSales:
    """Few sales far from all others.

    ``day``: the nearest of them to the others. ``edge``: the others' own last or first day. ``lines``: how many.
    """

    day: date
    edge: date
    lines: int


def far_after(days: Sequence[tuple[date, int]], *, several: bool = False) -> FarSales | None:
    """The few sales that are more than a year after all others.

    ``days``: every day with sales, in order, and the number of its lines. ``several``: they may be up to a fifth of
    all.
    """
    return _far([(day.toordinal(), lines) for day, lines in reversed(days)], -1, _AFTER, several=several)


def far_before(days: Sequence[tuple[date, int]]) -> FarSales | None:
    """The few sales that are more than three years before all others; ``days`` as for :func:`far_after`."""
    return _far([(day.toordinal(), lines) for day, lines in days], 1, _BEFORE)


def _far(days: Sequence[tuple[int, int]], step: int, gap: timedelta, *, several: bool = False) -> FarSales | None:
    every, beyond, found = sum(lines for _, lines in days), 0, None
    most = max(1, every // (_SEVERAL if several else _FEW))
    for (day, lines), (following, _) in pairwise(days):
        beyond += lines
        if beyond > most or every - beyond < _BULK:
            break
        away = (following - day) * step
        if away > gap.days and (every >= _FEW or away > (days[-1][0] - following) * step):
            found = FarSales(date.fromordinal(day), date.fromordinal(following), beyond)
    return found
