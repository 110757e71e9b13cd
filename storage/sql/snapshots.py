"""Keeping snapshots: the customers of a shop as of a date, saved once and read back exactly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
from pandas import DataFrame, Index
from sqlalchemy import Select, delete, select, update

from engines.columns import CUSTOMER_ID
from storage.contract import ChangedError, NewSnapshot, NotFoundError, Snapshot, StoreError
from storage.sql import bulk
from storage.sql.audiences import name_of
from storage.sql.desk_tables import SourceRow, ValidationRow
from storage.sql.layout import ROW_NO, STORED, Layout, lay_out
from storage.sql.orders import packed
from storage.sql.shared import SqlVerbs, plain, snapshot_of
from storage.sql.tables import OrderHistoryRow, RunRow, SnapshotRow, customers, labels

_READ_ROWS = 65_536


class SnapshotVerbs(SqlVerbs):
    """The verbs about snapshots."""

    def find_snapshot(self, new: NewSnapshot) -> Snapshot | None:
        """See :class:`~storage.contract.Store`."""
        with self._database.reading(self._workspace_id) as transaction:
            rows = transaction.rows(_same(new))
            return snapshot_of(rows[0][0]) if rows else None

    def save_snapshot(
        self,
        new: NewSnapshot,
        customers: DataFrame,
        receipts: Mapping[str, Mapping[str, Any]] = {},
        orders: Iterable[pa.RecordBatch] = (),
    ) -> Snapshot:
        """See :class:`~storage.contract.Store`.

        Raises:
            InputError: a customer without an id or there twice, or a column that cannot be kept.
            ValueError: orders that are not in the order of the customers' ids.
        """
        found = self.find_snapshot(new)
        if found is not None:
            return found
        layout, rows = lay_out(customers)
        checks = [{"name": name_of("check", name), "receipt": plain(receipt)} for name, receipt in receipts.items()]
        values = {
            "dataset": new.dataset,
            "source": new.source,
            "fingerprint": new.fingerprint,
            "as_of": new.as_of,
            "settings": plain(new.settings),
            "settings_digest": _digest(new),
            "ledger": plain(new.ledger),
            "info": plain(new.info),
            "layout": layout.to_json(),
            "customers": len(customers),
            "created_at": self._clock(),
        }
        histories = list(packed(orders))  # before the transaction, so that the database is not locked meanwhile
        with bulk.loading(self._database, self._workspace_id, rows) as transaction:
            snapshot_id = transaction.add_one(SnapshotRow, values)
            if snapshot_id is not None:  # else another process has saved an equal one meanwhile
                transaction.append(_customers, {"snapshot_id": snapshot_id})
                own = {"snapshot_id": snapshot_id, "created_at": values["created_at"]}
                for first, data in histories:
                    whose: dict[str, int | bytes] = {"snapshot_id": snapshot_id, "first_customer": first}
                    transaction.add_bytes(OrderHistoryRow, {**whose, "data": data})
                transaction.add(ValidationRow, [{**own, **check} for check in checks])
                self._remember(transaction, new)
        saved = self.find_snapshot(new)
        if saved is None:
            raise StoreError(f"The snapshot of {new.dataset} was deleted by someone while it was saved; save it again.")
        return saved

    def _remember(self, transaction: bulk.Loading, new: NewSnapshot) -> None:
        """Keep where a snapshot came from; last of all, so that saves of one source do not wait for one another."""
        now, mapping = self._clock(), new.settings.get("mapping")
        values = {
            "kind": str(new.info.get("source_kind", "unknown")),
            "mapping": plain(mapping) if isinstance(mapping, Mapping) else {},
            "used_at": now,
        }
        if transaction.add_one(SourceRow, {"name": new.source, "created_at": now, **values}) is None:
            known = update(SourceRow).where(SourceRow.name == new.source).values(values)
            transaction.rows(known.returning(SourceRow.id))

    def snapshots(self) -> list[Snapshot]:
        """See :class:`~storage.contract.Store`."""
        with self._database.reading(self._workspace_id) as transaction:
            return [
                snapshot_of(row) for (row,) in transaction.rows(select(SnapshotRow).order_by(SnapshotRow.id.desc()))
            ]

    def snapshot(self, snapshot_id: int) -> Snapshot:
        """See :class:`~storage.contract.Store`."""
        with self._database.reading(self._workspace_id) as transaction:
            return snapshot_of(self._snapshot_row(transaction, snapshot_id))

    def snapshot_customers(self, snapshot_id: int) -> DataFrame:
        """See :class:`~storage.contract.Store`. A missing value in a column of Python objects comes back as None."""
        with self._database.reading(self._workspace_id) as transaction:
            row = self._snapshot_row(transaction, snapshot_id)
            layout, expected = Layout.from_json(row.layout), row.customers
        frame = layout.frame(self._customer_batches(snapshot_id, (CUSTOMER_ID, *layout.stored(layout.names))))
        if len(frame) != expected:
            raise NotFoundError(f"Snapshot {snapshot_id} was deleted while it was read.")
        return frame

    def snapshot_columns(self, snapshot_id: int) -> dict[str, bool]:
        """See :class:`~storage.contract.Store`."""
        with self._database.reading(self._workspace_id) as transaction:
            layout = Layout.from_json(self._snapshot_row(transaction, snapshot_id).layout)
        return {name: word in ("number", "whole") for name, _, word in layout.columns}

    def delete_snapshot(self, snapshot_id: int, *, idle: bool = False) -> None:
        """See :class:`~storage.contract.Store`."""
        with self._database.writing(self._workspace_id) as transaction:
            # The lock keeps new runs away; deleting the runs first waits for those that are just being finished, so
            # that their labels are there to be deleted.
            self._one(
                transaction,
                select(SnapshotRow.id).where(SnapshotRow.id == snapshot_id).with_for_update(),
                f"no snapshot {snapshot_id}",
            )
            unfinished = RunRow.snapshot_id == snapshot_id, RunRow.state.in_(("queued", "running"))
            if idle and transaction.rows(select(RunRow.id).where(*unfinished).limit(1)):
                raise ChangedError(f"A run of snapshot {snapshot_id} is queued or running; nothing of it is deleted.")
            runs = transaction.rows(delete(RunRow).where(RunRow.snapshot_id == snapshot_id).returning(RunRow.id))
            transaction.rows(delete(labels).where(labels.c.run_id.in_([run_id for (run_id,) in runs])))
            transaction.rows(delete(customers).where(customers.c.snapshot_id == snapshot_id))
            transaction.rows(delete(SnapshotRow).where(SnapshotRow.id == snapshot_id))

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
        return bulk.read(self._database, self._workspace_id, statement, schema, _READ_ROWS)


_customers = customers  # where an argument has the table's name


def _same(new: NewSnapshot) -> Select[Any]:
    return select(SnapshotRow).where(
        SnapshotRow.dataset == new.dataset,
        SnapshotRow.fingerprint == new.fingerprint,
        SnapshotRow.as_of == new.as_of,
        SnapshotRow.settings_digest == _digest(new),
    )


def _digest(new: NewSnapshot) -> str:
    return hashlib.sha256(json.dumps(plain(new.settings), sort_keys=True).encode()).hexdigest()
