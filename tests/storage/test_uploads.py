"""Uploads: each task done once, whatever becomes of those who are at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from storage import Store
from storage.contract import ChangedError, Job, LostError, NotFoundError
from storage.contract.jobs import UPLOAD
from storage.contract.uploads import NewUpload
from tests.storage.samples import Clock

NEW = NewUpload(file="0f3c.csv", name="Über 'all' 平.csv", size=5 * 2**30, fingerprint="ab" * 32)
ASKED = {"mapping": {"customer_id": "Kunde"}, "reading": {"date_order": "day-first"}, "name": None}


def _claimed(store: Store, worker: str = "ann", lease_seconds: float = 60) -> Job:
    job = store.claim_job([UPLOAD], lease_seconds=lease_seconds, worker=worker)
    assert job is not None
    return job


def test_an_upload_is_kept_as_it_was_given(store: Store, clock: Clock):
    first, second = store.add_upload(NEW), store.add_upload(replace(NEW, name="b.csv"))
    assert store.uploads() == [second, first]
    assert store.upload(first.id) == first
    assert {name: getattr(first, name) for name in vars(NEW)} == vars(NEW)
    assert (first.state, first.task, first.created_at, first.changed_at) == (
        *("received", None),
        *(clock.now, clock.now),
    )
    assert store.claim_job([UPLOAD], lease_seconds=60) is None


def test_what_was_filled_in_is_kept_until_something_is_asked_for(store: Store):
    upload = store.add_upload(NEW)
    assert upload.draft == {}
    assert store.draft_upload(upload.id, ASKED).draft == ASKED
    assert store.upload(upload.id).draft == ASKED
    assert store.ask_upload(upload.id, "inspect", ASKED).draft == {}
    with pytest.raises(NotFoundError):
        store.draft_upload(upload.id + 1, ASKED)


def test_a_task_is_asked_for_claimed_told_of_and_finished(store: Store, clock: Clock):
    upload = store.add_upload(NEW)
    asked = store.ask_upload(upload.id, "inspect", ASKED)
    assert (asked.state, asked.task, asked.asked, asked.asked_by) == ("queued", "inspect", ASKED, None)
    claimed = _claimed(store)
    assert (claimed.subject, claimed.request) == (upload.id, {"task": "inspect", "asked": ASKED})
    assert store.upload(upload.id).state == "running"
    assert store.claim_job([UPLOAD], lease_seconds=60) is None
    with pytest.raises(ChangedError, match="being worked on"):
        store.ask_upload(upload.id, "store", {})
    store.renew_job(claimed.id, "ann", lease_seconds=60, stage="Reading", progress=0.5)
    assert (store.upload(upload.id).stage, store.upload(upload.id).progress) == ("Reading", 0.5)
    clock.forward(5)
    done = store.finish_upload(claimed.id, "ann", report={"ledger": {"in": {"lines": 3}}, "nan": float("nan")})
    assert done == store.upload(upload.id)
    assert (done.state, done.stage, done.progress, done.error) == ("done", None, None, None)
    assert (done.found, done.changed_at) == ({"ledger": {"in": {"lines": 3}}, "nan": None}, clock.now)
    again = store.ask_upload(upload.id, "store", ASKED)
    assert (again.found, again.state) == (done.found, "queued"), "what was found stays until something else is"
    store.fail_job(_claimed(store).id, "ann", "No date in line 3.")
    failed = store.upload(upload.id)
    assert (failed.state, failed.error, failed.snapshot_id) == ("failed", "No date in line 3.", None)
    assert store.ask_upload(upload.id, "store", ASKED, who="Änne").asked_by == "Änne"
    stored = store.finish_upload(_claimed(store).id, "ann", snapshot_id=7, runs=(3, 5))
    assert (stored.state, stored.error, stored.snapshot_id, stored.runs) == ("done", None, 7, (3, 5))


def test_a_task_whose_worker_is_silent_is_taken_over_once(store: Store):
    upload = store.add_upload(NEW)
    store.ask_upload(upload.id, "inspect", {})
    lost = _claimed(store, "ann", -1)
    taken = _claimed(store, "bob", -1)
    assert (taken.id, taken.attempts) == (lost.id, 2)
    with pytest.raises(LostError):
        store.finish_upload(lost.id, "ann", report={"stale": True})
    assert store.release_job(lost.id, "ann") == taken, "not its own any more: nothing happens"
    assert store.claim_job([UPLOAD], lease_seconds=60) is None
    given_up = store.upload(upload.id)
    assert (given_up.state, given_up.error, given_up.found) == ("failed", "It was lost with its worker 2 times.", {})


def test_what_was_asked_for_can_be_taken_back(store: Store):
    upload = store.add_upload(NEW)
    store.ask_upload(upload.id, "inspect", {})
    assert store.cancel_upload(upload.id).state == "cancelled"
    assert store.claim_job([UPLOAD], lease_seconds=60) is None
    store.ask_upload(upload.id, "inspect", {})
    claimed = _claimed(store)
    assert store.cancel_upload(upload.id).state == "cancelled"
    assert not store.renew_job(claimed.id, "ann", lease_seconds=60)
    store.ask_upload(upload.id, "inspect", {})
    done = store.finish_upload(_claimed(store).id, "ann")
    assert store.cancel_upload(upload.id) == done, "what is over stays so"


def test_an_upload_is_gone_when_it_is_removed(store: Store):
    upload, other = store.add_upload(NEW), store.add_upload(NEW)
    store.ask_upload(upload.id, "inspect", {})
    job = _claimed(store)
    claimed = store.upload(upload.id)
    assert store.remove_upload(upload.id) == claimed
    assert store.uploads() == [other]
    verbs: list[Callable[[], object]] = [
        lambda: store.upload(upload.id),
        lambda: store.ask_upload(upload.id, "inspect", {}),
        lambda: store.cancel_upload(upload.id),
        lambda: store.finish_upload(job.id, "ann"),
        lambda: store.remove_upload(upload.id),
    ]
    for verb in verbs:
        with pytest.raises(NotFoundError):
            verb()
    assert not store.renew_job(job.id, "ann", lease_seconds=60)
    assert store.add_upload(NEW).id > other.id, "a number is never used again"
