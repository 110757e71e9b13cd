"""The page of one run: everything it was made of and came to, in words and figures, and names changed by hand."""

import json
from datetime import date

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.frames.cache import FrameCache
from dashboard.pages.run import page
from dashboard.pipeline.run import run_sales
from dashboard.pipeline.sales import SalesRequest
from dashboard.services import Services
from engines.metrics import METRICS
from storage.contract import Selection
from tests.dashboard import shop
from tests.dashboard.headless import words


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A store with the sample shop segmented for real by all engines, and K-means on principal components."""
    settings = shop.config(tmp_path_factory.mktemp("run"))
    own = {"features": ["recency_days", "frequency", "monetary", "tenure_days"], "components": 2, "k": 3}
    settings = settings.replace(engines={"settings": {"kmeans": own}})
    store = shop.opened(settings)
    outcome = run_sales(SalesRequest("cdnow-sample", as_of=date(1997, 4, 10)), settings, store)
    ids = {run.engine: run.id for run in outcome.runs}
    failed = store.start_run(outcome.snapshot.id, "kmeans", {"k": 9}, lease_seconds=60)
    ids["failed"] = store.fail_run(failed.id, "It did not work out. Try another k.").id
    services = Services(settings, store, FrameCache(store))
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client:
        yield services, ids, client
    store.close()


def told(desk, name):
    return words(page.layout(desk[0], run=str(desk[1][name])))


def components(part, kind):
    """All parts of a layout of one kind."""
    found = [part] if type(part).__name__ == kind else []
    children = getattr(part, "children", None)
    for child in children if isinstance(children, list | tuple) else [children]:
        found += components(child, kind) if child is not None else []
    return found


def test_settings_come_with_help_and_what_was_changed_is_marked(desk):
    layout = page.layout(desk[0], run=str(desk[1]["kmeans"]))
    rows = {words(row.children[0]): row for row in components(layout, "Tr") if len(row.children) == 3}
    k, seed = rows["k"], rows["seed"]
    assert (words(k.children[1]), words(k.children[2])) == ("3", "4")
    assert k.children[0].title == "Number of segments."
    assert (k.children[1].className, seed.children[1].className) == ("seg-best", "")
    assert words(rows["features"].children[1]) == "recency_days, frequency, monetary, tenure_days"


def test_data_and_ledger(desk):
    services, ids, _ = desk
    text = told(desk, "rfm")
    snapshot = services.store.snapshot(services.store.run(ids["rfm"]).snapshot_id)
    assert "10 Apr 1997" in text and "1 Jan 1997 to 9 Apr 1997" in text
    assert "BG/NBD and Gamma-Gamma, 26 weeks ahead, discounted by 10.0\u00a0% a year" in text
    assert f"Read {snapshot.ledger['in']['lines']:,}" in text
    assert f"Used {snapshot.ledger['out']['lines']:,} ${snapshot.ledger['out']['revenue']:,.2f}" in text


@pytest.mark.parametrize("name", ["rfm", "kmeans", "gmm", "hierarchical"])
def test_every_metric_says_what_it_means_and_which_way_is_better(desk, name):
    services, ids, _ = desk
    run, text = services.store.run(ids[name]), told(desk, name)
    for metric in METRICS.values():
        way = {"higher": "higher is better", "lower": "lower is better", "": "neither way is better"}[metric.better]
        assert f"{metric.title}  · {way}" in text or f"{metric.title} · {way}" in text.replace("  ", " ")
        assert metric.meaning in text
    assert f"{run.metrics['balance']:.3f}" in text
    assert f"Feature space: {run.info['artifacts']['space']}." in text


def test_what_the_model_has_to_show(desk):
    services, ids, _ = desk
    info = {name: services.store.run(run_id).info for name, run_id in ids.items() if name != "failed"}
    one, two = info["kmeans"]["artifacts"]["explained_variance"]
    assert f"2 components hold {100 * (one + two):.1f}\u00a0% of the variance" in told(desk, "kmeans")
    certainty = info["gmm"]["artifacts"]["certainty"]
    assert f"{100 * certainty['below_80']:.1f}\u00a0% have less than 0.8" in told(desk, "gmm")
    assert f"on the fence {100 * certainty['below_60']:.1f}\u00a0%" in told(desk, "gmm")
    assert "Last order at most" in told(desk, "rfm")
    assert "30 groups of customers, joined two by two; cut into 4" in told(desk, "hierarchical")
    assert "Principal components" not in told(desk, "hierarchical")
    assert f"scikit-learn {info['rfm']['versions']['scikit-learn']}" in told(desk, "rfm")
    assert f"inertia {info['kmeans']['diagnostics']['inertia']:,.6g}" in told(desk, "kmeans")


def test_names_lead_to_their_customers(desk):
    services, ids, _ = desk
    links = components(page.layout(services, run=str(ids["rfm"])), "Link")
    first = services.store.run(ids["rfm"]).segments[0]
    assert f"/?run={ids['rfm']}&segment={first.name.replace(' ', '+')}" in {link.href for link in links}


def test_runs_that_did_not_finish_say_why_and_with_which_settings(desk):
    text = told(desk, "failed")
    assert "It did not work out." in text
    assert "Number of segments" not in text and "Settings" in text and "Metrics" not in text
    assert "No runs yet" in words(page.layout(desk[0]))


def call(client, output, inputs, state, triggered):
    """Call the callback that has this output as a browser does."""
    known = next(item for item in client.get("/_dash-dependencies").json() if output in item["output"])

    def filled(part, given):
        if part["id"].startswith("{"):
            return [{"id": one, "property": part["property"], "value": 1} for one in given.get("pencils", [])]
        return {**part, "value": given.get(part["id"])}

    outputs = [
        dict(zip(("id", "property"), text.rsplit(".", 1), strict=True))
        for text in known["output"].strip(".").split("...")
    ]
    body = {
        "output": known["output"],
        "outputs": outputs if known["output"].startswith("..") else outputs[0],
        "inputs": [filled(part, inputs) for part in known["inputs"]],
        "state": [filled(part, state) for part in known["state"]],
        "changedPropIds": [triggered],
    }
    return client.post("/_dash-update-component", json=body)


def press(desk, what, state, **inputs):
    answer = call(desk[2], "run-edited.data", {f"run-{what}": 1, **inputs}, state, f"run-{what}.n_clicks")
    parts = answer.json()["response"] if answer.status_code == 200 else {}
    return {name: next(iter(props.values())) for name, props in parts.items() if len(props) == 1} | {
        f"{name}.{prop}": value for name, props in parts.items() for prop, value in props.items()
    }


def test_a_name_is_edited_in_the_window(desk):
    services, ids, client = desk
    run = services.store.run(ids["gmm"])
    first, second = run.segments[:2]
    pencil = {"type": "run-edit", "run": run.id, "key": first.key}
    wild = json.dumps(pencil, sort_keys=True, separators=(",", ":"))
    opened = call(client, "run-edited.data", {"pencils": [pencil]}, {}, f"{wild}.n_clicks").json()["response"]
    assert opened["run-editor"]["is_open"] is True
    assert (opened["run-name"]["value"], opened["run-action"]["value"]) == (first.name, first.action)
    editing = opened["run-editing"]["data"]
    typed = {"run-action": first.action, "run-pin": False, "run-editing": editing}

    empty = press(desk, "save", {**typed, "run-name": "  "})
    assert "Give the segment a name" in empty["run-refused.children"]
    taken = press(desk, "save", {**typed, "run-name": second.name})
    assert second.name in taken["run-refused.children"] and "run-editor.is_open" not in taken
    assert services.store.run(run.id) == run
    assert press(desk, "cancel", {**typed, "run-name": "No"})["run-editor.is_open"] is False

    saved = press(desk, "save", {**typed, "run-name": "Stars", "run-pin": True})
    assert saved["run-editor.is_open"] is False
    assert saved["run-edited.data"]["name"] == "Stars"
    now = services.store.run(run.id).segments[0]
    assert (now.name, now.action, now.pinned) == ("Stars", first.action, True)
    again = press(desk, "save", {**typed, "run-name": "Too late"})
    assert "changed in the meantime: it is called 'Stars' now" in again["run-refused.children"]

    shown = call(
        client,
        "run-segments.children",
        {"run-edited": saved["run-edited.data"]},
        {"run-shown": run.id},
        "run-edited.data",
    )
    assert "Stars" in shown.text and "pinned" in shown.text
    assert f'"{first.name}"' not in shown.text, "but in addresses, which know it by what it is"
    back = press(desk, "own", {**typed, "run-editing": {**editing, "revision": 1, "name": "Stars"}})
    assert back["run-edited.data"]["name"] == first.name
    assert services.store.run(run.id).segments[0].pinned is False


def test_a_pencil_that_appears_was_not_clicked(desk):
    pencil = {"type": "run-edit", "run": 1, "key": 0}
    wild = json.dumps(pencil, sort_keys=True, separators=(",", ":"))
    answer = call(desk[2], "run-edited.data", {"pencils": []}, {}, f"{wild}.n_clicks")
    assert answer.status_code == 204


def test_the_tree_is_drawn_in_the_theme_under_the_names_that_hold(desk):
    services, ids, client = desk
    run = services.store.run(ids["hierarchical"])
    services.store.edit_segment(run.id, run.segments[0].key, revision=0, name="Evergreens")
    figure = call(client, "run-tree.figure", {"theme": "dark"}, {"run-shown": run.id}, "theme.data").json()
    ticks = figure["response"]["run-tree"]["figure"]["layout"]["yaxis"]["ticktext"]
    assert any(text.startswith("Evergreens (") for text in ticks)
    assert services.store.count(run.id, Selection(segments=("Evergreens",))) == run.segments[0].customers
