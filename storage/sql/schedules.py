"""Keeping schedules: which sources are refreshed when, and who is at work on a due time right now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update

from storage.contract import ChangedError, NotFoundError
from storage.contract.schedules import NewSchedule, Schedule
from storage.sql.database import Transaction
from storage.sql.queue import JobVerbs
from storage.sql.shared import plain
from storage.sql.tables import ScheduleRow


class ScheduleVerbs(JobVerbs):
    """The verbs about schedules, whose due times are leased as runs are."""

    def add_schedule(self, new: NewSchedule, *, next_due: datetime) -> Schedule:
        """See :class:`~storage.contract.schedules.ScheduleStore`."""
        values = {
            "source": new.source,
            "cron": new.cron,
            "time_zone": new.time_zone,
            "job": plain(new.job),
            "next_due": next_due,
            "paused": False,
            "attempt": 0,
            "claim": 0,
            "created_at": self._clock(),
            "last_runs": [],
        }
        with self._database.writing(self._workspace_id) as transaction:
            schedule_id = transaction.add_one(ScheduleRow, values)
            assert schedule_id is not None  # nothing about a schedule is unique but its number
            return self._schedule(transaction, schedule_id)

    def schedules(self) -> list[Schedule]:
        """See :class:`~storage.contract.schedules.ScheduleStore`."""
        with self._database.reading(self._workspace_id) as transaction:
            return [_schedule(row) for (row,) in transaction.rows(select(ScheduleRow).order_by(ScheduleRow.id))]

    def schedule(self, schedule_id: int) -> Schedule:
        """See :class:`~storage.contract.schedules.ScheduleStore`."""
        with self._database.reading(self._workspace_id) as transaction:
            return self._schedule(transaction, schedule_id)

    def pause_schedule(self, schedule_id: int) -> Schedule:
        """See :class:`~storage.contract.schedules.ScheduleStore`."""
        return self._changed(schedule_id, (), {"paused": True})

    def resume_schedule(self, schedule_id: int, *, next_due: datetime) -> Schedule:
        """See :class:`~storage.contract.schedules.ScheduleStore`."""
        changes = {"paused": False, "next_due": next_due, "attempt": 0}
        return self._changed(schedule_id, (ScheduleRow.paused,), changes)

    def remove_schedule(self, schedule_id: int) -> None:
        """See :class:`~storage.contract.schedules.ScheduleStore`."""
        with self._database.writing(self._workspace_id) as transaction:
            if not transaction.rows(delete(ScheduleRow).where(ScheduleRow.id == schedule_id).returning(ScheduleRow.id)):
                raise _no_schedule(schedule_id)

    def claim_schedule(self, *, lease_seconds: float) -> Schedule | None:
        """See :class:`~storage.contract.schedules.ScheduleStore`."""
        now = self._clock()
        due = ScheduleRow.next_due <= now, ScheduleRow.paused.is_(False)
        with self._database.reading(self._workspace_id) as looking:
            # a look first, so that on SQLite a worker with nothing to do keeps nobody from writing
            if not looking.rows(select(ScheduleRow.id).where(*due).limit(1)):
                return None
        with self._database.writing(self._workspace_id) as transaction:
            moment = self._moment(transaction)
            free = or_(ScheduleRow.lease_until.is_(None), ScheduleRow.lease_until < moment)
            first = select(ScheduleRow.id).where(*due, free).order_by(ScheduleRow.next_due, ScheduleRow.id).limit(1)
            # PostgreSQL asks the conditions again once it has the row, so that of two who see it as due one gets it
            found = transaction.rows(first.with_for_update(skip_locked=True))
            if not found:
                return None
            claimed = {
                "attempt": ScheduleRow.attempt + 1,
                "claim": ScheduleRow.claim + 1,
                "claimed_at": now,
                "lease_until": moment + timedelta(seconds=lease_seconds),
            }
            mine = update(ScheduleRow).where(ScheduleRow.id == found[0][0]).values(claimed)
            transaction.rows(mine.returning(ScheduleRow.id))
            return self._schedule(transaction, found[0][0])

    def renew_schedule(self, claimed: Schedule, *, lease_seconds: float) -> None:
        """See :class:`~storage.contract.schedules.ScheduleStore`."""
        with self._database.writing(self._workspace_id) as transaction:
            until = self._moment(transaction) + timedelta(seconds=lease_seconds)
            self._while_claimed(transaction, claimed, {"lease_until": until})

    def finish_schedule(
        self, claimed: Schedule, *, next_due: datetime, error: str | None = None, runs: Sequence[int] = ()
    ) -> Schedule:
        """See :class:`~storage.contract.schedules.ScheduleStore`."""
        outcome = {
            "next_due": next_due,
            "attempt": 0,
            "claimed_at": None,
            "lease_until": None,
            "last_due": claimed.next_due,
            "last_finished_at": self._clock(),
            "last_error": error,
            "last_runs": list(runs),
        }
        with self._database.writing(self._workspace_id) as transaction:
            return self._while_claimed(transaction, claimed, outcome)

    def _while_claimed(self, transaction: Transaction, claimed: Schedule, changes: dict[str, Any]) -> Schedule:
        mine = (ScheduleRow.claim == claimed.claim, ScheduleRow.claimed_at.is_not(None))
        changed = update(ScheduleRow).where(ScheduleRow.id == claimed.id, *mine).values(changes)
        if not transaction.rows(changed.returning(ScheduleRow.id)):
            self._schedule(transaction, claimed.id)  # not there at all is something else
            raise ChangedError(f"Schedule {claimed.id} has been taken over by another worker, or is finished.")
        return self._schedule(transaction, claimed.id)

    def _changed(self, schedule_id: int, conditions: tuple[Any, ...], changes: dict[str, Any]) -> Schedule:
        with self._database.writing(self._workspace_id) as transaction:
            changed = update(ScheduleRow).where(ScheduleRow.id == schedule_id, *conditions).values(changes)
            transaction.rows(changed.returning(ScheduleRow.id))
            return self._schedule(transaction, schedule_id)

    def _schedule(self, transaction: Transaction, schedule_id: int) -> Schedule:
        rows = transaction.rows(select(ScheduleRow).where(ScheduleRow.id == schedule_id))
        if not rows:
            raise _no_schedule(schedule_id)
        return _schedule(rows[0][0])


def _no_schedule(schedule_id: int) -> NotFoundError:
    return NotFoundError(f"There is no schedule {schedule_id} in this workspace.")


def _schedule(row: ScheduleRow) -> Schedule:
    return Schedule(
        source=row.source,
        cron=row.cron,
        time_zone=row.time_zone,
        job=row.job,
        id=row.id,
        next_due=row.next_due,
        paused=row.paused,
        attempt=row.attempt,
        claim=row.claim,
        claimed_at=row.claimed_at,
        created_at=row.created_at,
        last_due=row.last_due,
        last_finished_at=row.last_finished_at,
        last_error=row.last_error,
        last_runs=tuple(row.last_runs),
    )
