"""What a store must do with uploads: each task done once, whatever becomes of those who are at it."""

# ruff: noqa: D102 - the names of the tests say what they are
from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from storage.contract import ChangedError, NotFoundError, Store
from storage.contract.uploads import NewUpload, Upload, UploadStore
from storage.testing.samples import Clock

NEW = NewUpload(file="0f3c.csv", name="Über 'all' 平.csv", size=5 * 2**30, fingerprint="ab" * 32)
ASKED = {"mapping": {"customer_id": "Kunde"}, "reading": {"date_order": "day-first"}, "name": None}


def _claimed(store: Store) -> Upload:
    found = store.claim_upload(lease_seconds=60)
    assert found is not None
    return found


class UploadChecks:
    """What a store must do with uploads."""

    def test_an_upload_is_kept_as_it_was_given(self, store: Store, clock: Clock) -> None:
        first, second = store.add_upload(NEW), store.add_upload(replace(NEW, name="b.csv"))
        assert store.uploads() == [second, first]
        assert store.upload(first.id) == first
        assert {name: getattr(first, name) for name in vars(NEW)} == vars(NEW)
        assert (first.state, first.task, first.created_at, first.changed_at) == (
            *("received", None),
            *(clock.now, clock.now),
        )
        assert store.claim_upload(lease_seconds=60) is None

    def test_a_task_is_asked_for_claimed_told_of_and_finished(self, store: Store, clock: Clock) -> None:
        upload = store.add_upload(NEW)
        asked = store.ask_upload(upload.id, "inspect", ASKED)
        assert (asked.state, asked.task, asked.asked, asked.asked_by) == ("queued", "inspect", ASKED, None)
        claimed = _claimed(store)
        assert (claimed.id, claimed.state, claimed.attempt, claimed.claim) == (upload.id, "running", 1, 1)
        assert store.claim_upload(lease_seconds=60) is None
        with pytest.raises(ChangedError, match="being worked on"):
            store.ask_upload(upload.id, "store", {})
        store.renew_upload(claimed, lease_seconds=60, stage="Reading", progress=0.5)
        assert (store.upload(upload.id).stage, store.upload(upload.id).progress) == ("Reading", 0.5)
        clock.forward(5)
        done = store.finish_upload(claimed, found={"ledger": {"in": {"lines": 3}}, "nan": float("nan")})
        assert done == store.upload(upload.id)
        assert (done.state, done.stage, done.progress, done.error) == ("done", None, None, None)
        assert (done.found, done.changed_at) == ({"ledger": {"in": {"lines": 3}}, "nan": None}, clock.now)
        again = store.ask_upload(upload.id, "store", ASKED)
        assert (again.found, again.attempt) == (done.found, 0), "what was found stays until something else is"
        claimed = _claimed(store)
        failed = store.finish_upload(claimed, error="No date in line 3.")
        assert (failed.state, failed.error, failed.snapshot_id) == ("failed", "No date in line 3.", None)
        assert store.ask_upload(upload.id, "store", ASKED, who="Änne").asked_by == "Änne"
        stored = store.finish_upload(_claimed(store), snapshot_id=7, runs=(3, 5))
        assert (stored.state, stored.error, stored.snapshot_id, stored.runs) == ("done", None, 7, (3, 5))

    def test_of_many_who_ask_for_a_task_one_gets_it(self, store: Store) -> None:
        uploads = [store.add_upload(NEW) for _ in range(3)]
        for upload in uploads:
            store.ask_upload(upload.id, "inspect", {})
        with ThreadPoolExecutor(8) as pool:
            claimed = [each for each in pool.map(lambda _: store.claim_upload(lease_seconds=60), range(16)) if each]
        # on PostgreSQL one who finds the row locked may go away with nothing; nobody gets what another has
        while (late := store.claim_upload(lease_seconds=60)) is not None:
            claimed.append(late)
        assert sorted(each.id for each in claimed) == [upload.id for upload in uploads]

    def test_a_task_whose_worker_is_silent_is_taken_over(self, store: Store) -> None:
        upload = store.add_upload(NEW)
        store.ask_upload(upload.id, "inspect", {})
        lost = store.claim_upload(lease_seconds=-1)
        assert lost is not None
        taken = _claimed(store)
        assert (taken.id, taken.attempt, taken.claim) == (upload.id, 2, 2)
        with pytest.raises(ChangedError):
            store.renew_upload(lost, lease_seconds=60)
        with pytest.raises(ChangedError):
            store.finish_upload(lost, found={"stale": True})
        store.release_upload(lost)  # not its own any more: nothing happens
        assert store.upload(upload.id) == taken
        store.release_upload(taken)
        assert (store.upload(upload.id).state, store.upload(upload.id).attempt) == ("queued", 1)

    def test_what_was_asked_for_can_be_taken_back(self, store: Store) -> None:
        upload = store.add_upload(NEW)
        store.ask_upload(upload.id, "inspect", {})
        assert store.cancel_upload(upload.id).state == "cancelled"
        assert store.claim_upload(lease_seconds=60) is None
        store.ask_upload(upload.id, "inspect", {})
        claimed = _claimed(store)
        assert store.cancel_upload(upload.id).state == "cancelled"
        with pytest.raises(ChangedError):
            store.renew_upload(claimed, lease_seconds=60)
        store.ask_upload(upload.id, "inspect", {})
        done = store.finish_upload(_claimed(store))
        assert store.cancel_upload(upload.id) == done, "what is over stays so"

    def test_uploads_are_of_one_workspace_and_gone_when_removed(self, store: Store, elsewhere: Store) -> None:
        upload, other = store.add_upload(NEW), store.add_upload(NEW)
        store.ask_upload(upload.id, "inspect", {})
        assert elsewhere.uploads() == []
        assert elsewhere.claim_upload(lease_seconds=60) is None
        claimed = _claimed(store)

        def verbs(of: Store) -> list[Callable[[], object]]:
            return [
                lambda: of.upload(upload.id),
                lambda: of.ask_upload(upload.id, "inspect", {}),
                lambda: of.cancel_upload(upload.id),
                lambda: of.renew_upload(claimed, lease_seconds=60),
                lambda: of.finish_upload(claimed),
                lambda: of.remove_upload(upload.id),
            ]

        for verb in verbs(elsewhere):
            with pytest.raises(NotFoundError, match=f"no upload {upload.id}"):
                verb()
        elsewhere.release_upload(claimed)
        # every verb there is has been walked, so that a new one is not forgotten here
        walked = {name for verb in verbs(store) for name in verb.__code__.co_names}
        walked |= {"add_upload", "uploads", "claim_upload", "release_upload"}
        assert walked >= UploadStore.__abstractmethods__
        assert store.upload(upload.id) == claimed
        assert store.remove_upload(upload.id) == claimed
        assert store.uploads() == [other]
        for verb in verbs(store):
            with pytest.raises(NotFoundError, match=f"no upload {upload.id}"):
                verb()
        assert store.add_upload(NEW).id > other.id, "a number is never used again"
