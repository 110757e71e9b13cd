"""What every part of the store shares: its database, workspace and clock, and how runs and snapshots are found."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import numpy as np
from sqlalchemy import Executable, and_, select
from sqlalchemy.orm import Session

from engines.contract import NamedSegment
from engines.errors import InputError
from storage.contract import NotFoundError, Run, Starter
from storage.contract.audiences import NAME_LENGTH
from storage.contract.jobs import RUN
from storage.objects import ObjectStore
from storage.sql.database import Database, Transaction, insert_on
from storage.sql.layout import is_storable
from storage.sql.rows import value_from_rows
from storage.sql.seen import seen
from storage.sql.tables import JobRow, RunRow, SegmentNameRow, SegmentRow, SnapshotRow, WorkspaceRow

if TYPE_CHECKING:
    pass

#: How a run and its job are found together.
JOB_OF_RUN = and_(JobRow.kind == RUN, JobRow.subject == RunRow.id)


class StorePart:
    """A part of the store of one workspace; its methods stand in modules named after what they are about."""

    def __init__(
        self, database: Database, workspace_id: int, clock: Callable[[], datetime], objects: ObjectStore
    ) -> None:
        self._database, self._workspace_id, self._clock, self._objects = database, workspace_id, clock, objects

    def _snapshot_row(self, transaction: Transaction, snapshot_id: int) -> SnapshotRow:
        statement = select(SnapshotRow).where(SnapshotRow.id == snapshot_id)
        row: SnapshotRow = self._one(transaction, statement, f"no snapshot {snapshot_id}")
        return row

    def _run_row(self, transaction: Transaction, run_id: int) -> RunRow:
        row: RunRow = self._one(transaction, select(RunRow).where(RunRow.id == run_id), f"no run {run_id}")
        return row

    def _job_of_run(self, transaction: Transaction, run_id: int) -> JobRow:
        statement = select(JobRow).where(JobRow.kind == RUN, JobRow.subject == run_id)
        row: JobRow = self._one(transaction, statement, f"no run {run_id}")
        return row

    def _one(self, transaction: Transaction, statement: Executable, otherwise: str) -> Any:
        rows = transaction.rows(statement)
        if not rows:
            raise NotFoundError("There is {otherwise} in this workspace.", otherwise=otherwise)
        return rows[0][0]

    def _runs(self, transaction: Transaction, *conditions: Any, limit: int | None = None) -> list[Run]:
        """Runs that meet the conditions, the newest first, with their segments."""
        statement = (
            select(RunRow, JobRow, SnapshotRow.dataset, SnapshotRow.as_of, SnapshotRow.rules)
            .select_from(RunRow)
            .join(JobRow, JOB_OF_RUN)
            .join(SnapshotRow, SnapshotRow.id == RunRow.snapshot_id)
            .where(*conditions)
            .order_by(RunRow.id.desc())
            .limit(limit)
            .execution_options(populate_existing=True)
        )
        rows = transaction.rows(statement)
        segments = self._segments(transaction, [row.id for row, *_ in rows])
        return [_run(row, job, dataset, as_of, rules, segments[row.id]) for row, job, dataset, as_of, rules in rows]

    def _segments(
        self, transaction: Transaction, run_ids: Sequence[int], *, merged: bool = True
    ) -> dict[int, list[NamedSegment]]:
        """The segments of runs as people see them: as they are called by hand and, if so, with some treated as one."""
        series = transaction.rows(
            select(RunRow.id, SnapshotRow.dataset, RunRow.engine)
            .join(SnapshotRow, SnapshotRow.id == RunRow.snapshot_id)
            .where(RunRow.id.in_(run_ids))
        )
        # statements of their own, since a row that is not there has no workspace that a join could ask for
        mine = (
            SegmentNameRow.dataset.in_({row[1] for row in series}),
            SegmentNameRow.engine.in_({r[2] for r in series}),
        )
        said: dict[tuple[str, str], dict[str, SegmentNameRow]] = {}
        for (row,) in transaction.rows(select(SegmentNameRow).where(*mine).execution_options(populate_existing=True)):
            said.setdefault((row.dataset, row.engine), {})[row.identity] = row
        rows: dict[int, list[SegmentRow]] = {run_id: [] for run_id in run_ids}
        for (row,) in transaction.rows(
            select(SegmentRow).where(SegmentRow.run_id.in_(run_ids)).order_by(SegmentRow.run_id, SegmentRow.position)
        ):
            rows[row.run_id].append(row)
        by_hand = {run_id: said.get((dataset, engine), {}) for run_id, dataset, engine in series}
        return {run_id: seen(each, by_hand.get(run_id, {}), merged=merged) for run_id, each in rows.items()}


def _run(row: RunRow, job: JobRow, dataset: str, as_of: Any, rules: int, segments: Sequence[NamedSegment]) -> Run:
    return value_from_rows(
        Run,
        row,
        job,
        dataset=dataset,
        as_of=as_of,
        rules=rules,
        error=job.error if job.state == "failed" else None,
        segments=tuple(segments),
        notes=tuple(row.notes),
        note=row.note or "",
        tags=tuple(row.tags or ()),
        starter=starter_of(job),
        job_id=job.id,
    )


def starter_of(job: JobRow) -> Starter:
    """Who asked for a job."""
    return Starter(job.started_via, job.started_by)  # type: ignore[arg-type]  # only the ways of the contract


def json_value(value: Any) -> Any:
    """A value as JSON can hold it: numpy's numbers become Python's, NaN and infinity None, tuples lists."""
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


class Workspace(NamedTuple):
    """The number of a workspace, and the name of its part of the object store."""

    id: int
    folder: str


def workspace_of(database: Database, name: str, now: datetime) -> Workspace:
    """The workspace with this name, which is made if it is new."""
    statement = select(WorkspaceRow.id, WorkspaceRow.folder).where(WorkspaceRow.name == name)
    with Session(database.engine) as session:
        existing = session.execute(statement).one_or_none()
    if existing is not None:
        return Workspace(*existing)
    with database.begin() as connection, Session(connection) as session:
        values = {"name": name, "created_at": now, "folder": uuid4().hex}
        session.execute(insert_on(database.engine.dialect.name)(WorkspaceRow).values(values).on_conflict_do_nothing())
        return Workspace(*session.execute(statement).one())


def name_of(what: str, name: str) -> str:
    """The name without space around it.

    Raises:
        InputError: it is empty, too long, or has characters that nobody can see.
    """
    called = " ".join(text_of(what, name).split())
    if not called or len(called) > NAME_LENGTH or any(unicodedata.category(letter)[0] == "C" for letter in called):
        raise InputError(
            "The name of a {what} has 1 to {name_length} characters that can be seen, not {name!r}.",
            what=what,
            name_length=NAME_LENGTH,
            name=name[:60],
        )
    return called


def text_of(what: str, text: str) -> str:
    """The text, if a database can hold it.

    Raises:
        InputError: it cannot.
    """
    if not is_storable(text):
        raise InputError("The {what} holds a character that no database keeps; remove it.", what=what)
    return text
