"""From sales to stored segments: a whole job at once, or one queued run that a worker has claimed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from pandas import DataFrame
from pyarrow import RecordBatch

from dashboard.config import Config
from dashboard.pipeline import resolve as settling
from dashboard.pipeline.fit import Fit, Recall, fit_engine, fitting, look_back, stored_engine, timing
from dashboard.pipeline.request import Open
from dashboard.pipeline.sales import Progress, Valued, as_told, new_snapshot, open_sales, silent, valued_customers
from dashboard.pipeline.watch import live_point
from engines import features, intake, registry
from engines.contract import Engine
from engines.errors import InputError
from engines.run import check
from engines.stated import stated
from storage.contract import NewSnapshot, Run, Snapshot, Store
from storage.contract.queue import NOBODY, Starter

#: How many stages every run has, whatever has to be settled first.
_STAGES = 6


def work(
    run: Run,
    config: Config,
    store: Store,
    progress: Progress = silent,
    *,
    worker: str | None = None,
    recall: Recall | None = None,
) -> Run:
    """Finish a claimed run on its stored snapshot, as ``run_job`` would have; what goes wrong is recorded with it.

    A snapshot has customers and no sales. Those are read again where they still lie; otherwise the run has no holdout
    revenue and no drift timeline, and says so in a note.

    Args:
        run: as it was claimed.
        config: for names, the alarm line and whatever the snapshot does not say.
        store: where the run is.
        progress: told a stage and how much of the whole run is done, 0 to 1.
        worker: who has claimed the run.
        recall: what is remembered from one run to the next.

    Raises:
        LostError: the run was cancelled or taken over meanwhile; nothing is stored.
    """
    first = settling.stages(run)
    whole = len(first) + _STAGES

    def settles(stage: str, done: float) -> None:
        progress(stage, (first.index(stage) + done) / whole)

    try:
        run = settling.settle(run, config, store, settles, worker)
        engine = stored_engine(run)
    except InputError as error:
        return store.fail_run(run.id, str(error), worker=worker)
    stages = ("Reading customers", "Reading and cleaning", "Looking back", fitting(engine), timing(engine), "Storing")

    def report(stage: str, done: float) -> None:
        progress(stage, (len(first) + stages.index(stage) + done) / whole)

    report("Reading customers", 0.0)
    snapshot, customers = store.snapshot(run.snapshot_id), store.snapshot_customers(run.snapshot_id)
    past, note = (recall or Recall()).past(run, snapshot, customers, engine, config, report)
    fit = fit_engine(run.engine, engine, customers, run.dataset, store, config, past, report)
    if fit.result is not None:
        chosen = run.info.get("chosen_k")
        told = [stated(f"k = {chosen['k']} was chosen. {stated(chosen['reason'])}")] if chosen else []
        notes = (*told, *fit.result.notes, *([note] if note is not None else []))
        fit = replace(fit, result=replace(fit.result, notes=notes))
        fit = replace(fit, info={**fit.info, "chosen_k": chosen}) if chosen else fit
    report("Storing", 0.0)
    return finish(run, fit, customers, store, config, worker)


def finish(run: Run, fit: Fit, customers: DataFrame, store: Store, config: Config, worker: str | None) -> Run:
    """Store what came of an engine with its run, or why nothing did."""
    if fit.result is None:
        return store.fail_run(run.id, fit.error, worker=worker)
    return store.finish_run(
        run.id,
        fit.result,
        seconds=fit.seconds,
        info=fit.info,
        model=fit.model,
        drift=fit.drift,
        live=live_point(run, fit.engine, customers, fit.result.labels, fit.drift, store, config),
        worker=worker,
    )


@dataclass(frozen=True)
class Job:
    """What a user asks for: a source, engines, and how to read it. What is None comes from the configuration.

    ``reading`` goes before the keys of [reading] that it names. ``called``: what the source is called where its own
    name means nothing to its owner, as that of an uploaded file. ``starter``: who asks.
    """

    source: str
    engines: tuple[str, ...] = ()
    k: int | None = None
    seed: int | None = None
    as_of: date | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    reading: Mapping[str, Any] = field(default_factory=dict)
    called: str | None = None
    starter: Starter = NOBODY


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

    def to_dict(self, insights: Mapping[int, Sequence[Mapping[str, Any]]] = {}) -> dict[str, Any]:
        """The outcome as ``segmentry run --json`` prints it, with what stands out by run id."""
        runs = [{**run_dict(run), "insights": list(insights.get(run.id, ()))} for run in self.runs]
        return {"snapshot": snapshot_dict(self.snapshot), "runs": runs}


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
        "stage": run.stage,
        "progress": run.progress,
        "attempts": run.attempts,
        "started": {"via": run.starter.way, "by": run.starter.name},
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
    job: Job, config: Config, store: Store, progress: Progress = silent, *, reuse_runs: bool = False
) -> Outcome:
    """Read, clean, build customers, value them, run every engine, and store it all.

    With ``reuse_runs`` an engine that has already finished on an equal snapshot with equal settings is not run again.

    Raises:
        InputError: the source, the mapping, the date, an engine's name or a setting cannot be used; nothing is stored.
    """
    engines, notes = _engines(job, config)
    config = as_told(config, job.reading)
    with _read(job, config, store, progress) as read:
        finished = _finished(store, read.snapshot, engines) if reuse_runs else {}
        if read.snapshot is not None and len(finished) == len(engines):
            return Outcome(read.snapshot, tuple(finished.values()), (*read.sales.notes, *notes))
        customers, new, failed, receipts = _customers(read, engines, config, store, progress)
        missing = [engine for name, engine in engines.items() if name not in finished]
        past = look_back(read.sales, customers, missing, config, read.plugins, progress)
        fits = [
            Fit(name, engine, already=finished[name])
            if name in finished
            else fit_engine(name, engine, customers, new.dataset, store, config, past, progress)
            for name, engine in engines.items()
        ]
        _refuse_if_all_refused([fit.refusal for fit in fits])
        progress("Storing", 0.0)
        snapshot = store.save_snapshot(new, customers, receipts, read.orders(customers))
        runs = tuple(_keep(fit, job.starter, snapshot, customers, store, config) for fit in fits)
        progress("Storing", 1.0)
        return Outcome(snapshot, runs, (*read.sales.notes, *notes, *failed))


def queue_job(
    job: Job, config: Config, store: Store, progress: Progress = silent, *, reuse_runs: bool = False
) -> Outcome:
    """Read, clean, build customers, value and store them, and queue a run per engine for a worker.

    With ``reuse_runs`` an engine that has a run on an equal snapshot with equal settings, be it queued, running or
    finished, is not queued again.

    Raises:
        InputError: as :func:`run_job`; nothing is stored and nothing queued.
    """
    engines, notes = _engines(job, config)
    config = as_told(config, job.reading)
    with _read(job, config, store, progress) as read:
        there = _finished(store, read.snapshot, engines, ("queued", "running", "done")) if reuse_runs else {}
        if read.snapshot is not None and len(there) == len(engines):
            return Outcome(read.snapshot, tuple(there.values()), (*read.sales.notes, *notes))
        customers, new, failed, receipts = _customers(read, engines, config, store, progress)
        _refuse_if_all_refused([_refusal(engine, customers) for engine in engines.values()])
        progress("Storing", 0.0)
        snapshot = store.save_snapshot(new, customers, receipts, read.orders(customers))
        # where the sales lie now, which may be elsewhere than when an equal snapshot was made
        where = {name: item for name, item in new.info.items() if name == "location"}
        runs = tuple(
            there.get(name) or store.queue_run(snapshot.id, name, each.settings(), info=where, starter=job.starter)
            for name, each in engines.items()
        )
        progress("Storing", 1.0)
        return Outcome(snapshot, runs, (*read.sales.notes, *notes, *failed))


# --- the steps ------------------------------------------------------------------------------------------------------


def _engines(job: Job, config: Config) -> tuple[dict[str, Engine], list[str]]:
    """The engines of a job by name, and what the user should know of them."""
    names = tuple(dict.fromkeys(job.engines or config.engines.use))
    engines = {name: make_engine(name, config, k=job.k, seed=job.seed) for name in names}
    notes = [
        f"--k is ignored by {engine.title}, which has no such setting."
        for engine in engines.values()
        if job.k is not None and "k" not in engine.settings()
    ]
    return engines, notes


class _Read(NamedTuple):
    """Sales that were read, what their customers will be kept as, and the equal snapshot that may be there already."""

    sales: intake.Sales
    plugins: Sequence[features.RegisteredFeature]
    new: NewSnapshot
    snapshot: Snapshot | None

    def orders(self, customers: DataFrame) -> Iterator[RecordBatch]:
        """The customers' orders, to be kept with a new snapshot."""
        return features.order_histories(self.sales.table, customers.index, as_of=self.sales.as_of)


