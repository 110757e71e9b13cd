"""Keeping what was watched: drift points, runs against those before them, and alerts until somebody has seen them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from engines.contract import DriftPoint, LivePoint, Shift, Size
from storage.contract.watch import Alert, AlertKind
from storage.sql.database import Transaction
from storage.sql.shared import SqlVerbs, plain
from storage.sql.tables import DriftRow, RunRow, SnapshotRow
from storage.sql.watch_tables import AlertRow, LiveRow

#: What of a drift point has a column of its own; the rest is one JSON object, so that more of it needs no new column.
_COLUMNS = ("as_of", "customers", "ari", "alert", "noise_low", "moved_share")
_NAME_LENGTH = 200


class WatchVerbs(SqlVerbs):
    """The verbs about drift points, live points and alerts."""

    def save_drift(self, run_id: int, points: Sequence[DriftPoint]) -> None:
        """See :class:`~storage.contract.Store`."""
        with self._database.writing(self._workspace_id) as transaction:
            self._one(transaction, select(RunRow.id).where(RunRow.id == run_id).with_for_update(), f"no run {run_id}")
            transaction.rows(delete(DriftRow).where(DriftRow.run_id == run_id))
            transaction.add(DriftRow, drift_rows(run_id, points))

    def drift(self, run_id: int) -> list[DriftPoint]:
        """See :class:`~storage.contract.Store`."""
        with self._database.reading(self._workspace_id) as transaction:
            self._run_row(transaction, run_id)
            rows = transaction.rows(select(DriftRow).where(DriftRow.run_id == run_id).order_by(DriftRow.as_of))
            return [_point(row) for (row,) in rows]

    def live_points(self, dataset: str, engine: str) -> dict[int, LivePoint]:
        """See :class:`~storage.contract.watch.WatchStore`."""
        wanted = (
            select(LiveRow)
            .join(RunRow, RunRow.id == LiveRow.run_id)
            .join(SnapshotRow, SnapshotRow.id == RunRow.snapshot_id)
            .where(SnapshotRow.dataset == dataset, RunRow.engine == engine)
            .order_by(LiveRow.as_of, LiveRow.run_id)
        )
        names = [field.name for field in dataclasses.fields(LivePoint)]
        with self._database.reading(self._workspace_id) as transaction:
            rows = [row for (row,) in transaction.rows(wanted)]
            return {row.run_id: LivePoint(**{name: getattr(row, name) for name in names}) for row in rows}

    def alerts(self, *, open_only: bool = False, limit: int = 200) -> list[Alert]:
        """See :class:`~storage.contract.watch.WatchStore`."""
        wanted = _ALERTS.order_by(AlertRow.id.desc()).limit(limit)
        if open_only:
            wanted = wanted.where(AlertRow.acknowledged_at.is_(None))
        with self._database.reading(self._workspace_id) as transaction:
            return [_alert(*row) for row in transaction.rows(wanted)]

    def open_alerts(self) -> int:
        """See :class:`~storage.contract.watch.WatchStore`."""
        wanted = select(func.count(AlertRow.id)).where(AlertRow.acknowledged_at.is_(None))
        with self._database.reading(self._workspace_id) as transaction:
            return int(transaction.rows(wanted)[0][0])

    def acknowledge_alert(self, alert_id: int, *, who: str | None = None) -> Alert:
        """See :class:`~storage.contract.watch.WatchStore`."""
        name = "".join(letter for letter in who or "" if letter.isprintable())[:_NAME_LENGTH] or None
        seen = {"acknowledged_at": self._clock(), "acknowledged_by": name}
        with self._database.writing(self._workspace_id) as transaction:
            mine = update(AlertRow).where(AlertRow.id == alert_id, AlertRow.acknowledged_at.is_(None))
            transaction.rows(mine.values(seen).returning(AlertRow.id))
            return self._alert(transaction, alert_id)

    def claim_delivery(self, *, lease_seconds: float, since: datetime) -> Alert | None:
        """See :class:`~storage.contract.watch.WatchStore`."""
        now = self._clock()
        due = AlertRow.delivery == "waiting", AlertRow.next_try <= now, AlertRow.raised_at >= since
        with self._database.reading(self._workspace_id) as looking:
            # a look first, so that on SQLite a worker with nothing to do keeps nobody from writing
            if not looking.rows(select(AlertRow.id).where(*due).limit(1)):
                return None
        with self._database.writing(self._workspace_id) as transaction:
            first = select(AlertRow.id).where(*due).order_by(AlertRow.next_try, AlertRow.id).limit(1)
            found = transaction.rows(first.with_for_update(skip_locked=True))
            if not found:
                return None
            claimed = {"attempts": AlertRow.attempts + 1, "next_try": now + timedelta(seconds=lease_seconds)}
            mine = update(AlertRow).where(AlertRow.id == found[0][0]).values(claimed)
            transaction.rows(mine.returning(AlertRow.id))
            return self._alert(transaction, found[0][0])

    def finish_delivery(
        self, alert_id: int, attempt: int, *, error: str | None = None, retry_seconds: float | None = None
    ) -> Alert:
        """See :class:`~storage.contract.watch.WatchStore`."""
        now = self._clock()
        changes: dict[str, Any] = {"error": error}
        mine = update(AlertRow).where(AlertRow.id == alert_id)
        if error is None:
            changes |= {"delivery": "delivered", "delivered_at": now}
        elif retry_seconds is not None:
            changes |= {"next_try": now + timedelta(seconds=retry_seconds)}
        else:
            changes |= {"delivery": "failed"}
        if error is not None:
            mine = mine.where(AlertRow.attempts == attempt, AlertRow.delivery == "waiting")
        with self._database.writing(self._workspace_id) as transaction:
            transaction.rows(mine.values(changes).returning(AlertRow.id))
            return self._alert(transaction, alert_id)

    def _alert(self, transaction: Transaction, alert_id: int) -> Alert:
        self._one(transaction, select(AlertRow.id).where(AlertRow.id == alert_id), f"no alert {alert_id}")
        return _alert(*transaction.rows(_ALERTS.where(AlertRow.id == alert_id))[0])


_ALERTS = (
    select(AlertRow, RunRow.engine, SnapshotRow.dataset)
    .join(RunRow, RunRow.id == AlertRow.run_id)
    .join(SnapshotRow, SnapshotRow.id == RunRow.snapshot_id)
)


def drift_rows(run_id: int, points: Sequence[DriftPoint]) -> list[dict[str, Any]]:
    """Drift points as rows of their table."""
    rows = []
    for point in points:
        values = plain(dataclasses.asdict(point))
        more = {name: values.pop(name) for name in list(values) if name not in _COLUMNS}
        rows.append({**values, "more": more, "run_id": run_id})
    return rows


def live_row(run_id: int, point: LivePoint) -> dict[str, Any]:
    """A live point as a row of its table."""
    return {**plain(dataclasses.asdict(point)), "run_id": run_id}


def alert_rows(
    run_id: int, points: Sequence[DriftPoint], live: LivePoint | None, now: datetime
) -> list[dict[str, Any]]:
    """The alert that comes with a run, if any: what holds at its own date. Earlier dates are history.

    The comparison with the run before goes first, since that is what people work with.
    """
    latest: list[tuple[AlertKind, DriftPoint | LivePoint]] = []
    if live is not None:
        latest.append(("live", live))
    if points:
        latest.append(("timeline", max(points, key=lambda point: point.as_of)))
    for kind, point in latest:
        if point.alert:
            values = {
                "run_id": run_id,
                "kind": kind,
                "as_of": date.fromisoformat(point.as_of),
                "ari": float(point.ari),
                "noise_low": None if point.noise_low is None else float(point.noise_low),
                "raised_at": now,
                "delivery": "waiting",
                "attempts": 0,
                "next_try": now,
            }
            return [values]
    return []


def _point(row: DriftRow) -> DriftPoint:
    more = dict(row.more or {})
    more["shifts"] = tuple(Shift(**item) for item in more.get("shifts", ()))
    more["sizes"] = tuple(Size(**item) for item in more.get("sizes", ()))
    return DriftPoint(**{name: getattr(row, name) for name in _COLUMNS}, **more)


def _alert(row: AlertRow, engine: str, dataset: str) -> Alert:
    names = [field.name for field in dataclasses.fields(Alert) if field.name not in ("dataset", "engine")]
    return Alert(**{name: getattr(row, name) for name in names}, dataset=dataset, engine=engine)
