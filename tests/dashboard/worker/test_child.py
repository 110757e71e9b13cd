"""Jobs in a child process: ended when it is killed, cancelled, stopped or over a limit; nothing half done is stored."""

import multiprocessing
import re
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from dashboard.config import load_config
from dashboard.pipeline.answers import wait_for
from dashboard.pipeline.choose_k import KRange, k_question
from dashboard.pipeline.uploads import UploadRequest, preview_question
from dashboard.worker.loop import run_worker
from storage import Store, open_store
from storage.contract.jobs import MAX_ATTEMPTS, UPLOAD
from storage.contract.uploads import NewUpload
from tests.dashboard import shop
from tests.dashboard.uploading import ASKED, MAPPING, export
from tests.prepared import prepared
from tests.quick import QUICK

LEASE = 0.5
PATIENCE_SECONDS = 120


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def config(tmp_path: Path):
    (tmp_path / "files").mkdir()
    return load_config(environ={}).replace(
        database={"url": f"sqlite:///{tmp_path / 'shop.db'}"},
        uploads={"folder": str(tmp_path / "files")},
        engines={"use": ["rfm"]},
        worker={"lease_seconds": LEASE},
        **QUICK,
    )


@pytest.fixture
def store(config):
    opened = open_store(prepared(config.database.url), clock=now)
    yield opened
    opened.close()


@pytest.fixture
def working(config, store):
    """Starts a worker with these settings of [worker] beside the test."""
    stop, threads = threading.Event(), []

    def start(**limits) -> None:
        more = config.replace(worker=limits)
        threads.append(threading.Thread(target=run_worker, args=(more, store, stop)))
        threads[-1].start()

    yield start
    stop.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert multiprocessing.active_children() == []


def uploaded(config, store: Store):
    content = export()
    (Path(config.uploads.folder) / "ab.csv").write_bytes(content)
    return store.add_upload(NewUpload("ab.csv", "sales.csv", len(content), "ab" * 32))


def queued(config, store: Store) -> int:
    return store.ask_upload(uploaded(config, store).id, "store", ASKED).id


def long_question(config, store: Store):
    """One that takes longer than any test."""
    made = store.save_snapshot(shop.new_snapshot("big", date(2011, 12, 10)), shop.customers(60_000))
    return k_question(KRange("gmm", 2, 30), made, config)


def begun(job, store: Store):
    until = time.monotonic() + PATIENCE_SECONDS
    while store.job(job.id).stage is None:
        assert time.monotonic() < until
        time.sleep(0.05)
    return store.job(job.id)


def test_a_lost_upload_is_taken_over_and_then_given_up(config, store):
    upload = queued(config, store)
    for attempt in range(1, MAX_ATTEMPTS + 1):  # workers that claim it and are never heard of again
        assert store.claim_job([UPLOAD], lease_seconds=-1, worker="lost").attempts == attempt
    run_worker(config, store, threading.Event(), drain=True)
    found = store.upload(upload)
    assert (found.state, found.snapshot_id) == ("failed", None)
    assert f"lost with its worker {MAX_ATTEMPTS} times" in found.error
    assert store.snapshots() == []


@pytest.mark.slow
def test_after_one_loss_it_is_done(config, store):
    upload = queued(config, store)
    assert store.claim_job([UPLOAD], lease_seconds=-1, worker="lost") is not None
    run_worker(config, store, threading.Event(), drain=True)
    found = store.upload(upload)
    assert (found.state, found.error, store.jobs(UPLOAD)[0].attempts) == ("done", None, 2)
    assert [item.id for item in store.snapshots()] == [found.snapshot_id]


def test_an_answer_is_computed_while_long_work_goes_on(config, store, working):
    long = long_question(config, store)
    running = store.queue_run(long.subject, "gmm", {"k": 20, "seed": 0})
    working()
    begun(store.job(running.job_id), store)
    question = preview_question(uploaded(config, store), UploadRequest(mapping=MAPPING), config)
    done = wait_for(question.ask(store), store, PATIENCE_SECONDS)
    assert [column.name for column in question.answer(done).columns][:2] == ["Customer", "Order"]
    assert store.run(running.id).state == "running"


def test_a_preview_does_not_wait_for_a_question_that_takes_long(config, store, working):
    long = long_question(config, store).ask(store)
    working()
    begun(long, store)
    question = preview_question(uploaded(config, store), UploadRequest(mapping=MAPPING), config)
    done = wait_for(question.ask(store), store, PATIENCE_SECONDS / 4)
    assert (done.state, store.job(long.id).state) == ("done", "running")


def test_a_killed_child_is_tried_once_more_and_then_given_up(config, store, working):
    job = long_question(config, store).ask(store)
    working()
    until = time.monotonic() + PATIENCE_SECONDS
    for attempt in (1, 2):
        while begun(job, store).attempts != attempt:
            assert time.monotonic() < until
            time.sleep(0.05)
        for child in multiprocessing.active_children():
            child.kill()
        while (seen := store.job(job.id)).attempts == attempt and seen.state == "running":
            assert time.monotonic() < until
            time.sleep(0.05)
    failed = wait_for(job, store, PATIENCE_SECONDS)
    assert (failed.state, failed.result) == ("failed", None)
    assert "killed by SIGKILL; perhaps there was not enough memory" in failed.error


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        ({"memory_mb": 50}, r"more than 50 MB of memory.*\[worker\] memory_mb"),
        ({"cpu_seconds": 1}, r"more than 1 CPU seconds.*\[worker\] cpu_seconds"),
        ({"job_seconds": 0.5}, r"more than 0.5 seconds.*\[worker\] job_seconds"),
    ],
)
def test_a_job_over_a_limit_fails_and_is_not_tried_again(config, store, working, limits, error):
    job = long_question(config, store).ask(store)
    working(**limits)
    failed = wait_for(job, store, PATIENCE_SECONDS)
    assert (failed.state, failed.attempts) == ("failed", 1)
    assert re.search(error, failed.error)


def test_a_cancelled_job_ends_within_seconds(config, store, working):
    job = long_question(config, store).ask(store)
    working()
    begun(job, store)
    store.cancel_job(job.id)
    took = time.monotonic()
    while multiprocessing.active_children():
        assert time.monotonic() - took < 10
        time.sleep(0.05)


def test_a_worker_that_has_to_stop_puts_its_jobs_back(config, store):
    job, upload = long_question(config, store).ask(store), queued(config, store)
    stop = threading.Event()
    worker = threading.Thread(target=run_worker, args=(config, store, stop))
    worker.start()
    begun(job, store)
    stop.set()
    worker.join(PATIENCE_SECONDS)
    assert (store.job(job.id).state, store.job(job.id).attempts) == ("queued", 0)
    assert store.upload(upload).state in ("queued", "done")
    assert multiprocessing.active_children() == []
