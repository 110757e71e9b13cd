"""Snapshots: the customers of a data set as of a date, saved once and read back exactly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
from pandas import DataFrame, Index
from sqlalchemy import Select, delete, select, text, update
from sqlalchemy.schema import CreateColumn

from engines.columns import CUSTOMER_ID
from storage.contract import ChangedError, NewSnapshot, NotFoundError, Snapshot, StoreError
from storage.contract.jobs import DELIVERY, RUN
from storage.contract.objects import StoredObject
from storage.contract.snapshots import Validation
from storage.sql import bulk
from storage.sql.database import Database, Transaction
from storage.sql.jobs import UNFINISHED, delete_jobs
from storage.sql.layout import ROW_NO, STORED, Layout, lay_out
from storage.sql.objects import ObjectVerbs
from storage.sql.publications import refuse_published
from storage.sql.rows import value_from_rows
from storage.sql.shared import json_value, name_of
from storage.sql.tables import (
    AlertRow,
    AudienceRow,
    JobRow,
    PublicationRow,
    RunRow,
    ScheduleRow,
    SegmentNameRow,
    SnapshotRow,
    ValidationRow,
    customers,
    labels,
)

_READ_ROWS = 65_536


class SnapshotVerbs(ObjectVerbs):
    """The methods about snapshots."""

    def find_snapshot(self, new: NewSnapshot) -> Snapshot | None:
        """The snapshot with the same data set, fingerprint, as_of, settings and rules, if there is one."""
        with self._database.reading(self._workspace_id) as transaction:
            rows = transaction.rows(_same(new))
            return _snapshot(rows[0][0]) if rows else None

    def save_snapshot(
        self,
        new: NewSnapshot,
        customers: DataFrame,
        receipts: Mapping[str, Mapping[str, Any]] = {},
        *,
        sales: Path | None = None,
    ) -> Snapshot:
        """Keep a snapshot with its customers (indexed by customer id); an equal one already kept is returned.

        ``receipts`` of checks of its value models, by name, are kept with it. ``sales``: a file with its clean sales,
        which is copied into the object store unless that is told not to keep any; an equal snapshot that has none, or
        whose file is missing or altered, is given these.

        Raises:
            InputError: a customer without an id or there twice, or a column that cannot be kept.
            StoreError: the object store cannot be used; nothing is kept then.
        """
        if not self._objects.keeps_sales:
            sales = None
        existing = self.find_snapshot(new)
        if existing is not None:
            return self.keep_sales(existing.id, sales)
        layout, rows = lay_out(customers)
        checks = [
            {"name": name_of("check", name), "receipt": json_value(receipt)} for name, receipt in receipts.items()
        ]
        values = {
            **{field.name: json_value(getattr(new, field.name)) for field in fields(NewSnapshot)},
            "settings_digest": _digest(new),
            "layout": layout.to_json(),
            "customers": len(customers),
            "created_at": self._clock(),
        }
        add_columns(self._database)
        with (
            self._putting(sales, "sales") as stored,
            bulk.loading(self._database, self._workspace_id, rows) as transaction,
        ):
            snapshot_id = transaction.add_one(SnapshotRow, {**values, "sales_digest": stored and stored.digest})
            if snapshot_id is not None:  # else another process has saved an equal one meanwhile
                transaction.append(_customers, {"snapshot_id": snapshot_id})
                own = {"snapshot_id": snapshot_id, "created_at": values["created_at"]}
                transaction.add(ValidationRow, [{**own, **check} for check in checks])
                if stored is not None and sales is not None:
                    self._refer(transaction, stored, sales)
        if stored is not None:
            self._tidy(() if snapshot_id is not None else (stored,))
        saved = self.find_snapshot(new)
        if saved is None:
            raise StoreError(
                "The snapshot of {dataset} was deleted by someone while it was saved; save it again.",
                dataset=new.dataset,
            )
        return saved if stored is None or saved.sales == stored.digest else self.keep_sales(saved.id, sales)

    def has_sales(self, snapshot_id: int) -> bool:
        """Whether sales are kept with a snapshot, and their file is there as it was stored; all of it is read."""
        with self._database.reading(self._workspace_id) as transaction:
            stored = self._stored(transaction, "sales", self._snapshot_row(transaction, snapshot_id).sales_digest)
        return stored is not None and self._objects.is_whole(stored)

    def keep_sales(self, snapshot_id: int, sales: Path | None) -> Snapshot:
        """Keep a file with a snapshot's clean sales, as ``save_snapshot`` does; what is there and whole stays.

        Raises:
            StoreError: the object store cannot be used; the snapshot stays as it was.
        """
        before = self.snapshot(snapshot_id)
        if sales is None or not self._objects.keeps_sales or self.has_sales(snapshot_id):
            return before
        with self._putting(sales, "sales") as stored, self._database.writing(self._workspace_id) as transaction:
            if stored is not None:
                self._refer(transaction, stored, sales)
                statement = update(SnapshotRow).where(SnapshotRow.id == snapshot_id)
                statement = statement.values(sales_digest=stored.digest)
                self._one(transaction, statement.returning(SnapshotRow.id), f"no snapshot {snapshot_id}")
        self._tidy([StoredObject("sales", before.sales, 0)] if before.sales is not None else [])
        return self.snapshot(snapshot_id)

    def _tidy(self, dropped: Sequence[StoredObject]) -> None:
        """After a save, delete what is needed no longer, and what others have left."""
        with suppress(StoreError):  # what was to be kept is: the rest is swept next time
            self._drop_objects(dropped)
            self.sweep_objects()

    def snapshots(self) -> list[Snapshot]:
        """All snapshots, those saved last first."""
        with self._database.reading(self._workspace_id) as transaction:
            rows = transaction.rows(select(SnapshotRow).order_by(SnapshotRow.id.desc()))
            return [_snapshot(row) for (row,) in rows]

    def snapshot(self, snapshot_id: int) -> Snapshot:
        """One snapshot."""
        with self._database.reading(self._workspace_id) as transaction:
            return _snapshot(self._snapshot_row(transaction, snapshot_id))

    def snapshot_customers(self, snapshot_id: int) -> DataFrame:
        """The customers as they were saved: same index, order, columns and values.

        A missing value in a column of Python objects comes back as None.
        """
        with self._database.reading(self._workspace_id) as transaction:
            row = self._snapshot_row(transaction, snapshot_id)
            layout, expected = Layout.from_json(row.layout), row.customers
        frame = layout.frame(self._customer_batches(snapshot_id, (CUSTOMER_ID, *layout.stored(layout.names))))
        if len(frame) != expected:
            raise NotFoundError("Snapshot {snapshot_id} was deleted while it was read.", snapshot_id=snapshot_id)
        return frame

    def snapshot_columns(self, snapshot_id: int) -> dict[str, bool]:
        """The columns of its customers in order, without reading those: by name, whether it holds numbers."""
        with self._database.reading(self._workspace_id) as transaction:
            layout = Layout.from_json(self._snapshot_row(transaction, snapshot_id).layout)
        return {name: word in ("number", "whole") for name, _, word in layout.columns}

    def validations(self, snapshot_id: int) -> list[Validation]:
        """The receipts of checks of a snapshot's value models, by name. They go with their snapshot."""
        statement = select(ValidationRow).where(ValidationRow.snapshot_id == snapshot_id)
        with self._database.reading(self._workspace_id) as transaction:
            self._snapshot_row(transaction, snapshot_id)
            rows = [row for (row,) in transaction.rows(statement)]
        return [value_from_rows(Validation, row) for row in sorted(rows, key=lambda row: row.name)]

    def rename_dataset(self, dataset: str, name: str) -> int:
        """Give a data set another name, with its snapshots, publications, audiences and schedules.

        It gives back how many snapshots there are. Lists that were exported keep the name they were exported under.

        Raises:
            ChangedError: there is a data set of that name already.
            NotFoundError: there is no such data set.
        """
        name = name_of("data set", name)
        with self._database.writing(self._workspace_id) as transaction:
            rows = transaction.rows(select(SnapshotRow).where(SnapshotRow.dataset == dataset).with_for_update())
            if not rows:
                raise NotFoundError("There is no data set {dataset}.", dataset=dataset)
            if name == dataset:
                return len(rows)
            if transaction.rows(select(SnapshotRow.id).where(SnapshotRow.dataset == name).limit(1)):
                raise ChangedError("There is a data set {name} already; choose another name.", name=name)
            for (row,) in rows:
                info = {**row.info, "title": name} if row.info.get("title") else row.info
                renamed = update(SnapshotRow).where(SnapshotRow.id == row.id).values(dataset=name, info=info)
                transaction.rows(renamed.returning(SnapshotRow.id))
            ids = [row.id for (row,) in rows]
            runs = {run for (run,) in transaction.rows(select(RunRow.id).where(RunRow.snapshot_id.in_(ids)))}
            for (schedule,) in transaction.rows(select(ScheduleRow).with_for_update()):
                if schedule.job.get("name") == dataset or runs & set(schedule.last_runs or ()):
                    refreshed = update(ScheduleRow).where(ScheduleRow.id == schedule.id)
                    job = {**schedule.job, "name": name}
                    transaction.rows(refreshed.values(job=job).returning(ScheduleRow.id))
            audiences = update(AudienceRow).where(AudienceRow.dataset == dataset).values(dataset=name)
            transaction.rows(audiences.returning(AudienceRow.id))
            named = update(SegmentNameRow).where(SegmentNameRow.dataset == dataset).values(dataset=name)
            transaction.rows(named.returning(SegmentNameRow.identity))
            # nobody publishes meanwhile: whoever does holds a snapshot
            published = update(PublicationRow).where(PublicationRow.dataset == dataset).values(dataset=name)
            transaction.rows(published.returning(PublicationRow.id))
            return len(rows)

    def delete_snapshot(self, snapshot_id: int, *, idle: bool = False) -> None:
        """Delete a snapshot with its customers, runs, labels and drift points, and the files of it and its runs.

        Raises:
            ChangedError: with ``idle``, if a run of it is queued or running; nothing is deleted then.
            PublishedError: a run of it is the published run of the data set; nothing is deleted then.
            StoreError: also where the snapshot is deleted and its files cannot be; they are swept later.
        """
        with self._database.writing(self._workspace_id) as transaction:
            # the lock keeps new runs away, and those of the jobs wait for workers that are just at their runs
            statement = select(SnapshotRow.sales_digest, SnapshotRow.id).where(SnapshotRow.id == snapshot_id)
            sales = self._one(transaction, statement.with_for_update(), f"no snapshot {snapshot_id}")
            mine = RunRow.snapshot_id == snapshot_id
            ids = [run_id for (run_id,) in transaction.rows(select(RunRow.id).where(mine))]
            transaction.rows(select(JobRow.id).where(JobRow.kind == RUN, JobRow.subject.in_(ids)).with_for_update())
            # then the runs, so that nobody publishes one meanwhile
            transaction.rows(select(RunRow.id).where(RunRow.id.in_(ids)).with_for_update())
            refuse_published(transaction, self._snapshot_row(transaction, snapshot_id).dataset, ids)
            runs = self._runs(transaction, mine)
            if idle and any(run.state in UNFINISHED for run in runs):
                raise ChangedError(
                    "A run of snapshot {snapshot_id} is queued or running; nothing of it is deleted.",
                    snapshot_id=snapshot_id,
                )
            files = delete_runs(transaction, [run.id for run in runs])
            transaction.rows(delete(customers).where(customers.c.snapshot_id == snapshot_id))
            transaction.rows(delete(SnapshotRow).where(SnapshotRow.id == snapshot_id))
        self._drop_objects([*files, *([StoredObject("sales", sales, 0)] if sales is not None else [])])

    def _index(self, snapshot_id: int) -> Index:
        """The customer ids of a snapshot, as the index of its customer table."""
        with self._database.reading(self._workspace_id) as transaction:
            layout = Layout.from_json(self._snapshot_row(transaction, snapshot_id).layout)
        return layout.index(list(self._customer_batches(snapshot_id, (CUSTOMER_ID,))))

    def _customer_batches(self, snapshot_id: int, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
        """Stored columns of all customers of a snapshot, in the order in which they were saved."""
        statement = (
            select(*(customers.c[name] for name in columns))
            .where(customers.c.snapshot_id == snapshot_id)
            .order_by(customers.c[ROW_NO])
        )
        schema = pa.schema([(name, STORED.get(name, pa.string())) for name in columns])
        return bulk.read_batches(self._database, self._workspace_id, statement, schema, _READ_ROWS)


def add_columns(database: Database) -> None:
    """Add the columns to the table of customers that the dictionary has come to know since it was made.

    Snapshots from before do not have them: their layout does not name them.
    """
    every = text(f"SELECT * FROM {customers.name} LIMIT 0")  # noqa: S608 - our own name
    with database.guarded():
        with database.engine.connect() as connection:
            present = set(connection.execute(every).keys())
        if present >= set(customers.c.keys()):
            return
        with database.begin() as connection:
            # Another process may have added them meanwhile. On SQLite nobody else writes now. PostgreSQL is not asked
            # first, as of two that have looked at the table neither would give the other the lock to change it.
            if database.is_sqlite:
                present = set(connection.execute(every).keys())
            unless = "" if database.is_sqlite else "IF NOT EXISTS "
            for column in customers.columns:
                if column.name not in present:
                    made = CreateColumn(column).compile(dialect=connection.dialect)
                    connection.exec_driver_sql(f"ALTER TABLE {customers.name} ADD COLUMN {unless}{made}")


def delete_runs(transaction: Transaction, run_ids: Sequence[int]) -> list[StoredObject]:
    """Delete runs with all that is theirs; their models are given back, to be deleted after the transaction."""
    # the jobs first: that waits for a worker who is just finishing a run, whose labels are then there to be deleted
    delete_jobs(transaction, RUN, run_ids)
    alerts = transaction.rows(select(AlertRow.id).where(AlertRow.run_id.in_(run_ids)))
    delete_jobs(transaction, DELIVERY, [alert_id for (alert_id,) in alerts])
    gone = transaction.rows(delete(RunRow).where(RunRow.id.in_(run_ids)).returning(RunRow.model_digest))
    transaction.rows(delete(labels).where(labels.c.run_id.in_(run_ids)))
    return [StoredObject("model", digest, 0) for digest in sorted({digest for (digest,) in gone if digest})]


_customers = customers  # where an argument has the table's name


def _snapshot(row: SnapshotRow) -> Snapshot:
    return value_from_rows(Snapshot, row, sales=row.sales_digest)


def _same(new: NewSnapshot) -> Select[Any]:
    return select(SnapshotRow).where(
        SnapshotRow.dataset == new.dataset,
        SnapshotRow.fingerprint == new.fingerprint,
        SnapshotRow.as_of == new.as_of,
        SnapshotRow.settings_digest == _digest(new),
    )


def _digest(new: NewSnapshot) -> str:
    identity = json_value(new.settings)
    if new.rules != 1:  # those of the first version were written down without it
        identity = {"settings": identity, "rules": new.rules}
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
