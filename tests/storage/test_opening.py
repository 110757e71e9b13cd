"""Opening a store: tables up and down, addresses that work, and errors that say what to do and keep secrets."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from storage import open_store
from storage.contract import Selection, StoreError
from storage.sql.database import Database
from tests.storage.samples import Clock, finished_run, sample_customers


def test_tables_that_are_not_up_to_date_are_an_error_when_they_must_not_be_changed(empty_url: str):
    with pytest.raises(StoreError, match="no tables of this version"):
        open_store(empty_url, clock=Clock(), migrate=False)


def test_a_later_versions_tables_are_left_alone(url: str):
    open_store(url, clock=Clock()).close()
    database = Database(url)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    for migrate in (True, False):
        with pytest.raises(StoreError, match="later version"):
            open_store(url, clock=Clock(), migrate=migrate)


def test_someone_elses_table_of_customers_is_left_alone(empty_url: str):
    database = Database(empty_url)
    with database.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE customers (name TEXT)")
    database.close()
    with pytest.raises(StoreError, match="customers that is not Segmentry's"):
        open_store(empty_url, clock=Clock())


def test_sqlite_is_set_up_for_several_processes(tmp_path: Path):
    open_store(f"sqlite:///{tmp_path / 'shop.db'}", clock=Clock()).close()
    database = Database(f"sqlite:///{tmp_path / 'shop.db'}")
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    database.close()


def test_arrow_never_opens_the_live_sqlite_file(tmp_path: Path):
    """Two SQLite libraries on one file would undo each other's locks: the log would vanish while it is in use."""
    path = tmp_path / "shop.db"
    store = open_store(f"sqlite:///{path}", clock=Clock())
    _, run, _ = finished_run(store, sample_customers(50))
    store.labels(run.id)
    assert Path(f"{path}-wal").exists()
    # another process sees what is written after all that
    store.queue_run(run.snapshot_id, "e", {})
    count = f"import sqlite3; print(sqlite3.connect({str(path)!r}).execute('select count(*) from runs').fetchone()[0])"
    assert subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True).stdout == "2\n"
    store.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://bob:hunter2@host/shop", "'mysql' cannot be used; give sqlite:///FILE or postgresql://"),
        ("hunter2", "cannot be read"),
        ("postgresql://bob:hunter2@host:port/shop", "cannot be read"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("postgresql://bob:hunter2@127.0.0.1:1/shop", "postgresql://bob:***@127.0.0.1:1/shop cannot be used"),
        ("postgres://127.0.0.1:1/shop?user=bob&password=hunter2", "Check that the server runs"),
    ],
)
def test_an_address_that_cannot_be_used(url: str, words: str):
    with pytest.raises(StoreError) as caught:
        open_store(url, clock=Clock())
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_folder_that_is_not_there_and_a_file_that_is_no_database(tmp_path: Path):
    with pytest.raises(StoreError, match="Make its folder exist"):
        open_store(f"sqlite:///{tmp_path / 'no' / 'shop.db'}", clock=Clock())
    (tmp_path / "notes.db").write_text("not a database, but long enough to look at " * 40)
    with pytest.raises(StoreError, match=r"notes\.db cannot be used: file is not a database\. Name another file"):
        open_store(f"sqlite:///{tmp_path / 'notes.db'}", clock=Clock())


def test_a_file_that_cannot_be_written(tmp_path: Path):
    path = tmp_path / "shop.db"
    open_store(f"sqlite:///{path}", clock=Clock()).close()
    store = open_store(f"sqlite:///file:{path}?mode=ro&uri=true", clock=Clock())
    with pytest.raises(StoreError, match="Make the file and its folder writable"):
        finished_run(store, sample_customers(3))
    store.close()


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path):
    path = tmp_path / "shop.db"
    store = open_store(f"sqlite:///{path}", clock=Clock())
    with sqlite3.connect(path) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.close()
    limited = store._database  # type: ignore[attr-defined]
    with limited.engine.connect() as opened:  # the pool's one connection, with a limit as a full disk would set it
        opened.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(StoreError, match="Free some disk space"):
        finished_run(store, sample_customers(3_000))
    assert store.snapshots() == []
    store.close()


@pytest.mark.postgres
def test_a_wrong_password_and_a_missing_database_are_said_without_the_password(postgres_url: str):
    server = postgres_url.rpartition("/")[0].replace("segmentry@", "segmentry:hunter2@")
    with pytest.raises(StoreError, match="Create it, or correct DATABASE_URL") as caught:
        open_store(f"{server}/nowhere", clock=Clock())
    assert "hunter2" not in str(caught.value)


@pytest.mark.postgres
def test_a_big_run_is_read_at_once_even_while_postgres_believes_all_are_small(postgres_url: str):
    # it knows of small runs alone, and so would look through all customers for each label
    store = open_store(f"{postgres_url}?options=-c%20statement_timeout%3D4000", clock=Clock())
    for number in range(3):
        finished_run(store, sample_customers(5), fingerprint=str(number))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("alter table customers set (autovacuum_enabled = off)")
        connection.execute("alter table labels set (autovacuum_enabled = off)")
        connection.execute("analyze")
    _, run, _ = finished_run(store, sample_customers(30_000), fingerprint="big")
    assert store.count(run.id, Selection(bounds={"frequency": (1, None)})) == 30_000
    assert sum(batch.num_rows for batch in store.stream(run.id, Selection(), [])) == 30_000
    store.close()


@pytest.mark.postgres
def test_a_lost_connection_is_an_error_and_then_forgotten(postgres_url: str):
    store = open_store(postgres_url, clock=Clock())
    _, run, _ = finished_run(store, sample_customers(5))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
    assert store.run(run.id) == run
    assert len(store.labels(run.id)) == 5
    store.close()
