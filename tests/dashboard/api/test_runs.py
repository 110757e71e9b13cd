"""Runs over the API: several at once, a chosen k, another date, progress, again, and gone; and the worker's part."""

import threading
from datetime import date

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.pipeline.run import run_sales
from dashboard.pipeline.sales import SalesRequest
from dashboard.worker.loop import run_worker
from tests.dashboard import shop
from tests.prepared import copy_store


@pytest.fixture(scope="module")
def made(cdnow_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    settings = shop.config(folder)
    copy_store(cdnow_folder / "segmentry.db", folder / "shop.db")
    store = shop.opened(settings)
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client:
        yield settings, store, client
    store.close()


REFUSED = [
    ({"snapshot": 1}, 'Name one "engine"'),
    ({"engine": "kmeans"}, 'Name a "snapshot"'),
    ({"dataset": "nowhere", "engine": "kmeans"}, "There is no data set 'nowhere'"),
    ({"snapshot": 1, "engine": "rfm", "k": "auto"}, "RFM has no k to choose"),
    ({"snapshot": 1, "engine": "kmeans", "k": 99}, "K-means: k = 99 is out of range"),
    ({"snapshot": 1, "engine": "kmeans", "settings": {"features": ["colour"]}}, "no column 'colour'"),
    ({"snapshot": 1, "engines": ["rfm", "tea"]}, "There is no engine 'tea'"),
    ({"dataset": "CDNOW 1/10 sample", "as_of": "1990-01-01", "engine": "rfm"}, "choose a date from 1997-01-02"),
]


@pytest.mark.parametrize(("body", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_what_cannot_be_run_is_one_sentence_and_nothing_is_queued(made, body, sentence):
    _, store, client = made
    before = len(store.runs())
    answer = client.post("/api/v1/runs", json=body)
    assert answer.status_code == 422
    assert sentence in answer.json()["error"]
    assert len(store.runs()) == before


def test_from_an_order_to_finished_runs(made):
    settings, store, client = made
    body = {
        "dataset": "CDNOW 1/10 sample",
        "as_of": "1997-04-10",
        "engines": ["rfm", {"engine": "kmeans", "settings": {"seed": 3}}],
        "k": "auto",
    }
    queued = client.post("/api/v1/runs", json=body, auth=("anna", "any")).json()["runs"]
    asked = [(run["engine"], run["state"], run["k"]) for run in queued]
    assert asked == [("rfm", "queued", None), ("kmeans", "queued", None)]
    assert queued[0]["started"] == {"via": "api", "by": "anna"}
    run_worker(settings, store, threading.Event(), drain=True)
    rfm, kmeans = (client.get(f"/api/v1/runs/{run['id']}").json() for run in queued)
    assert (rfm["state"], rfm["as_of"], kmeans["state"], kmeans["as_of"]) == ("done", "1997-04-10") * 2
    assert kmeans["snapshot"] == rfm["snapshot"] != 1
    assert kmeans["k"] in range(2, 13)
    assert any(f"k = {kmeans['k']} was chosen." in line["text"] for line in kmeans["log"])
    assert kmeans["notes"][0].startswith(f"k = {kmeans['k']} was chosen.")
    assert {"Opening kept sales", "Estimating value", "Storing"} <= {line["text"] for line in rfm["log"]}
    assert kmeans["seconds_left"] is None
    direct = run_sales(
        SalesRequest("cdnow-sample", engines=("rfm",), as_of=date(1997, 4, 10)), settings, store, reuse_runs=True
    )
    assert direct.snapshot.id == rfm["snapshot"]  # the very same snapshot as the command line makes

    again = client.post(f"/api/v1/runs/{kmeans['id']}/rerun", json={"newest": False})
    assert again.status_code == 202
    assert again.json()["settings"] == kmeans["settings"]
    assert client.post(f"/api/v1/runs/{again.json()['id']}/cancel").json()["state"] == "cancelled"
    assert client.get(f"/api/v1/runs/{kmeans['id']}/dependents").json()["labels"] == len(store.labels(kmeans["id"]))
    gone = client.delete(f"/api/v1/runs/{kmeans['id']}").json()
    assert gone["labels"] > 0
    assert client.get(f"/api/v1/runs/{kmeans['id']}").status_code == 404
