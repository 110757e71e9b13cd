"""The worker: claims jobs from the store and has them done in child processes, until it is told to stop.

Three jobs are done at a time, each in a child and a thread of its own: one of those that take long, one of those whose
answer somebody waits for, and one whose answer takes but a moment, so that it waits for none of the others. The worker
itself only keeps the leases and passes progress on. It says once a second, and at least every third of the lease, that
it is alive; as often it hears of a cancellation.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from types import FrameType
from uuid import uuid4

from dashboard.clock import now
from dashboard.config import Config
from dashboard.i18n.texts import noted
from dashboard.pipeline.answers import LONG, SHORT, sweep_answers
from dashboard.pipeline.uploads import sweep
from dashboard.worker.alerts import send_due
from dashboard.worker.child import Child, Ended, end_with_parent, warm_up
from dashboard.worker.tasks import fail
from storage import Store
from storage.contract import Job, LogLine, LostError, NotFoundError, Run, StoreError
from storage.contract.jobs import REFRESH, RUN, UPLOAD

POLL_SECONDS = 0.5
ANSWER_POLL_SECONDS = 0.1  # somebody waits for it
BEAT_SECONDS = 1.0
IDLE_SECONDS = 300.0  # a child that had nothing to do for so long ends
SWEEP_SECONDS = 3600.0  # between two looks for old uploads
RETRY_SECONDS = 5.0  # after the database could not be reached
PUT_BACK = noted("Put back into the queue: its worker had to stop.")

Tell = Callable[[str], None]
#: What is done between two answers; true where there may be more of it at once.
Between = Callable[[], bool]


def nobody(line: str) -> None:
    """Nobody is told."""


@dataclass
class _Worker:
    """What the threads of a worker share; ``runs``: those worked on."""

    config: Config
    store: Store
    stop: threading.Event
    tell: Tell
    name: str = field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}")
    runs: list[Run] = field(default_factory=list)

    def claim(self, kinds: tuple[str, ...]) -> Job | None:
        lease = self.config.worker.lease_seconds
        return self.store.claim_job(kinds, lease_seconds=lease, worker=self.name)


def run_worker(
    config: Config, store: Store, stop: threading.Event, *, drain: bool = False, tell: Tell = nobody
) -> list[Run]:
    """Do jobs until ``stop`` is set, or with ``drain`` until nothing is left to do; the runs worked on.

    Left to do are queued jobs, and running runs whose worker gives no sign of life: their lease is waited for, then
    they are taken over. A job whose worker renews its lease is that worker's.

    Raises:
        StoreError: the database cannot be used, while draining; otherwise it is tried again.
    """
    warm_up()
    worker = _Worker(config, store, stop, tell)
    drained = threading.Event()

    def answer(kinds: tuple[str, ...], between: Between) -> None:
        try:
            _answer(kinds, worker, drained, between)
        except BaseException:
            stop.set()  # a worker that answers nobody any more ends, rather than being half there
            raise

    with ThreadPoolExecutor(2, thread_name_prefix="answers") as pool:
        answering = [pool.submit(answer, SHORT, lambda: False), pool.submit(answer, LONG, _Upkeep(worker))]
        try:
            _do_long_jobs(worker, drain)
        finally:
            drained.set()
    for each in answering:
        each.result()
    return worker.runs


def _do_long_jobs(worker: _Worker, drain: bool) -> None:
    """Refreshes, uploads and runs."""
    leases: dict[int, object] = {}
    with Child(worker.config) as child:
        while not worker.stop.is_set():
            try:
                job = worker.claim((REFRESH, UPLOAD, RUN))
                if job is not None:
                    _see_through(job, worker, child)
                    continue
                child.clear()
                if drain and not _silent(worker.store, leases):
                    break
            except StoreError as error:
                if drain:
                    raise
                _wait_for_store(error, worker, child)
                continue
            worker.stop.wait(POLL_SECONDS)


def _answer(kinds: tuple[str, ...], worker: _Worker, drained: threading.Event, between: Between) -> None:
    """Answers of these kinds, which somebody waits for."""
    idle_since = time.monotonic()
    with Child(worker.config) as child:
        while not worker.stop.is_set():
            last = drained.is_set()
            try:
                if between():
                    continue
                job = worker.claim(kinds)
                if job is not None:
                    _see_through(job, worker, child)
                    idle_since = time.monotonic()
                    continue
            except StoreError as error:
                if last:
                    return
                _wait_for_store(error, worker, child)
                continue
            if last:
                return
            if time.monotonic() - idle_since > IDLE_SECONDS:
                child.clear()
            worker.stop.wait(ANSWER_POLL_SECONDS)


class _Upkeep:
    """Sends the alert that is due, and now and then removes what is old."""

    def __init__(self, worker: _Worker) -> None:
        self._worker, self._swept = worker, -SWEEP_SECONDS

    def __call__(self) -> bool:
        config, store = self._worker.config, self._worker.store
        if send_due(config, store, now(), worker=self._worker.name) is not None:
            return True
        if time.monotonic() - self._swept >= SWEEP_SECONDS:
            sweep(config, store, now())
            sweep_answers(store, now())
            self._swept = time.monotonic()
        return False


def _wait_for_store(error: StoreError, worker: _Worker, child: Child) -> None:
    worker.tell(f"{error} Trying again in {RETRY_SECONDS:.0f} s.")
    child.clear()
    worker.stop.wait(RETRY_SECONDS)


def _silent(store: Store, leases: dict[int, object]) -> bool:
    """Whether a run is under way whose lease nobody has renewed since it was first seen here."""
    running = store.runs(state="running")
    return any(leases.setdefault(run.id, run.lease_until) == run.lease_until for run in running)


def _see_through(job: Job, worker: _Worker, child: Child) -> None:
    """Have a job done, until it is finished, failed, cancelled, lost or put back."""
    run = _run_of(job, worker.store)
    if run is not None:
        worker.tell(f"Run {run.id} ({run.engine}) is begun")
    with suppress(LostError, NotFoundError):  # cancelled, taken over, deleted
        _attend(job, worker, child)
    run = _run_of(job, worker.store)
    if run is not None:
        worker.runs.append(run)
        worker.tell(f"Run {run.id} ({run.engine}) is {run.state}{f': {run.error}' if run.error else ''}")


def _run_of(job: Job, store: Store) -> Run | None:
    """The run that a job computes, as it stands; None where there is none, or none any more."""
    if job.kind != RUN or job.subject is None:
        return None
    with suppress(NotFoundError):
        return store.run(job.subject)
    return None


def _attend(job: Job, worker: _Worker, child: Child) -> None:
    store, beat_seconds = worker.store, min(worker.config.worker.lease_seconds / 3, BEAT_SECONDS)
    child.begin(job)
    mine, beat = True, 0.0
    try:
        while (ended := child.wait(beat_seconds / 2)) is None:
            if worker.stop.is_set():
                child.clear()
                store.log_job(job.id, worker.name, [*child.log, LogLine(now(), PUT_BACK)])
                store.release_job(job.id, worker.name)
                return
            if mine and time.monotonic() >= beat:
                mine = _renewed(job, worker, child)
                beat = time.monotonic() + beat_seconds
                if not mine and store.job(job.id).state not in ("done", "failed"):
                    child.clear()  # cancelled, or another worker's
                    return
    except NotFoundError:  # deleted
        child.clear()
        raise
    _end(job, ended, worker, child)


def _end(job: Job, ended: Ended, worker: _Worker, child: Child) -> None:
    if child.log:
        worker.store.log_job(job.id, worker.name, child.log)
    if ended.failed:
        fail(job, ended.failed, worker.config, worker.store)
    elif ended.lost:
        worker.store.release_job(job.id, worker.name, reason=ended.lost)


def _renewed(job: Job, worker: _Worker, child: Child) -> bool:
    """Whether the job is still this worker's; a database that cannot be reached just now has not said otherwise."""
    store, lease = worker.store, worker.config.worker.lease_seconds
    try:
        if child.log:
            store.log_job(job.id, worker.name, child.log)
            child.log = []
        return store.renew_job(job.id, worker.name, lease_seconds=lease, stage=child.stage, progress=child.progress)
    except StoreError:
        return True


def stop_on_signals() -> threading.Event:
    """An event that is set by SIGTERM or Ctrl-C; the jobs in hand are then put back into the queue."""
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
    store = open_store(config.database.url, clock=now, migrate=False, objects=config.objects.settings)
    try:
        run_worker(config, store, stop)
    finally:
        store.close()
