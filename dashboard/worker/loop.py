"""The worker: takes queued runs from the store, one after another, until it is told to stop.

A run is computed in a process of its own, which can be ended in the middle of a long fit: when the run is cancelled or
was lost to another worker, and when the worker has to stop. The worker itself only keeps the lease and passes progress
on. It says once a second, and at least every third of the lease, that it is alive; as often it hears of a cancellation.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from types import FrameType
from uuid import uuid4

from dashboard.clock import now
from dashboard.config import Config
from dashboard.i18n.texts import noted
from dashboard.pipeline.uploads import sweep
from dashboard.worker.alerts import send_due
from dashboard.worker.child import Bench, end_with_parent
from dashboard.worker.refreshing import apart
from dashboard.worker.schedules import run_due
from dashboard.worker.upload_process import read_upload
from storage import Store
from storage.contract import LogLine, NotFoundError, Run, StoreError
from storage.contract.jobs import RUN

POLL_SECONDS = 0.5
BEAT_SECONDS = 1.0
SWEEP_SECONDS = 3600.0  # between two looks for old uploads
RETRY_SECONDS = 5.0  # after the database could not be reached
PUT_BACK = noted("Put back into the queue: its worker had to stop.")

Tell = Callable[[str], None]


def nobody(line: str) -> None:
    """Nobody is told."""


def run_worker(
    config: Config, store: Store, stop: threading.Event, *, drain: bool = False, tell: Tell = nobody
) -> list[Run]:
    """Work on queued runs until ``stop`` is set, or with ``drain`` until nothing is left to do; the runs worked on.

    Left to do are queued runs, and running ones whose worker gives no sign of life: their lease is waited for, then
    they are taken over. A run whose worker renews its lease is that worker's.

    Raises:
        StoreError: the database cannot be used, while draining; otherwise it is tried again.
    """
    name = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
    worked: list[Run] = []
    leases: dict[int, object] = {}
    swept = -SWEEP_SECONDS
    lease = config.worker.lease_seconds
    with Bench(config) as bench:
        while not stop.is_set():
            try:
                run_due(config, store, apart(stop), worker=name)
                send_due(config, store, now(), worker=name)
                if time.monotonic() - swept >= SWEEP_SECONDS:
                    sweep(config, store, now())
                    swept = time.monotonic()
                if read_upload(config, store, stop, worker=name):
                    continue
                run = _claimed(store, name, lease)
                if run is not None:
                    tell(f"Run {run.id} ({run.engine}) is begun")
                    ended = _see_through(run, name, config, store, bench, stop)
                    if ended is not None:
                        worked.append(ended)
                        why = f": {ended.error}" if ended.error else ""
                        tell(f"Run {ended.id} ({ended.engine}) is {ended.state}{why}")
                    continue
                bench.clear()
                if drain and not _silent(store, leases):
                    break
            except StoreError as error:
                if drain:
                    raise
                tell(f"{error} Trying again in {RETRY_SECONDS:.0f} s.")
                bench.clear()
                stop.wait(RETRY_SECONDS)
                continue
            stop.wait(POLL_SECONDS)
    return worked


def _claimed(store: Store, worker: str, lease_seconds: float) -> Run | None:
    job = store.claim_job([RUN], lease_seconds=lease_seconds, worker=worker)
    try:
        return None if job is None or job.subject is None else store.run(job.subject)
    except NotFoundError:  # deleted in this moment
        return None


def _silent(store: Store, leases: dict[int, object]) -> bool:
    """Whether a run is under way whose lease nobody has renewed since it was first seen here."""
    running = store.runs(state="running")
    return any(leases.setdefault(run.id, run.lease_until) == run.lease_until for run in running)


def _see_through(
    run: Run, worker: str, config: Config, store: Store, bench: Bench, stop: threading.Event
) -> Run | None:
    """The run as it stands when it is finished, failed, cancelled, lost or put back; None if it was deleted."""
    lease = config.worker.lease_seconds
    bench.begin(run, worker)
    mine, beat = True, 0.0
    try:
        while (answer := bench.answer(timeout=min(lease / 3, BEAT_SECONDS) / 2)) is None:
            if stop.is_set():
                bench.clear()
                store.log_job(run.job_id, worker, [*bench.said, LogLine(now(), PUT_BACK)])
                store.release_job(run.job_id, worker)
                return store.run(run.id)
            if mine and time.monotonic() >= beat:
                mine = _renewed(run, worker, lease, store, bench)
                beat = time.monotonic() + min(lease / 3, BEAT_SECONDS)
                if not mine and store.run(run.id).state not in ("done", "failed"):
                    bench.clear()  # cancelled, or another worker's
                    return store.run(run.id)
        store.log_job(run.job_id, worker, bench.said)
        if answer.lost:
            store.release_job(run.job_id, worker, reason=answer.lost)
        return store.run(run.id)
    except NotFoundError:
        bench.clear()
        return None


def _renewed(run: Run, worker: str, lease: float, store: Store, bench: Bench) -> bool:
    """Whether the run is still this worker's; a database that cannot be reached just now has not said otherwise."""
    try:
        if bench.said:
            store.log_job(run.job_id, worker, bench.said)
            bench.said = []
        return store.renew_job(run.job_id, worker, lease_seconds=lease, stage=bench.stage, progress=bench.progress)
    except StoreError:
        return True


def stop_on_signals() -> threading.Event:
    """An event that is set by SIGTERM or Ctrl-C; the run in hand is then put back into the queue."""
    stop = threading.Event()

    def stop_now(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, stop_now)
    signal.signal(signal.SIGINT, stop_now)
    return stop


# --- beside a server --------------------------------------------------------------------------------------------------


@contextmanager
def worker_beside(config: Config) -> Iterator[None]:
    """A worker in a process of its own for as long as the context lasts, begun again if it should ever end early."""
    closing = threading.Event()
    process = _started(config)

    def watch() -> None:
        nonlocal process
        while True:
            process.join()
            if closing.wait(RETRY_SECONDS):
                return
            process = _started(config)
            if closing.is_set():
                process.terminate()

    watcher = threading.Thread(target=watch, name="watches the worker", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        closing.set()
        process.terminate()
        watcher.join(RETRY_SECONDS)
        process.kill()


def _started(config: Config) -> BaseProcess:
    process = get_context("spawn").Process(target=_beside, args=(config,), name="segmentry worker")
    process.start()
    return process


def _beside(config: Config) -> None:
    from storage import open_store

    stop = stop_on_signals()
    end_with_parent(stop.set)
    store = open_store(config.database.url, clock=now, migrate=False)
    try:
        run_worker(config, store, stop)
    finally:
        store.close()
