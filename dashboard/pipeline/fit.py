"""Fits one engine to the customers of a snapshot and looks back at earlier dates."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from importlib.metadata import version
from typing import Any, NamedTuple

from pandas import DataFrame

from dashboard.config import Config
from dashboard.memory import peak_memory
from dashboard.pipeline.label import with_model
from dashboard.pipeline.sales import OpenSales, Progress, SalesGoneError, customers_then, sales_of, silent
from dashboard.pipeline.watch import points_before
from dashboard.pipeline.windows import Windows, watch, watched_columns, windows_of
from engines import registry
from engines.columns import CLV, MONETARY
from engines.contract import DriftPoint, Engine, Segmentation
from engines.errors import InputError
from engines.evaluation.calendar import plan
from engines.evaluation.holdout import TOP, Capture, LaterSales, holdout_curve, holdout_cutoff, sorted_curve
from engines.evaluation.stability import stability
from engines.evaluation.timeline import Timeline, noise_dates
from engines.messages import message
from engines.persistence.artifacts import artifacts_of
from engines.run import in_order, segment
from engines.settings import RULES_VERSION
from storage import Store
from storage.contract import Snapshot


class Past(NamedTuple):
    """The customers as they stood at earlier dates: those of the drift timeline, and the cut-off of the holdout.

    ``timeline``: by windows of sales; None where there are too few sales. ``later``: the customers as of the cut-off,
    by all sales before it, and what each spent from it on; None where the sales are too short.
    """

    timeline: Windows | None = None
    later: LaterSales | None = None


#: The columns that plain sorting goes by, which engines are compared with.
SORTED_BY = (MONETARY, CLV)
NOTHING_PAST = Past()


def look_back(opened: OpenSales, customers: DataFrame, engines: Sequence[Engine], progress: Progress = silent) -> Past:
    """The customers of these sales at earlier dates, with the columns that the engines look at."""
    if not engines:
        return NOTHING_PAST
    first_day, as_of = opened.sales.first_day, opened.sales.as_of
    planned = plan(first_day, as_of, window_days=opened.config.drift.window_days)
    cutoff, columns = holdout_cutoff(first_day, as_of), watched_columns(engines)
    windows = windows_of(opened, planned, columns, progress) if planned.dates else None
    if cutoff is None:
        return Past(windows)
    # the stage is over once the windows are there: this one date takes a moment. CLV: to be compared with sorting by it
    then = customers_then(opened, [cutoff], {*columns, CLV}, silent if windows is not None else progress)[cutoff]
    return Past(windows, _later(customers, then, cutoff))


def later_sales(
    opened: OpenSales, customers: DataFrame, engine: Engine, progress: Progress = silent
) -> LaterSales | None:
    """The customers as of the cut-off of the holdout, and what each spent after it; None where sales are too short."""
    cutoff = holdout_cutoff(opened.sales.first_day, opened.sales.as_of)
    if cutoff is None:
        return None
    columns = {MONETARY, *engine.needs, *engine.settings().get("features", ())}
    return _later(customers, customers_then(opened, {cutoff}, columns, progress)[cutoff], cutoff)


def kept_later_sales(
    snapshot: Snapshot, customers: DataFrame, engine: Engine, config: Config, store: Store, progress: Progress = silent
) -> tuple[LaterSales | None, str | None]:
    """What the kept sales of a snapshot say of later months; where they are gone, nothing and a note that says why."""
    try:
        with sales_of(snapshot, config, store, progress) as opened:
            return later_sales(opened, customers, engine, progress), None
    except SalesGoneError as gone:
        return None, message("There is no later revenue to choose by: {why}.", why=gone.why)


def _later(customers: DataFrame, then: DataFrame, cutoff: date) -> LaterSales:
    before = then[MONETARY].reindex(customers.index).fillna(0.0)
    return LaterSales(then, customers[MONETARY] - before, cutoff)


@dataclass(frozen=True)
class Fit:
    """One engine's outcome before it is stored: a result or an error."""

    name: str
    engine: Engine
    result: Segmentation | None = None
    seconds: float = 0.0
    error: str = ""
    refusal: InputError | None = None
    info: Mapping[str, Any] = field(default_factory=dict)
    model: bytes | None = None
    drift: Sequence[DriftPoint] = ()