@contextmanager
def _read(job: Job, config: Config, store: Store, progress: Progress) -> Iterator[_Read]:
    progress("Reading and cleaning", 0.0)
    with open_sales(job.source, config, mapping=job.mapping, as_of=job.as_of) as sales:
        progress("Reading and cleaning", 1.0)
        plugins = features.registered_features()
        new = new_snapshot(sales, config, plugins, source=job.source, name=job.name, called=job.called)
        yield _Read(sales, plugins, new, store.find_snapshot(new))


def _customers(read: _Read, engines: Mapping[str, Engine], config: Config, store: Store, progress: Progress) -> Valued:
    """The customers with what is kept and said of them; of an equal snapshot there is nothing to keep but itself."""
    if read.snapshot is None:
        valued = valued_customers(read.new, read.sales, config, read.plugins, progress)
    else:
        valued = Valued(store.snapshot_customers(read.snapshot.id), read.new, (), {})
    _check_size(valued.customers, engines)
    return valued


def _check_size(customers: DataFrame, engines: Mapping[str, Engine]) -> None:
    if len(customers) < 2:
        raise InputError(f"Segments need at least 2 customers; these sales have {len(customers)} after cleaning.")
    for engine in engines.values():
        k = engine.settings().get("k") or 0
        if k > len(customers):
            raise InputError(
                f"{engine.title}: k = {k} is more than the {len(customers)} customers; choose a smaller --k."
            )


def _finished(
    store: Store, snapshot: Snapshot | None, engines: Mapping[str, Engine], states: Collection[str] = ("done",)
) -> dict[str, Run]:
    if snapshot is None:
        return {}
    runs = [run for run in store.runs(snapshot_id=snapshot.id) if run.state in states and not Open.of(run)]
    return {run.engine: run for run in runs if run.engine in engines and run.settings == engines[run.engine].settings()}


def _refusal(engine: Engine, customers: DataFrame) -> InputError | None:
    try:
        check(engine, customers)
    except InputError as error:
        return error
    return None


def _refuse_if_all_refused(refusals: Sequence[InputError | None]) -> None:
    told = [refusal for refusal in refusals if refusal is not None]
    if len(told) == len(refusals):
        raise told[0]


def _keep(fit: Fit, starter: Starter, snapshot: Snapshot, customers: DataFrame, store: Store, config: Config) -> Run:
    if fit.already is not None:
        return fit.already
    lease, settings = config.worker.lease_seconds, fit.engine.settings()
    run = store.start_run(snapshot.id, fit.name, settings, lease_seconds=lease, starter=starter)
    return finish(run, fit, customers, store, config, None)
