"""Schedules: when a source is due to be refreshed, and what a worker does when it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from dashboard.clock import now
from dashboard.config import Config
from dashboard.pipeline.publish import publish_scheduled
from dashboard.pipeline.run import make_engine, run_sales
from dashboard.pipeline.sales import Progress, SalesRequest, silent, with_reading
from engines.errors import InputError
from engines.intake.sources.locations import lasting, secrets_of
from engines.messages import message
from storage import Store
from storage.contract import Job, Starter
from storage.contract.schedules import NewSchedule, Schedule

#: What may be said instead of a cron expression.
FRIENDLY = {"month": "0 6 1 * *", "week": "0 6 * * 1", "day": "0 6 * * *"}
#: A due time that is lost with its worker so many times is given up.
MAX_ATTEMPTS = 3

_FIELDS = 5
_SECRET = re.compile(r"(?i)\b(pass(word|wd)?|pwd|token|secret|(api|access)_?key|sig(nature)?)\s*=\s*[^\s&;]")


# --- when ------------------------------------------------------------------------------------------------------------


def cron_of(every: str) -> str:
    """The cron expression that ``--every`` means: one of :data:`FRIENDLY`, or five fields as they are.

    Raises:
        InputError: neither.
    """
    cron = FRIENDLY.get(every.strip().lower(), " ".join(every.split()))
    forms = (
        f'Write {", ".join(FRIENDLY)} or five fields, minute hour day-of-month month day-of-week: "0 6 1 * *" is the '
        "1st of every month at 06:00."
    )
    if len(cron.split()) != _FIELDS:
        raise InputError("--every {every!r} is no time to run at. {forms}", every=every, forms=forms)
    try:
        next(CronSim(cron, datetime(2000, 1, 1)))  # any day at all: is there ever a next?
    except CronSimError as error:
        raise InputError(
            "--every {every!r}: {error}. {forms}", every=every, error=str(error).lower(), forms=forms
        ) from None
    except StopIteration:
        raise InputError("--every {every!r} never comes. {forms}", every=every, forms=forms) from None
    return cron


def zone(name: str) -> ZoneInfo:
    """The time zone of this IANA name.

    Raises:
        InputError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # a path, a folder of zones, an unknown name
        raise InputError("There is no time zone {name!r}; write it as Europe/Berlin or UTC.", name=name) from None


def next_due(cron: str, time_zone: str, after: datetime) -> datetime:
    """The first due time after a moment, in UTC.

    Where clocks go forward, a time of day that is skipped comes as soon as they have; where they go back, one that
    comes twice counts once, the first time. Expressions that run every hour or oftener follow the real hours.
    """
    for moment in CronSim(cron, after.astimezone(zone(time_zone))):
        # asked for in the hour that comes twice, the first of the two may be in the past
        if (due := moment.astimezone(UTC)) > after:
            return due
    raise InputError("{cron!r} never comes.", cron=cron)


def cron_words(cron: str) -> str:
    """A cron expression in words."""
    return CronSim(cron, datetime(2000, 1, 1)).explain()


# --- what ------------------------------------------------------------------------------------------------------------


def new_schedule(
    request: SalesRequest, every: str, time_zone: str, config: Config, *, publish: bool = False
) -> NewSchedule:
    """A schedule that can be kept, with everything in it checked; files are kept with their whole path.

    ``publish``: whether the run of its first engine is published when it is done and its checks pass.

    Raises:
        InputError: the time, the zone, the source or an engine cannot be used, or the source holds a secret.
    """
    cron = cron_of(every)
    zone(time_zone)
    source = _whole(request.source)
    with_reading(config, request.reading, request.currency)
    for name in request.engines:
        make_engine(name, config, k=request.k, seed=request.seed)
    rest = {name: getattr(request, name) for name in ("engines", "k", "seed", "mapping", "name", "currency")}
    rest["reading"] = dict(request.reading)
    rest |= {"publish": True} if publish else {}
    return NewSchedule(source, cron, time_zone, rest)


