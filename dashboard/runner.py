"""The whole way from a retailer's sales to stored segments: the one place that knows every room."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pandas import DataFrame

from dashboard.config import Config
from engines import drift, features, intake, registry, value
from engines.columns import COUNTRY, FREQUENCY, MONETARY, RECENCY
from engines.contract import Engine, Segmentation
from engines.errors import InputError
from engines.run import segment
from storage.contract import NewSnapshot, Run, Snapshot, Store

#: Called with a stage in words and how much of it is done, 0 to 1.
Progress = Callable[[str, float], None]


def _silent(stage: str, done: float) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Job:
    """What a user asks for: a source, engines, and how to read it. What is None comes from the configuration."""

    source: str
    engines: tuple[str, ...] = ()
    k: int | None = None
    seed: int | None = None
    as_of: date | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a job: the snapshot, one run per engine (done or failed), and what the user should know."""

    snapshot: Snapshot
    runs: tuple[Run, ...]
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether an engine failed."""
        return any(run.state == "failed" for run in self.runs)

    def to_dict(self) -> dict[str, Any]:
        """The outcome as ``segmentry run --json`` prints it."""
        return {"snapshot": snapshot_dict(self.snapshot), "runs": [run_dict(run) for run in self.runs]}


def snapshot_dict(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as JSON-ready values."""
    return {
        "id": snapshot.id,
        "name": snapshot.dataset,
        "as_of": snapshot.as_of.isoformat(),
        "customers": snapshot.customers,
        "ledger": dict(snapshot.ledger),
    }


def run_dict(run: Run) -> dict[str, Any]:
    """A run as JSON-ready values."""
    keys = ("key", "name", "action", "customers", "revenue_share", "recency", "frequency", "monetary", "clv")
    return {
        "id": run.id,
        "snapshot": run.snapshot_id,
        "dataset": run.dataset,
        "as_of": run.as_of.isoformat(),
        "engine": run.engine,
        "k": run.k,
        "seed": run.seed,
        "settings": dict(run.settings),
        "state": run.state,
        "error": run.error,
        "seconds": run.seconds,
        "metrics": dict(run.metrics),
        "segments": [{name: getattr(item, name) for name in keys} for item in run.segments],
        "notes": list(run.notes),
    }


def make_engine(name: str, config: Config, *, k: int | None = None, seed: int | None = None) -> Engine:
    """An engine by name with the configuration's settings, then ``k`` and ``seed`` where it has such knobs.

    Raises:
        InputError: no such engine, or a setting it does not allow.
    """
    knobs = {item.name for item in registry.engine(name, {}).knobs()}
    settings = {"k": config.engines.k, "seed": config.engines.seed, **config.engines.settings.get(name, {})}
    settings |= {key: given for key, given in (("k", k), ("seed", seed)) if given is not None}
    ours = {key for key in ("k", "seed") if key not in knobs}
    return registry.engine(name, {key: item for key, item in settings.items() if key not in ours})


def run_job(
    job: Job, config: Config, store: Store, progress: Progress = _silent, *, reuse_runs: bool = False
) -> Outcome:
    """Read, clean, build customers, value them, run every engine, and store it all.

    With ``reuse_runs`` an engine that has already finished on an equal snapshot with equal settings is not run again.

    Raises:
        InputError: the source, the mapping, the date, an engine's name or a setting cannot be used; nothing is stored.
    """
    names = tuple(dict.fromkeys(job.engines or config.engines.use))
    engines = {name: make_engine(name, config, k=job.k, seed=job.seed) for name in names}
    notes = [
        f"--k is ignored by {engine.title}, which has no such setting."
        for engine in engines.values()
        if job.k is not None and "k" not in engine.settings()
    ]
    progress("Reading and cleaning", 0.0)
    rules = intake.CleaningRules(
        **config.cleaning.model_dump(exclude={"unknown_countries"}),
        unknown_countries=tuple(config.cleaning.unknown_countries),
    )
    mapping = {**config.mapping, **job.mapping}
    with intake.read_sales(job.source, mapping=mapping, rules=rules, as_of=job.as_of) as sales:
        progress("Reading and cleaning", 1.0)
        plugins = features.registered_features()
        new = _new_snapshot(job, sales, config, plugins)
        snapshot = store.find_snapshot(new)
        finished = _finished(store, snapshot, engines) if reuse_runs else {}
        if snapshot is not None and len(finished) == len(engines):
            return Outcome(snapshot, tuple(finished.values()), (*sales.notes, *notes))
        if snapshot is None:
            customers, new, failed = _customers(new, sales, config, plugins, progress)
            notes += failed
        else:
            customers = store.snapshot_customers(snapshot.id)
        _check_size(customers, engines)
        fits = [
            _Fit(name, engine, already=finished[name])
            if name in finished
            else _fit(name, engine, customers, new.dataset, store, config, progress)
            for name, engine in engines.items()
        ]
        _refuse_if_all_refused(fits)
        progress("Storing", 0.0)
        snapshot = store.save_snapshot(new, customers)
        runs = tuple(_keep(fit, snapshot, store, config) for fit in fits)
        progress("Storing", 1.0)
        _draw_timelines(fits, runs, sales, config, plugins, store, progress)
    return Outcome(snapshot, tuple(store.run(run.id) for run in runs), (*sales.notes, *notes))


