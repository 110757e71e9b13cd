"""The customers of a finished run: their segments, and those that meet a selection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pandas import Series
from sqlalchemy import Select, func, select

from engines.columns import CUSTOMER_ID, SEGMENT, SEGMENT_KEY
from engines.contract import NamedSegment, Predecessor
from engines.errors import InputError
from storage.contract import NotFoundError, Selection
from storage.sql import bulk
from storage.sql.database import Transaction
from storage.sql.layout import FEATURES, ROW_NO, STORED, Layout, is_storable
from storage.sql.runs import RunVerbs
from storage.sql.selection import Sieve, order_by_id, select_customers
from storage.sql.shared import JOB_OF_RUN
from storage.sql.tables import JobRow, RunRow, SnapshotRow, customers, labels

_OTHERS = {SEGMENT_KEY: pa.int32(), FEATURES: pa.string()}
_LABEL_ROWS = 262_144
_PART_ROWS = 65_536
_LOOKS = 64  # ids read at a time


class CustomerVerbs(RunVerbs):
    """The methods about the customers of a finished run and the segments they are in."""

    def count(self, run_id: int, selection: Selection) -> int:
        """How many customers of a finished run meet a selection."""
        snapshot_id, layout, segments = self._finished(run_id)
        if Sieve(selection, layout):
            return sum(batch.num_rows for batch in self.stream(run_id, selection, []))
        statement = select_customers(
            [func.count()],
            run_id=run_id,
            snapshot_id=snapshot_id,
            layout=layout,
            selection=selection,
            segments=segments,
            sqlite=self._database.is_sqlite,
        )
        with self._database.reading(self._workspace_id, joins_big=True) as transaction:
            return int(transaction.rows(statement)[0][0])

    def stream(
        self, run_id: int, selection: Selection, columns: Sequence[str] | None = None, *, batch_size: int = 65_536
    ) -> pa.RecordBatchReader:
        """The customers that meet a selection, by customer id (in code point order), in batches.

        Columns: ``customer_id``, ``segment`` (its name), then the customer columns of the snapshot, or those named.

        Raises:
            InputError: a column that the snapshot does not have, or a bound that is not a finite number.
        """
        snapshot_id, layout, segments = self._finished(run_id)
        names = [name for name in (layout.names if columns is None else columns) if name not in (CUSTOMER_ID, SEGMENT)]
        unknown = [name for name in names if name not in layout.names]
        if unknown:
            raise InputError(
                "Run {run_id} has no column {unknown!r}; it has {names}.",
                run_id=run_id,
                unknown=unknown[0],
                names=", ".join(layout.names),
            )
        sieve = Sieve(selection, layout)
        needed = layout.stored([*names, *(n for n in sieve.needs if n not in names)])
        stored_columns = [customers.c[name] for name in (CUSTOMER_ID, *needed)]
        statement = order_by_id(
            select_customers(
                [*stored_columns, labels.c[SEGMENT_KEY]],
                run_id=run_id,
                snapshot_id=snapshot_id,
                layout=layout,
                selection=selection,
                segments=segments,
                sqlite=self._database.is_sqlite,
            ),
            by_row=layout.sorted,
            sqlite=self._database.is_sqlite,
        )
        if self._database.is_sqlite and layout.sorted and selection == Selection():
            stored = self._everyone(run_id, snapshot_id, stored_columns, batch_size)
        else:
            stored = bulk.read_batches(self._database, self._workspace_id, statement, _wire(statement), batch_size)
        schema = pa.schema(
            [(CUSTOMER_ID, pa.string()), (SEGMENT, pa.string()), *((name, layout.type(name)) for name in names)]
        )
        names_by_key = {key: item.name for item in segments for key in item.keys}
        segment_keys, called = (
            pa.array(names_by_key.keys(), pa.int64()),
            pa.array(names_by_key.values(), pa.string()),
        )

        def expanded() -> Iterator[pa.RecordBatch]:
            for every in stored:
                batch = sieve.filtered(every) if sieve else every
                segment = called.take(pc.index_in(batch.column(SEGMENT_KEY).cast(pa.int64()), segment_keys))
                arrays = [batch.column(CUSTOMER_ID), segment, *layout.expand(batch, names)]
                yield pa.record_batch(arrays, schema=schema)

        return pa.RecordBatchReader.from_batches(schema, expanded())

    def _everyone(
        self, run_id: int, snapshot_id: int, columns: Sequence[Any], batch_size: int
    ) -> Iterator[pa.RecordBatch]:
        """The stored rows of all customers with their segments' keys, from a SQLite database that has both in order.

        Reading one beside the other takes it half the time of joining them, and rows can be read part by part.
        """
        keys = self._keys(run_id)
        rows = select(*columns).where(customers.c.snapshot_id == snapshot_id).order_by(customers.c[ROW_NO])
        parts = [
            rows.where(customers.c[ROW_NO] >= start, customers.c[ROW_NO] < start + _PART_ROWS)
            for start in range(0, len(keys), _PART_ROWS)
        ]
        taken = 0
        for batch in bulk.read_parts(self._database, self._workspace_id, parts, _wire(rows), batch_size):
            yield batch.append_column(SEGMENT_KEY, keys.slice(taken, batch.num_rows))
            taken += batch.num_rows
        with self._database.reading(self._workspace_id) as transaction:
            if taken != self._snapshot_row(transaction, snapshot_id).customers:
                raise NotFoundError("Run {run_id} was deleted while its customers were read.", run_id=run_id)

    def labels(self, run_id: int) -> Series:
        """Segment keys (int64) indexed by customer id, in the order of the snapshot, of a finished run."""
        snapshot_id, _, _ = self._finished(run_id)
        index = self._index(snapshot_id)
        keys = self._keys(run_id)
        if len(keys) != len(index):
            raise NotFoundError("Run {run_id} was deleted while its labels were read.", run_id=run_id)
        return Series(keys.to_numpy().astype(np.int64), index=index, name=SEGMENT_KEY)

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
            segments = self._segments(transaction, [run_id])[run_id]
        return next((item.key for item in segments if keys and keys[0][0] in item.keys), None)

    def predecessor(self, dataset: str, engine: str) -> Predecessor | None:
        """The latest finished run of a data set and engine, as something to align to."""
        latest = (
            select(RunRow.id)
            .select_from(RunRow)
            .join(JobRow, JOB_OF_RUN)
            .join(SnapshotRow, SnapshotRow.id == RunRow.snapshot_id)
            .where(SnapshotRow.dataset == dataset, RunRow.engine == engine, JobRow.state == "done")
            .order_by(JobRow.finished_at.desc(), RunRow.id.desc())
            .limit(1)
        )
        with self._database.reading(self._workspace_id) as transaction:
            rows = transaction.rows(latest)
            if not rows:
                return None
            # each by itself, as the labels have them
            segments = self._segments(transaction, [rows[0][0]], merged=False)[rows[0][0]]
        return Predecessor(self.labels(rows[0][0]), tuple(segments))

    def _keys(self, run_id: int) -> pa.Array:
        """The segment key of each customer, in the order of the rows."""
        statement = select(labels.c[SEGMENT_KEY]).where(labels.c.run_id == run_id).order_by(labels.c[ROW_NO])
        batches = bulk.read_batches(self._database, self._workspace_id, statement, _wire(statement), _LABEL_ROWS)
        return pa.concat_arrays([pa.array([], pa.int32()), *(batch.column(0).cast(pa.int32()) for batch in batches)])

    def _finished(self, run_id: int) -> tuple[int, Layout, list[NamedSegment]]:
        """The snapshot of a finished run, how its customers are laid out, and the run's segments."""
        with self._database.reading(self._workspace_id) as transaction:
            row = self._run_row(transaction, run_id)
            state = self._job_of_run(transaction, run_id).state
            if state != "done":
                raise NotFoundError("Run {run_id} has no labels: it is {state}.", run_id=run_id, state=state)
            layout = Layout.from_json(self._snapshot_row(transaction, row.snapshot_id).layout)
            return row.snapshot_id, layout, self._segments(transaction, [run_id])[run_id]


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


def _wire(statement: Select[Any]) -> pa.Schema:
    """The types of what is read."""
    return pa.schema([(c.name, STORED.get(c.name, _OTHERS.get(c.name))) for c in statement.selected_columns])
