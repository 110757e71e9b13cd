"""The New run page: forms from knobs, their checks, what is queued, what is watched, and the list of runs."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.frames.cache import FrameCache
from dashboard.pages.new_run import form, page
from dashboard.pages.runs import page as runs_page
from dashboard.pages.runs import table as run_table
from dashboard.queries.progress import log_of, seconds_left
from dashboard.services import Services
from engines import registry
from engines.errors import InputError
from storage.contract import Dependents, LogLine, NotFoundError, Starter
from tests.dashboard import shop
from tests.dashboard.headless import words

ENTRIES = [entry for entry in registry.registered() if entry.kind is not None]
COLUMNS = {"recency_days": True, "frequency": True, "monetary": True, "country": False}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("new"))
    store = shop.opened(settings)
    ids = shop.fill(store, settings)
    services = Services(settings, store, FrameCache(store))
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client:
        yield services, ids, client
    store.close()


def parts(component, found=None):
    """Every part of a layout that has an id which is a pattern, by that id as text."""
    found = {} if found is None else found
    name = getattr(component, "id", None)
    if isinstance(name, dict):
        found[json.dumps(name, sort_keys=True)] = component
    children = getattr(component, "children", None)
    for child in children if isinstance(children, list | tuple) else [children]:
        if hasattr(child, "to_plotly_json"):
            parts(child, found)
    return found


PROPERTY = {page.START: "n_clicks"}


def answer_act(client, values, trigger):
    """What the list of runs does."""
    return answer(client, f"{runs_page.LIST}.children", values, trigger)


def answer(client, output, values, trigger):
    """What a callback answers when ``trigger`` has changed, with the values by property of plain and pattern ids."""
    found = client.get("/_dash-dependencies").json()
    one = next(item for item in found if output in item["output"])

    def given(item):
        if not item["id"].startswith("{"):
            return {**item, "value": values.get(item["id"])}
        kind = json.loads(item["id"])["type"]
        pairs = values.get(kind, [])
        return [{"id": name, "property": item["property"], "value": value} for name, value in pairs]

    def wanted(text):
        name, prop = text.rsplit(".", 1)
        if not name.startswith("{"):
            return {"id": name, "property": prop}
        pairs = values.get(json.loads(name)["type"], [])
        return [{"id": each, "property": prop} for each, _ in pairs]

    outputs = [wanted(text) for text in one["output"].strip(".").split("...")]
    body = {
        "output": one["output"],
        "outputs": outputs if one["output"].startswith("..") else outputs[0],
        "inputs": [given(item) for item in one["inputs"]],
        "state": [
            [{**entry, "property": "id", "value": entry["id"]} for entry in given(item)]
            if item["property"] == "id"
            else given(item)
            for item in one["state"]
        ],
        "changedPropIds": [trigger if "." in trigger else f"{trigger}.{PROPERTY.get(trigger, 'value')}"],
    }
    got = client.post("/_dash-update-component", json=body)
    return got.status_code, got.json()["response"] if got.status_code == 200 else {}


# --- forms ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_a_form_has_a_field_for_every_knob_and_begins_with_its_values(entry):
    values = {knob.name: knob.default for knob in entry.knobs}
    found = parts(form.card(entry, values, True, COLUMNS))
    fields = {json.loads(name)["knob"]: part for name, part in found.items() if "knob" in json.loads(name)}
    assert set(fields) == {knob.name for knob in entry.knobs} - {form.SEED}
    filled = {name: part.value for name, part in fields.items()}
    wish = form.wish_of(entry, filled, "0", False)
    assert wish.made() == entry.kind()
    for knob in entry.knobs:
        field = fields.get(knob.name)
        if field is not None and type(field).__name__ == "Input" and field.type == "range":
            assert (field.min, field.max) == (knob.low, knob.high)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_what_is_out_of_bounds_is_refused_with_the_engines_own_sentence(entry):
    values = {knob.name: knob.default for knob in entry.knobs}
    for knob in entry.knobs:
        if knob.high is None or knob.type not in (int, float):
            continue
        for wrong in (str(knob.high + 1), "many", ""):
            with pytest.raises(InputError, match=f"{entry.title}: {knob.name} "):
                filled = {**values, knob.name: wrong}
                form.wish_of(entry, filled, filled.get("seed", "0"), False).made()


def test_a_broken_plug_in_says_so():
    broken = replace(ENTRIES[0], name="tea", title="tea", error="ImportError: no leaves", kind=None, knobs=())
    assert "The engine tea of segmentry" in words(form.card(broken, {}, True, COLUMNS))
    assert "no leaves" in words(form.card(broken, {}, True, COLUMNS))


def test_a_page_without_sales_leads_to_them(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    assert "Add sales" in words(page.layout(Services(settings, store, FrameCache(store))))
    store.close()


def filled_in(services, **changes):
    """What a browser sends of the form as it is drawn, with changes by (kind, engine, knob)."""
    drawn = parts(page.layout(services))
    groups = {"ticks": form.CHOSEN, "knobs": form.KNOB, "columns": form.COLUMNS, "autos": form.AUTO_K}
    named = {
        group: [(json.loads(name), part) for name, part in drawn.items() if json.loads(name)["type"] == kind]
        for group, kind in groups.items()
    }
    filled = {group: [part.value for _, part in items] for group, items in named.items()}
    filled |= {"seed": "0", "date": "", "dataset": "shop", "when": str(services.store.snapshots()[0].id)}
    return {**filled, **changes}, {group: [name for name, _ in items] for group, items in named.items()}


def test_wishes_are_what_was_ticked(desk):
    services, _, _ = desk
    filled, named = filled_in(services)
    only = [item["engine"] == "kmeans" for item in named["ticks"]]
    autos = [item["engine"] == "kmeans" for item in named["autos"]]
    wishes = page._wishes({**filled, "ticks": only, "autos": autos, "seed": "7"}, named)
    assert list(wishes) == ["kmeans"]
    assert wishes["kmeans"].choose_k
    assert wishes["kmeans"].to_settings()["seed"] == 7
    assert "k" not in wishes["kmeans"].to_settings()


def test_the_form_checks_itself_and_starts(desk):
    services, _, client = desk
    filled, named = filled_in(services)
    kinds = {form.CHOSEN: "ticks", form.KNOB: "knobs", form.COLUMNS: "columns", form.AUTO_K: "autos"}
    values = {kind: list(zip(named[group], filled[group], strict=True)) for kind, group in kinds.items()}
    values[form.CHOSEN] = [(name, name["engine"] == "kmeans") for name, _ in values[form.CHOSEN]]
    values[form.WRONG] = [({**name, "type": form.WRONG}, None) for name in named["ticks"]]
    plain = {page.SEED: "0", page.WHEN: filled["when"], page.DATE: "", page.DATASET: "shop", page.START: 1}
    _, wrong = answer(client, page.REVIEW, values | plain | {page.SEED: "-1"}, page.SEED)
    assert wrong[page.START]["disabled"]
    assert "K-means: seed = -1 is out of range" in json.dumps(wrong)
    _, right = answer(client, page.REVIEW, values | plain, page.SEED)
    assert not right[page.START]["disabled"]
    before = len(services.store.runs())
    _, refused = answer(client, page.REFUSED, values | plain | {page.SEED: "-1"}, page.START)
    assert "out of range" in json.dumps(refused)
    assert len(services.store.runs()) == before
    _, started = answer(client, page.REFUSED, values | plain, page.START)
    run = services.store.runs()[0]
    assert started[page.LEAVE]["data"] == f"/new?started={run.id}"
    assert (run.engine, run.state, run.starter) == ("kmeans", "queued", Starter("page", None))
    services.store.delete_run(run.id)


def test_the_list_repeats_and_deletes(desk):
    services, ids, client = desk
    button = {"run": ids["rfm"], "type": run_table.RERUN}
    trigger = json.dumps(button, separators=(",", ":"))
    values = {run_table.RERUN: [(button, 1)], runs_page.STATE: "", runs_page.DATASET: "", runs_page.ENGINE: ""}
    before = services.store.runs()
    status, _ = answer_act(client, values, f"{trigger}.n_clicks")
    made = services.store.runs()[0]
    assert (status, len(services.store.runs()), made.state) == (200, len(before) + 1, "queued")
    assert (made.settings, made.snapshot_id) == (before[-1].settings, services.store.run(ids["rfm"]).snapshot_id)
    answer_act(client, values | {runs_page.YES: 1, runs_page.SURE_RUN: made.id}, f"{runs_page.YES}.n_clicks")
    assert services.store.runs() == before


def test_another_date_needs_the_sales(desk):
    services, _, _ = desk
    with pytest.raises(InputError, match="upload them again"):
        page._base(services, {"when": "other", "dataset": "shop", "date": "2011-10-01"})


def test_addresses_of_watched_runs(desk):
    services, ids, _ = desk
    text = words(page.layout(services, started=f"{ids['kmeans']},{ids['failed']},{ids['queued']}"))
    assert "K-means: it did not work out." in text and "Waiting for a worker." in text and "Open its customers" in text
    for wrong in ("a", "1,,2", "9" * 30):
        with pytest.raises(InputError, match="started must be"):
            page.layout(services, started=wrong)
    with pytest.raises(NotFoundError):
        page.layout(services, started="99999")


# --- progress ---------------------------------------------------------------------------------------------------------


def test_time_left_comes_from_earlier_runs_then_from_progress(desk):
    services, ids, _ = desk
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    done = replace(
        services.store.run(ids["kmeans"]), worker="w", started_at=now, finished_at=now + timedelta(seconds=40)
    )
    run = replace(done, id=99, state="running", progress=0.2, info={}, finished_at=None)
    sizes = {run.snapshot_id: 400}
    assert seconds_left(run, now + timedelta(seconds=10), [done], sizes) == pytest.approx(30)
    doubled = replace(run, snapshot_id=77)
    assert seconds_left(doubled, now + timedelta(seconds=10), [done], {**sizes, 77: 800}) == pytest.approx(70)
    assert seconds_left(run, now + timedelta(seconds=60), [done], sizes) == pytest.approx(240)  # longer than expected
    assert seconds_left(replace(run, progress=0.05), now + timedelta(seconds=10), [], sizes) is None
    assert seconds_left(done, now, [], sizes) is None


def test_a_log_has_stages_with_their_times(desk):
    services, ids, _ = desk
    run = services.store.run(ids["failed"])
    lines = [LogLine(run.created_at + timedelta(seconds=at), text) for at, text in ((1, "One"), (3, "Two"))]
    run = replace(run, finished_at=run.created_at + timedelta(seconds=10))
    told = {moment.text: moment.seconds for moment in log_of(run, lines)}
    assert (told["One"], told["Two"]) == (2.0, 7.0)
    assert any(text.startswith("Failed: K-means") for text in told)


# --- the list ---------------------------------------------------------------------------------------------------------


def test_what_differs_from_the_run_before(desk):
    services, ids, _ = desk
    runs = services.store.runs()
    failed = services.store.run(ids["failed"])
    assert run_table.previous_run(failed, runs).id == ids["kmeans"]
    assert run_table.changes(failed, services.store.run(ids["kmeans"])) == ["k 4 → 3"]
    assert run_table.changes(failed, None) == []


def test_the_list_is_filtered_and_says_who(desk):
    services, ids, _ = desk
    queued = services.store.queue_run(
        services.store.run(ids["rfm"]).snapshot_id, "rfm", {}, starter=Starter("page", "anna")
    )
    text = words(runs_page.layout(services, state="queued"))
    assert "2 runs: 2 queued." in text and "anna" in text and "Cancel" in text
    assert "No run meets these filters" in words(runs_page.layout(services, state="cancelled"))
    services.store.delete_run(queued.id)


def test_deleting_says_what_goes(desk):
    services, ids, _ = desk
    run = services.store.run(ids["kmeans"])
    text = " ".join(words(part) for part in run_table.deletion(run, services.store.dependents(run.id)))
    assert "The labels of 400 customers go with run" in text and "3 drift points" in text
    gone = Dependents(0, 0, 2, 0, 1)
    text = " ".join(words(part) for part in run_table.deletion(run, gone))
    assert "no labels yet" in text and "2 segments edited by hand" in text and "exported 1 time;" in text


def test_runs_of_one_snapshot_can_be_compared(desk):
    services, ids, _ = desk
    link = runs_page.compare_link(services, [ids["rfm"], ids["kmeans"]])
    assert link.href == f"/compare?run={ids['rfm']}&with={ids['rfm']}&with={ids['kmeans']}"
    assert "several" in words(runs_page.compare_link(services, [ids["early"], ids["kmeans"]]))
    assert "2 to 6" in words(runs_page.compare_link(services, [ids["rfm"]]))
