"""Publications: a run becomes the published run of its data set, by hand or by itself; the history is only added to.

Whoever publishes holds the snapshot and the run (so that neither is deleted nor the data set renamed meanwhile) and is
then alone with the data set, in this order. The row with the highest number is the one that holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, func, select

from engines.errors import InputError
from engines.messages import Message, message
from storage.contract import ChangedError, NotFoundError, Publication, PublishedError
from storage.contract.audiences import NAME_LENGTH
from storage.contract.publications import WHY_LENGTH, PublicationKind, PublicationWay
from storage.sql.database import Transaction
from storage.sql.rows import value_from_rows
from storage.sql.shared import JOB_OF_RUN, StorePart, json_value, text_of
from storage.sql.tables import JobRow, PublicationRow, RunRow, SnapshotRow

_ROLLBACK_TRIES = 5


class PublicationVerbs(StorePart):
    """The methods about published runs.

    A data set has one published run, or none. Its first one is published by itself, with the end of the run
    (:meth:`finish_run`): see :func:`publish_first`.
    """

    def publish(
        self,
        run_id: int,
        *,
        who: str | None,
        via: PublicationWay,
        why: str,
        checks: Sequence[Mapping[str, Any]] = (),
        expected: int | None = None,
    ) -> Publication:
        """Make a finished run the published run of its data set.

        Args:
            run_id: the run.
            who: whoever does it, where that is known.
            via: where it is done.
            why: the reason, of 1 to 500 characters.
            checks: what was checked before, with ``name``, ``passed`` and ``text``; it is recorded and refuses nothing.
            expected: the run that the caller believes to be published; None: whatever is.

        Raises:
            ChangedError: another run than the expected one is published by now.
            InputError: the run is not finished, or the reason cannot be kept.
            NotFoundError: no such run.
        """
        return self._publish(run_id, "publish", who=who, via=via, why=why, checks=checks, expected=expected)

    def roll_back(
        self,
        dataset: str,
        *,
        who: str | None,
        via: PublicationWay,
        why: str,
        checks: Sequence[Mapping[str, Any]] = (),
        expected: int | None = None,
    ) -> Publication:
        """Publish the run again that was published before; rolling back once more goes one further back.

        The arguments are those of :meth:`publish`.

        Raises:
            ChangedError: another run than the expected one is published by now.
            InputError: none was published before, or that run was deleted; or the reason cannot be kept.
            NotFoundError: there is no such data set, or nothing of it is published.
        """
        for _ in range(_ROLLBACK_TRIES):
            now, target = self._before(dataset, expected)
            try:
                return self._publish(target, "rollback", who=who, via=via, why=why, checks=checks, expected=now)
            except ChangedError:
                if expected is not None:
                    raise
            except NotFoundError:
                raise _deleted(dataset, target) from None
        raise ChangedError("Runs of {dataset} are being published just now; look at it again.", dataset=dataset)

    def published(self, dataset: str) -> Publication | None:
        """The publication that holds for a data set; None where nothing is published, or there is no such data set."""
        with self._database.reading(self._workspace_id) as transaction:
            rows = transaction.rows(_history(dataset).limit(1))
            return _publication(rows[0][0]) if rows else None

    def published_runs(self) -> dict[str, Publication]:
        """The publication that holds for each data set, in the order in which the data sets were first published."""
        ends = select(PublicationRow.dataset, func.min(PublicationRow.id), func.max(PublicationRow.id))
        with self._database.reading(self._workspace_id) as transaction:
            found = sorted(transaction.rows(ends.group_by(PublicationRow.dataset)), key=lambda row: row[1])
            latest = [row[2] for row in found]
            rows = transaction.rows(select(PublicationRow).where(PublicationRow.id.in_(latest)))
            by_id = {row.id: _publication(row) for (row,) in rows}
        return {by_id[number].dataset: by_id[number] for number in latest if number in by_id}

    def publications(self, dataset: str) -> list[Publication]:
        """What was published of a data set, the latest first; runs that were deleted since are still in it."""
        with self._database.reading(self._workspace_id) as transaction:
            return [_publication(row) for (row,) in transaction.rows(_history(dataset))]

    def _before(self, dataset: str, expected: int | None) -> tuple[int, int]:
        """The run that is published, and the one to go back to."""
        history = self.publications(dataset)
        if not history:
            raise self._nothing_published(dataset)
        now = history[0].run_id
        if expected is not None and now != expected:
            raise _other_published(dataset, now, expected)
        # what was rolled back is out of the way: the run before it is the one that is gone back to next
        stack: list[int] = []
        for item in reversed(history):
            if item.kind == "rollback" and item.run_id in stack:
                while stack[-1] != item.run_id:
                    stack.pop()
            elif not stack or stack[-1] != item.run_id:
                stack.append(item.run_id)
        if len(stack) < 2:
            raise InputError(
                "No run of {dataset} was published before run {run_id}; publish another run instead.",
                dataset=dataset,
                run_id=now,
            )
        return now, stack[-2]

    def _publish(
        self,
        run_id: int,
        kind: PublicationKind,
        *,
        who: str | None,
        via: PublicationWay,
        why: str,
        checks: Sequence[Mapping[str, Any]],
        expected: int | None,
    ) -> Publication:
        values = {"published_by": _name(who), "via": via, "why": _reason(why), "checks": json_value(list(checks))}
        with self._database.writing(self._workspace_id) as transaction:
            hold_snapshot_of(transaction, run_id)
            run = _held_run(transaction, run_id)
            if run is None:
                raise NotFoundError("There is no run {run_id} in this workspace.", run_id=run_id)
            if run.state != "done":
                raise InputError(
                    "Run {run_id} is {state}; only a finished run can be published.", run_id=run_id, state=run.state
                )
            transaction.alone(run.dataset)
            now = published_run(transaction, run.dataset)
            if expected is not None and now != expected:
                raise _other_published(run.dataset, now, expected)
            number = _add(transaction, run, now, self._clock(), kind=kind, **values)
            return _publication(transaction.rows(select(PublicationRow).where(PublicationRow.id == number))[0][0])

    def _nothing_published(self, dataset: str) -> NotFoundError:
        """Why a data set has no published run."""
        with self._database.reading(self._workspace_id) as transaction:
            if transaction.rows(select(SnapshotRow.id).where(SnapshotRow.dataset == dataset).limit(1)):
                return NotFoundError("No run of {dataset} is published; publish one first.", dataset=dataset)
        return NotFoundError("There is no data set {dataset}.", dataset=dataset)


# --- what other methods are made of -----------------------------------------------------------------------------------


class _Run(NamedTuple):
    """What is written down of a run that is published."""

    id: int
    engine: str
    dataset: str
    as_of: date
    state: str


def hold_snapshot_of(transaction: Transaction, run_id: int) -> None:
    """Keep the snapshot of a run from being deleted, and its data set from being renamed.

    It comes before anything else is held, since whoever deletes a snapshot holds that first, too.
    """
    mine = select(SnapshotRow.id).join(RunRow, RunRow.snapshot_id == SnapshotRow.id).where(RunRow.id == run_id)
    transaction.rows(mine.with_for_update(read=True, key_share=True, of=SnapshotRow))


def published_run(transaction: Transaction, dataset: str) -> int | None:
    """The run of a data set that is published; None where none is."""
    latest = select(PublicationRow.run_id).where(PublicationRow.dataset == dataset)
    rows = transaction.rows(latest.order_by(PublicationRow.id.desc()).limit(1))
    return int(rows[0][0]) if rows else None


def refuse_published(transaction: Transaction, dataset: str, run_ids: Collection[int]) -> None:
    """Refuse to delete runs, which the caller holds, if one of them is published.

    Raises:
        PublishedError: it is.
    """
    run_id = published_run(transaction, dataset)
    if run_id in run_ids:
        raise PublishedError(
            "Run {run_id} is the published run of {dataset} and stays; publish another run, or roll back, before you "
            "delete it.",
            run_id=run_id,
            dataset=dataset,
        )


def dataset_of(transaction: Transaction, run_id: int) -> str | None:
    """The data set of a run; None where there is no such run."""
    mine = select(SnapshotRow.dataset).join(RunRow, RunRow.snapshot_id == SnapshotRow.id).where(RunRow.id == run_id)
    rows = transaction.rows(mine)
    return str(rows[0][0]) if rows else None


def publish_first(
    transaction: Transaction, dataset: str, asked: int, now: datetime, abandoned: ColumnElement[bool]
) -> None:
    """Publish the first run of a data set of which none is, now that a run of it is over, in the same transaction.

    That is the first engine of the runs that were asked for first, or, once all of these are over, the first of them
    that is done; then those that were asked for next. Where a run of an earlier request is done and was not published
    (it was decided otherwise), nothing is published by itself.

    Args:
        transaction: that in which the run came to its end; the snapshot of the run is held already.
        dataset: the data set.
        asked: the first run of the request that the run belongs to.
        now: the present moment.
        abandoned: whether a running run is nobody's any more and will not be taken up by a worker.
    """
    if published_run(transaction, dataset) is not None:
        return
    transaction.alone(dataset)
    if published_run(transaction, dataset) is not None:
        return
    requests: dict[int, list[Any]] = {}
    statement = (
        select(RunRow.id, RunRow.asked_with, JobRow.state, case((abandoned, 1), else_=0))
        .select_from(RunRow)
        .join(JobRow, JOB_OF_RUN)
        .join(SnapshotRow, SnapshotRow.id == RunRow.snapshot_id)
        .where(SnapshotRow.dataset == dataset)
        .order_by(RunRow.id)
    )
    for run_id, first, state, is_abandoned in transaction.rows(statement):
        requests.setdefault(first or run_id, []).append((run_id, "failed" if is_abandoned else state))
    for first in sorted(requests):
        states = dict(requests[first])
        done = [run_id for run_id, state in states.items() if state == "done"]
        is_waiting = any(state in ("queued", "running") for state in states.values())
        if is_waiting and states.get(first) != "done":
            return
        if not done:
            continue
        run = _held_run(transaction, done[0]) if first >= asked else None
        if run is not None:
            why = message("The first run of {dataset} that was done.", dataset=dataset)
            _add(transaction, run, None, now, via="first", why=why, checks=[], kind="publish", published_by=None)
        return


def _held_run(transaction: Transaction, run_id: int) -> _Run | None:
    """A run that nobody can delete until the end of the transaction; None where there is none any more."""
    mine = select(RunRow.id).where(RunRow.id == run_id).with_for_update(read=True, key_share=True)
    if not transaction.rows(mine):
        return None
    statement = (
        select(RunRow.id, RunRow.engine, SnapshotRow.dataset, SnapshotRow.as_of, JobRow.state)
        .select_from(RunRow)
        .join(JobRow, JOB_OF_RUN)
        .join(SnapshotRow, SnapshotRow.id == RunRow.snapshot_id)
        .where(RunRow.id == run_id)
    )
    rows = transaction.rows(statement)
    return _Run(*rows[0]) if rows else None


def _add(transaction: Transaction, run: _Run, before: int | None, now: datetime, **values: Any) -> int:
    about = {"dataset": run.dataset, "run_id": run.id, "engine": run.engine, "as_of": run.as_of}
    number = transaction.add_one(PublicationRow, {**about, "previous_run_id": before, "published_at": now, **values})
    assert number is not None  # nothing about a publication is unique but its number
    return number


def _history(dataset: str) -> Any:
    return select(PublicationRow).where(PublicationRow.dataset == dataset).order_by(PublicationRow.id.desc())


def _publication(row: PublicationRow) -> Publication:
    return value_from_rows(Publication, row, checks=tuple(row.checks))


def _name(who: str | None) -> str | None:
    return "".join(letter for letter in who or "" if letter.isprintable())[:NAME_LENGTH] or None


def _reason(why: str) -> str:
    if isinstance(why, Message):
        return why
    reason = " ".join(text_of("reason", why).split())
    if not 1 <= len(reason) <= WHY_LENGTH or not reason.isprintable():
        raise InputError(
            "Say why in 1 to {longest} characters that can be seen; there are {length}.",
            longest=WHY_LENGTH,
            length=len(reason),
        )
    return reason


def _other_published(dataset: str, now: int | None, expected: int) -> ChangedError:
    if now is None:
        return ChangedError(
            "No run of {dataset} is published, so run {expected} is not.", dataset=dataset, expected=expected
        )
    return ChangedError(
        "Run {now} of {dataset} is published by now, and not run {expected}; look at it again.",
        now=now,
        dataset=dataset,
        expected=expected,
    )


def _deleted(dataset: str, run_id: int) -> InputError:
    return InputError(
        "Run {run_id} of {dataset}, which was published before, is deleted; publish another run instead.",
        run_id=run_id,
        dataset=dataset,
    )
