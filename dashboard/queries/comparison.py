"""Runs on the same customers side by side: agreement, sizes, later revenue, places on one plane, a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.frames.cache import FrameCache
from dashboard.frames.run import RunFrame, per_run
from dashboard.i18n.numbers import NOTHING, count, decimal, percent, written
from dashboard.i18n.texts import noted, say
from engines.clustering.projection import Plane
from engines.columns import CLV, FREQUENCY, MONETARY, RECENCY
from engines.contract import NamedSegment
from engines.errors import InputError
from engines.evaluation.drift import Contingency
from engines.evaluation.holdout import TOP
from engines.evaluation.verdict import Candidate, Sorting, Verdict, weigh_candidates
from engines.messages import message
from engines.metrics import METRICS, Metric
from engines.naming.alignment import aligned
from storage.contract import Run

FEWEST, MOST = 2, 6
_UNITS = 10_000

#: Which way is better, in words, by a metric's ``better``.
BETTER = {
    "higher": noted("higher is better"),
    "lower": noted("lower is better"),
    "": noted("neither way is better in itself"),
}


class Comparison(NamedTuple):
    """Runs of one snapshot; ``ari`` and ``ami``: how far each agrees with each, shape (runs, runs), 1 on the diagonal.

    ``ari`` is the adjusted Rand index, ``ami`` the adjusted mutual information.
    """

    frames: tuple[RunFrame, ...]
    ari: NDArray[np.float64]
    ami: NDArray[np.float64]

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs, in the order of the frames."""
        return tuple(frame.run for frame in self.frames)


def compare(frames: FrameCache, run_ids: Sequence[int]) -> Comparison:
    """Compare finished runs of one snapshot, in the order given.

    Raises:
        InputError: fewer than 2 or more than 6 runs, one named twice, or runs on different snapshots.
        NotFoundError: a run that does not exist or is not finished.
    """
    if not FEWEST <= len(run_ids) <= MOST or len(set(run_ids)) < len(run_ids):
        raise InputError(
            "A comparison takes {fewest} to {most} different runs, not {run_ids}: give run=ID for each.",
            fewest=FEWEST,
            most=MOST,
            run_ids=len(run_ids),
        )
    return compare_runs(frames, [frames.get(run_id).run for run_id in run_ids])


def compare_runs(frames: FrameCache, runs: Sequence[Run]) -> Comparison:
    """Compare finished runs that were read from the store just now; as :func:`compare` otherwise."""
    compared = tuple(frames.of(run) for run in runs)
    for frame in compared:
        if frame.snapshot.id != compared[0].snapshot.id:
            raise InputError(
                "Run {run} is on snapshot {snapshot} and run {first} on snapshot {its_snapshot}; only runs on the same "
                "customers can be compared.",
                run=frame.run.id,
                snapshot=frame.snapshot.id,
                first=compared[0].run.id,
                its_snapshot=compared[0].snapshot.id,
            )
    ari, ami = np.eye(len(compared)), np.eye(len(compared))
    for row, one in enumerate(compared):
        for column, other in enumerate(compared[:row]):
            ari[row, column], ami[row, column] = agreement(one, other)
            ari[column, row], ami[column, row] = ari[row, column], ami[row, column]
    return Comparison(compared, ari, ami)


@per_run
def agreement(one: RunFrame, other: RunFrame) -> tuple[float, float]:
    """Adjusted Rand index and adjusted mutual information of two runs."""
    met = Contingency.of_table(cross_table(one, other))
    return met.adjusted_rand(), met.adjusted_mutual_information()


@per_run
def cross_table(one: RunFrame, other: RunFrame) -> NDArray[np.int64]:
    """How many customers each segment of one run (rows) shares with each of another (columns)."""
    rows, columns = len(one.segments), len(other.segments)
    return np.bincount(_cells(one, other), minlength=rows * columns).reshape(rows, columns)


@per_run
def cross_money(one: RunFrame, other: RunFrame) -> NDArray[np.float64]:
    """What the customers of each cell of the cross-table have spent so far; summed as whole 1/10,000."""
    rows, columns = len(one.segments), len(other.segments)
    units = np.rint(one.values(MONETARY) * _UNITS)  # whole numbers, exact up to 2 to the 53
    return np.bincount(_cells(one, other), units, minlength=rows * columns).reshape(rows, columns) / _UNITS


def _cells(one: RunFrame, other: RunFrame) -> NDArray[np.int64]:
    cells: NDArray[np.int64] = one.segment_codes.astype(np.int64) * len(other.segments) + other.segment_codes
    return cells


# --- metrics --------------------------------------------------------------------------------------------------------

_SPACE = ("features", "scaling", "components", "set_aside_one_order")


class Row(NamedTuple):
    """One row of a comparison: what it is of, and its value in each run (None where a run has none).

    ``name``: of a metric or setting, else of the row itself. ``better``: "higher", "lower" or "". ``best``: places of
    the best among those that may be compared. ``one_space``: whether all values may be compared; where they may not,
    the best is looked for among runs of one feature space.
    """

    kind: Literal["metric", "count", "text", "seconds", "bytes", "setting"]
    name: str
    title: str
    meaning: str
    better: str
    values: tuple[Any, ...]
    best: frozenset[int] = frozenset()
    one_space: bool = True


