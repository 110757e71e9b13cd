"""Accidents in the middle of a save: a full disk, a lost connection, a restarted server, two uploads of one file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from uuid import uuid4

import psycopg
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from storage import Store, open_store
from storage.contract import StoreError
from tests.postgres import Server, running_postgres
from tests.storage.samples import Clock, finished_run, sample_customers, sample_snapshot

MB = 1024 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of these tests' own, which they may restart and starve."""
    with running_postgres("max_wal_size=1GB") as running:
        yield running


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(f"{server.url}/postgres", autocommit=True) as connection:
        connection.execute(f"create database {name}")
    yield f"{server.url}/{name}"
    with psycopg.connect(f"{server.url}/postgres", autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


def works(store: Store, count: int = 50) -> None:
    """The store saves and reads as if nothing had happened."""
    customers = sample_customers(count)
    snapshot, run, result = finished_run(store, customers, dataset="afterwards")
    assert_frame_equal(store.snapshot_customers(snapshot.id), customers, check_exact=True)
    assert_series_equal(store.labels(run.id), result.labels, check_names=False)


SAVE_ON_A_FULL_DISK = """
import resource, sys
from storage import Store, open_store
from storage.contract import StoreError
from tests.storage.samples import *
customers = sample_customers(60_000)
store = open_store(sys.argv[1], clock=Clock())
snapshot, run, result = finished_run(store, customers.head(10))
again = store.start_run(snapshot.id, "e", {}, lease_seconds=60)
# as on a disk that is full: a file grows to this size and no further
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    store.save_snapshot(sample_snapshot(fingerprint="big"), customers)
except StoreError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert store.finish_run(again.id, result, seconds=1, info={}).state == "done"
store.close()
"""


@pytest.mark.parametrize("limit", [2 * MB, 33 * MB], ids=["temporary file", "database"])
def test_a_disk_that_is_full_in_the_middle_of_a_save_on_sqlite(tmp_path: Path, limit: int):
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    done = subprocess.run(
        [sys.executable, "-c", SAVE_ON_A_FULL_DISK, url, str(limit)],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    # the temporary file holds some 31 MB, the log of the database 34
    assert "temporary files (TMPDIR)" in done.stdout
    assert ("temporary file could" in done.stdout) == (limit == 2 * MB)
    assert [path.name for path in tmp_path.iterdir()] == ["shop.db"]  # no temporary file is left behind
    store = open_store(url, clock=Clock())
    assert [snapshot.fingerprint for snapshot in store.snapshots()] == ["f00d"]
    assert [run.state for run in store.runs()] == ["done", "done"]
    works(store, 5_000)
    store.close()


@pytest.mark.slow
@pytest.mark.postgres
def test_a_disk_that_is_full_in_the_middle_of_a_save_on_postgres(server: Server, url: str):
    customers = sample_customers(60_000)
    store = open_store(url, clock=Clock())
    _, run, _ = finished_run(store, customers.head(10))
    store.close()  # so that its next connections are made under the limit, which they take over from the postmaster
    postmaster = int((server.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    # more than a segment of the log, less than the customers
    server.call("prlimit", "--pid", str(postmaster), f"--fsize={17 * MB}:")
    store = open_store(url, clock=Clock())
    with pytest.raises(StoreError, match="Free some disk space"):
        store.save_snapshot(sample_snapshot(fingerprint="big"), customers)
    server.call("prlimit", "--pid", str(postmaster), "--fsize=unlimited:")
    assert [snapshot.id for snapshot in store.snapshots()] == [run.snapshot_id]
    store.close()
    store = open_store(url, clock=Clock())
    works(store, 60_000)
    store.close()


def terminated(url: str, count: int) -> None:
    """End whoever is just loading customers, once somebody is."""
    until = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as connection:
        while count and time.monotonic() < until:
            rows = connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
                "and pid <> pg_backend_pid() and state = 'active' and query like 'COPY%customers%' "
                "and query not like 'COPY (%'"  # which reads; the server keeps the first 1,024 characters alone
            ).fetchall()
            count -= len(rows)
    assert count <= 0, "nobody was loading"


@pytest.mark.slow
@pytest.mark.postgres
def test_a_connection_lost_in_the_middle_of_a_save(url: str):
    customers = sample_customers(60_000)
    store = open_store(url, clock=Clock())
    with ThreadPoolExecutor(1) as pool:
        accident = pool.submit(terminated, url, 1)
        with pytest.raises(StoreError, match="cannot be used"):
            store.save_snapshot(sample_snapshot(), customers)
        accident.result()
    assert (store.snapshots(), store.runs()) == ([], [])
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from customers").fetchone() == (0,)
    saved = store.save_snapshot(sample_snapshot(), customers)  # the same store goes on by itself
    assert_frame_equal(store.snapshot_customers(saved.id), customers, check_exact=True)
    store.close()


def load(url: str, name: str, stop: Event) -> tuple[list[str], int]:
    """Save and read until told to stop; the fingerprints of what was saved for sure, and how often it failed."""
    customers, saved, failed, number = sample_customers(2_000), [], 0, 0
    store = open_store(url, clock=Clock())
    while not stop.is_set():
        number += 1
        try:
            _, run, _ = finished_run(store, customers, fingerprint=f"{name} {number}")
            saved.append(f"{name} {number}")
            assert len(store.labels(run.id)) == 2_000
        except StoreError:
            failed += 1
    store.close()
    return saved, failed


def restarts_under_load(server: Server, url: str, times: int) -> None:
    store = open_store(url, clock=Clock())
    stop = Event()
    with ThreadPoolExecutor(2) as pool:
        loads = [pool.submit(load, url, name, stop) for name in ("one", "other")]
        try:
            for _ in range(times):
                before = len(store.runs())
                until = time.monotonic() + 30
                while len(store.runs()) < before + 3 and time.monotonic() < until:
                    time.sleep(0.02)  # until they are at work
                server.control("-m", "immediate", "restart")
                assert len(store.runs()) >= before  # through connections that were open before: they are made anew
        finally:
            stop.set()
        outcomes = [each.result(timeout=300) for each in loads]
    saved = [fingerprint for names, _ in outcomes for fingerprint in names]
    assert sum(failed for _, failed in outcomes) >= 1, "the restarts were noticed"
    found = [snapshot.fingerprint for snapshot in store.snapshots()]
    assert len(found) == len(set(found)), "nothing is there twice"
    assert set(saved) <= set(found), "nothing that was saved is lost"
    done = {run.snapshot_id: run for run in store.runs() if run.state == "done"}
    assert len(done) >= len(saved)
    customers = sample_customers(2_000)
    for snapshot in store.snapshots():
        assert_frame_equal(store.snapshot_customers(snapshot.id), customers, check_exact=True)
        if snapshot.id in done:
            assert len(store.labels(done[snapshot.id].id)) == 2_000
    with psycopg.connect(url) as connection:  # nor is anything there that belongs to nobody
        assert connection.execute("select count(*) from customers").fetchone() == (2_000 * len(found),)
        assert connection.execute("select count(*) from labels").fetchone() == (2_000 * len(done),)
    works(store)
    store.close()


@pytest.mark.slow
@pytest.mark.postgres
def test_a_server_that_restarts_while_it_is_at_work(server: Server, url: str):
    restarts_under_load(server, url, 1)


@pytest.mark.slow
@pytest.mark.postgres
def test_a_server_that_restarts_again_and_again_while_it_is_at_work(server: Server, url: str):
    restarts_under_load(server, url, 8)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])])
def test_two_uploads_of_one_file_at_once_are_one_snapshot(kind: str, tmp_path: Path, request: pytest.FixtureRequest):
    url = f"sqlite:///{tmp_path / 'shop.db'}" if kind == "sqlite" else request.getfixturevalue("url")
    lines = [f"o{n},c{n % 40},2024-0{1 + n % 9}-1{n % 7},{1 + n % 5},{2 + n % 3}.50" for n in range(400)]
    header = "order_id,customer_id,order_date,quantity,unit_price"
    (tmp_path / "sales.csv").write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    command = [sys.executable, "-m", "dashboard.cli", "run", "sales.csv", "--engine", "rfm", "--json"]
    environ = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, cwd=tmp_path, env=environ, **pipes) for _ in range(2)]
    answers = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    store = open_store(url, clock=Clock())
    (snapshot,) = store.snapshots()
    assert len(store.snapshot_customers(snapshot.id)) == snapshot.customers == 40
    assert [run.state for run in store.runs()] == ["done", "done"]
    one, other = (store.labels(run.id) for run in store.runs())
    assert_series_equal(one, other)
    assert snapshot.source == "sales.csv"
    store.close()
