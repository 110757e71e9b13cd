"""Sums of each customer as of one or many dates, added up from period to period.

The database sums each customer and period, a period being the time from one date to the next. Counts and whole sums of
money add up, first days stay, last days move on: so the customers of every date follow from those of the date before,
and many dates cost little more than one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from typing import Any, NamedTuple

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engines.columns import COUNTRY, CUSTOMER_ID, IS_HOME_COUNTRY, ORDER_DATE, UNKNOWN_COUNTRY
from engines.features import attributes, basket, lifetime, rfm
from engines.features.aggregates import DAY, ITEMS, UNITS, SalesAggregates, aggregate_sales

_PERIOD, _VALUE, _WEIGHT, _ITEMS_KNOWN, _NUMBER = "period", "value", "weight", "items_known", "number"
_AT_ONCE = 6  # periods: asking the database takes time, and all of them together too much memory
_DAYS = (rfm.FIRST_DAY, rfm.LAST_DAY)
_NOTHING = np.iinfo(np.int64).min

Integers = NDArray[np.int64]


class AsOf(NamedTuple):
    """Customers as of a date: ``sums`` of their sales before it, and the columns of text."""

    as_of: date
    sums: pd.DataFrame
    texts: Mapping[str, pd.Series]


def aggregates_at(
    sales: ibis.Table, dates: Sequence[date], categories: Mapping[str, Sequence[str]], *, whole: bool = True
) -> Iterator[AsOf]:
    """The customers with a sale before each date.

    Args:
        sales: clean lines; the database reads them once.
        dates: ascending, each once.
        categories: keywords by category name.
        whole: if not, what is in the basket and the columns of text are left out, which saves most of the work.
    """
    if not dates:
        return
    aggregates = _aggregates(sales, dates, categories)
    with ExitStack() as stack:
        days = _with_period(aggregates.days, dates)
        expressions = {**rfm.aggregates(days), **lifetime.aggregates(days)}
        if whole:
            expressions |= {**basket.aggregates(days), _ITEMS_KNOWN: days[ITEMS].count()}
        sums = stack.enter_context(days.group_by(CUSTOMER_ID, _PERIOD).aggregate(**expressions).cache())
        buyers = sums.filter(sums[rfm.PURCHASE_DAYS] > 0).select(CUSTOMER_ID).distinct()
        # any numbers do, and are joined and handed over much faster than ids
        number = ibis.row_number().cast("int32")
        numbered = stack.enter_context(buyers.mutate(**{_NUMBER: number}).cache())
        ids, places = _in_order(numbered.to_pyarrow())
        totals = _Totals(ids, places)
        counts = {
            name: _split(
                _by_number(_with_period(table, dates).select(CUSTOMER_ID, _PERIOD), numbered), range(len(dates))
            )
            for name, table in ((rfm.ORDERS, aggregates.orders), (basket.PRODUCTS, aggregates.products))
            if whole or name == rfm.ORDERS
        }
        texts = {
            name: _Texts(_split(_by_number(table, numbered), range(len(dates))), places, adds)
            for name, (table, adds) in (_weighed(aggregates) if whole else {}).items()
        }
        for period, as_of in enumerate(dates):
            if period % _AT_ONCE == 0:
                several = range(period, min(period + _AT_ONCE, len(dates)))
                added = _split(
                    _by_number(sums.filter(sums[_PERIOD].between(several[0], several[-1])), numbered), several
                )
            totals.add(added[period % _AT_ONCE])
            for name, parts in counts.items():
                totals.count(parts[period], name)
            for text in texts.values():
                text.add(period)
            present = totals.present()
            raw = totals.raw(present)
            yield AsOf(as_of, raw, _made(texts, present, raw.index))


def _aggregates(sales: ibis.Table, dates: Sequence[date], categories: Mapping[str, Sequence[str]]) -> SalesAggregates:
    """The aggregates of the lines before the last date, with periods where days are not needed."""
    lines = sales.filter(sales[ORDER_DATE].date() < _literal(dates[-1]))
    return aggregate_sales(lines, categories, stretch=lambda day: _period(day, dates, 0).cast("int16"))


def _with_period(table: ibis.Table, dates: Sequence[date]) -> ibis.Table:
    """The rows, each with how many of the dates are no later than its day."""
    return table.mutate(**{_PERIOD: _period(table[DAY], dates, 0).cast("int16")})


def _period(day: ibis.Value, dates: Sequence[date], passed: int) -> ibis.Value:
    """A search by halves, so that each row is compared with few dates."""
    if len(dates) == 1:
        return ibis.literal(passed, "int64")
    half = len(dates) // 2
    earlier, later = _period(day, dates[:half], passed), _period(day, dates[half:], passed + half)
    return (day < _literal(dates[half - 1])).ifelse(earlier, later)


def _literal(day: date) -> ibis.Value:
    return ibis.date(day.isoformat())


def _weighed(aggregates: SalesAggregates) -> dict[str, tuple[ibis.Table, bool]]:
    """For each column of text: customer, value, period and what speaks for it, and whether that adds up."""
    renames = {_VALUE: COUNTRY, _PERIOD: DAY, _WEIGHT: UNITS}
    tables = {COUNTRY: (aggregates.countries.rename(renames), True)}
    for name, table in aggregates.attributes.items():
        tables[name] = (table.rename({_VALUE: attributes.VALUE, _PERIOD: DAY, _WEIGHT: attributes.LATEST}), False)
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

    def count(self, rows: pa.Table, name: str) -> None:
        """Add what came for the first time in the period, a row for each: orders, products."""
        self._sums[name] += np.bincount(self._places[_whole(rows[_NUMBER])], minlength=len(self._ids))

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


class _Texts:
    """What speaks for each value of a column of text so far, customer by customer; the most decides, ties by value."""

    def __init__(self, parts: Sequence[pa.Table], places: Integers, adds: bool) -> None:
        self._parts, self._places, self._adds = parts, places, adds
        different = pc.unique(pa.concat_tables(parts)[_VALUE])
        self.texts = different.take(pc.sort_indices(different))
        self._keys = np.unique(np.concatenate([self._key(part) for part in parts]))
        self._owner, self._code = np.divmod(self._keys, max(1, len(self.texts)))
        self._weight = np.full(len(self._keys), _NOTHING)

    def _key(self, rows: pa.Table) -> Integers:
        code = _whole(pc.index_in(rows[_VALUE], value_set=self.texts))
        return self._places[_whole(rows[_NUMBER])] * max(1, len(self.texts)) + code

    def add(self, period: int) -> None:
        """Go on to the next date."""
        rows = self._parts[period]
        at = np.searchsorted(self._keys, self._key(rows))
        weight = rows[_WEIGHT] if self._adds else rows[_WEIGHT].cast(pa.timestamp("us"))
        added, before = _whole(weight), self._weight[at]
        self._weight[at] = np.where(before == _NOTHING, 0, before) + added if self._adds else np.maximum(before, added)

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
