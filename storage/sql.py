"""The store on SQLite or PostgreSQL: snapshots, runs, and the customers of a run that meet a selection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pandas import Series
from sqlalchemy import func, select

from engines.columns import CUSTOMER_ID, SEGMENT, SEGMENT_KEY
from engines.errors import InputError
from storage import bulk
from storage.contract import NotFoundError, Selection
from storage.edits import EditVerbs
from storage.exports import ExportVerbs
from storage.layout import FEATURES, ROW_NO, STORED, Layout
from storage.orders import CustomerVerbs
from storage.people import PeopleVerbs
from storage.runs import RunVerbs
from storage.schedules import ScheduleVerbs
from storage.selecting import Sieve, ordered, selected
from storage.tables import customers, labels
from storage.uploads import UploadVerbs
from storage.watch_verbs import WatchVerbs

_OTHERS = {SEGMENT_KEY: pa.int32(), FEATURES: pa.string()}
_LABEL_ROWS = 262_144


class SqlStore(EditVerbs, ScheduleVerbs, UploadVerbs, ExportVerbs, PeopleVerbs, CustomerVerbs, WatchVerbs, RunVerbs):
    """The store of one workspace; made by :func:`storage.open_store`. Its methods may be called from many threads."""

    def count(self, run_id: int, selection: Selection) -> int:
        """See :class:`~storage.contract.Store`."""
        snapshot_id, layout, keys = self._finished(run_id)
        if Sieve(selection, layout):
            return sum(batch.num_rows for batch in self.stream(run_id, selection, []))
        statement = selected(
            [func.count()],
            run_id=run_id,
            snapshot_id=snapshot_id,
            selection=selection,
            keys=keys,
            sqlite=self._database.is_sqlite,
        )
        with self._database.reading(self._workspace_id, joins_big=True) as transaction:
            return int(transaction.rows(statement)[0][0])

    def stream(
        self, run_id: int, selection: Selection, columns: Sequence[str] | None = None, *, batch_size: int = 65_536
    ) -> pa.RecordBatchReader:
        """See :class:`~storage.contract.Store`.

        Raises:
            InputError: a column that the snapshot does not have, or a bound that is not a finite number.
        """
        snapshot_id, layout, keys = self._finished(run_id)
        names = [name for name in (layout.names if columns is None else columns) if name not in (CUSTOMER_ID, SEGMENT)]
        unknown = [name for name in names if name not in layout.names]
        if unknown:
            raise InputError(f"Run {run_id} has no column {unknown[0]!r}; it has {', '.join(layout.names)}.")
        sieve = Sieve(selection, layout)
        statement = ordered(
            selected(
                [
                    customers.c[CUSTOMER_ID],
                    labels.c[SEGMENT_KEY],
                    *(
                        customers.c[name]
                        for name in layout.stored([*names, *(n for n in sieve.needs if n not in names)])
                    ),
                ],
                run_id=run_id,
                snapshot_id=snapshot_id,
                selection=selection,
                keys=keys,
                sqlite=self._database.is_sqlite,
            ),
            by_row=layout.sorted,
            sqlite=self._database.is_sqlite,
        )
        wire = pa.schema([(c.name, STORED.get(c.name, _OTHERS.get(c.name))) for c in statement.selected_columns])
        stored = bulk.read(self._database, self._workspace_id, statement, wire, batch_size)
        schema = pa.schema(
            [(CUSTOMER_ID, pa.string()), (SEGMENT, pa.string()), *((name, layout.type(name)) for name in names)]
        )
        known, called = pa.array(keys.values(), pa.int64()), pa.array(keys.keys(), pa.string())

        def expanded() -> Iterator[pa.RecordBatch]:
            for every in stored:
                batch = sieve.kept(every) if sieve else every
                segment = called.take(pc.index_in(batch.column(SEGMENT_KEY).cast(pa.int64()), known))
                arrays = [batch.column(CUSTOMER_ID), segment, *layout.expand(batch, names)]
                yield pa.record_batch(arrays, schema=schema)

        return pa.RecordBatchReader.from_batches(schema, expanded())

    def labels(self, run_id: int) -> Series:
        """See :class:`~storage.contract.Store`."""
        snapshot_id, _, _ = self._finished(run_id)
        index = self._index(snapshot_id)
        statement = select(labels.c[SEGMENT_KEY]).where(labels.c.run_id == run_id).order_by(labels.c[ROW_NO])
        wire = pa.schema([(SEGMENT_KEY, pa.int32())])
        batches = list(bulk.read(self._database, self._workspace_id, statement, wire, _LABEL_ROWS))
        keys = np.concatenate([np.empty(0, np.int64), *(batch.column(0).to_numpy() for batch in batches)])
        if len(keys) != len(index):
            raise NotFoundError(f"Run {run_id} was deleted while its labels were read.")
        return Series(keys.astype(np.int64), index=index, name=SEGMENT_KEY)

    def _finished(self, run_id: int) -> tuple[int, Layout, dict[str, int]]:
        """The snapshot of a finished run, how its customers are laid out, and the run's segment keys by name."""
        with self._database.reading(self._workspace_id) as transaction:
            row = self._run_row(transaction, run_id)
            if row.state != "done":
                raise NotFoundError(f"Run {run_id} has no labels: it is {row.state}.")
            layout = Layout.from_json(self._snapshot_row(transaction, row.snapshot_id).layout)
            named = self._segments(transaction, [run_id])[run_id]
            return row.snapshot_id, layout, {segment.name: segment.key for segment in named}

    def close(self) -> None:
        """See :class:`~storage.contract.Store`."""
        self._database.close()
