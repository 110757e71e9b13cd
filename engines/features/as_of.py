"""Sums of each customer as of one or many dates, added up from period to period.

The database sums each customer and period, a period being the time from one date to the next. Counts and whole sums of
money add up, first days stay, last days move on: so the customers of every date follow from those of the date before,
and many dates cost little more than one.

Where returns take off what was bought, some of what was seen at one date is no longer there at a later one. What such
changes touch is not added up but stated anew as of each date: the sums of customers with a changed line, and those of
their orders, products, countries and attributes that such a line belongs to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from typing import Any, NamedTuple

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engines.columns import (
    COUNTRY,
    CUSTOMER_ID,
    HOLDS_FROM,
    HOLDS_UNTIL,
    IS_HOME_COUNTRY,
    ORDER_DATE,
    ORDER_ID,
    PRODUCT_ID,
    UNKNOWN_COUNTRY,
)
from engines.features import attributes, basket, lifetime, rfm, windows
from engines.features.aggregates import DAY, ITEMS, SALE_LINES, UNITS, SalesAggregates, aggregate_sales
from engines.features.holding import takes_off

_PERIOD, _UNTIL, _MOVED, _VALUE, _WEIGHT, _ITEMS_KNOWN, _NUMBER = (
    *("period", "until_period", "moved", "value", "weight", "items_known", "number"),
)
_EVER = np.iinfo(np.int16).max
_AT_ONCE = 6  # periods: asking the database takes time, and all of them together too much memory
_DAYS = (rfm.FIRST_DAY, rfm.LAST_DAY)
_NOTHING, _NEVER = np.iinfo(np.int64).min, np.iinfo(np.int64).max

Integers = NDArray[np.int64]


class AsOf(NamedTuple):
    """Customers as of a date: ``sums`` of their sales before it, and the columns of text."""

    as_of: date
    sums: pd.DataFrame
    texts: Mapping[str, pd.Series]


def aggregates_at(
    sales: ibis.Table,
    dates: Sequence[date],
    categories: Mapping[str, Sequence[str]],
    *,
    whole: bool = True,
    windows_at: Collection[date] = (),
) -> Iterator[AsOf]:
    """The customers with a sale before each date.

    Args:
        sales: clean lines; the database reads them once.
        dates: ascending, each once.
        categories: keywords by category name.
        whole: if not, what is in the basket and the columns of text are left out, which saves most of the work.
        windows_at: the dates at which the sums of windows of days are wanted too.
    """
    if not dates:
        return
    lines, until = _lines(sales, dates)
    aggregates = aggregate_sales(lines, categories, period=_PERIOD, until=until)
    with ExitStack() as stack:
        lately = not {*dates}.isdisjoint(windows_at)
        days = stack.enter_context(aggregates.days.cache()) if until or lately else aggregates.days
        moved = days.filter(days[_UNTIL].notnull()).select(CUSTOMER_ID).distinct() if until else None
        steady = days if moved is None else days.anti_join(moved, CUSTOMER_ID)
        sums = stack.enter_context(steady.group_by(CUSTOMER_ID, _PERIOD).aggregate(**_sums(steady, whole)).cache())
        buyers = days.filter(days[SALE_LINES] > 0).select(CUSTOMER_ID).distinct()
        # any numbers do, and are joined and handed over much faster than ids
        number = ibis.row_number().cast("int32")
        numbered = stack.enter_context(buyers.mutate(**{_NUMBER: number}).cache())
        changing = None if moved is None else stack.enter_context(days.semi_join(moved, CUSTOMER_ID).cache())
        ids, places = _in_order(numbered.to_pyarrow())
        totals = _Totals(ids, places)
        counts = {
            name: _Counts(*_firsts(table, key, numbered), key, places, len(dates))
            for name, key, table in (
                (rfm.ORDERS, ORDER_ID, aggregates.orders if lately else aggregates.orders.drop(DAY)),
                (basket.PRODUCTS, PRODUCT_ID, aggregates.products),
            )
            if whole or name == rfm.ORDERS
        }
        texts = {
            name: _Texts(_by_number(table, numbered).to_pyarrow(), places, adds, len(dates))
            for name, (table, adds) in (_weighed(aggregates) if whole else {}).items()
        }
        bought = _bought(days, numbered, places) if lately else None
        for period, as_of in enumerate(dates):
            if period % _AT_ONCE == 0:
                several = range(period, min(period + _AT_ONCE, len(dates)))
                added = _split(
                    _by_number(sums.filter(sums[_PERIOD].between(several[0], several[-1])), numbered), several
                )
                stated = (
                    None
                    if changing is None
                    else _split(_by_number(_stated(changing, several, whole), numbered), several)
                )
            totals.add(added[period % _AT_ONCE])
            if stated is not None:
                totals.state(stated[period % _AT_ONCE])
            for name, count in counts.items():
                totals.count(count.at(period), name)
            for text in texts.values():
                text.go_to(period)
            present = totals.present()
            raw = totals.raw(present)
            if bought is not None and as_of in windows_at:
                placed = counts[rfm.ORDERS].days(period)
                sums_lately = bought.sums(as_of, period, placed, len(ids))
                raw = raw.assign(**{name: values[present] for name, values in sums_lately.items()})
            yield AsOf(as_of, raw, _made(texts, present, raw.index))


def _sums(days: ibis.Table, whole: bool) -> dict[str, ibis.Value]:
    """What is worked out of the days of a customer."""
    expressions = {**rfm.aggregates(days), **lifetime.aggregates(days)}
    if whole:
        expressions |= {**basket.aggregates(days), _ITEMS_KNOWN: days[ITEMS].count()}
    return expressions


def _lines(sales: ibis.Table, dates: Sequence[date]) -> tuple[ibis.Table, tuple[str, ...]]:
    """The lines that hold at any of the dates, with the periods from and until which they do, where they say so.

    A line holds at a date from the first one after its moment on, and until the first one after that of a return.
    """
    lines = sales.filter(sales[ORDER_DATE].date() < _literal(dates[-1]))
    begun = _period(lines[ORDER_DATE].date(), dates, 0)
    if not takes_off(sales):
        return lines.mutate(**{_PERIOD: begun.cast("int16")}), ()
    since, until, last = lines[HOLDS_FROM].date(), lines[HOLDS_UNTIL].date(), _literal(dates[-1])
    lines = lines.filter(since.isnull() | (since < last))
    begun = ibis.cases((since.isnull(), begun), else_=_period(since, dates, 0))
    ended = ibis.cases((until < last, _period(until, dates, 0)))
    lines = lines.mutate(**{_PERIOD: begun.cast("int16"), _UNTIL: ended.cast("int16")})
    return lines.filter(lines[_UNTIL].isnull() | (lines[_UNTIL] > lines[_PERIOD])), (_UNTIL,)


def _stated(days: ibis.Table, periods: range, whole: bool) -> ibis.Table:
    """The sums of customers as of each of these dates, of the days that hold then."""
    begin = ibis.greatest(days[_PERIOD], periods.start)
    end = ibis.least(days[_UNTIL].fill_null(periods.stop), periods.stop)
    each = days.filter(begin < end).mutate(**{"at": ibis.range(begin, end).unnest()})
    summed = (name for name in each.columns if name not in (CUSTOMER_ID, DAY, _PERIOD, _UNTIL, "at"))
    each = each.group_by(CUSTOMER_ID, DAY, "at").aggregate(**{name: each[name].sum() for name in summed})
    return each.group_by(CUSTOMER_ID, "at").aggregate(**_sums(each, whole)).rename({_PERIOD: "at"})


def _period(day: ibis.Value, dates: Sequence[date], passed: int) -> ibis.Value:
    """A search by halves, so that each row is compared with few dates."""
    if len(dates) == 1:
        return ibis.literal(passed, "int64")
    half = len(dates) // 2
    earlier, later = _period(day, dates[:half], passed), _period(day, dates[half:], passed + half)
    return (day < _literal(dates[half - 1])).ifelse(earlier, later)


def _literal(day: date) -> ibis.Value:
    return ibis.date(day.isoformat())


def _bought(days: ibis.Table, numbered: ibis.Table, places: Integers) -> windows.Days:
    """The days on which customers bought something."""
    bought = days.filter(days[SALE_LINES] > 0)
    names = (name for name in (CUSTOMER_ID, DAY, UNITS, ITEMS, _PERIOD, _UNTIL) if name in days.columns)
    rows = _by_number(bought.select(*names), numbered).to_pyarrow()
    begun, ended = _periods(rows)
    return windows.Days(
        place=places[_whole(rows[_NUMBER])],
        day=_whole(rows[DAY].cast(pa.int32())),
        units=_whole(rows[UNITS]),
        items=_whole(rows[ITEMS]),
        counted=np.asarray(rows[ITEMS].is_valid().to_numpy(), dtype=np.bool_),
        begun=begun,
        ended=ended,
    )


def _firsts(table: ibis.Table, key: str, numbered: ibis.Table) -> tuple[pa.Table, pa.Table | None]:
    """The first period of each order or product that nothing came back of, and all periods of the others.

    With the first day, where the table has it.
    """
    if _UNTIL not in table.columns:
        return _by_number(table.drop(key), numbered).to_pyarrow(), None
    first = {name: table[name].min() for name in (_PERIOD, DAY) if name in table.columns}
    each = table.group_by(CUSTOMER_ID, key).aggregate(**first, **{_MOVED: table[_UNTIL].notnull().any()})
    rows = _by_number(each.drop(key), numbered).to_pyarrow()
    moved = rows[_MOVED]
    steady = rows.filter(pc.invert(moved)).drop_columns([_MOVED])
    if not pc.any(moved).as_py():
        return steady, None
    others = table.filter(table[_UNTIL].notnull()).select(CUSTOMER_ID, key).distinct()
    return steady, _by_number(table.semi_join(others, [CUSTOMER_ID, key]), numbered).to_pyarrow()


def _weighed(aggregates: SalesAggregates) -> dict[str, tuple[ibis.Table, bool]]:
    """For each column of text: customer, value, periods and what speaks for it, and whether that adds up."""
    tables = {COUNTRY: (aggregates.countries.rename({_VALUE: COUNTRY, _WEIGHT: UNITS}), True)}
    for name, table in aggregates.attributes.items():
        tables[name] = (table.rename({_VALUE: attributes.VALUE, _WEIGHT: attributes.LATEST}), False)
    return tables


def _split(table: ibis.Table, periods: range) -> list[pa.Table]:
    """The rows of each of these periods, which are fetched together."""
    whole = table.to_pyarrow()
    period = whole[_PERIOD].to_numpy().astype(np.int16)  # sorted by radix, many times as fast
    whole = whole.drop_columns([_PERIOD]).take(np.argsort(period, kind="stable"))
    ends = np.cumsum(np.bincount(period - periods.start, minlength=len(periods))).tolist()
    return [whole.slice(start, end - start) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _by_number(table: ibis.Table, numbered: ibis.Table) -> ibis.Table:
    """The rows of numbered customers, by their numbers."""
    return table.join(numbered, CUSTOMER_ID).drop(CUSTOMER_ID)


def _in_order(numbered: pa.Table) -> tuple[pa.Array, Integers]:
    """The ids in code point order, which that of the bytes of UTF-8 is, and the place in it of each number."""
    order = pc.sort_indices(numbered[CUSTOMER_ID])
    places = np.empty(len(numbered), dtype=np.int64)
    places[_whole(numbered[_NUMBER].take(order))] = np.arange(len(numbered))
    return numbered[CUSTOMER_ID].take(order).combine_chunks(), places


def _whole(column: pa.ChunkedArray) -> Integers:
    return np.asarray(pc.fill_null(column, 0).cast(pa.int64()).to_numpy(), dtype=np.int64)


class _Totals:
    """Sums and days of each customer so far."""

    def __init__(self, ids: pa.Array, places: Integers) -> None:
        self._ids, self._places = ids, places
        self._sums: dict[str, Integers] = {
            name: np.zeros(len(ids), dtype=np.int64) for name in (rfm.ORDERS, basket.PRODUCTS, lifetime.FIRST_DAY_UNITS)
        }
        self._days = {name: np.full(len(ids), np.datetime64("NaT", "us")) for name in _DAYS}

    def add(self, rows: pa.Table) -> None:
        """Go on to the next date, with what the period before it added."""
        place = self._places[_whole(rows[_NUMBER])]
        days = {name: np.asarray(rows[name].cast(pa.timestamp("us")).to_numpy()) for name in _DAYS}
        bought = ~np.isnat(days[rfm.LAST_DAY])
        new = bought & np.isnat(self._days[rfm.FIRST_DAY][place])
        for name in rows.column_names:
            if name in _DAYS or name in (_NUMBER, lifetime.FIRST_DAY_UNITS):
                continue
            total = self._sums.setdefault(name, np.zeros(len(self._ids), dtype=np.int64))
            total[place] += _whole(rows[name])
        spent_first = _whole(rows[lifetime.FIRST_DAY_UNITS])
        self._sums[lifetime.FIRST_DAY_UNITS][place[new]] = spent_first[new]
        self._days[rfm.FIRST_DAY][place[new]] = days[rfm.FIRST_DAY][new]
        self._days[rfm.LAST_DAY][place[bought]] = days[rfm.LAST_DAY][bought]

    def state(self, rows: pa.Table) -> None:
        """Take these customers' sums as they are, whatever they were."""
        place = self._places[_whole(rows[_NUMBER])]
        for name in rows.column_names:
            if name in _DAYS:
                self._days[name][place] = np.asarray(rows[name].cast(pa.timestamp("us")).to_numpy())
            elif name != _NUMBER:
                total = self._sums.setdefault(name, np.zeros(len(self._ids), dtype=np.int64))
                total[place] = _whole(rows[name])

    def count(self, number: Integers, name: str) -> None:
        """Take how many orders or products each customer has."""
        self._sums[name] = number

    def present(self) -> Integers:
        """The places of the customers who have bought something by now."""
        return np.flatnonzero(self._sums[rfm.PURCHASE_DAYS] > 0)

    def raw(self, present: Integers) -> pd.DataFrame:
        """Their sums and days."""
        made: dict[str, Any] = {name: values[present] for name, values in (*self._days.items(), *self._sums.items())}
        products = made.pop(basket.PRODUCTS)
        if _ITEMS_KNOWN in made:
            for name, values, has_value in (
                (ITEMS, made[ITEMS], made.pop(_ITEMS_KNOWN)),
                (basket.PRODUCTS, products, products),
            ):
                made[name] = np.where(has_value > 0, values.astype(np.float64), np.nan)
        return pd.DataFrame(made, index=pd.Index(self._ids.take(present).to_pandas(), dtype="str", name=CUSTOMER_ID))


