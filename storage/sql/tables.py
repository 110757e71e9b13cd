"""The tables in which snapshots, runs, segments, labels and schedules are kept, each row of one workspace."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from engines.columns import CUSTOMER_ID, DICTIONARY, SEGMENT_KEY


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in Python, kept as UTC without a zone so that both databases hold and order the same thing."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC, without its zone.

        Raises:
            ValueError: a moment without a time zone, which could mean anything.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; the store's clock must give aware moments.")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment with its zone."""
        return None if value is None else value.replace(tzinfo=UTC)


class Json(TypeDecorator[Any]):
    """JSON that can also be written into a statement as it stands, which SQLAlchemy's own cannot."""

    impl = JSON
    cache_ok = True

    def process_literal_param(self, value: Any, dialect: Dialect) -> str:
        """The quoted JSON text."""
        quoted: Any = Text().literal_processor(dialect)  # type: ignore[no-untyped-call]
        return str(quoted(json.dumps(value, allow_nan=False)))


class Base(DeclarativeBase):
    """What all tables share: plain types, and constraint names that every database and migration agrees on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own form
        str: Text,
        float: Double,
        bytes: LargeBinary,
        date: Date,
        datetime: UtcDateTime,
        dict[str, Any]: Json,
        list[Any]: Json,
    }


# AUTOINCREMENT keeps SQLite from giving a deleted snapshot's or run's number to a new one: whatever is derived from a
# run may be cached by its number.
NEVER_REUSED = {"sqlite_autoincrement": True}


class WorkspaceRow(Base):
    """A workspace: whose things these are."""

    __tablename__ = "workspaces"
    __table_args__ = NEVER_REUSED

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class SnapshotRow(Base):
    """A snapshot: which customers, as of when, made how. ``layout`` says how its customer table looked."""

    __tablename__ = "snapshots"
    __table_args__ = (
        UniqueConstraint(
            "workspace_id", "dataset", "fingerprint", "as_of", "settings_digest", name="uq_snapshots_identity"
        ),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    dataset: Mapped[str]
    source: Mapped[str]
    fingerprint: Mapped[str]
    as_of: Mapped[date]
    settings: Mapped[dict[str, Any]]
    settings_digest: Mapped[str]
    ledger: Mapped[dict[str, Any]]
    info: Mapped[dict[str, Any]]
    layout: Mapped[dict[str, Any]]
    customers: Mapped[int]
    created_at: Mapped[datetime]


class OrderHistoryRow(Base):
    """The orders of some thousand customers as a Parquet file.

    ``first_customer`` is the id of the first of them as UTF-8: bytes are in code point order on every database.
    """

    __tablename__ = "order_histories"

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.id", ondelete="CASCADE"), primary_key=True)
    first_customer: Mapped[bytes] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    data: Mapped[bytes]


class RunRow(Base):
    """A run, which is also a job: the queued ones are the queue, a running one is leased to whoever works on it."""

    __tablename__ = "runs"
    __table_args__ = (Index("ix_runs_queue", "workspace_id", "state", "id"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.id"), index=True)
    engine: Mapped[str]
    settings: Mapped[dict[str, Any]]
    state: Mapped[str]
    worker: Mapped[str | None]  # who has the lease, or had it last
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int]
    stage: Mapped[str | None]
    progress: Mapped[float | None]  # 0 to 1
    error: Mapped[str | None]
    metrics: Mapped[dict[str, Any]]
    notes: Mapped[list[Any]]
    info: Mapped[dict[str, Any]]
    fitted_on: Mapped[int | None]
    seconds: Mapped[float | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    started_via: Mapped[str | None]  # where it was asked for
    started_by: Mapped[str | None]  # by whom, where that is known


class LogRow(Base):
    """A line that a worker wrote about a run."""

    __tablename__ = "run_log"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    at: Mapped[datetime]
    text: Mapped[str]


class SegmentRow(Base):
    """A named segment of a finished run, with its figures; ``position`` keeps the order the engine gave them in."""

    __tablename__ = "segments"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    position: Mapped[int]
    name: Mapped[str]
    action: Mapped[str]
    colour: Mapped[str]
    customers: Mapped[int]
    # means and shares can be unknown (no revenue at all, no CLV)
    revenue_share: Mapped[float | None]
    recency: Mapped[float | None]
    frequency: Mapped[float | None]
    monetary: Mapped[float | None]
    clv: Mapped[float | None]


class SegmentEditRow(Base):
    """What people changed by hand about a segment of a finished run; what is None is as the run has it."""

    __tablename__ = "segment_edits"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str | None]
    action: Mapped[str | None]
    colour: Mapped[str | None]
    pinned: Mapped[bool]
    revision: Mapped[int]  # 1 for the first edit
    edited_at: Mapped[datetime]


class ModelRow(Base):
    """The fitted model of a finished run, apart from the run so that listing runs reads none of them."""

    __tablename__ = "run_models"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    model: Mapped[bytes]


class DriftRow(Base):
    """One point of a run's ARI timeline."""

    __tablename__ = "drift_points"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    as_of: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    customers: Mapped[int]
    ari: Mapped[float | None]
    alert: Mapped[bool]
    noise_low: Mapped[float | None]
    moved_share: Mapped[float | None]
    more: Mapped[dict[str, Any] | None]  # whatever else is known of the point


class ScheduleRow(Base):
    """A source that is refreshed on time; while somebody works on a due time, the row is leased to that claim."""

    __tablename__ = "schedules"
    __table_args__ = (Index("ix_schedules_due", "workspace_id", "next_due"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    source: Mapped[str]
    cron: Mapped[str]
    time_zone: Mapped[str]
    job: Mapped[dict[str, Any]]
    next_due: Mapped[datetime]
    paused: Mapped[bool]
    attempt: Mapped[int]  # of the next due time; 0 before anybody has claimed it
    claim: Mapped[int]  # counts all claims, so that one can be told from another
    claimed_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_due: Mapped[datetime | None]
    last_finished_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    last_runs: Mapped[list[Any]]


# --- the two big tables: millions of rows, written and read as Arrow -------------------------------------------------
# They have no foreign keys: checking one per row made PostgreSQL's ingest a third slower. Both are only ever written in
# the transaction that writes the row they belong to, and deleted in the one that deletes it.

_TYPES = {"text": Text, "date": DateTime, "flag": Boolean}

#: One row per customer of a snapshot, in the order of the saved table. ``id_folded`` is the id in lower case where that
#: differs, for searches; ``features`` holds whatever columns the dictionary does not know, as a JSON object.
customers = Table(
    "customers",
    Base.metadata,
    Column("workspace_id", Integer, nullable=False),
    Column("snapshot_id", Integer, primary_key=True, autoincrement=False),
    Column("row_no", Integer, primary_key=True, autoincrement=False),
    Column(CUSTOMER_ID, Text, nullable=False),
    Column("id_folded", Text),
    # Every number is a double: a count may be missing, and 2**53 orders are enough for anyone.
    *(Column(name, _TYPES.get(column.kind, Double)) for name, column in DICTIONARY.items() if name != CUSTOMER_ID),
    Column("features", Text),
)

#: One row per customer of a finished run: which segment the customer is in.
labels = Table(
    "labels",
    Base.metadata,
    Column("workspace_id", Integer, nullable=False),
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    Column("row_no", Integer, primary_key=True, autoincrement=False),
    Column(SEGMENT_KEY, Integer, nullable=False),
    sqlite_with_rowid=False,  # narrow rows, read by run in order: the key is the table
)
