"""The tables of those who watch: runs against the runs before them, and alerts."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.sql.tables import NEVER_REUSED, Base


class LiveRow(Base):
    """A run against the run before it. That one may be deleted later, so ``against`` is a number and no foreign key."""

    __tablename__ = "live_points"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    against: Mapped[int]
    before: Mapped[str]
    as_of: Mapped[str]
    customers: Mapped[int]
    ari: Mapped[float]
    alert: Mapped[bool]
    noise_low: Mapped[float | None]
    moved_share: Mapped[float | None]


class AlertRow(Base):
    """An alert, which is also a message to be sent: those that wait are due at ``next_try``."""

    __tablename__ = "alerts"
    __table_args__ = (
        UniqueConstraint("run_id", "as_of"),
        Index("ix_alerts_open", "workspace_id", "acknowledged_at", "id"),
        Index("ix_alerts_due", "workspace_id", "delivery", "next_try"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    kind: Mapped[str]
    as_of: Mapped[date]
    ari: Mapped[float]
    noise_low: Mapped[float | None]
    raised_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    delivery: Mapped[str]
    attempts: Mapped[int]
    next_try: Mapped[datetime]
    error: Mapped[str | None]
    delivered_at: Mapped[datetime | None]
