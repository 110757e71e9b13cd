"""Customers of windows of time: who bought between two days, and what they did between them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from engines.columns import (
    CUSTOMER_ID,
    HOLDS_FROM,
    HOLDS_UNTIL,
    LINE_TYPE,
    OFFSET_UNITS,
    ORDER_DATE,
    ORDER_ID,
    SALE,
)
from engines.features import lifetime, rfm
from engines.features.aggregates import DAY, aggregate_sales
from engines.features.build import customers_at, from_sums
from engines.features.holding import holding, takes_off

_WINDOW, _START, _END, _SINCE, _UNTIL = "window_number", "window_start", "window_end", "held_since", "held_until"
_AT_ONCE = 6  # windows: all of them together would take too much memory


class SalesWindow(NamedTuple):
    """Days from ``start`` up to, but not including, ``as_of``."""

    start: date
    as_of: date


def customers_within(
    sales: ibis.Table,
    windows: Collection[SalesWindow],
    categories: Mapping[str, Sequence[str]] = {},
    *,
    columns: Collection[str] | None = None,
) -> Iterator[tuple[SalesWindow, pd.DataFrame]]:
    """Each window with its customers, equal to ``build_customers`` of the lines that lie in it.

    In the order of ``as_of``, then of ``start``. As long as the columns are of recency, frequency, money and lifetime,
    the database adds up all windows together; otherwise it reads the lines once for each.

    Args:
        sales: as for ``build_customers``.
        windows: any, overlapping or not.
        categories: as for ``build_customers``.
        columns: those that are wanted, where not all are.
    """
    ordered = sorted(set(windows), key=lambda window: (window.as_of, window.start))
    if not ordered:
        return
    if columns is not None and {*columns} <= {*rfm.COLUMNS, *lifetime.COLUMNS}:
        yield from _together(sales, ordered, columns)
        return
    for window in ordered:
        ((_, customers),) = customers_at(lines_within(sales, window), [window.as_of], categories, columns=columns)
        yield window, customers


def lines_within(sales: ibis.Table, window: SalesWindow) -> ibis.Table:
    """The lines of a window, with what was left of them at its end."""
    lines = holding(sales, window.as_of)
    return lines.filter(lines[ORDER_DATE].date() >= _day(window.start))


def first_days(sales: ibis.Table) -> pd.Series:
    """The day of each customer's first sale (datetime64[us]), by customer id, whether or not it was returned later."""
    sold = sales.filter(sales[LINE_TYPE] == SALE)
    first = sold.group_by(CUSTOMER_ID).aggregate(**{DAY: sold[ORDER_DATE].min().date().cast("timestamp(6)")})
    rows = first.to_pyarrow()
    rows = rows.take(pc.sort_indices(rows[CUSTOMER_ID]))
    return pd.Series(np.asarray(rows[DAY].to_numpy()), index=_ids(rows), name=DAY)


def _together(
    sales: ibis.Table, windows: Sequence[SalesWindow], columns: Collection[str]
) -> Iterator[tuple[SalesWindow, pd.DataFrame]]:
    """Several windows at a time by two questions to the database: sums of days, and numbers of orders."""
    until: tuple[str, ...] = ()
    day = sales[ORDER_DATE].date()
    lines = sales.filter(day >= _day(min(window.start for window in windows)), day < _day(windows[-1].as_of))
    if takes_off(sales):
        held = {_SINCE: lines[HOLDS_FROM].date(), _UNTIL: lines[HOLDS_UNTIL].date()}
        lines, until = lines.mutate(**held).drop(HOLDS_FROM, HOLDS_UNTIL, OFFSET_UNITS), (_SINCE, _UNTIL)
    sold = lines.filter(lines[LINE_TYPE] == SALE)
    orders = sold.select(CUSTOMER_ID, ORDER_ID, *until, **{DAY: sold[ORDER_DATE].date()}).distinct()
    with aggregate_sales(lines, {}, until=until).days.cache() as days, orders.cache() as by_day:
        for first in range(0, len(windows), _AT_ONCE):
            several = windows[first : first + _AT_ONCE]
            for window, raw in zip(several, _sums(days, by_day, several), strict=True):
                customers = from_sums(raw, window.as_of, (), {})
                yield window, customers[[name for name in customers.columns if name in columns]]


def _sums(days: ibis.Table, orders: ibis.Table, windows: Sequence[SalesWindow]) -> Iterator[pd.DataFrame]:
    """What each customer of each window did, in code point order of ids."""
    keys = (CUSTOMER_ID, _WINDOW)
    dated, ordered = _in_windows(days, windows), _in_windows(orders, windows)
    if _UNTIL in days.columns:  # a day may be several rows, of lines that hold for other times
        summed = (name for name in dated.columns if name not in (*keys, DAY))
        dated = dated.group_by(*keys, DAY).aggregate(**{name: dated[name].sum() for name in summed})
    sums = dated.group_by(*keys).aggregate(**{**rfm.aggregates(dated), **lifetime.aggregates(dated)})
    bought = sums.filter(sums[rfm.PURCHASE_DAYS] > 0).to_pyarrow()
    counted = ordered.group_by(*keys).aggregate(**{rfm.ORDERS: ordered[ORDER_ID].nunique()}).to_pyarrow()
    whole = bought.join(counted, list(keys), join_type="inner")
    whole = whole.take(pc.sort_indices(whole, [(_WINDOW, "ascending"), (CUSTOMER_ID, "ascending")]))
    number = whole[_WINDOW].to_numpy()
    for place in range(len(windows)):
        first, last = np.searchsorted(number, (place, place + 1)).tolist()
        rows = whole.slice(first, last - first)
        yield pd.DataFrame({name: _values(rows, name) for name in rows.column_names if name not in keys}, _ids(rows))


def _in_windows(days: ibis.Table, windows: Sequence[SalesWindow]) -> ibis.Table:
    """The rows of each window that a day lies in."""
    rows = pa.table(
        {
            _WINDOW: pa.array(range(len(windows)), pa.int32()),
            _START: pa.array([window.start for window in windows], pa.date32()),
            _END: pa.array([window.as_of for window in windows], pa.date32()),
        }
    )
    table = ibis.memtable(rows)
    within = [days[DAY] >= table[_START], days[DAY] < table[_END]]
    if _UNTIL not in days.columns:
        return days.join(table, within).drop(_START, _END)
    within += [days[_SINCE].isnull() | (days[_SINCE] < table[_END])]
    within += [days[_UNTIL].isnull() | (days[_UNTIL] >= table[_END])]
    return days.join(table, within).drop(_START, _END, _SINCE, _UNTIL)


def _values(rows: pa.Table, name: str) -> np.ndarray:
    if name in (rfm.FIRST_DAY, rfm.LAST_DAY):
        return np.asarray(rows[name].cast(pa.timestamp("us")).to_numpy())
    return np.asarray(pc.fill_null(rows[name], 0).cast(pa.int64()).to_numpy(), dtype=np.int64)


def _ids(rows: pa.Table) -> pd.Index:
    ids: pd.Index = pd.Index(rows[CUSTOMER_ID].combine_chunks().to_pandas(), dtype="str", name=CUSTOMER_ID)
    return ids


def _day(day: date) -> ibis.Value:
    return ibis.date(day.isoformat())
