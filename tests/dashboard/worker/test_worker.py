"""The worker: the same results as in the foreground, cancelled and stopped within seconds."""

import csv
import json
import multiprocessing
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from pandas.testing import assert_series_equal
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.cli import main
from dashboard.frames.cache import FrameCache
from dashboard.pages.runs.page import layout as runs_page
from dashboard.pipeline.run import run_sales, work_run
from dashboard.pipeline.sales import SalesRequest
from dashboard.services import Services
from dashboard.worker.loop import run_worker
from engines import intake
from storage import Store, open_store
from storage.contract import LostError, Run
from tests.dashboard import shop
from tests.prepared import prepared
from tests.storage.samples import claim_run, sample_customers, sample_snapshot

PATIENCE_SECONDS = 60


@pytest.fixture
def config(tmp_path: Path):
    return shop.config(tmp_path)


@pytest.fixture
def store(config):
    store = open_store(prepared(config.database.url), clock=now)
    yield store
    store.close()


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    """Two years of sales as a file."""
    path = tmp_path / "sales.csv"
    with intake.read_sales("cdnow-sample") as read, path.open("w", newline="", encoding="utf-8") as file:
        lines = read.table.to_pyarrow().to_pandas()
        writer = csv.writer(file)
        writer.writerow(["customer_id", "order_date", "amount"])
        kept = zip(lines["customer_id"], lines["order_date"], lines["amount_units"] / 10_000, strict=True)
        writer.writerows((customer, day.date(), amount) for customer, day, amount in kept)
    return path


def drained(config, store: Store) -> list[Run]:
    return run_worker(config, store, threading.Event(), drain=True)


