"""A refresh that is due, done in a process of its own, which can be ended at any moment and takes nothing along."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
from multiprocessing.connection import Connection, wait

from dashboard.clock import now
from dashboard.config import Config
from dashboard.worker.child import end_with_parent, ending
from dashboard.worker.schedules import Refresh, Refreshed, refreshed
from storage import Store
from storage.contract import StoreError
from storage.contract.schedules import Schedule

_POLL_SECONDS = 0.2


def apart(stop: threading.Event) -> Refresh:
    """A way to refresh in a process that is started for it, and ended when ``stop`` is set."""

    def refresh(schedule: Schedule, config: Config, store: Store) -> Refreshed | None:
        context = multiprocessing.get_context("spawn")
        outside, inside = context.Pipe()
        with tempfile.TemporaryDirectory(prefix="segmentry-refresh-", ignore_cleanup_errors=True) as folder:
            arguments = (schedule, config, folder, inside)
            process = context.Process(target=_refresh, args=arguments, name=f"segmentry schedule {schedule.id}")
            process.start()
            inside.close()
            try:
                while not wait([outside, process.sentinel], _POLL_SECONDS):
                    if stop.is_set():
                        return None
                if (answer := _said(outside)) is not None:
                    return answer
                why = f"The process that read the source ended unexpectedly ({_end(process)})."
                return Refreshed(why, for_good=False)
            finally:
                process.kill()
                process.join()
                process.close()
                outside.close()

    return refresh


def _said(outside: Connection) -> Refreshed | None:
    try:
        answer = outside.recv() if outside.poll() else None
    except (EOFError, OSError):
        return None
    return answer if isinstance(answer, Refreshed) else None


def _end(process: multiprocessing.process.BaseProcess) -> str:
    process.join()
    return ending(process.exitcode)


def _refresh(schedule: Schedule, config: Config, folder: str, inside: Connection) -> None:
    """What the process does: refresh, and say how it went."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the worker, which then ends this process
        signal.signal(number, signal.SIG_IGN)
    end_with_parent(lambda: (shutil.rmtree(folder, ignore_errors=True), os._exit(1)))
    tempfile.tempdir = folder  # so that what a killed process leaves behind is removed with it
    from storage import open_store

    try:
        store = open_store(config.database.url, clock=now, migrate=False)
        inside.send(refreshed(schedule, config, store))
        store.close()
    except StoreError as error:
        inside.send(Refreshed(error.message, for_good=False))
