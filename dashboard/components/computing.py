"""What a page shows while a worker computes its answer, and how it follows the job."""

from __future__ import annotations

from typing import TypeVar

from dash import dcc
from dash.development.base_component import Component

from dashboard.components.cards import progress
from dashboard.components.panels import panel
from dashboard.i18n.texts import say
from dashboard.pipeline.answers import NO_WORKER, PendingError, Question, wait_for
from storage import Store
from storage.contract import Job

Answer = TypeVar("Answer")

TICK_MILLISECONDS = 500
#: How long a page waits by itself before it follows a job, and how long each time it looks again.
FIRST_WAIT, NEXT_WAIT = 1.0, 0.1
_UNHEARD = 10  # looks at a job that nobody takes up before the page says that there may be no worker


def ticker(name: str, *, waiting: bool = False) -> Component:
    """What has a page look again at the job it waits for."""
    return dcc.Interval(id=name, interval=TICK_MILLISECONDS, disabled=not waiting)


def follow(
    question: Question[Answer], store: Store, job_id: int | None = None, *, seconds: float | None = None
) -> tuple[Answer | None, Job]:
    """The answer, None while there is none, with the job that computes it.

    Args:
        question: which is asked if no equal one was.
        store: where jobs are.
        job_id: the job that the page follows already.
        seconds: how long to wait for the answer.

    Raises:
        InputError: the job failed.
    """
    job = question.ask(store) if job_id is None else store.job(job_id)
    job = wait_for(job, store, seconds if seconds is not None else FIRST_WAIT if job_id is None else NEXT_WAIT)
    try:
        return question.answer(job), job
    except PendingError:
        return None, job


def progress_card(title: str, job: Job, ticks: int | None, hint: str = "") -> Component:
    """How far a job is; that it may lack a worker, where nobody has taken it up after so many looks."""
    share = job.progress or 0.0
    if job.state != "queued":
        stage = say(job.stage) if job.stage else say("Beginning")
        words = f"{stage} · {round(100 * share)} %"
    elif (ticks or 0) >= _UNHEARD:
        words = say(NO_WORKER)
    else:
        words = say("Waiting for a worker. It begins as soon as one is free.")
    return panel(title, *progress(words, share, title), hint=hint, role="status")
