"""The same selection on earlier dates: what key figures are compared with, and the small trend line of each."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from dashboard.frames.aggregates import Totals, aggregate_selection, totals_of
from dashboard.frames.cache import FrameCache
from storage.contract import NotFoundError, Run, Selection

SHOWN = 11  # dates before the one that is looked at
_COUNTED = 500_000  # customers of earlier dates, beyond the latest, that are looked through for one view


class DatedTotals(NamedTuple):
    """What the customers that met a selection on a date added up to."""

    as_of: date
    totals: Totals


def dated_totals(frames: FrameCache, earlier: list[Run], selection: Selection) -> list[DatedTotals]:
    """A selection on earlier dates, the oldest first: always the latest of them, others while they are quickly counted.

    Dates without a customer who meets it are there, with zero; runs that were deleted meanwhile are not.
    """
    totals: list[DatedTotals] = []
    counted = 0
    for run in reversed(earlier[-SHOWN:]):
        size = sum(item.customers for item in run.segments)
        if totals and counted + size > _COUNTED:
            break
        counted += size if totals else 0
        try:
            frame = frames.of(run)
        except NotFoundError:
            continue
        view = aggregate_selection(frame, selection, frame.but_places(selection)).view
        totals.append(DatedTotals(run.as_of, totals_of(frame, view)))
    return totals[::-1]