def work(run: Run, config: Config, store: Store) -> Run:
    """Finish a claimed run on its stored snapshot; what goes wrong is recorded with the run."""
    customers = store.snapshot_customers(run.snapshot_id)
    try:
        engine = registry.engine(run.engine, run.settings)
    except InputError as error:
        return store.fail_run(run.id, str(error))
    fit = _fit(run.engine, engine, customers, run.dataset, store, config)
    if fit.result is None:
        return store.fail_run(run.id, fit.error)
    return store.finish_run(run.id, fit.result, seconds=fit.seconds, info=_versions())


# --- the steps ------------------------------------------------------------------------------------------------------


def _new_snapshot(
    job: Job, sales: intake.Sales, config: Config, plugins: Sequence[features.RegisteredFeature]
) -> NewSnapshot:
    return NewSnapshot(
        dataset=job.name or sales.name,
        source=job.source if not Path(job.source).exists() else Path(job.source).name,
        fingerprint=sales.fingerprint,
        as_of=sales.as_of,
        settings={
            "mapping": dict(sales.mapping),
            "cleaning": config.cleaning.model_dump(),
            "categories": config.categories,
            "clv": config.clv.model_dump(),
            **_identity(plugins),
        },
        ledger=sales.ledger.to_dict(),
        info={
            "title": job.name or sales.title,
            "synthetic": sales.synthetic,
            "currency": sales.currency or config.sales.currency,
            "has_country": COUNTRY in sales.fields,
            "first_day": sales.first_day.isoformat(),
            "last_day": sales.last_day.isoformat(),
            "notes": list(sales.notes),
        },
    )


def _identity(plugins: Sequence[features.RegisteredFeature]) -> dict[str, Any]:
    """The part that plug-ins' columns have in what a snapshot is: which, and of which version of their package."""
    columns = {item.column.name: item.origin for item in plugins if item.column is not None}
    return {"features": columns} if columns else {}


def _customers(
    new: NewSnapshot,
    sales: intake.Sales,
    config: Config,
    plugins: Sequence[features.RegisteredFeature],
    progress: Progress,
) -> tuple[DataFrame, NewSnapshot, tuple[str, ...]]:
    """The customers, the snapshot as it turned out, and a note for each plug-in that had to be left out."""
    progress("Building customers", 0.0)
    built = features.build_customers(sales.table, as_of=sales.as_of, categories=config.categories)
    customers, made, failed = features.extended(built, sales.table, as_of=sales.as_of, plugins=plugins)
    progress("Building customers", 1.0)
    progress("Estimating value", 0.0)
    valuation = value.estimate(
        customers, horizon_weeks=config.clv.horizon_weeks, discount_rate=config.clv.discount_rate
    )
    progress("Estimating value", 1.0)
    info = {**new.info, "value": valuation.model, "value_notes": list(valuation.notes)}
    info["columns"] = [asdict(item.column) for item in made if item.column is not None]
    settings = {name: item for name, item in new.settings.items() if name != "features"} | _identity(made)
    return customers.join(valuation.columns), replace(new, settings=settings, info=info), failed


