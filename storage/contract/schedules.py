"""What a schedule is and what a store owes for it: each due time is started once, however many workers watch.

When a schedule is due next is worked out by the caller (a store knows no calendars) and kept here. A due time is
claimed under a lease, like a run: a worker that dies leaves a claim that another one takes over when the lease is over.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
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

    ``next_due``: the earliest due time nobody has finished yet. ``attempt``: how often it was claimed. ``claim``: how
    often the schedule was claimed at all, which tells one claim from another. ``claimed_at``: when somebody began to
    work on it, None when nobody does. ``last_...``: of the due time finished last; ``last_error`` is None where it went
    well, and ``last_runs`` are the ids of its runs.
    """

    id: int = 0
    next_due: datetime | None = None
    paused: bool = False
    attempt: int = 0
    claim: int = 0
    claimed_at: datetime | None = None
    created_at: datetime | None = None
    last_due: datetime | None = None
    last_finished_at: datetime | None = None
    last_error: str | None = None
    last_runs: tuple[int, ...] = ()


class ScheduleStore(ABC):
    """The verbs about schedules, a part of :class:`~storage.contract.Store`."""

    @abstractmethod
    def add_schedule(self, new: NewSchedule, *, next_due: datetime) -> Schedule:
        """Keep a schedule, first due at ``next_due``."""

    @abstractmethod
    def schedules(self) -> list[Schedule]:
        """All schedules, the oldest first."""

    @abstractmethod
    def schedule(self, schedule_id: int) -> Schedule:
        """One schedule."""

    @abstractmethod
    def pause_schedule(self, schedule_id: int) -> Schedule:
        """Let a schedule rest: nobody can claim it any more. What is under way is finished."""

    @abstractmethod
    def resume_schedule(self, schedule_id: int, *, next_due: datetime) -> Schedule:
        """Let a paused schedule go on, due at ``next_due``; one that is not paused stays as it is."""

    @abstractmethod
    def remove_schedule(self, schedule_id: int) -> None:
        """Forget a schedule. The snapshots and runs it made stay."""

    @abstractmethod
    def claim_schedule(self, *, lease_seconds: float) -> Schedule | None:
        """The schedule that has been due for longest, now leased to the caller; None if none is due.

        However many ask at once, one of them gets it. It is due until :meth:`finish_schedule` says otherwise: a claim
        whose lease has expired is given to the next who asks, with ``attempt`` counted up.
        """

    @abstractmethod
    def renew_schedule(self, claimed: Schedule, *, lease_seconds: float) -> None:
        """Keep a claim for so long from now on.

        Raises:
            ChangedError: somebody else has taken the claim over, or it is finished.
            NotFoundError: the schedule is gone.
        """

    @abstractmethod
    def finish_schedule(
        self, claimed: Schedule, *, next_due: datetime, error: str | None = None, runs: Sequence[int] = ()
    ) -> Schedule:
        """Write down how a claimed due time went, and when the schedule is due next; the claim is given back.

        Raises:
            ChangedError: somebody else has taken the claim over, or it is finished.
            NotFoundError: the schedule is gone.
        """
