"""Keeping orders: histories of some thousand customers packed together, so that one customer is one small read."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pandas import DataFrame
from sqlalchemy import select

from engines.columns import AMOUNT_UNITS, CUSTOMER_ID, ITEMS, LINES, ORDER_DATE
from storage.contract import NotFoundError
from storage.layout import is_storable
from storage.tables import OrderHistoryRow
from storage.verbs import SqlVerbs

CHUNK = 2048  # customers packed together: about 100 kB at five orders each, read in a few milliseconds
_COLUMNS = (ORDER_DATE, AMOUNT_UNITS, LINES, ITEMS)
#: Written as differences, sorted ids and whole numbers take two thirds of the room that a dictionary of them takes.
_ENCODINGS = {
    CUSTOMER_ID: "DELTA_BYTE_ARRAY",
    **dict.fromkeys((ORDER_DATE, AMOUNT_UNITS, LINES), "DELTA_BINARY_PACKED"),
}


class OrderVerbs(SqlVerbs):
    """The verb about orders; ``save_snapshot`` keeps them."""

    def orders(self, snapshot_id: int, customer_id: str) -> DataFrame | None:
        """See :class:`~storage.ordered.OrderStore`."""
        mine = OrderHistoryRow.snapshot_id == snapshot_id
        with self._database.reading(self._workspace_id) as transaction:
            self._snapshot_row(transaction, snapshot_id)
            if not transaction.rows(select(OrderHistoryRow.snapshot_id).where(mine).limit(1)):
                return None
            found = []
            if is_storable(customer_id):
                before = mine, OrderHistoryRow.first_customer <= customer_id.encode()
                last = OrderHistoryRow.first_customer.desc()
                found = transaction.rows(select(OrderHistoryRow.data).where(*before).order_by(last).limit(1))
        table = pq.read_table(io.BytesIO(found[0][0])) if found else None
        if table is not None:
            table = table.filter(pc.equal(table[CUSTOMER_ID], customer_id))
        if table is None or not table.num_rows:
            raise NotFoundError(f"There is no customer {customer_id!r} in snapshot {snapshot_id}.")
        frame: DataFrame = table.select(list(_COLUMNS)).to_pandas()
        return frame


def packed(orders: Iterable[pa.RecordBatch]) -> Iterator[tuple[bytes, bytes]]:
    """Order histories, which come by customer id, as rows of the table: first customer and data.

    Raises:
        ValueError: they are not in the order of the ids.
    """
    rest: pa.Table | None = None
    for batch in orders:
        table = pa.Table.from_batches([batch])
        rest = table if rest is None else pa.concat_tables([rest, table])
        starts = _starts(rest[CUSTOMER_ID])
        if len(starts) > CHUNK:
            whole = (len(starts) - 1) // CHUNK * CHUNK  # the last customer may go on in the next batch
            yield from _chunks(rest, [*starts[:whole:CHUNK], starts[whole]])
            rest = rest.slice(int(starts[whole]))
    if rest is not None and rest.num_rows:
        yield from _chunks(rest, [*_starts(rest[CUSTOMER_ID])[::CHUNK], rest.num_rows])


def _starts(ids: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Where each customer begins."""
    ids = ids.combine_chunks()
    if not pc.all(pc.less_equal(ids[:-1], ids[1:])).as_py():
        raise ValueError("Order histories must come in the order of the customers' ids.")
    other = pc.not_equal(ids[:-1], ids[1:]).to_numpy(zero_copy_only=False)
    return np.concatenate([[0], np.flatnonzero(other) + 1])[: len(ids)].astype(np.intp)


def _chunks(table: pa.Table, edges: Iterable[int]) -> Iterator[tuple[bytes, bytes]]:
    for start, end in pairwise(map(int, edges)):
        piece, written = table.slice(start, end - start), io.BytesIO()
        pq.write_table(piece, written, compression="zstd", use_dictionary=False, column_encoding=_ENCODINGS)
        yield piece[CUSTOMER_ID][0].as_py().encode(), written.getvalue()
