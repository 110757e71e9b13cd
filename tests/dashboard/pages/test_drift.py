"""The pages of drift and of runs: what they say, when there is something to say and when there is not."""

from dataclasses import replace
from datetime import date

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.frames.cache import FrameCache
from dashboard.pages.drift import page as drift
from dashboard.pages.runs import page as runs
from dashboard.services import Services
from engines.contract import AgeAgreement, Shift
from tests.dashboard import shop
from tests.dashboard.headless import callback, words
from tests.storage.samples import put_drift


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("drift"))
    store = shop.opened(settings)
    yield Services(settings, store, FrameCache(store)), shop.fill(store, settings)
    store.close()


def test_says_what_is_frozen_and_what_was_found(desk):
    services, ids = desk
    text = words(drift.layout(services, run=str(ids["kmeans"])))
    assert "Drift of K-means k=4" in text
    assert "1 alert at 3 dates, the latest on 1 Jun 2011 (ARI 0.61)." in text
    assert "frozen on 1 Apr 2011" in text
    assert "below the line and below the band" in text
    assert "31.0\u00a0%" in text


def test_says_when_all_is_well_and_noise_is_not_known(desk):
    services, ids = desk
    calm = [replace(point, alert=False, noise_low=None) for point in shop.DRIFT]
    put_drift(services.store, ids["rfm"], calm)
    text = words(drift.layout(services, run=str(ids["rfm"])))
    assert "No alert at 3 dates" in text
    assert "so it may be chance" in text
    assert "▲" not in text


def test_says_why_there_is_no_timeline(desk):
    services, ids = desk
    text = words(drift.layout(services, run=str(ids["hierarchical"])))
    assert "Hierarchical k=4 on Shop has no timeline" in text
    assert "90 days" in text


def test_frozen_day_is_the_runs_own_or_needs_the_first_sale(desk):
    services, ids = desk
    run = services.store.run(ids["kmeans"])
    snapshot = services.store.snapshot(run.snapshot_id)
    assert drift.frozen_on(run, snapshot) == date(2011, 4, 1)
    assert drift.frozen_on(run, replace(snapshot, info={})) is None
    assert drift.frozen_on(run, replace(snapshot, info={"first_day": "2011-11-20"})) is None
    own = replace(run, info={"drift": {"frozen_at": "2011-06-15"}})
    assert drift.frozen_on(own, snapshot) == date(2011, 6, 15)


def changed(run, **drift):
    """A run as this version makes it, with what its info says of its timeline."""
    info = {"frozen_at": "2011-04-01", "reason": "", "window_days": 365, "recent_days": 91, "asked_days": 365}
    return replace(run, info={**run.info, "drift": {**info, "ages": [], **drift}})


def test_the_window_and_what_the_figures_are_of_are_said(desk):
    services, ids = desk
    run, points = services.store.run(ids["kmeans"]), services.store.drift(ids["kmeans"])
    snapshot = services.store.snapshot(run.snapshot_id)
    full = drift._lead_words(changed(run), snapshot, points, 0.8)
    assert "Each date looks back over 365 days of sales. " in full
    young = drift._lead_words(changed(run, window_days=90), snapshot, points, 0.8)
    assert "over 90 days of sales, as there are too few for 365: seasons may show as change" in young
    assert "looks back" not in drift._lead_words(run, snapshot, points, 0.8), "an earlier version had no window"
    words_of = drift._shift_words(changed(run), points, 0.15)
    assert "Who ordered in the 91 days before each date" in words_of and "From 0.15 on it is an alert" in words_of
    alone = replace(points[-1], shifts=(Shift("monetary", 0.4, 0.1, 1.0, 2.0),))
    assert "nobody can tell a change from age" in drift._shift_words(changed(run), [alone], 0.15)


def test_an_alert_names_its_cause():
    moved = Shift("average_order_value", 0.31, 0.2, 10.0, 14.0, same_age_psi=0.4, beyond_chance=True)
    calm = Shift("frequency", 0.31, 0.2, 10.0, 14.0, same_age_psi=0.01, beyond_chance=False)
    point = replace(shop.DRIFT[1], cause="population", shifts=(calm, moved))
    (sentence,) = drift._verdict([point], 0.8)
    assert "The customers themselves have changed: Average order value." in words(sentence)
    assert "A model made anew would draw the segments otherwise" in words(
        drift._verdict([replace(point, cause="agreement")], 0.8)[0]
    )
    assert words(drift._alert(point)) == "▲ alert: customers changed"
    assert words(drift._alert(replace(point, cause="agreement"))) == "▲ alert: segments differ"
    assert words(drift._alert(shop.DRIFT[1])) == "▲ alert", "an earlier version did not say which"


def test_agreement_by_age_is_drawn_where_it_is_known(desk):
    services, ids = desk
    run = services.store.run(ids["kmeans"])
    ages = [{"months": 1, "ari": 0.9, "low": 0.8, "high": 1.0, "pairs": 3}]
    assert drift._ages(run) == []
    assert drift._ages(changed(run, ages=ages)) == [AgeAgreement(1, 0.9, 0.8, 1.0, 3)]
    with TestClient(create_app(services.config, services.store, environ={}), base_url="http://127.0.0.1") as client:
        answer = callback(client, ["drift-ages.figure"], [("theme.data", "dark")], [("drift-run.data", ids["kmeans"])])
    assert len(answer.json()["response"]["drift-ages"]["figure"]["data"]) == 1


def test_timeline_is_drawn_in_the_theme(desk):
    services, ids = desk
    with TestClient(create_app(services.config, services.store, environ={}), base_url="http://127.0.0.1") as client:
        answer = callback(
            client,
            ["drift-timeline.figure", "drift-moved.figure", "drift-shifts.children"],
            [("theme.data", "dark")],
            [("drift-run.data", ids["kmeans"])],
        )
    names = {trace.get("name") for trace in answer.json()["response"]["drift-timeline"]["figure"]["data"]}
    assert {"alert", "noise of refitting"} <= names


def test_runs_are_listed_with_their_state(desk):
    services, ids = desk
    text = words(runs.layout(services, run=str(ids["rfm"])))
    assert "7 runs: 1 queued, 1 failed, 5 done." in text
    assert "it did not work out" in text
    assert "synthetic" in text
    assert text.count("Open") == 5
    assert "1.2 s" in text


def test_no_runs(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    services = Services(settings, store, FrameCache(store))
    assert "No runs yet" in words(runs.layout(services))
    assert "No timeline yet" in words(drift.layout(services))
    store.close()
