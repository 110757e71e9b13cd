"""Schedules: each due time started once, whatever becomes of those who start it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from storage import Store
from storage.contract import Job, LostError, NotFoundError
from storage.contract.jobs import REFRESH
from storage.contract.schedules import NewSchedule, Schedule
from tests.storage.samples import Clock

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


def _claimed(store: Store, worker: str = "ann", lease_seconds: float = 60) -> Job | None:
    return store.claim_job([REFRESH], lease_seconds=lease_seconds, worker=worker)


def test_a_schedule_is_kept_as_it_was_given(store: Store, clock: Clock):
    first, second = _added(store, clock, 1), _added(store, clock, 2)
    assert store.schedules() == [first, second]
    assert store.schedule(first.id) == first
    assert {name: getattr(first, name) for name in vars(NEW)} == vars(NEW)
    assert (first.next_due, first.created_at, first.paused) == (clock.now + HOUR, clock.now, False)
    assert (first.claimed_at, first.last_due, first.last_runs) == (None, None, ())


def test_what_is_due_is_claimed_and_finished_until_it_is_due_again(store: Store, clock: Clock):
    later, sooner = _added(store, clock, 2), _added(store, clock, 1)
    assert _claimed(store) is None
    clock.forward(3 * 3600)
    job = _claimed(store)
    assert (job.subject, job.due_at, job.attempts) == (sooner.id, sooner.next_due, 1)
    assert store.schedule(sooner.id) == replace(sooner, claimed_at=clock.now)
    other = _claimed(store)
    assert other.subject == later.id
    assert _claimed(store) is None
    clock.forward(5)
    done = store.finish_schedule(job.id, "ann", next_due=clock.now + HOUR, runs=(3, 5))
    assert done == store.schedule(sooner.id)
    expected = {"last_due": sooner.next_due, "last_finished_at": clock.now, "last_error": None, "last_runs": (3, 5)}
    assert {name: getattr(done, name) for name in expected} == expected
    assert (done.next_due, done.claimed_at) == (clock.now + HOUR, None)
    failed = store.finish_schedule(other.id, "ann", next_due=clock.now + HOUR, error="There is no file 'x\"; --.csv")
    assert (failed.last_error, failed.last_runs, failed.paused) == ("There is no file 'x\"; --.csv", (), False)
    assert _claimed(store) is None
    clock.forward(3600)
    again = _claimed(store)
    assert (again.subject, again.attempts) == (sooner.id, 1)


def test_of_many_who_ask_at_once_one_gets_a_due_time(store: Store, clock: Clock):
    schedules = [_added(store, clock) for _ in range(3)]
    with ThreadPoolExecutor(8) as pool:
        claimed = [job for job in pool.map(lambda n: _claimed(store, f"w{n}"), range(16)) if job]
    # on PostgreSQL one who finds the row locked may go away with nothing; nobody gets what another has
    while (more := _claimed(store)) is not None:
        claimed.append(more)
    assert sorted(job.subject for job in claimed) == [each.id for each in schedules]


def test_a_lost_due_time_is_taken_over_and_a_late_finish_is_refused(store: Store, clock: Clock):
    schedule = _added(store, clock)
    lost = _claimed(store, "ann", -1)  # over as soon as it is given
    assert store.renew_job(lost.id, "ann", lease_seconds=60)
    assert _claimed(store) is None, "it was renewed"
    store.renew_job(lost.id, "ann", lease_seconds=-1)
    taken = _claimed(store, "bob")
    assert (taken.id, taken.due_at, taken.attempts) == (lost.id, lost.due_at, 2)
    with pytest.raises(LostError):
        store.finish_schedule(lost.id, "ann", next_due=clock.now + HOUR, runs=(1,))
    assert store.schedule(schedule.id).last_due is None
    store.finish_schedule(taken.id, "bob", next_due=clock.now + HOUR)
    with pytest.raises(NotFoundError):
        store.finish_schedule(taken.id, "bob", next_due=clock.now)


def test_a_paused_schedule_rests_until_it_is_resumed(store: Store, clock: Clock):
    schedule = _added(store, clock)
    assert store.pause_schedule(schedule.id) == replace(schedule, paused=True) == store.schedule(schedule.id)
    assert store.pause_schedule(schedule.id).paused
    clock.forward(3600)
    assert _claimed(store) is None
    resumed = store.resume_schedule(schedule.id, next_due=clock.now + HOUR)
    assert resumed == replace(schedule, next_due=clock.now + HOUR)
    assert store.resume_schedule(schedule.id, next_due=clock.now) == resumed, "it was not paused"
    clock.forward(3600)
    claimed = _claimed(store)
    store.pause_schedule(schedule.id)
    done = store.finish_schedule(claimed.id, "ann", next_due=clock.now, runs=(1,))
    assert (done.paused, done.last_runs) == (True, (1,)), "what is under way is finished"
    assert _claimed(store) is None


def test_a_schedule_resumed_while_it_is_under_way_is_due_once(store: Store, clock: Clock):
    schedule = _added(store, clock)
    claimed = _claimed(store)
    store.pause_schedule(schedule.id)
    assert store.resume_schedule(schedule.id, next_due=clock.now).claimed_at == clock.now
    assert _claimed(store) is None
    store.finish_schedule(claimed.id, "ann", next_due=clock.now)
    assert _claimed(store).subject == schedule.id
    assert _claimed(store) is None


def test_a_removed_schedule_is_gone(store: Store, clock: Clock):
    schedule, kept = _added(store, clock), _added(store, clock, 1)
    claimed = _claimed(store)
    store.remove_schedule(schedule.id)
    assert store.schedules() == [kept]
    for verb in (
        lambda: store.schedule(schedule.id),
        lambda: store.remove_schedule(schedule.id),
        lambda: store.pause_schedule(schedule.id),
        lambda: store.resume_schedule(schedule.id, next_due=clock.now),
        lambda: store.finish_schedule(claimed.id, "ann", next_due=clock.now),
    ):
        with pytest.raises(NotFoundError):
            verb()
    assert _added(store, clock).id > kept.id, "a number is never used again"
