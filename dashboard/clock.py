"""The present moment, asked for in one place: it is kept with what is stored, and never part of a result."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)
