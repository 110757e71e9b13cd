"""The tables around snapshots and runs: sources, validations, saved audiences, exports, users and API keys."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.sql.tables import NEVER_REUSED, Base
from storage.sql.watch_tables import AlertRow, LiveRow

__all__ = [
    "AlertRow", "ApiKeyRow", "AudienceRow", "Base", "ExportRow", "LiveRow", "SourceRow", "UserRow", "ValidationRow",
]  # fmt: skip


class SourceRow(Base):
    """What snapshots came from; ``snapshots.source`` is its name. ``mapping`` is the latest that was used."""

    __tablename__ = "sources"
    __table_args__ = (UniqueConstraint("workspace_id", "name"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str]
    kind: Mapped[str]
    mapping: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]


class ValidationRow(Base):
    """The receipt of a check of a snapshot's value models, one of each name."""

    __tablename__ = "validations"

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    receipt: Mapped[dict[str, Any]]
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


class UserRow(Base):
    """Someone who may sign in; of the password only a salted, slow hash is kept."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("workspace_id", "name"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str]
    password_hash: Mapped[str]
    created_at: Mapped[datetime]


class ApiKeyRow(Base):
    """A program that may call; of the key only a hash is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("workspace_id", "name"), UniqueConstraint("key_hash"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str]
    key_hash: Mapped[str]
    created_at: Mapped[datetime]
