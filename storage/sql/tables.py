"""All tables of the store; each row is of one workspace."""

from __future__ import annotations

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
from storage.sql.messages import MessageText, Said, written_json


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
        return str(quoted(written_json(value)))


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
        Said: MessageText,
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
    """A workspace: whose things these are. ``folder``: its part of the object store, which nobody else ever has."""

    __tablename__ = "workspaces"
    __table_args__ = NEVER_REUSED

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    folder: Mapped[str] = mapped_column(nullable=True)  # added by a step: never null


class ObjectRow(Base):
    """A file in the object store, by its content: whoever holds its row may refer to it, or delete it."""

    __tablename__ = "objects"

    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[float]  # a double, as of uploads
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
    sales_digest: Mapped[str | None]  # of an object
    rules: Mapped[int] = mapped_column(server_default="1")


class ValidationRow(Base):
    """The receipt of a check of a snapshot's value models, one of each name."""

    __tablename__ = "validations"

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    receipt: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class JobRow(Base):
    """A job of any kind: queued, leased to whoever works on it, or over. ``subject`` is a number of its kind."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_waiting", "workspace_id", "state", "kind"),
        Index("ix_jobs_subject", "workspace_id", "kind", "subject"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    kind: Mapped[str]
    subject: Mapped[int | None]
    state: Mapped[str]
    request: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any] | None]
    error: Mapped[Said | None]
    stage: Mapped[Said | None]
    progress: Mapped[float | None]  # 0 to 1
    attempts: Mapped[int]
    max_attempts: Mapped[int | None]
    worker: Mapped[str | None]  # who has the lease, or had it last
    lease_until: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    started_via: Mapped[str | None]  # where it was asked for
    started_by: Mapped[str | None]  # by whom, where that is known


class JobLogRow(Base):
    """A line that a worker wrote about a job."""

    __tablename__ = "job_log"

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    at: Mapped[datetime]
    text: Mapped[Said]


class RunRow(Base):
    """A run: an engine on a snapshot, and what came of it. How far it is stands with its job."""

    __tablename__ = "runs"
    __table_args__ = NEVER_REUSED

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.id"), index=True)
    engine: Mapped[str]
    settings: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any]]
    notes: Mapped[list[Any]]
    info: Mapped[dict[str, Any]]
    fitted_on: Mapped[int | None]
    seconds: Mapped[float | None]
    model_digest: Mapped[str | None]  # of an object
    asked_with: Mapped[int | None]  # the first run of the same request, which may be deleted: no foreign key
    note: Mapped[str | None]  # by hand, as the tags
    tags: Mapped[list[Any] | None]


class PublicationRow(Base):
    """A run that was published. Rows are only added: the latest one of a data set says what is published.

    The run may be deleted once another is published, so the run ids are numbers and no foreign keys.
    """

    __tablename__ = "publications"
    __table_args__ = (Index("ix_publications_latest", "workspace_id", "dataset", "id"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    dataset: Mapped[str]
    run_id: Mapped[int]
    previous_run_id: Mapped[int | None]
    engine: Mapped[str]
    as_of: Mapped[date]
    published_at: Mapped[datetime]
    published_by: Mapped[str | None]
    via: Mapped[str]
    why: Mapped[Said]
    checks: Mapped[list[Any]]
    kind: Mapped[str]


class SegmentRow(Base):
    """A named segment of a finished run, with its figures; ``position`` keeps the order the engine gave them in."""

    __tablename__ = "segments"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    position: Mapped[int]
    name: Mapped[str]
    identity: Mapped[str] = mapped_column(nullable=True)  # added by a step: never null
    action: Mapped[str]
    colour: Mapped[str]
    customers: Mapped[int]
    # means and shares can be unknown (no revenue at all, no CLV)
    revenue_share: Mapped[float | None]
    recency: Mapped[float | None]
    frequency: Mapped[float | None]
    monetary: Mapped[float | None]
    clv: Mapped[float | None]
    # what the playbook's conditions are checked on; unknown in runs of earlier versions
    facts: Mapped[dict[str, Any] | None]


class SegmentNameRow(Base):
    """What people say of a segment, for every date of a data set and engine; what is None is as each run has it."""

    __tablename__ = "segment_names"

    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    dataset: Mapped[str] = mapped_column(primary_key=True)
    engine: Mapped[str] = mapped_column(primary_key=True)
    identity: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    action: Mapped[str | None]
    colour: Mapped[str | None]
    pinned: Mapped[bool]
    merged_into: Mapped[str | None]  # the identity of the segment that it is treated as one with
    former: Mapped[list[Any]]  # names it was given by hand before
    revision: Mapped[int]  # 1 for the first edit
    edited_at: Mapped[datetime]


class ModelRow(Base):
    """The fitted model of a run from before models were objects."""

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
    """An alert. Its message is a job."""

    __tablename__ = "alerts"
    __table_args__ = (
        UniqueConstraint("run_id", "as_of"),
        Index("ix_alerts_open", "workspace_id", "acknowledged_at", "id"),
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
    cause: Mapped[str | None]


class ScheduleRow(Base):
    """A source that is refreshed on time. Its next due time is a job, unless it is paused."""

    __tablename__ = "schedules"
    __table_args__ = NEVER_REUSED

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    source: Mapped[str]
    cron: Mapped[str]
    time_zone: Mapped[str]
    job: Mapped[dict[str, Any]]
    next_due: Mapped[datetime]
    paused: Mapped[bool]
    created_at: Mapped[datetime]
    last_due: Mapped[datetime | None]
    last_finished_at: Mapped[datetime | None]
    last_error: Mapped[Said | None]
    last_runs: Mapped[list[Any]]
    last_note: Mapped[Said | None]


class UploadRow(Base):
    """A file that was received, and what came of it. What was last asked for is a job."""

    __tablename__ = "uploads"
    __table_args__ = NEVER_REUSED

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    file: Mapped[str]
    name: Mapped[str]
    size: Mapped[float]  # a double: SQLite and PostgreSQL agree on it, and 2**53 bytes are enough
    fingerprint: Mapped[str]
    found: Mapped[dict[str, Any]]
    snapshot_id: Mapped[int | None]  # no foreign key: the snapshot may be deleted later
    runs: Mapped[list[Any]]
    draft: Mapped[dict[str, Any] | None]  # what was filled in and not asked for yet
    created_at: Mapped[datetime]


class AudienceRow(Base):
    """A selection that was given a name, as the query string that describes it."""

    __tablename__ = "audiences"
    __table_args__ = (UniqueConstraint("workspace_id", "name"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str]
    selection: Mapped[str]
    pinned: Mapped[bool]
    created_at: Mapped[datetime]
    dataset: Mapped[str | None]  # whose runs it was made on; None: any
    engine: Mapped[str | None]


class ExportRow(Base):
    """A list that left the house. Its run may be deleted later, so ``run_id`` is a number and no foreign key."""

    __tablename__ = "exports"
    __table_args__ = (Index("ix_exports_latest", "workspace_id", "id"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    run_id: Mapped[int]
    selection: Mapped[str]
    format: Mapped[str]
    rows: Mapped[int]
    sha256: Mapped[str | None]
    user: Mapped[str | None]
    exported_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="complete")
    size: Mapped[float | None]  # a double, as of uploads
    columns: Mapped[list[Any] | None]
    control_share: Mapped[float | None]
    control_seed: Mapped[int | None]
    control_part: Mapped[str | None]
    dataset: Mapped[str | None]
    as_of: Mapped[date | None]
    engine: Mapped[str | None]
    about: Mapped[dict[str, Any] | None]


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
