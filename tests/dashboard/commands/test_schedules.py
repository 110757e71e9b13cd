"""Schedules: due times in every zone, the commands, and a worker that starts each due time once."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from dashboard.config import load_config
from dashboard.pipeline.run import run_sales
from dashboard.pipeline.sales import SalesRequest
from dashboard.worker.schedules import MAX_ATTEMPTS, cron_of, new_schedule, next_due, refresh, schedule_request
from engines.errors import InputError
from storage import open_store
from storage.contract import NotFoundError
from storage.contract.jobs import REFRESH
from tests.dashboard.calling import call
from tests.prepared import prepared
from tests.quick import QUICK
from tests.storage.samples import Clock

SHOP = """InvoiceNo,Quantity,InvoiceDate,UnitPrice,CustomerID
1,2,2024-01-05,2.50,1
2,1,2024-01-20,4.00,1
3,3,2024-02-01,2.50,2
4,9,2024-02-10,1.00,3
5,90,2024-02-11,1.00,4
"""
BERLIN = "Europe/Berlin"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- when ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cron", "zone", "after", "due"),
    [
        ("0 6 1 * *", "UTC", "2026-11-20 12:00", "2026-12-01 06:00"),
        ("0 6 1 * *", BERLIN, "2026-10-31 12:00", "2026-11-01 05:00"),  # winter
        ("0 6 1 * *", BERLIN, "2026-03-31 12:00", "2026-04-01 04:00"),  # summer
        ("0 6 1 * *", BERLIN, "2026-11-01 05:00", "2026-12-01 05:00"),  # never the moment itself
        ("0 6 1 * *", BERLIN, "2026-11-01 04:59:59", "2026-11-01 05:00"),
        ("0 6 1 * *", "Asia/Kathmandu", "2026-10-31 12:00", "2026-11-01 00:15"),
        ("0 6 31 * *", "UTC", "2026-03-31 07:00", "2026-05-31 06:00"),  # April has no 31st
        ("0 6 L * *", "UTC", "2028-02-01 00:00", "2028-02-29 06:00"),
        # 02:30 does not come on the day clocks go from 02:00 to 03:00: as soon as they have
        ("30 2 * * *", BERLIN, "2026-03-28 12:00", "2026-03-29 01:00"),
        ("30 2 * * *", BERLIN, "2026-03-29 01:00", "2026-03-30 00:30"),
        # 02:30 comes twice on the day clocks go from 03:00 to 02:00: the first counts, whenever it is asked for
        ("30 2 * * *", BERLIN, "2026-10-24 12:00", "2026-10-25 00:30"),
        ("30 2 * * *", BERLIN, "2026-10-25 00:30", "2026-10-26 01:30"),
        ("30 2 * * *", BERLIN, "2026-10-25 01:10", "2026-10-26 01:30"),
        # every hour is every real hour
        ("0 * * * *", BERLIN, "2026-10-25 00:00", "2026-10-25 01:00"),
        ("0 * * * *", BERLIN, "2026-03-29 00:30", "2026-03-29 01:00"),
    ],
)
def test_due_times(cron, zone, after, due):
    assert next_due(cron, zone, moment(after)) == moment(due)


def test_a_year_of_days_has_each_day_once_whatever_the_clocks_do():
    due, last = [], moment("2026-01-01 00:00")
    while last < moment("2027-01-01 00:00"):
        last = next_due("30 2 * * *", BERLIN, last)
        due.append(last)
    gaps = {later - earlier for earlier, later in pairwise(due)}
    assert len(due) == 366
    # the day clocks go forward it is half an hour late by the sun, and early again the next day
    assert gaps == {timedelta(days=1), timedelta(hours=23.5), timedelta(hours=25)}


def test_friendly_forms_and_refusals():
    assert [cron_of(every) for every in ("month", "Week", " day ")] == ["0 6 1 * *", "0 6 * * 1", "0 6 * * *"]
    assert cron_of(" 0  6 1 * * ") == "0 6 1 * *"
    for every in ("soon", "", "* * * *", "0 6 1 * * *", "61 * * * *", "0 0 30 2 *", "0 0 31 4,6 *"):
        with pytest.raises(InputError, match="month, week, day or five fields"):
            cron_of(every)


# --- the commands ----------------------------------------------------------------------------------------------------


@pytest.fixture
def segmentry(tmp_path, monkeypatch):
    """Calls ``segmentry`` in a folder of its own that has a shop.csv."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    return call


