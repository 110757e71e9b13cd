"""Choosing k through its facade and the API, by a worker; and the metrics that a run gets from refits."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.frames.cache import FrameCache
from dashboard.pipeline.answers import CHOOSE_K, wait_for
from dashboard.pipeline.choose_k import (
    KRange,
    choosable_engines,
    choose_k,
    choose_k_of_sales,
    k_question,
    k_range_of,
)
from dashboard.pipeline.request import RunRequest, Wish, queue_runs
from dashboard.pipeline.run import run_sales, work_run
from dashboard.pipeline.sales import SalesRequest
from dashboard.services import Services
from engines import features, intake
from engines.errors import InputError
from engines.evaluation.holdout import TOP, holdout_curve, holdout_cutoff
from engines.evaluation.selection import evaluate_ks
from engines.kmeans import KMeans
from storage.contract import NOBODY
from tests.dashboard import shop
from tests.dashboard.answering import PATIENCE_SECONDS, answering
from tests.storage.samples import claim_run


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("evaluation"))
    store = shop.opened(settings)
    made = store.save_snapshot(shop.new_snapshot("shop", date(2011, 12, 10)), shop.customers())
    app = create_app(settings, store, environ={})
    with TestClient(app, base_url="http://127.0.0.1") as client, answering(settings, store):
        yield Services(settings, store, FrameCache(store)), client, made
    store.close()


def test_the_facade_asks_the_engine_as_configured(desk):
    services, _, _ = desk
    config = services.config.replace(engines={"settings": {"kmeans": {"scaling": "standard"}}, "seed": 7})
    told = []
    found = choose_k(KRange("kmeans", 2, 4), shop.customers(), config, lambda stage, done: told.append((stage, done)))
    assert (found.seed, found.settings["scaling"], found.settings["seed"]) == (7, "standard", 7)
    assert found == evaluate_ks("kmeans", KMeans(scaling="standard"), shop.customers(), ks=(2, 3, 4), seed=7)
    assert {stage for stage, _ in told} == {"Trying k = 2 to 4"}
    assert [done for _, done in told] == sorted(done for _, done in told)
    assert told[-1][1] == 1
    assert choose_k(KRange("kmeans", 2, 4, seed=1), shop.customers(), config).seed == 1


def test_engines_with_a_k(desk):
    assert list(choosable_engines())[:3] == ["kmeans", "gmm", "hierarchical"]
    with pytest.raises(InputError, match=r"RFM has no k to choose.*kmeans, gmm, hierarchical"):
        choose_k(KRange("rfm"), shop.customers(), desk[0].config)
    for low, high in ((1, 4), (5, 4)):
        with pytest.raises(InputError, match=f"from {low} to {high}"):
            KRange("kmeans", low, high)


def test_equal_questions_share_a_job_and_its_answer(desk):
    services, _, snapshot = desk
    store, config = services.store, services.config
    question = k_question(KRange("kmeans", 2, 3), snapshot, config)
    assert question.job(store) is None
    job = question.ask(store)
    assert question.ask(store).id == job.id
    done = wait_for(job, store, PATIENCE_SECONDS)
    answer = question.answer(done)
    assert answer.notes[0].startswith("There is no later revenue to choose by: ")  # this snapshot has no sales
    assert replace(answer, notes=()) == choose_k(KRange("kmeans", 2, 3), shop.customers(), config)
    assert k_question(KRange("kmeans", 2, 3), snapshot, config).ask(store).id == job.id
    for other in (KRange("kmeans", 2, 3, seed=5), KRange("kmeans", 2, 4)):
        assert k_question(other, snapshot, config).job(store) is None
    changed = config.replace(engines={"settings": {"kmeans": {"scaling": "standard"}}})
    assert k_question(KRange("kmeans", 2, 3), snapshot, changed).job(store) is None


def test_without_a_worker_the_api_says_what_is_needed_and_how_far_a_job_is(tmp_path):
    settings = shop.config(tmp_path).replace(worker={"wait_seconds": 0.1})
    store = shop.opened(settings)
    made = store.save_snapshot(shop.new_snapshot("shop", date(2011, 12, 10)), shop.customers(100))
    path = f"/api/v1/snapshots/{made.id}/evaluate"
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client:
        answer = client.get(path, params={"to": 3})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert "segmentry worker" in answer.json()["error"]
        job = store.claim_job([CHOOSE_K], lease_seconds=60, worker="a")
        assert answer.json()["job"] == job.id
        store.renew_job(job.id, "a", lease_seconds=60, stage="Trying k = 2 to 3", progress=0.5)
        answer = client.get(path, params={"to": 3})
        assert (answer.status_code, answer.headers["retry-after"]) == (202, "2")
        assert answer.json() == {"job": job.id, "state": "running", "stage": "Trying k = 2 to 3", "progress": 0.5}
        store.fail_job(job.id, "a", "It took more than 5 MB of memory.")
        assert store.find_job(CHOOSE_K, made.id, job.request) is None, "it may be tried again"
    store.close()


def test_the_api_answers_what_the_facade_says(desk):
    services, client, snapshot = desk
    address = f"/api/v1/snapshots/{snapshot.id}/evaluate"
    answer = client.get(address, params={"engine": "hierarchical", "from": 2, "to": 4, "seed": 3})
    assert answer.status_code == 200
    expected = choose_k(KRange("hierarchical", 2, 4, 3), shop.customers(), services.config)
    found = answer.json()
    assert {**found, "notes": []} == json.loads(json.dumps(expected.to_dict()))
    assert [other["k"] for other in found["runners_up"]] != [] and all(other["why"] for other in found["runners_up"])
    assert answer.json()["recommended"] in (2, 3, 4)
    # the gap statistic is gone: asked for by its old name it changes nothing, and a note says so
    old = client.get(address, params={"engine": "hierarchical", "from": 2, "to": 4, "seed": 3, "gap": True}).json()
    assert "gap changes nothing" in old.pop("note")
    assert old == answer.json()


@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ({"engine": "magic"}, 422, "magic"),
        ({"engine": "rfm"}, 422, "no k to choose"),
        ({"from": 1}, 422, "from 1 to 8"),
        ({"from": 5, "to": 4}, 422, "from 5 to 4"),
        ({"to": 99}, 422, "k = 99"),
        ({"to": "many"}, 422, "to"),
        ({"seed": -1}, 422, "seed"),
        ({"k": 4}, 400, "'k'"),
    ],
)
def test_what_the_api_refuses(desk, query, status, named):
    answer = desk[1].get(f"/api/v1/snapshots/{desk[2].id}/evaluate", params=query)
    assert answer.status_code == status
    assert named in answer.json()["error"]


def test_the_usual_range_gives_way_to_what_is_named():
    ends = {(None, None): (3, 8), (None, 5): (3, 5), (None, 2): (2, 2), (10, None): (10, 10), (4, None): (4, 8)}
    for (low, high), expected in ends.items():
        asked = k_range_of("kmeans", low, high)
        assert (asked.low, asked.high) == expected


@pytest.mark.slow
def test_a_worker_chooses_by_the_later_revenue_of_the_kept_sales(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    request = SalesRequest("cdnow-sample", ("rfm",))
    outcome = run_sales(request, settings, store)
    direct = choose_k_of_sales(KRange("kmeans", 3, 5), request, settings).selection
    assert direct.later_from == "1998-02-15" and direct.points[0].captured == pytest.approx(0.663, abs=0.01)
    with answering(settings, store):
        question = k_question(KRange("kmeans", 3, 5), outcome.snapshot, settings)
        answer = question.answer(wait_for(question.ask(store), store, PATIENCE_SECONDS))
    assert answer == direct and "of later revenue" in answer.reason
    # a run that leaves k to the worker is judged by the same
    wish = Wish("kmeans", {"k": "auto"})
    queue_runs(RunRequest(outcome.snapshot.id, (wish,)), store, NOBODY)
    run = work_run(claim_run(store), settings, store)
    whole = choose_k_of_sales(KRange("kmeans"), request, settings).selection
    assert (run.k, run.info["chosen_k"]["reason"]) == (whole.recommended, whole.reason)
    store.close()


def test_no_such_snapshot(desk):
    answer = desk[1].get("/api/v1/snapshots/999/evaluate")
    assert answer.status_code == 404 and "999" in answer.json()["error"]


# --- metrics of a run -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_has_stability_and_holdout_revenue(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    outcome = run_sales(SalesRequest("cdnow-sample", ("kmeans", "rfm")), settings, store)
    for run in outcome.runs:
        assert 0.5 < run.metrics["stability"] < 1
        assert run.info["holdout_from"] == "1998-02-15"
    with intake.read_sales("cdnow-sample") as sales:
        cutoff = holdout_cutoff(sales.first_day, sales.as_of)
        before = features.build_customers(sales.table, as_of=cutoff)
        lines = sales.table.to_pyarrow().to_pandas()
    assert cutoff == date(1998, 2, 15)
    later = lines[(lines["order_date"] >= np.datetime64(cutoff)) & (lines["line_type"] == "sale")]
    spend = later.groupby("customer_id")["amount_units"].sum() / 10_000
    captured = holdout_curve(KMeans(), before, spend).at(TOP)
    assert outcome.runs[0].metrics["holdout_revenue"] == pytest.approx(captured)
    assert captured > 0.4  # the fifth that looked best brings in far more than a fifth
    store.close()


def test_a_queued_run_has_stability_and_no_holdout(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    made = store.save_snapshot(shop.new_snapshot("shop", date(2011, 12, 10)), shop.customers(150))
    store.queue_run(made.id, "kmeans", {"k": 3, "seed": 0})
    run = work_run(claim_run(store), settings, store)
    assert run.metrics["holdout_revenue"] is None
    assert 0 < run.metrics["stability"] <= 1
    store.close()