def until(what, *arguments):
    """What ``what`` gives as soon as it gives something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := what(*arguments):
            return found
        time.sleep(0.05)
    raise AssertionError("it never came about")


# --- the same as in the foreground ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_detached_job_gives_what_one_in_the_foreground_gives(config, store, sales, tmp_path):
    job = SalesRequest(str(sales), ("rfm", "kmeans"), as_of=date(1997, 9, 1))
    queued = run_sales(job, config, store, queue=True)
    assert [run.state for run in queued.runs] == ["queued", "queued"]
    worked = drained(config, store)
    assert [(run.id, run.state, run.attempts) for run in worked] == [(run.id, "done", 1) for run in queued.runs]

    elsewhere = config.replace(database={"url": f"sqlite:///{tmp_path / 'elsewhere.db'}"})
    other = open_store(prepared(elsewhere.database.url), clock=now)
    undisturbed = run_sales(job, elsewhere, other).runs
    for one, two in zip(worked, undisturbed, strict=True):
        assert_series_equal(store.labels(one.id), other.labels(two.id))
        assert (one.segments, one.metrics, one.notes) == (two.segments, two.metrics, two.notes)
        assert one.info.pop("memory") and two.info.pop("memory"), "which is each process's own"
        assert one.info == two.info
        assert store.drift(one.id) == other.drift(two.id) != []
        assert len(store.model(one.id)) == len(other.model(two.id)) > 0
    other.close()


def test_the_source_may_be_gone_once_its_sales_are_kept(config, store, sales):
    queued = run_sales(SalesRequest(str(sales), ("rfm",), as_of=date(1997, 9, 1)), config, store, queue=True).runs
    sales.unlink()
    run = work_run(claim_run(store, "a"), config, store, worker="a")
    assert (run.id, run.state) == (queued[0].id, "done")
    assert store.drift(run.id) != []
    assert run.metrics["holdout_revenue"] is not None


@pytest.mark.slow
def test_without_kept_sales_a_run_is_finished_and_says_what_is_missing(config, store, sales):
    engines = ("rfm", "kmeans")
    queued = run_sales(SalesRequest(str(sales), engines, as_of=date(1997, 9, 1)), config, store, queue=True).runs
    (kept,) = sales.parent.rglob("*/sales/*")
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    altered = work_run(claim_run(store, "a"), config, store, worker="a")
    kept.unlink()
    gone = work_run(claim_run(store, "a"), config, store, worker="a")
    for run, state in ((altered, "altered"), (gone, "missing")):
        assert run.state == "done"
        assert f"The sales that were kept with snapshot {run.snapshot_id} (sales.csv) are {state}" in run.notes[-1]
        assert (store.drift(run.id), run.metrics["holdout_revenue"]) == ([], None)
    again = run_sales(SalesRequest(str(sales), engines, as_of=date(1997, 9, 1)), config, store, queue=True)
    assert store.has_sales(again.snapshot.id), "reading the source anew mends it"
    assert again.snapshot.id == queued[0].snapshot_id


@pytest.mark.slow
def test_sales_that_are_not_to_be_kept_are_not(config, store, sales):
    config = config.replace(objects={"keep": False})
    run_sales(SalesRequest(str(sales), ("rfm",), as_of=date(1997, 9, 1)), config, store, queue=True)
    run = work_run(claim_run(store, "a"), config, store, worker="a")
    assert store.snapshot(run.snapshot_id).sales is None
    assert "no drift timeline: No sales are kept with snapshot" in run.notes[-1]


def test_work_on_a_run_that_was_cancelled_meanwhile_stores_nothing(config, store):
    run_sales(SalesRequest("cdnow-sample", ("rfm",), as_of=date(1997, 4, 1)), config, store, queue=True)
    run = claim_run(store, "a")

    def cancel(stage: str, done: float) -> None:
        if stage == "Storing":
            store.cancel_run(run.id)

    with pytest.raises(LostError, match="cancelled"):
        work_run(run, config, store, cancel, worker="a")
    assert (store.run(run.id).state, store.run(run.id).segments) == ("cancelled", ())


@pytest.mark.slow
def test_progress_is_of_the_whole_run_and_only_grows(config, store):
    run_sales(SalesRequest("cdnow-sample", ("kmeans",), as_of=date(1997, 9, 1)), config, store, queue=True)
    told: list[tuple[str, float]] = []
    run = claim_run(store, "a")
    work_run(run, config, store, lambda *said: told.append(said), worker="a")
    assert [done for _, done in told] == sorted(done for _, done in told)
    assert (told[0], told[-1][0]) == (("Reading customers", 0.0), "Storing")
    assert "Drift timeline of K-means" in dict(told)


def test_an_engine_that_is_not_installed_fails_its_run(config, store):
    snapshot = store.save_snapshot(sample_snapshot(), sample_customers(5))
    store.queue_run(snapshot.id, "astrology", {})
    failed = work_run(claim_run(store, "a"), config, store, worker="a")
    assert failed.state == "failed"
    assert "astrology" in failed.error


# --- ended in the middle --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_long_run_is_cancelled_put_back_or_given_up_in_seconds(config, store):
    made = store.save_snapshot(shop.new_snapshot("big", date(2011, 12, 10)), shop.customers(150_000))
    settings = {"k": 20, "seed": 0}
    cancelled, lost, stopped = (store.queue_run(made.id, "gmm", settings).id for _ in range(3))
    stop = threading.Event()
    lines: list[str] = []
    thread = threading.Thread(target=run_worker, args=(config, store, stop), kwargs={"tell": lines.append})
    thread.start()
    try:
        at_work(store, cancelled)
        store.cancel_run(cancelled)
        took = time.monotonic()
        until(lambda: f"Run {cancelled} (gmm) is cancelled" in lines)
        assert time.monotonic() - took < 3

        for attempt in (1, 2):
            assert until(lambda: store.run(lost).state == "running" and store.run(lost)).attempts <= attempt
            until(lambda n=attempt: store.run(lost).attempts == n)
            (process,) = until(multiprocessing.active_children)
            process.kill()
            until(lambda n=attempt: store.run(lost).attempts != n or store.run(lost).state != "running")
        failed = until(lambda: store.run(lost).state == "failed" and store.run(lost))
        assert "killed by SIGKILL; perhaps there was not enough memory" in failed.error

        at_work(store, stopped)
        stop.set()
        took = time.monotonic()
        thread.join(PATIENCE_SECONDS)
        assert time.monotonic() - took < 3
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)
    put_back = store.run(stopped)
    assert (put_back.state, put_back.attempts, put_back.worker) == ("queued", 0, None)
    assert multiprocessing.active_children() == []


def at_work(store: Store, run_id: int) -> None:
    until(lambda: store.run(run_id).stage == "Segmenting with Gaussian mixture")


# --- commands, API and server ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_detach_prints_the_queued_runs_and_cancel_cancels(config, store, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", config.database.url)
    words = ["run", "cdnow-sample", "--engine", "rfm", "--engine", "kmeans", "--detach"]
    told = json.loads(CliRunner().invoke(main, [*words, "--json"], catch_exceptions=False).stdout)
    assert told["snapshot"]["id"] == 1
    assert [(run["id"], run["engine"], run["state"]) for run in told["runs"]] == [
        (1, "rfm", "queued"),
        (2, "kmeans", "queued"),
    ]
    assert CliRunner().invoke(main, words).stdout == "3\trfm\tqueued\n4\tkmeans\tqueued\n"
    assert len(store.snapshots()) == 1
    assert CliRunner().invoke(main, ["cancel", "1"]).exit_code == 0
    assert store.run(1).state == "cancelled"
    store.fail_run(2, "no memory")
    refused = CliRunner().invoke(main, ["cancel", "2"])
    assert (refused.exit_code, "Run 2 is failed" in refused.stderr) == (2, True)
    assert CliRunner().invoke(main, ["cancel", "9"]).exit_code == 2
    claim_run(store, "a")
    store.renew_job(store.run(3).job_id, "a", lease_seconds=60, stage="Looking back", progress=0.5)
    listed = json.loads(CliRunner().invoke(main, ["runs", "--json"]).stdout)[1]
    shown = {name: listed[name] for name in ("id", "state", "stage", "progress", "attempts", "error")}
    assert shown == {
        "id": 3,
        "state": "running",
        "stage": "Looking back",
        "progress": 0.5,
        "attempts": 1,
        "error": None,
    }
    assert "50%: Looking back" in " ".join(CliRunner().invoke(main, ["runs"], env={"COLUMNS": "200"}).stdout.split())


def test_the_api_tells_how_far_a_run_is_and_cancels_it(config, store):
    made = store.save_snapshot(shop.new_snapshot("shop", date(2011, 12, 10)), shop.customers(150))
    run = store.queue_run(made.id, "kmeans", {})
    claim_run(store, "a")
    store.renew_job(run.job_id, "a", lease_seconds=60, stage="Storing", progress=0.9)
    with TestClient(create_app(config, store, environ={}), base_url="http://127.0.0.1") as client:
        path = f"/api/v1/runs/{run.id}"
        told = client.get(path).json()
        assert (told["state"], told["stage"], told["progress"], told["attempts"]) == ("running", "Storing", 0.9, 1)
        assert "Storing, 90\\xa0%" in str(runs_page(Services(config, store, FrameCache(store))))
        assert client.post(f"{path}/cancel").json()["state"] == "cancelled"
        assert not store.renew_job(run.job_id, "a", lease_seconds=60)
        done = shop.run(store, config, made, "rfm")
        refused = client.post(f"/api/v1/runs/{done}/cancel")
        assert (refused.status_code, refused.json()["error"].split(";")[0]) == (422, f"Run {done} is done")
        assert client.post("/api/v1/runs/99/cancel").status_code == 404
