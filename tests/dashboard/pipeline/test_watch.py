"""Runs that a schedule makes are watched: against the run before, on the bell of every page, and by message."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.frames.cache import FrameCache
from dashboard.pages import PAGES
from dashboard.pages.drift import page as drift
from dashboard.pipeline.run import make_engine, run_sales
from dashboard.pipeline.sales import SalesRequest
from dashboard.pipeline.series import run_before
from dashboard.pipeline.watch import live_point, points_before
from dashboard.services import Services
from dashboard.worker.alerts import send_due
from dashboard.worker.schedules import new_schedule, refresh
from engines.run import segment
from storage import open_store
from storage.contract.jobs import REFRESH
from tests.dashboard import shop
from tests.dashboard.answering import worked
from tests.dashboard.headless import callback, words
from tests.dashboard.receiver import Receiver
from tests.prepared import prepared
from tests.storage.samples import ALARM, put_drift, watched_run

LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


def write(path, *, month=0, changed=False):
    """Two months of 200 customers, half of whom come often; with ``month`` a third one, in which some may change."""
    random = np.random.default_rng(0)
    orders = [(who, 0, 60, 10) for who in range(200) for _ in range(8 if who % 2 else 1)]
    if month:
        often = [(6 if who % 4 < 2 else 0) if changed else (4 if who % 2 else 0) for who in range(200)]
        orders += [(who, 60, 31, 200 if changed else 10) for who in range(200) for _ in range(often[who])]
        orders.append((0, 90, 1, 10))  # the last day, whoever else comes
    lines = ["customer_id,order_date,amount"]
    for who, first, days, spend in orders:
        day = date(2024, 1, 1) + timedelta(days=first + int(random.integers(0, days)))
        lines.append(f"c{who},{day},{spend * random.lognormal(sigma=0.3):.2f}")
    path.write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def config(tmp_path):
    return shop.config(tmp_path)


@pytest.fixture
def store(config):
    store = open_store(prepared(config.database.url), clock=lambda: datetime.now(UTC))
    yield store
    store.close()


@pytest.fixture
def receiver():
    server = Receiver([200])
    yield server
    server.shutdown()
    server.server_close()


def test_two_scheduled_refreshes_are_compared_and_the_alarm_rings_everywhere(
    config, store, tmp_path, receiver, monkeypatch
):
    monkeypatch.setenv("SEGMENTRY_WEBHOOK_URL", receiver.url)
    sales = tmp_path / "sales.csv"
    write(sales)
    schedule = store.add_schedule(
        new_schedule(SalesRequest(str(sales), ("kmeans",), k=2), "month", "UTC", config), next_due=LONG_AGO
    )
    refresh(store.claim_job([REFRESH], lease_seconds=60), config, store)
    assert store.schedule(schedule.id).last_error is None
    write(sales, month=3, changed=True)
    store.pause_schedule(schedule.id)
    store.resume_schedule(schedule.id, next_due=LONG_AGO)
    worked(config, store)
    send_due(config, store, datetime.now(UTC))
    second, first = store.runs()
    assert [(run.state, run.as_of) for run in (first, second)] == [
        ("done", date(2024, 3, 1)),
        ("done", date(2024, 4, 1)),
    ]
    assert store.schedule(schedule.id).last_runs == (second.id,)

    live = store.live_points("sales.csv", "kmeans")[second.id]
    assert (live.against, live.before, live.as_of) == (first.id, "2024-03-01", "2024-04-01")
    assert live.customers == 200
    assert live.ari < 0.8 and live.ari < live.noise_low and live.alert
    assert live.moved_share == pytest.approx(0.25, abs=0.05)
    (alert,) = store.alerts()
    assert (alert.run_id, alert.kind, alert.delivery) == (second.id, "live", "delivered")
    ((_, _, body),) = receiver.got
    assert json.loads(body)["segmentry"]["run"] == second.id

    with TestClient(create_app(config, store, environ={}), base_url="http://127.0.0.1") as client:
        told = client.get(f"/api/v1/runs/{second.id}/drift").json()
        assert [point["run"] for point in told["live"]] == [second.id]
        page = words(drift.layout(Services(config, store, FrameCache(store)), run=str(second.id)))
        assert "There is no timeline of the past" in page and f"run {first.id}, 1 Mar 2024" in page
        assert f"{live.ari:.3f}" in page and "▲ alert" in page
        drawn = callback(
            client,
            ["drift-timeline.figure", "drift-moved.figure", "drift-shifts.children"],
            [("theme.data", "light")],
            [("drift-run.data", second.id)],
        )
        traces = drawn.json()["response"]["drift-timeline"]["figure"]["data"]
        assert "live run against the one before" in {trace.get("name") for trace in traces}
        for page in PAGES:
            bell = rung(client, page.PATH, second.id)
            assert "1 alert not acknowledged" in bell and f"/drift?run={second.id}" in bell
        assert client.post(f"/api/v1/alerts/{alert.id}/acknowledge").json()["acknowledged_at"] is not None
        assert "No open alerts" in rung(client, "/", second.id)


def rung(client, path, run, *, clicked=None):
    """What the bell shows on a page; with ``clicked`` after the button of that alert was pressed."""
    button = {"type": "shell-alert-seen", "alert": clicked}
    named = json.dumps(button, separators=(",", ":"), sort_keys=True)
    pressed = [] if clicked is None else [{"id": button, "property": "n_clicks", "value": 1}]
    body = {
        "output": "shell-bell.children",
        "outputs": {"id": "shell-bell", "property": "children"},
        "inputs": [
            {"id": "url", "property": "pathname", "value": path},
            {"id": "shell-shown-run", "property": "data", "value": str(run)},
            pressed,
        ],
        "changedPropIds": ["url.pathname" if clicked is None else f"{named}.n_clicks"],
    }
    answer = client.post("/_dash-update-component", json=body)
    return json.dumps(answer.json()["response"]["shell-bell"]["children"])


def test_acknowledging_on_the_bell_writes_down_who(config, store, tmp_path):
    for number in range(10):  # more than the bell lists
        watched_run(store, str(number), drift=[ALARM])
    with TestClient(create_app(config, store, environ={"SEGMENTRY_PASSWORD": "tea"})) as client:
        client.auth = ("ann", "tea")
        bell = rung(client, "/drift", 1)
        assert "10 alerts not acknowledged" in bell and "and 2 more" in bell
        latest = store.alerts()[0].id
        assert "9 alerts not acknowledged" in rung(client, "/drift", 1, clicked=latest)
    seen = store.alerts()[0]
    assert (seen.id, seen.acknowledged_by) == (latest, "ann")
    assert store.open_alerts() == 9


@pytest.fixture
def pair(config, store, tmp_path):
    """Two runs on successive dates, between which nobody changed."""
    sales = tmp_path / "sales.csv"
    runs = []
    for month in (0, 3):
        write(sales, month=month)
        (run,) = run_sales(SalesRequest(str(sales), ("kmeans",), k=2), config, store).runs
        runs.append(run)
    return runs


def test_where_nobody_changed_there_is_a_point_and_no_alert(store, pair):
    live = store.live_points("sales.csv", "kmeans")[pair[1].id]
    assert (live.against, live.customers, live.ari) == (pair[0].id, 200, 1.0)
    assert live.moved_share == 1 / 200  # the one who came on the last day
    assert (live.alert, live.noise_low) == (False, None)
    assert store.alerts() == []


@pytest.mark.slow
def test_what_a_live_point_is_made_of(config, store, pair):
    first, second = pair
    engine, customers = make_engine("kmeans", config, k=2), store.snapshot_customers(second.snapshot_id)
    labels = store.labels(second.id)
    series = (store, second.dataset, "kmeans")
    assert run_before(*series, first.settings, first.as_of) is None, "nothing is before the first"
    assert run_before(*series, {**second.settings, "k": 3}, second.as_of) is None
    assert run_before(*series, second.settings, second.as_of).id == first.id
    assert live_point(first, engine, customers, labels, store, config) is None
    put_drift(store, first.id, [ALARM])
    assert points_before(second.dataset, "kmeans", engine, second.as_of, store) == [ALARM]
    assert points_before(second.dataset, "kmeans", engine, first.as_of, store) == []

    # everyone is elsewhere than by the model of then, which is more than chance makes of two models
    mixed = labels.copy()
    mixed.iloc[:] = np.arange(len(mixed)) % 2
    point = live_point(second, engine, customers, mixed, store, config)
    assert (point.alert, point.noise_low > 0.8) == (True, True)
    assert point.ari < 0.1
    # where the models agree, chance is not measured
    agreeing = live_point(second, engine, customers, labels, store, config)
    assert (agreeing.ari, agreeing.noise_low, agreeing.alert) == (1.0, None, False)

    # of customers who are all new nothing can be said
    strangers = customers.set_axis([f"new {name}" for name in customers.index], axis="index")
    assert live_point(second, engine, strangers, labels.set_axis(strangers.index), store, config) is None


@pytest.mark.slow
def test_without_a_model_labels_are_compared_as_they_are_and_that_is_no_alert(config, store, pair):
    second = pair[1]
    engine, customers = make_engine("kmeans", config, k=2), store.snapshot_customers(pair[0].snapshot_id)
    result = segment("kmeans", engine, customers, plays=config.plays)
    bare = store.start_run(pair[0].snapshot_id, "kmeans", engine.settings(), lease_seconds=60)
    store.finish_run(bare.id, result, seconds=1.0, info={})
    labels = store.labels(second.id)
    mixed = labels.copy()
    mixed.iloc[:] = np.arange(len(mixed)) % 2
    now = store.snapshot_customers(second.snapshot_id)
    point = live_point(second, engine, now, mixed, store, config)
    assert (point.against, point.moved_share, point.noise_low, point.alert) == (bare.id, None, None, False)
    assert point.ari < 0.8
