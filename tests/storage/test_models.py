"""Models of runs in the database: tables up and down with models in them, nothing left behind, nothing huge read."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from engines.contract import MODEL_LIMIT
from engines.errors import InputError
from storage import open_store
from storage.contract import Store
from storage.migrations import downgrade, upgrade
from storage.sql.database import Database
from storage.testing.samples import Clock, finished_run, sample_customers

MODEL = bytes(range(256)) * 100


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'shop.db'}"


def with_model(store: Store) -> int:
    """A finished run that has a model."""
    _, run, result = finished_run(store, sample_customers(5))
    again = store.start_run(run.snapshot_id, "e", {}, lease_seconds=60)
    return store.finish_run(again.id, result, seconds=1, info={}, model=MODEL).id


def count(database: Database, table: str) -> int:
    with database.engine.connect() as connection:
        return connection.execute(text(f"select count(*) from {table}")).scalar_one()


def test_the_table_of_models_comes_and_goes_and_everything_else_stays(url: str):
    store = open_store(url, clock=Clock())
    run = with_model(store)
    labels = store.labels(run)
    store.close()
    database = Database(url)
    downgrade(database, "0001")
    upgrade(database)
    store = open_store(url, clock=Clock(), migrate=False)
    assert store.model(run) is None
    assert store.labels(run).equals(labels)
    assert store.model(with_model(store)) == MODEL
    store.close()
    database.close()


def test_no_model_outlives_its_run(url: str):
    store = open_store(url, clock=Clock())
    database = Database(url)
    first, second = with_model(store), with_model(store)
    assert count(database, "run_models") == 2
    store.delete_run(first)
    assert count(database, "run_models") == 1
    store.delete_snapshot(store.run(second).snapshot_id)
    assert count(database, "run_models") == 0
    store.close()
    database.close()


def test_bytes_that_no_store_wrote_are_not_read(url: str):
    store = open_store(url, clock=Clock())
    run = with_model(store)
    database = Database(url)
    huge = "zeroblob(:size)" if url.startswith("sqlite") else "decode(repeat('00', :size), 'hex')"
    with database.begin() as connection:
        connection.execute(text(f"update run_models set model = {huge}"), {"size": MODEL_LIMIT + 1})
    with pytest.raises(InputError, match=f"run {run} has 67,108,865 bytes where 67,108,864 are allowed"):
        store.model(run)
    store.close()
    database.close()
