"""Helps to choose k: which engines have one, and what speaks for each k on sales or on a stored snapshot."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from typing import Any, NamedTuple

from pandas import DataFrame

from dashboard.config import Config
from dashboard.pipeline.answers import CHOOSE_K, Question, from_json_value, made_with
from dashboard.pipeline.fit import kept_later_sales, later_sales
from dashboard.pipeline.run import make_engine
from dashboard.pipeline.sales import (
    Progress,
    SalesRequest,
    new_snapshot,
    open_sales,
    silent,
    valued_customers,
)
from engines import registry
from engines.contract import Engine
from engines.errors import InputError
from engines.evaluation.holdout import LaterSales
from engines.evaluation.selection import HIGH, LOW, KSelection, evaluate_ks
from storage import Store
from storage.contract import Job, NewSnapshot, Snapshot

#: Said for one version to who still asks for the gap statistic.
NO_GAP = "The gap statistic is no longer computed, so gap changes nothing; leave it out."
#: The least k of all.
LEAST = 2


@dataclass(frozen=True)
class KRange:
    """What is asked: an engine by name, the range of k, and the seed (None for the configuration's)."""

    engine: str = "kmeans"
    low: int = LOW
    high: int = HIGH
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.low < LEAST or self.high < self.low:
            raise InputError(
                "k from {low} to {high} is no range to try: begin with {least} or more and end no lower.",
                low=self.low,
                high=self.high,
                least=LEAST,
            )


def k_range_of(engine: str, low: int | None, high: int | None, seed: int | None = None) -> KRange:
    """The range that is asked for; an end that is not named is the usual one, or the other end where that lies beyond.

    Raises:
        InputError: it is no range.
    """
    low_end = min(LOW, max(high or LOW, LEAST)) if low is None else low
    return KRange(engine, low_end, max(HIGH, low_end) if high is None else high, seed)


class SalesKSelection(NamedTuple):
    """The answer for sales that are not stored: which data set they are, as of which day, and notes of the reading."""

    what: NewSnapshot
    selection: KSelection
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The answer as ``segmentry evaluate --json`` prints it."""
        return {"name": self.what.dataset, "as_of": self.what.as_of.isoformat(), **self.selection.to_dict()}


def choosable_engines() -> dict[str, str]:
    """The titles, by name, of the registered engines that have a k to choose."""
    return {item.name: item.title for item in registry.registered() if any(knob.name == "k" for knob in item.knobs)}


def _engine(k_range: KRange, config: Config) -> Engine:
    """The engine that is asked about, with the configuration's settings and the largest k."""
    engine = make_engine(k_range.engine, config, k=k_range.high, seed=k_range.seed)
    if "k" not in engine.settings():
        raise InputError(
            "{title} has no k to choose: its own rules decide how many segments there are. Choose "
            "from {choosable_engines}.",
            title=engine.title,
            choosable_engines=", ".join(choosable_engines()),
        )
    return engine


def choose_k(
    k_range: KRange,
    customers: DataFrame,
    config: Config,
    progress: Progress = silent,
    later: LaterSales | None = None,
) -> KSelection:
    """Try every k of the range on these customers; ``later`` as for :func:`evaluate_ks`.

    Raises:
        InputError: no such engine, one without a k, or customers that cannot be segmented.
    """
    engine = _engine(k_range, config)
    stage = f"Trying k = {k_range.low} to {k_range.high}"
    progress(stage, 0.0)
    selection = evaluate_ks(
        k_range.engine,
        engine,
        customers,
        ks=range(k_range.low, k_range.high + 1),
        later=later,
        seed=config.engines.seed if k_range.seed is None else k_range.seed,
        progress=lambda done: progress(stage, done),
    )
    progress(stage, 1.0)
    return selection


def choose_k_of_sales(
    k_range: KRange, request: SalesRequest, config: Config, progress: Progress = silent
) -> SalesKSelection:
    """Read sales and try every k of the range on their customers; nothing is stored.

    Raises:
        InputError: the source, the mapping or the date cannot be used, or as :func:`choose_k` says.
    """
    engine = _engine(k_range, config)  # refused before anything long begins
    with open_sales(request, config, progress) as opened:
        customers, new, failed, _ = valued_customers(opened, new_snapshot(opened), progress)
        notes = (*opened.sales.notes, *failed)
        config = opened.config
        later = later_sales(opened, customers, engine, progress)
    return SalesKSelection(new, choose_k(k_range, customers, config, progress, later), notes)


# --- on a stored snapshot, by a worker --------------------------------------------------------------------------------


def k_question(k_range: KRange, snapshot: Snapshot, config: Config) -> Question[KSelection]:
    """The question which k speaks for itself on the customers of a stored snapshot.

    Raises:
        InputError: no such engine, or one without a k.
    """
    _engine(k_range, config)  # refused before anything is queued
    created = snapshot.created_at.isoformat() if snapshot.created_at is not None else None
    request = {**asdict(k_range), "created": created, "made_with": made_with(config)}  # an id may come again
    return Question(CHOOSE_K, snapshot.id, request, partial(from_json_value, KSelection))


def choose_k_for_job(job: Job, config: Config, store: Store, progress: Progress) -> dict[str, Any]:
    """What a worker computes for such a question."""
    k_range = KRange(**{item.name: job.request[item.name] for item in fields(KRange)})
    customers = store.snapshot_customers(job.subject or 0)
    later, note = kept_later_sales(store.snapshot(job.subject or 0), customers, _engine(k_range, config), config, store)
    selection = choose_k(k_range, customers, config, progress, later)
    return replace(selection, notes=(*selection.notes, *([note] if note is not None else []))).to_dict()