def listed(segmentry) -> list[dict]:
    return json.loads(segmentry("schedule", "list", "--json").stdout)


def test_a_schedule_is_added_listed_paused_resumed_and_removed(segmentry, tmp_path):
    assert "No schedules yet" in segmentry("schedule", "list").stdout
    words = (
        "--engine",
        "rfm",
        "--engine",
        "kmeans",
        "--k",
        2,
        "--seed",
        7,
        "--name",
        "Mine",
        "--map",
        "quantity=Quantity",
    )
    added = json.loads(
        segmentry("schedule", "add", "shop.csv", "--every", "0 6 1 * *", "--time-zone", BERLIN, *words, "--json").stdout
    )
    expected = {
        "id": 1,
        "source": str(tmp_path / "shop.csv"),
        "engines": ["rfm", "kmeans"],
        "k": 2,
        "seed": 7,
        "mapping": {"quantity": "Quantity"},
        "name": "Mine",
        "cron": "0 6 1 * *",
        "time_zone": BERLIN,
        "state": "waiting",
        "last": None,
    }
    assert {name: added[name] for name in expected} == expected
    due = datetime.fromisoformat(added["next_due"])
    assert (due.day, due.hour, due > datetime.now(UTC)) == (1, 6, True)
    assert listed(segmentry) == [added]
    shown = segmentry("schedule", "list").stdout
    assert "At 06:00 on the first day of every month" in shown and "Mine with rfm, kmeans" in shown
    segmentry("schedule", "pause", 1)
    assert listed(segmentry)[0]["state"] == "paused"
    assert "Paused" in segmentry("schedule", "list").stdout
    segmentry("schedule", "resume", 1)
    assert listed(segmentry) == [added]
    segmentry("schedule", "remove", 1)
    assert listed(segmentry) == []
    for verb in ("pause", "resume", "remove"):
        assert "no schedule 1" in segmentry("schedule", verb, 1, code=2).stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("nowhere.csv", "--every", "month"), "nowhere.csv"),
        (("shop.csv", "--every", "soon"), "soon"),
        (("shop.csv", "--every", "month", "--time-zone", "Mars/Base"), "Mars/Base"),
        (("shop.csv", "--every", "month", "--time-zone", "../etc/passwd"), "../etc/passwd"),
        (("shop.csv", "--every", "month", "--engine", "magic"), "magic"),
        (("shop.csv", "--every", "month", "--map", "land=Country"), "land"),
        (("shop.csv",), "--every"),
        (("postgresql://u:hunter2@host/db", "--every", "month"), "PGPASSWORD"),
        (("https://host/sales.csv?token=hunter2", "--every", "month"), "PGPASSWORD"),
        (("host=db user=u password=hunter2", "--every", "month"), "PGPASSWORD"),
    ],
)
def test_what_cannot_run_is_refused_and_no_secret_is_repeated(segmentry, words, named):
    done = segmentry("schedule", "add", *words, code=2)
    assert named in done.stderr
    assert "hunter2" not in done.output
    assert listed(segmentry) == []


# --- the worker's part -----------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> Clock:
    return Clock()


