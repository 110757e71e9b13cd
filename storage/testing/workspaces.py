"""What a store must keep apart: one workspace never sees another."""

# ruff: noqa: D102 - the names of the tests say what they are
from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from storage.contract import NotFoundError, Selection, Store
from storage.contract.audiences import DeskStore
from storage.contract.exports import ExportStore
from storage.contract.queue import LogLine
from storage.contract.schedules import ScheduleStore
from storage.contract.uploads import UploadStore
from storage.contract.watch import WatchStore
from storage.testing.samples import (
    POINTS,
    finished_run,
    sample_customers,
    sample_snapshot,
)


class WorkspaceChecks:
    """What a store must keep apart: one workspace never sees another."""

    def test_another_workspace_finds_nothing_by_any_verb(self, store: Store, elsewhere: Store) -> None:
        customers = sample_customers(5)
        snapshot, run, result = finished_run(store, customers)
        store.save_drift(run.id, POINTS)
        running = store.start_run(snapshot.id, "e", {}, lease_seconds=60)
        queued = store.queue_run(snapshot.id, "e", {})
        before = (store.snapshots(), store.runs(), store.drift(run.id))
        verbs: list[Callable[[], object]] = [
            lambda: elsewhere.snapshot(snapshot.id),
            lambda: elsewhere.snapshot_customers(snapshot.id),
            lambda: elsewhere.orders(snapshot.id, customers.index[0]),
            lambda: elsewhere.snapshot_columns(snapshot.id),
            lambda: elsewhere.delete_snapshot(snapshot.id),
            lambda: elsewhere.queue_run(snapshot.id, "e", {}),
            lambda: elsewhere.start_run(snapshot.id, "e", {}, lease_seconds=1),
            lambda: elsewhere.finish_run(running.id, result, seconds=1, info={}),
            lambda: elsewhere.fail_run(running.id, "x"),
            lambda: elsewhere.release_run(running.id, None),
            lambda: elsewhere.settle_run(running.id, None, snapshot_id=snapshot.id, settings={}),
            lambda: elsewhere.log_run(running.id, None, [LogLine(datetime.now(UTC), "Mine")]),
            lambda: elsewhere.run_log(running.id),
            lambda: elsewhere.dependents(run.id),
            lambda: elsewhere.cancel_run(running.id),
            lambda: elsewhere.runs(snapshot_id=snapshot.id),
            lambda: elsewhere.run(run.id),
            lambda: elsewhere.labels(run.id),
            lambda: elsewhere.model(run.id),
            lambda: elsewhere.segment_of(run.id, customers.index[0]),
            lambda: elsewhere.delete_run(run.id),
            lambda: elsewhere.edit_segment(run.id, 0, revision=0, name="Mine"),
            lambda: elsewhere.count(run.id, Selection()),
            lambda: elsewhere.stream(run.id, Selection()),
            lambda: elsewhere.save_drift(run.id, POINTS),
            lambda: elsewhere.drift(run.id),
        ]
        for verb in verbs:
            with pytest.raises(NotFoundError):
                verb()
        assert elsewhere.find_snapshot(sample_snapshot()) is None
        assert (elsewhere.snapshots(), elsewhere.runs()) == ([], [])
        assert elsewhere.claim_run(lease_seconds=60) is None
        assert not elsewhere.renew(running.id, None, lease_seconds=60)
        assert elsewhere.predecessor(snapshot.dataset, "kmeans") is None
        # every verb there is has been walked, so that a new one is not forgotten here
        walked = {name for verb in verbs for name in verb.__code__.co_names}
        walked |= {"find_snapshot", "snapshots", "claim_run", "renew", "predecessor", "save_snapshot", "close"}
        # those of schedules, uploads, the desk, exports and alerts are walked where these are tested
        others = (ScheduleStore, UploadStore, DeskStore, ExportStore, WatchStore)
        assert walked >= Store.__abstractmethods__.difference(*(each.__abstractmethods__ for each in others))
        own = elsewhere.save_snapshot(sample_snapshot(), customers)
        assert own.id != snapshot.id
        assert elsewhere.snapshots() == [own]
        assert (store.snapshots(), store.runs(), store.drift(run.id)) == before
        assert store.claim_run(lease_seconds=60).id == queued.id  # type: ignore[union-attr]

    def test_a_number_that_was_never_given_is_not_found(self, store: Store) -> None:
        for verb, number in itertools.product((store.snapshot, store.run, store.labels, store.delete_run), (0, -1, 99)):
            with pytest.raises(NotFoundError, match=str(number)):
                verb(number)
