"""Lost workers on real databases: leases by the server's clock, older tables, accidents in the middle of finishing."""

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

from storage import Store, open_store
from storage.contract import StoreError
from tests.storage.samples import (
    POINTS,
    Clock,
    claim_run,
    sample_customers,
    sample_result,
    sample_snapshot,
)

KILL_OTHERS = (
    "select pg_terminate_backend(pid) from pg_stat_activity "
    "where datname = current_database() and pid <> pg_backend_pid()"
)


def queued(store: Store, customers: int = 5) -> int:
    snapshot = store.save_snapshot(sample_snapshot(), sample_customers(customers))
    return store.queue_run(snapshot.id, "e", {}).id


@pytest.mark.postgres
def test_hosts_whose_clocks_disagree_agree_on_leases(postgres_store_url: str):
    here = open_store(postgres_store_url, clock=lambda: datetime.now(UTC))
    ahead = open_store(postgres_store_url, clock=lambda: datetime.now(UTC) + timedelta(days=1))
    run = queued(here)
    assert claim_run(here, "here") is not None
    assert claim_run(ahead, "ahead") is None
    assert here.renew_job(here.run(run).job_id, "here", lease_seconds=-1)
    assert claim_run(ahead, "ahead") is not None
    assert claim_run(here, "here") is None
    here.close()
    ahead.close()


def test_a_disk_that_fills_up_while_a_run_is_finished(tmp_path: Path):
    path = tmp_path / "shop.db"
    store = open_store(f"sqlite:///{path}", clock=Clock())
    run = queued(store, 3_000)
    result = sample_result(sample_customers(3_000))
    claim_run(store, "ann")
    with sqlite3.connect(path) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.close()
    with store._database.engine.connect() as opened:  # type: ignore[attr-defined]
        opened.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")  # as a full disk would limit it
    with pytest.raises(StoreError, match="Free some disk space") as caught:
        store.finish_run(run, result, seconds=1, info={}, drift=POINTS, worker="ann")
    left = store.run(run)
    assert (left.state, left.segments, left.metrics, store.drift(run)) == ("running", (), {}, [])
    assert store.release_job(left.job_id, "ann", reason=str(caught.value)).state == "queued"
    with store._database.engine.connect() as opened:  # type: ignore[attr-defined]
        opened.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert claim_run(store, "bob") is not None
    store.finish_run(run, result, seconds=1, info={}, drift=POINTS, worker="bob")
    assert_series_equal(store.labels(run), result.labels, check_names=False)
    store.close()


@pytest.mark.postgres
def test_connections_lost_in_the_middle_of_finishing_leave_a_run_whole_or_absent(postgres_store_url: str):
    customers = sample_customers(8_000)
    result = sample_result(customers)
    moments = random.Random(1)
    states = []
    with closing(open_store(postgres_store_url, clock=Clock())) as store:
        snapshot = store.save_snapshot(sample_snapshot(), customers)
        undisturbed = store.queue_run(snapshot.id, "e", {}).id
        claim_run(store, "ann")
        started = time.perf_counter()
        store.finish_run(undisturbed, result, seconds=1, info={}, drift=POINTS, worker="ann")
        usual = time.perf_counter() - started
        # twelve accidents at random moments, and on until one of them has come before the end
        while len(states) < 12 or ("running" not in states and len(states) < 60):
            run = store.queue_run(snapshot.id, "e", {"seed": len(states)}).id
            claim_run(store, "ann")
            with losing_connections(postgres_store_url, moments.uniform(0, usual)), suppress(StoreError):
                store.finish_run(run, result, seconds=1, info={}, drift=POINTS, worker="ann")
            states.append(store.run(run).state)
            if states[-1] == "done":
                assert_series_equal(store.labels(run), result.labels, check_names=False)
                assert store.drift(run) == list(POINTS)
            else:
                assert (states[-1], store.run(run).segments, store.drift(run)) == ("running", (), [])
                assert store.finish_run(run, result, seconds=1, info={}, worker="ann").state == "done"
        assert "running" in states
        with psycopg.connect(postgres_store_url) as connection:
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
