"""Published runs over the API: publish, roll back, the stable addresses below a data set's name, and notes of runs."""

import io

import pandas as pd
import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from tests.dashboard import shop

NAME = "Teas & Co/north south"
SHOP = "/api/v1/datasets/Teas%20%26%20Co%2Fnorth%20south"


@pytest.fixture
def desk(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    ids = shop.fill_rfm(store, settings)
    store.rename_dataset("shop", NAME)
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client:
        yield client, store, ids
    store.close()


def test_live_says_which_run_is_published_and_publish_changes_it(desk):
    client, store, ids = desk
    live = client.get(f"{SHOP}/live").json()
    assert live["dataset"] == NAME
    assert live["run"] == {"id": ids["rfm"], "engine": "rfm", "as_of": "2011-12-10", "customers": 400}
    assert (live["published"]["who"], live["published"]["why"]) == (None, "The latest date")
    asked = {"run": ids["early"], "why": "November again", "expected": ids["rfm"]}
    made = client.post(f"{SHOP}/publish", json=asked, auth=("anna", "any"))
    assert (made.status_code, made.json()["run"]["id"]) == (200, ids["early"])
    published = made.json()["published"]
    assert (published["who"], published["why"], published["via"]) == ("anna", "November again", "api")
    checks = {check["name"]: check["passed"] for check in published["checks"]}
    assert checks == {"customers": False, "ledger": True, "segments": checks["segments"], "stability": True}
    assert client.get(f"{SHOP}/live").json() == made.json()
    assert client.get("/api/v1/datasets/Teas%20%26%20Co/north south/live").json() == made.json()
    late = client.post(f"{SHOP}/publish", json=asked)
    assert (late.status_code, "is published by now" in late.json()["error"]) == (409, True)
    back = client.post(f"{SHOP}/rollback", json={"why": "It was right"}, auth=("bob", "any")).json()
    assert (back["run"]["id"], back["published"]["kind"], back["published"]["who"]) == (ids["rfm"], "rollback", "bob")
    history = client.get(f"{SHOP}/publications").json()
    assert [(item["run"]["id"], item["previous"], item["via"]) for item in history] == [
        (ids["rfm"], ids["early"], "api"),
        (ids["early"], ids["rfm"], "api"),
        (ids["rfm"], ids["early"], "browser"),
        (ids["early"], None, "first"),
    ]
    assert store.published(NAME).run_id == ids["rfm"]


def test_customers_and_lists_below_live_are_those_of_the_run(desk):
    client, store, ids = desk
    query = "country=Germany&min_clv=10&limit=3&days=30"
    assert client.get(f"{SHOP}/live/customers?{query}").json() == (
        client.get(f"/api/v1/runs/{ids['rfm']}/customers?{query}").json()
    )
    for path in ("live/export", "live/export.csv"):
        answer = client.get(f"{SHOP}/{path}?country=Germany", auth=("anna", "any"))
        there = client.get(f"/api/v1/runs/{ids['rfm']}/export.csv?country=Germany")
        assert (answer.status_code, answer.content) == (200, there.content)
        assert answer.headers["content-disposition"] == there.headers["content-disposition"]
    assert len(pd.read_parquet(io.BytesIO(client.get(f"{SHOP}/live/export.parquet").content))) == 400
    recorded = [(item.run_id, item.user) for item in reversed(store.exports())]
    assert recorded == [(ids["rfm"], who) for who in ("anna", None, "anna", None, None)]
    client.post(f"{SHOP}/publish", json={"run": ids["early"], "why": "November again"})
    assert client.get(f"{SHOP}/live/customers").json()["total"] == 300
    assert client.get(f"{SHOP}/live/customers?colour=red").status_code == 400


def test_what_is_not_there_is_404_and_what_cannot_be_is_422(desk):
    client, store, ids = desk
    for path in ("live", "live/customers", "live/export.csv", "publications"):
        answer = client.get(f"/api/v1/datasets/nowhere/{path}")
        assert (answer.status_code, answer.json()) == (404, {"error": "There is no data set nowhere."})
    snapshot = store.save_snapshot(
        shop.new_snapshot("bare", store.snapshots()[0].as_of), shop.customers(20, country=False)
    )
    queued = store.queue_run(snapshot.id, "rfm", {})
    answer = client.get("/api/v1/datasets/bare/live")
    assert (answer.status_code, "No run of bare is published" in answer.json()["error"]) == (404, True)
    assert client.get("/api/v1/datasets/bare/publications").json() == []
    refused = [
        ("bare", {"run": queued.id, "why": "x"}, 422, f"Run {queued.id} is queued; only a finished run"),
        ("bare", {"run": ids["rfm"], "why": "x"}, 422, f"Run {ids['rfm']} is of the data set {NAME}, not of bare"),
        ("bare", {"run": 999, "why": "x"}, 404, "no run 999"),
        ("bare", {"run": queued.id}, 422, "why"),
        ("toys", {"run": ids["toys"], "why": " "}, 422, "Say why in 1 to 500 characters"),
    ]
    for name, body, status, sentence in refused:
        answer = client.post(f"/api/v1/datasets/{name}/publish", json=body)
        assert (answer.status_code, sentence in answer.json()["error"]) == (status, True), answer.json()
    assert client.post("/api/v1/datasets/bare/rollback", json={"why": "x"}).status_code == 404
    assert client.post("/api/v1/datasets/toys/rollback", json={"why": "x"}).status_code == 422


def test_a_published_run_is_409_to_delete_and_runs_say_which_is(desk):
    client, _, ids = desk
    answer = client.delete(f"/api/v1/runs/{ids['rfm']}")
    assert (answer.status_code, f"Run {ids['rfm']} is the published run" in answer.json()["error"]) == (409, True)
    listed = {run["id"]: run["published"] for run in client.get("/api/v1/runs").json()}
    assert listed == {ids["early"]: False, ids["rfm"]: True, ids["toys"]: True}
    assert client.get(f"/api/v1/runs/{ids['rfm']}").json()["published"]
    assert client.delete(f"/api/v1/runs/{ids['early']}").status_code == 200
    assert ids["early"] in [item["run"]["id"] for item in client.get(f"{SHOP}/publications").json()]


def test_a_run_is_given_a_note_and_tags(desk):
    client, _, ids = desk
    path = f"/api/v1/runs/{ids['early']}"
    made = client.patch(path, json={"note": "For Q4", "tags": ["Q4 test"]}).json()
    assert (made["note"], made["tags"]) == ("For Q4", ["Q4 test"])
    assert client.patch(path, json={"tags": []}).json()["note"] == "For Q4"
    assert client.get(path).json()["tags"] == []
    assert client.patch(path, json={"note": "x" * 501}).status_code == 422
    assert client.patch("/api/v1/runs/999", json={"note": "x"}).status_code == 404
