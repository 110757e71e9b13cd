"""The example one click away: asked for once, worked on by a worker, and always marked as made up."""

import threading

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.components import example
from dashboard.worker.loop import run_worker
from storage.contract.jobs import UPLOAD
from tests.dashboard import shop
from tests.dashboard.headless import callback


@pytest.fixture
def desk(tmp_path):
    settings = shop.config(tmp_path).replace(engines={"use": ["rfm"]}, uploads={"folder": str(tmp_path / "uploads")})
    store = shop.opened(settings)
    yield settings, store
    store.close()


def test_a_click_asks_a_worker_for_the_sample_shop_once(desk):
    store = desk[1]
    assert example.progress_of(store) == ("", False, None)
    asked = example.load_example(store)
    assert example.load_example(store).id == asked.id
    told, busy, run = example.progress_of(store)
    assert "waits for a worker" in told and busy and run is None
    claimed = store.claim_job([UPLOAD], lease_seconds=60)
    assert example.progress_of(store)[0].startswith("Reading")
    store.fail_job(claimed.id, None, "There is no room left.")
    assert example.progress_of(store) == ("There is no room left.", False, None)
    assert example.load_example(store).id != asked.id


def test_whoever_clicks_has_asked_for_it(desk):
    settings, store = desk
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client:
        outputs = ["demo-progress.children", "demo-load.disabled", "demo-tick.disabled", "demo-open.data"]
        answer = callback(client, outputs, [("demo-load.n_clicks", 1), ("demo-tick.n_intervals", None)])
        assert answer.status_code == 200
    assert [(item.task, item.asked_by) for item in store.uploads()] == [("store", "anyone")]


@pytest.mark.slow
def test_the_worker_reads_and_segments_it_and_it_says_that_it_is_made_up(desk):
    settings, store = desk
    example.load_example(store)
    run_worker(settings, store, threading.Event(), drain=True)
    _, busy, run = example.progress_of(store)
    assert not busy and store.run(run).state == "done"
    (snapshot,) = store.snapshots()
    assert snapshot.info["synthetic"] and snapshot.info["title"] == "Sample shop (synthetic)"
