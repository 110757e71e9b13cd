"""Whole or absent: processes killed in the middle of a save or of publishing, and two that open and save at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from storage import Store, open_store
from tests.storage.samples import Clock, finished_run, sample_customers, sample_result

COUNT = 10_000
SAVE = """
import sys
from storage import Store, open_store
from tests.storage.samples import *
store = open_store(sys.argv[1], clock=Clock())
customers = sample_customers(int(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
snapshot, run, _ = finished_run(store, customers)
print(snapshot.id, flush=True)
store.close()
"""


def saver(url: str, count: int, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SAVE, url, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},  # where one that is killed leaves its temporary file
    )


def ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def start(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def whole(store: Store) -> None:
    """Everything that is there is there as a whole."""
    for snapshot in store.snapshots():
        assert_frame_equal(store.snapshot_customers(snapshot.id), sample_customers(COUNT))
    for run in store.runs():
        if run.state == "done":
            assert_series_equal(store.labels(run.id), sample_result(sample_customers(COUNT)).labels, check_names=False)
        else:
            assert (run.state, run.segments, run.metrics) == ("running", (), {})
    done = [run.id for run in store.runs() if run.state == "done"]
    published = store.published("Teas & Co")
    assert (published and published.run_id) == (min(done) if done else None), "with its end, or not at all"


def test_a_process_killed_in_a_save_leaves_it_whole_or_absent(url: str, tmp_path: Path):
    store = open_store(url, clock=Clock())
    for delay in (0.05, 0.2, 0.5):
        process = saver(url, COUNT, tmp_path)
        ready(process)
        start(process)
        time.sleep(delay)  # not a wait for something: the moment of the accident
        process.send_signal(signal.SIGKILL)
        process.communicate()
        whole(store)
    # nobody holds a lock, and what was left undone is done by the next
    snapshot, run, result = finished_run(store, sample_customers(COUNT))
    assert [s.id for s in store.snapshots()] == [snapshot.id]
    assert_series_equal(store.labels(run.id), result.labels, check_names=False)
    store.close()


PUBLISH = """
import sys
from storage import open_store
from tests.storage.samples import Clock
store = open_store(sys.argv[1], clock=Clock())
runs = [run.id for run in store.runs()]
print("ready", flush=True)
sys.stdin.readline()
while True:
    for run in runs:
        store.publish(run, who="anna", via="command", why="Again")
    store.roll_back("Teas & Co", who="anna", via="command", why="Back")
"""


def test_a_process_killed_while_it_publishes_leaves_one_published_run(url: str):
    store = open_store(url, clock=Clock())
    for name in "abc":
        finished_run(store, sample_customers(5), fingerprint=name)
    for delay in (0.02, 0.1, 0.3):
        process = subprocess.Popen(
            [sys.executable, "-c", PUBLISH, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        ready(process)
        start(process)
        time.sleep(delay)  # not a wait for something: the moment of the accident
        process.send_signal(signal.SIGKILL)
        process.communicate()
        history = store.publications("Teas & Co")
        assert store.published("Teas & Co") == history[0]
        befores = [item.run_id for item in history[1:]]
        assert [item.previous_run_id for item in history] == [*befores, None], "no step is half there"
        # nobody holds a lock
        made = store.publish(store.runs()[0].id, who=None, via="api", why="After the accident")
        assert store.published_runs() == {"Teas & Co": made}
    store.close()


def test_processes_that_open_and_save_the_same_at_once_make_one_snapshot(empty_url: str, tmp_path: Path):
    processes = [saver(empty_url, 3_000, tmp_path) for _ in range(2)]
    for process in processes:
        ready(process)  # both have made the tables of an empty database, or waited for the other to do so
    for process in processes:
        start(process)
    answers = {process.communicate(timeout=300)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0]
    store = open_store(empty_url, clock=Clock())
    assert answers == {f"{snapshot.id}\n" for snapshot in store.snapshots()}
    assert len(store.snapshots()) == 1
    assert [run.state for run in store.runs()] == ["done", "done"]
    assert len(store.snapshot_customers(store.snapshots()[0].id)) == 3_000
    store.close()


def test_a_save_that_fails_halfway_leaves_nothing(url: str):
    store = open_store(url, clock=Clock())
    _, run, result = finished_run(store, sample_customers(5))
    again = store.start_run(run.snapshot_id, "e", {}, lease_seconds=60)
    twice = result.segments + result.segments[:1]  # the same key twice breaks the save after the run was marked done
    with pytest.raises(Exception, match=r"(?i)unique"):
        store.finish_run(again.id, replace(result, segments=twice), seconds=1, info={})
    assert store.run(again.id) == again
    assert store.finish_run(again.id, result, seconds=1, info={}).state == "done"
    assert len(store.snapshots()) == 1
    store.close()