def feature_space(run: Run) -> tuple[str, ...]:
    """What distances of a run are measured in: equal for runs whose distances may be compared.

    An engine that does not choose its features has a space of its own, which its settings may change.
    """
    if "features" not in run.settings:
        return (
            run.engine,
            *(f"{name}={run.settings[name]}" for name in sorted(run.settings) if name not in ("k", "seed")),
        )
    return tuple(str(run.settings.get(name)) for name in _SPACE)


def space_words(run: Run) -> str:
    """The feature space of a run in words."""
    settings = run.settings
    if "features" not in settings:
        return noted("the engine's own")
    parts = [", ".join(settings["features"]), str(settings.get("scaling", ""))]
    if settings.get("components"):
        parts.append(f"{settings['components']} principal components")
    return " · ".join(part for part in parts if part)


def comparison_rows(runs: Sequence[Run]) -> list[Row]:
    """Runs side by side, for pages, files and the API: segments, metrics, space, cost, and what settings differ."""
    peaks = [(run.info.get("memory") or {}).get("peak") for run in runs]
    timed = noted("Seconds from the customer table to the finished segments, on the machine that fitted it.")
    return [
        _row(
            "count",
            "segments",
            noted("Segments"),
            noted("How many segments there are."),
            "",
            [len(run.segments) for run in runs],
        ),
        *metric_rows(runs),
        _row(
            "text",
            "space",
            noted("Feature space"),
            noted("What distances are measured in."),
            "",
            [space_words(run) for run in runs],
        ),
        _row(
            "count",
            "fitted_on",
            noted("Fitted on"),
            noted("Customers the model was fitted on; everyone is labelled all the same."),
            "",
            [run.fitted_on for run in runs],
        ),
        _row("seconds", "seconds", noted("Fit time"), timed, "lower", [run.seconds for run in runs]),
        _row("bytes", "memory", noted("Peak memory"), "", "lower", peaks),
        *(
            _row("setting", name, name, noted("Settings that are equal are not shown."), "", values)
            for name, values in differing_settings(runs)
        ),
    ]


def _row(kind: Any, name: str, title: str, meaning: str, better: str, values: Sequence[Any]) -> Row:
    filled = [place for place, value in enumerate(values) if value is not None]
    return Row(kind, name, title, meaning, better, tuple(values), _best(values, filled, better))


def metric_rows(runs: Sequence[Run]) -> list[Row]:
    """Every metric that a run has, in the order of the dictionary, with the best marked where that means something."""
    names = [name for name in METRICS if any(name in run.metrics for run in runs)]
    names += [name for name in dict.fromkeys(name for run in runs for name in run.metrics) if name not in METRICS]
    return [_metric_row(name, runs) for name in names]


def _metric_row(name: str, runs: Sequence[Run]) -> Row:
    # a metric of another version is shown by its name alone
    metric = METRICS.get(name) or Metric(name, name.replace("_", " ").capitalize(), "", "", None)
    values = tuple(run.metrics.get(name) for run in runs)
    groups: dict[Any, list[int]] = {}
    for place in (place for place, value in enumerate(values) if value is not None):
        space = feature_space(runs[place]) if metric.in_space else None
        groups.setdefault((space, runs[place].k if metric.falls_with_k else None), []).append(place)
    best = frozenset[int]().union(*(_best(values, places, metric.better) for places in groups.values()))
    return Row("metric", name, metric.title, metric.meaning, metric.better, values, best, len(groups) <= 1)


def _best(values: Sequence[Any], places: Sequence[int], better: str) -> frozenset[int]:
    """Which of these places hold the best value; none where only one may be compared or neither way is better."""
    if not better or len(places) < 2:
        return frozenset()
    target = (max if better == "higher" else min)(values[place] for place in places)
    return frozenset(place for place in places if values[place] == target)


def value_text(row: Row, value: Any) -> str:
    """A value of a row as people read it: shares in percent, small figures with three places."""
    if value is None:
        return NOTHING
    if row.kind == "metric":
        if row.name in METRICS and METRICS[row.name].share:
            return percent(value)
        return decimal(value, 3) if abs(value) < 100 else decimal(value, 0)
    if row.kind == "count":
        return count(value)
    if row.kind == "seconds":
        return f"{written(value, '.2f')} s"
    if row.kind == "bytes":
        return f"{count(value / _MEGABYTE)}\u00a0MB"
    if row.kind == "text":
        return say(value)
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def differing_settings(runs: Sequence[Run]) -> list[tuple[str, tuple[Any, ...]]]:
    """Settings that are not the same in all runs that have them, with each run's value (None where it has none)."""
    names = dict.fromkeys(name for run in runs for name in run.settings)
    rows = []
    for name in names:
        held = [run.settings[name] for run in runs if name in run.settings]
        if any(value != held[0] for value in held):
            rows.append((name, tuple(run.settings.get(name) for run in runs)))
    return rows


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


