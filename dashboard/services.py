"""What pages, API and worker are handed: settings, the store, and the frames read from it."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.config import Config
from dashboard.frames import FrameCache
from storage.contract import Store


@dataclass(frozen=True)
class Services:
    """Made once per process by ``create_app``; nothing else is shared between requests."""

    config: Config
    store: Store
    frames: FrameCache
