"""A real server process for tests that talk to one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT, free_port

START_SECONDS = 300


def wait_until_up(url: str, server: subprocess.Popen | None = None) -> None:
    """Return when ``url`` answers; fail when the process ends first or five minutes have passed."""
    pause = threading.Event()
    for _ in range(START_SECONDS * 10):
        if server is not None and server.poll() is not None:
            raise AssertionError(f"the server ended: {server.stderr.read().decode() if server.stderr else ''}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            pause.wait(0.1)  # between two looks; what is waited for is the answer
    raise AssertionError(f"{url} did not answer within {START_SECONDS} s")


@contextmanager
def serving(folder: Path, *words: str, **environ: str) -> Iterator[str]:
    """``segmentry serve`` in ``folder`` on a free port; gives its address."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "dashboard.cli", "serve", "--port", str(port), *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SEGMENTRY_WORKER_IN_SERVER": "false", **environ},
        stderr=subprocess.PIPE,
    )
    try:
        wait_until_up(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.communicate(timeout=120)
