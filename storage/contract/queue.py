"""What a store owes as the queue of work: runs claimed under a lease, renewed, released, cancelled, failed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from storage.contract.store import Run

#: Where a run was asked for.
Way = Literal["page", "api", "command line", "schedule", "upload"]


@dataclass(frozen=True)
class Starter:
    """Who started a run: where it was asked for, and the user's or schedule's name where there is one."""

    way: Way | None = None
    name: str | None = None


#: Runs from before anybody wrote it down.
NOBODY = Starter()


@dataclass(frozen=True)
class LogLine:
    """What a worker had to say of a run, and when."""

    at: datetime
    text: str


@dataclass(frozen=True)
class Dependents:
    """What goes with a run when it is deleted, in numbers; ``exports`` is what stays on record."""

    labels: int
    drift_points: int
    edited_segments: int
    alerts: int
    exports: int


class QueueStore(ABC):
    """The verbs about runs that are not finished yet; they are part of :class:`~storage.contract.Store`."""

    @abstractmethod
    def queue_run(
        self,
        snapshot_id: int,
        engine: str,
        settings: Mapping[str, Any],
        *,
        info: Mapping[str, Any] = {},
        starter: Starter = NOBODY,
    ) -> Run:
        """A run that a worker will claim; ``info`` is for that worker, and gives way to that of the finished run."""

    @abstractmethod
    def start_run(
        self,
        snapshot_id: int,
        engine: str,
        settings: Mapping[str, Any],
        *,
        lease_seconds: float,
        starter: Starter = NOBODY,
    ) -> Run:
        """A run that the caller works on itself, at once."""

    @abstractmethod
    def settle_run(
        self,
        run_id: int,
        worker: str | None,
        *,
        snapshot_id: int,
        settings: Mapping[str, Any],
        info: Mapping[str, Any] = {},
    ) -> Run:
        """Say of a running run what was left to its worker to find out: its snapshot, its settings.

        Raises:
            LostError: the run is not, or no longer, the worker's.
            NotFoundError: no such run or snapshot.
        """

    @abstractmethod
    def log_run(self, run_id: int, worker: str | None, lines: Sequence[LogLine]) -> None:
        """Add lines to the log of a run, in their order; those of a worker that has it no more are dropped."""

    @abstractmethod
    def run_log(self, run_id: int) -> list[LogLine]:
        """What the workers of a run had to say, the oldest line first."""

    @abstractmethod
    def dependents(self, run_id: int) -> Dependents:
        """What would go with a run if it were deleted now."""

    @abstractmethod
    def claim_run(self, *, lease_seconds: float, worker: str | None = None) -> Run | None:
        """The oldest queued run (or one whose lease has expired), now leased to the caller; None if none.

        A run that was lost with its worker is given out once more; after that it is failed, with the reason.
        ``worker`` is a name that no other has; :meth:`renew`, :meth:`finish_run`, :meth:`fail_run` and
        :meth:`release_run` take it from the holder of the lease alone. Leases are measured by the database server's
        clock where there is one, so that the clocks of several hosts need not agree.
        """

    @abstractmethod
    def renew(
        self,
        run_id: int,
        worker: str | None,
        *,
        lease_seconds: float,
        stage: str | None = None,
        progress: float | None = None,
    ) -> bool:
        """Heartbeat, progress and cancel in one: renew the lease and say how far the run is (0 to 1).

        False when the run is not the worker's any more: cancelled, taken over, finished or deleted. Then let it be.
        """

    @abstractmethod
    def release_run(self, run_id: int, worker: str | None, *, reason: str = "") -> Run:
        """Put a run that was not finished back into the queue; one that is not the worker's stays as it is.

        With a reason it was lost to something, which counts as an attempt: after the last one it is failed with that
        reason. Without one, the worker merely has to stop.
        """

    @abstractmethod
    def cancel_run(self, run_id: int) -> Run:
        """Cancel a run for good, queued or running; its worker is told when it renews its lease.

        Raises:
            InputError: the run is done or failed already.
        """

    @abstractmethod
    def fail_run(self, run_id: int, error: str, *, worker: str | None = None) -> Run:
        """Mark a run failed, with a reason people can read; ``worker`` is who claimed it.

        Raises:
            LostError: the run is finished already, cancelled, or another worker's by now.
        """
