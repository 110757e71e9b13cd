"""What several runs come to when they are held side by side: sizes, later revenue, places on one plane, a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import NOTHING, count, written
from dashboard.i18n.texts import noted, say
from dashboard.queries.comparison import Comparison, cross_table
from engines.clustering.projection import Plane
from engines.columns import FREQUENCY, MONETARY, RECENCY
from engines.contract import NamedSegment
from engines.evaluation.holdout import TOP
from engines.evaluation.verdict import Candidate, Verdict, verdict
from engines.naming.alignment import aligned
from storage.contract import Run

#: How many customers each projection draws; the same ones in every run.
DRAWN = 2_000
_MEGABYTE = 1024 * 1024
_SEPARATIONS = ("separation_recency", "separation_frequency", "separation_monetary")


# --- sizes ------------------------------------------------------------------------------------------------------------


class Slot(NamedTuple):
    """A segment of one run in a row of aligned segments.

    ``shared``: which share of the reference run's customers of this row are in it; None in the reference run.
    """

    segment: NamedSegment
    share: float
    shared: float | None


class Aligned(NamedTuple):
    """Segments of several runs in rows of the same customers; ``reference`` is the place of the run that rows follow.

    It is the run with the most segments, the first of them, so that every segment of every run finds a row.
    """

    reference: int
    rows: tuple[tuple[Slot | None, ...], ...]


def aligned_segments(frames: Sequence[RunFrame]) -> Aligned:
    """The segments of runs, each in the row of the reference run's segment with which it shares most (Hungarian)."""
    reference = max(range(len(frames)), key=lambda place: (len(frames[place].segments), -place))
    base = frames[reference]
    rows: list[list[Slot | None]] = [[None] * len(frames) for _ in base.segments]
    for place, frame in enumerate(frames):
        if place == reference:
            for row, segment in enumerate(base.segments):
                rows[row][place] = Slot(segment, _share(segment, frame), None)
            continue
        table = cross_table(base, frame)
        left = set(range(len(frame.segments)))
        for row, column in aligned(table):
            segment = frame.segments[column]
            rows[row][place] = Slot(segment, _share(segment, frame), float(table[row, column] / table[row].sum()))
            left.discard(column)
        for column in sorted(left):  # shares nobody with what was left over: any free row will do
            row = next(row for row in range(len(rows)) if rows[row][place] is None)
            rows[row][place] = Slot(frame.segments[column], _share(frame.segments[column], frame), 0.0)
    return Aligned(reference, tuple(tuple(row) for row in rows))


def _share(segment: NamedSegment, frame: RunFrame) -> float:
    return segment.customers / len(frame) if len(frame) else 0.0


# --- later revenue ----------------------------------------------------------------------------------------------------


class Captured(NamedTuple):
    """Later revenue against customers, best segments first; ``why`` says why there is no curve, where there is none.

    ``top``: of the top fifth alone, which older runs have without a curve.
    """

    customers: tuple[float, ...]
    revenue: tuple[float, ...]
    since: str | None
    top: float | None
    why: str


def captured(run: Run) -> Captured:
    """What is kept with a run of its check against later sales."""
    top, since, kept = run.metrics.get("holdout_revenue"), run.info.get("holdout_from"), run.info.get("holdout_curve")
    if isinstance(kept, dict):
        return Captured(tuple(kept["customers"]), tuple(kept["revenue"]), since, top, "")
    if top is not None:
        return Captured((), (), since, top, noted("It was run before curves were kept; only the top fifth is known."))
    told = next((note for note in run.notes if note.startswith("There is no holdout revenue")), None)
    short = noted("Its sales are too short to be divided, or the engine could not segment the customers of then.")
    return Captured((), (), since, None, told or short)


# --- time and memory --------------------------------------------------------------------------------------------------


def memory_words(run: Run) -> tuple[str, str]:
    """The peak memory of a run's fit as it is written, and what it means, or why there is none."""
    kept = run.info.get("memory")
    if not kept:
        return NOTHING, say("It was not measured: the run is older than this figure, or was not made on Linux.")
    peak, grown = (kept["peak"] / _MEGABYTE, (kept["peak"] - kept["before"]) / _MEGABYTE)
    return (
        f"{count(peak)}\u00a0MB",
        say(
            "The whole process at its peak while the engine was fitted, {memory} MB of it new.",
            memory=written(grown, ",.0f"),
        ),
    )


# --- the same customers on one plane ----------------------------------------------------------------------------------


class Places(NamedTuple):
    """The same customers of every run on one plane: shape (customers, 2), their ids, and of how many they are."""

    plane: Plane
    drawn: NDArray[np.int32]
    places: NDArray[np.float64]
    total: int


def places(frame: RunFrame, limit: int = DRAWN) -> Places:
    """A sample of the customers on the plane of all of them: the same for every run of a snapshot."""
    drawn = np.sort(frame.customers.lottery[:limit])
    columns = [frame.values(name)[drawn] for name in (RECENCY, FREQUENCY, MONETARY)]
    return Places(frame.customers.plane, drawn, frame.customers.plane.places(columns), len(frame))


# --- the verdict ------------------------------------------------------------------------------------------------------


def verdict_of(found: Comparison, labels: Sequence[str]) -> Verdict:
    """Which run to work with, by the figures that are kept with the runs and how far they agree."""
    others = len(found.frames) - 1
    candidates = [
        Candidate(label, _figures(run, float((found.ari[place].sum() - 1) / others)), run.metrics.get("smallest_share"))
        for place, (run, label) in enumerate(zip(found.runs, labels, strict=True))
    ]
    return verdict(candidates)


def _figures(run: Run, agreement: float) -> dict[str, float | None]:
    parts = [run.metrics.get(name) for name in _SEPARATIONS]
    known = [part for part in parts if part is not None]
    return {
        "stability": run.metrics.get("stability"),
        "captured": run.metrics.get("holdout_revenue"),
        "separation": sum(known) / len(known) if len(known) == len(parts) else None,
        "balance": run.metrics.get("balance"),
        "agreement": agreement,
    }


# --- all of it, for programs ------------------------------------------------------------------------------------------


def sizes_dict(found: Comparison) -> dict[str, Any]:
    """Aligned segments as JSON-ready values: one row each, one entry per run in it, null where a run has none."""
    sizes = aligned_segments(found.frames)
    rows = [[None if slot is None else _slot(slot) for slot in row] for row in sizes.rows]
    return {"reference": found.runs[sizes.reference].id, "rows": rows}


def _slot(slot: Slot) -> dict[str, Any]:
    item = slot.segment
    return {
        "key": item.key,
        "name": item.name,
        "customers": item.customers,
        "share": slot.share,
        "revenue_share": item.revenue_share,
        "shared": slot.shared,
    }


def verdict_dict(said: Verdict, runs: Sequence[Run]) -> dict[str, Any]:
    """A verdict as JSON-ready values, with the runs by number."""
    return {
        "best": [runs[place].id for place in said.best],
        "draw": said.draw,
        "headline": said.headline,
        "reasons": list(said.reasons),
        "against": list(said.against),
        "cautions": list(said.cautions),
        "considered": dict(said.considered),
        "missing": list(said.missing),
        "scores": {str(run.id): score for run, score in zip(runs, said.scores, strict=False)},
    }


def captured_dict(run: Run) -> dict[str, Any]:
    """What a run's segments captured of later revenue, as JSON-ready values."""
    kept = captured(run)
    return {"run": run.id, **kept._asdict(), "top_share": TOP}
