"""The values of a store: snapshots, runs, jobs, selections, and the errors that its verbs raise."""

from storage.contract.errors import ChangedError, LostError, NotFoundError, PublishedError, StoreError
from storage.contract.jobs import NOBODY, Job, LogLine, Starter, Way
from storage.contract.publications import Publication
from storage.contract.runs import Dependents, Run
from storage.contract.selection import Selection
from storage.contract.snapshots import NewSnapshot, Snapshot

__all__ = [
    "NOBODY",
    "ChangedError",
    "Dependents",
    "Job",
    "LogLine",
    "LostError",
    "NewSnapshot",
    "NotFoundError",
    "Publication",
    "PublishedError",
    "Run",
    "Selection",
    "Snapshot",
    "Starter",
    "StoreError",
    "Way",
]
