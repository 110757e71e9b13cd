"""What can be done with an uploaded file: preview it, have a worker read it, and delete it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

from anyio.to_thread import run_sync
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dashboard.clock import now
from dashboard.config import Config
from dashboard.pipeline.answers import DROPPED, PREVIEW, Question, from_json_value, made_with
from dashboard.pipeline.receive import Limits
from dashboard.pipeline.run import make_engine
from dashboard.pipeline.sales import Progress, SalesRequest, with_reading
from engines.errors import InputError
from engines.intake.schema.preview import Preview, preview
from engines.messages import Message
from engines.settings import CleaningRules, Customers
from storage import Store
from storage.contract import Job, NotFoundError
from storage.contract.uploads import NewUpload, Upload, UploadTask

_CUSTOMERS = [item.name for item in CleaningRules.declared() if item.type == Customers]


def token_of(upload: NewUpload) -> str:
    """What the names of all files of an upload begin with: random, so that it is nobody else's."""
    return Path(upload.file).name.partition(".")[0]


def path_of(upload: NewUpload, config: Config) -> Path:
    """Where the file of an upload lies; its name there is our own, never the user's."""
    return Path(config.uploads.folder) / Path(upload.file).name


def remove_upload(upload_id: int, config: Config, store: Store) -> None:
    """Forget an upload, with its file and what was read of it; the sales of a snapshot are kept with that."""
    store.cancel_upload(upload_id)
    gone = store.remove_upload(upload_id)
    store.delete_jobs([PREVIEW, DROPPED], subject=upload_id)
    for path in Path(config.uploads.folder).resolve().glob(f"{token_of(gone)}*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def sweep(config: Config, store: Store, now: datetime) -> list[int]:
    """Remove what was uploaded more than ``keep_days`` ago and is used by no snapshot; the ids of what went.

    An upload that a worker has in hand stays, and so does one that a snapshot was made of: more may be added to it.
    What a server that was killed has left of a file that was on its way goes as well.
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
            remove_upload(upload_id, config, store)
    for part in Path(config.uploads.folder).glob("*.part"):
        with suppress(OSError):
            if part.stat().st_mtime < oldest.timestamp():
                part.unlink()
    return gone


How = Literal["new", "append", "replace"]


class UploadRequest(BaseModel):
    """How a file is to be read and what is to be made of it; what is left out comes from the configuration.

    ``how``: a snapshot of this file alone ("new"), of the data set's latest sales and this file together ("append"), or
    of this file alone in place of the data set's latest snapshot ("replace"). ``currency``: ISO 4217 code of the money
    where the file does not say it.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    mapping: dict[str, str] = Field(default_factory=dict)
    reading: dict[str, Any] = Field(default_factory=dict)
    cleaning: dict[str, Any] = Field(default_factory=dict)
    name: str | None = Field(default=None, min_length=1, max_length=200)
    as_of: date | None = Field(default=None, strict=False)
    engines: list[str] = Field(default_factory=list)
    k: int | None = Field(default=None, ge=1)
    seed: int | None = Field(default=None, ge=0)
    how: How = "new"
    currency: str | None = Field(default=None, max_length=100)

    def configured(self, config: Config) -> Config:
        """The configuration with what is asked for in place of these keys of [reading] and [cleaning].

        Raises:
            InputError: a key that is not there, or a value that it does not allow.
        """
        for name, value in self.cleaning.items():
            if isinstance(value, str) and name in _CUSTOMERS:
                raise InputError(
                    "cleaning {name}: give a list; a file of this machine is named in config.toml alone.", name=name
                )
        try:
            config = config.replace(cleaning=self.cleaning)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"][1:])
            raise InputError(
                "cleaning {where}: {problem}.", where=where, problem=first["msg"].removeprefix("Value error, ")
            ) from None
        return with_reading(config, self.reading, self.currency)

    def of_sales(self, source: str, title: str) -> SalesRequest:
        """The same as a request for the sales of a source."""
        return SalesRequest(
            source,
            tuple(self.engines),
            self.k,
            self.seed,
            self.as_of,
            self.mapping,
            self.name or title,
            self.reading,
            currency=self.currency,
        )


def limits_of(config: Config) -> Limits:
    """Where uploads go, and how large one may be."""
    return Limits(Path(config.uploads.folder), config.uploads.limit_mb * 2**20)


async def keep(received: NewUpload, config: Config, store: Store) -> tuple[Upload, dict[str, Any] | None]:
    """Note a received file, and tell what it equals: an earlier upload of the very same content, and its snapshot."""
    try:
        return await run_sync(_keep, received, store)
    except BaseException:
        path_of(received, config).unlink(missing_ok=True)
        raise


def _keep(received: NewUpload, store: Store) -> tuple[Upload, dict[str, Any] | None]:
    upload = store.add_upload(received)
    return upload, twin_of(upload, store)


def twin_of(received: Upload, store: Store) -> dict[str, Any] | None:
    """What holds the same content already: an upload with its snapshot, or a snapshot read from elsewhere."""
    snapshots = store.snapshots()
    by_id = {item.id: item for item in snapshots}
    for upload in store.uploads():
        if upload.id != received.id and upload.fingerprint == received.fingerprint:
            snapshot = by_id.get(upload.snapshot_id) if upload.snapshot_id is not None else None
            return _twin(upload.id, upload.name, snapshot)
    same = next((item for item in snapshots if item.fingerprint == received.fingerprint), None)
    return None if same is None else _twin(None, same.source, same)


def _twin(upload: int | None, name: str, snapshot: Any) -> dict[str, Any]:
    snapshot_info = (
        None if snapshot is None else {"id": snapshot.id, "name": snapshot.dataset, "as_of": str(snapshot.as_of)}
    )
    return {"upload": upload, "name": name, "snapshot": snapshot_info}


def preview_upload(upload: Upload, upload_request: UploadRequest, config: Config) -> Preview:
    """The first lines of an upload, and what has to be said before it can be read.

    Raises:
        InputError: the file cannot be read at all, or is no longer there.
    """
    config = upload_request.configured(config)
    path = str(_existing_file(upload, config))
    try:
        seen = preview(
            path,
            mapping={**config.mapping, **upload_request.mapping},
            reading=config.reading,
            currency=config.sales.currency,
            today=now().date(),
        )
    except InputError as error:
        raise InputError(in_users_words(error.message, upload)) from None
    return replace(
        seen,
        source=replace(seen.source, name=upload.name),
        problems=tuple(replace(each, question=in_users_words(each.question, upload)) for each in seen.problems),
        notes=tuple(in_users_words(note, upload) for note in seen.notes),
    )


def preview_question(upload: Upload, upload_request: UploadRequest, config: Config) -> Question[Preview]:
    """The question what the first lines of an upload hold.

    Raises:
        InputError: a setting that cannot be, or the file is no longer there.
    """
    upload_request.configured(config)
    _existing_file(upload, config)
    request = {
        "mapping": upload_request.mapping,
        "reading": upload_request.reading,
        "currency": upload_request.currency,
        "file": upload.file,
        "made_with": made_with(config),
    }
    return Question(PREVIEW, upload.id, request, partial(from_json_value, Preview))


def preview_for_job(job: Job, config: Config, store: Store, progress: Progress) -> dict[str, Any]:
    """What a worker computes for such a question."""
    asked = {name: job.request.get(name) for name in ("mapping", "reading", "currency")}
    upload_request = UploadRequest.model_validate(asked)
    return preview_upload(store.upload(job.subject or 0), upload_request, config).to_dict()


@dataclass(frozen=True)
class DroppedFile:
    """A CSV file, in the folder of uploads, of the lines that cleaning left out; ``size`` in bytes."""

    file: str
    lines: int
    size: int


def dropped_question(upload: Upload, config: Config) -> Question[DroppedFile]:
    """The question which lines the last check of an upload left out.

    Raises:
        InputError: it was not checked yet, or the file is no longer there.
    """
    if not upload.found:
        raise InputError("Upload {id} was not checked yet; check it first.", id=upload.id)
    _existing_file(upload, config)
    request = {"asked": upload.found["asked"], "file": upload.file, "made_with": made_with(config)}
    return Question(DROPPED, upload.id, request, partial(from_json_value, DroppedFile))


def in_users_words(sentence: str, upload: NewUpload) -> str:
    """A sentence about the file under the name that its owner knows."""

    def renamed(text: str) -> str:
        return text.replace(upload.file, upload.name)

    return sentence.changed(renamed) if isinstance(sentence, Message) else renamed(sentence)


def _existing_file(upload: Upload, config: Config) -> Path:
    path = path_of(upload, config)
    if not path.is_file():
        raise InputError(
            "The file of upload {id} ({name}) is not there any more; upload it again.", id=upload.id, name=upload.name
        )
    return path


def request_task(
    upload_id: int, task: UploadTask, upload_request: UploadRequest, config: Config, store: Store, who: str | None
) -> Upload:
    """Have a worker read an upload for a user; what can be refused at once is.

    Raises:
        InputError: a setting that cannot be, an unknown engine, or a file that is not there any more.
    """
    upload = store.upload(upload_id)
    _existing_file(upload, config)
    upload_request.configured(config)
    for name in upload_request.engines:
        make_engine(name, config, k=upload_request.k, seed=upload_request.seed)
    return store.ask_upload(upload_id, task, upload_request.model_dump(mode="json"), who=who)


def remembered_mapping(upload: NewUpload, columns: Sequence[str], store: Store) -> tuple[str, dict[str, str]]:
    """What a source of the same name, or else of the same columns, was mapped to when it was last read, and its name.

    Both are empty where none was, or where a column of it is missing here.
    """
    present = set(columns)
    mapped = [(item, item.settings.get("mapping") or {}) for item in store.snapshots()]
    fitting = [(item, mapping) for item, mapping in mapped if mapping and set(map(str, mapping.values())) <= present]
    if not fitting:
        return "", {}
    latest, mapping = max(fitting, key=lambda pair: (pair[0].source == upload.name, pair[0].id))
    return latest.source, {str(key): str(column) for key, column in mapping.items()}
