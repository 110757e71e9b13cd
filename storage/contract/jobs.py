"""Jobs: work that any worker may claim under a lease, of whatever kind, and who asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

#: The kinds of jobs that belong to a run, an upload, a schedule or an alert, whose number is the job's ``subject``.
#: Other kinds need no declaration.
RUN, UPLOAD, REFRESH, DELIVERY = "run", "upload", "refresh", "delivery"

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
#: A job that was lost with its worker is tried once more, then given up.
MAX_ATTEMPTS = 2

#: Where a job was asked for.
Way = Literal["page", "api", "command line", "schedule", "upload"]


@dataclass(frozen=True)
class Starter:
    """Who asked for a job: where, and the user's or schedule's name where there is one."""

    way: Way | None = None
    name: str | None = None


#: Jobs from before anybody wrote it down.
NOBODY = Starter()


@dataclass(frozen=True)
class LogLine:
    """What a worker had to say of a job, and when."""

    at: datetime
    text: str


@dataclass(frozen=True)
class Job:
    """A piece of work: queued, running under somebody's lease, or over.

    ``subject``: the number of what it is about. ``request``, ``result``: JSON-ready; a result only where it is done.
    ``due_at``: nobody can claim it before. ``stage``, ``progress`` (0 to 1): what is being done, or was when it ended.
    ``attempts``: how often it was begun; ``max_attempts``: how often at most, None for without end. ``worker``: who
    works on it, or was the last to; ``lease_until``: when others may take it over, by the lease's own clock.
    ``error``: why it failed, or why it was put back. ``started_at``: when it was begun, the last time.
    """

    id: int
    kind: str
    subject: int | None
    state: JobState
    created_at: datetime
    request: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] | None = None
    starter: Starter = NOBODY
    due_at: datetime | None = None
    stage: str | None = None
    progress: float | None = None
    error: str | None = None
    attempts: int = 0
    max_attempts: int | None = MAX_ATTEMPTS
    worker: str | None = None
    lease_until: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
