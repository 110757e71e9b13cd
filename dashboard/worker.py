"""The worker: takes queued runs from the store, one after another, until it is told to stop."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from dashboard.config import Config
from dashboard.runner import work
from storage.contract import Run, Store

POLL_SECONDS = 1.0


def run_worker(config: Config, store: Store, stop: threading.Event, *, drain: bool = False) -> list[Run]:
    """Work on queued runs until ``stop`` is set, or with ``drain`` until none is queued; the runs worked on."""
    worked: list[Run] = []
    while not stop.is_set():
        run = store.claim_run(lease_seconds=config.worker.lease_seconds)
        if run is not None:
            worked.append(work(run, config, store))
        elif drain:
            break
        else:
            stop.wait(POLL_SECONDS)
    return worked


def stop_on_signals() -> threading.Event:
    """An event that is set by SIGTERM or Ctrl-C; the run in hand is finished first."""
    stop = threading.Event()

    def stop_now(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, stop_now)
    signal.signal(signal.SIGINT, stop_now)
    return stop
