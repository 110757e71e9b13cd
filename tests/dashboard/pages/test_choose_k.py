"""The page that helps to choose k: what is there at once, what is asked for, and what it says."""

import json
from datetime import date

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.frames.cache import FrameCache
from dashboard.pages.choose_k import page
from dashboard.services import Services
from engines.errors import InputError
from tests.dashboard import shop
from tests.dashboard.answering import answering
from tests.dashboard.headless import callback

OUTPUTS = ["choose-k-result.children", "choose-k-tick.disabled", "choose-k-job.data", "choose-k-try.disabled"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("choose"))
    store = shop.opened(settings)
    snapshot = store.save_snapshot(shop.new_snapshot("shop", date(2011, 12, 10)), shop.customers(220))
    runs = {name: shop.run(store, settings, snapshot, name) for name in ("rfm", "gmm")}
    app = create_app(settings, store, environ={})
    with TestClient(app, base_url="http://127.0.0.1") as client, answering(settings, store):
        yield Services(settings, store, FrameCache(store)), client, snapshot, runs
    store.close()


INPUTS = ("choose-k-try.n_clicks", "choose-k-engine.value", "theme.data")
ENDS = ("choose-k-from.value", "choose-k-to.value")


def named(text):
    return dict(zip(("id", "property"), text.rsplit(".", 1), strict=True))


def drawn(client, snapshot, *, engine="kmeans", ends=(3, 8), clicks=None, theme="light", asked_by=INPUTS[1]):
    """What the page shows after ``asked_by`` was used, as the text of its JSON."""
    state = {"choose-k-job.data": None, "choose-k-snapshot.data": snapshot.id}
    given = {INPUTS[0]: clicks, INPUTS[1]: engine, **dict(zip(ENDS, ends, strict=True)), INPUTS[2]: theme}
    given["choose-k-tick.n_intervals"] = None
    body = {
        "output": f"..{'...'.join(OUTPUTS)}..",
        "outputs": [named(name) for name in OUTPUTS],
        "inputs": [{**named(name), "value": value} for name, value in given.items()],
        "state": [{**named(name), "value": value} for name, value in state.items()],
        "changedPropIds": [asked_by],
    }
    answer = client.post("/_dash-update-component", json=body)
    assert answer.status_code == 200, answer.text
    return json.dumps(answer.json()["response"]["choose-k-result"]["children"], ensure_ascii=False)


def test_the_layout_begins_with_the_runs_engine_where_it_has_a_k(desk):
    services, _, _, runs = desk

    def begun(**query):
        return json.dumps(page.layout(services, **query).to_plotly_json(), default=lambda item: item.to_plotly_json())

    assert '"value": "gmm"' in begun(run=str(runs["gmm"]))
    assert '"id": "choose-k-engine"' in begun(run=str(runs["rfm"]))
    assert '"value": "gmm", "size"' not in begun(run=str(runs["rfm"]))
    assert "220 customers" in begun(run=str(runs["rfm"]))
    with pytest.raises(InputError):
        page.layout(services, run="none")
    assert "segmentry run" in begun()


def test_small_snapshots_are_tried_at_once(desk):
    _, client, snapshot, _ = desk
    text = drawn(client, snapshot)
    assert "K-means: k = " in text
    assert "Distances are measured in log recency_days, log frequency, log monetary" in text
    assert "silhouettes on all of them" in text
    for title in ("Silhouette", "Stability", "Smallest segment", "Inertia", "The figures"):
        assert f'"{title}"' in text
    assert '"BIC"' not in text and '"Gap statistic"' not in text
    assert text.count("choose-k-silhouette") >= 1
    assert text.count('"Run with k = ') == 6  # the recommended one and the runners-up
    assert "Runners-up" in text and "Other measures alone would take: silhouette k = " in text
    assert "There are no later months" in text or "There is no later revenue to choose by" in text


def test_the_range_is_asked_for(desk):
    _, client, snapshot, _ = desk
    text = drawn(client, snapshot, ends=(4, 5), asked_by=ENDS[0])
    assert '"Run with k = 4"' in text and '"Run with k = 5"' in text and text.count('"Run with k = ') == 2
    assert "k from 5 to 4 is no range" in drawn(client, snapshot, ends=(5, 4), asked_by=ENDS[0])


