"""Workspaces: one never sees another, whatever method is called."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage import Store
from storage.contract import LogLine, NotFoundError, Selection
from storage.contract.schedules import NewSchedule
from storage.contract.uploads import NewUpload
from tests.storage.samples import ALARM, Clock, claim_run, finished_run, sample_customers, sample_snapshot


def test_another_workspace_finds_nothing_by_any_method(store: Store, elsewhere: Store, clock: Clock, tmp_path: Path):
    (tmp_path / "sales").write_bytes(b"sales")
    customers = sample_customers(5)
    snapshot, run, result = finished_run(store, customers, [ALARM], sales=tmp_path / "sales")
    running = store.start_run(snapshot.id, "e", {}, lease_seconds=60)
    queued = store.queue_run(snapshot.id, "e", {})
    audience, export = store.save_audience("a", ""), store.begin_export(run.id, "", format="csv")
    schedule = store.add_schedule(NewSchedule("teas.csv", "0 6 * * *", "UTC"), next_due=clock.now)
    upload = store.ask_upload(store.add_upload(NewUpload("0f3c.csv", "teas.csv", 10, "ab")).id, "inspect", {})
    (alert,), (job,) = store.alerts(), store.jobs("upload")
    kinds = ["run", "upload", "refresh", "delivery"]
    refused: list[Callable[[], object]] = [
        lambda: elsewhere.snapshot(snapshot.id),
        lambda: elsewhere.snapshot_customers(snapshot.id),
        lambda: elsewhere.snapshot_columns(snapshot.id),
        lambda: elsewhere.sales(snapshot.id).__enter__(),
        lambda: elsewhere.has_sales(snapshot.id),
        lambda: elsewhere.keep_sales(snapshot.id, tmp_path / "sales"),
        lambda: elsewhere.validations(snapshot.id),
        lambda: elsewhere.delete_snapshot(snapshot.id),
        lambda: elsewhere.queue_run(snapshot.id, "e", {}),
        lambda: elsewhere.start_run(snapshot.id, "e", {}, lease_seconds=1),
        lambda: elsewhere.finish_run(running.id, result, seconds=1, info={}),
        lambda: elsewhere.fail_run(running.id, "x"),
        lambda: elsewhere.resolve_run(running.id, None, snapshot_id=snapshot.id, settings={}),
        lambda: elsewhere.dependents(run.id),
        lambda: elsewhere.cancel_run(running.id),
        lambda: elsewhere.runs(snapshot_id=snapshot.id),
        lambda: elsewhere.run(run.id),
        lambda: elsewhere.labels(run.id),
        lambda: elsewhere.model(run.id),
        lambda: elsewhere.segment_of(run.id, customers.index[0]),
        lambda: elsewhere.delete_run(run.id),
        lambda: elsewhere.edit_segment(run.id, 0, revision=0, name="Mine"),
        lambda: elsewhere.merge_segment(run.id, 0, 2, revision=0),
        lambda: elsewhere.set_run_note(run.id, note="Mine"),
        lambda: elsewhere.publish(run.id, who="me", via="api", why="Mine"),
        lambda: elsewhere.roll_back(snapshot.dataset, who="me", via="api", why="Mine"),
        lambda: elsewhere.count(run.id, Selection()),
        lambda: elsewhere.stream(run.id, Selection()),
        lambda: elsewhere.drift(run.id),
        lambda: elsewhere.job(job.id),
        lambda: elsewhere.release_job(running.job_id, None),
        lambda: elsewhere.cancel_job(job.id),
        lambda: elsewhere.finish_job(running.job_id, None),
        lambda: elsewhere.fail_job(running.job_id, None, "x"),
        lambda: elsewhere.log_job(running.job_id, None, [LogLine(datetime.now(UTC), "Mine")]),
        lambda: elsewhere.job_log(running.job_id),
        lambda: elsewhere.upload(upload.id),
        lambda: elsewhere.ask_upload(upload.id, "inspect", {}),
        lambda: elsewhere.draft_upload(upload.id, {}),
        lambda: elsewhere.rename_dataset(snapshot.dataset, "Mine"),
        lambda: elsewhere.cancel_upload(upload.id),
        lambda: elsewhere.finish_upload(job.id, None),
        lambda: elsewhere.remove_upload(upload.id),
        lambda: elsewhere.schedule(schedule.id),
        lambda: elsewhere.pause_schedule(schedule.id),
        lambda: elsewhere.resume_schedule(schedule.id, next_due=clock.now),
        lambda: elsewhere.finish_schedule(job.id, None, next_due=clock.now),
        lambda: elsewhere.remove_schedule(schedule.id),
        lambda: elsewhere.note_schedule(schedule.id, run.id, "Mine"),
        lambda: elsewhere.audience(audience.id),
        lambda: elsewhere.change_audience(audience.id, name="mine"),
        lambda: elsewhere.delete_audience(audience.id),
        lambda: elsewhere.begin_export(run.id, "", format="csv"),
        lambda: elsewhere.end_export(export.id, rows=1, size=1, sha256="ab"),
        lambda: elsewhere.export(export.id),
        lambda: elsewhere.alert(alert.id),
        lambda: elsewhere.acknowledge_alert(alert.id),
    ]
    nothing: list[Callable[[], object]] = [
        lambda: elsewhere.find_snapshot(sample_snapshot()),
        lambda: elsewhere.snapshots(),
        lambda: elsewhere.predecessor(snapshot.dataset, "kmeans"),
        lambda: elsewhere.jobs("run"),
        lambda: elsewhere.find_job("upload", upload.id, job.request),
        lambda: elsewhere.delete_jobs(kinds),
        lambda: elsewhere.claim_job(kinds, lease_seconds=60),
        lambda: elsewhere.renew_job(running.job_id, None, lease_seconds=60),
        lambda: elsewhere.uploads(),
        lambda: elsewhere.schedules(),
        lambda: elsewhere.audiences(),
        lambda: elsewhere.exports(),
        lambda: elsewhere.alerts(),
        lambda: elsewhere.open_alerts(),
        lambda: elsewhere.live_points("Teas & Co", "kmeans"),
        lambda: elsewhere.runs(),
        lambda: elsewhere.published(snapshot.dataset),
        lambda: elsewhere.published_runs(),
        lambda: elsewhere.publications(snapshot.dataset),
        lambda: elsewhere.sweep_objects(),
    ]

    def everything() -> list[object]:
        there = [store.snapshots(), store.runs(), store.drift(run.id), store.uploads(), store.schedules()]
        there += [store.publications(snapshot.dataset), store.published_runs()]
        return [*there, store.audiences(), store.exports(), store.alerts(), store.jobs("upload")]

    before = everything()
    for method in refused:
        with pytest.raises(NotFoundError):
            method()
    assert not any(method() for method in nothing)
    # what is made there is its own
    assert elsewhere.save_snapshot(sample_snapshot(), customers).id != snapshot.id
    assert elsewhere.save_audience("a", "min_clv=1").id != audience.id
    assert elsewhere.add_upload(NewUpload("0f3c.csv", "teas.csv", 10, "ab")).id != upload.id
    assert elsewhere.add_schedule(NewSchedule("teas.csv", "0 6 * * *", "UTC"), next_due=clock.now).id != schedule.id
    assert elsewhere.queue_job("upload", upload.id, job.request).id != job.id
    assert everything() == before
    assert claim_run(store).id == queued.id
    # every method there is has been walked, so that a new one is not forgotten here
    walked = {name for method in (*refused, *nothing) for name in method.__code__.co_names}
    walked |= {"save_snapshot", "save_audience", "add_upload", "add_schedule", "queue_job", "close"}
    assert walked >= {name for name in dir(Store) if not name.startswith("_")}


def test_a_number_that_was_never_given_is_not_found(store: Store):
    for method, number in itertools.product((store.snapshot, store.run, store.labels, store.delete_run), (0, -1, 99)):
        with pytest.raises(NotFoundError, match=str(number)):
            method(number)
