"""What a store must do with schedules: each due time started once, whatever becomes of those who start it."""

# ruff: noqa: D102 - the names of the tests say what they are
from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from storage.contract import ChangedError, NotFoundError, Store
from storage.contract.schedules import NewSchedule, Schedule, ScheduleStore
from storage.testing.samples import Clock, finished_run, sample_customers

NEW = NewSchedule(
    source="/data/teas & 'co'.csv",
    cron="0 6 1 * *",
    time_zone="Europe/Berlin",
    job={"engines": ["rfm", "kmeans"], "k": 4, "mapping": {"customer_id": "Kunde"}, "name": None},
)
HOUR = timedelta(hours=1)


def _added(store: Store, clock: Clock, hours: float = 0) -> Schedule:
    """A schedule that is due in so many hours."""
    return store.add_schedule(NEW, next_due=clock.now + hours * HOUR)


class ScheduleChecks:
    """What a store must do with schedules."""

    def test_a_schedule_is_kept_as_it_was_given(self, store: Store, clock: Clock) -> None:
        first, second = _added(store, clock, 1), _added(store, clock, 2)
        assert store.schedules() == [first, second]
        assert store.schedule(first.id) == first
        assert {name: getattr(first, name) for name in vars(NEW)} == vars(NEW)
        assert (first.next_due, first.created_at, first.paused) == (clock.now + HOUR, clock.now, False)
        assert (first.attempt, first.claimed_at, first.last_due, first.last_runs) == (0, None, None, ())

    def test_what_is_due_is_claimed_and_finished_until_it_is_due_again(self, store: Store, clock: Clock) -> None:
        later, sooner = _added(store, clock, 2), _added(store, clock, 1)
        assert store.claim_schedule(lease_seconds=60) is None
        clock.forward(3 * 3600)
        claimed = store.claim_schedule(lease_seconds=60)
        assert claimed == replace(sooner, attempt=1, claim=1, claimed_at=clock.now)
        assert claimed == store.schedule(sooner.id)
        other = store.claim_schedule(lease_seconds=60)
        assert other is not None
        assert other.id == later.id
        assert store.claim_schedule(lease_seconds=60) is None
        clock.forward(5)
        done = store.finish_schedule(claimed, next_due=clock.now + HOUR, runs=(3, 5))
        assert done == store.schedule(sooner.id)
        expected = {"last_due": sooner.next_due, "last_finished_at": clock.now, "last_error": None, "last_runs": (3, 5)}
        assert {name: getattr(done, name) for name in expected} == expected
        assert (done.next_due, done.attempt, done.claimed_at) == (clock.now + HOUR, 0, None)
        failed = store.finish_schedule(other, next_due=clock.now + HOUR, error="There is no file 'x\"; --.csv")
        assert (failed.last_error, failed.last_runs, failed.paused) == ("There is no file 'x\"; --.csv", (), False)
        assert store.claim_schedule(lease_seconds=60) is None
        clock.forward(3600)
        again = store.claim_schedule(lease_seconds=60)
        assert again is not None
        assert (again.id, again.attempt, again.claim, again.last_runs) == (later.id, 1, 2, ())

    def test_of_many_who_ask_at_once_one_gets_it(self, store: Store, clock: Clock) -> None:
        schedules = [_added(store, clock) for _ in range(3)]
        with ThreadPoolExecutor(8) as pool:
            claimed = [each for each in pool.map(lambda _: store.claim_schedule(lease_seconds=60), range(16)) if each]
        # on PostgreSQL one who finds the row locked may go away with nothing; nobody gets what another has
        assert len({each.id for each in claimed}) == len(claimed)
        while (more := store.claim_schedule(lease_seconds=60)) is not None:
            claimed.append(more)
        assert sorted(each.id for each in claimed) == [each.id for each in schedules]

    def test_a_lost_claim_is_taken_over_and_a_late_finish_is_refused(self, store: Store, clock: Clock) -> None:
        _added(store, clock)
        lost = store.claim_schedule(lease_seconds=-1)  # over as soon as it is given
        assert lost is not None
        store.renew_schedule(lost, lease_seconds=60)
        assert store.claim_schedule(lease_seconds=60) is None, "it was renewed"
        store.renew_schedule(lost, lease_seconds=-1)
        taken = store.claim_schedule(lease_seconds=60)
        assert taken is not None
        assert (taken.id, taken.next_due, taken.attempt, taken.claim) == (lost.id, lost.next_due, 2, 2)
        for verb in (
            lambda: store.renew_schedule(lost, lease_seconds=60),
            lambda: store.finish_schedule(lost, next_due=clock.now + HOUR, runs=(1,)),
        ):
            with pytest.raises(ChangedError, match="taken over"):
                verb()
        assert store.schedule(lost.id) == taken
        store.finish_schedule(taken, next_due=clock.now + HOUR)
        with pytest.raises(ChangedError):
            store.finish_schedule(taken, next_due=clock.now)

    def test_a_paused_schedule_rests_until_it_is_resumed(self, store: Store, clock: Clock) -> None:
        schedule = _added(store, clock)
        assert store.pause_schedule(schedule.id) == replace(schedule, paused=True) == store.schedule(schedule.id)
        clock.forward(3600)
        assert store.claim_schedule(lease_seconds=60) is None
        resumed = store.resume_schedule(schedule.id, next_due=clock.now + HOUR)
        assert resumed == replace(schedule, next_due=clock.now + HOUR)
        assert store.resume_schedule(schedule.id, next_due=clock.now) == resumed, "it was not paused"
        clock.forward(3600)
        claimed = store.claim_schedule(lease_seconds=60)
        assert claimed is not None
        store.pause_schedule(schedule.id)
        done = store.finish_schedule(claimed, next_due=clock.now, runs=(1,))
        assert (done.paused, done.last_runs) == (True, (1,)), "what is under way is finished"
        assert store.claim_schedule(lease_seconds=60) is None

    def test_a_removed_schedule_is_gone(self, store: Store, clock: Clock) -> None:
        schedule, kept = _added(store, clock), _added(store, clock, 1)
        claimed = store.claim_schedule(lease_seconds=60)
        assert claimed is not None
        store.remove_schedule(schedule.id)
        assert store.schedules() == [kept]
        for verb in (
            lambda: store.schedule(schedule.id),
            lambda: store.remove_schedule(schedule.id),
            lambda: store.pause_schedule(schedule.id),
            lambda: store.resume_schedule(schedule.id, next_due=clock.now),
            lambda: store.renew_schedule(claimed, lease_seconds=60),
            lambda: store.finish_schedule(claimed, next_due=clock.now),
        ):
            with pytest.raises(NotFoundError, match=f"no schedule {schedule.id}"):
                verb()
        assert _added(store, clock).id > kept.id, "a number is never used again"

    def test_schedules_of_another_workspace_are_neither_seen_nor_claimed(
        self, store: Store, elsewhere: Store, clock: Clock
    ) -> None:
        schedule = _added(store, clock)
        assert elsewhere.schedules() == []
        assert elsewhere.claim_schedule(lease_seconds=60) is None
        claimed = store.claim_schedule(lease_seconds=60)
        assert claimed is not None
        verbs: list[Callable[[], object]] = [
            lambda: elsewhere.schedule(schedule.id),
            lambda: elsewhere.pause_schedule(schedule.id),
            lambda: elsewhere.resume_schedule(schedule.id, next_due=clock.now),
            lambda: elsewhere.remove_schedule(schedule.id),
            lambda: elsewhere.renew_schedule(claimed, lease_seconds=60),
            lambda: elsewhere.finish_schedule(claimed, next_due=clock.now),
        ]
        for verb in verbs:
            with pytest.raises(NotFoundError):
                verb()
        # every verb there is has been walked, so that a new one is not forgotten here
        walked = {name for verb in verbs for name in verb.__code__.co_names}
        walked |= {"add_schedule", "schedules", "claim_schedule"}
        assert walked >= ScheduleStore.__abstractmethods__
        assert store.schedules() == [claimed]

    def test_an_idle_snapshot_alone_is_deleted_when_that_is_asked_for(self, store: Store) -> None:
        snapshot, _, _ = finished_run(store, sample_customers(3))
        queued = store.queue_run(snapshot.id, "e", {})
        with pytest.raises(ChangedError, match="queued or running"):
            store.delete_snapshot(snapshot.id, idle=True)
        assert len(store.runs()) == 2
        store.fail_run(queued.id, "for a test")
        store.delete_snapshot(snapshot.id, idle=True)
        assert (store.snapshots(), store.runs()) == ([], [])
