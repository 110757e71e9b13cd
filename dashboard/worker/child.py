"""A child process that does jobs and can be ended at any moment: on cancel, on a lost lease, and at its limits."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from dashboard.clock import now
from dashboard.config import Config
from dashboard.pipeline.speed import with_speed
from engines.messages import message
from storage.contract import Job, LogLine

_LOADED = "dashboard.worker.loaded"
_PAGE = os.sysconf("SC_PAGE_SIZE")

#: Each thread of a worker has a child. Starting a process asks how the others ended: one thread at a time may.
_REAPING = threading.Lock()


@dataclass(frozen=True)
class Ended:
    """The child has done with a job, which then ended in the store, unless one of these says why not.

    ``lost``: something went wrong that may not happen again. ``failed``: trying again would change nothing.
    """

    lost: str = ""
    failed: str = ""


class Child:
    """A process that does jobs one after another: started for the first, and kept for the next until it is cleared.

    It is forked from a server that has loaded everything once, so that it begins at once; it has a folder of its own
    for temporary files, and ends with its parent.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._begun = 0.0
        self.stage: str | None = None
        self.progress: float | None = None
        self.log: list[LogLine] = []  # the stages that were begun, until somebody has written them down

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.clear()

    def begin(self, job: Job) -> None:
        """Have a job done that was claimed."""
        self.stage, self.progress, self.log = None, None, []
        self._at, self._since = "", 0.0  # the stage it is at, and since when
        if not self._is_alive():
            self.clear()
            self._start()
        assert self._pipe is not None
        self._begun = time.monotonic()
        with suppress(OSError):  # it has just ended, as wait() will find
            self._pipe.send(job)

    def wait(self, timeout: float) -> Ended | None:
        """What has become of the job, or None if it is still being done after so many seconds."""
        assert self._process is not None
        assert self._pipe is not None
        wait([self._pipe, self._process.sentinel], timeout)
        try:
            while self._pipe.poll():
                news = self._pipe.recv()
                if isinstance(news, Ended):
                    return news
                stage, self.progress, amount = news
                if not self.log or stage != self._at:
                    self.log.append(LogLine(now(), stage))
                    self._at, self._since = stage, time.monotonic()
                self.stage = stage if amount is None else with_speed(stage, amount, time.monotonic() - self._since)
        except (EOFError, OSError):
            wait([self._process.sentinel], 1.0)
        if self._is_alive():
            if over := self._over():
                self.clear()
                return Ended(failed=over)
            return None
        code = self._process.exitcode
        self.clear()
        if code == -signal.SIGXCPU:
            return Ended(
                failed=message(
                    "It took more than {seconds:,} CPU seconds, the most a job may ([worker] cpu_seconds).",
                    seconds=self._config.worker.cpu_seconds,
                )
            )
        return Ended(
            lost=message("The process that computed it ended unexpectedly ({ending}).", ending=exit_words(code))
        )

    def clear(self) -> None:
        """End the process, whatever it is doing, and remove what it has left."""
        if self._process is not None:
            with _REAPING:
                self._process.kill()
                self._process.join()
                self._process.close()
        if self._pipe is not None:
            self._pipe.close()
        if self._folder is not None:
            self._folder.cleanup()
        self._process, self._pipe, self._folder = None, None, None

    def _over(self) -> str:
        """Which limit the job has gone over; empty where none."""
        limits = self._config.worker
        if limits.job_seconds and time.monotonic() - self._begun > limits.job_seconds:
            return message(
                "It took more than {seconds:,} seconds, the most a job may ([worker] job_seconds).",
                seconds=limits.job_seconds,
            )
        if limits.memory_mb and _resident(self._process) > limits.memory_mb * 2**20:
            return message(
                "It took more than {mb:,} MB of memory, the most a job may ([worker] memory_mb).", mb=limits.memory_mb
            )
        return ""

    def _start(self) -> None:
        context = _context()
        self._folder = tempfile.TemporaryDirectory(prefix="segmentry-worker-", ignore_cleanup_errors=True)
        self._pipe, inside = context.Pipe()
        arguments = (self._config, self._folder.name, inside)
        self._process = context.Process(target=_serve, args=arguments, name="segmentry job")
        with _REAPING:
            self._process.start()
        inside.close()

    def _is_alive(self) -> bool:
        with _REAPING:
            return self._process is not None and self._process.is_alive()


def warm_up() -> None:
    """Start the server that children are forked from, so that the first of them need not wait for it."""
    _context()
    forkserver.ensure_running()


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_LOADED])
    return context


def _resident(process: BaseProcess | None) -> int:
    """How much memory a process holds, in bytes; 0 where the system does not say."""
    try:
        pages = Path(f"/proc/{process.pid if process is not None else 0}/statm").read_text("ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * _PAGE


def exit_words(code: int | None) -> str:
    """How a process ended, in words."""
    if code is None or code >= 0:
        return f"exit code {code}"
    hint = "; perhaps there was not enough memory" if -code == signal.SIGKILL else ""
    return f"killed by {signal.Signals(-code).name}{hint}"


def end_with_parent(end: Callable[[], object]) -> None:
    """Call ``end`` when the process that started this one is gone, however that came about."""
    parent = multiprocessing.parent_process()
    if parent is None:
        raise RuntimeError("this process was started by no other")

    def watch() -> None:
        parent.join()
        end()

    threading.Thread(target=watch, name="watches the parent", daemon=True).start()


def _serve(config: Config, folder: str, inside: Connection) -> None:
    """What the process does: the jobs it is sent, saying how far it is, until nobody can send any more."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the worker, which then ends this process
        signal.signal(number, signal.SIG_IGN)

    def end() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    end_with_parent(end)
    tempfile.tempdir = folder  # so that what a killed process leaves behind is removed with it
    from dashboard.worker.tasks import Tasks
    from storage.contract import LostError, NotFoundError, StoreError

    tasks = Tasks(config, lambda stage, done, amount=None: inside.send((stage, done, amount)))
    while True:
        try:
            job = inside.recv()
        except EOFError:
            return
        if seconds := config.worker.cpu_seconds:
            limit = int(time.process_time()) + seconds
            resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        try:
            tasks.do(job)
        except (LostError, NotFoundError):  # cancelled, taken over or deleted meanwhile: nothing was stored
            inside.send(Ended())
        except StoreError as error:
            inside.send(Ended(lost=error.message))
        else:
            inside.send(Ended())
