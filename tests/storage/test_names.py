"""The step that brings names given by hand: it leaves what was there alone, on the way up and on the way down."""

from __future__ import annotations

from pathlib import Path

import pytest
from pandas.testing import assert_series_equal
from sqlalchemy import inspect

from storage import open_store
from storage.migrations import downgrade, upgrade
from storage.sql.database import Database
from storage.testing.samples import Clock, finished_run, sample_customers


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'shop.db'}"


def stepped(url: str, step, revision: str) -> set[str]:
    """The tables after a step up or down."""
    database = Database(url)
    step(database, revision)
    with database.engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
    database.close()
    return tables


def test_names_come_and_go_and_the_runs_stay(url: str):
    store = open_store(url, clock=Clock())
    _, run, result = finished_run(store, sample_customers(30))
    store.edit_segment(run.id, 0, revision=0, name="By hand", pinned=True)
    store.close()
    assert "segment_edits" not in stepped(url, downgrade, "0002")
    assert "segment_edits" in stepped(url, upgrade, "0003")
    store = open_store(url, clock=Clock())
    assert store.run(run.id) == run  # as the run itself has it: what was said by hand is gone with its table
    assert_series_equal(store.labels(run.id), result.labels, check_names=False)
    edited = store.edit_segment(run.id, 0, revision=0, name="By hand again")
    assert edited.segments[0].name == "By hand again"
    store.close()
