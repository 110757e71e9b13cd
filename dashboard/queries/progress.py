"""How far a run is: the time it took so far, about how much is left, and what its worker wrote down."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import NamedTuple

from dashboard.i18n.numbers import written
from dashboard.i18n.texts import noted, say
from dashboard.pipeline.request import Unresolved
from engines.messages import message
from storage.contract import LogLine, Run

UNDER_WAY = ("queued", "running")
_EARLIER = 5  # runs that an estimate looks at
_SAYS_SOMETHING = 0.1  # of a run has to be done before its own speed says how long the rest takes


class LogEntry(NamedTuple):
    """A line of a run's log: when, what, and how many seconds it took until the next (None for the last)."""

    at: datetime
    text: str
    seconds: float | None


def seconds_taken(run: Run) -> float | None:
    """Seconds from when a worker began a run to when it ended, None where that is not known; of others, their fit."""
    if run.worker is not None and run.started_at is not None and run.finished_at is not None:
        return (run.finished_at - run.started_at).total_seconds()
    return run.seconds


def seconds_left(run: Run, now: datetime, runs: Iterable[Run], customers: Mapping[int, int]) -> float | None:
    """About how many seconds a running run still needs; None where nothing says so.

    From earlier runs of the same engine that a worker did, each scaled by the number of customers; where there is none,
    or this one takes longer than they did, from how much of it is done by now.

    Args:
        run: the run.
        now: the present moment.
        runs: all runs there are.
        customers: how many, by snapshot.
    """
    if run.state != "running" or run.started_at is None:
        return None
    passed = max(0.0, (now - run.started_at).total_seconds())
    expected = _expected(run, runs, customers)
    if expected is not None and expected > passed:
        return expected - passed
    done = run.progress or 0.0
    return passed * (1 - done) / done if done >= _SAYS_SOMETHING else None


def _expected(run: Run, runs: Iterable[Run], customers: Mapping[int, int]) -> float | None:
    here, left = customers.get(run.snapshot_id, 0), Unresolved.of(run)
    chooses = left.choose_k or "chosen_k" in run.info
    earlier = [
        (seconds_taken(other) or 0.0) * here / customers[other.snapshot_id]
        for other in runs
        if other.engine == run.engine
        and other.state == "done"
        and other.worker is not None
        and ("chosen_k" in other.info) == chooses
        and customers.get(other.snapshot_id)
    ]
    return median(earlier[:_EARLIER]) if earlier and here and left.as_of is None and not left.again else None


def left_words(seconds: float | None) -> str:
    """About how long it still takes, in words; empty where nobody knows."""
    if seconds is None:
        return ""
    if seconds < 10:
        return say("a few seconds left")
    if seconds < 55:
        return say("about {seconds} s left", seconds=math.ceil(seconds / 10) * 10)
    if seconds < 3600:
        return say("about {minutes} min left", minutes=round(seconds / 60) or 1)
    return say("about {hours} h left", hours=written(seconds / 3600, ".1f"))


def duration(seconds: float | None) -> str:
    """A span of time as a table holds it; empty where it is not known."""
    if seconds is None:
        return ""
    if seconds < 60:
        return say("{seconds} s", seconds=written(seconds, ".1f"))
    minutes, rest = divmod(round(seconds), 60)
    return (
        say("{minutes} min {seconds} s", minutes=minutes, seconds=f"{rest:02}")
        if minutes < 60
        else say("{hours} h {minutes} min", hours=minutes // 60, minutes=f"{minutes % 60:02}")
    )


def log_of(run: Run, lines: Sequence[LogLine]) -> list[LogEntry]:
    """What became of a run, the oldest line first: when it was queued, begun, what its worker wrote, and how it ended.

    A line about a stage has the seconds until the next line.
    """
    entries = [(run.created_at, noted("Queued."))]
    entries += [(line.at, line.text) for line in lines]
    if run.started_at is not None and run.attempts > 1:
        entries.append(
            (
                run.started_at,
                message(
                    "Begun again by {worker}, attempt {attempts}.",
                    worker=run.worker or message("nobody"),
                    attempts=run.attempts,
                ),
            )
        )
    elif run.started_at is not None and run.worker:
        entries.append((run.started_at, message("Begun by {worker}.", worker=run.worker)))
    if run.finished_at is not None:
        ends = {
            "done": noted("Done."),
            "failed": message("Failed: {error}", error=run.error or ""),
            "cancelled": noted("Cancelled."),
        }
        entries.append((run.finished_at, ends.get(run.state, message("It is {state}.", state=message(run.state)))))
    entries.sort(key=lambda pair: pair[0])
    ends_at: list[datetime | None] = [*(at for at, _ in entries[1:]), None]
    return [
        LogEntry(at, text, None if end is None else (end - at).total_seconds())
        for (at, text), end in zip(entries, ends_at, strict=True)
    ]
