"""Letting go of uploaded files: when their owner says so, or when nobody has made anything of them for some days."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from dashboard.config import Config
from storage.contract import NotFoundError, Store
from storage.contract.uploads import NewUpload


def token_of(upload: NewUpload) -> str:
    """What the names of all files of an upload begin with: random, so that it is nobody else's."""
    return Path(upload.file).name.partition(".")[0]


def path_of(upload: NewUpload, config: Config) -> Path:
    """Where the file of an upload lies; its name there is our own, never the user's."""
    return Path(config.uploads.folder) / Path(upload.file).name


def remove(upload_id: int, config: Config, store: Store) -> None:
    """Forget an upload; its file stays where a snapshot is read from it again (drift, reproduction)."""
    store.cancel_upload(upload_id)
    gone = store.remove_upload(upload_id)
    held = {snapshot.info.get("location") for snapshot in store.snapshots()}
    for path in Path(config.uploads.folder).resolve().glob(f"{token_of(gone)}*"):
        if str(path) in held:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def sweep(config: Config, store: Store, now: datetime) -> list[int]:
    """Remove what was uploaded more than ``keep_days`` ago and is used by no snapshot; the ids of what went.

    An upload that a worker has in hand stays, and so does every file that a snapshot is read from. What a server that
    was killed has left of a file that was on its way goes as well.
    """
    oldest = now - timedelta(days=config.uploads.keep_days)
    snapshots = {snapshot.id for snapshot in store.snapshots()}
    gone = [
        upload.id
        for upload in store.uploads()
        if upload.state not in ("queued", "running")
        and upload.snapshot_id not in snapshots
        and upload.changed_at is not None
        and upload.changed_at < oldest
    ]
    for upload_id in gone:
        with suppress(NotFoundError):  # another worker was faster
            remove(upload_id, config, store)
    for part in Path(config.uploads.folder).glob("*.part"):
        with suppress(OSError):
            if part.stat().st_mtime < oldest.timestamp():
                part.unlink()
    return gone
