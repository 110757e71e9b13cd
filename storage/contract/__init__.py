"""What callers of a store see: snapshots, runs, queued work, audiences, exports, and the errors of a store."""

from storage.contract.store import (
    ChangedError,
    LostError,
    NewSnapshot,
    NotFoundError,
    Run,
    RunState,
    Selection,
    Snapshot,
    Store,
    StoreError,
)

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
