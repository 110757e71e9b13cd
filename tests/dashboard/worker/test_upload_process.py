"""A worker that is killed in the middle of an upload: taken over once, then given up; nothing is stored of it."""

import multiprocessing
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboard.config import load_config
from dashboard.worker.upload_process import read_upload
from storage import Store, open_store
from storage.contract.jobs import MAX_ATTEMPTS, UPLOAD
from storage.contract.uploads import NewUpload
from tests.dashboard.uploading import ASKED, export

LEASE = 0.5


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def config(tmp_path: Path):
    (tmp_path / "files").mkdir()
    return load_config(environ={}).replace(
        database={"url": f"sqlite:///{tmp_path / 'shop.db'}"},
        uploads={"folder": str(tmp_path / "files")},
        engines={"use": ["rfm"]},
        worker={"lease_seconds": LEASE},
    )


@pytest.fixture
def store(config):
    opened = open_store(config.database.url, clock=now)
    yield opened
    opened.close()


def queued(config, store: Store, task: str = "store") -> int:
    content = export()
    (Path(config.uploads.folder) / "ab.csv").write_bytes(content)
    upload = store.add_upload(NewUpload("ab.csv", "sales.csv", len(content), "ab" * 32))
    return store.ask_upload(upload.id, task, ASKED).id


def test_a_lost_task_is_taken_over_and_then_given_up(config, store):
    upload = queued(config, store)
    for attempt in range(1, MAX_ATTEMPTS + 1):  # workers that claim it and are never heard of again
        claimed = None
        deadline = threading.Event()
        while claimed is None:
            claimed = store.claim_job([UPLOAD], lease_seconds=LEASE)
            deadline.wait(0.05)
        assert claimed.attempts == attempt
    while store.upload(upload).state == "running":
        read_upload(config, store, threading.Event())
    found = store.upload(upload)
    assert (found.state, found.snapshot_id) == ("failed", None)
    assert f"lost with its worker {MAX_ATTEMPTS} times" in found.error
    assert store.snapshots() == []


def test_after_one_loss_it_is_done(config, store):
    upload = queued(config, store)
    assert store.claim_job([UPLOAD], lease_seconds=LEASE) is not None
    while store.upload(upload).state == "running":
        read_upload(config, store, threading.Event())
    found = store.upload(upload)
    assert (found.state, found.error, store.jobs(UPLOAD)[0].attempts) == ("done", None, 2)
    assert [item.id for item in store.snapshots()] == [found.snapshot_id]


def test_a_killed_process_is_an_error_and_nothing_is_stored(config, store):
    upload = queued(config, store)
    worker = threading.Thread(target=read_upload, args=(config, store, threading.Event()))
    worker.start()
    try:
        children = []
        while not children and worker.is_alive():
            children = [one for one in multiprocessing.active_children() if one.name == f"upload {upload}"]
        for child in children:
            child.kill()
    finally:
        worker.join(60)
    found = store.upload(upload)
    assert (found.state, store.snapshots()) == ("failed", [])
    assert "ended unexpectedly" in found.error


def test_a_worker_that_has_to_stop_puts_it_back(config, store):
    upload = queued(config, store)
    stop = threading.Event()
    stop.set()
    assert read_upload(config, store, stop)
    assert (store.upload(upload).state, store.jobs(UPLOAD)[0].attempts) == ("queued", 0)
