"""One engine on the customers of a snapshot, with a look back at earlier dates: the same whoever runs it, and where."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from importlib.metadata import version
from typing import Any, NamedTuple

from pandas import DataFrame, Series

from dashboard.config import Churn, Cleaning, Clv, Config, Reading
from dashboard.memory import peak_memory
from dashboard.pipeline.label import with_model
from dashboard.pipeline.sales import Progress, customers_then, open_sales, silent
from dashboard.pipeline.watch import points_before
from engines import features, intake, registry
from engines.columns import CLV, FREQUENCY, MONETARY, RECENCY
from engines.contract import DriftPoint, Engine, Predecessor, Segmentation
from engines.errors import InputError
from engines.evaluation.calendar import cutoffs
from engines.evaluation.holdout import TOP, Capture, holdout_curve, holdout_cutoff
from engines.evaluation.stability import stability
from engines.evaluation.timeline import Timeline, noise_dates, timeline
from engines.naming.naming import name_segments
from engines.persistence.artifacts import artifacts_of
from engines.run import in_order, segment
from engines.stated import stated
from storage.contract import Run, Snapshot, Store


class Past(NamedTuple):
    """The customers as they stood at earlier dates: those of the drift timeline, and the cut-off of the holdout.

    ``spend_after``: what each customer spent from the cut-off on.
    """

    tables: dict[date, DataFrame]
    timeline: list[date]
    cutoff: date | None = None
    spend_after: Series | None = None


NOTHING_PAST = Past({}, [])


def look_back(
    sales: intake.Sales,
    customers: DataFrame,
    engines: Sequence[Engine],
    config: Config,
    plugins: Sequence[features.RegisteredFeature],
    progress: Progress = silent,
) -> Past:
    """The customers of these sales at earlier dates, with the columns that the engines look at."""
    dated = cutoffs(sales.first_day, sales.as_of)
    cutoff = holdout_cutoff(sales.first_day, sales.as_of)
    dates = {*dated, *([cutoff] if cutoff is not None else [])}
    if not dates or not engines:
        return NOTHING_PAST
    progress("Looking back", 0.0)
    tables = customers_then(sales, config, plugins, dates, asked_columns(engines))
    progress("Looking back", 1.0)
    if cutoff is None:
        return Past(tables, dated)
    before = tables[cutoff][MONETARY].reindex(customers.index).fillna(0.0)
    return Past(tables, dated, cutoff, customers[MONETARY] - before)


def asked_columns(engines: Sequence[Engine]) -> set[str]:
    """The columns that these engines look at, and those whose movement is watched."""
    return {RECENCY, FREQUENCY, MONETARY, CLV}.union(*((*e.needs, *e.settings().get("features", ())) for e in engines))


@dataclass(frozen=True)
class Fit:
    """One engine's outcome before it is stored: a result, an error, or a run that was there already."""

    name: str
    engine: Engine
    result: Segmentation | None = None
    seconds: float = 0.0
    error: str = ""
    refusal: InputError | None = None
    already: Run | None = None
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
) -> Fit:
    """Segment, measure and look back; whatever goes wrong is in what comes back."""
    stage = fitting(engine)
    progress(stage, 0.0)
    started = time.perf_counter()
    try:
        with peak_memory() as memory:
            result = segment(name, engine, customers, plays=config.plays, previous=store.predecessor(dataset, name))
        seconds = time.perf_counter() - started
        progress(stage, 0.5)
        captured = _captured(engine, past)
        metrics = {
            "stability": stability(engine, customers, result.labels, seed=engine.settings().get("seed", 0)),
            "holdout_revenue": None if captured is None else captured.at(TOP),
        }
        info = {
            "versions": versions(),
            "origin": origin_of(name),
            "diagnostics": dict(result.fitted.diagnostics),
            "artifacts": artifacts_of(result.fitted, in_order(customers), int(engine.settings().get("seed", 0))),
            **({"memory": memory} if memory else {}),
        }
        progress(stage, 1.0)
        earlier = points_before(dataset, name, engine, past.timeline[-1], store) if past.timeline else []
        watched = _watched(engine, past, earlier, config, progress)
    except InputError as error:
        return Fit(name, engine, error=str(error), refusal=error)
    except Exception as error:  # noqa: BLE001 - an engine may be anyone's plug-in: its failure is recorded, others go on
        return Fit(name, engine, error=stated(f"{engine.title} failed: {type(error).__name__}: {error}"))
    known_until = (
        {} if captured is None else {"holdout_from": past.cutoff.isoformat(), "holdout_curve": _told(captured)}
    )
    known = {} if watched is None else {"drift": told(watched, past.tables[past.timeline[-1]], result, config)}
    result, model = with_model(replace(result, metrics={**result.metrics, **metrics}))
    points = () if watched is None else watched.points
    return Fit(name, engine, result, seconds, info={**info, **known_until, **known}, model=model, drift=points)


def fitting(engine: Engine) -> str:
    """What the stage is called in which an engine is fitted."""
    return stated(f"Segmenting with {engine.title}")


def timing(engine: Engine) -> str:
    """What the stage is called in which an engine's drift timeline is drawn."""
    return stated(f"Drift timeline of {engine.title}")


