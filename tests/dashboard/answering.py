"""Jobs done as a worker does them, but in this process; tests/dashboard/worker has those of a worker."""

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
from storage.contract.jobs import REFRESH, RUN, UPLOAD

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


def worked(config: Config, store: Store) -> None:
    """Every refresh, upload and run that waits is done."""
    tasks = Tasks(config, silent, store)
    while job := store.claim_job((REFRESH, UPLOAD, RUN), lease_seconds=PATIENCE_SECONDS, worker="this process"):
        tasks.do(job)
