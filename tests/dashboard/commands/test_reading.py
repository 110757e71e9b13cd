"""How a source is read, said on the command line: it goes with the snapshot and the schedule, and no password does."""

import json
import sqlite3

import pytest
from click.testing import CliRunner

from dashboard.cli import main
from dashboard.clock import now
from dashboard.config import load_config
from dashboard.pipeline.run import run_sales
from dashboard.pipeline.sales import SalesRequest, as_read
from dashboard.worker.schedules import new_schedule, schedule_request
from engines.errors import InputError
from storage import open_store

LINES = [f"{n % 30};{1 + n % 28}.0{1 + n % 9}.2024;{n % 50 + 1}" for n in range(300)]
BARE = ("customer_id", "order_date", "amount")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/segmentry.db")
    (tmp_path / "bare.csv").write_text("\n".join(LINES), encoding="utf-8")
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("create table sales (customer_id integer, order_date text, amount real)")
    rows = [(n % 30, f"2024-0{1 + n % 9}-{1 + n % 28:02d}", n % 50 + 1) for n in range(300)]
    connection.executemany("insert into sales values (?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return tmp_path


def call(*words, code=0):
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture
def store(home):
    opened = open_store(load_config().database.url, clock=now)
    yield opened
    opened.close()


@pytest.mark.slow
def test_a_run_of_a_file_without_a_header_is_reproduced_as_it_was_read(home, store):
    call("run", "bare.csv", "--engine", "rfm", code=2)
    done = call("run", "bare.csv", "--engine", "rfm", "--columns", ",".join(BARE), "--separator", "semicolon", "--json")
    found = json.loads(done.stdout)
    snapshot = store.snapshot(found["snapshot"]["id"])
    assert snapshot.settings["reading"]["columns"] == list(BARE)
    assert snapshot.settings["reading"]["separator"] == ";"
    assert as_read(snapshot, load_config()).reading.columns == tuple(BARE)
    again = json.loads(call("reproduce", found["runs"][0]["id"], "--json").stdout)
    assert again["identical"] is True
    labels = json.loads(call("predict", found["runs"][0]["id"], "--input", "bare.csv", "--json").stdout)
    assert len(labels["customers"]) == 30


@pytest.mark.slow
def test_a_database_is_run_reproduced_and_worked_on_from_its_address(home, store):
    done = call("run", "sqlite:///shop.db", "--engine", "rfm", "--table", "sales", "--json")
    found = json.loads(done.stdout)
    snapshot = store.snapshot(found["snapshot"]["id"])
    assert snapshot.info["source_kind"] == "database"
    assert snapshot.info["location"] == f"sqlite:///{home}/shop.db"
    assert json.loads(call("reproduce", found["runs"][0]["id"], "--json").stdout)["identical"] is True
    refused = call("run", "sqlite:///shop.db", "--table", "sales", "--query", "select 1", code=2)
    assert "cannot both be given" in refused.stderr


def test_a_schedule_keeps_how_its_source_is_read(home, store):
    words = ("--every", "day", "--engine", "rfm", "--columns", ",".join(BARE), "--separator", ";", "--json")
    kept = json.loads(call("schedule", "add", "bare.csv", *words).stdout)
    assert kept["reading"] == {"columns": list(BARE), "separator": ";"}
    (schedule,) = store.schedules()
    outcome = run_sales(schedule_request(schedule), load_config(), store, queue=True)
    assert outcome.snapshot.customers == 30


def test_a_folder_a_pattern_and_a_database_can_be_scheduled(home):
    config = load_config()
    (home / "sales").mkdir()
    (home / "sales" / "a.csv").write_text("x")
    for source, kept in {
        "sales": f"{home}/sales",
        "sales/*.csv": f"{home}/sales/*.csv",
        "sqlite:///shop.db": f"sqlite:///{home}/shop.db",
        "postgresql://me@host/shop": "postgresql://me@host/shop",
    }.items():
        assert new_schedule(SalesRequest(source, ("rfm",)), "day", "UTC", config).source == kept
    for source in ("postgresql://me:s3cret@host/shop", "postgresql://me@host/shop?password=s3cret"):
        with pytest.raises(InputError) as caught:
            new_schedule(SalesRequest(source, ("rfm",)), "day", "UTC", config)
        assert "s3cret" not in str(caught.value)
    with pytest.raises(InputError, match="date_order"):
        new_schedule(SalesRequest("bare.csv", reading={"date_order": "sideways"}), "day", "UTC", config)


@pytest.mark.postgres
def test_a_password_is_kept_nowhere(home, store, postgres_url):
    import psycopg

    with psycopg.connect(postgres_url) as connection:
        connection.execute("create table sales (customer_id integer, order_date date, amount numeric)")
        connection.execute("insert into sales select n % 30, date '2024-01-01' + n, n from generate_series(1, 300) n")
    url = postgres_url.replace("segmentry@", "segmentry:s3cret@")
    outcome = run_sales(SalesRequest(url, ("rfm",), reading={"table": "sales"}), load_config(), store)
    assert outcome.snapshot.source == outcome.snapshot.info["location"] == postgres_url
    call("reproduce", outcome.runs[0].id)
    for file in home.glob("segmentry.db*"):
        assert b"s3cret" not in file.read_bytes()
    queued = run_sales(SalesRequest(url, ("kmeans",), reading={"table": "sales"}), load_config(), store, queue=True)
    assert "s3cret" not in repr(queued.runs)


def test_options_that_make_no_sense_are_refused(home):
    assert "--separator x" in call("run", "bare.csv", "--separator", "x", code=2).stderr
    assert "every column needs a name" in call("run", "bare.csv", "--columns", "a,,b", code=2).stderr
    assert "no encoding 'nope'" in call("run", "bare.csv", "--encoding", "nope", code=2).stderr
