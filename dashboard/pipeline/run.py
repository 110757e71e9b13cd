"""From sales to stored segments: engines on the sales of a source, or one queued run that a worker has claimed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pandas import DataFrame

from dashboard.config import Config
from dashboard.pipeline.choice import kept_choice
from dashboard.pipeline.fit import Fit, PastCache, fit_engine, fit_stage, look_back, timeline_stage
from dashboard.pipeline.label import stored_engine
from dashboard.pipeline.read_again import read_again, wishes_of
from dashboard.pipeline.request import Unresolved
from dashboard.pipeline.resolve import open_stages, resolve
from dashboard.pipeline.sales import (
    OpenSales,
    Progress,
    SalesRequest,
    Valued,
    new_snapshot,
    open_sales,
    silent,
    valued_customers,
)
from dashboard.pipeline.watch import live_point
from engines import registry
from engines.contract import Engine
from engines.errors import InputError
from engines.messages import message
from engines.progress import Amount
from engines.run import check
from storage import Store
from storage.contract import Run, Snapshot, Starter

#: How many stages every run has, whatever has to be resolved first.
_STAGES = 6


@dataclass(frozen=True)
class Outcome:
    """What came of a request: the snapshot, one run per engine (done or failed), and what the user should know."""

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
        return {"snapshot": snapshot_dict(self.snapshot), "runs": runs, "notes": list(self.notes)}


def snapshot_dict(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as JSON-ready values."""
    return {
        "id": snapshot.id,
        "name": snapshot.dataset,
        "as_of": snapshot.as_of.isoformat(),
        "customers": snapshot.customers,
        "ledger": dict(snapshot.ledger),
        "notes": list(snapshot.notes),
        "rules": snapshot.rules,
    }


