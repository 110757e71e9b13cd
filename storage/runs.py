"""Keeping runs, which are also the queue of work: claimed under a lease, finished once and for good."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from pandas import Series
from sqlalchemy import and_, delete, or_, select, update

from engines.columns import SEGMENT_KEY
from engines.contract import DriftPoint, Predecessor, Segmentation
from storage import bulk
from storage.contract import NotFoundError, Run
from storage.layout import ROW_NO
from storage.snapshots import SnapshotVerbs
from storage.tables import DriftRow, RunRow, SegmentRow, SnapshotRow, labels
from storage.verbs import plain

#: A run that was lost with its worker is tried once more, then given up.
MAX_ATTEMPTS = 2


class RunVerbs(SnapshotVerbs):
    """The verbs about runs, their queue and their drift points."""

    def queue_run(self, snapshot_id: int, engine: str, settings: Mapping[str, Any]) -> Run:
        """See :class:`~storage.contract.Store`."""
        return self._new_run(snapshot_id, engine, settings, {"state": "queued", "attempts": 0})

    def start_run(self, snapshot_id: int, engine: str, settings: Mapping[str, Any], *, lease_seconds: float) -> Run:
        """See :class:`~storage.contract.Store`."""
        return self._new_run(snapshot_id, engine, settings, {"attempts": 1, **_running(self._clock(), lease_seconds)})

    def _new_run(self, snapshot_id: int, engine: str, settings: Mapping[str, Any], state: Mapping[str, Any]) -> Run:
        values = {
            "snapshot_id": snapshot_id,
            "engine": engine,
            "settings": plain(settings),
            "metrics": {},
            "notes": [],
            "info": {},
            "created_at": self._clock(),
            **state,
        }
        with self._database.writing(self._workspace_id) as transaction:
            wanted = select(SnapshotRow.id).where(SnapshotRow.id == snapshot_id)
            # held, so that nobody deletes the snapshot under the new run
            self._one(transaction, wanted.with_for_update(read=True, key_share=True), f"no snapshot {snapshot_id}")
            run_id = transaction.add_one(RunRow, values)
            return self._runs(transaction, RunRow.id == run_id)[0]

    def claim_run(self, *, lease_seconds: float) -> Run | None:
        """See :class:`~storage.contract.Store`. A run whose lease has expired twice is given up as failed instead."""
        now = self._clock()
        lost = and_(RunRow.state == "running", RunRow.lease_until < now)
        with self._database.writing(self._workspace_id) as transaction:
            given_up = {
                "state": "failed",
                "error": f"Its worker was lost {MAX_ATTEMPTS} times before the run was finished.",
                "finished_at": now,
                "lease_until": None,
            }
            transaction.rows(update(RunRow).where(lost, RunRow.attempts >= MAX_ATTEMPTS).values(given_up))
            oldest = select(RunRow.id).where(or_(RunRow.state == "queued", lost)).order_by(RunRow.id).limit(1)
            found = transaction.rows(oldest.with_for_update(skip_locked=True))
            if not found:
                return None
            run_id = found[0][0]
            claimed = {"attempts": RunRow.attempts + 1, **_running(now, lease_seconds)}
            transaction.rows(update(RunRow).where(RunRow.id == run_id).values(claimed))
            return self._runs(transaction, RunRow.id == run_id)[0]

    def finish_run(self, run_id: int, result: Segmentation, *, seconds: float, info: Mapping[str, Any]) -> Run:
        """See :class:`~storage.contract.Store`.

        Raises:
            ValueError: the run is not running (a finished one never changes), or the labels are not, for each customer
                of the snapshot, the key of one of the result's segments.
        """
        with self._database.reading(self._workspace_id) as transaction:
            row = self._run_row(transaction, run_id)
            if row.state != "running":
                raise _not_running(run_id, row.state)
        keys = _aligned(run_id, result, self._index(row.snapshot_id))
        rows = pa.table({ROW_NO: pa.array(np.arange(len(keys), dtype=np.int32)), SEGMENT_KEY: pa.array(keys)})
        done = {
            "state": "done",
            "metrics": plain(result.metrics),
            "notes": plain(result.notes),
            "info": plain(info),
            "fitted_on": result.fitted_on,
            "seconds": seconds,
            "finished_at": self._clock(),
            "lease_until": None,
        }
        with bulk.loading(self._database, self._workspace_id, rows) as writing:
            # asked again under the row's lock: of two workers that finish one run, one wins
            mine = update(RunRow).where(RunRow.id == run_id, RunRow.state == "running").values(done)
            if not writing.rows(mine.returning(RunRow.id)):
                raise _not_running(run_id, "no longer running")
            segments = [dataclasses.asdict(segment) for segment in result.segments]
            writing.add(SegmentRow, [{**plain(s), "run_id": run_id, "position": i} for i, s in enumerate(segments)])
            writing.append(labels, {"run_id": run_id})
        return self.run(run_id)

    def fail_run(self, run_id: int, error: str) -> Run:
        """See :class:`~storage.contract.Store`.

        Raises:
            ValueError: the run is finished already, and a finished run never changes.
        """
        failed = {"state": "failed", "error": error, "finished_at": self._clock(), "lease_until": None}
        with self._database.writing(self._workspace_id) as transaction:
            row = self._run_row(transaction, run_id)
            unfinished = update(RunRow).where(RunRow.id == run_id, RunRow.state.in_(("queued", "running")))
            if not transaction.rows(unfinished.values(failed).returning(RunRow.id)):
                raise _not_running(run_id, row.state)
        return self.run(run_id)

    def runs(self, *, snapshot_id: int | None = None) -> list[Run]:
        """See :class:`~storage.contract.Store`."""
        with self._database.reading(self._workspace_id) as transaction:
            if snapshot_id is None:
                return self._runs(transaction)
            self._snapshot_row(transaction, snapshot_id)
            return self._runs(transaction, RunRow.snapshot_id == snapshot_id)

    def run(self, run_id: int) -> Run:
        """See :class:`~storage.contract.Store`."""
        with self._database.reading(self._workspace_id) as transaction:
            found = self._runs(transaction, RunRow.id == run_id)
        if not found:
            raise NotFoundError(f"There is no run {run_id} in this workspace.")
        return found[0]

    def predecessor(self, dataset: str, engine: str) -> Predecessor | None:
        """See :class:`~storage.contract.Store`."""
        latest = (
            select(RunRow.id)
            .join(SnapshotRow, SnapshotRow.id == RunRow.snapshot_id)
            .where(SnapshotRow.dataset == dataset, RunRow.engine == engine, RunRow.state == "done")
            .order_by(RunRow.finished_at.desc(), RunRow.id.desc())
            .limit(1)
        )
        with self._database.reading(self._workspace_id) as transaction:
            found = transaction.rows(latest)
            if not found:
                return None
            run = self._runs(transaction, RunRow.id == found[0][0])[0]
        return Predecessor(self.labels(run.id), run.segments)

    def delete_run(self, run_id: int) -> None:
        """See :class:`~storage.contract.Store`."""
        with self._database.writing(self._workspace_id) as transaction:
            # the run first: that waits for a worker who is just finishing it, whose labels are then there to be deleted
            if not transaction.rows(delete(RunRow).where(RunRow.id == run_id).returning(RunRow.id)):
                raise NotFoundError(f"There is no run {run_id} in this workspace.")
            transaction.rows(delete(labels).where(labels.c.run_id == run_id))

    def save_drift(self, run_id: int, points: Sequence[DriftPoint]) -> None:
        """See :class:`~storage.contract.Store`."""
        with self._database.writing(self._workspace_id) as transaction:
            self._one(transaction, select(RunRow.id).where(RunRow.id == run_id).with_for_update(), f"no run {run_id}")
            transaction.rows(delete(DriftRow).where(DriftRow.run_id == run_id))
            transaction.add(DriftRow, [{**plain(dataclasses.asdict(point)), "run_id": run_id} for point in points])

    def drift(self, run_id: int) -> list[DriftPoint]:
        """See :class:`~storage.contract.Store`."""
        with self._database.reading(self._workspace_id) as transaction:
            self._run_row(transaction, run_id)
            rows = transaction.rows(select(DriftRow).where(DriftRow.run_id == run_id).order_by(DriftRow.as_of))
            names = [field.name for field in dataclasses.fields(DriftPoint)]
            return [DriftPoint(**{name: getattr(row, name) for name in names}) for (row,) in rows]


def _running(now: datetime, lease_seconds: float) -> dict[str, Any]:
    return {"state": "running", "started_at": now, "lease_until": now + timedelta(seconds=lease_seconds)}


def _not_running(run_id: int, state: str) -> ValueError:
    return ValueError(f"Run {run_id} is {state}: only a running run can be finished, and a finished run never changes.")


def _aligned(run_id: int, result: Segmentation, index: Any) -> np.ndarray[Any, np.dtype[np.int32]]:
    """The labels in the order of the snapshot's customers."""
    found: Series[Any] = result.labels
    if not found.index.equals(index):
        places = found.index.get_indexer(index) if found.index.is_unique else np.array([-1])
        if len(found) != len(index) or (places < 0).any():
            raise ValueError(f"Run {run_id}: the labels must name each customer of the snapshot exactly once.")
        found = found.iloc[places]
    if found.dtype.kind != "i" or not set(found.unique()) <= {segment.key for segment in result.segments}:
        raise ValueError(f"Run {run_id}: every label must be the key of one of the result's segments.")
    return found.to_numpy().astype(np.int32)
