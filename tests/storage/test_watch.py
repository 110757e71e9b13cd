"""Drift points with all that is known of them, runs against the runs before them, and alerts with their messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import update

from engines.contract import Shift
from storage import Store
from storage.contract import LostError, NotFoundError
from storage.contract.jobs import DELIVERY
from storage.sql.tables import AlertRow, DriftRow
from tests.storage.samples import ALARM, CALM, LIVE, Clock, unpublish, watched_run


def test_all_that_is_known_of_a_point_comes_back(store: Store):
    run = watched_run(store, drift=[CALM, ALARM])
    assert store.drift(run.id) == [CALM, ALARM]


def test_an_alert_comes_with_a_run_whose_latest_point_is_one(store: Store, clock: Clock):
    calm = watched_run(store, "1", drift=[replace(ALARM, as_of="2024-03-01"), CALM])
    assert (store.alerts(), store.open_alerts()) == ([], 0)
    run = watched_run(store, "2", drift=[ALARM, CALM])
    (alert,) = store.alerts()
    assert (alert.run_id, alert.kind, alert.as_of) == (run.id, "timeline", date(2024, 5, 1))
    assert (alert.dataset, alert.engine, alert.ari, alert.noise_low) == ("Teas & Co", "kmeans", 0.4, 0.8)
    assert (alert.raised_at, alert.delivery, alert.attempts, alert.next_try) == (clock.now, "waiting", 0, clock.now)
    assert store.open_alerts() == 1
    assert calm.id != run.id


def test_an_alert_says_whether_models_disagree_or_customers_have_changed(store: Store):
    moved = Shift("average_order_value", 0.31, 0.2, 10.0, 14.0, same_age_psi=0.4, beyond_chance=True)
    watched_run(store, "1", drift=[replace(ALARM, cause="population", shifts=(moved,))])
    watched_run(store, "2", drift=[replace(ALARM, cause="agreement")])
    watched_run(store, "3", drift=[replace(ALARM, cause="population")], live=LIVE)
    assert [alert.cause for alert in store.alerts()] == ["agreement", "agreement", "population"]
    assert store.drift(store.alerts()[-1].run_id)[0].shifts == (moved,)


def test_points_and_alerts_of_an_earlier_version_are_read(store: Store):
    run = watched_run(store, drift=[ALARM])
    with store._database.writing(store._workspace_id) as transaction:
        shift = {"column": "clv", "psi": 0.1, "effect": 0.2, "before": 1.0, "now": 2.0}
        transaction.rows(update(AlertRow).values(cause=None).returning(AlertRow.id))
        transaction.rows(update(DriftRow).values(more={"shifts": [shift], "sizes": []}).returning(DriftRow.run_id))
    (point,) = store.drift(run.id)
    assert (point.alert, point.cause, point.shifts) == (True, None, (Shift("clv", 0.1, 0.2, 1.0, 2.0),))
    assert store.alerts()[0].cause == "agreement"


def test_one_run_and_date_have_one_alert(store: Store):
    watched_run(store, drift=[ALARM], live=LIVE)
    (alert,) = store.alerts()
    assert (alert.kind, alert.ari, alert.noise_low) == ("live", 0.3, 0.85)
    watched_run(store, "2", drift=[ALARM], live=replace(LIVE, alert=False))
    assert [each.kind for each in store.alerts()] == ["timeline", "live"]


def test_live_points_are_those_of_a_data_set_and_engine(store: Store):
    later = watched_run(store, "1", live=LIVE)
    early = watched_run(store, "2", live=replace(LIVE, as_of="2024-04-01", alert=False, noise_low=None))
    found = store.live_points("Teas & Co", "kmeans")
    assert list(found) == [early.id, later.id]
    assert found[later.id] == LIVE
    assert store.live_points("Teas & Co", "rfm") == store.live_points("Coffees", "kmeans") == {}
    unpublish(store)
    store.delete_run(later.id)
    assert list(store.live_points("Teas & Co", "kmeans")) == [early.id]
    assert store.alerts() == []


def test_an_alert_is_acknowledged_once(store: Store, clock: Clock):
    watched_run(store, live=LIVE)
    (alert,) = store.alerts()
    clock.forward(60)
    seen = store.acknowledge_alert(alert.id, who="Änne\x00")
    assert (seen.acknowledged_at, seen.acknowledged_by) == (clock.now, "Änne")
    clock.forward(60)
    assert store.acknowledge_alert(alert.id) == seen
    assert (store.alerts(open_only=True), store.open_alerts(), store.alerts(limit=1)) == ([], 0, [seen])
    with pytest.raises(NotFoundError, match="99"):
        store.acknowledge_alert(99)


def test_a_message_is_a_job_that_is_tried_until_it_arrives(store: Store, clock: Clock):
    watched_run(store, live=LIVE)
    (alert,) = store.alerts()
    job = store.claim_job([DELIVERY], lease_seconds=30, worker="ann", since=clock.now)
    assert job is not None
    assert (job.subject, store.alert(alert.id).attempts, store.alert(alert.id).delivery) == (alert.id, 1, "waiting")
    store.release_job(job.id, "ann", reason="refused", delay_seconds=60)
    waiting = store.alert(alert.id)
    assert (waiting.delivery, waiting.error, waiting.next_try) == (
        *("waiting", "refused"),
        clock.now + timedelta(seconds=60),
    )
    clock.forward(61)
    assert store.claim_job([DELIVERY], lease_seconds=30, since=clock.now) is None, "it was raised too long ago"
    lost = store.claim_job([DELIVERY], lease_seconds=-1, worker="ann")
    taken = store.claim_job([DELIVERY], lease_seconds=30, worker="bob")
    assert lost is not None
    assert taken is not None
    with pytest.raises(LostError):
        store.fail_job(lost.id, "ann", "late")
    store.finish_job(taken.id, "bob")
    done = store.alert(alert.id)
    assert (done.delivery, done.attempts, done.error, done.delivered_at) == ("delivered", 3, None, clock.now)


def test_a_message_can_be_given_up(store: Store):
    watched_run(store, live=LIVE)
    job = store.claim_job([DELIVERY], lease_seconds=30, worker="ann")
    assert job is not None
    store.fail_job(job.id, "ann", "gone")
    (failed,) = store.alerts()
    assert (failed.delivery, failed.error, failed.delivered_at) == ("failed", "gone", None)