def _periods(rows: pa.Table) -> tuple[Integers, Integers]:
    """The periods from and until which rows hold; a number beyond all periods where they hold for ever."""
    begun = _whole(rows[_PERIOD])
    if _UNTIL not in rows.column_names:
        return begun, np.full(len(begun), _EVER)
    return begun, np.asarray(pc.fill_null(rows[_UNTIL].cast(pa.int64()), _EVER).to_numpy(), dtype=np.int64)


def _days(rows: pa.Table) -> Integers:
    """The days of rows, since 1970; none where they have no day."""
    return _whole(rows[DAY].cast(pa.int32())) if DAY in rows.column_names else np.zeros(0, dtype=np.int64)


class _Counts:
    """How many orders, or products, each customer has at a date, the dates one after the other."""

    def __init__(self, steady: pa.Table, moving: pa.Table | None, key: str, places: Integers, dates: int) -> None:
        self._so_far = np.zeros(len(places), dtype=np.int64)
        # of what nothing came back, each counts once, from its first period on
        place, begun = places[_whole(steady[_NUMBER])], _whole(steady[_PERIOD])
        order = np.argsort(begun.astype(np.int16), kind="stable")
        self._new = np.split(place[order], np.cumsum(np.bincount(begun, minlength=dates))[:-1])
        self._steady = (place, _days(steady))
        self._moves = moving is not None
        if moving is not None:
            place = places[_whole(moving[_NUMBER])]
            code = _whole(moving[key].combine_chunks().dictionary_encode().indices)
            items, self._item = np.unique(place * (code.max(initial=0) + 1) + code, return_inverse=True)
            self._owner = np.zeros(len(items), dtype=np.int64)
            self._owner[self._item] = place
            self._begun, self._ended = _periods(moving)
            self._day = _days(moving)

    def at(self, period: int) -> Integers:
        """How many each customer has; periods are asked for one after the other."""
        self._so_far += np.bincount(self._new[period], minlength=len(self._so_far))
        if not self._moves:
            return self._so_far.copy()
        here = np.zeros(len(self._owner), dtype=np.bool_)
        here[self._item[(self._begun <= period) & (period < self._ended)]] = True
        return self._so_far + np.bincount(self._owner[here], minlength=len(self._so_far))

    def days(self, period: int) -> tuple[Integers, Integers]:
        """Whose each is and its first day, of all that there are in a period; and of some that are yet to come."""
        place, day = self._steady
        if not self._moves:
            return place, day
        holds = (self._begun <= period) & (period < self._ended)
        first = np.full(len(self._owner), _NEVER)
        np.minimum.at(first, self._item[holds], self._day[holds])
        here = first < _NEVER
        return np.concatenate([place, self._owner[here]]), np.concatenate([day, first[here]])


