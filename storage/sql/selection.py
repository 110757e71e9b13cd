"""A selection as conditions on the database, so that what is on screen is what is counted and exported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, and_, false, func, select

from engines.columns import CATEGORY_SHARE, COUNTRY, CUSTOMER_ID, SEGMENT_KEY
from engines.contract import NamedSegment, segments_meant
from storage.contract import Selection
from storage.contract.selection import Range
from storage.sql.layout import FOLDED, ROW_NO, Layout, fold, is_storable
from storage.sql.tables import customers, labels


def select_customers(
    columns: Sequence[Any],
    *,
    run_id: int,
    snapshot_id: int,
    layout: Layout,
    selection: Selection,
    segments: Sequence[NamedSegment],
    sqlite: bool,
) -> Select[Any]:
    """These columns of the labelled customers that meet a selection but for what a :class:`Sieve` decides.

    ``layout`` is that of the snapshot; ``segments`` are those of the run.
    """
    same_customer = and_(customers.c.snapshot_id == snapshot_id, customers.c[ROW_NO] == labels.c[ROW_NO])
    statement = select(*columns).select_from(labels).join(customers, same_customer)
    return statement.where(labels.c.run_id == run_id, *_conditions(layout, selection, segments, sqlite=sqlite))


def order_by_id(statement: Select[Any], *, by_row: bool, sqlite: bool) -> Select[Any]:
    """In code point order of the customer ids, which mostly is the order of the rows already."""
    if by_row:
        return statement.order_by(customers.c[ROW_NO])
    return statement.order_by(customers.c[CUSTOMER_ID].collate("BINARY" if sqlite else "C"))


class Sieve:
    """What of a selection a database would not decide as we do: on columns that it keeps as text, such as shares.

    The same comparison of the same doubles as pages use decides them on the rows as they are read.
    """

    def __init__(self, selection: Selection, layout: Layout) -> None:
        self._ranges = [(f"{CATEGORY_SHARE}{category}", Range(least)) for category, least in selection.shares]
        self._ranges += [(name, ends) for name, ends in selection.bounds.items() if name in layout.features]
        self._layout = layout
        columns = [name for name, _ in self._ranges]
        self.needs = tuple(dict.fromkeys(name for name in columns if name in layout.names))
        self.nobody = any(name not in layout.names for name in columns)

    def __bool__(self) -> bool:
        return bool(self._ranges)

    def filtered(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Those of a batch's stored rows that pass."""
        if self.nobody:
            return batch.slice(0, 0)
        arrays = self._layout.expand(batch, self.needs)
        values = {name: _doubles(array) for name, array in zip(self.needs, arrays, strict=True)}
        chosen = np.ones(batch.num_rows, dtype=bool)
        for name, (low, high) in self._ranges:
            if low is not None:
                chosen &= values[name] >= low
            if high is not None:
                chosen &= values[name] <= high
        return batch.filter(pa.array(chosen))


def _doubles(array: pa.Array) -> NDArray[np.float64]:
    doubles: NDArray[np.float64] = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return doubles


def _conditions(
    layout: Layout, selection: Selection, segments: Sequence[NamedSegment], *, sqlite: bool
) -> list[ColumnElement[bool]]:
    if not {*selection.bounds, *([COUNTRY] if selection.countries else [])} <= set(layout.names):
        return [false()]  # of a column that the snapshot does not have nobody has a value
    conditions: list[ColumnElement[bool]] = []
    if selection.segments:
        meant = zip(segments, segments_meant(segments, selection.segments), strict=True)
        conditions.append(labels.c[SEGMENT_KEY].in_([key for item, is_meant in meant if is_meant for key in item.keys]))
    if selection.countries:
        conditions.append(customers.c[COUNTRY].in_([name for name in selection.countries if is_storable(name)]))
    for name, (low, high) in selection.bounds.items():
        if name in layout.features:
            continue  # a sieve decides
        conditions += [customers.c[name] >= low] if low is not None else []
        conditions += [customers.c[name] <= high] if high is not None else []
    if selection.q:
        conditions.append(_contains(selection.q, sqlite=sqlite))
    return conditions


def _contains(text: str, *, sqlite: bool) -> ColumnElement[bool]:
    """Whether the id holds the text, whatever the case.

    Both sides are folded by us: the databases' own ideas of upper and lower case differ. It asks for the place of the
    text instead of using LIKE, so that no character of it means anything but itself.
    """
    if not is_storable(text):
        return false()
    where = func.coalesce(customers.c[FOLDED], customers.c[CUSTOMER_ID])
    return (func.instr if sqlite else func.strpos)(where, fold(text)) > 0
