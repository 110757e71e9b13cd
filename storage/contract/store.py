"""What a store owes: snapshots, runs, labels and drift points, each whole or absent, always of one workspace.

A store belongs to one workspace and sees nothing else. Implementers owe: every method is one transaction (or invisible
until it is complete); a finished run never changes; methods may be called from several threads and processes; what is
not there raises :class:`NotFoundError`. ``StoreContract`` in ``storage/testing.py`` runs over every implementation.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from pandas import DataFrame, Series
from pyarrow import RecordBatch, RecordBatchReader

from engines.contract import DriftPoint, LivePoint, NamedSegment, Predecessor, Segmentation
from storage.contract.audiences import DeskStore
from storage.contract.customer import CustomerStore
from storage.contract.exports import ExportStore
from storage.contract.queue import NOBODY, QueueStore, Starter
from storage.contract.schedules import ScheduleStore
from storage.contract.selection import Selection
from storage.contract.uploads import UploadStore
from storage.contract.watch import WatchStore

__all__ = [
    "ChangedError",
    "LostError",
    "NewSnapshot",
    "NotFoundError",
    "Run",
    "RunState",
    "Selection",
    "Snapshot",
    "Store",
    "StoreError",
]

RunState = Literal["queued", "running", "done", "failed", "cancelled"]


class NotFoundError(LookupError):
    """No such snapshot or run in this workspace."""


class LostError(ValueError):
    """A run is not, or no longer, the caller's to work on: it is finished, cancelled or another worker's."""


class ChangedError(RuntimeError):
    """Someone else has changed it in the meantime; the message says how it stands now."""


class StoreError(RuntimeError):
    """The database cannot be used; the message names it (without its password) and the remedy."""


@dataclass(frozen=True)
class NewSnapshot:
    """A snapshot to be saved; equal ``identity()`` means the same snapshot.

    ``dataset``: the data set's name. ``source``: what the user named (a file's name, never a URL with a secret).
    ``fingerprint``: of the content. ``settings``: what else its customers depend on (mapping, rules, horizon...).
    ``ledger``: JSON-ready, see the data dictionary. ``info``: JSON-ready facts for pages (currency, has_country,
    synthetic, value model and its notes...).
    """

    dataset: str
    source: str
    fingerprint: str
    as_of: date
    settings: Mapping[str, Any]
    ledger: Mapping[str, Any]
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot(NewSnapshot):
    """A saved snapshot."""

    id: int = 0
    customers: int = 0
    created_at: datetime | None = None


@dataclass(frozen=True)
class Run:
    """One engine on one snapshot: queued, running, or finished for good."""

    id: int
    snapshot_id: int
    dataset: str
    as_of: date
    engine: str
    settings: Mapping[str, Any]
    state: RunState
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


class Store(QueueStore, ScheduleStore, UploadStore, DeskStore, ExportStore, CustomerStore, WatchStore):
    """Snapshots, runs and labels of one workspace. See the module for what every implementer owes."""

    # --- snapshots
    @abstractmethod
    def find_snapshot(self, new: NewSnapshot) -> Snapshot | None:
        """The snapshot with the same data set, fingerprint, as_of and settings, if there is one."""

    @abstractmethod
    def save_snapshot(
        self,
        new: NewSnapshot,
        customers: DataFrame,
        receipts: Mapping[str, Mapping[str, Any]] = {},
        orders: Iterable[RecordBatch] = (),
    ) -> Snapshot:
        """Keep a snapshot with its customers (indexed by customer id); an equal one already kept is returned.

        ``receipts`` of checks of its value models, by name, are kept with it, as ``save_validation`` would, and so are
        ``orders``: ``customer_id`` and what :meth:`orders` gives back, by customer id in code point order. A snapshot
        never is there without them. They are asked for only where the snapshot is new.
        """

    @abstractmethod
    def snapshots(self) -> list[Snapshot]:
        """All snapshots, the newest first."""

    @abstractmethod
    def snapshot(self, snapshot_id: int) -> Snapshot:
        """One snapshot."""

    @abstractmethod
    def snapshot_customers(self, snapshot_id: int) -> DataFrame:
        """The customers as they were saved: same index, order, columns and values."""

    @abstractmethod
    def snapshot_columns(self, snapshot_id: int) -> dict[str, bool]:
        """The columns of its customers in order, without reading those: by name, whether it holds numbers."""

    @abstractmethod
    def delete_snapshot(self, snapshot_id: int, *, idle: bool = False) -> None:
        """Delete a snapshot with its customers, runs, labels and drift points.

        Raises:
            ChangedError: with ``idle``, if a run of it is queued or running; nothing is deleted then.
        """

    # --- runs that are finished, and any (the queue's verbs stand in storage/queued.py)
    @abstractmethod
    def finish_run(
        self,
        run_id: int,
        result: Segmentation,
        *,
        seconds: float,
        info: Mapping[str, Any],
        model: bytes | None = None,
        drift: Sequence[DriftPoint] = (),
        live: LivePoint | None = None,
        worker: str | None = None,
    ) -> Run:
        """Store segments, metrics, drift points and one label for every customer of the snapshot, and mark it done.

        All of it, or nothing. Where the latest drift point or ``live`` (the run against the one before it) is an alert,
        an alert is raised with the run. ``model`` is the fitted model as ``engines.persistence.models`` writes it, of
        at most ``MODEL_LIMIT`` bytes; ``worker`` is who claimed the run.

        Raises:
            LostError: the run is finished already, cancelled, or another worker's by now.
        """

    @abstractmethod
    def runs(
        self,
        *,
        snapshot_id: int | None = None,
        dataset: str | None = None,
        engine: str | None = None,
        state: RunState | None = None,
    ) -> list[Run]:
        """Runs, the newest first: all, or those of a snapshot, a data set and an engine, and in a state."""

    @abstractmethod
    def run(self, run_id: int) -> Run:
        """One run."""

    @abstractmethod
    def predecessor(self, dataset: str, engine: str) -> Predecessor | None:
        """The latest finished run of a data set and engine, as something to align to."""

    @abstractmethod
    def edit_segment(
        self,
        run_id: int,
        key: int,
        *,
        revision: int,
        name: str | None = None,
        action: str | None = None,
        colour: str | None = None,
        pinned: bool | None = None,
    ) -> Run:
        """Give a segment of a finished run a name, an action and a colour by hand, and pin it or not.

        The run itself stays as it is; its segments, streams and what follows it (:meth:`predecessor`) show the edit.
        What is None stays; an empty text goes back to what the run itself has. Names are unique within a run, whatever
        their case. ``revision`` is that of the segment as the caller saw it.

        Raises:
            ChangedError: the segment has another revision by now.
            InputError: a name another segment has, or a text that is too long or has characters nobody can see.
            NotFoundError: no such run or segment, or the run is not finished.
        """

    @abstractmethod
    def labels(self, run_id: int) -> Series:
        """Segment keys (int64) indexed by customer id, in the order of the snapshot, of a finished run."""

    @abstractmethod
    def model(self, run_id: int) -> bytes | None:
        """The fitted model of a run, None where none was kept.

        Raises:
            InputError: there are more than ``MODEL_LIMIT`` bytes of it, so that no store wrote it; they are not read.
        """

    @abstractmethod
    def delete_run(self, run_id: int) -> None:
        """Delete a run with its labels, model and drift points."""

    # --- customers of a run
    @abstractmethod
    def count(self, run_id: int, selection: Selection) -> int:
        """How many customers of a finished run meet a selection."""

    @abstractmethod
    def stream(
        self, run_id: int, selection: Selection, columns: Sequence[str] | None = None, *, batch_size: int = 65_536
    ) -> RecordBatchReader:
        """The customers that meet a selection, by customer id (in code point order), in batches.

        Columns: ``customer_id``, ``segment`` (its name), then the customer columns of the snapshot, or those named.
        """

    # --- drift
    @abstractmethod
    def save_drift(self, run_id: int, points: Sequence[DriftPoint]) -> None:
        """Replace the drift points of a run."""

    @abstractmethod
    def drift(self, run_id: int) -> list[DriftPoint]:
        """The drift points of a run, the oldest first."""

    @abstractmethod
    def close(self) -> None:
        """Give back what the store holds open."""
