"""What pages, API and worker are handed: settings, the store, and what was read from it or worked out already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dashboard.answer_cache import Kept
from dashboard.clock import now
from dashboard.config import Config
from dashboard.frames.cache import FrameCache
from engines.evaluation.migration import Migration
from engines.evaluation.selection import KSelection
from engines.value.validation.golden import Comparison
from storage.contract import Run, Store


@dataclass(frozen=True)
class Services:
    """Made once per process by ``create_app``; nothing else is shared between requests."""

    config: Config
    store: Store
    frames: FrameCache
    clock: Callable[[], datetime] = now
    evaluations: Kept[KSelection] = field(default_factory=Kept)
    golden: Kept[tuple[Comparison, ...]] = field(default_factory=Kept)
    migrations: Kept[Migration] = field(default_factory=lambda: Kept(8))
    runs: Kept[Run] = field(default_factory=Kept)  # runs as they were read a moment ago
    #: how many customers a selection means in a run, with what the run does not have of it
    sizes: Kept[tuple[int | None, tuple[str, ...]]] = field(default_factory=lambda: Kept(4096))
    finished: Kept[list[Run]] = field(default_factory=Kept)  # finished runs of a snapshot, as of a moment ago
    titles: Kept[dict[str, str]] = field(default_factory=lambda: Kept(2))  # of engines, as of a minute ago
    #: what the Segments page shows of a selection: sums, and parts that are the same for all who ask
    answers: Kept[tuple[Any, dict[str, Any]]] = field(default_factory=lambda: Kept(32))
    earlier: Kept[list[Run]] = field(default_factory=Kept)  # runs of the same series on earlier dates, for a while