class _Texts:
    """What speaks for each value of a column of text so far, customer by customer; the most decides, ties by value."""

    def __init__(self, rows: pa.Table, places: Integers, adds: bool, dates: int) -> None:
        self._places, self._adds = places, adds
        different = pc.unique(rows[_VALUE])
        self.texts = different.take(pc.sort_indices(different))
        code = _whole(pc.index_in(rows[_VALUE], value_set=self.texts))
        key = places[_whole(rows[_NUMBER])] * max(1, len(self.texts)) + code
        self._keys, at = np.unique(key, return_inverse=True)
        self._owner, self._code = np.divmod(self._keys, max(1, len(self.texts)))
        self._weight = np.full(len(self._keys), _NOTHING)
        begun, ended = _periods(rows)
        weight = _whole(rows[_WEIGHT] if adds else rows[_WEIGHT].cast(pa.timestamp("us")))
        changed = np.zeros(len(self._keys), dtype=np.bool_)
        changed[at[ended < _EVER]] = True
        self._moving, moved = np.flatnonzero(changed), changed[at]
        self._moved = (at[moved], weight[moved], begun[moved], ended[moved])
        at, weight, begun = at[~moved], weight[~moved], begun[~moved]
        order = np.argsort(begun.astype(np.int16), kind="stable")
        ends = np.cumsum(np.bincount(begun, minlength=dates))[:-1]
        self._new = list(zip(np.split(at[order], ends), np.split(weight[order], ends), strict=True))

    def go_to(self, period: int) -> None:
        """Go on to the next date."""
        self._speak(*self._new[period])
        if len(self._moving):
            self._weight[self._moving] = _NOTHING
            at, weight, begun, ended = self._moved
            here = (begun <= period) & (period < ended)
            self._speak(at[here], weight[here])

    def _speak(self, at: Integers, weight: Integers) -> None:
        """Let these weights speak for the values at these places."""
        if not self._adds:
            np.maximum.at(self._weight, at, weight)
            return
        self._weight[at] = np.where(self._weight[at] == _NOTHING, 0, self._weight[at])
        np.add.at(self._weight, at, weight)

    def codes(self) -> Integers:
        """The place of each customer's value among the texts, -1 where there is none."""
        codes = np.full(len(self._places), -1, dtype=np.int64)
        if len(self._keys):
            starts = np.flatnonzero(np.diff(self._owner, prepend=-1))
            most = np.repeat(np.maximum.reduceat(self._weight, starts), np.diff(starts, append=len(self._keys)))
            best = np.flatnonzero((self._weight == most) & (self._weight != _NOTHING))[::-1]
            codes[self._owner[best]] = self._code[best]  # backwards, so that of equals the first stays
        return codes

    def home(self) -> int:
        """The value for which most speaks over all, ties by name; Unknown only where there is no other."""
        weighted = self._weight != _NOTHING
        total = np.zeros(len(self.texts), dtype=np.int64)
        np.add.at(total, self._code[weighted], self._weight[weighted])
        names = self.texts.to_pylist()
        codes: list[int] = np.unique(self._code[weighted]).tolist()
        return min(codes, key=lambda code: (names[code] == UNKNOWN_COUNTRY, -total[code], code))


def _made(texts: Mapping[str, _Texts], present: Integers, customers: pd.Index) -> dict[str, pd.Series]:
    made: dict[str, pd.Series] = {}
    for name, text in texts.items():
        codes = text.codes()[present]
        values = text.texts.take(pa.array(codes, mask=codes < 0))
        made[name] = pd.Series(values.to_pandas(), dtype="str").set_axis(customers)
        if name == COUNTRY:
            any_known = bool((codes >= 0).any())
            made[IS_HOME_COUNTRY] = (
                pd.Series(codes == text.home(), index=customers)
                if any_known
                else pd.Series(pd.NA, index=customers, dtype="boolean")
            )
    return made
