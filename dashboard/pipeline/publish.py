"""Publishes runs: by hand, whatever the checks say, and from a schedule, only if they pass."""

from __future__ import annotations

from contextlib import suppress

from dashboard.clock import now
from dashboard.config import Config
from dashboard.pipeline.checks import checks, failed_words
from engines.messages import joined, message
from storage import Store
from storage.contract import ChangedError, LogLine, NotFoundError, Publication, Run
from storage.contract.publications import PublicationWay
from storage.contract.schedules import Schedule


def publish_run(
    run_id: int,
    config: Config,
    store: Store,
    *,
    who: str | None,
    via: PublicationWay,
    why: str,
    expected: int | None = None,
) -> Publication:
    """Publish a finished run, with its checks on record; none of them refuses it.

    ``expected``: the run that the caller believes to be published; None: whatever is.

    Raises:
        ChangedError: another run than the expected one is published by now.
        InputError: the run is not finished, or the reason is empty or too long.
        NotFoundError: no such run.
    """
    run = store.run(run_id)
    checked = checks(store, config, run, published_of(store, run.dataset)) if run.state == "done" else []
    return store.publish(run_id, who=who, via=via, why=why, checks=checked, expected=expected)


def roll_back(
    dataset: str,
    store: Store,
    *,
    who: str | None,
    via: PublicationWay,
    why: str,
    expected: int | None = None,
) -> Publication:
    """Publish the run again that was published before the one that is.

    Where two ask for it at once, one of them goes back and the other is refused, so that nobody goes back twice.

    Raises:
        ChangedError: another run than the expected one is published by now.
        InputError: none was published before, or it was deleted; or the reason is empty or too long.
        NotFoundError: there is no such data set, or nothing of it is published.
    """
    published = store.published(dataset)
    if expected is None and published is not None:
        expected = published.run_id
    return store.roll_back(dataset, who=who, via=via, why=why, expected=expected)


def published_of(store: Store, dataset: str) -> Run | None:
    """The published run of a data set; None where nothing is published."""
    published = store.published(dataset)
    if published is None:
        return None
    with suppress(NotFoundError):  # another was published meanwhile, and this one deleted
        return store.run(published.run_id)
    return None


# --- from a schedule --------------------------------------------------------------------------------------------------


def publish_scheduled(run_id: int, config: Config, store: Store) -> None:
    """Publish a run that is over if a schedule wants that of it, and its checks pass.

    A schedule that publishes wants it of the first engine of its last due time. Why a run was held is written down with
    the schedule and in the log of the run.
    """
    for schedule in store.schedules():
        if schedule.job.get("publish") and schedule.last_runs[:1] == (run_id,):
            with suppress(NotFoundError):  # the run or the schedule was deleted meanwhile
                _publish_of(schedule, store.run(run_id), config, store)


def _publish_of(schedule: Schedule, run: Run, config: Config, store: Store) -> None:
    published = published_of(store, run.dataset)
    if run.state in ("queued", "running") or (published is not None and published.id == run.id):
        return
    if run.state == "done":
        checked = checks(store, config, run, published)
        failed = failed_words(checked)
        if failed:
            note = message("Run {run} is not published: {why}", run=run.id, why=joined(failed))
        else:
            note = message("Run {run} is published; all checks passed.", run=run.id)
            why = message("Schedule {schedule}; all checks passed.", schedule=schedule.id)
            expected = None if published is None else published.id
            try:
                store.publish(run.id, who=None, via="schedule", why=why, checks=checked, expected=expected)
            except ChangedError:  # somebody has just published another run, who knew what for
                note = message("Run {run} is not published: another run was, at the same moment.", run=run.id)
    else:
        note = message("Run {run} is not published: it is {state}.", run=run.id, state=run.state)
    store.log_job(run.job_id, run.worker, [LogLine(now(), note)])
    store.note_schedule(schedule.id, run.id, note)
