"""What a worker does with a run it has claimed: settle what is open, fit, look back, and store it all at once."""

from __future__ import annotations

from dataclasses import replace

from pandas import DataFrame

from dashboard.config import Config
from dashboard.pipeline import resolve as settling
from dashboard.pipeline.fit import Fit, Recall, fit_engine, fitting, stored_engine, timing
from dashboard.pipeline.sales import Progress, silent
from dashboard.pipeline.watch import live_point
from engines.errors import InputError
from engines.stated import stated
from storage.contract import Run, Store

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
