"""Jobs: each given out once, taken over when lost, never finished twice; first those of runs, then of any kind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from pandas.testing import assert_series_equal

from engines.errors import InputError
from engines.messages import message
from storage import Store
from storage.contract import Dependents, Job, LogLine, LostError, NotFoundError, Run, Starter
from tests.storage.samples import (
    POINTS,
    Clock,
    claim_run,
    exported,
    finished_run,
    sample_customers,
    sample_result,
    sample_snapshot,
)

LONG = 3600.0
EXPIRED = -1.0  # a lease of so many seconds is over at once, by whatever clock it is measured


def _queued(store: Store, engine: str = "e") -> Run:
    return store.queue_run(store.save_snapshot(sample_snapshot(), sample_customers(6)).id, engine, {})


def _claimed(store: Store, worker: str, lease_seconds: float = LONG) -> Run:
    run = claim_run(store, worker, lease_seconds)
    assert run is not None
    return run


def test_runs_are_claimed_once_each_and_in_order(store: Store):
    queued = [_queued(store).id for _ in range(8)]
    assert _claimed(store, "first").id == queued[0]
    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda n: claim_run(store, f"w{n}"), range(9)))
    assert sorted(run.id for run in claimed if run) == queued[1:]


def test_what_the_worker_is_told_comes_with_the_run(store: Store):
    snapshot = store.save_snapshot(sample_snapshot(), sample_customers(6))
    store.queue_run(snapshot.id, "e", {}, info={"location": "/sales.csv"})
    run = _claimed(store, "ann")
    assert (run.state, run.attempts, run.worker, run.info) == ("running", 1, "ann", {"location": "/sales.csv"})


def test_a_run_knows_who_started_it_and_when(store: Store):
    snapshot = store.save_snapshot(sample_snapshot(), sample_customers(6))
    anna = Starter("page", "anna")
    queued = store.queue_run(snapshot.id, "e", {}, starter=anna)
    started = store.start_run(snapshot.id, "e", {}, lease_seconds=LONG, starter=Starter("command line"))
    assert (queued.starter, queued.started_at) == (anna, None)
    assert started.starter == Starter("command line")
    assert _queued(store).starter == Starter()
    claimed = _claimed(store, "ann")
    assert claimed.starter == anna
    assert claimed.started_at is not None


def test_what_was_left_open_is_resolved_by_the_worker_alone(store: Store):
    run = _queued(store)
    other = store.save_snapshot(sample_snapshot(as_of=date(2011, 6, 1)), sample_customers(9))
    with pytest.raises(LostError):
        store.resolve_run(run.id, "ann", snapshot_id=other.id, settings={"k": 5})
    _claimed(store, "ann")
    with pytest.raises(LostError):
        store.resolve_run(run.id, "bob", snapshot_id=other.id, settings={"k": 5})
    with pytest.raises(NotFoundError):
        store.resolve_run(run.id, "ann", snapshot_id=other.id + 1, settings={"k": 5})
    settled = store.resolve_run(run.id, "ann", snapshot_id=other.id, settings={"k": 5}, info={"why": "best"})
    assert (settled.snapshot_id, settled.as_of, settled.k, settled.state) == (other.id, other.as_of, 5, "running")
    assert settled.info == {"why": "best"}
    result = sample_result(sample_customers(9))
    done = store.finish_run(run.id, result, seconds=1, info={}, worker="ann")
    assert len(store.labels(done.id)) == 9
    with pytest.raises(LostError, match="never changes"):
        store.resolve_run(run.id, "ann", snapshot_id=other.id, settings={})


def test_the_log_of_a_run_is_its_workers_and_goes_with_it(store: Store, clock: Clock):
    run = _queued(store)
    lines = [LogLine(clock(), "Reading customers"), LogLine(clock(), "Storing")]
    store.log_job(run.job_id, "ann", lines)
    assert store.job_log(run.job_id) == []
    _claimed(store, "ann")
    store.log_job(run.job_id, "ann", lines)
    store.log_job(run.job_id, "bob", lines)
    store.log_job(run.job_id, "ann", [])
    store.log_job(run.job_id, "ann", lines[:1])
    assert store.job_log(run.job_id) == [*lines, lines[0]]
    store.delete_run(run.id)
    for gone in (lambda: store.job_log(run.job_id), lambda: store.log_job(run.job_id, "ann", lines)):
        with pytest.raises(NotFoundError):
            gone()


def test_what_goes_with_a_run_is_counted(store: Store):
    customers = sample_customers(6)
    _, run, _ = finished_run(store, customers, POINTS)
    store.edit_segment(run.id, 0, revision=0, name="Friends")
    exported(store, run.id)
    assert store.dependents(run.id) == Dependents(6, len(POINTS), 0, 0, 1)  # the name is not the run's alone
    assert store.dependents(_queued(store).id) == Dependents(0, 0, 0, 0, 0)


def test_a_lease_is_renewed_with_progress_by_its_worker_alone(store: Store):
    _queued(store)
    run = _claimed(store, "ann", EXPIRED)
    assert store.renew_job(run.job_id, "ann", lease_seconds=LONG, stage="Segmenting", progress=0.25)
    renewed = store.run(run.id)
    assert renewed.lease_until is not None
    assert run.lease_until is not None
    assert 3000 < (renewed.lease_until - run.lease_until).total_seconds() < 4000
    assert (renewed.state, renewed.stage, renewed.progress, renewed.attempts) == ("running", "Segmenting", 0.25, 1)
    assert claim_run(store, "bob") is None
    assert not store.renew_job(run.job_id, "bob", lease_seconds=LONG, stage="Mine", progress=0.9)
    assert not store.renew_job(run.job_id, None, lease_seconds=LONG)
    assert not store.renew_job(run.job_id + 1, "ann", lease_seconds=LONG)
    assert store.run(run.id) == renewed


def test_a_lost_run_is_taken_over_once_and_then_given_up(store: Store):
    run = _queued(store)
    _claimed(store, "ann", EXPIRED)
    store.renew_job(run.job_id, "ann", lease_seconds=EXPIRED, stage="Segmenting with X", progress=0.5)
    again = _claimed(store, "bob", EXPIRED)
    assert (again.id, again.attempts, again.worker, again.stage, again.progress) == (run.id, 2, "bob", None, None)
    store.renew_job(run.job_id, "bob", lease_seconds=EXPIRED, stage="Segmenting with X", progress=0.5)
    assert claim_run(store, "cid") is None
    failed = store.run(run.id)
    assert failed.state == "failed"
    assert failed.error == "It was lost with its worker 2 times, at last while segmenting with X."
    assert failed.finished_at is not None


def test_a_run_begun_without_the_queue_is_taken_over_too(store: Store):
    snapshot = store.save_snapshot(sample_snapshot(), sample_customers(6))
    held = store.start_run(snapshot.id, "e", {}, lease_seconds=LONG)
    assert claim_run(store, "ann") is None
    lost = store.start_run(snapshot.id, "e", {}, lease_seconds=EXPIRED)
    assert _claimed(store, "ann").id == lost.id
    assert store.run(held.id) == held


def test_who_has_lost_a_run_can_neither_finish_nor_fail_nor_release_it(store: Store):
    run = _queued(store)
    result, other = sample_result(sample_customers(6)), sample_result(sample_customers(6), seed=5)
    _claimed(store, "ann", EXPIRED)
    taken = _claimed(store, "bob")
    for worker in ("ann", None):
        with pytest.raises(LostError, match="another worker"):
            store.finish_run(run.id, other, seconds=1, info={}, worker=worker)
        with pytest.raises(LostError, match="another worker"):
            store.fail_run(run.id, "slow", worker=worker)
        store.release_job(run.job_id, worker, reason="slow")
    assert store.run(run.id) == taken
    done = store.finish_run(run.id, result, seconds=1, info={}, drift=POINTS, worker="bob")
    assert (done.state, done.stage, done.progress, done.attempts) == ("done", None, 1.0, 2)
    assert store.drift(run.id) == list(POINTS)
    with pytest.raises(LostError, match="never changes"):
        store.finish_run(run.id, other, seconds=1, info={}, worker="bob")
    assert not store.renew_job(run.job_id, "bob", lease_seconds=LONG)
    assert_series_equal(store.labels(run.id), result.labels, check_names=False)


def test_of_two_that_finish_one_run_at_once_one_does(store: Store):
    run = _queued(store)
    _claimed(store, "ann")
    results = [sample_result(sample_customers(6), seed=seed) for seed in range(4)]

    def finish(number: int) -> bool:
        try:
            store.finish_run(run.id, results[number], seconds=number, info={}, worker="ann")
        except LostError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        finished = list(pool.map(finish, range(4)))
    assert sum(finished) == 1
    winner = finished.index(True)
    assert store.run(run.id).seconds == winner
    assert_series_equal(store.labels(run.id), results[winner].labels, check_names=False)


def test_a_released_run_is_queued_again(store: Store):
    run = _queued(store)
    for _ in range(3):  # stopping is not losing
        _claimed(store, "ann")
        store.release_job(run.job_id, "ann")
    assert store.run(run.id) == run
    _claimed(store, "ann")
    store.release_job(run.job_id, "ann", reason="Killed.")
    assert store.run(run.id) == replace(run, attempts=1)
    _claimed(store, "ann")
    store.renew_job(run.job_id, "ann", lease_seconds=LONG, stage="Storing", progress=0.9)
    store.release_job(run.job_id, "ann", reason="Killed.")
    failed = store.run(run.id)
    assert (failed.state, failed.error) == ("failed", "It was lost 2 times, at last while storing: Killed.")


def test_a_cancelled_run_is_nobodys(store: Store):
    run, waiting = _queued(store), _queued(store)
    _claimed(store, "ann")
    cancelled = store.cancel_run(run.id)
    assert (cancelled.state, cancelled.error, cancelled.segments) == ("cancelled", None, ())
    assert cancelled.finished_at is not None
    assert store.cancel_run(run.id) == cancelled
    assert not store.renew_job(run.job_id, "ann", lease_seconds=LONG)
    with pytest.raises(LostError, match="cancelled"):
        store.finish_run(run.id, sample_result(sample_customers(6)), seconds=1, info={}, worker="ann")
    store.release_job(run.job_id, "ann")
    assert store.run(run.id) == cancelled
    assert store.cancel_run(waiting.id).state == "cancelled"
    assert claim_run(store, "bob") is None


def test_a_finished_run_cannot_be_cancelled(store: Store):
    _, done, _ = finished_run(store, sample_customers(6))
    failed = store.fail_run(_queued(store).id, "no memory")
    for run in (done, failed):
        with pytest.raises(InputError, match=f"Run {run.id} is {run.state}; only"):
            store.cancel_run(run.id)
        assert store.run(run.id) == run
    with pytest.raises(NotFoundError):
        store.cancel_run(99_999)


# --- jobs of any kind


def job_of(store: Store, *kinds: str, worker: str = "ann", lease_seconds: float = LONG, **more: Any) -> Job:
    job = store.claim_job(kinds, lease_seconds=lease_seconds, worker=worker, **more)
    assert job is not None
    return job


def test_a_job_of_any_kind_is_queued_claimed_followed_and_finished_with_its_result(store: Store, clock: Clock):
    anna = Starter("page", "Änne")
    asked = {"columns": ["a", "b"], "k": 4, "none": None}
    queued = store.queue_job("preview", 7, asked, starter=anna)
    assert queued == store.job(queued.id)
    assert (queued.kind, queued.subject, queued.request, queued.starter) == ("preview", 7, asked, anna)
    assert (queued.state, queued.attempts, queued.max_attempts, queued.result) == ("queued", 0, 2, None)
    clock.forward(5)
    claimed = job_of(store, "preview")
    assert claimed == replace(
        queued, state="running", attempts=1, worker="ann", started_at=clock.now, lease_until=claimed.lease_until
    )
    assert store.renew_job(queued.id, "ann", lease_seconds=LONG, stage="Reading", progress=0.5)
    assert (store.job(queued.id).stage, store.job(queued.id).progress) == ("Reading", 0.5)
    store.log_job(queued.id, "ann", [LogLine(clock.now, "Reading")])
    done = store.finish_job(queued.id, "ann", {"lines": [1, 2], "nan": float("nan"), "größe": np.int64(3)})
    assert done == store.job(queued.id)
    assert (done.state, done.result, done.stage, done.progress, done.lease_until) == (
        *("done", {"lines": [1, 2], "nan": None, "größe": 3}),
        *(None, 1.0, None),
    )
    assert (done.finished_at, store.job_log(queued.id)) == (clock.now, [LogLine(clock.now, "Reading")])
    with pytest.raises(LostError, match=f"Job {queued.id} .* it is done"):
        store.finish_job(queued.id, "ann", {})
    with pytest.raises(InputError, match=f"Job {queued.id} is done; only a queued or running job"):
        store.cancel_job(queued.id)
    assert store.job(queued.id) == done


def test_an_equal_job_that_is_not_over_is_not_queued_twice(store: Store):
    first = store.queue_job("drift", 3, {"months": 6})
    others = [store.queue_job("drift", 3, {"months": 7}), store.queue_job("drift", 4, {"months": 6})]
    others.append(store.queue_job("migration", 3, {"months": 6}))
    assert store.queue_job("drift", 3, {"months": 6}) == first
    claimed = job_of(store, "drift")
    assert store.queue_job("drift", 3, {"months": 6}) == claimed
    store.finish_job(first.id, "ann", {"x": 1})
    again = store.queue_job("drift", 3, {"months": 6})
    assert again.id > others[-1].id
    assert [job.id for job in store.jobs("drift", 3)] == [again.id, others[0].id, first.id]
    assert [job.id for job in store.jobs("drift")] == [again.id, others[1].id, others[0].id, first.id]
    assert store.jobs("choose_k") == []


def test_kinds_named_first_come_first_and_others_are_left_alone(store: Store):
    slow, quick = store.queue_job("drift", 1), store.queue_job("preview", 1)
    assert store.claim_job(["choose_k"], lease_seconds=LONG, worker="ann") is None
    assert job_of(store, "preview", "drift").id == quick.id
    assert job_of(store, "preview", "drift").id == slow.id
    assert store.claim_job(["preview", "drift"], lease_seconds=LONG, worker="bob") is None


def test_nobody_begins_a_job_before_it_is_due_or_one_that_is_too_old(store: Store, clock: Clock):
    asked = clock.now
    later = store.queue_job("delivery", 1, due_at=clock.now + timedelta(hours=2))
    sooner = store.queue_job("delivery", 2, due_at=clock.now + timedelta(hours=1))
    clock.forward(3599)
    assert store.claim_job(["delivery"], lease_seconds=LONG) is None
    clock.forward(2)
    assert job_of(store, "delivery").id == sooner.id
    clock.forward(3600)
    assert store.claim_job(["delivery"], lease_seconds=LONG, since=clock.now) is None
    assert job_of(store, "delivery", since=asked).id == later.id


def test_a_job_put_back_for_a_while_rests_until_then(store: Store, clock: Clock):
    job = store.queue_job("delivery", 1, max_attempts=None)
    for attempt in range(1, 5):
        assert job_of(store, "delivery").attempts == attempt
        waiting = store.release_job(job.id, "ann", reason="The receiver answered 500.", delay_seconds=60)
        assert (waiting.state, waiting.error, waiting.attempts) == ("queued", "The receiver answered 500.", attempt)
        assert waiting.due_at == clock.now + timedelta(seconds=60)
        clock.forward(59)
        assert store.claim_job(["delivery"], lease_seconds=LONG) is None
        clock.forward(1)
    failed = store.fail_job(job_of(store, "delivery").id, "ann", "Gone.")
    assert (failed.state, failed.error, failed.attempts) == ("failed", "Gone.", 5)


def test_of_many_who_ask_for_a_job_of_any_kind_one_gets_it(store: Store):
    queued = [store.queue_job("preview" if number % 2 else "drift", number).id for number in range(6)]
    kinds = ["preview", "drift"]
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda n: store.claim_job(kinds, lease_seconds=LONG, worker=f"w{n}"), range(16))
        claimed = [job.id for job in found if job]
    # on PostgreSQL one who finds the row locked may go away with nothing; nobody gets what another has
    while (late := store.claim_job(kinds, lease_seconds=LONG)) is not None:
        claimed.append(late.id)
    assert sorted(claimed) == queued


def test_a_job_without_end_is_given_out_however_often_it_is_lost(store: Store):
    endless, bounded = store.queue_job("refresh", 1, max_attempts=None), store.queue_job("preview", 1, max_attempts=1)
    for attempt in range(1, 5):
        assert job_of(store, "refresh", lease_seconds=EXPIRED).attempts == attempt
    assert job_of(store, "preview", lease_seconds=EXPIRED).id == bounded.id
    assert store.claim_job(["preview"], lease_seconds=LONG) is None
    assert store.job(bounded.id).error == "It was lost with its worker 1 times."
    assert store.job(endless.id).state == "running"


def test_messages_keep_their_template_and_parts(store: Store, clock: Clock):
    why = message("{file} has no column {column!r}, as of {day}.", file="a.csv", column="Date", day=date(2011, 12, 9))
    _queued(store)
    run = _claimed(store, "ann")
    store.log_job(run.job_id, "ann", [LogLine(clock.now, message("k = {k} was chosen. {why}", k=3, why=why))])
    store.renew_job(run.job_id, "ann", lease_seconds=LONG, stage=message("Segmenting with {title}", title="RFM"))
    assert store.run(run.id).stage == "Segmenting with RFM"
    failed = store.fail_run(run.id, why, worker="ann")
    (line,) = store.job_log(run.job_id)
    for found in (failed.error, store.run(run.id).error, line.text.parts["why"]):
        assert found == "a.csv has no column 'Date', as of 2011-12-09."
        assert (found.template, found.parts) == (why.template, why.parts)
    _queued(store)
    again, customers = _claimed(store, "ann"), sample_customers(6)
    result = replace(sample_result(customers), notes=(why, "as it was"))
    done = store.finish_run(again.id, result, seconds=1.0, info={"chosen": why}, worker="ann")
    assert done.notes == result.notes and done.notes[0].parts == done.info["chosen"].parts == why.parts


def test_the_latest_equal_job_that_is_good_for_an_answer_is_found(store: Store, clock: Clock):
    asked = {"columns": ["a"]}
    assert store.find_job("preview", 1, asked) is None
    first = store.queue_job("preview", 1, asked)
    assert store.find_job("preview", 1, asked) == first
    assert store.find_job("preview", 1, {}) is None
    assert store.find_job("preview", 2, asked) is None
    done = store.finish_job(job_of(store, "preview").id, "ann", {"x": 1})
    store.fail_job(store.queue_job("preview", 1, asked).id, None, "no memory")
    assert store.find_job("preview", 1, asked) == done, "one that failed is no answer"
    clock.forward(60)
    store.queue_job("drift", 1)
    store.delete_jobs(["preview"], subject=2)
    store.delete_jobs(["preview", "drift"], before=clock.now - timedelta(seconds=60))
    assert len(store.jobs("preview")) == 2
    store.delete_jobs(["preview", "drift"], before=clock.now)
    assert (store.jobs("preview"), len(store.jobs("drift"))) == ([], 1)
    store.delete_jobs(["drift"], subject=1)
    assert store.jobs("drift") == []


def test_by_their_age_only_jobs_that_are_over_are_deleted(store: Store, clock: Clock):
    done, failed, running, cancelled, queued = (store.queue_job("preview", place).id for place in range(5))
    for job in (done, failed, running):
        assert job_of(store, "preview").id == job
    store.finish_job(done, "ann", {})
    store.fail_job(failed, "ann", "no memory")
    store.cancel_job(cancelled)
    clock.forward(60)
    store.delete_jobs(["preview"], before=clock.now)
    assert [job.id for job in store.jobs("preview")] == [queued, running]
    assert store.finish_job(running, "ann", {}).state == "done"
    store.delete_jobs(["preview"], subject=4)
    assert [job.id for job in store.jobs("preview")] == [running], "what is about something that is gone goes with it"
