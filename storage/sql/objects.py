"""Which files of the object store belong to what: put before they are referred to, deleted with the last reference.

A file and the rows that refer to it are in two places, and either may be left by a process that is killed. So: a file
is put before the transaction that refers to it; in that transaction its row in ``objects`` is locked and the file
looked for, and put again if it is gone. It is deleted only by whoever holds that lock and has seen that nothing refers
to it. What is left over (a file without a row, a row without references) is swept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from storage.contract import NotFoundError, StoreError
from storage.contract.objects import ObjectKind, StoredObject
from storage.objects import BrokenObjectError
from storage.sql.database import Transaction
from storage.sql.shared import StorePart
from storage.sql.tables import ObjectRow, RunRow, SnapshotRow

#: What refers to files of each kind, by their digest.
_REFERENCES: dict[str, Any] = {"sales": SnapshotRow.sales_digest, "model": RunRow.model_digest}
#: A file that nothing refers to may be one that is just about to be referred to, for so long.
_PUT_WITHIN = timedelta(hours=1)
#: A file that is not finished may still be written, for so long.
_WRITTEN_WITHIN = timedelta(days=1)


class ObjectVerbs(StorePart):
    """The methods about the files of snapshots and runs."""

    @contextmanager
    def sales(self, snapshot_id: int) -> Iterator[Path]:
        """The clean sales that were kept with a snapshot, as a local file that must not be changed.

        Raises:
            NotFoundError: no such snapshot, or no sales are kept with it.
            StoreError: they are missing or altered, or the object store cannot be used.
        """
        with self._database.reading(self._workspace_id) as transaction:
            row = self._snapshot_row(transaction, snapshot_id)
            stored = self._stored(transaction, "sales", row.sales_digest)
            dataset = row.dataset
        if stored is None:
            raise NotFoundError(
                "No sales are kept with snapshot {snapshot_id} ({dataset}); with [objects] keep = true they are, "
                "when its source is read anew.",
                snapshot_id=snapshot_id,
                dataset=dataset,
            )
        with ExitStack() as stack:
            try:
                path = stack.enter_context(self._objects.fetch(stored))
            except BrokenObjectError as error:
                with self._database.reading(self._workspace_id) as transaction:
                    self._snapshot_row(transaction, snapshot_id)  # which may have been deleted meanwhile
                raise StoreError(
                    "The sales that were kept with snapshot {snapshot_id} ({dataset}) are {state} in {place}; read "
                    "its source anew to keep them again.",
                    snapshot_id=snapshot_id,
                    dataset=dataset,
                    state=error.state,
                    place=self._objects.shown,
                ) from None
            yield path

    def sweep_objects(self) -> int:
        """Delete the files that nothing refers to and that nobody is about to refer to; how many those were.

        They are what processes have left that were killed while they saved or deleted.
        """
        now = self._clock()
        self._objects.remove_unfinished(now - _WRITTEN_WITHIN)
        with self._database.reading(self._workspace_id) as transaction:
            rows = transaction.rows(select(ObjectRow.kind, ObjectRow.digest))
            used = {
                (kind, digest)
                for kind, column in _REFERENCES.items()
                for (digest,) in transaction.rows(select(column).where(column.is_not(None)))
            }
        registered = {(kind, digest) for kind, digest in rows}
        listed = {(item.kind, item.digest) for item in self._objects.listed() if item.stored_at < now - _PUT_WITHIN}
        unused = sorted((registered - used) | (listed - registered))
        self._drop_objects(StoredObject(kind, digest, 0) for kind, digest in unused)
        return len(unused)

    @contextmanager
    def _putting(self, source: Path | bytes | None, kind: ObjectKind) -> Iterator[StoredObject | None]:
        """Put a file for a transaction within that refers to it; it goes again where that comes to nothing."""
        if source is None:
            yield None
            return
        stored = self._objects.put(source, kind)
        try:
            yield stored
        except BaseException:
            with suppress(StoreError):  # then it is swept
                self._drop_objects([stored])
            raise

    def _refer(self, transaction: Transaction, stored: StoredObject, source: Path | bytes) -> None:
        """Make sure that a file is there when this transaction, which refers to it, is committed."""
        key = {"kind": stored.kind, "digest": stored.digest}
        transaction.hold(ObjectRow, {**key, "size": float(stored.size), "created_at": self._clock()})
        if not self._objects.exists(stored):  # whoever deleted the last other reference to it was faster
            self._objects.put(source, stored.kind)

    def _drop_objects(self, stored: Iterable[StoredObject]) -> None:
        """Delete those of the files that nothing refers to. No transaction may be open that refers to them."""
        for item in stored:
            with self._database.writing(self._workspace_id) as transaction:
                key = {"kind": item.kind, "digest": item.digest}
                transaction.hold(ObjectRow, {**key, "size": float(item.size), "created_at": self._clock()})
                column = _REFERENCES[item.kind]
                if transaction.rows(select(column).where(column == item.digest).limit(1)):
                    continue
                self._objects.delete(item.kind, item.digest)
                mine = ObjectRow.kind == item.kind, ObjectRow.digest == item.digest
                transaction.rows(delete(ObjectRow).where(*mine).returning(ObjectRow.digest))

    def _stored(self, transaction: Transaction, kind: ObjectKind, digest: str | None) -> StoredObject | None:
        """What is known of a file that is referred to."""
        if digest is None:
            return None
        mine = ObjectRow.kind == kind, ObjectRow.digest == digest
        rows = transaction.rows(select(ObjectRow.size).where(*mine))
        return StoredObject(kind, digest, int(rows[0][0]) if rows else 0)
