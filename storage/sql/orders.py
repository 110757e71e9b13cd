"""Reading one customer alone: orders packed by some thousand customers, and the label found without a scan."""

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

from engines.columns import AMOUNT_UNITS, CUSTOMER_ID, ITEMS, LINES, ORDER_DATE, SEGMENT_KEY
from storage.contract import NotFoundError
from storage.sql.database import Transaction
from storage.sql.layout import ROW_NO, Layout, is_storable
from storage.sql.shared import StorePart
from storage.sql.tables import OrderHistoryRow, SnapshotRow, customers, labels

_LOOKS = 64  # ids read at a time
CHUNK = 2048  # customers packed together: about 100 kB at five orders each, read in a few milliseconds
_COLUMNS = (ORDER_DATE, AMOUNT_UNITS, LINES, ITEMS)
#: Written as differences, sorted ids and whole numbers take two thirds of the room that a dictionary of them takes.
_ENCODINGS = {
    CUSTOMER_ID: "DELTA_BYTE_ARRAY",
    **dict.fromkeys((ORDER_DATE, AMOUNT_UNITS, LINES), "DELTA_BINARY_PACKED"),
}


class OrderVerbs(StorePart):
    """The methods about one customer, which read none of the others; ``save_snapshot`` keeps the orders."""

    def orders(self, snapshot_id: int, customer_id: str) -> DataFrame | None:
        """The orders of a customer, the oldest first: ``order_date``, ``amount_units``, ``lines``, ``items``.

        Money is whole units of 1/10,000; what came back is below zero; items are missing where they are not known.
        None where the snapshot was saved without orders.

        Raises:
            NotFoundError: no such snapshot, or no such customer in it.
        """
        mine = OrderHistoryRow.snapshot_id == snapshot_id
        with self._database.reading(self._workspace_id) as transaction:
            self._snapshot_row(transaction, snapshot_id)
            if not transaction.rows(select(OrderHistoryRow.snapshot_id).where(mine).limit(1)):
                return None
            listed = []
            if is_storable(customer_id):
                before = mine, OrderHistoryRow.first_customer <= customer_id.encode()
                last = OrderHistoryRow.first_customer.desc()
                listed = transaction.rows(select(OrderHistoryRow.data).where(*before).order_by(last).limit(1))
        table = pq.read_table(io.BytesIO(listed[0][0])) if listed else None
        if table is not None:
            table = table.filter(pc.equal(table[CUSTOMER_ID], customer_id))
        if table is None or not table.num_rows:
            raise NotFoundError(
                "There is no customer {customer_id!r} in snapshot {snapshot_id}.",
                customer_id=customer_id,
                snapshot_id=snapshot_id,
            )
        frame: DataFrame = table.select(list(_COLUMNS)).to_pandas()
        return frame

    def segment_of(self, run_id: int, customer_id: str) -> int | None:
        """The key of the segment that a customer is in, None where the snapshot does not have that customer.

        Raises:
            NotFoundError: no such run, or it is not finished.
        """
        with self._database.reading(self._workspace_id) as transaction:
            run = self._run_row(transaction, run_id)
            state = self._job_of_run(transaction, run_id).state
            if state != "done":
                raise NotFoundError(
                    "Run {run_id} is {state}; only a finished run has customers in segments.",
                    run_id=run_id,
                    state=state,
                )
            snapshot = self._snapshot_row(transaction, run.snapshot_id)
            place = _place(transaction, snapshot, customer_id) if is_storable(customer_id) else None
            if place is None:
                return None
            mine = labels.c.run_id == run_id, labels.c[ROW_NO] == place
            keys = transaction.rows(select(labels.c[SEGMENT_KEY]).where(*mine))
        return int(keys[0][0]) if keys else None


def _place(transaction: Transaction, snapshot: SnapshotRow, customer_id: str) -> int | None:
    """The row of a customer. Sorted ids are searched as a telephone book is, since there is no index on them."""
    ids, row = customers.c[CUSTOMER_ID], customers.c[ROW_NO]
    mine = customers.c.snapshot_id == snapshot.id
    low, high = 0, snapshot.customers  # the customer's row is one of these, if any
    if not Layout.from_json(snapshot.layout).sorted:
        rows = transaction.rows(select(row).where(mine, ids == customer_id))
        return int(rows[0][0]) if rows else None
    while low < high:
        looks = sorted({low + (high - low) * part // _LOOKS for part in range(_LOOKS)})
        seen = {
            int(number): str(name) for number, name in transaction.rows(select(row, ids).where(mine, row.in_(looks)))
        }
        before = [number for number in looks if number in seen and seen[number] <= customer_id]
        if not before:
            return None
        low = before[-1]
        if seen[low] == customer_id:
            return low
        low, high = low + 1, next((number for number in looks if number > low), high)
    return None


def pack_orders(orders: Iterable[pa.RecordBatch]) -> Iterator[tuple[bytes, bytes]]:
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
