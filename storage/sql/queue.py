"""The queue of work: runs are claimed under a lease, renewed, released, cancelled, and given up when lost twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select, type_coerce, update

from engines.errors import InputError
from storage.contract import LostError, Run
from storage.contract.queue import NOBODY, LogLine, Starter
from storage.sql.database import SessionTransaction
from storage.sql.shared import plain
from storage.sql.snapshots import SnapshotVerbs
from storage.sql.tables import LogRow, RunRow, SnapshotRow, UtcDateTime

#: A run that was lost with its worker is tried once more, then given up.
MAX_ATTEMPTS = 2


class JobVerbs(SnapshotVerbs):
    """The verbs about runs that are not finished yet."""

    def queue_run(
        self,
        snapshot_id: int,
        engine: str,
        settings: Mapping[str, Any],
        *,
        info: Mapping[str, Any] = {},
        starter: Starter = NOBODY,
    ) -> Run:
        """See :class:`~storage.contract.Store`."""
        queued = {"state": "queued", "info": plain(info), **_started(starter)}
        with self._database.writing(self._workspace_id) as transaction:
            return self._new_run(transaction, snapshot_id, engine, settings, queued)

    def start_run(
        self,
        snapshot_id: int,
        engine: str,
        settings: Mapping[str, Any],
        *,
        lease_seconds: float,
        starter: Starter = NOBODY,
    ) -> Run:
        """See :class:`~storage.contract.Store`."""
        with self._database.writing(self._workspace_id) as transaction:
            running = {"attempts": 1, **_started(starter), **self._running(transaction, None, lease_seconds)}
            return self._new_run(transaction, snapshot_id, engine, settings, running)

    def settle_run(
        self,
        run_id: int,
        worker: str | None,
        *,
        snapshot_id: int,
        settings: Mapping[str, Any],
        info: Mapping[str, Any] = {},
    ) -> Run:
        """See :class:`~storage.contract.Store`."""
        found = {"snapshot_id": snapshot_id, "settings": plain(settings), "info": plain(info)}
        with self._database.writing(self._workspace_id) as transaction:
            row = self._run_row(transaction, run_id)
            self._hold_snapshot(transaction, snapshot_id)
            if not transaction.rows(update(RunRow).where(*_held(run_id, worker)).values(found).returning(RunRow.id)):
                raise lost(row)
            return self._runs(transaction, RunRow.id == run_id)[0]

    def log_run(self, run_id: int, worker: str | None, lines: Sequence[LogLine]) -> None:
        """See :class:`~storage.contract.Store`."""
        with self._database.writing(self._workspace_id) as transaction:
            # held, so that of two who write at once one waits for the other's lines
            wanted = select(RunRow).where(RunRow.id == run_id).with_for_update(key_share=True)
            row = self._one(transaction, wanted, f"no run {run_id}")
            if row.worker != worker:
                return
            last = transaction.rows(select(func.max(LogRow.line)).where(LogRow.run_id == run_id))[0][0] or 0
            rows = [
                {"run_id": run_id, "line": last + place, "at": line.at, "text": line.text}
                for place, line in enumerate(lines, 1)
            ]
            transaction.add(LogRow, rows)

    def run_log(self, run_id: int) -> list[LogLine]:
        """See :class:`~storage.contract.Store`."""
        with self._database.reading(self._workspace_id) as transaction:
            self._run_row(transaction, run_id)
            rows = transaction.rows(select(LogRow).where(LogRow.run_id == run_id).order_by(LogRow.line))
            return [LogLine(row.at, row.text) for (row,) in rows]

    def _new_run(
        self,
        transaction: SessionTransaction,
        snapshot_id: int,
        engine: str,
        settings: Mapping[str, Any],
        state: Mapping[str, Any],
    ) -> Run:
        values = {
            "snapshot_id": snapshot_id,
            "engine": engine,
            "settings": plain(settings),
            "attempts": 0,
            "metrics": {},
            "notes": [],
            "info": {},
            "created_at": self._clock(),
            **state,
        }
        self._hold_snapshot(transaction, snapshot_id)
        run_id = transaction.add_one(RunRow, values)
        return self._runs(transaction, RunRow.id == run_id)[0]

    def _hold_snapshot(self, transaction: SessionTransaction, snapshot_id: int) -> None:
        """Keep others from deleting a snapshot under a run that is just coming to it."""
        wanted = select(SnapshotRow.id).where(SnapshotRow.id == snapshot_id)
        self._one(transaction, wanted.with_for_update(read=True, key_share=True), f"no snapshot {snapshot_id}")

    def claim_run(self, *, lease_seconds: float, worker: str | None = None) -> Run | None:
        """See :class:`~storage.contract.Store`."""
        with self._database.reading(self._workspace_id) as transaction:
            # a look first, so that on SQLite a worker with nothing to do keeps nobody from writing
            claimable = or_(RunRow.state == "queued", self._expired(transaction))
            if not transaction.rows(select(RunRow.id).where(claimable).limit(1)):
                return None
        with self._database.writing(self._workspace_id) as transaction:
            expired = self._expired(transaction)
            for (row,) in transaction.rows(select(RunRow).where(expired, RunRow.attempts >= MAX_ATTEMPTS)):
                reason = f"It was lost with its worker {MAX_ATTEMPTS} times{_at(row.stage)}."
                transaction.rows(update(RunRow).where(RunRow.id == row.id, expired).values(self._failed(reason)))
            oldest = select(RunRow.id).where(or_(RunRow.state == "queued", expired)).order_by(RunRow.id).limit(1)
            # on PostgreSQL the row is held for this worker alone; on SQLite the transaction is alone
            found = transaction.rows(oldest.with_for_update(skip_locked=True))
            if not found:
                return None
            run_id = found[0][0]
            claimed = {"attempts": RunRow.attempts + 1, **self._running(transaction, worker, lease_seconds)}
            transaction.rows(update(RunRow).where(RunRow.id == run_id).values(claimed))
            return self._runs(transaction, RunRow.id == run_id)[0]

    def renew(
        self,
        run_id: int,
        worker: str | None,
        *,
        lease_seconds: float,
        stage: str | None = None,
        progress: float | None = None,
    ) -> bool:
        """See :class:`~storage.contract.Store`."""
        with self._database.writing(self._workspace_id) as transaction:
            lease = {"lease_until": self._moment(transaction) + timedelta(seconds=lease_seconds)}
            renewed = update(RunRow).where(*_held(run_id, worker)).values(**lease, stage=stage, progress=progress)
            return bool(transaction.rows(renewed.returning(RunRow.id)))

    def release_run(self, run_id: int, worker: str | None, *, reason: str = "") -> Run:
        """See :class:`~storage.contract.Store`."""
        queued: dict[str, Any] = {
            "state": "queued",
            "worker": None,
            "started_at": None,
            "lease_until": None,
            "stage": None,
            "progress": None,
        }
        with self._database.writing(self._workspace_id) as transaction:
            wanted = select(RunRow).where(RunRow.id == run_id).with_for_update()
            row: RunRow = self._one(transaction, wanted, f"no run {run_id}")
            if not reason:
                values = {**queued, "attempts": row.attempts - 1}
            elif row.attempts < MAX_ATTEMPTS:
                values = queued
            else:
                values = self._failed(f"It was lost {MAX_ATTEMPTS} times{_at(row.stage)}: {reason}")
            transaction.rows(update(RunRow).where(*_held(run_id, worker)).values(values))
            return self._runs(transaction, RunRow.id == run_id)[0]

    def cancel_run(self, run_id: int) -> Run:
        """See :class:`~storage.contract.Store`."""
        cancelled = {"state": "cancelled", "finished_at": self._clock(), "lease_until": None}
        with self._database.writing(self._workspace_id) as transaction:
            unfinished = update(RunRow).where(RunRow.id == run_id, RunRow.state.in_(("queued", "running")))
            changed = transaction.rows(unfinished.values(cancelled).returning(RunRow.id))
            row = self._run_row(transaction, run_id)
            if not changed and row.state != "cancelled":
                raise InputError(f"Run {run_id} is {row.state}; only a queued or running run can be cancelled.")
            return self._runs(transaction, RunRow.id == run_id)[0]

    def fail_run(self, run_id: int, error: str, *, worker: str | None = None) -> Run:
        """See :class:`~storage.contract.Store`."""
        with self._database.writing(self._workspace_id) as transaction:
            row = self._run_row(transaction, run_id)
            mine = (RunRow.id == run_id, RunRow.state.in_(("queued", "running")), RunRow.worker == worker)
            if not transaction.rows(update(RunRow).where(*mine).values(self._failed(error)).returning(RunRow.id)):
                raise lost(row)
            return self._runs(transaction, RunRow.id == run_id)[0]

    def _failed(self, error: str) -> dict[str, Any]:
        return {"state": "failed", "error": error, "finished_at": self._clock(), "lease_until": None}

    def _expired(self, transaction: SessionTransaction) -> Any:
        return and_(RunRow.state == "running", RunRow.lease_until < self._moment(transaction))

    def _running(self, transaction: SessionTransaction, worker: str | None, lease_seconds: float) -> dict[str, Any]:
        return {
            "state": "running",
            "started_at": self._clock(),
            "worker": worker,
            "lease_until": self._moment(transaction) + timedelta(seconds=lease_seconds),
            "stage": None,
            "progress": None,
        }

    def _moment(self, transaction: SessionTransaction) -> datetime:
        """What leases are measured by: the server's clock, as that of another host may be wrong; a file has none."""
        if self._database.is_sqlite:
            return self._clock()
        clock = type_coerce(func.timezone("utc", func.clock_timestamp()), UtcDateTime)
        moment: datetime = transaction.session.execute(select(clock)).scalar_one()
        return moment


def lost(row: RunRow) -> LostError:
    """Why the run cannot be finished by who tried to."""
    why = f"it is {row.state}" if row.state != "running" else "another worker has it, or had it last"
    return LostError(
        f"Run {row.id} cannot be finished here: {why}. Only a running run can be, by its own worker, and a finished "
        "run never changes."
    )


def _held(run_id: int, worker: str | None) -> tuple[Any, ...]:
    return RunRow.id == run_id, RunRow.state == "running", RunRow.worker == worker


def _started(starter: Starter) -> dict[str, Any]:
    return {"started_via": starter.way, "started_by": starter.name}


def _at(stage: str | None) -> str:
    return f", at last while {stage[:1].lower()}{stage[1:]}" if stage else ""
