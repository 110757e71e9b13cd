"""Where a worker's runs are computed: a process of its own, which can be ended at any moment."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

from dashboard.clock import now
from dashboard.config import Config
from storage.contract import LogLine, LostError, NotFoundError, Run, StoreError


@dataclass(frozen=True)
class Answer:
    """The process has done with a run; ``lost`` says what kept it from finishing, and is empty otherwise."""

    lost: str = ""


class Bench:
    """A process that computes runs, started with the first and kept for the next until it is cleared."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._process: BaseProcess | None = None
        self._outside: Connection | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.stage: str | None = None
        self.progress: float | None = None
        self.said: list[LogLine] = []  # the stages that were begun, until somebody has written them down

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.clear()

    def begin(self, run: Run, worker: str) -> None:
        """Have a run computed that ``worker`` has claimed."""
        self.stage, self.progress, self.said = None, None, []
        if self._process is None or not self._process.is_alive():
            self.clear()
            self._start()
        assert self._outside is not None
        try:
            self._outside.send((run, worker))
        except OSError:  # it has just ended, as answer() will find
            return

    def answer(self, timeout: float) -> Answer | None:
        """What has become of the run, or None if it is still being computed after so many seconds."""
        assert self._process is not None
        assert self._outside is not None
        wait([self._outside, self._process.sentinel], timeout)
        try:
            while self._outside.poll():
                said = self._outside.recv()
                if isinstance(said, Answer):
                    return said
                if said[0] != self.stage:
                    self.said.append(LogLine(now(), said[0]))
                self.stage, self.progress = said
        except (EOFError, OSError):
            pass
        if self._process.is_alive():
            return None
        ended = f"The process that computed it ended unexpectedly ({ending(self._process.exitcode)})."
        self.clear()
        return Answer(ended)

    def clear(self) -> None:
        """End the process, whatever it is doing, and remove what it has left."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._outside is not None:
            self._outside.close()
        if self._folder is not None:
            self._folder.cleanup()
        self._process, self._outside, self._folder = None, None, None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._folder = tempfile.TemporaryDirectory(prefix="segmentry-worker-", ignore_cleanup_errors=True)
        self._outside, inside = context.Pipe()
        arguments = (self._config, self._folder.name, inside)
        self._process = context.Process(target=_compute, args=arguments, name="segmentry run")
        self._process.start()
        inside.close()


def ending(code: int | None) -> str:
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


def _compute(config: Config, folder: str, inside: Connection) -> None:
    """What the process does: compute the runs it is sent, say how far it is, and end when nobody can send any more."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the worker, which then ends this process
        signal.signal(number, signal.SIG_IGN)
    end_with_parent(lambda: (shutil.rmtree(folder, ignore_errors=True), os._exit(1)))
    tempfile.tempdir = folder  # so that what a killed process leaves behind is removed with it
    from dashboard.pipeline.fit import PastCache
    from dashboard.pipeline.run import work_run
    from storage import open_store

    past = PastCache()
    store = None
    while True:
        try:
            run, worker = inside.recv()
        except EOFError:
            return
        try:
            if store is None:
                store = open_store(config.database.url, clock=now, migrate=False)
            work_run(run, config, store, lambda *said: inside.send(said), worker=worker, past=past)
        except (LostError, NotFoundError):  # cancelled, taken over or deleted meanwhile: nothing was stored
            inside.send(Answer())
        except StoreError as error:
            inside.send(Answer(error.message))
        else:
            inside.send(Answer())
