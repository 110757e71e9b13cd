"""Runs: finished once and for good, listed, read back with their model and drift points, deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pandas.testing import assert_series_equal
from sqlalchemy import text

from engines.contract import MODEL_LIMIT
from engines.errors import InputError
from storage import Store, open_store
from storage.contract import NotFoundError, Selection, StoreError
from storage.contract.objects import ObjectSettings
from storage.sql.database import Database
from storage.sql.tables import ModelRow
from tests.storage.samples import (
    POINTS,
    Clock,
    claim_run,
    finished_run,
    sample_customers,
    sample_result,
    sample_snapshot,
    unpublish,
)


def test_the_life_of_a_run(store: Store, clock: Clock):
    customers = sample_customers(30)
    snapshot = store.save_snapshot(sample_snapshot(), customers)
    queued = store.queue_run(snapshot.id, "kmeans", {"k": 4, "seed": 7})
    assert (queued.state, queued.k, queued.seed, queued.created_at) == ("queued", 4, 7, clock.now)
    assert (queued.dataset, queued.as_of) == (snapshot.dataset, snapshot.as_of)
    clock.forward(5)
    claimed = claim_run(store)
    assert claimed is not None
    assert claimed == replace(
        queued, state="running", attempts=1, lease_until=claimed.lease_until, started_at=clock.now
    )
    clock.forward(5)
    result = sample_result(customers)
    done = store.finish_run(queued.id, result, seconds=2.5, info={"numpy": "2", "inertia": np.float64(1.5)})
    assert done == store.run(queued.id)
    assert (done.state, done.seconds, done.fitted_on, done.notes) == ("done", 2.5, 30, ("a note",))
    assert (done.finished_at, done.info) == (clock.now, {"numpy": "2", "inertia": 1.5})
    assert done.metrics == {"silhouette": 0.25, "davies_bouldin": None, "broken": None}
    assert done.segments == result.segments
    assert_series_equal(store.labels(done.id), result.labels, check_names=False)


def test_labels_are_matched_by_customer_whatever_their_order(store: Store):
    customers = sample_customers(40)
    run = store.start_run(store.save_snapshot(sample_snapshot(), customers).id, "e", {}, lease_seconds=60)
    result = sample_result(customers)
    shuffled = replace(result, labels=result.labels.sample(frac=1, random_state=3))
    store.finish_run(run.id, shuffled, seconds=1, info={})
    assert_series_equal(store.labels(run.id), result.labels, check_names=False)


def test_labels_that_are_not_everyones_are_refused(store: Store):
    customers = sample_customers(10)
    run = store.start_run(store.save_snapshot(sample_snapshot(), customers).id, "e", {}, lease_seconds=60)
    result = sample_result(customers)
    for labels in (result.labels.iloc[1:], result.labels.rename({"0042": "43"}), result.labels + 1):
        with pytest.raises(ValueError, match="label"):
            store.finish_run(run.id, replace(result, labels=labels), seconds=1, info={})
    assert store.run(run.id) == run


def test_a_finished_run_never_changes(store: Store):
    customers = sample_customers(10)
    _, done, result = finished_run(store, customers)
    failed = store.fail_run(store.start_run(done.snapshot_id, "e", {}, lease_seconds=1).id, "no memory")
    assert (failed.state, failed.error, failed.segments) == ("failed", "no memory", ())
    for run in (done, failed):
        with pytest.raises(ValueError, match="never changes"):
            store.finish_run(run.id, sample_result(customers, seed=1), seconds=9, info={})
        with pytest.raises(ValueError, match="never changes"):
            store.fail_run(run.id, "late")
        assert store.run(run.id) == run
    assert_series_equal(store.labels(done.id), result.labels, check_names=False)


def test_runs_are_listed_the_newest_first(store: Store):
    _, first, _ = finished_run(store, sample_customers(3))
    second = store.queue_run(first.snapshot_id, "gmm", {})
    other = store.save_snapshot(sample_snapshot(fingerprint="other"), sample_customers(3))
    third = store.queue_run(other.id, "rfm", {})
    assert store.runs() == [third, second, first]
    assert store.runs(snapshot_id=first.snapshot_id) == [second, first]
    assert store.runs(snapshot_id=first.snapshot_id, state="queued") == [second]
    assert store.runs(state="done") == [first]
    assert store.runs(engine="gmm") == [second]
    assert store.runs(dataset=first.dataset) == [third, second, first]
    assert store.runs(dataset=first.dataset, engine=first.engine, state="queued") == []
    assert store.runs(dataset="Another") == []


def test_the_predecessor_is_the_latest_finished_run_of_data_set_and_engine(store: Store, clock: Clock):
    assert store.predecessor("Teas & Co", "kmeans") is None
    _, first, _ = finished_run(store, sample_customers(20))
    clock.forward(1)
    customers = sample_customers(25)
    _, _, result = finished_run(store, customers, as_of=date(2024, 6, 1))
    store.start_run(first.snapshot_id, "kmeans", {}, lease_seconds=60)
    finished_run(store, sample_customers(4), dataset="Another")
    found = store.predecessor("Teas & Co", "kmeans")
    assert found is not None
    assert_series_equal(found.labels, result.labels, check_names=False)
    assert found.segments == result.segments
    assert store.predecessor("Teas & Co", "gmm") is None


def test_deleting_a_run_leaves_the_others(store: Store):
    _, gone, result = finished_run(store, sample_customers(6), POINTS)
    kept = store.start_run(gone.snapshot_id, "e", {}, lease_seconds=60)
    store.finish_run(kept.id, result, seconds=1, info={})
    unpublish(store)
    store.delete_run(gone.id)
    assert [run.id for run in store.runs()] == [kept.id]
    assert_series_equal(store.labels(kept.id), result.labels, check_names=False)
    assert store.queue_run(kept.snapshot_id, "e", {}).id > kept.id


def test_a_runs_model_is_kept_with_it_and_goes_with_it(store: Store):
    customers = sample_customers(6)
    _, without, result = finished_run(store, customers)
    assert store.model(without.id) is None
    models = [bytes(range(256)) * 4096, b"", b"'); --\\x00"]
    runs = [store.start_run(without.snapshot_id, "e", {}, lease_seconds=60) for _ in models]
    assert store.model(runs[0].id) is None
    for run, model in zip(runs, models, strict=True):
        store.finish_run(run.id, result, seconds=1, info={}, model=model)
    assert [store.model(run.id) for run in runs] == models
    store.delete_run(runs[0].id)
    with pytest.raises(NotFoundError, match=str(runs[0].id)):
        store.model(runs[0].id)
    assert store.model(runs[2].id) == models[2]
    unpublish(store)
    store.delete_snapshot(without.snapshot_id)
    with pytest.raises(NotFoundError):
        store.model(runs[2].id)


def test_a_model_beyond_the_limit_is_refused(store: Store):
    customers = sample_customers(3)
    run = store.start_run(store.save_snapshot(sample_snapshot(), customers).id, "e", {}, lease_seconds=60)
    with pytest.raises(ValueError, match="at most 67,108,864"):
        store.finish_run(run.id, sample_result(customers), seconds=1, info={}, model=bytes(MODEL_LIMIT + 1))
    assert store.run(run.id) == run


def test_only_finished_runs_have_customers(store: Store):
    snapshot = store.save_snapshot(sample_snapshot(), sample_customers(3))
    run = store.queue_run(snapshot.id, "e", {})
    for ask in (store.labels, lambda i: store.count(i, Selection()), lambda i: store.stream(i, Selection())):
        with pytest.raises(NotFoundError, match="queued"):
            ask(run.id)


def test_drift_points_come_in_the_order_of_their_dates(store: Store):
    _, run, _ = finished_run(store, sample_customers(3), POINTS[::-1])
    assert store.drift(run.id) == list(POINTS)
    assert store.drift(finished_run(store, sample_customers(3))[1].id) == []


# --- models, in the object store and (of runs from before it) in the database

MODEL = bytes(range(256)) * 100


def with_model(store: Store, model: bytes | None = MODEL) -> int:
    """A finished run that has a model."""
    _, run, result = finished_run(store, sample_customers(5))
    again = store.start_run(run.snapshot_id, "e", {}, lease_seconds=60)
    return store.finish_run(again.id, result, seconds=1, info={}, model=model).id


def put_old_model(store: Store, run_id: int) -> None:
    """A model in the database, as runs from before the object store have it."""
    with store._database.writing(store._workspace_id) as transaction:
        transaction.add(ModelRow, [{"run_id": run_id, "model": MODEL}])


def count(database: Database, table: str) -> int:
    with database.engine.connect() as connection:
        return connection.execute(text(f"select count(*) from {table}")).scalar_one()


def test_no_model_outlives_its_run(url: str, tmp_path: Path):
    store = open_store(url, clock=Clock(), objects=ObjectSettings(str(tmp_path / "objects")))
    database = Database(url)

    def kept() -> tuple[int, int, int]:
        files = [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]
        return count(database, "run_models"), count(database, "objects"), len(files)

    first, second, third, old = (
        with_model(store),
        with_model(store),
        with_model(store, b"other"),
        with_model(store, None),
    )
    put_old_model(store, old)
    assert kept() == (1, 2, 2), "two runs share one file"
    unpublish(store)
    store.delete_run(first)
    assert [store.model(run) for run in (second, third, old)] == [MODEL, b"other", MODEL]
    store.delete_run(third)
    store.delete_run(old)
    assert kept() == (0, 1, 1)
    store.delete_snapshot(store.run(second).snapshot_id)
    assert kept() == (0, 0, 0)
    store.close()
    database.close()


def test_bytes_that_no_store_wrote_are_not_read(url: str, tmp_path: Path):
    store = open_store(url, clock=Clock(), objects=ObjectSettings(str(tmp_path)))
    old, new = with_model(store, None), with_model(store)
    put_old_model(store, old)
    database = Database(url)
    huge = "zeroblob(:size)" if url.startswith("sqlite") else "decode(repeat('00', :size), 'hex')"
    with database.begin() as connection:
        connection.execute(text(f"update run_models set model = {huge}"), {"size": MODEL_LIMIT + 1})
        connection.execute(text("update objects set size = :size"), {"size": MODEL_LIMIT + 1})
    for run in (old, new):
        with pytest.raises(InputError, match=f"run {run} has 67,108,865 bytes where 67,108,864 are allowed"):
            store.model(run)
    store.close()
    database.close()


@pytest.mark.parametrize("state", ["missing", "altered"])
def test_a_model_that_is_not_what_was_stored_is_one_sentence(url: str, tmp_path: Path, state: str):
    store = open_store(url, clock=Clock(), objects=ObjectSettings(str(tmp_path / "objects")))
    run = with_model(store)
    (file,) = [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]
    file.unlink() if state == "missing" else file.write_bytes(b"!" + MODEL[1:])
    with pytest.raises(StoreError, match=f"model of run {run} is {state} in {tmp_path}.*; run its engine again"):
        store.model(run)
    store.close()