class RevenueCapture(NamedTuple):
    """Later revenue against customers, best segments first; ``why`` says why there is no curve, where there is none.

    ``top``: of the top fifth alone, which older runs have without a curve.
    """

    customers: tuple[float, ...]
    revenue: tuple[float, ...]
    since: str | None
    top: float | None
    why: str


def revenue_capture(run: Run) -> RevenueCapture:
    """What is kept with a run of its check against later sales."""
    top, since, curve = run.metrics.get("holdout_revenue"), run.info.get("holdout_from"), run.info.get("holdout_curve")
    if isinstance(curve, dict):
        return RevenueCapture(tuple(curve["customers"]), tuple(curve["revenue"]), since, top, "")
    if top is not None:
        return RevenueCapture(
            (), (), since, top, noted("It was run before curves were kept; only the top fifth is known.")
        )
    reason = next((note for note in run.notes if note.startswith("There is no holdout revenue")), None)
    short = noted("Its sales are too short to be divided, or the engine could not segment the customers of then.")
    return RevenueCapture((), (), since, None, reason or short)


# --- time and memory --------------------------------------------------------------------------------------------------


def memory_meaning(run: Run) -> str:
    """What the peak memory of a run means, or why it is not known."""
    memory = run.info.get("memory")
    if not memory:
        return say("It was not measured: the run is older than this figure, or was not made on Linux.")
    return say(
        "The whole process at its peak while the engine was fitted, {memory} MB of it new.",
        memory=written((memory["peak"] - memory["before"]) / _MEGABYTE, ",.0f"),
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


def verdict_of(comparison: Comparison, labels: Sequence[str]) -> Verdict:
    """Which run to work with, by the figures that are kept with the runs and how far they agree."""
    others = len(comparison.frames) - 1
    candidates = [
        Candidate(
            label, _figures(run, float((comparison.ari[place].sum() - 1) / others)), run.metrics.get("smallest_share")
        )
        for place, (run, label) in enumerate(zip(comparison.runs, labels, strict=True))
    ]
    sortings = [
        Sorting(name, SORTED_BY[name], capture.top)
        for name, capture in plain_sortings(comparison.runs).items()
        if capture.top is not None
    ]
    return weigh_candidates(candidates, sortings)


def _figures(run: Run, agreement: float) -> dict[str, float | None]:
    parts = [run.metrics.get(name) for name in _SEPARATIONS]
    figures = [part for part in parts if part is not None]
    return {
        "stability": run.metrics.get("stability"),
        "captured": run.metrics.get("holdout_revenue"),
        "separation": sum(figures) / len(figures) if len(figures) == len(parts) else None,
        "balance": run.metrics.get("balance"),
        "agreement": agreement,
    }


# --- all of it, for programs ------------------------------------------------------------------------------------------


def aligned_sizes_dict(comparison: Comparison) -> dict[str, Any]:
    """Aligned segments as JSON-ready values: one row each, one entry per run in it, null where a run has none."""
    sizes = aligned_segments(comparison.frames)
    rows = [[None if slot is None else _slot(slot) for slot in row] for row in sizes.rows]
    return {"reference": comparison.runs[sizes.reference].id, "rows": rows}


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


def verdict_dict(verdict: Verdict, runs: Sequence[Run]) -> dict[str, Any]:
    """A verdict as JSON-ready values, with the runs by number."""
    return {
        **vars(verdict),
        "best": [runs[place].id for place in verdict.best],
        "draw": verdict.draw,
        "scores": {str(run.id): score for run, score in zip(runs, verdict.scores, strict=False)},
    }


#: What plain sorting goes by, by column, in words.
SORTED_BY = {
    MONETARY: message("sorted by past spend"),
    CLV: message("sorted by forecast (CLV as of then)"),
}


def plain_sortings(runs: Sequence[Run]) -> dict[str, RevenueCapture]:
    """What plain sorting captured of the same later revenue, by the column sorted by; of the first run that keeps it.

    Runs of one snapshot look at the same sales, so it is the same for all of them. Older runs do not keep it.
    """
    for run in runs:
        kept, since = run.info.get("holdout_sorted"), run.info.get("holdout_from")
        if isinstance(kept, dict) and kept:
            return {
                name: RevenueCapture(tuple(item["customers"]), tuple(item["revenue"]), since, item["top"], "")
                for name, item in kept.items()
                if name in SORTED_BY
            }
    return {}


def plain_sortings_dict(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """What plain sorting captured of later revenue, as JSON-ready values."""
    return [
        {"column": name, "title": SORTED_BY[name], **capture._asdict(), "top_share": TOP}
        for name, capture in plain_sortings(runs).items()
    ]


def revenue_capture_dict(run: Run) -> dict[str, Any]:
    """What a run's segments captured of later revenue, as JSON-ready values."""
    capture = revenue_capture(run)
    return {"run": run.id, **capture._asdict(), "top_share": TOP}
