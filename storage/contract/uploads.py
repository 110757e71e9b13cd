"""Uploaded files: where each lies, what is to be done with it, and what came of that.

The file itself lies in a folder that web and worker processes share; the store knows its name there. What takes long
(reading all of it, making a snapshot) is a job of the kind ``upload``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

#: What can be asked for: reading everything and accounting for it, or that and a snapshot of its customers with runs.
UploadTask = Literal["inspect", "store"]
UploadState = Literal["received", "queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class NewUpload:
    """A file that was received.

    ``file``: its name in the folder of uploads, made by us. ``name``: what its owner calls it. ``size``: in bytes.
    ``fingerprint``: SHA-256 of its content.
    """

    file: str
    name: str
    size: int
    fingerprint: str


@dataclass(frozen=True)
class Upload(NewUpload):
    """A file that is kept.

    ``task``, ``asked``: what was last asked for, and how (JSON-ready: mapping, reading, rules...); ``asked_by``: the
    user's name, where there is one. ``state``, ``stage``, ``progress`` (0 to 1), ``error``: how that stands. ``found``:
    what the last inspection found, JSON-ready. ``snapshot_id``, ``runs``: what was made of it. ``draft``: what was
    filled in since, as ``asked``; empty where nothing was.
    """

    id: int = 0
    state: UploadState = "received"
    task: UploadTask | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    stage: str | None = None
    progress: float | None = None
    error: str | None = None
    found: Mapping[str, Any] = field(default_factory=dict)
    snapshot_id: int | None = None
    runs: tuple[int, ...] = ()
    asked_by: str | None = None
    created_at: datetime | None = None
    changed_at: datetime | None = None
    draft: Mapping[str, Any] = field(default_factory=dict)