# tests/storage has the store's verbs on both kinds of database; of these tests only the race needs both.
@pytest.fixture(params=["sqlite"])
def config(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_store_url")
    return load_config(environ={}).replace(database={"url": url}, **QUICK)


@pytest.fixture
def store(config, clock):
    store = open_store(prepared(config.database.url), clock=clock)
    yield store
    store.close()


@pytest.fixture
def source(tmp_path) -> Path:
    file = tmp_path / "shop.csv"
    file.write_text(SHOP, encoding="utf-8")
    return file


def monthly(source, config, store, clock):
    new = new_schedule(SalesRequest(str(source), ("rfm",)), "month", BERLIN, config)
    return store.add_schedule(new, next_due=next_due(new.cron, BERLIN, clock.now))


def run_due(config, store):
    """The schedule that was due, once it is refreshed; None where none was."""
    job = store.claim_job([REFRESH], lease_seconds=60, worker="a")
    if job is None:
        return None
    refresh(job, config, store)
    return store.schedule(job.subject)


@pytest.mark.slow
def test_missed_due_times_are_caught_up_once(config, store, clock, source):
    schedule = monthly(source, config, store, clock)  # on 17 May: due on 1 June
    assert run_due(config, store) is None
    clock.now = moment("2024-09-02 10:00")  # off in June, July and August
    done = run_due(config, store)
    assert (done.last_due, done.last_error, done.last_runs) == (schedule.next_due, None, (1,))
    assert done.next_due == moment("2024-10-01 04:00")
    assert run_due(config, store) is None
    (run,) = store.runs()
    assert (run.engine, run.state, run.dataset) == ("rfm", "queued", "shop.csv")
    clock.now = moment("2024-10-01 04:00")
    assert run_due(config, store).last_runs == (1,), "the sales are what they were"
    assert len(store.runs()) == 1
    source.write_text(SHOP + "6,1,2024-03-01,5.00,2\n", encoding="utf-8")
    clock.now = moment("2024-11-01 05:00")
    assert run_due(config, store).last_runs == (2,)
    assert [snapshot.as_of.isoformat() for snapshot in store.snapshots()] == ["2024-03-02", "2024-02-12"]


def test_a_source_that_is_gone_is_written_down_and_the_schedule_stays(config, store, clock, source):
    monthly(source, config, store, clock)
    source.rename(source.with_name("elsewhere.csv"))
    clock.now = moment("2024-06-01 04:00")
    failed = run_due(config, store)
    assert failed.last_error == f"There is no file {source}."
    assert (failed.last_runs, failed.paused, failed.next_due) == ((), False, moment("2024-07-01 04:00"))
    assert store.runs() == store.snapshots() == []
    source.with_name("elsewhere.csv").rename(source)
    clock.now = moment("2024-07-01 04:00")
    assert (run_due(config, store).last_error, len(store.runs())) == (None, 1)


@pytest.mark.parametrize("config", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_workers_that_race_start_a_due_time_once(config, store, clock, source):
    monthly(source, config, store, clock)
    clock.now = moment("2024-06-01 04:00")
    workers = [open_store(config.database.url, clock=clock) for _ in range(4)]
    begin = threading.Barrier(4)

    def ask(worker) -> bool:
        begin.wait()
        return run_due(config, worker) is not None

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ask, workers)) == 1
    assert len(store.runs()) == 1
    for worker in workers:
        worker.close()


@pytest.mark.slow
def test_a_lost_refresh_is_taken_over_without_queueing_twice_and_given_up_in_the_end(config, store, clock, source):
    monthly(source, config, store, clock)
    clock.now = moment("2024-06-01 04:00")
    lost = store.claim_job([REFRESH], lease_seconds=-1, worker="dies")  # when the run is queued
    run_sales(schedule_request(store.schedule(lost.subject)), config, store, queue=True, reuse_runs=True)
    assert run_due(config, store).last_runs == (1,)
    assert len(store.runs()) == 1
    clock.now = moment("2024-07-01 04:00")
    for _ in range(MAX_ATTEMPTS):
        assert store.claim_job([REFRESH], lease_seconds=-1, worker="a") is not None
    failed = run_due(config, store)
    assert f"lost {MAX_ATTEMPTS} times" in failed.last_error
    assert failed.next_due == moment("2024-08-01 04:00")


def test_a_schedule_removed_meanwhile_is_gone(config, store, clock, source):
    schedule = monthly(source, config, store, clock)
    clock.now = moment("2024-06-01 04:00")
    job = store.claim_job([REFRESH], lease_seconds=60, worker="a")

    def remove(stage: str, done: float, amount: object = None) -> None:
        if (stage, done) == ("Storing", 1.0):
            store.remove_schedule(schedule.id)

    with pytest.raises(NotFoundError):
        refresh(job, config, store, remove)
    assert (store.schedules(), len(store.runs())) == ([], 1)


def test_a_worker_reads_what_is_due_and_works_on_it(segmentry, tmp_path):
    segmentry("schedule", "add", "shop.csv", "--every", "week", "--engine", "rfm")
    store = open_store(f"sqlite:///{tmp_path / 'segmentry.db'}", clock=lambda: datetime.now(UTC))
    store.pause_schedule(1)
    store.resume_schedule(1, next_due=datetime.now(UTC) - timedelta(weeks=3))
    segmentry("worker", "--drain")
    (run,) = store.runs()
    assert (run.state, run.engine, len(store.labels(run.id))) == ("done", "rfm", 4)
    (shown,) = listed(segmentry)
    assert (shown["last"]["error"], shown["last"]["runs"]) == (None, [run.id])
    assert datetime.fromisoformat(shown["next_due"]) > datetime.now(UTC)
    assert "done, runs 1" in segmentry("schedule", "list").stdout
    store.close()
