"""Schedules: sources that are refreshed on time.

When a schedule is due next is worked out by the caller (a store knows no calendars) and kept here. Each due time is a
job of the kind ``refresh``, so that it is started once, however many workers watch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class NewSchedule:
    """A schedule to be kept.

    ``source``: what is read, never with a secret. ``job``: JSON-ready, what else the run is asked for (engines, k...).
    ``cron``: five fields. ``time_zone``: the IANA name of the zone in which ``cron`` is meant.
    """

    source: str
    cron: str
    time_zone: str
    job: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Schedule(NewSchedule):
    """A kept schedule.

    ``next_due``: the earliest due time nobody has finished yet. ``claimed_at``: when somebody began to work on it, None
    when nobody does. ``last_...``: of the due time finished last; ``last_error`` is None where it went well, and
    ``last_runs`` are the ids of its runs, in the order its engines were asked for. ``last_note``: what became of its
    publishing, where the schedule publishes.
    """

    id: int = 0
    next_due: datetime | None = None
    paused: bool = False
    claimed_at: datetime | None = None
    created_at: datetime | None = None
    last_due: datetime | None = None
    last_finished_at: datetime | None = None
    last_error: str | None = None
    last_runs: tuple[int, ...] = ()
    last_note: str | None = None
