"""What a store must do as the queue of work: each run given out once, taken over when lost, never finished twice."""

# ruff: noqa: D102 - the names of the tests say what they are
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from pandas.testing import assert_series_equal

from engines.errors import InputError
from storage.contract import LostError, NotFoundError, Run, Store
from storage.contract.queue import Dependents, LogLine, Starter
from storage.testing.samples import POINTS, Clock, finished_run, sample_customers, sample_result, sample_snapshot

LONG = 3600.0
EXPIRED = -1.0  # a lease of so many seconds is over at once, by whatever clock it is measured


def _queued(store: Store, engine: str = "e") -> Run:
    return store.queue_run(store.save_snapshot(sample_snapshot(), sample_customers(6)).id, engine, {})


def _claimed(store: Store, worker: str, lease_seconds: float = LONG) -> Run:
    run = store.claim_run(lease_seconds=lease_seconds, worker=worker)
    assert run is not None
    return run


class JobChecks:
    """What a store must do as the queue of work."""

    def test_runs_are_claimed_once_each_and_in_order(self, store: Store) -> None:
        queued = [_queued(store).id for _ in range(8)]
        assert _claimed(store, "first").id == queued[0]
        with ThreadPoolExecutor(4) as pool:
            claimed = list(pool.map(lambda n: store.claim_run(lease_seconds=LONG, worker=f"w{n}"), range(9)))
        assert sorted(run.id for run in claimed if run) == queued[1:]

    def test_what_the_worker_is_told_comes_with_the_run(self, store: Store) -> None:
        snapshot = store.save_snapshot(sample_snapshot(), sample_customers(6))
        store.queue_run(snapshot.id, "e", {}, info={"location": "/sales.csv"})
        run = _claimed(store, "ann")
        assert (run.state, run.attempts, run.worker, run.info) == ("running", 1, "ann", {"location": "/sales.csv"})

    def test_a_run_knows_who_started_it_and_when(self, store: Store) -> None:
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

    def test_what_was_left_open_is_settled_by_the_worker_alone(self, store: Store) -> None:
        run = _queued(store)
        other = store.save_snapshot(sample_snapshot(as_of=date(2011, 6, 1)), sample_customers(9))
        with pytest.raises(LostError):
            store.settle_run(run.id, "ann", snapshot_id=other.id, settings={"k": 5})
        _claimed(store, "ann")
        with pytest.raises(LostError):
            store.settle_run(run.id, "bob", snapshot_id=other.id, settings={"k": 5})
        with pytest.raises(NotFoundError):
            store.settle_run(run.id, "ann", snapshot_id=other.id + 1, settings={"k": 5})
        settled = store.settle_run(run.id, "ann", snapshot_id=other.id, settings={"k": 5}, info={"why": "best"})
        assert (settled.snapshot_id, settled.as_of, settled.k, settled.state) == (other.id, other.as_of, 5, "running")
        assert settled.info == {"why": "best"}
        result = sample_result(sample_customers(9))
        done = store.finish_run(run.id, result, seconds=1, info={}, worker="ann")
        assert len(store.labels(done.id)) == 9
        with pytest.raises(LostError, match="never changes"):
            store.settle_run(run.id, "ann", snapshot_id=other.id, settings={})

    def test_the_log_of_a_run_is_its_workers_and_goes_with_it(self, store: Store, clock: Clock) -> None:
        run = _queued(store)
        lines = [LogLine(clock(), "Reading customers"), LogLine(clock(), "Storing")]
        store.log_run(run.id, "ann", lines)
        assert store.run_log(run.id) == []
        _claimed(store, "ann")
        store.log_run(run.id, "ann", lines)
        store.log_run(run.id, "bob", lines)
        store.log_run(run.id, "ann", [])
        store.log_run(run.id, "ann", lines[:1])
        assert store.run_log(run.id) == [*lines, lines[0]]
        store.delete_run(run.id)
        for gone in (lambda: store.run_log(run.id), lambda: store.log_run(run.id, "ann", lines)):
            with pytest.raises(NotFoundError):
                gone()

    def test_what_goes_with_a_run_is_counted(self, store: Store) -> None:
        customers = sample_customers(6)
        _, run, _ = finished_run(store, customers)
        store.save_drift(run.id, POINTS)
        store.edit_segment(run.id, 0, revision=0, name="Friends")
        store.record_export(run.id, "", format="csv", rows=6)
        assert store.dependents(run.id) == Dependents(6, len(POINTS), 1, 0, 1)
        assert store.dependents(_queued(store).id) == Dependents(0, 0, 0, 0, 0)

    def test_a_lease_is_renewed_with_progress_by_its_worker_alone(self, store: Store) -> None:
        _queued(store)
        run = _claimed(store, "ann", EXPIRED)
        assert store.renew(run.id, "ann", lease_seconds=LONG, stage="Segmenting", progress=0.25)
        renewed = store.run(run.id)
        assert renewed.lease_until is not None
        assert run.lease_until is not None
        assert 3000 < (renewed.lease_until - run.lease_until).total_seconds() < 4000
        assert (renewed.state, renewed.stage, renewed.progress, renewed.attempts) == ("running", "Segmenting", 0.25, 1)
        assert store.claim_run(lease_seconds=LONG, worker="bob") is None
        assert not store.renew(run.id, "bob", lease_seconds=LONG, stage="Mine", progress=0.9)
        assert not store.renew(run.id, None, lease_seconds=LONG)
        assert not store.renew(run.id + 1, "ann", lease_seconds=LONG)
        assert store.run(run.id) == renewed

    def test_a_lost_run_is_taken_over_once_and_then_given_up(self, store: Store) -> None:
        run = _queued(store)
        _claimed(store, "ann", EXPIRED)
        store.renew(run.id, "ann", lease_seconds=EXPIRED, stage="Segmenting with X", progress=0.5)
        again = _claimed(store, "bob", EXPIRED)
        assert (again.id, again.attempts, again.worker, again.stage, again.progress) == (run.id, 2, "bob", None, None)
        store.renew(run.id, "bob", lease_seconds=EXPIRED, stage="Segmenting with X", progress=0.5)
        assert store.claim_run(lease_seconds=LONG, worker="cid") is None
        failed = store.run(run.id)
        assert failed.state == "failed"
        assert failed.error == "It was lost with its worker 2 times, at last while segmenting with X."
        assert failed.finished_at is not None

    def test_a_run_begun_without_the_queue_is_taken_over_too(self, store: Store) -> None:
        snapshot = store.save_snapshot(sample_snapshot(), sample_customers(6))
        held = store.start_run(snapshot.id, "e", {}, lease_seconds=LONG)
        assert store.claim_run(lease_seconds=LONG, worker="ann") is None
        lost = store.start_run(snapshot.id, "e", {}, lease_seconds=EXPIRED)
        assert _claimed(store, "ann").id == lost.id
        assert store.run(held.id) == held

    def test_who_has_lost_a_run_can_neither_finish_nor_fail_nor_release_it(self, store: Store) -> None:
        run = _queued(store)
        result, other = sample_result(sample_customers(6)), sample_result(sample_customers(6), seed=5)
        _claimed(store, "ann", EXPIRED)
        taken = _claimed(store, "bob")
        for worker in ("ann", None):
            with pytest.raises(LostError, match="another worker"):
                store.finish_run(run.id, other, seconds=1, info={}, worker=worker)
            with pytest.raises(LostError, match="another worker"):
                store.fail_run(run.id, "slow", worker=worker)
            assert store.release_run(run.id, worker, reason="slow") == taken
        done = store.finish_run(run.id, result, seconds=1, info={}, drift=POINTS, worker="bob")
        assert (done.state, done.stage, done.progress, done.attempts) == ("done", None, 1.0, 2)
        assert store.drift(run.id) == list(POINTS)
        with pytest.raises(LostError, match="never changes"):
            store.finish_run(run.id, other, seconds=1, info={}, worker="bob")
        assert not store.renew(run.id, "bob", lease_seconds=LONG)
        assert_series_equal(store.labels(run.id), result.labels, check_names=False)

    def test_of_two_that_finish_one_run_at_once_one_does(self, store: Store) -> None:
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

    def test_a_released_run_is_queued_again(self, store: Store) -> None:
        run = _queued(store)
        for _ in range(3):  # stopping is not losing
            _claimed(store, "ann")
            assert store.release_run(run.id, "ann") == run
        _claimed(store, "ann")
        assert store.release_run(run.id, "ann", reason="Killed.") == replace(run, attempts=1)
        _claimed(store, "ann")
        store.renew(run.id, "ann", lease_seconds=LONG, stage="Storing", progress=0.9)
        failed = store.release_run(run.id, "ann", reason="Killed.")
        assert (failed.state, failed.error) == ("failed", "It was lost 2 times, at last while storing: Killed.")

    def test_a_cancelled_run_is_nobodys(self, store: Store) -> None:
        run, waiting = _queued(store), _queued(store)
        _claimed(store, "ann")
        cancelled = store.cancel_run(run.id)
        assert (cancelled.state, cancelled.error, cancelled.segments) == ("cancelled", None, ())
        assert cancelled.finished_at is not None
        assert store.cancel_run(run.id) == cancelled
        assert not store.renew(run.id, "ann", lease_seconds=LONG)
        with pytest.raises(LostError, match="cancelled"):
            store.finish_run(run.id, sample_result(sample_customers(6)), seconds=1, info={}, worker="ann")
        assert store.release_run(run.id, "ann") == cancelled
        assert store.cancel_run(waiting.id).state == "cancelled"
        assert store.claim_run(lease_seconds=LONG, worker="bob") is None

    def test_a_finished_run_cannot_be_cancelled(self, store: Store) -> None:
        _, done, _ = finished_run(store, sample_customers(6))
        failed = store.fail_run(_queued(store).id, "no memory")
        for run in (done, failed):
            with pytest.raises(InputError, match=f"Run {run.id} is {run.state}; only"):
                store.cancel_run(run.id)
            assert store.run(run.id) == run
        with pytest.raises(NotFoundError):
            store.cancel_run(99_999)
