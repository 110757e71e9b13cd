"""Jobs of every kind: queued, claimed under a lease, renewed, put back, cancelled, and given up when lost too often."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, func, or_, select, type_coerce, update

from engines.errors import InputError
from storage.contract import NOBODY, Job, LogLine, LostError, Starter
from storage.contract.jobs import MAX_ATTEMPTS, RUN
from storage.sql.database import SessionTransaction, Transaction
from storage.sql.publications import dataset_of, hold_snapshot_of, publish_first
from storage.sql.rows import value_from_rows
from storage.sql.shared import StorePart, json_value, starter_of
from storage.sql.tables import JobLogRow, JobRow, RunRow, UtcDateTime

UNFINISHED = ("queued", "running")


class JobVerbs(StorePart):
    """The methods about jobs.

    ``worker`` is a name that no other has. Whoever claims a job under it holds the job until the lease is over, and
    alone can renew, log, release, finish or fail it; somebody else gets a :class:`LostError`, or hears that it is not
    theirs. Leases are measured by the database server's clock where there is one, so that the clocks of several hosts
    need not agree.
    """

    def queue_job(
        self,
        kind: str,
        subject: int | None = None,
        request: Mapping[str, Any] = {},
        *,
        starter: Starter = NOBODY,
        due_at: datetime | None = None,
        max_attempts: int | None = MAX_ATTEMPTS,
    ) -> Job:
        """Ask for a job; where an equal one (kind, subject, request) is queued or running, that is given back."""
        request_json = json_value(request)
        equal = JobRow.kind == kind, JobRow.subject == subject, JobRow.state.in_(UNFINISHED)
        with self._database.writing(self._workspace_id) as transaction:
            for (row,) in transaction.rows(select(JobRow).where(*equal).order_by(JobRow.id)):
                if row.request == request_json:
                    return _job(row)
            values = new_job(
                kind,
                subject,
                self._clock(),
                request=request_json,
                starter=starter,
                due_at=due_at,
                max_attempts=max_attempts,
            )
            return self._job(transaction, transaction.add_one(JobRow, values))

    def job(self, job_id: int) -> Job:
        """One job."""
        with self._database.reading(self._workspace_id) as transaction:
            return self._job(transaction, job_id)

    def jobs(self, kind: str, subject: int | None = None) -> list[Job]:
        """Jobs of a kind, about one subject or about any, the newest first."""
        statement = select(JobRow).where(JobRow.kind == kind).order_by(JobRow.id.desc())
        if subject is not None:
            statement = statement.where(JobRow.subject == subject)
        with self._database.reading(self._workspace_id) as transaction:
            return [_job(row) for (row,) in transaction.rows(statement)]

    def find_job(self, kind: str, subject: int | None, request: Mapping[str, Any]) -> Job | None:
        """The latest job of this kind, subject and request that is queued, running or done; None if there is none."""
        request_json = json_value(request)
        statement = select(JobRow.id, JobRow.request).where(JobRow.kind == kind, JobRow.subject == subject)
        statement = statement.where(JobRow.state.in_((*UNFINISHED, "done"))).order_by(JobRow.id.desc())
        with self._database.reading(self._workspace_id) as transaction:
            equal = (number for number, request in transaction.rows(statement) if request == request_json)
            job_id = next(equal, None)
            return None if job_id is None else self._job(transaction, job_id)

    def delete_jobs(self, kinds: Sequence[str], *, subject: int | None = None, before: datetime | None = None) -> None:
        """Delete jobs of these kinds; with a subject those about it, with a moment those asked for before and over.

        What is still queued or running somebody may wait for: it goes with its subject, never for its age.
        """
        mine: list[ColumnElement[bool]] = [JobRow.kind.in_(kinds)]
        mine += [] if subject is None else [JobRow.subject == subject]
        mine += [] if before is None else [JobRow.created_at < before, JobRow.state.not_in(UNFINISHED)]
        with self._database.writing(self._workspace_id) as transaction:
            transaction.rows(delete(JobRow).where(*mine).returning(JobRow.id))

    def claim_job(
        self, kinds: Sequence[str], *, lease_seconds: float, worker: str | None = None, since: datetime | None = None
    ) -> Job | None:
        """The first job of these kinds that can be begun, now leased to the caller; None if there is none.

        Kinds named earlier come first, then what is due earlier, then what was asked for earlier. However many ask at
        once, one of them gets it. A job whose lease is over was lost with its worker and is given out again, until it
        has been begun ``max_attempts`` times: then it is failed, with the reason. With ``since``, jobs that were asked
        for before are left alone.
        """
        with self._database.reading(self._workspace_id) as looking:
            # a look first, so that on SQLite a worker with nothing to do keeps nobody from writing
            if not looking.rows(select(JobRow.id).where(*self._claimable(looking, kinds, since)).limit(1)):
                return None
        with self._database.writing(self._workspace_id) as transaction:
            self._give_up(transaction, kinds)
            order = case({kind: place for place, kind in enumerate(kinds)}, value=JobRow.kind)
            first = select(JobRow.id).where(*self._claimable(transaction, kinds, since))
            first = first.order_by(order, JobRow.due_at.nulls_first(), JobRow.id).limit(1)
            # On PostgreSQL the row is held for this worker alone, and the conditions are asked again once it is; on
            # SQLite the transaction is alone.
            rows = transaction.rows(first.with_for_update(skip_locked=True))
            if not rows:
                return None
            claimed = {"attempts": JobRow.attempts + 1, **self._running(transaction, worker, lease_seconds)}
            transaction.rows(update(JobRow).where(JobRow.id == rows[0][0]).values(claimed).returning(JobRow.id))
            return self._job(transaction, rows[0][0])

    def renew_job(
        self,
        job_id: int,
        worker: str | None,
        *,
        lease_seconds: float,
        stage: str | None = None,
        progress: float | None = None,
    ) -> bool:
        """Heartbeat, progress and cancel in one: renew the lease and say how far the job is (0 to 1).

        False when the job is not the worker's any more: cancelled, taken over, finished or deleted. Then let it be.
        """
        with self._database.writing(self._workspace_id) as transaction:
            lease = {"lease_until": self._moment(transaction) + timedelta(seconds=lease_seconds)}
            renewed = update(JobRow).where(*is_held(job_id, worker)).values(**lease, stage=stage, progress=progress)
            return bool(transaction.rows(renewed.returning(JobRow.id)))

    def release_job(
        self, job_id: int, worker: str | None, *, reason: str = "", delay_seconds: float | None = None
    ) -> Job:
        """Put a job that was not finished back into the queue; one that is not the worker's stays as it is.

        With a reason it was lost to something, which counts as an attempt: after the last one it is failed with that
        reason. Without one, the worker merely has to stop. With ``delay_seconds`` nobody can claim it before those are
        over.
        """
        queued: dict[str, Any] = {
            "state": "queued",
            "error": reason or None,
            **dict.fromkeys(("worker", "started_at", "lease_until", "stage", "progress")),
        }
        if delay_seconds is not None:
            queued["due_at"] = self._clock() + timedelta(seconds=delay_seconds)
        with self._database.writing(self._workspace_id) as transaction:
            self._held_for_end(transaction, job_id)
            statement = select(JobRow).where(JobRow.id == job_id).with_for_update()
            statement = statement.execution_options(populate_existing=True)
            row: JobRow = self._one(transaction, statement, f"no job {job_id}")
            if not reason:
                values = {**queued, "attempts": row.attempts - 1}
            elif row.max_attempts is None or row.attempts < row.max_attempts:
                values = queued
            else:
                values = self._ended("failed", f"It was lost {row.attempts} times{_at(row.stage)}: {reason}")
            transaction.rows(update(JobRow).where(*is_held(job_id, worker)).values(values).returning(JobRow.id))
            if values["state"] == "failed":
                self._run_over(transaction, row)
            return self._job(transaction, job_id)

    def cancel_job(self, job_id: int) -> Job:
        """Cancel a job for good, queued or running; its worker hears of it when it renews its lease.

        Raises:
            InputError: the job is done or failed already.
        """
        with self._database.writing(self._workspace_id) as transaction:
            return self._cancelled(transaction, job_id)

    def finish_job(self, job_id: int, worker: str | None, result: Mapping[str, Any] | None = None) -> Job:
        """Mark a job done, with what came of it as JSON-ready values.

        Raises:
            LostError: the job is finished already, cancelled, or another worker's by now.
        """
        with self._database.writing(self._workspace_id) as transaction:
            outcome = {} if result is None else {"result": json_value(result)}
            self._end(transaction, job_id, worker, {**self._done(), **outcome})
            return self._job(transaction, job_id)

    def fail_job(self, job_id: int, worker: str | None, error: str) -> Job:
        """Mark a job failed, with a reason people can read.

        Raises:
            LostError: the job is finished already, cancelled, or another worker's by now.
        """
        with self._database.writing(self._workspace_id) as transaction:
            row = self._held_for_end(transaction, job_id)
            mine = JobRow.id == job_id, JobRow.state.in_(UNFINISHED), JobRow.worker == worker
            if not transaction.rows(
                update(JobRow).where(*mine).values(self._ended("failed", error)).returning(JobRow.id)
            ):
                raise lost_error(row)
            self._run_over(transaction, row)
            return self._job(transaction, job_id)

    def log_job(self, job_id: int, worker: str | None, lines: Sequence[LogLine]) -> None:
        """Add lines to the log of a job, in their order; those of a worker that has it no more are dropped."""
        with self._database.writing(self._workspace_id) as transaction:
            # held, so that of two who write at once one waits for the other's lines
            statement = select(JobRow).where(JobRow.id == job_id).with_for_update(key_share=True)
            row = self._one(transaction, statement, f"no job {job_id}")
            if row.worker != worker:
                return
            last = transaction.rows(select(func.max(JobLogRow.line)).where(JobLogRow.job_id == job_id))[0][0] or 0
            rows = [
                {"job_id": job_id, "line": last + place, "at": line.at, "text": line.text}
                for place, line in enumerate(lines, 1)
            ]
            transaction.add(JobLogRow, rows)

    def job_log(self, job_id: int) -> list[LogLine]:
        """What the workers of a job had to say, the oldest line first."""
        with self._database.reading(self._workspace_id) as transaction:
            self._job_row(transaction, job_id)
            rows = transaction.rows(select(JobLogRow).where(JobLogRow.job_id == job_id).order_by(JobLogRow.line))
            return [LogLine(row.at, row.text) for (row,) in rows]

    # --- what the methods of runs, uploads, schedules and alerts are made of
    def _job_row(self, transaction: Transaction, job_id: int | None) -> JobRow:
        statement = select(JobRow).where(JobRow.id == job_id).execution_options(populate_existing=True)
        row: JobRow = self._one(transaction, statement, f"no job {job_id}")
        return row

    def _job(self, transaction: Transaction, job_id: int | None) -> Job:
        return _job(self._job_row(transaction, job_id))

    def _jobs_about(self, transaction: Transaction, kind: str, subject: int | None = None) -> dict[int | None, JobRow]:
        """The latest job of a kind about each subject, or about this one, by subject."""
        statement = select(JobRow).where(JobRow.kind == kind).order_by(JobRow.id)
        if subject is not None:
            statement = statement.where(JobRow.subject == subject)
        rows = transaction.rows(statement.execution_options(populate_existing=True))
        return {row.subject: row for (row,) in rows}

    def _end(self, transaction: Transaction, job_id: int, worker: str | None, ended: Mapping[str, Any]) -> JobRow:
        """Bring a running job of the worker to its end; the row as it was before.

        Raises:
            LostError: it is not, or no longer, the worker's.
        """
        row = self._job_row(transaction, job_id)
        if not transaction.rows(update(JobRow).where(*is_held(job_id, worker)).values(ended).returning(JobRow.id)):
            raise lost_error(self._job_row(transaction, job_id))
        return row

    def _cancelled(self, transaction: Transaction, job_id: int) -> Job:
        self._held_for_end(transaction, job_id)
        unfinished = update(JobRow).where(JobRow.id == job_id, JobRow.state.in_(UNFINISHED))
        changed = transaction.rows(unfinished.values(self._ended("cancelled")).returning(JobRow.id))
        row = self._job_row(transaction, job_id)
        if changed:
            self._run_over(transaction, row)
        if not changed and row.state != "cancelled":
            called, noun = _called(row)
            raise InputError(
                "{called} is {state}; only a queued or running {noun} can be cancelled.",
                called=called,
                state=row.state,
                noun=noun,
            )
        return _job(row)

    def _give_up(self, transaction: SessionTransaction, kinds: Sequence[str]) -> None:
        """Fail the jobs of these kinds that were lost with their worker for the last time."""
        last = JobRow.kind.in_(kinds), self._expired(transaction), JobRow.attempts >= JobRow.max_attempts
        rows = [row for (row,) in transaction.rows(select(JobRow).where(*last).order_by(JobRow.id))]
        for row in rows:
            self._held_for_end(transaction, row.id)
        for row in rows:
            reason = f"It was lost with its worker {row.attempts} times{_at(row.stage)}."
            ended = update(JobRow).where(JobRow.id == row.id, *last).values(self._ended("failed", reason))
            transaction.rows(ended.returning(JobRow.id))
        for row in rows:
            self._run_over(transaction, row)

    def _held_for_end(self, transaction: Transaction, job_id: int) -> JobRow:
        """The row of a job that is to come to its end; of a run, the snapshot is held first (see ``publications``)."""
        row = self._job_row(transaction, job_id)
        if row.kind == RUN and row.subject is not None:
            hold_snapshot_of(transaction, row.subject)
        return row

    def _run_over(self, transaction: Transaction, row: JobRow) -> None:
        """After a job has come to its end otherwise than done: another run may be the first to be published now."""
        run = transaction.rows(select(RunRow).where(RunRow.id == row.subject)) if row.kind == RUN else []
        if run:
            self._publish_first(transaction, run[0][0].id, run[0][0].asked_with)

    def _publish_first(self, transaction: Transaction, run_id: int, asked_with: int | None) -> None:
        dataset = dataset_of(transaction, run_id)
        if dataset is not None:
            publish_first(transaction, dataset, asked_with or run_id, self._clock(), self._abandoned())

    def _abandoned(self) -> ColumnElement[bool]:
        """Whether a run was begun by somebody who is no worker, and has given no sign of life since."""
        return and_(JobRow.state == "running", JobRow.worker.is_(None), JobRow.lease_until < self._lease_clock())

    def _done(self) -> dict[str, Any]:
        return {**self._ended("done"), "stage": None, "progress": 1.0}

    def _ended(self, state: str, error: str | None = None) -> dict[str, Any]:
        return {"state": state, "error": error, "finished_at": self._clock(), "lease_until": None}

    def _claimable(
        self, transaction: SessionTransaction, kinds: Sequence[str], since: datetime | None
    ) -> tuple[Any, ...]:
        free = or_(JobRow.state == "queued", self._expired(transaction))
        due = or_(JobRow.due_at.is_(None), JobRow.due_at <= self._clock())
        young = () if since is None else (JobRow.created_at >= since,)
        return JobRow.kind.in_(kinds), JobRow.state.in_(UNFINISHED), free, due, *young

    def _expired(self, transaction: SessionTransaction) -> Any:
        return and_(JobRow.state == "running", JobRow.lease_until < self._moment(transaction))

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
        moment: datetime = transaction.session.execute(select(self._lease_clock())).scalar_one()
        return moment

    def _lease_clock(self) -> Any:
        """The same as a part of a statement."""
        if self._database.is_sqlite:
            return self._clock()
        return type_coerce(func.timezone("utc", func.clock_timestamp()), UtcDateTime)


def new_job(
    kind: str,
    subject: int | None,
    now: datetime,
    *,
    request: Mapping[str, Any] = {},
    starter: Starter = NOBODY,
    due_at: datetime | None = None,
    max_attempts: int | None = MAX_ATTEMPTS,
) -> dict[str, Any]:
    """A queued job as a row of its table."""
    return {
        "kind": kind,
        "subject": subject,
        "state": "queued",
        "request": dict(request),
        "attempts": 0,
        "max_attempts": max_attempts,
        "due_at": due_at,
        "created_at": now,
        "started_via": starter.way,
        "started_by": starter.name,
    }


def delete_jobs(transaction: Transaction, kind: str, subjects: Iterable[int]) -> None:
    """Delete the jobs about these subjects; waits for whoever is just finishing one of them."""
    mine = delete(JobRow).where(JobRow.kind == kind, JobRow.subject.in_(list(subjects)))
    transaction.rows(mine.returning(JobRow.id))


def is_held(job_id: int, worker: str | None) -> tuple[Any, ...]:
    """Whether a job is the worker's to work on."""
    return JobRow.id == job_id, JobRow.state == "running", JobRow.worker == worker


def lost_error(row: JobRow) -> LostError:
    """Why the job cannot be finished by who tried to."""
    called, noun = _called(row)
    why = f"it is {row.state}" if row.state != "running" else "another worker has it, or had it last"
    return LostError(
        "{called} cannot be finished here: {why}. Only a running {noun} can be, by its own "
        "worker, and a finished {noun} never changes.",
        called=called,
        why=why,
        noun=noun,
    )


def _called(row: JobRow) -> tuple[str, str]:
    """What people call a job: its run where there is one."""
    return (f"Run {row.subject}", "run") if row.kind == RUN else (f"Job {row.id}", "job")


def _at(stage: str | None) -> str:
    return f", at last while {stage[:1].lower()}{stage[1:]}" if stage else ""


def _job(row: JobRow) -> Job:
    return value_from_rows(Job, row, starter=starter_of(row))
