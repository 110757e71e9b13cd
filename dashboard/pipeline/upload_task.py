"""What a worker does with an upload: reads all of it, accounts for every line, and makes a snapshot if asked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from dashboard.config import Config
from dashboard.pipeline.inspect import Inspection, inspect_sales
from dashboard.pipeline.run import run_sales
from dashboard.pipeline.sales import Progress, SalesRequest, silent
from dashboard.pipeline.series import newest_snapshot, published_among
from dashboard.pipeline.uploads import DroppedFile, UploadRequest, in_users_words, path_of, token_of, twin_of
from engines.errors import InputError
from engines.intake import EMBEDDED
from engines.intake.sources.locations import files_of, kind_of
from storage import Store
from storage.contract import Job, PublishedError, Snapshot, Starter
from storage.contract.uploads import Upload


@dataclass(frozen=True)
class UploadOutcome:
    """What came of a task: the report, the snapshot and runs that were made, or why it failed."""

    report: Mapping[str, Any] | None = None
    snapshot_id: int | None = None
    runs: tuple[int, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class _Source:
    """What is to be read: a file or a folder of files, the snapshot it adds to or replaces, and what may be removed."""

    place: Path
    name: str
    earlier: Snapshot | None = None
    made: Path | None = field(default=None)


def work_upload(upload: Upload, config: Config, store: Store, progress: Progress = silent) -> UploadOutcome:
    """Do what was asked for; whatever the user can mend is in what comes back, and nothing is half stored."""
    try:
        upload_request = UploadRequest.model_validate(upload.asked)
        source = _source(upload, upload_request, config, store)
        try:
            if upload.task == "inspect":
                return UploadOutcome(report=_inspected(upload, upload_request, source, config, store, progress))
            return _stored(upload, upload_request, source, config, store, progress)
        except BaseException:
            _discard(source)
            raise
    except InputError as error:
        return UploadOutcome(error=in_users_words(error.message, upload))


def dropped_for_job(job: Job, config: Config, store: Store, progress: Progress) -> dict[str, Any]:
    """What a worker computes for a question which lines a check left out: a file of them.

    Raises:
        InputError: the file cannot be read this way any more.
    """
    upload = store.upload(job.subject or 0)
    upload_request = UploadRequest.model_validate(job.request["asked"])
    source = _source(upload, upload_request, config, store)
    made = path_of(upload, config).with_name(f"{token_of(upload)}-{uuid4().hex}.dropped.csv")
    request = SalesRequest(str(source.place), as_of=upload_request.as_of, mapping=upload_request.mapping)
    try:
        inspection = inspect_sales(request, upload_request.configured(config), progress, dropped=made)
    except InputError as error:
        made.unlink(missing_ok=True)
        raise InputError(in_users_words(error.message, upload)) from None
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    finally:
        _discard(source)
    return asdict(DroppedFile(made.name, inspection.dropped or 0, made.stat().st_size))


# --- what is read -----------------------------------------------------------------------------------------------------


def _source(upload: Upload, upload_request: UploadRequest, config: Config, store: Store) -> _Source:
    if upload.file in EMBEDDED:  # nobody uploaded it: it is there on every machine
        return _Source(Path(upload.file), EMBEDDED[upload.file].title)
    path = path_of(upload, config).resolve()
    if not path.is_file():
        raise InputError("The file of {name} is not there any more; upload it again.", name=upload.name)
    name = upload_request.name or upload.name
    if upload_request.how == "new":
        return _Source(path, name)
    earlier = newest_snapshot(store.snapshots(), name)
    if earlier is None:
        raise InputError(
            "There is no data set {name!r} to {how}; choose one that is there, or add a new one.",
            name=name,
            how=upload_request.how,
        )
    if upload_request.how == "replace":
        return _Source(path, name, earlier)
    folder = path.parent / f"{token_of(upload)}-{uuid4().hex}.together"
    try:
        _link_all([*_files_of(earlier), path], folder)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise InputError("The files cannot be put together: {strerror}.", strerror=error.strerror) from None
    return _Source(folder, name, earlier, folder)


def _files_of(earlier: Snapshot) -> list[Path]:
    """The files that a snapshot was read from, where they still are."""
    location = earlier.info.get("location", "")
    kind = kind_of(location) if location else "nowhere"
    pattern = str(Path(location) / "*") if kind == "folder" else location
    files = [Path(location)] if kind == "file" else files_of(pattern) if kind in ("folder", "pattern") else []
    if not files:
        raise InputError(
            "The sales of {dataset} cannot be added to: they were not read from files that are still "
            "there. Upload them together with the new ones (as a .zip), or add a new data set.",
            dataset=earlier.dataset,
        )
    return files


def _link_all(files: list[Path], folder: Path) -> None:
    """Every file once in a folder of its own, without copying where the disk allows."""
    folder.mkdir()
    for place, file in enumerate(files):
        target = folder / f"{place:04d}-{file.name}"
        try:
            os.link(file, target)
        except OSError:  # another disk
            shutil.copyfile(file, target)


def _held(upload: Upload, source: _Source) -> Path | None:
    """Where the reading of an uploaded file is held, so that it is read once; not that of several files together."""
    return None if source.made is not None or upload.file in EMBEDDED else source.place.with_name(token_of(upload))


def _discard(source: _Source) -> None:
    if source.made is not None:
        shutil.rmtree(source.made, ignore_errors=True)


# --- what is done -----------------------------------------------------------------------------------------------------


def _inspected(
    upload: Upload, upload_request: UploadRequest, source: _Source, config: Config, store: Store, progress: Progress
) -> dict[str, Any]:
    request = SalesRequest(
        str(source.place), as_of=upload_request.as_of, mapping=upload_request.mapping, held=_held(upload, source)
    )
    inspection = inspect_sales(request, upload_request.configured(config), progress)
    _discard(source)
    notes = [in_users_words(note, upload) for note in inspection.notes]
    answer = {**inspection.to_dict(), "name": source.name, "title": source.name, "notes": notes}
    effect = _effect(upload_request, source, inspection, store)
    return {**answer, "asked": upload.asked, "effect": effect, "same_as": twin_of(upload, store)}


def _effect(upload_request: UploadRequest, source: _Source, inspection: Inspection, store: Store) -> dict[str, Any]:
    """What will be there afterwards that is not there now, and what will be gone."""
    after = {"as_of": inspection.as_of.isoformat(), **inspection.ledger["out"]}
    effect: dict[str, Any] = {"how": upload_request.how, "after": after}
    effect |= dict.fromkeys(("before", "removed", "stays"))
    if source.earlier is not None:
        effect["before"] = {
            "snapshot": source.earlier.id,
            "as_of": source.earlier.as_of.isoformat(),
            "currency": source.earlier.currency or None,
            **source.earlier.ledger.get("out", {}),
        }
    if upload_request.how == "replace" and source.earlier is not None:
        runs = store.runs(snapshot_id=source.earlier.id)
        published = published_among(store, runs)
        if published is None:
            effect["removed"] = {"snapshots": 1, "runs": len(runs)}
        else:
            effect["stays"] = {"snapshot": source.earlier.id, "published": published}
    return effect


def _stored(
    upload: Upload, upload_request: UploadRequest, source: _Source, config: Config, store: Store, progress: Progress
) -> UploadOutcome:
    request = replace(upload_request.of_sales(str(source.place), upload.name), name=source.name, called=upload.name)
    if upload.file in EMBEDDED:
        request = SalesRequest(upload.file)
    held = _held(upload, source)
    request = replace(request, starter=Starter("upload", upload.asked_by), held=held)
    outcome = run_sales(request, upload_request.configured(config), store, progress, queue=True, reuse_runs=True)
    if held is not None:  # it is with the snapshot now
        for path in held.parent.glob(f"{held.name}-*.read.*"):
            path.unlink(missing_ok=True)
    old = source.earlier
    if upload_request.how == "replace" and old is not None and old.id != outcome.snapshot.id:
        with suppress(PublishedError):  # what people work with stays until they publish a run of the new one
            store.delete_snapshot(old.id)  # only now that the new one is there
    return UploadOutcome(snapshot_id=outcome.snapshot.id, runs=tuple(run.id for run in outcome.runs))
