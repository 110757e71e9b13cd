"""Drift points, runs against the runs before them, and alerts until somebody has seen them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, select, update

from engines.contract import DriftPoint, LivePoint, Shift, Size
from storage.contract.audiences import NAME_LENGTH
from storage.contract.jobs import DELIVERY
from storage.contract.watch import Alert, AlertKind, Delivery
from storage.sql.database import Transaction
from storage.sql.rows import value_from_rows
from storage.sql.shared import StorePart, json_value
from storage.sql.tables import AlertRow, DriftRow, JobRow, LiveRow, RunRow, SnapshotRow

#: What of a drift point has a column of its own; the rest is one JSON object, so that more of it needs no new column.
_COLUMNS = ("as_of", "customers", "ari", "alert", "noise_low", "moved_share")


class WatchVerbs(StorePart):
    """The methods about drift points, live points and alerts.

    All are written with the run they are about (:meth:`finish_run`), and go with it. There is never more than one alert
    of a run and date. Its message is a job of the kind ``delivery``.
    """

    def drift(self, run_id: int) -> list[DriftPoint]:
        """The drift points of a run, the oldest first."""
        with self._database.reading(self._workspace_id) as transaction:
            self._run_row(transaction, run_id)
            rows = transaction.rows(select(DriftRow).where(DriftRow.run_id == run_id).order_by(DriftRow.as_of))
            return [_point(row) for (row,) in rows]

    def live_points(self, dataset: str, engine: str) -> dict[int, LivePoint]:
        """The runs of a data set and engine that were compared with the one before, the oldest first, by run id."""
        statement = (
            select(LiveRow)
            .join(RunRow, RunRow.id == LiveRow.run_id)
            .join(SnapshotRow, SnapshotRow.id == RunRow.snapshot_id)
            .where(SnapshotRow.dataset == dataset, RunRow.engine == engine)
            .order_by(LiveRow.as_of, LiveRow.run_id)
        )
        with self._database.reading(self._workspace_id) as transaction:
            return {row.run_id: value_from_rows(LivePoint, row) for (row,) in transaction.rows(statement)}

    def alerts(self, *, open_only: bool = False, limit: int = 200) -> list[Alert]:
        """The latest alerts, the newest first; with ``open_only`` those that nobody has acknowledged."""
        statement = _ALERTS.order_by(AlertRow.id.desc()).limit(limit)
        if open_only:
            statement = statement.where(AlertRow.acknowledged_at.is_(None))
        with self._database.reading(self._workspace_id) as transaction:
            return [_alert(*row) for row in transaction.rows(statement)]

    def open_alerts(self) -> int:
        """How many alerts nobody has acknowledged."""
        statement = select(func.count(AlertRow.id)).where(AlertRow.acknowledged_at.is_(None))
        with self._database.reading(self._workspace_id) as transaction:
            return int(transaction.rows(statement)[0][0])

    def alert(self, alert_id: int) -> Alert:
        """One alert."""
        with self._database.reading(self._workspace_id) as transaction:
            return self._alert(transaction, alert_id)

    def acknowledge_alert(self, alert_id: int, *, who: str | None = None) -> Alert:
        """Write down that somebody has seen an alert; who was first stays.

        Raises:
            NotFoundError: no such alert.
        """
        name = "".join(letter for letter in who or "" if letter.isprintable())[:NAME_LENGTH] or None
        seen = {"acknowledged_at": self._clock(), "acknowledged_by": name}
        with self._database.writing(self._workspace_id) as transaction:
            mine = update(AlertRow).where(AlertRow.id == alert_id, AlertRow.acknowledged_at.is_(None))
            transaction.rows(mine.values(seen).returning(AlertRow.id))
            return self._alert(transaction, alert_id)

    def _alert(self, transaction: Transaction, alert_id: int) -> Alert:
        self._one(transaction, select(AlertRow.id).where(AlertRow.id == alert_id), f"no alert {alert_id}")
        return _alert(*transaction.rows(_ALERTS.where(AlertRow.id == alert_id))[0])


_ALERTS = (
    select(AlertRow, JobRow, RunRow.engine, SnapshotRow.dataset)
    .select_from(AlertRow)
    .join(JobRow, and_(JobRow.kind == DELIVERY, JobRow.subject == AlertRow.id))
    .join(RunRow, RunRow.id == AlertRow.run_id)
    .join(SnapshotRow, SnapshotRow.id == RunRow.snapshot_id)
    .execution_options(populate_existing=True)
)
_DELIVERIES: dict[str, Delivery] = {"done": "delivered", "failed": "failed"}


def drift_rows(run_id: int, points: Sequence[DriftPoint]) -> list[dict[str, Any]]:
    """Drift points as rows of their table."""
    rows = []
    for point in points:
        values = json_value(dataclasses.asdict(point))
        more = {name: values.pop(name) for name in list(values) if name not in _COLUMNS}
        rows.append({**values, "more": more, "run_id": run_id})
    return rows


def live_row(run_id: int, point: LivePoint) -> dict[str, Any]:
    """A live point as a row of its table."""
    return {**json_value(dataclasses.asdict(point)), "run_id": run_id}


def alert_of(run_id: int, points: Sequence[DriftPoint], live: LivePoint | None, now: datetime) -> dict[str, Any] | None:
    """The alert that comes with a run, if any, as a row of its table: what holds at the run's own date.

    Earlier dates are history. The comparison with the run before goes first, since that is what people work with.
    """
    latest: list[tuple[AlertKind, DriftPoint | LivePoint]] = []
    if live is not None:
        latest.append(("live", live))
    if points:
        latest.append(("timeline", max(points, key=lambda point: point.as_of)))
    for kind, point in latest:
        if point.alert:
            return {
                "run_id": run_id,
                "kind": kind,
                "as_of": date.fromisoformat(point.as_of),
                "ari": float(point.ari),
                "noise_low": None if point.noise_low is None else float(point.noise_low),
                "cause": point.cause or "agreement" if isinstance(point, DriftPoint) else "agreement",
                "raised_at": now,
            }
    return None


def _point(row: DriftRow) -> DriftPoint:
    more = dict(row.more or {})
    more["shifts"] = tuple(Shift(**item) for item in more.get("shifts", ()))
    more["sizes"] = tuple(Size(**item) for item in more.get("sizes", ()))
    return DriftPoint(**{name: getattr(row, name) for name in _COLUMNS}, **more)


def _alert(row: AlertRow, job: JobRow, engine: str, dataset: str) -> Alert:
    return value_from_rows(
        Alert,
        row,
        job,
        dataset=dataset,
        engine=engine,
        cause=row.cause or "agreement",  # which all alerts were about at first
        delivery=_DELIVERIES.get(job.state, "waiting"),
        next_try=job.due_at,
        delivered_at=job.finished_at if job.state == "done" else None,
    )