def _check_size(customers: DataFrame, engines: Mapping[str, Engine]) -> None:
    if len(customers) < 2:
        raise InputError(f"Segments need at least 2 customers; these sales have {len(customers)} after cleaning.")
    for engine in engines.values():
        k = engine.settings().get("k") or 0
        if k > len(customers):
            raise InputError(
                f"{engine.title}: k = {k} is more than the {len(customers)} customers; choose a smaller --k."
            )


def _finished(store: Store, snapshot: Snapshot | None, engines: Mapping[str, Engine]) -> dict[str, Run]:
    if snapshot is None:
        return {}
    done = [run for run in store.runs(snapshot_id=snapshot.id) if run.state == "done"]
    return {run.engine: run for run in done if run.engine in engines and run.settings == engines[run.engine].settings()}


@dataclass(frozen=True)
class _Fit:
    """One engine's outcome before it is stored: a result, an error, or a run that was there already."""

    name: str
    engine: Engine
    result: Segmentation | None = None
    seconds: float = 0.0
    error: str = ""
    refusal: InputError | None = None
    already: Run | None = None


def _fit(
    name: str,
    engine: Engine,
    customers: DataFrame,
    dataset: str,
    store: Store,
    config: Config,
    progress: Progress = _silent,
) -> _Fit:
    stage = f"Segmenting with {engine.title}"
    progress(stage, 0.0)
    started = time.perf_counter()
    try:
        result = segment(name, engine, customers, plays=config.plays, previous=store.predecessor(dataset, name))
    except InputError as error:
        return _Fit(name, engine, error=str(error), refusal=error)
    except Exception as error:  # noqa: BLE001 - an engine may be anyone's plug-in: its failure is recorded, others go on
        return _Fit(name, engine, error=f"{engine.title} failed: {type(error).__name__}: {error}")
    progress(stage, 1.0)
    return _Fit(name, engine, result=result, seconds=time.perf_counter() - started)


def _refuse_if_all_refused(fits: Sequence[_Fit]) -> None:
    refusals = [fit.refusal for fit in fits if fit.refusal is not None]
    if len(refusals) == len(fits):
        raise refusals[0]


def _keep(fit: _Fit, snapshot: Snapshot, store: Store, config: Config) -> Run:
    if fit.already is not None:
        return fit.already
    run = store.start_run(snapshot.id, fit.name, fit.engine.settings(), lease_seconds=config.worker.lease_seconds)
    if fit.result is None:
        return store.fail_run(run.id, fit.error)
    return store.finish_run(run.id, fit.result, seconds=fit.seconds, info=_versions())


def _draw_timelines(
    fits: Sequence[_Fit],
    runs: Sequence[Run],
    sales: intake.Sales,
    config: Config,
    plugins: Sequence[features.RegisteredFeature],
    store: Store,
    progress: Progress,
) -> None:
    wanted = [(fit, run) for fit, run in zip(fits, runs, strict=True) if fit.result is not None]
    dates = drift.cutoffs(sales.first_day, sales.as_of)
    if not wanted or len(dates) < 2:
        return
    progress("Drift timelines", 0.0)
    engines = [fit.engine for fit, _ in wanted]
    asked = {RECENCY, FREQUENCY, MONETARY}.union(*((*e.needs, *e.settings().get("features", ())) for e in engines))
    used = [item for item in plugins if item.column is not None and item.column.name in asked]
    tables = []
    for day, built in features.customers_at(sales.table, dates, categories=config.categories):
        customers = features.extended(built, sales.table, as_of=day, plugins=used).customers if used else built
        tables.append((day, customers[[name for name in customers.columns if name in asked]]))
    for number, (fit, run) in enumerate(wanted, start=1):
        try:
            points = drift.timeline(fit.engine, tables, threshold=config.drift.threshold)
        except InputError:  # too few or too equal customers on an early date: the page says that there is no timeline
            points = []
        store.save_drift(run.id, points)
        progress("Drift timelines", number / len(wanted))


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("segmentry", "scikit-learn", "numpy", "pandas", "lifetimes")}
