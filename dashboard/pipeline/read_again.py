"""Reads the sales of a stored snapshot again under today's rules, as a snapshot of its own beside the old one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from dashboard.config import Config
from dashboard.pipeline.choice import kept_choice
from dashboard.pipeline.request import Unresolved, Wish
from dashboard.pipeline.sales import (
    OpenSales,
    Progress,
    as_read,
    lasting_source,
    new_snapshot,
    sales_again,
    sales_of,
    silent,
    valued_customers,
)
from engines import registry
from engines.errors import InputError
from engines.messages import message
from engines.settings import RULES_VERSION
from storage import Store
from storage.contract import Run, Snapshot, Starter

#: Settings of cleaning that a version of the rules has given a new meaning or default: they are taken from today's
#: configuration, all others stay as the sales were read with.
RENEWED = ("returns",)


def is_outdated(rules: int) -> bool:
    """Whether sales were read by rules that are not today's."""
    return rules != RULES_VERSION


def outdated_words(rules: int) -> str:
    """What is to be known of figures that were made by earlier rules."""
    return message(
        "This was read by earlier rules (version {then}; today's is version {now}). Its figures stay as they were. "
        "They are not compared with dates that were read by other rules.",
        then=rules,
        now=RULES_VERSION,
    )


def why_not_again(snapshot: Snapshot) -> str:
    """Why a snapshot cannot be read again under today's rules; empty where it can."""
    if not is_outdated(snapshot.rules):
        return message("Snapshot {snapshot} was read under today's rules already.", snapshot=snapshot.id)
    if snapshot.sales is None and lasting_source(snapshot) is None:
        return message(
            "The sales of snapshot {snapshot} were not kept, and {source} is not a place to read from again. Upload "
            "the file once more on the Data page.",
            snapshot=snapshot.id,
            source=snapshot.source,
        )
    return ""


def todays(snapshot: Snapshot, config: Config) -> Config:
    """The configuration with what the sales of a snapshot say of themselves, and today's rules.

    How columns and cells are read, the currency, the categories and what was chosen for cleaning stay as they were.
    The settings that the rules have renewed, and how value is worked out, are today's.
    """
    then = as_read(snapshot, config)
    now = config.cleaning.resolved()
    cleaning = replace(then.cleaning, **{name: getattr(now, name) for name in RENEWED})
    return then.model_copy(update={"cleaning": cleaning, "clv": config.clv, "churn": config.churn})


def read_again(snapshot: Snapshot, config: Config, store: Store, progress: Progress = silent) -> Snapshot:
    """The snapshot of the same sales and date under today's rules; one that is there already is returned.

    The source is read where it is at hand as it was; else the kept sales are, whose lines are the same.

    Raises:
        InputError: neither is, or the sales cannot be read.
    """
    if why := why_not_again(snapshot):
        raise InputError(why)
    with _opened(snapshot, todays(snapshot, config), store, progress) as opened:
        new = new_snapshot(opened)
        same = {name: snapshot.info[name] for name in ("title", "synthetic") if name in snapshot.info}
        new = replace(new, dataset=snapshot.dataset, source=snapshot.source, info={**new.info, **same})
        if "location" in snapshot.info:
            new = replace(new, info={**new.info, "location": snapshot.info["location"]})
        existing = store.find_snapshot(new)
        if existing is not None:
            return existing
        customers, new, _, receipts = valued_customers(opened, new, progress, kept_choice(new, config, store))
        if len(customers) < 2:
            raise InputError(
                "Segments need at least 2 customers; under today's rules there are {customers}.",
                customers=len(customers),
            )
        progress("Storing customers", 0.0)
        with opened.file(config) as file:
            made = store.save_snapshot(new, customers, receipts, sales=file)
        progress("Storing customers", 1.0)
    return made


@contextmanager
def _opened(snapshot: Snapshot, then: Config, store: Store, progress: Progress) -> Iterator[OpenSales]:
    source, opened = lasting_source(snapshot), None
    with ExitStack() as stack:
        if source is not None:
            try:
                opened = stack.enter_context(sales_again(snapshot, source, then, progress, then=then))
            except InputError:  # it is gone, or other sales are in its place
                if snapshot.sales is None:
                    raise
        if opened is None:
            opened = stack.enter_context(sales_of(snapshot, then, store, progress, then=then))
        yield opened


def wishes_of(snapshot: Snapshot, config: Config, store: Store) -> tuple[Wish, ...]:
    """The engines to run again: the latest finished run of each on a snapshot; without any, those in use."""
    installed = {item.name for item in registry.registered() if item.kind is not None}
    latest: dict[str, Wish] = {}
    for run in store.runs(snapshot_id=snapshot.id, state="done"):
        if run.engine in installed:
            latest.setdefault(run.engine, Wish(run.engine, run.settings))
    return tuple(latest.values()) or tuple(Wish(name, {}) for name in config.engines.use if name in installed)


def queue_again(snapshot_id: int, config: Config, store: Store, starter: Starter) -> tuple[Run, ...]:
    """Queue the runs of a snapshot, to be done on its sales as a worker reads them again under today's rules.

    Raises:
        InputError: it was read under today's rules already, or its sales are not at hand.
        NotFoundError: no such snapshot.
    """
    snapshot = store.snapshot(snapshot_id)
    if why := why_not_again(snapshot):
        raise InputError(why)
    info = Unresolved(again=True).to_info()
    wishes = wishes_of(snapshot, config, store)
    runs: list[Run] = []
    for wish in wishes:
        first = runs[0].id if runs else None
        settings = wish.to_settings()
        runs.append(store.queue_run(snapshot.id, wish.engine, settings, info=info, starter=starter, asked_with=first))
    return tuple(runs)
