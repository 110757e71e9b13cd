"""Runs: queued or worked on at once, finished once and for good, listed, and read back with their model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pandas import Series
from sqlalchemy import func, select, update

from engines.columns import SEGMENT_KEY
from engines.contract import MODEL_LIMIT, DriftPoint, LivePoint, Segmentation
from engines.errors import InputError
from storage.contract import NOBODY, Dependents, NotFoundError, Run, Starter, StoreError
from storage.contract.jobs import DELIVERY, RUN, JobState
from storage.objects import BrokenObjectError
from storage.sql import bulk
from storage.sql.database import SessionTransaction
from storage.sql.edits import segment_rows
from storage.sql.jobs import UNFINISHED, JobVerbs, is_held, lost_error, new_job
from storage.sql.layout import ROW_NO
from storage.sql.publications import dataset_of, hold_snapshot_of, publish_first, refuse_published
from storage.sql.shared import json_value
from storage.sql.snapshots import SnapshotVerbs, delete_runs
from storage.sql.tables import (
    AlertRow,
    DriftRow,
    ExportRow,
    JobRow,
    LiveRow,
    ModelRow,
    RunRow,
    SegmentRow,
    SnapshotRow,
    labels,
)
from storage.sql.watch import alert_of, drift_rows, live_row


class RunVerbs(SnapshotVerbs, JobVerbs):
    """The methods about runs. A run is computed by the job ``job_id``, whose worker holds the run with it."""

    def queue_run(
        self,
        snapshot_id: int,
        engine: str,
        settings: Mapping[str, Any],
        *,
        info: Mapping[str, Any] = {},
        starter: Starter = NOBODY,
        asked_with: int | None = None,
    ) -> Run:
        """A run that a worker will claim; ``info`` is for that worker, and gives way to that of the finished run.

        ``asked_with``: the first of several runs that are asked for at once, in the order they are asked for.
        """
        with self._database.writing(self._workspace_id) as transaction:
            return self._new_run(transaction, snapshot_id, engine, settings, info, starter, asked_with, {})

    def start_run(
        self,
        snapshot_id: int,
        engine: str,
        settings: Mapping[str, Any],
        *,
        lease_seconds: float,
        starter: Starter = NOBODY,
        asked_with: int | None = None,
    ) -> Run:
        """A run that the caller works on itself, at once, as the worker None; ``asked_with`` as for a queued one."""
        with self._database.writing(self._workspace_id) as transaction:
            running = {"attempts": 1, **self._running(transaction, None, lease_seconds)}
            return self._new_run(transaction, snapshot_id, engine, settings, {}, starter, asked_with, running)

    def _new_run(
        self,
        transaction: SessionTransaction,
        snapshot_id: int,
        engine: str,
        settings: Mapping[str, Any],
        info: Mapping[str, Any],
        starter: Starter,
        asked_with: int | None,
        state: Mapping[str, Any],
    ) -> Run:
        values = {
            "snapshot_id": snapshot_id,
            "asked_with": asked_with,
            "engine": engine,
            "settings": json_value(settings),
            "info": json_value(info),
        }
        self._hold_snapshot(transaction, snapshot_id)
        run_id = transaction.add_one(RunRow, {**values, "metrics": {}, "notes": []})
        transaction.add(JobRow, [{**new_job(RUN, run_id, self._clock(), starter=starter), **state}])
        return self._runs(transaction, RunRow.id == run_id)[0]

    def _hold_snapshot(self, transaction: SessionTransaction, snapshot_id: int) -> None:
        """Keep others from deleting a snapshot under a run that is just coming to it."""
        statement = select(SnapshotRow.id).where(SnapshotRow.id == snapshot_id)
        self._one(transaction, statement.with_for_update(read=True, key_share=True), f"no snapshot {snapshot_id}")

    def resolve_run(
        self,
        run_id: int,
        worker: str | None,
        *,
        snapshot_id: int,
        settings: Mapping[str, Any],
        info: Mapping[str, Any] = {},
    ) -> Run:
        """Say of a running run what was left to its worker to find out: its snapshot, its settings.

        Raises:
            LostError: the run is not, or no longer, the worker's.
            NotFoundError: no such run or snapshot.
        """
        values = {"snapshot_id": snapshot_id, "settings": json_value(settings), "info": json_value(info)}
        with self._database.writing(self._workspace_id) as transaction:
            job = self._job_of_run(transaction, run_id)
            self._hold_snapshot(transaction, snapshot_id)
            # the job is held meanwhile, so that nobody takes the run over
            if not transaction.rows(select(JobRow.id).where(*is_held(job.id, worker)).with_for_update()):
                raise lost_error(job)
            transaction.rows(update(RunRow).where(RunRow.id == run_id).values(values).returning(RunRow.id))
            return self._runs(transaction, RunRow.id == run_id)[0]

    def cancel_run(self, run_id: int) -> Run:
        """Cancel a run for good, queued or running; its worker hears of it when it renews its lease.

        Raises:
            InputError: the run is done or failed already.
        """
        with self._database.writing(self._workspace_id) as transaction:
            self._cancelled(transaction, self._job_of_run(transaction, run_id).id)
            return self._runs(transaction, RunRow.id == run_id)[0]

    def fail_run(self, run_id: int, error: str, *, worker: str | None = None) -> Run:
        """Mark a run failed, with a reason people can read; ``worker`` is who claimed it.

        Raises:
            LostError: the run is finished already, cancelled, or another worker's by now.
        """
        self.fail_job(self.run(run_id).job_id, worker, error)
        return self.run(run_id)

    def finish_run(
        self,
        run_id: int,
        result: Segmentation,
        *,
        seconds: float,
        info: Mapping[str, Any],
        model: bytes | None = None,
        drift: Sequence[DriftPoint] = (),
        live: LivePoint | None = None,
        worker: str | None = None,
    ) -> Run:
        """Store segments, metrics, drift points and one label for every customer of the snapshot, and mark it done.

        All of it, or nothing. Where the latest drift point or ``live`` (the run against the one before it) is an alert,
        an alert is raised with the run. Where no run of its data set is published yet, the first one is published with
        it (see ``publications.publish_first``). ``model`` is the fitted model as ``engines.persistence.models`` writes
        it, of at most ``MODEL_LIMIT`` bytes, which goes into the object store; ``worker`` is who claimed the run.

        Raises:
            LostError: the run is finished already, cancelled, or another worker's by now.
            ValueError: the labels are not, for each customer of the snapshot, the key of one of the result's segments;
                or the model is too large.
        """
        if model is not None and len(model) > MODEL_LIMIT:
            raise ValueError(f"Run {run_id}: a model of {len(model):,} bytes; at most {MODEL_LIMIT:,} are kept.")
        with self._database.reading(self._workspace_id) as transaction:
            job = self._job_of_run(transaction, run_id)
            if (job.state, job.worker) != ("running", worker):
                raise lost_error(job)
            row = self._run_row(transaction, run_id)
            snapshot_id, asked_with = row.snapshot_id, row.asked_with
        keys = _aligned(run_id, result, self._index(snapshot_id))
        rows = pa.table({ROW_NO: pa.array(np.arange(len(keys), dtype=np.int32)), SEGMENT_KEY: pa.array(keys)})
        values = {
            "metrics": json_value(result.metrics),
            "notes": json_value(result.notes),
            "info": json_value(info),
            "fitted_on": result.fitted_on,
            "seconds": seconds,
        }
        with (
            self._putting(model, "model") as stored,
            bulk.loading(self._database, self._workspace_id, rows) as writing,
        ):
            values["model_digest"] = stored and stored.digest
            hold_snapshot_of(writing, run_id)
            # asked again under the job's lock: of two workers that finish one run, one wins
            done = update(JobRow).where(*is_held(job.id, worker)).values(self._done())
            if not writing.rows(done.returning(JobRow.id)):
                raise lost_error(job)
            writing.rows(update(RunRow).where(RunRow.id == run_id).values(values).returning(RunRow.id))
            writing.add(SegmentRow, segment_rows(run_id, result.segments))
            if stored is not None and model is not None:
                self._refer(writing, stored, model)
            writing.add(DriftRow, drift_rows(run_id, drift))
            writing.add(LiveRow, [live_row(run_id, live)] if live is not None else [])
            self._raise_alert(writing, alert_of(run_id, drift, live, self._clock()))
            writing.append(labels, {"run_id": run_id})
            self._publish_first(writing, run_id, asked_with)
        return self.run(run_id)

    def _raise_alert(self, writing: bulk.Loading, alert: Mapping[str, Any] | None) -> None:
        """Write down an alert, and a job that sends its message."""
        if alert is not None:
            now = alert["raised_at"]
            job = new_job(DELIVERY, writing.add_one(AlertRow, alert), now, due_at=now, max_attempts=None)
            writing.add(JobRow, [job])

    def runs(
        self,
        *,
        snapshot_id: int | None = None,
        dataset: str | None = None,
        engine: str | None = None,
        state: JobState | None = None,
    ) -> list[Run]:
        """Runs, those made last first: all, or those of a snapshot, a data set and an engine, and in a state."""
        conditions = (
            (RunRow.snapshot_id, snapshot_id),
            (SnapshotRow.dataset, dataset),
            (RunRow.engine, engine),
            (JobRow.state, state),
        )
        with self._database.reading(self._workspace_id) as transaction:
            if snapshot_id is not None:
                self._snapshot_row(transaction, snapshot_id)
            return self._runs(transaction, *(column == value for column, value in conditions if value is not None))

    def run(self, run_id: int) -> Run:
        """One run."""
        with self._database.reading(self._workspace_id) as transaction:
            runs = self._runs(transaction, RunRow.id == run_id)
        if not runs:
            raise NotFoundError("There is no run {run_id} in this workspace.", run_id=run_id)
        return runs[0]

    def model(self, run_id: int) -> bytes | None:
        """The fitted model of a run, None where none was kept.

        Raises:
            InputError: there are more than ``MODEL_LIMIT`` bytes of it, so that no store wrote it; they are not read.
            StoreError: it is missing or altered in the object store, or that cannot be used.
        """
        mine = ModelRow.run_id == run_id
        with self._database.reading(self._workspace_id) as transaction:
            stored = self._stored(transaction, "model", self._run_row(transaction, run_id).model_digest)
            # its length first: nobody has to hold what is too large to be a model
            sizes = transaction.rows(select(func.length(ModelRow.model)).where(mine))
            length = stored.size if stored is not None else sizes[0][0] if sizes else 0
            if length > MODEL_LIMIT:
                raise InputError(
                    "The model of run {run_id} has {length:,} bytes where {model_limit:,} are allowed, so it "
                    "is not read; run its engine again.",
                    run_id=run_id,
                    length=length,
                    model_limit=MODEL_LIMIT,
                )
            rows = transaction.rows(select(ModelRow.model).where(mine)) if sizes else []
        if stored is None:
            return bytes(rows[0][0]) if rows else None
        try:
            with self._objects.fetch(stored) as path:
                return path.read_bytes()
        except BrokenObjectError as error:
            self.run(run_id)  # which may have been deleted meanwhile
            raise StoreError(
                "The model of run {run_id} is {state} in {place}; run its engine again.",
                run_id=run_id,
                state=error.state,
                place=self._objects.shown,
            ) from None

    def dependents(self, run_id: int) -> Dependents:
        """What would go with a run if it were deleted now."""
        counted: dict[str, tuple[Any, Any]] = {
            "labels": (labels, labels.c.run_id == run_id),
            "drift_points": (DriftRow, DriftRow.run_id == run_id),
            "alerts": (AlertRow, AlertRow.run_id == run_id),
            "exports": (ExportRow, ExportRow.run_id == run_id),
        }
        with self._database.reading(self._workspace_id) as transaction:
            self._run_row(transaction, run_id)
            numbers = {
                name: int(transaction.rows(select(func.count()).select_from(table).where(mine))[0][0])
                for name, (table, mine) in counted.items()
            }
        return Dependents(**numbers, edited_segments=0)

    def delete_run(self, run_id: int) -> None:
        """Delete a run with its labels, model and drift points; what was published of it stays in the history.

        Raises:
            PublishedError: it is the published run of its data set.
        """
        with self._database.writing(self._workspace_id) as transaction:
            job = self._held_for_end(transaction, self._job_of_run(transaction, run_id).id)
            # the job first, then the run, as whoever finishes it does
            transaction.rows(select(JobRow.id).where(JobRow.id == job.id).with_for_update())
            self._one(transaction, select(RunRow.id).where(RunRow.id == run_id).with_for_update(), f"no run {run_id}")
            row, dataset = self._run_row(transaction, run_id), dataset_of(transaction, run_id)
            assert dataset is not None  # its snapshot is held
            refuse_published(transaction, dataset, [run_id])
            was_waiting = self._job_row(transaction, job.id).state in UNFINISHED
            asked = row.asked_with or run_id
            files = delete_runs(transaction, [run_id])
            if was_waiting:  # another may have waited for it
                publish_first(transaction, dataset, asked, self._clock(), self._abandoned())
        self._drop_objects(files)


def _aligned(run_id: int, result: Segmentation, index: Any) -> np.ndarray[Any, np.dtype[np.int32]]:
    """The labels in the order of the snapshot's customers."""
    aligned_labels: Series[Any] = result.labels
    if not aligned_labels.index.equals(index):
        places = aligned_labels.index.get_indexer(index) if aligned_labels.index.is_unique else np.array([-1])
        if len(aligned_labels) != len(index) or (places < 0).any():
            raise ValueError(f"Run {run_id}: the labels must name each customer of the snapshot exactly once.")
        aligned_labels = aligned_labels.iloc[places]
    if aligned_labels.dtype.kind != "i" or not set(aligned_labels.unique()) <= {
        segment.key for segment in result.segments
    }:
        raise ValueError(f"Run {run_id}: every label must be the key of one of the result's segments.")
    return aligned_labels.to_numpy().astype(np.int32)
