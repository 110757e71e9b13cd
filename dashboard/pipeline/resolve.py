"""Resolves what a queued run left open: the customers as of another date, and the number of segments."""

from __future__ import annotations

from dataclasses import replace

from dashboard.clock import now
from dashboard.config import Config
from dashboard.pipeline.choice import kept_choice
from dashboard.pipeline.fit import kept_later_sales
from dashboard.pipeline.label import stored_engine
from dashboard.pipeline.read_again import read_again
from dashboard.pipeline.request import Unresolved, same_sales, without_unresolved
from dashboard.pipeline.sales import Progress, new_snapshot, sales_of, valued_customers
from engines.contract import Engine
from engines.errors import InputError
from engines.evaluation.selection import KSelection, evaluate_ks
from engines.messages import message
from storage import Store
from storage.contract import LogLine, Run, Snapshot

CHOOSING = "Choosing the number of segments"
SAVING = "Storing customers"
_DATING = ("Opening kept sales", "Building customers", "Estimating value", SAVING)


def open_stages(run: Run) -> tuple[str, ...]:
    """The stages that come before those of any run."""
    left = Unresolved.of(run)
    reading = ("Reading and cleaning",) if left.again else ()
    return (*reading, *(_DATING if left.as_of or left.again else ()), *((CHOOSING,) if left.choose_k else ()))


def resolve(run: Run, config: Config, store: Store, progress: Progress, worker: str | None) -> Run:
    """The run with everything that it needs; one of which nothing is open stays as it is.

    Raises:
        InputError: the sales are not what they were, have no customers at the date, or no k can be recommended.
        LostError: the run was cancelled or taken over meanwhile.
    """
    left = Unresolved.of(run)
    if left.again:
        snapshot = read_again(store.snapshot(run.snapshot_id), config, store, progress)
        rest = {**without_unresolved(run.info), **replace(left, again=False).to_info()}
        run = store.resolve_run(run.id, worker, snapshot_id=snapshot.id, settings=run.settings, info=rest)
    if left.as_of is not None:
        snapshot = _snapshot_as_of(left, store.snapshot(run.snapshot_id), config, store, progress)
        rest = {**without_unresolved(run.info), **replace(left, as_of=None).to_info()}
        run = store.resolve_run(run.id, worker, snapshot_id=snapshot.id, settings=run.settings, info=rest)
    if left.choose_k:
        run = _with_k(run, config, store, progress, worker)
    return run


def _snapshot_as_of(left: Unresolved, base: Snapshot, config: Config, store: Store, progress: Progress) -> Snapshot:
    assert left.as_of is not None
    existing = same_sales(base, left.as_of, store.snapshots())
    if existing is not None:  # another engine asked for at once has made it
        return existing
    with sales_of(base, config, store, progress, as_of=left.as_of) as opened:
        new = new_snapshot(opened)
        same = {name: base.info[name] for name in ("title", "synthetic") if name in base.info}
        new = replace(new, settings=base.settings, info={**new.info, **same})
        customers, new, _, receipts = valued_customers(opened, new, progress, kept_choice(new, config, store))
        if len(customers) < 2:
            raise InputError(
                "Segments need at least 2 customers; there are {customers} as of {as_of}.",
                customers=len(customers),
                as_of=left.as_of,
            )
        progress(SAVING, 0.0)
        with opened.file(config) as file:
            snapshot = store.save_snapshot(new, customers, receipts, sales=file)
        progress(SAVING, 1.0)
    return snapshot


def _with_k(run: Run, config: Config, store: Store, progress: Progress, worker: str | None) -> Run:
    engine = stored_engine(run)
    progress(CHOOSING, 0.0)
    selection = _evaluate(run, engine, store, config, progress)
    if selection.recommended is None:
        raise InputError(
            "{title}: no number of segments can be recommended. {reason} Name a k yourself.",
            title=engine.title,
            reason=selection.reason,
        )
    settings = type(engine).from_settings({**engine.settings(), "k": selection.recommended}).settings()
    chosen = {"k": selection.recommended, "reason": selection.reason}
    info = {**without_unresolved(run.info), "chosen_k": chosen}
    resolved = store.resolve_run(run.id, worker, snapshot_id=run.snapshot_id, settings=settings, info=info)
    line = LogLine(
        now(),
        message("k = {recommended} was chosen. {reason}", recommended=selection.recommended, reason=selection.reason),
    )
    store.log_job(run.job_id, worker, [line])
    progress(CHOOSING, 1.0)
    return resolved


def _evaluate(run: Run, engine: Engine, store: Store, config: Config, progress: Progress) -> KSelection:
    customers = store.snapshot_customers(run.snapshot_id)
    try:
        return evaluate_ks(
            run.engine,
            engine,
            customers,
            later=kept_later_sales(store.snapshot(run.snapshot_id), customers, engine, config, store)[0],
            seed=int(engine.settings().get("seed", config.engines.seed)),
            progress=lambda done: progress(CHOOSING, done),
        )
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            "{title} failed: {name}: {error}", title=engine.title, name=type(error).__name__, error=error
        ) from error
