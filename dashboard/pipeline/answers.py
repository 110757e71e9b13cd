"""Answers that take seconds: a worker computes them as jobs, and all who ask the same share one.

Previews of uploads, files of the lines that an upload leaves out, choosing k on a snapshot, migration between two
dates, segments from date to date, and published figures beside ours. The answer is kept with its job for a while.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from dashboard.config import Config
from dashboard.i18n.texts import noted
from engines.errors import InputError
from storage import Store
from storage.contract import Job

PREVIEW, DROPPED, MIGRATION, CHOOSE_K, GOLDEN = "preview", "dropped", "migration", "choose_k", "golden"
HISTORY = "history"
#: The kinds of jobs that are answers: those that take a moment, and those that may take minutes, the quickest first.
SHORT, LONG = (PREVIEW,), (DROPPED, MIGRATION, HISTORY, GOLDEN, CHOOSE_K)
KINDS = (*SHORT, *LONG)

#: Said of a job that nobody has taken up.
NO_WORKER = noted("No worker has taken this up yet. Start one with `segmentry worker`, or try again later.")

_KEEP = timedelta(days=7)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5  # seconds between two looks at a job

Answer_co = TypeVar("Answer_co", covariant=True)


class PendingError(Exception):
    """There is no answer yet; ``job`` says how far it is."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"Job {job.id} is {job.state}.")
        self.job = job


@dataclass(frozen=True)
class Question(Generic[Answer_co]):
    """What a job is to compute: its kind, the number of what it is about, the request, and how its result is read."""

    kind: str
    subject: int | None
    request: Mapping[str, Any]
    read: Callable[[Mapping[str, Any]], Answer_co]

    def job(self, store: Store) -> Job | None:
        """The job that an equal question has, unless it failed; None where there is none."""
        return store.find_job(self.kind, self.subject, self.request)

    def ask(self, store: Store) -> Job:
        """The job of an equal question, queued if need be."""
        return self.job(store) or store.queue_job(self.kind, self.subject, self.request)

    def answer(self, job: Job) -> Answer_co:
        """What came of a job.

        Raises:
            PendingError: nothing yet.
            InputError: it failed.
        """
        if job.state == "done" and job.result is not None:
            return self.read(job.result)
        if job.state in ("failed", "cancelled"):
            raise InputError(job.error or "It was cancelled.")
        raise PendingError(job)


def from_json_value(kind: Any, value: Any) -> Any:
    """A dataclass (or whatever else ``kind`` is) from its JSON-ready values; messages stay messages."""
    if is_dataclass(kind):
        types = get_type_hints(kind)
        known = [each.name for each in fields(kind) if each.name in value]  # an answer may be older than a field
        return kind(**{name: from_json_value(types[name], value[name]) for name in known})  # type: ignore[operator]
    if get_origin(kind) is tuple:
        return tuple(from_json_value(get_args(kind)[0], each) for each in value)
    return value


def wait_for(job: Job, store: Store, seconds: float) -> Job:
    """The job once it is over, or as it stands after so many seconds."""
    until, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while job.state in ("queued", "running") and time.monotonic() < until:
        time.sleep(min(pause, max(0.0, until - time.monotonic())))
        job, pause = store.job(job.id), min(2 * pause, _LONGEST_PAUSE)
    return job


def made_with(config: Config) -> str:
    """What an answer depends on beside its question: our release, and the settings that are not about machines."""
    settings = config.model_dump_json(exclude={"server", "database", "worker", "uploads", "alerts", "retention"})
    return f"{version('segmentry')} {hashlib.sha256(settings.encode()).hexdigest()[:16]}"


def sweep_answers(store: Store, now: datetime) -> None:
    """Remove answers that were given long ago."""
    store.delete_jobs(KINDS, before=now - _KEEP)