def fit_engine(
    name: str,
    engine: Engine,
    customers: DataFrame,
    dataset: str,
    store: Store,
    config: Config,
    past: Past = NOTHING_PAST,
    progress: Progress = silent,
    rules: int = RULES_VERSION,
) -> Fit:
    """Segment, measure and look back; whatever goes wrong is in what comes back.

    ``rules``: the version of the rules that the snapshot was read by.
    """
    stage = fit_stage(engine)
    progress(stage, 0.0)
    started = time.perf_counter()
    try:
        with peak_memory() as memory:
            result = segment(name, engine, customers, plays=config.plays, previous=store.predecessor(dataset, name))
        seconds = time.perf_counter() - started
        progress(stage, 0.5)
        capture = _capture(engine, past)
        metrics = {
            "stability": stability(engine, customers, result.labels, seed=engine.settings().get("seed", 0)),
            "holdout_revenue": None if capture is None else capture.at(TOP),
        }
        info: dict[str, Any] = {
            "versions": versions(),
            "origin": origin_of(name),
            "diagnostics": dict(result.fitted.diagnostics),
            "artifacts": artifacts_of(result.fitted, in_order(customers), int(engine.settings().get("seed", 0))),
            **({"memory": memory} if memory else {}),
        }
        progress(stage, 1.0)
        at = past.timeline.plan.dates[-1] if past.timeline is not None else None
        earlier = points_before(dataset, name, engine, at, store, rules) if at is not None else []
        watched = _watched(engine, past, earlier, config, progress)
    except InputError as error:
        return Fit(name, engine, error=error.message, refusal=error)
    except Exception as error:  # noqa: BLE001 - an engine may be anyone's plug-in: its failure is recorded, others go on
        return Fit(
            name,
            engine,
            error=message(
                "{title} failed: {name}: {error}", title=engine.title, name=type(error).__name__, error=error
            ),
        )
    if capture is not None and past.later is not None:
        curve = {"customers": capture.customers.tolist(), "revenue": capture.revenue.tolist()}
        since = past.later.since.isoformat()
        info |= {"holdout_from": since, "holdout_curve": curve, "holdout_sorted": sorted_shares(past.later)}
    if watched is not None:
        assert past.timeline is not None  # it was watched
        info["drift"] = timeline_info(watched, past.timeline)
    result, model = with_model(replace(result, metrics={**result.metrics, **metrics}))
    points = () if watched is None else watched.points
    return Fit(name, engine, result, seconds, info=info, model=model, drift=points)


def sorted_shares(later: LaterSales) -> dict[str, dict[str, Any]]:
    """What plain sorting captured of later revenue, JSON-ready: by past spend, and by forecast where there is one.

    By the column that customers are sorted by: ``top``, the share of the top fifth, and a curve of 21 points.
    """
    found = {}
    for name in SORTED_BY:
        curve = sorted_curve(later.before[name], later.spend_after) if name in later.before else None
        if curve is not None:
            shares = [step / 20 for step in range(21)]
            found[name] = {"top": curve.at(TOP), "customers": shares, "revenue": [curve.at(share) for share in shares]}
    return found


def fit_stage(engine: Engine) -> str:
    """What the stage is called in which an engine is fitted."""
    return message("Segmenting with {title}", title=engine.title)


def timeline_stage(engine: Engine) -> str:
    """What the stage is called in which an engine's drift timeline is drawn."""
    return message("Drift timeline of {title}", title=engine.title)


def _capture(engine: Engine, past: Past) -> Capture | None:
    if past.later is None:
        return None
    try:
        return holdout_curve(engine, past.later.before, past.later.spend_after)
    except InputError:  # too few customers then, or a feature that was not known of then: there is no such figure
        return None


def _watched(
    engine: Engine, past: Past, earlier: Sequence[DriftPoint], config: Config, progress: Progress
) -> Timeline | None:
    if past.timeline is None:
        return None
    stage, dates = timeline_stage(engine), past.timeline.plan.dates
    progress(stage, 0.0)
    try:
        watched = watch(
            engine,
            past.timeline,
            config,
            noise_at=noise_dates(dates[1:], config.drift.noise_dates),
            earlier_points=earlier,
            progress=lambda done: progress(stage, done / len(dates)),
        )
    except InputError:  # too few or too equal customers on an early date: the page says that there is no timeline
        watched = None
    progress(stage, 1.0)
    return watched


def timeline_info(watched: Timeline, windows: Windows) -> dict[str, Any]:
    """What a run's info says of its timeline: its dates and windows, the advice, and the segments of the frozen model.

    Those are groups of their own, other than the run's, and so they have no names of the playbook.
    """
    planned = windows.plan
    return {
        "frozen_at": watched.frozen_at.isoformat(),
        "refresh_months": watched.refresh_months,
        "reason": watched.reason,
        "ages": [asdict(age) for age in watched.ages],
        "window_days": planned.window_days,
        "recent_days": planned.recent_days,
        "asked_days": planned.asked_days,
        "opening": [asdict(size) for size in watched.opening],
        "segments": [
            {"key": item.key, "name": message("Frozen group {number}", number=place), "colour": ""}
            for place, item in enumerate(watched.frozen.segments, start=1)
        ],
    }


def versions() -> dict[str, str]:
    """The versions of what a run's labels may depend on."""
    return {name: version(name) for name in ("segmentry", "scikit-learn", "numpy", "pandas", "lifetimes")}


def origin_of(name: str) -> str | None:
    """The package that an engine comes from, with its version; None where there is no such engine."""
    return next((item.origin for item in registry.registered() if item.name == name), None)


# --- a run whose sales were read earlier, perhaps by another process ------------------------------------------------


class PastCache:
    """Looks back at the sales of a snapshot; keeps the last answer, as several engines run on one snapshot."""

    def __init__(self) -> None:
        self._last: tuple[Any, Past] | None = None

    def past(
        self,
        snapshot: Snapshot,
        customers: DataFrame,
        engine: Engine,
        config: Config,
        store: Store,
        progress: Progress,
    ) -> tuple[Past, str | None]:
        """What the sales say of earlier dates; where they are gone, nothing and a note that says why."""
        columns, window = frozenset(watched_columns([engine])), config.drift.window_days
        key = (snapshot.id, snapshot.created_at, columns, window)
        if self._last is not None and self._last[0] == key:
            return self._last[1], None
        try:
            with sales_of(snapshot, config, store, progress) as opened:
                past = look_back(opened, customers, [engine], progress)
        except SalesGoneError as gone:
            return NOTHING_PAST, _without(gone.why)
        self._last = (key, past)
        return past, None


def _without(why: str) -> str:
    return message("There is no holdout revenue and no drift timeline: {why}.", why=why)
