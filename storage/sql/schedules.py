"""Schedules: which sources are refreshed when, and how the last due time went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from storage.contract.jobs import REFRESH
from storage.contract.schedules import NewSchedule, Schedule
from storage.sql.database import Transaction
from storage.sql.jobs import JobVerbs, delete_jobs, is_held, lost_error, new_job
from storage.sql.rows import value_from_rows
from storage.sql.shared import json_value
from storage.sql.tables import JobRow, ScheduleRow


class ScheduleVerbs(JobVerbs):
    """The methods about schedules.

    The next due time of a schedule that is not paused is a job of the kind ``refresh`` about the schedule. It is due
    until :meth:`finish_schedule` says otherwise: the caller bounds how often it is tried.
    """

    def add_schedule(self, new: NewSchedule, *, next_due: datetime) -> Schedule:
        """Keep a schedule, first due at ``next_due``."""
        values = {
            **json_value(vars(new)),
            "next_due": next_due,
            "paused": False,
            "created_at": self._clock(),
            "last_runs": [],
        }
        with self._database.writing(self._workspace_id) as transaction:
            schedule_id = transaction.add_one(ScheduleRow, values)
            assert schedule_id is not None  # nothing about a schedule is unique but its number
            self._queue(transaction, schedule_id, next_due)
            return self._schedule(transaction, schedule_id)

    def schedules(self) -> list[Schedule]:
        """All schedules, the oldest first."""
        with self._database.reading(self._workspace_id) as transaction:
            jobs = self._jobs_about(transaction, REFRESH)
            rows = transaction.rows(select(ScheduleRow).order_by(ScheduleRow.id))
            return [_schedule(row, jobs.get(row.id)) for (row,) in rows]

    def schedule(self, schedule_id: int) -> Schedule:
        """One schedule."""
        with self._database.reading(self._workspace_id) as transaction:
            return self._schedule(transaction, schedule_id)

    def pause_schedule(self, schedule_id: int) -> Schedule:
        """Let a schedule rest: nobody can claim it any more. What is under way is finished."""
        with self._database.writing(self._workspace_id) as transaction:
            self._change(transaction, schedule_id, {"paused": True})
            waiting = JobRow.kind == REFRESH, JobRow.subject == schedule_id, JobRow.state == "queued"
            transaction.rows(delete(JobRow).where(*waiting).returning(JobRow.id))
            return self._schedule(transaction, schedule_id)

    def resume_schedule(self, schedule_id: int, *, next_due: datetime) -> Schedule:
        """Let a paused schedule go on, due at ``next_due``; one that is not paused stays as it is."""
        with self._database.writing(self._workspace_id) as transaction:
            alone = select(ScheduleRow).where(ScheduleRow.id == schedule_id).with_for_update()
            if self._one(transaction, alone, f"no schedule {schedule_id}").paused:
                self._change(transaction, schedule_id, {"paused": False, "next_due": next_due})
                if not self._jobs_about(transaction, REFRESH, schedule_id):  # else it is still under way
                    self._queue(transaction, schedule_id, next_due)
            return self._schedule(transaction, schedule_id)

    def remove_schedule(self, schedule_id: int) -> None:
        """Forget a schedule. The snapshots and runs it made stay."""
        with self._database.writing(self._workspace_id) as transaction:
            self._schedule_row(transaction, schedule_id)
            delete_jobs(transaction, REFRESH, [schedule_id])
            transaction.rows(delete(ScheduleRow).where(ScheduleRow.id == schedule_id).returning(ScheduleRow.id))

    def finish_schedule(
        self,
        job_id: int,
        worker: str | None,
        *,
        next_due: datetime,
        error: str | None = None,
        runs: Sequence[int] = (),
    ) -> Schedule:
        """Write down how a due time went that the worker holds, and when the schedule is due next.

        Raises:
            LostError: somebody else has taken it over.
            NotFoundError: it is finished already, or the schedule is gone.
        """
        with self._database.writing(self._workspace_id) as transaction:
            job = self._job_row(transaction, job_id)
            if not transaction.rows(delete(JobRow).where(*is_held(job_id, worker)).returning(JobRow.id)):
                raise lost_error(job)
            outcome = {
                "next_due": next_due,
                "last_due": job.due_at,
                "last_finished_at": self._clock(),
                "last_error": error,
                "last_runs": list(runs),
                "last_note": None,
            }
            if not self._change(transaction, job.subject, outcome).paused:
                self._queue(transaction, job.subject, next_due)
            return self._schedule(transaction, job.subject)

    def note_schedule(self, schedule_id: int, run_id: int, note: str) -> Schedule:
        """Write down what became of publishing a run of the last due time; where that had other runs, nothing.

        Raises:
            NotFoundError: the schedule is gone.
        """
        with self._database.writing(self._workspace_id) as transaction:
            alone = select(ScheduleRow).where(ScheduleRow.id == schedule_id).with_for_update()
            row = self._one(transaction, alone, f"no schedule {schedule_id}")
            if run_id in row.last_runs:
                self._change(transaction, schedule_id, {"last_note": note})
            return self._schedule(transaction, schedule_id)

    def _queue(self, transaction: Transaction, schedule_id: int | None, due_at: datetime) -> None:
        job = new_job(REFRESH, schedule_id, self._clock(), due_at=due_at, max_attempts=None)
        transaction.add(JobRow, [job])

    def _change(self, transaction: Transaction, schedule_id: int | None, changes: dict[str, Any]) -> ScheduleRow:
        changed = update(ScheduleRow).where(ScheduleRow.id == schedule_id).values(changes)
        transaction.rows(changed.returning(ScheduleRow.id))
        return self._schedule_row(transaction, schedule_id)

    def _schedule_row(self, transaction: Transaction, schedule_id: int | None) -> ScheduleRow:
        statement = select(ScheduleRow).where(ScheduleRow.id == schedule_id).execution_options(populate_existing=True)
        row: ScheduleRow = self._one(transaction, statement, f"no schedule {schedule_id}")
        return row

    def _schedule(self, transaction: Transaction, schedule_id: int | None) -> Schedule:
        row = self._schedule_row(transaction, schedule_id)
        return _schedule(row, self._jobs_about(transaction, REFRESH, schedule_id).get(schedule_id))


def _schedule(row: ScheduleRow, job: JobRow | None) -> Schedule:
    claimed_at = job.started_at if job is not None and job.state == "running" else None
    return value_from_rows(Schedule, row, claimed_at=claimed_at, last_runs=tuple(row.last_runs))
