"""What a store must do for those who watch: points with all that is known of them, live points, and alerts."""

# ruff: noqa: D102 - the names of the tests say what they are
from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from engines.contract import DriftPoint, LivePoint, Shift, Size
from storage.contract import NotFoundError, Run, Store
from storage.contract.watch import WatchStore
from storage.testing.samples import Clock, sample_customers, sample_result, sample_snapshot

CALM = DriftPoint(
    *("2024-04-01", 30, 0.9, False),
    noise_low=0.8,
    moved_share=0.1,
    model_moved=0.05,
    noise_measured=True,
    refit_on=30,
    noise_on=15,
    shifts=(Shift("recency_days", 0.3, -0.25, 10.0, 20.5),),
    sizes=(Size(0, 20, 12.5), Size(2, 10, 0.0)),
)
ALARM = replace(CALM, as_of="2024-05-01", ari=0.4, alert=True)
LIVE = LivePoint(7, "2024-04-01", "2024-05-01", 28, 0.3, True, noise_low=0.85, moved_share=0.2)


def watched_run(store: Store, fingerprint: str = "f00d", **more: Any) -> Run:
    """A finished run with what was watched of it."""
    customers = sample_customers(5)
    snapshot = store.save_snapshot(sample_snapshot(fingerprint=fingerprint), customers)
    run = store.start_run(snapshot.id, "kmeans", {"k": 4}, lease_seconds=60)
    return store.finish_run(run.id, sample_result(customers), seconds=1.0, info={}, **more)


class WatchChecks:
    """What a store must do with drift points, live points and alerts."""

    def test_all_that_is_known_of_a_point_comes_back(self, store: Store) -> None:
        run = watched_run(store, drift=[CALM, ALARM])
        assert store.drift(run.id) == [CALM, ALARM]
        store.save_drift(run.id, [CALM])
        assert store.drift(run.id) == [CALM]

    def test_an_alert_comes_with_a_run_whose_latest_point_is_one(self, store: Store, clock: Clock) -> None:
        calm = watched_run(store, "1", drift=[replace(ALARM, as_of="2024-03-01"), CALM])
        assert (store.alerts(), store.open_alerts()) == ([], 0)
        run = watched_run(store, "2", drift=[ALARM, CALM])
        (alert,) = store.alerts()
        assert (alert.run_id, alert.kind, alert.as_of) == (run.id, "timeline", date(2024, 5, 1))
        assert (alert.dataset, alert.engine, alert.ari, alert.noise_low) == ("Teas & Co", "kmeans", 0.4, 0.8)
        assert (alert.raised_at, alert.delivery, alert.attempts, alert.next_try) == (clock.now, "waiting", 0, clock.now)
        assert store.open_alerts() == 1
        assert calm.id != run.id

    def test_one_run_and_date_have_one_alert(self, store: Store) -> None:
        watched_run(store, drift=[ALARM], live=LIVE)
        (alert,) = store.alerts()
        assert (alert.kind, alert.ari, alert.noise_low) == ("live", 0.3, 0.85)
        watched_run(store, "2", drift=[ALARM], live=replace(LIVE, alert=False))
        assert [each.kind for each in store.alerts()] == ["timeline", "live"]

    def test_live_points_are_those_of_a_data_set_and_engine(self, store: Store) -> None:
        later = watched_run(store, "1", live=LIVE)
        early = watched_run(store, "2", live=replace(LIVE, as_of="2024-04-01", alert=False, noise_low=None))
        found = store.live_points("Teas & Co", "kmeans")
        assert list(found) == [early.id, later.id]
        assert found[later.id] == LIVE
        assert store.live_points("Teas & Co", "rfm") == store.live_points("Coffees", "kmeans") == {}
        store.delete_run(later.id)
        assert list(store.live_points("Teas & Co", "kmeans")) == [early.id]
        assert store.alerts() == []

    def test_an_alert_is_acknowledged_once(self, store: Store, clock: Clock) -> None:
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

    def test_a_message_is_tried_until_it_arrives(self, store: Store, clock: Clock) -> None:
        watched_run(store, live=LIVE)
        since = clock.now - timedelta(days=1)
        first = store.claim_delivery(lease_seconds=30, since=since)
        assert first is not None
        assert first.attempts == 1
        assert store.claim_delivery(lease_seconds=30, since=since) is None
        waiting = store.finish_delivery(first.id, 1, error="refused", retry_seconds=60)
        assert (waiting.delivery, waiting.error) == ("waiting", "refused")
        clock.forward(59)
        assert store.claim_delivery(lease_seconds=30, since=since) is None
        clock.forward(2)
        assert store.claim_delivery(lease_seconds=30, since=clock.now) is None  # raised too long ago
        second = store.claim_delivery(lease_seconds=30, since=since)
        assert second is not None
        clock.forward(31)  # whoever tried is gone
        third = store.claim_delivery(lease_seconds=30, since=since)
        assert third is not None
        assert third.attempts == 3
        assert store.finish_delivery(third.id, 2, error="late").delivery == "waiting"
        done = store.finish_delivery(third.id, 3)
        assert (done.delivery, done.error, done.delivered_at) == ("delivered", None, clock.now)
        clock.forward(600)
        assert store.claim_delivery(lease_seconds=30, since=since) is None
        assert store.finish_delivery(third.id, 3, error="x") == done

    def test_a_message_can_be_given_up(self, store: Store, clock: Clock) -> None:
        watched_run(store, live=LIVE)
        claimed = store.claim_delivery(lease_seconds=30, since=clock.now)
        assert claimed is not None
        failed = store.finish_delivery(claimed.id, 1, error="gone")
        assert (failed.delivery, failed.error) == ("failed", "gone")
        clock.forward(600)
        assert store.claim_delivery(lease_seconds=30, since=claimed.raised_at) is None

    def test_of_many_who_ask_at_once_one_sends(self, store: Store, clock: Clock) -> None:
        watched_run(store, live=LIVE)
        with ThreadPoolExecutor(4) as pool:
            got = list(pool.map(lambda _: store.claim_delivery(lease_seconds=60, since=clock.now), range(8)))
        assert sum(each is not None for each in got) == 1

    def test_another_workspace_sees_no_alerts(self, store: Store, elsewhere: Store, clock: Clock) -> None:
        watched_run(store, live=LIVE)
        (alert,) = store.alerts()
        nothing: list[Callable[[], object]] = [
            lambda: elsewhere.alerts(),
            lambda: elsewhere.open_alerts(),
            lambda: elsewhere.live_points("Teas & Co", "kmeans"),
            lambda: elsewhere.claim_delivery(lease_seconds=60, since=clock.now),
        ]
        refused: list[Callable[[], object]] = [
            lambda: elsewhere.acknowledge_alert(alert.id),
            lambda: elsewhere.finish_delivery(alert.id, 0),
        ]
        assert not any(verb() for verb in nothing)
        for verb in refused:
            with pytest.raises(NotFoundError):
                verb()
        # every verb there is has been walked, so that a new one is not forgotten here
        assert {name for verb in (*nothing, *refused) for name in verb.__code__.co_names} >= (
            WatchStore.__abstractmethods__
        )
        assert store.alerts() == [alert]