def _told(captured: Capture) -> dict[str, list[float]]:
    return {"customers": captured.customers.tolist(), "revenue": captured.revenue.tolist()}


def _captured(engine: Engine, past: Past) -> Capture | None:
    if past.cutoff is None:
        return None
    try:
        return holdout_curve(engine, past.tables[past.cutoff], past.spend_after)
    except InputError:  # too few customers then, or a feature that was not known of then: there is no such figure
        return None


def _watched(
    engine: Engine, past: Past, earlier: Sequence[DriftPoint], config: Config, progress: Progress
) -> Timeline | None:
    if len(past.timeline) < 2:
        return None
    stage, dates = timing(engine), past.timeline
    progress(stage, 0.0)
    try:
        watched = timeline(
            engine,
            [(day, past.tables[day]) for day in dates],
            threshold=config.drift.threshold,
            bootstraps=config.drift.bootstraps,
            noise_at=noise_dates(dates[1:], config.drift.noise_dates),
            known=earlier,
            seed=int(engine.settings().get("seed", 0)),
            progress=lambda done: progress(stage, done / len(dates)),
        )
    except InputError:  # too few or too equal customers on an early date: the page says that there is no timeline
        watched = None
    progress(stage, 1.0)
    return watched


def told(watched: Timeline, latest: DataFrame, result: Segmentation, config: Config) -> dict[str, Any]:
    """What is kept of a timeline with its run: when it was frozen, the advice, and what the frozen segments are called.

    They are called after the segments of the run that hold their customers now, so that a name means the same in both.
    """
    named = name_segments(
        in_order(latest),
        watched.labels,
        watched.frozen.segments,
        config.plays,
        Predecessor(result.labels, result.segments),
    )
    return {
        "frozen_at": watched.frozen_at.isoformat(),
        "refresh_months": watched.refresh_months,
        "reason": watched.reason,
        "opening": [asdict(size) for size in watched.opening],
        "segments": [{"key": item.key, "name": item.name, "colour": item.colour} for item in named],
    }


def versions() -> dict[str, str]:
    """The versions of what a run's labels may depend on."""
    return {name: version(name) for name in ("segmentry", "scikit-learn", "numpy", "pandas", "lifetimes")}


def origin_of(name: str) -> str | None:
    """The package that an engine comes from, with its version; None where there is no such engine."""
    return next((item.origin for item in registry.registered() if item.name == name), None)


# --- a run whose sales were read earlier, perhaps by another process ------------------------------------------------


class Recall:
    """Reads the sales of a snapshot again to look back; remembers the last, as several engines run on one snapshot."""

    def __init__(self) -> None:
        self._known: tuple[Any, Past] | None = None

    def past(
        self, run: Run, snapshot: Snapshot, customers: DataFrame, engine: Engine, config: Config, progress: Progress
    ) -> tuple[Past, str | None]:
        """What the sales say of earlier dates; where they are not there any more, nothing and a note that says why."""
        location = run.info.get("location", snapshot.info.get("location"))
        if location is None:
            return NOTHING_PAST, _without(stated("the snapshot does not say where its sales are"))
        key = (snapshot.id, location, frozenset(asked_columns([engine])))
        if self._known is not None and self._known[0] == key:
            return self._known[1], None
        settings, plugins = as_then(snapshot, config)
        progress("Reading and cleaning", 0.0)
        try:
            with open_sales(location, settings, mapping={}, as_of=snapshot.as_of) as sales:
                progress("Reading and cleaning", 1.0)
                if sales.fingerprint != snapshot.fingerprint:
                    return NOTHING_PAST, _without(stated(f"{snapshot.source} is not what it was when it was read"))
                past = look_back(sales, customers, [engine], settings, plugins, progress)
        except InputError as error:
            return NOTHING_PAST, _without(stated(f"{snapshot.source} cannot be read again ({stated(str(error))})"))
        self._known = (key, past)
        return past, None


def _without(why: str) -> str:
    return stated(f"There is no holdout revenue and no drift timeline: {stated(why)}.")


def as_then(snapshot: Snapshot, config: Config) -> tuple[Config, list[features.RegisteredFeature]]:
    """The configuration with what the snapshot was read with, and the plug-ins whose columns it has."""
    known = snapshot.settings
    changes: dict[str, Any] = {name: dict(known[name]) for name in ("mapping", "categories") if name in known}
    if "reading" in known:
        changes["reading"] = Reading.model_validate(dict(known["reading"]))
    if "cleaning" in known:
        changes["cleaning"] = Cleaning.model_validate(dict(known["cleaning"]))
    if "clv" in known:
        changes["clv"] = Clv.model_validate(dict(known["clv"]))
    if "churn" in known:
        changes["churn"] = Churn.model_validate(dict(known["churn"]))
    used = known.get("features", {})
    plugins = [item for item in features.registered_features() if item.column and item.column.name in used]
    return config.model_copy(update=changes), plugins


def stored_engine(run: Run) -> Engine:
    """The engine of a run, with its settings.

    Raises:
        InputError: its plug-in is not installed here, or has no such settings any more.
    """
    return registry.engine(run.engine, run.settings)
