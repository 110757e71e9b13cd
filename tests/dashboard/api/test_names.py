"""Names by hand and sentences over the REST API: what is refused, and that every face sees the same."""

import csv
import io
import shutil
from datetime import date
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.frames.cache import FrameCache
from dashboard.pipeline.series import earlier_runs
from dashboard.queries.insights import growth_base
from storage.contract import Selection
from tests.dashboard import shop


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """The folder of a filled store, and its runs by name."""
    folder = tmp_path_factory.mktemp("names")
    settings = shop.config(folder)
    store = shop.opened(settings)
    runs = shop.fill(store, settings)
    store.close()
    return folder, runs


@pytest.fixture
def desk(filled, tmp_path):
    """A client of the application on a filled store of this test's own, the store, and the runs by name."""
    folder, runs = filled
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1/api/v1") as client:
        yield client, store, runs
    store.close()


def edit(desk, run="kmeans", *, key, **values):
    client, _, runs = desk
    return client.patch(f"/runs/{runs[run]}/segments/{key}", json={"revision": 0, **values})


def test_an_edit_is_seen_by_every_route(desk):
    client, store, runs = desk
    before = max(store.run(runs["kmeans"]).segments, key=lambda item: item.revenue_share)
    path = f"/runs/{runs['kmeans']}"
    client.get(f"{path}/customers")  # the run is in memory under its old names
    answer = edit(desk, key=before.key, action="Ring them.", pinned=True).json()
    assert (answer["name"], answer["action"], answer["pinned"], answer["revision"]) == (
        before.name,
        "Ring them.",
        True,
        1,
    )
    answer = client.patch(f"{path}/segments/{before.key}", json={"name": "Friends", "revision": 1})
    assert answer.status_code == 200
    assert answer.json()["pinned"] is True  # what is not said stays
    for segments in (client.get(f"{path}/segments").json(), client.get(path).json()["segments"]):
        assert {item["key"]: item["name"] for item in segments}[before.key] == "Friends"
    listed = client.get(f"{path}/customers", params={"segment": "Friends", "limit": 1000}).json()
    assert listed["total"] == before.customers == store.count(runs["kmeans"], Selection(segments=("Friends",)))
    assert {row["segment"] for row in listed["customers"]} == {"Friends"}
    # its old name is still understood, and so is what it is known by
    for text in (before.name, before.identity):
        assert client.get(f"{path}/customers", params={"segment": text}).json()["total"] == before.customers
    rows = list(csv.DictReader(io.StringIO(client.get(f"{path}/export.csv").text)))
    assert sum(row["segment"] == "Friends" for row in rows) == before.customers
    told = client.get(f"{path}/insights").json()["insights"]
    assert "Friends" in {item["values"].get("segment") for item in told}
    assert before.name not in " ".join(item["sentence"] for item in told)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"revision": 1, "name": "Late"}, 409, "changed in the meantime"),
        ({"revision": 0, "name": "x" * 81}, 422, "at most 80"),
        ({"revision": 0, "name": "TAKEN"}, 422, "a name of its own"),
        ({"name": "No revision"}, 422, "revision"),
        ({"revision": "0", "name": "Text"}, 422, "revision"),
        ({"revision": 0, "colour": "#000000"}, 422, "colour"),
        ({"revision": 0, "pinned": 1}, 422, "pinned"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(desk, body, status, said):
    client, store, runs = desk
    run = store.run(runs["kmeans"])
    taken = run.segments[1].name
    body = {name: taken.upper() if value == "TAKEN" else value for name, value in body.items()}
    answer = client.patch(f"/runs/{run.id}/segments/{run.segments[0].key}", json=body)
    assert (answer.status_code, set(answer.json())) == (status, {"error"})
    assert said in answer.json()["error"]
    assert store.run(run.id) == run


def test_segments_that_are_not_there(desk):
    assert edit(desk, key=99, name="Nobody").status_code == 404
    assert edit(desk, "queued", key=0).status_code == 404
    assert edit(desk, "failed", key=0).json()["error"].endswith("it is failed.")


def test_another_site_cannot_rename(desk):
    client, store, runs = desk
    key = store.run(runs["kmeans"]).segments[0].key
    answer = client.patch(
        f"/runs/{runs['kmeans']}/segments/{key}",
        json={"revision": 0, "name": "Mine"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403


def test_a_name_of_the_playbook_brings_its_colour(desk):
    client, store, runs = desk
    run = store.run(runs["kmeans"])
    plays = {play.name: play.colour for play in shop.config(Path()).plays}
    free = next(name for name in plays if name not in {item.name for item in run.segments})
    first = run.segments[0]
    path = f"/runs/{run.id}/segments/{first.key}"
    assert client.patch(path, json={"revision": 0, "name": free}).json()["colour"] == plays[free] != first.colour
    assert client.patch(path, json={"revision": 1, "name": "Something else"}).json()["colour"] == first.colour
    back = client.patch(path, json={"revision": 2, "name": ""}).json()
    assert (back["name"], back["colour"]) == (first.name, first.colour)


def test_pinned_names_reach_the_next_run_and_its_export(desk):
    client, store, runs = desk
    settings = shop.config(Path())
    first = store.run(runs["kmeans"])
    key = first.segments[-1].key
    assert edit(desk, key=key, name="A first try").status_code == 200
    client.patch(
        f"/runs/{first.id}/segments/{key}",
        json={"revision": 1, "name": "Sleeping beauties", "action": "Kiss them.", "pinned": True},
    )
    following = shop.run(store, settings, store.snapshot(first.snapshot_id), "kmeans")
    found = next(item for item in store.run(following).segments if item.pinned)
    assert (found.name, found.action, found.customers) == (
        "Sleeping beauties",
        "Kiss them.",
        first.segments[-1].customers,
    )
    streamed = store.stream(following, Selection(), []).read_all()["segment"].to_pylist()
    assert streamed.count("Sleeping beauties") == found.customers


# --- sentences ------------------------------------------------------------------------------------------------------


def test_insights_are_of_the_selection(desk):
    client, _, runs = desk
    path = f"/runs/{runs['rfm']}/insights"
    everyone = client.get(path).json()
    assert everyone["run"] == runs["rfm"]
    kinds = [item["kind"] for item in everyone["insights"]]
    assert {"most_revenue", "highest_clv", "most_at_risk", "concentration", "one_order"} <= set(kinds)
    part = {item["kind"]: item for item in client.get(path, params={"country": "Germany"}).json()["insights"]}
    table = shop.customers()
    germans = table[table["country"] == "Germany"]
    once = int((germans["frequency"] == 1).sum())
    assert part["one_order"]["values"] == {"customers": once, "customer_share": once / len(germans)}
    assert f"{once:,} customers have ordered just once" in part["one_order"]["sentence"]
    assert "fastest_growth" not in part  # the earlier run's customers were not asked where they live
    assert client.get(f"/runs/{runs['queued']}/insights").status_code == 404
    assert client.get(path, params={"contry": "Germany"}).status_code == 400


def test_growth_is_measured_against_the_run_before_with_the_same_settings(desk):
    client, store, runs = desk
    late, early = store.run(runs["rfm"]), store.run(runs["early"])
    assert [run.id for run in earlier_runs(store, late)] == [early.id]
    assert earlier_runs(store, early) == []
    assert earlier_runs(store, store.run(runs["kmeans"])) == []
    settings = shop.config(Path())
    snapshot = store.snapshot(early.snapshot_id)
    shop.run(store, settings, snapshot, "kmeans", k=3)
    assert earlier_runs(store, store.run(runs["kmeans"])) == []  # another k makes other segments
    same = shop.run(store, settings, snapshot, "kmeans")
    assert [run.id for run in earlier_runs(store, store.run(runs["kmeans"]))] == [same]
    base = growth_base(late, earlier_runs(store, late))
    assert base.as_of == date(2011, 11, 1)
    told = {item["kind"]: item["values"] for item in client.get(f"/runs/{late.id}/insights").json()["insights"]}
    now, before = ({item.name: item.customers for item in run.segments} for run in (late, early))
    growth = {name: now[name] / before[name] - 1 for name in now if before.get(name, 0) >= 20}
    fastest = max(growth, key=growth.get)
    assert told["fastest_growth"] == {
        "segment": fastest,
        "before": before[fastest],
        "now": now[fastest],
        "growth": pytest.approx(growth[fastest]),
        "all": pytest.approx(400 / 300 - 1),
        "since": "2011-11-01",
    }


def test_a_frame_in_memory_follows_the_names(desk):
    _, store, runs = desk
    frames = FrameCache(store)
    before = frames.get(runs["kmeans"])
    store.edit_segment(runs["kmeans"], before.segments[0].key, revision=0, name="Anew")
    after = frames.get(runs["kmeans"])
    assert (before.segments[0].name == "Anew", after.segments[0].name) == (False, "Anew")
    assert after.customers is before.customers
    assert after.segment_codes is before.segment_codes
    assert frames.get(runs["kmeans"]) is after
