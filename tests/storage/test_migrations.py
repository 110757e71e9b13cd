"""The tables from nothing and from every earlier revision, up and down, with data in them, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from pandas.testing import assert_frame_equal, assert_series_equal
from sqlalchemy import inspect

import storage.sql.store  # noqa: F401 - with it come all tables
from storage import open_store
from storage.contract import Selection, Store
from storage.contract.schedules import NewSchedule
from storage.contract.uploads import NewUpload
from storage.migrations import downgrade, upgrade
from storage.sql.database import Database
from storage.sql.desk_tables import Base
from storage.sql.store import SqlStore
from storage.testing.samples import POINTS, Clock, finished_run, sample_customers, sample_orders, sample_snapshot
from storage.testing.watch import ALARM, LIVE, watched_run


def _script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


REVISIONS = [step.revision for step in reversed(list(_script().walk_revisions()))]
CUSTOMERS = sample_customers(40)
assert issubclass(SqlStore, Store)  # its modules bring all the tables there are
#: Columns of the customers table by the revision that brought them.
COLUMNS_SINCE = {"0007": ["clv_low", "clv_high", "p_purchase", "future_spend"]}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'shop.db'}"


def everything(store: Store) -> tuple[int, int]:
    """Something in every table; the numbers of the snapshot and of its run."""
    snapshot, run, _ = finished_run(store, CUSTOMERS)
    again = store.start_run(snapshot.id, "e", {}, lease_seconds=60)
    store.fail_run(again.id, "no memory")
    store.save_drift(run.id, POINTS)
    store.edit_segment(run.id, 0, revision=0, name="By hand")
    store.add_schedule(NewSchedule("teas.csv", "0 6 * * *", "UTC"), next_due=Clock().now)
    store.save_validation(snapshot.id, "clv", {"mae": 1.0})
    store.save_audience("Best", "min_clv=50", pinned=True)
    store.record_export(run.id, "", format="csv", rows=40)
    store.add_user("Anna", "a long password")
    store.add_api_key("nightly")
    watched_run(store, "watched", drift=[ALARM], live=LIVE)
    store.ask_upload(store.add_upload(NewUpload("0f3c.csv", "teas.csv", 10, "ab")).id, "store", {}, who="Anna")
    store.save_snapshot(sample_snapshot(fingerprint="orders"), CUSTOMERS, orders=sample_orders(CUSTOMERS))
    return snapshot.id, run.id


def tables(database: Database) -> set[str]:
    with database.engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def equals_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    assert tables(database) == {"alembic_version", *Base.metadata.tables}


def same_customers(store: Store, snapshot: int, run: int, revision: str) -> None:
    """What has been there since the first revision is as it was; columns that a later one brought came back empty."""
    later = [name for since, names in COLUMNS_SINCE.items() if revision < since for name in names]
    kept = store.snapshot_customers(snapshot)
    assert kept[later].isna().all(axis=None)
    assert_frame_equal(kept.drop(columns=later), CUSTOMERS.drop(columns=later), check_exact=True)
    assert len(store.labels(run)) == store.count(run, Selection()) == 40
    assert store.drift(run) == list(POINTS)
    assert [(each.id, each.state) for each in store.runs(snapshot_id=snapshot)] == [(run + 1, "failed"), (run, "done")]


def test_the_revisions_are_one_line_of_steps():
    assert sorted(REVISIONS) == REVISIONS
    assert len(REVISIONS) >= 6
    assert _script().get_heads() == [REVISIONS[-1]]


def test_step_by_step_from_nothing_and_back_to_nothing(url: str):
    database = Database(url)
    seen = []
    for revision in REVISIONS:
        upgrade(database, revision)
        seen.append(tables(database))
    equals_the_code(database)
    for revision, before in zip(reversed(REVISIONS[:-1]), reversed(seen[:-1]), strict=True):
        downgrade(database, revision)
        assert tables(database) == before
    downgrade(database, "base")
    assert tables(database) == {"alembic_version"}
    database.close()


@pytest.mark.parametrize("revision", REVISIONS)
def test_from_every_revision_up_with_data_in_every_table(url: str, revision: str):
    """Down to a revision with data in all tables is what an older version left behind; up again, it is still there."""
    store = open_store(url, clock=Clock())
    snapshot, run = everything(store)
    newer = store.sources(), store.audiences(), store.exports(), store.users(), store.api_keys(), store.schedules()
    labels = store.labels(run)
    assert all(newer)
    store.close()
    database = Database(url)
    downgrade(database, revision)
    upgrade(database)
    equals_the_code(database)
    database.close()
    store = open_store(url, clock=Clock(), migrate=False)
    same_customers(store, snapshot, run, revision)
    assert_series_equal(store.labels(run), labels)
    kept = store.sources(), store.audiences(), store.exports(), store.users(), store.api_keys(), store.schedules()
    if revision >= "0006":  # what was exported before more was written down is told of its run
        told = [(each.id, each.run_id, each.dataset, each.as_of, each.engine, each.state) for each in store.exports()]
        assert told == [(1, run, newer[2][0].dataset, newer[2][0].as_of, newer[2][0].engine, "complete")]
    if revision == REVISIONS[-1]:
        assert kept == newer
    else:  # what was there is there no more, and can be had anew
        store.save_audience("Best", "min_clv=50")
        store.record_export(run, "", format="csv", rows=40)
    _, again, _ = finished_run(store, CUSTOMERS)
    assert len(store.runs(snapshot_id=snapshot)) == 3
    assert store.edit_segment(again.id, 0, revision=0, name="By hand").revision == 1
    store.close()
