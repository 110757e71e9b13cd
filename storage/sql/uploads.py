"""Keeping uploads: which files were received, what is to be done with them, and who is at it right now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, and_, delete, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from storage.contract import ChangedError, NotFoundError
from storage.contract.uploads import NewUpload, Upload, UploadTask
from storage.sql.audiences import text_of
from storage.sql.database import Transaction
from storage.sql.queue import JobVerbs
from storage.sql.shared import plain
from storage.sql.tables import NEVER_REUSED, Base


class UploadRow(Base):
    """A file that was received, and the task that was last asked for; while somebody is at it, it is leased."""

    __tablename__ = "uploads"
    __table_args__ = (Index("ix_uploads_state", "workspace_id", "state"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    file: Mapped[str]
    name: Mapped[str]
    size: Mapped[float]  # a double: SQLite and PostgreSQL agree on it, and 2**53 bytes are enough
    fingerprint: Mapped[str]
    state: Mapped[str]
    task: Mapped[str | None]
    asked: Mapped[dict[str, Any]]
    asked_by: Mapped[str | None]
    stage: Mapped[str | None]
    progress: Mapped[float | None]  # 0 to 1
    error: Mapped[str | None]
    found: Mapped[dict[str, Any]]
    snapshot_id: Mapped[int | None]  # no foreign key: the snapshot may be deleted later
    runs: Mapped[list[Any]]
    attempt: Mapped[int]
    claim: Mapped[int]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


_IDLE: dict[str, Any] = {"stage": None, "progress": None, "lease_until": None}


class UploadVerbs(JobVerbs):
    """The verbs about uploads, whose tasks are leased as runs are."""

    def add_upload(self, new: NewUpload) -> Upload:
        """See :class:`~storage.contract.uploads.UploadStore`."""
        now = self._clock()
        values = {
            "file": text_of("file", new.file),
            "name": text_of("name", new.name),
            "size": float(new.size),
            "fingerprint": text_of("fingerprint", new.fingerprint),
            "state": "received",
            "asked": {},
            "found": {},
            "runs": [],
            "attempt": 0,
            "claim": 0,
            "created_at": now,
            "changed_at": now,
        }
        with self._database.writing(self._workspace_id) as transaction:
            upload_id = transaction.add_one(UploadRow, values)
            assert upload_id is not None  # nothing about an upload is unique but its number
            return self._upload(transaction, upload_id)

    def uploads(self) -> list[Upload]:
        """See :class:`~storage.contract.uploads.UploadStore`."""
        with self._database.reading(self._workspace_id) as transaction:
            return [_shown(row) for (row,) in transaction.rows(select(UploadRow).order_by(UploadRow.id.desc()))]

    def upload(self, upload_id: int) -> Upload:
        """See :class:`~storage.contract.uploads.UploadStore`."""
        with self._database.reading(self._workspace_id) as transaction:
            return self._upload(transaction, upload_id)

    def ask_upload(
        self, upload_id: int, task: UploadTask, asked: Mapping[str, Any], *, who: str | None = None
    ) -> Upload:
        """See :class:`~storage.contract.uploads.UploadStore`."""
        wanted = {"task": task, "asked": plain(asked), "asked_by": who}
        wanted |= {"state": "queued", "error": None, "attempt": 0, **_IDLE}
        with self._database.writing(self._workspace_id) as transaction:
            idle = update(UploadRow).where(UploadRow.id == upload_id, UploadRow.state != "running")
            changed = transaction.rows(idle.values(**wanted, changed_at=self._clock()).returning(UploadRow.id))
            found = self._upload(transaction, upload_id)
            if not changed:
                raise ChangedError(f"Upload {upload_id} is being worked on; wait for it, or cancel it first.")
            return found

    def cancel_upload(self, upload_id: int) -> Upload:
        """See :class:`~storage.contract.uploads.UploadStore`."""
        with self._database.writing(self._workspace_id) as transaction:
            unfinished = (UploadRow.id == upload_id, UploadRow.state.in_(("queued", "running")))
            cancelled = {"state": "cancelled", "changed_at": self._clock(), **_IDLE}
            transaction.rows(update(UploadRow).where(*unfinished).values(cancelled).returning(UploadRow.id))
            return self._upload(transaction, upload_id)

    def claim_upload(self, *, lease_seconds: float) -> Upload | None:
        """See :class:`~storage.contract.uploads.UploadStore`."""
        waiting = UploadRow.state.in_(("queued", "running"))
        with self._database.reading(self._workspace_id) as looking:
            # a look first, so that on SQLite a worker with nothing to do keeps nobody from writing
            if not looking.rows(select(UploadRow.id).where(waiting).limit(1)):
                return None
        with self._database.writing(self._workspace_id) as transaction:
            moment = self._moment(transaction)
            expired = and_(UploadRow.state == "running", UploadRow.lease_until < moment)
            first = select(UploadRow.id).where(or_(UploadRow.state == "queued", expired))
            first = first.order_by(UploadRow.changed_at, UploadRow.id).limit(1).with_for_update(skip_locked=True)
            found = transaction.rows(first)
            if not found:
                return None
            claimed = {
                "state": "running",
                "attempt": UploadRow.attempt + 1,
                "claim": UploadRow.claim + 1,
                "lease_until": moment + timedelta(seconds=lease_seconds),
                "stage": None,
                "progress": None,
            }
            mine = update(UploadRow).where(UploadRow.id == found[0][0]).values(claimed)
            transaction.rows(mine.returning(UploadRow.id))
            return self._upload(transaction, found[0][0])

    def renew_upload(
        self, claimed: Upload, *, lease_seconds: float, stage: str | None = None, progress: float | None = None
    ) -> None:
        """See :class:`~storage.contract.uploads.UploadStore`."""
        with self._database.writing(self._workspace_id) as transaction:
            until = self._moment(transaction) + timedelta(seconds=lease_seconds)
            self._while_mine(transaction, claimed, {"lease_until": until, "stage": stage, "progress": progress})

    def finish_upload(
        self,
        claimed: Upload,
        *,
        found: Mapping[str, Any] | None = None,
        error: str | None = None,
        snapshot_id: int | None = None,
        runs: Sequence[int] = (),
    ) -> Upload:
        """See :class:`~storage.contract.uploads.UploadStore`."""
        outcome: dict[str, Any] = {"state": "failed" if error else "done", "error": error, **_IDLE}
        outcome |= {"changed_at": self._clock()}
        outcome |= {} if found is None else {"found": plain(found)}
        outcome |= {} if snapshot_id is None else {"snapshot_id": snapshot_id, "runs": list(runs)}
        with self._database.writing(self._workspace_id) as transaction:
            return self._while_mine(transaction, claimed, outcome)

    def release_upload(self, claimed: Upload) -> None:
        """See :class:`~storage.contract.uploads.UploadStore`."""
        back = {"state": "queued", "attempt": claimed.attempt - 1, **_IDLE}
        with self._database.writing(self._workspace_id) as transaction:
            released = update(UploadRow).where(*_mine(claimed)).values(back)
            transaction.rows(released.returning(UploadRow.id))

    def remove_upload(self, upload_id: int) -> Upload:
        """See :class:`~storage.contract.uploads.UploadStore`."""
        with self._database.writing(self._workspace_id) as transaction:
            known = self._upload(transaction, upload_id)
            transaction.rows(delete(UploadRow).where(UploadRow.id == upload_id).returning(UploadRow.id))
            return known

    def _while_mine(self, transaction: Transaction, claimed: Upload, changes: dict[str, Any]) -> Upload:
        changed = update(UploadRow).where(*_mine(claimed)).values(changes)
        if not transaction.rows(changed.returning(UploadRow.id)):
            self._upload(transaction, claimed.id)  # not there at all is something else
            raise ChangedError(f"Upload {claimed.id} was cancelled, or taken over by another worker.")
        return self._upload(transaction, claimed.id)

    def _upload(self, transaction: Transaction, upload_id: int) -> Upload:
        rows = transaction.rows(select(UploadRow).where(UploadRow.id == upload_id))
        if not rows:
            raise NotFoundError(f"There is no upload {upload_id} in this workspace.")
        return _shown(rows[0][0])


def _mine(claimed: Upload) -> tuple[Any, ...]:
    return UploadRow.id == claimed.id, UploadRow.claim == claimed.claim, UploadRow.state == "running"


def _shown(row: UploadRow) -> Upload:
    return Upload(
        file=row.file,
        name=row.name,
        size=int(row.size),
        fingerprint=row.fingerprint,
        id=row.id,
        state=row.state,  # type: ignore[arg-type]  # only the states of the contract are ever written
        task=row.task,  # type: ignore[arg-type]
        asked=row.asked,
        asked_by=row.asked_by,
        stage=row.stage,
        progress=row.progress,
        error=row.error,
        found=row.found,
        snapshot_id=row.snapshot_id,
        runs=tuple(row.runs),
        attempt=row.attempt,
        claim=row.claim,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
