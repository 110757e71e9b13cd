"""What pages, API and worker are handed: settings, the store, and caches of what was read or worked out already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dashboard.cache import Cache
from dashboard.clock import now
from dashboard.config import Config
from dashboard.frames.cache import FrameCache
from storage import Store
from storage.contract import Run, Selection

_MOMENT = 2.0  # seconds: a name that somebody else has given just now can wait so long
_WHILE = 30.0  # seconds: of runs of other dates
_MINUTE = 60.0  # packages are seldom installed


@dataclass(frozen=True)
class Services:
    """Made once per process by ``create_app``; nothing else is shared between requests.

    Each cache is filled by one module, named above it. A run's key has its moment of creation or its revision where
    the cache outlives an edit: an id may come again after a run is deleted.
    """

    config: Config
    store: Store
    frames: FrameCache
    clock: Callable[[], datetime] = now

    # queries.recent: runs by id, the finished ones of a snapshot, and those of the same series; titles of engines
    runs: Cache[int, Run] = field(default_factory=lambda: Cache(seconds=_MOMENT))
    finished: Cache[int, list[Run]] = field(default_factory=lambda: Cache(seconds=_MOMENT))
    earlier: Cache[int, list[Run]] = field(default_factory=lambda: Cache(seconds=_WHILE))
    other_rules: Cache[int, list[Run]] = field(default_factory=lambda: Cache(seconds=_WHILE))
    per_date: Cache[int, list[Run]] = field(default_factory=lambda: Cache(seconds=_WHILE))
    titles: Cache[None, dict[str, str]] = field(default_factory=lambda: Cache(1, _MINUTE))
    # queries.audiences: how many customers a selection means in a run, with what the run does not have of it
    sizes: Cache[tuple[int, datetime, int, Selection], tuple[int | None, tuple[str, ...]]] = field(
        default_factory=lambda: Cache(4096)
    )
    # pages.segments: sums, and parts of the page that are the same for all who ask
    answers: Cache[tuple[Any, ...], tuple[Any, dict[str, Any]]] = field(default_factory=lambda: Cache(32))