def run_dict(run: Run) -> dict[str, Any]:
    """A run as JSON-ready values."""
    keys = ("key", "name", "action", "customers", "revenue_share", "recency", "frequency", "monetary", "clv")
    return {
        "id": run.id,
        "snapshot": run.snapshot_id,
        "dataset": run.dataset,
        "as_of": run.as_of.isoformat(),
        "rules": run.rules,
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
        "note": run.note,
        "tags": list(run.tags),
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


# --- engines on the sales of a source ---------------------------------------------------------------------------------


def run_sales(
    request: SalesRequest,
    config: Config,
    store: Store,
    progress: Progress = silent,
    *,
    queue: bool = False,
    reuse_runs: bool = False,
) -> Outcome:
    """Read, clean, build customers, value and store them, with a finished run per engine.

    Args:
        request: the sales and the engines.
        config: for whatever the request does not say.
        store: where snapshot and runs are kept.
        progress: told how far it is.
        queue: only queue the runs, for a worker.
        reuse_runs: an engine that has a finished run on an equal snapshot with equal settings is not run again; nor is
            one queued where such a run is queued or running.

    Raises:
        InputError: the source, the mapping, the date, an engine's name or a setting cannot be used; nothing is stored.
    """
    engines, notes = _engines(request, config)
    states = ("queued", "running", "done") if queue else ("done",)
    with open_sales(request, config, progress) as opened:
        config = opened.config
        new = new_snapshot(opened)
        snapshot = store.find_snapshot(new)
        runs = _equal_runs(store, snapshot, engines, states) if reuse_runs and snapshot is not None else {}
        if snapshot is not None and len(runs) == len(engines):
            _keep_sales(opened, snapshot, config, store, progress)
            return Outcome(snapshot, tuple(runs.values()), _said(opened, snapshot, notes))
        customers, new, _, receipts = (
            valued_customers(opened, new, progress, kept_choice(new, config, store))
            if snapshot is None
            else Valued(store.snapshot_customers(snapshot.id), new, (), {})
        )
        _check_size(customers, engines)
        missing = {name: engine for name, engine in engines.items() if name not in runs}
        fits: dict[str, Fit] = {}
        if queue:
            refusals = [_refusal(engine, customers) for engine in missing.values()]
        else:
            past = look_back(opened, customers, list(missing.values()), progress)
            for name, engine in missing.items():
                fits[name] = fit_engine(name, engine, customers, new.dataset, store, config, past, progress)
            refusals = [fit.refusal for fit in fits.values()]
        if not runs and (refused := [each for each in refusals if each is not None]) and len(refused) == len(refusals):
            raise refused[0]
        if snapshot is None:
            with opened.file(config, progress) as file:
                progress("Storing", 0.0)
                snapshot = store.save_snapshot(new, customers, receipts, sales=file)
        else:
            _keep_sales(opened, snapshot, config, store, progress)
            progress("Storing", 0.0)
        first: int | None = None
        for name, engine in missing.items():
            settings, starter = engine.settings(), request.starter
            if queue:
                runs[name] = store.queue_run(snapshot.id, name, settings, starter=starter, asked_with=first)
            else:
                lease = config.worker.lease_seconds
                run = store.start_run(
                    snapshot.id, name, settings, lease_seconds=lease, starter=starter, asked_with=first
                )
                runs[name] = _finish(run, fits[name], customers, store, config, None)
            first = first or runs[name].id
        progress("Storing", 1.0)
        return Outcome(snapshot, tuple(runs[name] for name in engines), _said(opened, snapshot, notes))


def _said(opened: OpenSales, snapshot: Snapshot, notes: Sequence[str]) -> tuple[str, ...]:
    """What the user should know: of the reading just now, what is kept with the snapshot, of the request; each once."""
    return tuple(dict.fromkeys((*opened.sales.notes, *snapshot.notes, *notes)))


def _keep_sales(opened: OpenSales, snapshot: Snapshot, config: Config, store: Store, progress: Progress) -> None:
    """Keep the sales of a stored snapshot that has none, or whose file is missing or altered."""
    if config.objects.keep and not store.has_sales(snapshot.id):
        with opened.file(config, progress) as file:
            if file is not None:
                store.keep_sales(snapshot.id, file)


def _engines(request: SalesRequest, config: Config) -> tuple[dict[str, Engine], list[str]]:
    """The engines of a request by name, and what the user should know of them."""
    names = tuple(dict.fromkeys(request.engines or config.engines.use))
    engines = {name: make_engine(name, config, k=request.k, seed=request.seed) for name in names}
    notes = [
        f"--k is ignored by {engine.title}, which has no such setting."
        for engine in engines.values()
        if request.k is not None and "k" not in engine.settings()
    ]
    return engines, notes


def _check_size(customers: DataFrame, engines: Mapping[str, Engine]) -> None:
    if len(customers) < 2:
        raise InputError(
            "Segments need at least 2 customers; these sales have {customers} after cleaning.", customers=len(customers)
        )
    for engine in engines.values():
        k = engine.settings().get("k") or 0
        if k > len(customers):
            raise InputError(
                "{title}: k = {k} is more than the {customers} customers; choose a smaller --k.",
                title=engine.title,
                k=k,
                customers=len(customers),
            )


def _equal_runs(
    store: Store, snapshot: Snapshot, engines: Mapping[str, Engine], states: Collection[str]
) -> dict[str, Run]:
    """The runs of these engines with these very settings that there are on a snapshot."""
    runs = [run for run in store.runs(snapshot_id=snapshot.id) if run.state in states and not Unresolved.of(run)]
    return {run.engine: run for run in runs if run.engine in engines and run.settings == engines[run.engine].settings()}


def _refusal(engine: Engine, customers: DataFrame) -> InputError | None:
    try:
        check(engine, customers)
    except InputError as error:
        return error
    return None


# --- the sales of a snapshot, read again ------------------------------------------------------------------------------


def run_again(snapshot_id: int, config: Config, store: Store, starter: Starter, progress: Progress = silent) -> Outcome:
    """Read the sales of a snapshot again under today's rules, and run its engines on the snapshot that comes of it.

    Raises:
        InputError: it was read under today's rules already, or its sales are not at hand or cannot be read.
        NotFoundError: no such snapshot.
    """
    old = store.snapshot(snapshot_id)
    wishes = wishes_of(old, config, store)
    new = read_again(old, config, store, progress)
    runs: list[Run] = []
    past, lease = PastCache(), config.worker.lease_seconds
    for wish in wishes:
        first = runs[0].id if runs else None
        settings = wish.to_settings()
        run = store.start_run(new.id, wish.engine, settings, lease_seconds=lease, starter=starter, asked_with=first)
        runs.append(work_run(run, config, store, progress, past=past))
    return Outcome(new, tuple(runs), new.notes)


# --- a queued run -----------------------------------------------------------------------------------------------------


def work_run(
    run: Run,
    config: Config,
    store: Store,
    progress: Progress = silent,
    *,
    worker: str | None = None,
    past: PastCache | None = None,
) -> Run:
    """Finish a claimed run on its stored snapshot, as :func:`run_sales` would; what goes wrong is recorded with it.

    Where no sales are kept with the snapshot, the run has no holdout revenue and no drift timeline, and says so in a
    note.

    Args:
        run: as it was claimed.
        config: for names, the alarm line and whatever the snapshot does not say.
        store: where the run is.
        progress: told a stage and how much of the whole run is done, 0 to 1.
        worker: who has claimed the run.
        past: keeps the look back at one snapshot's sales for the next run.

    Raises:
        LostError: the run was cancelled or taken over meanwhile; nothing is stored.
    """
    first = open_stages(run)
    whole = len(first) + _STAGES
    try:
        run = resolve(
            run, config, store, lambda stage, done, _=None: progress(stage, (first.index(stage) + done) / whole), worker
        )
        engine = stored_engine(run)
    except InputError as error:
        return store.fail_run(run.id, error.message, worker=worker)
    stages = (
        "Reading customers",
        "Opening kept sales",
        "Looking back",
        fit_stage(engine),
        timeline_stage(engine),
        "Storing",
    )

    def report(stage: str, done: float, amount: Amount | None = None) -> None:
        progress(stage, (len(first) + stages.index(stage) + done) / whole)

    report("Reading customers", 0.0)
    snapshot, customers = store.snapshot(run.snapshot_id), store.snapshot_customers(run.snapshot_id)
    seen, note = (past or PastCache()).past(snapshot, customers, engine, config, store, report)
    fit = fit_engine(run.engine, engine, customers, run.dataset, store, config, seen, report, run.rules)
    if fit.result is not None:
        chosen = run.info.get("chosen_k")
        chosen_note = (
            [message("k = {k} was chosen. {reason}", k=chosen["k"], reason=chosen["reason"])] if chosen else []
        )
        notes = (*chosen_note, *fit.result.notes, *([note] if note is not None else []))
        fit = replace(fit, result=replace(fit.result, notes=notes))
        fit = replace(fit, info={**fit.info, "chosen_k": chosen}) if chosen else fit
    report("Storing", 0.0)
    return _finish(run, fit, customers, store, config, worker)


def _finish(run: Run, fit: Fit, customers: DataFrame, store: Store, config: Config, worker: str | None) -> Run:
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
        live=live_point(run, fit.engine, customers, fit.result.labels, store, config),
        worker=worker,
    )