def test_a_button_starts_the_run_and_leads_to_its_progress(desk):
    services, client, snapshot, _ = desk
    button = {"type": "choose-k-run", "k": 5}

    def pressed(clicks, engine="kmeans"):
        body = {
            "output": "..choose-k-leave.data...choose-k-refused.children..",
            "outputs": [named("choose-k-leave.data"), named("choose-k-refused.children")],
            "inputs": [[{"id": button, "property": "n_clicks", "value": clicks}]],
            "state": [
                {**named("choose-k-engine.value"), "value": engine},
                {**named("choose-k-snapshot.data"), "value": snapshot.id},
            ],
            "changedPropIds": [json.dumps(button, sort_keys=True, separators=(",", ":")) + ".n_clicks"],
        }
        return client.post("/_dash-update-component", json=body)

    assert pressed(None).status_code == 204
    answer = pressed(1).json()["response"]
    run = services.store.runs(snapshot_id=snapshot.id)[0]
    assert answer["choose-k-leave"]["data"] == f"/new?started={run.id}"
    assert (run.engine, run.k, run.seed, run.state, run.starter.way) == ("kmeans", 5, 0, "queued", "page")
    assert "no k" in pressed(1, "rfm").text or "k" in pressed(1, "nothing").text


def test_large_snapshots_wait_for_the_button(desk, monkeypatch):
    _, client, snapshot, _ = desk
    monkeypatch.setattr(page, "SMALL", 100)
    assert "Not tried yet" in drawn(client, snapshot, engine="hierarchical")
    assert "Not tried yet" in drawn(client, snapshot, engine="hierarchical", asked_by=INPUTS[2])
    assert "Hierarchical: k = " in drawn(client, snapshot, engine="hierarchical", clicks=1, asked_by=INPUTS[0])
    # what is at hand is shown without being asked for again
    assert "Hierarchical: k = " in drawn(client, snapshot, engine="hierarchical", theme="dark", asked_by=INPUTS[2])


def test_an_engine_that_cannot_is_told_in_the_alert(desk):
    _, client, snapshot, _ = desk
    body = callback(
        client,
        OUTPUTS,
        [
            (INPUTS[0], 1),
            (INPUTS[1], "rfm"),
            (ENDS[0], 3),
            (ENDS[1], 8),
            (INPUTS[2], "light"),
            ("choose-k-tick.n_intervals", None),
        ],
        [("choose-k-job.data", None), ("choose-k-snapshot.data", snapshot.id)],
    )
    assert "no k to choose" in body.text


def test_the_engine_is_kept_in_the_address_and_come_back_from_it(desk):
    services, client, _, runs = desk

    def address(engine, search, ends=(3, 8)):
        chosen = [(INPUTS[1], engine), *zip(ENDS, ends, strict=True)]
        answer = callback(client, ["choose-k-remembered.data"], chosen, [("url.search", search)]).json()
        return answer.get("sideUpdate", {}).get("url", {}).get("search")

    def shown(search, before):
        outputs = [INPUTS[1], *ENDS]
        answer = callback(client, outputs, [("url.search", search)], [*zip(outputs, before, strict=True)])
        changed = answer.json()["response"] if answer.text else {}
        return [changed.get(name.split(".")[0], {}).get("value") for name in outputs]

    here = f"?run={runs['gmm']}&country=C%C3%B4te"
    assert address("kmeans", here) == f"{here}&engine=kmeans"
    assert address("kmeans", f"{here}&engine=kmeans") is None
    assert address("kmeans", f"{here}&engine=kmeans", (3, 6)) == f"{here}&engine=kmeans&k-max=6"
    assert address("gmm", f"{here}&engine=kmeans&k-min=2") == here  # what holds without a word is not spelt out
    assert shown(here, ("kmeans", 3, 8)) == ["gmm", None, None]
    assert shown(f"{here}&engine=kmeans&k-min=4", ("kmeans", 3, 8)) == [None, 4, None]
    assert shown(f"{here}&engine=rfm", ("kmeans", 3, 8)) == ["gmm", None, None]
    # links of old that ask for the gap statistic still lead here
    old = page.layout(services, run=str(runs["gmm"]), gap="yes").to_plotly_json()
    assert '"value": "gmm"' in json.dumps(old, default=lambda item: item.to_plotly_json())
