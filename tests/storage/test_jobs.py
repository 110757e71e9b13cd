"""The queue on real databases: leases by the server's clock, older tables, and accidents in the middle of finishing."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from pandas.testing import assert_series_equal

from storage import open_store
from storage.contract import Store, StoreError
from storage.migrations import downgrade, upgrade
from storage.testing.samples import POINTS, Clock, finished_run, sample_customers, sample_result, sample_snapshot

KILL_OTHERS = (
    "select pg_terminate_backend(pid) from pg_stat_activity "
    "where datname = current_database() and pid <> pg_backend_pid()"
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'shop.db'}"


def queued(store: Store, customers: int = 5) -> int:
    snapshot = store.save_snapshot(sample_snapshot(), sample_customers(customers))
    return store.queue_run(snapshot.id, "e", {}).id


@pytest.mark.postgres
def test_hosts_whose_clocks_disagree_agree_on_leases(postgres_url: str):
    here = open_store(postgres_url, clock=lambda: datetime.now(UTC))
    ahead = open_store(postgres_url, clock=lambda: datetime.now(UTC) + timedelta(days=1))
    run = queued(here)
    assert here.claim_run(lease_seconds=60, worker="here") is not None
    assert ahead.claim_run(lease_seconds=60, worker="ahead") is None
    assert here.renew(run, "here", lease_seconds=-1)
    assert ahead.claim_run(lease_seconds=60, worker="ahead") is not None
    assert here.claim_run(lease_seconds=60, worker="here") is None
    here.close()
    ahead.close()


def test_runs_of_an_older_version_are_kept_and_can_be_taken_over(url: str):
    store = open_store(url, clock=Clock())
    _, done, result = finished_run(store, sample_customers(5))
    lost = store.start_run(done.snapshot_id, "e", {}, lease_seconds=-1)
    database = store._database  # type: ignore[attr-defined]
    for _ in range(2):
        downgrade(database, "0003")
        upgrade(database)
    assert store.run(done.id) == done
    assert_series_equal(store.labels(done.id), result.labels, check_names=False)
    taken = store.claim_run(lease_seconds=60, worker="ann")
    assert taken is not None
    assert (taken.id, taken.attempts, taken.worker) == (lost.id, 2, "ann")
    store.close()


def test_a_disk_that_fills_up_while_a_run_is_finished(tmp_path: Path):
    path = tmp_path / "shop.db"
    store = open_store(f"sqlite:///{path}", clock=Clock())
    run = queued(store, 3_000)
    result = sample_result(sample_customers(3_000))
    store.claim_run(lease_seconds=60, worker="ann")
    with sqlite3.connect(path) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.close()
    with store._database.engine.connect() as opened:  # type: ignore[attr-defined]
        opened.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")  # as a full disk would limit it
    with pytest.raises(StoreError, match="Free some disk space") as caught:
        store.finish_run(run, result, seconds=1, info={}, drift=POINTS, worker="ann")
    left = store.run(run)
    assert (left.state, left.segments, left.metrics, store.drift(run)) == ("running", (), {}, [])
    assert store.release_run(run, "ann", reason=str(caught.value)).state == "queued"
    with store._database.engine.connect() as opened:  # type: ignore[attr-defined]
        opened.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert store.claim_run(lease_seconds=60, worker="bob") is not None
    store.finish_run(run, result, seconds=1, info={}, drift=POINTS, worker="bob")
    assert_series_equal(store.labels(run), result.labels, check_names=False)
    store.close()


@pytest.mark.postgres
def test_connections_lost_in_the_middle_of_finishing_leave_a_run_whole_or_absent(postgres_url: str):
    customers = sample_customers(8_000)
    result = sample_result(customers)
    moments = random.Random(1)
    states = []
    with closing(open_store(postgres_url, clock=Clock())) as store:
        snapshot = store.save_snapshot(sample_snapshot(), customers)
        undisturbed = store.queue_run(snapshot.id, "e", {}).id
        store.claim_run(lease_seconds=60, worker="ann")
        started = time.perf_counter()
        store.finish_run(undisturbed, result, seconds=1, info={}, drift=POINTS, worker="ann")
        usual = time.perf_counter() - started
        # twelve accidents at random moments, and on until one of them has come before the end
        while len(states) < 12 or ("running" not in states and len(states) < 60):
            run = store.queue_run(snapshot.id, "e", {"seed": len(states)}).id
            store.claim_run(lease_seconds=60, worker="ann")
            with losing_connections(postgres_url, moments.uniform(0, usual)), suppress(StoreError):
                store.finish_run(run, result, seconds=1, info={}, drift=POINTS, worker="ann")
            states.append(store.run(run).state)
            if states[-1] == "done":
                assert_series_equal(store.labels(run), result.labels, check_names=False)
                assert store.drift(run) == list(POINTS)
            else:
                assert (states[-1], store.run(run).segments, store.drift(run)) == ("running", (), [])
                assert store.finish_run(run, result, seconds=1, info={}, worker="ann").state == "done"
        assert "running" in states
        with psycopg.connect(postgres_url) as connection:
            labels = connection.execute("select count(*) from labels").fetchone()
        assert labels == ((1 + len(states)) * 8_000,)


@contextmanager
def losing_connections(url: str, after: float) -> Iterator[None]:
    """What a restart of the server does to everyone who is connected, so many seconds from now, unless it is over."""
    over = threading.Event()
    with psycopg.connect(url, autocommit=True) as connection:

        def strike() -> None:
            if not over.wait(after):
                connection.execute(KILL_OTHERS)

        breaker = threading.Thread(target=strike)
        breaker.start()
        try:
            yield
        finally:
            over.set()
            breaker.join()
