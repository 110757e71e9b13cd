"""Runs: one engine on one snapshot, with the segments that came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from engines.contract import NamedSegment
from engines.settings import RULES_VERSION
from storage.contract.jobs import NOBODY, JobState, Starter

#: The longest note of a run and the longest of its tags, in characters, and how many tags it has at most.
NOTE_LENGTH, TAG_LENGTH, MOST_TAGS = 500, 40, 12


@dataclass(frozen=True)
class Run:
    """One engine on one snapshot: queued, running, or finished for good. ``job_id`` is the job that computes it.

    ``rules``: the version of the rules that its snapshot was read by. ``asked_with``: the first of the runs that were
    asked for at once with it, in the order of their numbers; None for that one itself. ``note`` and ``tags`` are what
    people wrote of it by hand, at any time.
    """

    id: int
    snapshot_id: int
    dataset: str
    as_of: date
    engine: str
    settings: Mapping[str, Any]
    state: JobState
    created_at: datetime
    finished_at: datetime | None = None
    seconds: float | None = None
    error: str | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    segments: tuple[NamedSegment, ...] = ()
    fitted_on: int | None = None
    notes: tuple[str, ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict)  # JSON-ready: versions, diagnostics, artifacts
    stage: str | None = None  # what is being done, or was when it ended otherwise than done
    progress: float | None = None  # 0 to 1
    attempts: int = 0  # how often it was begun
    worker: str | None = None  # who works on it, or was the last to
    lease_until: datetime | None = None  # of a running one: when others may take it over, by the lease's own clock
    started_at: datetime | None = None  # when it was begun, the last time
    starter: Starter = NOBODY
    job_id: int = 0
    rules: int = RULES_VERSION
    asked_with: int | None = None
    note: str = ""
    tags: tuple[str, ...] = ()

    @property
    def k(self) -> int | None:
        """The engine's ``k`` setting, where it has one."""
        return self.settings.get("k")

    @property
    def seed(self) -> int | None:
        """The engine's ``seed`` setting, where it has one."""
        return self.settings.get("seed")

    @property
    def revision(self) -> int:
        """How often its segments were edited by hand: what is derived from a run holds for one revision of it."""
        return sum(segment.revision for segment in self.segments)


@dataclass(frozen=True)
class Dependents:
    """What goes with a run when it is deleted, in numbers; ``exports`` is what stays on record.

    ``edited_segments`` is 0: names that people give segments are those of the data set and engine, and stay.
    """

    labels: int
    drift_points: int
    edited_segments: int
    alerts: int
    exports: int
