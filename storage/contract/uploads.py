"""What an uploaded file is to a store: where it lies, what is to be done with it, and what came of that.

The file itself lies in a folder that web and worker processes share; the store knows its name there. What takes long
(reading all of it, making a snapshot) is asked for here and done by a worker, under a lease like a run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
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
    what the last inspection found, JSON-ready. ``snapshot_id``, ``runs``: what was made of it. ``attempt``: how often
    the task was claimed; ``claim``: how often any was, which tells one claim from another.
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
    attempt: int = 0
    claim: int = 0
    asked_by: str | None = None
    created_at: datetime | None = None
    changed_at: datetime | None = None


class UploadStore(ABC):
    """The verbs about uploads, a part of :class:`~storage.contract.Store`."""

    @abstractmethod
    def add_upload(self, new: NewUpload) -> Upload:
        """Keep what is known of a file that was received."""

    @abstractmethod
    def uploads(self) -> list[Upload]:
        """All uploads, the newest first."""

    @abstractmethod
    def upload(self, upload_id: int) -> Upload:
        """One upload."""

    @abstractmethod
    def ask_upload(
        self, upload_id: int, task: UploadTask, asked: Mapping[str, Any], *, who: str | None = None
    ) -> Upload:
        """Ask for a task in the name of a user, in place of one that is not begun yet or is over.

        Raises:
            ChangedError: a worker is at it.
            NotFoundError: there is no such upload.
        """

    @abstractmethod
    def cancel_upload(self, upload_id: int) -> Upload:
        """Take back what was asked for; a worker who is at it hears of it when it renews. What is over stays so."""

    @abstractmethod
    def claim_upload(self, *, lease_seconds: float) -> Upload | None:
        """The task that was asked for first, now leased to the caller; None if there is none.

        However many ask at once, one of them gets it. A claim whose lease has expired is given to the next who asks,
        with ``attempt`` counted up.
        """

    @abstractmethod
    def renew_upload(
        self, claimed: Upload, *, lease_seconds: float, stage: str | None = None, progress: float | None = None
    ) -> None:
        """Keep a claim for so long from now on, and say how far it is.

        Raises:
            ChangedError: the task was cancelled or is somebody else's by now.
            NotFoundError: the upload is gone.
        """

    @abstractmethod
    def finish_upload(
        self,
        claimed: Upload,
        *,
        found: Mapping[str, Any] | None = None,
        error: str | None = None,
        snapshot_id: int | None = None,
        runs: Sequence[int] = (),
    ) -> Upload:
        """Write down how a claimed task went: failed with an error, else done. ``found`` None leaves what was found.

        Raises:
            ChangedError: the task was cancelled or is somebody else's by now.
            NotFoundError: the upload is gone.
        """

    @abstractmethod
    def release_upload(self, claimed: Upload) -> None:
        """Put a claimed task back, as if it had not been claimed; nothing where it is the caller's no more."""

    @abstractmethod
    def remove_upload(self, upload_id: int) -> Upload:
        """Forget an upload, and give what was known of it; its file is the caller's to remove. Snapshots stay."""
