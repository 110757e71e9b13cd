"""Keeps the runs that people are looking at in memory, ready to be filtered."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from dashboard.frames.columns import CustomerColumns
from dashboard.frames.run import RunFrame
from dashboard.memory import give_back
from engines.columns import columns_of
from storage import Store
from storage.contract import NotFoundError, Run


def require_finished(run: Run) -> Run:
    """The run, which is finished.

    Raises:
        NotFoundError: it is not, so that it has no customers yet, or never will.
    """
    if run.state != "done":
        raise NotFoundError(
            "Run {id} is {state}; only a finished run has customers in segments.", id=run.id, state=run.state
        )
    return run


class FrameCache:
    """The frames of the runs asked for last; safe to use from several threads.

    Of what a frame is made of only names, actions and pins change once a run is finished: the run's revision says when.
    """

    def __init__(self, store: Store, size: int = 32, customers: int = 3_000_000) -> None:
        """Keep at most ``size`` frames, of snapshots with together at most ``customers`` customers (or one larger)."""
        self._store = store
        self._size = size
        self._customers = customers
        self._frames: OrderedDict[int, RunFrame] = OrderedDict()
        self._lock = Lock()
        self._loading: dict[int, Lock] = {}

    def get(self, run_id: int) -> RunFrame:
        """The frame of a finished run.

        Raises:
            NotFoundError: there is no such run, or it is not finished.
        """
        return self.of(self._store.run(run_id))

    def is_cached(self, run_id: int) -> bool:
        """Whether the frame of a run has been read already."""
        with self._lock:
            return run_id in self._frames

    def of(self, run: Run) -> RunFrame:
        """The frame of a run that was read from the store just now.

        Raises:
            NotFoundError: it is not finished, or was deleted meanwhile.
        """
        frame = self._cached(require_finished(run))
        if frame is not None:
            return frame
        with self._lock:
            loading = self._loading.setdefault(run.snapshot_id, Lock())
        with loading:  # the second one who asks waits for the first instead of reading it all again
            frame = self._cached(run)
            if frame is None:
                frame = self._read(run)
                self._add(frame)
                give_back()
        return frame

    def _cached(self, run: Run) -> RunFrame | None:
        with self._lock:
            frame = self._frames.get(run.id)
            if frame is None or frame.run.created_at != run.created_at:  # an id may come again after a run is deleted
                return None
            if frame.run.revision != run.revision:
                if [item.keys for item in frame.segments] != [item.keys for item in run.segments]:
                    return None  # some are treated as one now, or no longer
                frame = self._frames[run.id] = frame.renamed(run)
            self._frames.move_to_end(run.id)
            return frame

    def _add(self, frame: RunFrame) -> None:
        with self._lock:
            self._frames[frame.run.id] = frame
            self._frames.move_to_end(frame.run.id)
            while len(self._frames) > 1 and (len(self._frames) > self._size or self._size_now() > self._customers):
                self._frames.popitem(last=False)

    def _size_now(self) -> int:
        """How many customers the frames hold; runs of one snapshot share them."""
        return sum({id(frame.customers): len(frame) for frame in self._frames.values()}.values())

    def _read(self, run: Run) -> RunFrame:
        snapshot = self._store.snapshot(run.snapshot_id)
        with self._lock:
            same = [
                frame
                for frame in self._frames.values()
                if frame.snapshot.id == snapshot.id and frame.snapshot.created_at == snapshot.created_at
            ]
        if same:
            customers = same[0].customers
        else:
            more = columns_of(snapshot.info.get("columns", ()))
            customers = CustomerColumns.from_table(self._store.snapshot_customers(snapshot.id), more)
        return RunFrame.make(run, snapshot, customers, self._store.labels(run.id).to_numpy())
