"""The web process ends amid runs and comes back: they go on, or are taken up again, and can be cancelled."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from storage import Store, open_store
from storage.contract import Run
from tests.conftest import ROOT
from tests.dashboard import shop
from tests.serving import serving

PATIENCE_SECONDS = 60
AT_WORK = "Segmenting with Gaussian mixture"
ENVIRON = {"SEGMENTRY_WORKER_LEASE_SECONDS": "600"}  # that of a worker that is made to wait here does not run out


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'shop.db'}"


@pytest.fixture
def store(url: str):
    store = open_store(url, clock=lambda: datetime.now(UTC))
    yield store
    store.close()


@pytest.fixture
def worker(url: str, tmp_path: Path):
    """A worker of its own, which no server has started."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "dashboard.cli", "worker"],
        cwd=tmp_path,
        env={**os.environ, **ENVIRON, "PYTHONPATH": str(ROOT), "DATABASE_URL": url},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=120)


def asked(address: str, path: str, body: object = None):
    """What the API answers; with a body, to a POST of it."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/api/v1/{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def until(store: Store, number: int, right) -> Run:
    """The run as soon as it is as it should be."""
    pause = threading.Event()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not right(run := store.run(number)):
        assert time.monotonic() < deadline, run
        pause.wait(0.05)  # between two looks; what is waited for is the run
    return run


def at_work(run: Run) -> bool:
    return run.state == "running" and run.stage == AT_WORK


@pytest.mark.slow
def test_runs_outlive_the_web_process(store: Store, url: str, tmp_path: Path, worker: subprocess.Popen):
    made = store.save_snapshot(shop.new_snapshot("big", date(2011, 12, 10)), shop.customers(20_000))
    with serving(tmp_path, **ENVIRON, DATABASE_URL=url) as address:
        wanted = (("gmm", {"k": 6}), ("gmm", {"k": 20}), ("rfm", {}), ("gmm", {"k": 20}))
        first, second, quick, last = (
            asked(address, "runs", {"snapshot": made.id, "engine": engine, "settings": settings})["id"]
            for engine, settings in wanted
        )
        before = until(store, first, at_work)
        os.killpg(worker.pid, signal.SIGSTOP)  # so that the run is still in the middle when the server is back
    with serving(tmp_path, **ENVIRON, DATABASE_URL=url, SEGMENTRY_WORKER_IN_SERVER="true") as address:
        told = asked(address, f"runs/{first}")
        assert (told["state"], told["stage"], told["attempts"]) == ("running", AT_WORK, 1)
        assert 0 < told["progress"] < 1
        assert AT_WORK in [line["text"] for line in told["log"]]
        # the worker beside the new server takes what was waiting; it is cancelled here, though begun before
        until(store, second, at_work)
        assert asked(address, f"runs/{second}/cancel", {})["state"] == "cancelled"
        beside = until(store, last, at_work).worker
        assert (store.run(quick).state, store.run(quick).worker) == ("done", beside)
        assert beside != before.worker
    # with its server that worker ends, and puts its run back
    put_back = until(store, last, lambda run: run.state != "running")
    assert (put_back.state, put_back.attempts) == ("queued", 0)
    until(store, last, lambda run: not Path(f"/proc/{beside.split('-')[-2]}").exists())
    assert store.job_log(store.run(last).job_id)[-1].text == "Put back into the queue: its worker had to stop."
    os.killpg(worker.pid, signal.SIGCONT)
    done = until(store, first, lambda run: run.state != "running")
    assert (done.state, done.attempts, done.worker, len(done.segments)) == ("done", 1, before.worker, 6), done.error
    again = until(store, last, at_work)
    assert (again.worker, again.attempts) == (before.worker, 1)
    assert store.run(second).state == "cancelled"
