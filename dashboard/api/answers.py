"""What all routes share: answers as JSON, those that a worker computes, and the user name that a request came with."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

import numpy as np
from anyio import sleep
from anyio.to_thread import run_sync
from fastapi import Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse

from dashboard.pipeline.answers import PendingError, Question
from dashboard.pipeline.request import user_of
from dashboard.services import Services

PAGE_LIMIT = 10_000

Computed = TypeVar("Computed")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5  # seconds between two looks at a job


def jsonable(value: Any) -> Any:
    """Values as JSON has them: dates as text, numpy's numbers as numbers, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, date | datetime) else value


class Body(BaseModel):
    """What a request carries: nothing but its fields, each of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Answer(JSONResponse):
    """An answer in JSON, whose values :func:`jsonable` makes ready."""

    def render(self, content: Any) -> bytes:
        """The answer's bytes."""
        return super().render(jsonable(content))


def user(request: Request) -> str | None:
    """The user name that was given with the password; None where there is none."""
    return user_of(request.headers.get("authorization", ""))


async def answer_question(ask: Callable[[], Question[Computed]], services: Services) -> Computed:
    """The answer to a question that a worker computes, waited for as long as [worker] wait_seconds says.

    Raises:
        PendingError: there is none yet.
        InputError: it cannot be asked, or it failed.
    """
    store = services.store
    question = await run_sync(ask)
    job = await run_sync(question.ask, store)
    until, pause = time.monotonic() + services.config.worker.wait_seconds, _FIRST_PAUSE
    while True:
        try:
            return await run_sync(question.answer, job)
        except PendingError:
            if time.monotonic() >= until:
                raise
        await sleep(pause)
        job, pause = await run_sync(store.job, job.id), min(2 * pause, _LONGEST_PAUSE)