def _whole(source: str) -> str:
    try:
        secret = urlsplit(source).password or _SECRET.search(source)
    except ValueError:  # not an address
        secret = None
    if secret or secrets_of(source):
        raise InputError(
            "The source has a password or a key in it, and schedules are kept in the open. Name the source without it, "
            "and give the secret to the worker's environment (for PostgreSQL: PGPASSWORD, or a file ~/.pgpass)."
        )
    place = lasting(source)
    if place is None:
        raise InputError("There is no file {source}; put it there, then add the schedule.", source=source)
    return place


def schedule_request(schedule: Schedule) -> SalesRequest:
    """What a schedule asks for."""
    job = schedule.job
    return SalesRequest(
        source=schedule.source,
        engines=tuple(job.get("engines") or ()),
        k=job.get("k"),
        seed=job.get("seed"),
        mapping=job.get("mapping") or {},
        name=job.get("name"),
        reading=job.get("reading") or {},
        currency=job.get("currency"),
        starter=Starter("schedule", job.get("name") or PurePath(schedule.source).name),
    )


def schedule_dict(schedule: Schedule) -> dict[str, Any]:
    """A schedule as JSON-ready values; due times are in its own time zone."""
    own = zone(schedule.time_zone)

    def local_time(moment: datetime | None) -> str | None:
        return None if moment is None else moment.astimezone(own).isoformat()

    last = {
        "due": local_time(schedule.last_due),
        "finished": local_time(schedule.last_finished_at),
        "error": schedule.last_error,
        "runs": list(schedule.last_runs),
        "note": schedule.last_note,
    }
    request = schedule_request(schedule)
    return {
        "id": schedule.id,
        "source": schedule.source,
        "engines": list(request.engines),
        "k": request.k,
        "seed": request.seed,
        "mapping": dict(request.mapping),
        "name": request.name,
        "reading": dict(request.reading),
        "currency": request.currency,
        "publish": bool(schedule.job.get("publish")),
        "cron": schedule.cron,
        "explained": cron_words(schedule.cron),
        "time_zone": schedule.time_zone,
        "state": "running" if schedule.claimed_at is not None else "paused" if schedule.paused else "waiting",
        "next_due": local_time(schedule.next_due),
        "last": None if schedule.last_due is None else last,
    }


# --- the worker's part -----------------------------------------------------------------------------------------------


def refresh(job: Job, config: Config, store: Store, progress: Progress = silent) -> None:
    """Read the source of a schedule that is due, and queue its runs, but for those there are of the same customers.

    However many due times were missed, there is one refresh for all of them, and the next due time is the first one
    after this moment. How it went is written down with the schedule, which always stays.

    Raises:
        LostError: the due time is another worker's by now.
        NotFoundError: the schedule is gone.
    """
    schedule = store.schedule(job.subject or 0)
    if job.attempts > MAX_ATTEMPTS:
        finish_refresh(
            job,
            store,
            error=message("It was lost {times} times with its worker before it was done.", times=MAX_ATTEMPTS),
        )
        return
    try:
        zone(schedule.time_zone)
        outcome = run_sales(schedule_request(schedule), config, store, progress, queue=True, reuse_runs=True)
    except InputError as refusal:
        finish_refresh(job, store, error=refusal.message)
    else:
        finish_refresh(job, store, runs=[run.id for run in outcome.runs])
        publish_scheduled(outcome.runs[0].id, config, store)  # where it was there already, or is done by now


def finish_refresh(job: Job, store: Store, *, error: str | None = None, runs: Sequence[int] = ()) -> None:
    """Write down how a due time went, and when the schedule is due next."""
    schedule, started = store.schedule(job.subject or 0), job.started_at or now()
    try:
        following = next_due(schedule.cron, schedule.time_zone, started)
    except InputError:  # the time zone is no longer known to this machine
        following = started + timedelta(days=1)
    store.finish_schedule(job.id, job.worker, next_due=following, error=error, runs=runs)
