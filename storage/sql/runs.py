"""Keeping runs: finished once and for good, listed, and and read back with their model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pandas import Series
from sqlalchemy import delete, func, select, update

from engines.columns import SEGMENT_KEY
from engines.contract import MODEL_LIMIT, DriftPoint, LivePoint, Predecessor, Segmentation
from engines.errors import InputError
from storage.contract import NotFoundError, Run, RunState
from storage.contract.queue import Dependents
from storage.sql import bulk
from storage.sql.desk_tables import ExportRow
from storage.sql.edits import inherited_pins, segment_rows
from storage.sql.layout import ROW_NO
from storage.sql.queue import JobVerbs, lost
from storage.sql.shared import plain
from storage.sql.tables import DriftRow, ModelRow, RunRow, SegmentEditRow, SegmentRow, SnapshotRow, labels
from storage.sql.watch import alert_rows, drift_rows, live_row
from storage.sql.watch_tables import AlertRow, LiveRow


class RunVerbs(JobVerbs):
    """The verbs about runs."""

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
        """See :class:`~storage.contract.Store`.

        Raises:
            LostError: the run is finished already, cancelled, or another worker's by now.
            ValueError: the labels are not, for each customer of the snapshot, the key of one of the result's segments;
                or the model is too large.
        """
        if model is not None and len(model) > MODEL_LIMIT:
            raise ValueError(f"Run {run_id}: a model of {len(model):,} bytes; at most {MODEL_LIMIT:,} are kept.")
        with self._database.reading(self._workspace_id) as transaction:
            row = self._run_row(transaction, run_id)
            if (row.state, row.worker) != ("running", worker):
                raise lost(row)
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
            "stage": None,
            "progress": 1.0,
        }
        with bulk.loading(self._database, self._workspace_id, rows) as writing:
            # asked again under the row's lock: of two workers that finish one run, one wins
            mine = update(RunRow).where(RunRow.id == run_id, RunRow.state == "running", RunRow.worker == worker)
            if not writing.rows(mine.values(done).returning(RunRow.id)):
                raise lost(row)
            writing.add(SegmentRow, segment_rows(run_id, result.segments))
            writing.add(SegmentEditRow, inherited_pins(run_id, result.segments, self._clock()))
            if model is not None:
                writing.add_bytes(ModelRow, {"run_id": run_id, "model": model})
            writing.add(DriftRow, drift_rows(run_id, drift))
            writing.add(LiveRow, [live_row(run_id, live)] if live is not None else [])
            writing.add(AlertRow, alert_rows(run_id, drift, live, self._clock()))
            writing.append(labels, {"run_id": run_id})
        return self.run(run_id)

    def runs(
        self,
        *,
        snapshot_id: int | None = None,
        dataset: str | None = None,
        engine: str | None = None,
        state: RunState | None = None,
    ) -> list[Run]:
        """See :class:`~storage.contract.Store`."""
        asked = (
            (RunRow.snapshot_id, snapshot_id),
            (SnapshotRow.dataset, dataset),
            (RunRow.engine, engine),
            (RunRow.state, state),
        )
        with self._database.reading(self._workspace_id) as transaction:
            if snapshot_id is not None:
                self._snapshot_row(transaction, snapshot_id)
            return self._runs(transaction, *(column == value for column, value in asked if value is not None))

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

    def model(self, run_id: int) -> bytes | None:
        """See :class:`~storage.contract.Store`."""
        mine = ModelRow.run_id == run_id
        with self._database.reading(self._workspace_id) as transaction:
            self._run_row(transaction, run_id)
            # its length first: nobody has to hold what is too large to be a model
            length = transaction.rows(select(func.length(ModelRow.model)).where(mine))
            if length and length[0][0] > MODEL_LIMIT:
                raise InputError(
                    f"The model of run {run_id} has {length[0][0]:,} bytes where {MODEL_LIMIT:,} are allowed, so it is "
                    "not read; run its engine again."
                )
            found = transaction.rows(select(ModelRow.model).where(mine)) if length else []
            return bytes(found[0][0]) if found else None

    def dependents(self, run_id: int) -> Dependents:
        """See :class:`~storage.contract.Store`."""
        counted: dict[str, tuple[Any, Any]] = {
            "labels": (labels, labels.c.run_id == run_id),
            "drift_points": (DriftRow, DriftRow.run_id == run_id),
            "edited_segments": (SegmentEditRow, SegmentEditRow.run_id == run_id),
            "alerts": (AlertRow, AlertRow.run_id == run_id),
            "exports": (ExportRow, ExportRow.run_id == run_id),
        }
        with self._database.reading(self._workspace_id) as transaction:
            self._run_row(transaction, run_id)
            numbers = {
                name: int(transaction.rows(select(func.count()).select_from(table).where(mine))[0][0])
                for name, (table, mine) in counted.items()
            }
        return Dependents(**numbers)

    def delete_run(self, run_id: int) -> None:
        """See :class:`~storage.contract.Store`."""
        with self._database.writing(self._workspace_id) as transaction:
            # the run first: that waits for a worker who is just finishing it, whose labels are then there to be deleted
            if not transaction.rows(delete(RunRow).where(RunRow.id == run_id).returning(RunRow.id)):
                raise NotFoundError(f"There is no run {run_id} in this workspace.")
            transaction.rows(delete(labels).where(labels.c.run_id == run_id))


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
