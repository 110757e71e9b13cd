"""The same selection on earlier dates: what key figures are compared with, and the little line behind each of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from dashboard.frames.cache import FrameCache
from dashboard.frames.sums import Totals, in_brief, totals_of
from storage.contract import NotFoundError, Run, Selection, Store

SHOWN = 11  # dates before the one that is looked at
_COUNTED = 500_000  # customers of earlier dates, beyond the latest, that are looked through for one view


class Moment(NamedTuple):
    """What the customers that met a selection on a date added up to."""

    as_of: date
    totals: Totals


def earlier_runs(store: Store, run: Run) -> list[Run]:
    """A finished run per earlier date with the same data set, engine and settings (but for the seed), oldest first."""
    found: dict[date, Run] = {}
    for other in store.runs():  # the newest first
        same = other.state == "done" and (other.dataset, other.engine) == (run.dataset, run.engine)
        if same and other.as_of < run.as_of and _without_seed(other) == _without_seed(run):
            found.setdefault(other.as_of, other)
    return [found[day] for day in sorted(found)]


def _without_seed(run: Run) -> Mapping[str, Any]:
    return {name: value for name, value in run.settings.items() if name != "seed"}


def moments(frames: FrameCache, earlier: list[Run], selection: Selection) -> list[Moment]:
    """A selection on earlier dates, the oldest first: always the latest of them, others while they are quickly counted.

    Dates without a customer who meets it are there, with zero; runs that were deleted meanwhile are not.
    """
    found: list[Moment] = []
    counted = 0
    for run in reversed(earlier[-SHOWN:]):
        size = sum(item.customers for item in run.segments)
        if found and counted + size > _COUNTED:
            break
        counted += size if found else 0
        try:
            frame = frames.of(run)
        except NotFoundError:
            continue
        view = in_brief(frame, selection)
        found.append(Moment(run.as_of, totals_of(frame, view)))
    return found[::-1]


def runs_over_time(store: Store, run: Run) -> list[Run]:
    """A finished run per date of the same data set and engine, the oldest first; ``run`` itself at its own date.

    Of several at one date, the newest with the same settings (but for the seed), else the newest of all.
    """
    found: dict[date, Run] = {run.as_of: run}
    same = [
        other
        for other in store.runs()  # the newest first
        if other.state == "done" and (other.dataset, other.engine) == (run.dataset, run.engine)
    ]
    for other in sorted(same, key=lambda other: _without_seed(other) != _without_seed(run)):
        found.setdefault(other.as_of, other)
    return [found[day] for day in sorted(found)]
