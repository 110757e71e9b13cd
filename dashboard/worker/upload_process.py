"""Working on an upload in a process of its own, which can be ended at any moment and takes nothing along."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import time
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from dashboard.clock import now
from dashboard.config import Config
from dashboard.worker.child import end_with_parent, ending
from storage import Store
from storage.contract import Job, LostError, NotFoundError, StoreError
from storage.contract.jobs import UPLOAD
from storage.contract.uploads import Upload

if TYPE_CHECKING:  # a worker that waits for something to do shall not hold all engines in memory
    from dashboard.pipeline.upload_task import UploadOutcome

_POLL_SECONDS = 0.2
_BEAT_SECONDS = 1.0


def read_upload(config: Config, store: Store, stop: threading.Event, *, worker: str | None = None) -> bool:
    """Do the task that was asked for first, if there is one; tells whether there was.

    Raises:
        StoreError: the database cannot be used.
    """
    job = store.claim_job([UPLOAD], lease_seconds=config.worker.lease_seconds, worker=worker)
    if job is None or job.subject is None:
        return False
    try:
        done = _seen_through(job, store.upload(job.subject), config, store, stop)
        if done is None:
            store.release_job(job.id, worker)
        elif done.error:
            store.fail_job(job.id, worker, done.error)
        else:
            store.finish_upload(job.id, worker, found=done.found, snapshot_id=done.snapshot_id, runs=done.runs)
    except (LostError, NotFoundError):  # cancelled, taken over or removed meanwhile: there is nothing to write
        return True
    return True


def _seen_through(
    job: Job, claimed: Upload, config: Config, store: Store, stop: threading.Event
) -> UploadOutcome | None:
    """What came of the task; None when the worker has to stop.

    Raises:
        LostError: it was cancelled, or is another worker's by now.
    """
    context = multiprocessing.get_context("spawn")
    outside, inside = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="segmentry-upload-", ignore_cleanup_errors=True) as folder:
        process = context.Process(target=_work, args=(claimed, config, folder, inside), name=f"upload {claimed.id}")
        process.start()
        inside.close()
        said: tuple[str | None, float | None] = (None, None)
        beat = 0.0
        try:
            while True:
                wait([outside, process.sentinel], _POLL_SECONDS)
                if stop.is_set():
                    return None
                try:
                    while outside.poll():
                        message = outside.recv()
                        if not isinstance(message, tuple):
                            answer: UploadOutcome = message
                            return answer
                        said = message
                except (EOFError, OSError):
                    process.join()
                if not process.is_alive():
                    return _lost(process.exitcode)
                if time.monotonic() >= beat:
                    _renew(job, config.worker.lease_seconds, store, said)
                    beat = time.monotonic() + min(config.worker.lease_seconds / 3, _BEAT_SECONDS)
        finally:
            process.kill()
            process.join()
            process.close()
            outside.close()


def _renew(job: Job, lease: float, store: Store, said: tuple[str | None, float | None]) -> None:
    try:
        mine = store.renew_job(job.id, job.worker, lease_seconds=lease, stage=said[0], progress=said[1])
    except StoreError:  # the database is away for a moment: the next beat may reach it
        return
    if not mine:
        raise LostError("Upload {subject} was cancelled, or taken over by another worker.", subject=job.subject)


def _lost(code: int | None) -> UploadOutcome:
    from dashboard.pipeline.upload_task import UploadOutcome

    return UploadOutcome(error=f"The process that read it ended unexpectedly ({ending(code)}).")


def _work(claimed: Upload, config: Config, folder: str, inside: Connection) -> None:
    """What the process does: the task, saying how far it is, and how it went."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the worker, which then ends this process
        signal.signal(number, signal.SIG_IGN)
    end_with_parent(lambda: (shutil.rmtree(folder, ignore_errors=True), os._exit(1)))
    tempfile.tempdir = folder  # so that what a killed process leaves behind is removed with it
    from dashboard.pipeline.upload_task import UploadOutcome, work_upload
    from storage import open_store

    try:
        store = open_store(config.database.url, clock=now, migrate=False)
        inside.send(work_upload(claimed, config, store, lambda *said: inside.send(said)))
        store.close()
    except StoreError as error:
        inside.send(UploadOutcome(error=error.message))
