"""Answers questions as a worker does, in a thread of this process, and lets pages wait for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dashboard.components import computing
from dashboard.config import Config
from dashboard.pipeline.answers import KINDS
from dashboard.pipeline.sales import silent
from dashboard.worker.tasks import Tasks
from storage import Store

PATIENCE_SECONDS = 60.0


@contextmanager
def answering(config: Config, store: Store) -> Iterator[None]:
    """Whatever is asked is answered until the end of the ``with`` statement; pages wait for it."""
    over = threading.Event()

    def answer() -> None:
        tasks = Tasks(config, silent, store)
        while not over.wait(0.01):
            if job := store.claim_job(KINDS, lease_seconds=PATIENCE_SECONDS, worker="answering"):
                tasks.do(job)

    thread = threading.Thread(target=answer, name="answering")
    thread.start()
    waited, computing.FIRST_WAIT = computing.FIRST_WAIT, PATIENCE_SECONDS
    try:
        yield
    finally:
        over.set()
        thread.join()
        computing.FIRST_WAIT = waited
