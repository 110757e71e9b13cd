"""Runs a finished run again from its record, to see whether the same comes out; nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from pandas import DataFrame, Series

from dashboard.config import Config
from dashboard.pipeline.choice import choice_of
from dashboard.pipeline.fit import origin_of, versions
from dashboard.pipeline.label import stored_engine
from dashboard.pipeline.sales import (
    OpenSales,
    Progress,
    SalesGoneError,
    lasting_source,
    new_snapshot,
    sales_again,
    sales_of,
    silent,
    valued_customers,
)
from engines.checks import labels_of
from engines.errors import InputError
from engines.evaluation.drift import adjusted_rand
from engines.run import check, fit, in_order
from engines.settings import RULES_VERSION
from storage import Store
from storage.contract import Run, Snapshot


@dataclass(frozen=True)
class Difference:
    """Something that is not as it was: ``what``, ``then`` and ``now``, in words or numbers."""

    what: str
    then: Any
    now: Any


@dataclass(frozen=True)
class Labels:
    """New labels beside the stored ones.

    ``differ``: customers whose label is another one, or who are in one of the two alone. ``agreement``: the adjusted
    Rand index over the customers in both, 1 when only the numbers of the segments have changed.
    """

    customers: int
    differ: int
    agreement: float

    @property
    def remark(self) -> str:
        """What else is to be said of labels that differ."""
        if self.differ == 0:
            return ""
        if self.agreement == 1:
            return " (the same groups under other numbers)"
        return f" (adjusted Rand index {self.agreement:.3f})"


@dataclass(frozen=True)
class Reproduction:
    """What came of running a run again.

    ``stored``: from the customers in the store. ``source``: from the sales all the way, those that are kept or those
    of a source that was named, None where they are not at hand as they were; ``note`` says why. ``differences``: what
    has changed since, whether it matters or not.
    """

    run: Run
    stored: Labels
    source: Labels | None
    note: str
    differences: tuple[Difference, ...] = field(default=())

    @property
    def identical(self) -> bool:
        """Whether every label is what it was, each way that was gone."""
        return self.stored.differ == 0 and (self.source is None or self.source.differ == 0)

    def to_dict(self) -> dict[str, Any]:
        """The answer as ``segmentry reproduce --json`` prints it."""
        return {
            "run": self.run.id,
            "identical": self.identical,
            "stored": asdict(self.stored),
            "source": None if self.source is None else asdict(self.source),
            "note": self.note,
            "differences": [asdict(item) for item in self.differences],
        }


def reproduce_run(
    run_id: int, config: Config, store: Store, *, source: str | None = None, progress: Progress = silent
) -> Reproduction:
    """Run a finished run again with its own settings and seed, on its snapshot and, where it can be, from its sales.

    Args:
        run_id: the run.
        config: of which the currency alone counts: how sales are read is a part of the record.
        store: where the record is.
        source: where the raw sales are, to read them anew; by default the sales are those that are kept.
        progress: told what is being done.

    Raises:
        InputError: the run is not finished, its engine is no longer installed, or ``source`` cannot be read.
        NotFoundError: there is no such run.
    """
    run = store.run(run_id)
    if run.state != "done":
        raise InputError(
            "Run {run_id} is {state}: only a finished run can be reproduced.", run_id=run_id, state=run.state
        )
    snapshot = store.snapshot(run.snapshot_id)
    differences = _versions_since(run)
    if run.rules != RULES_VERSION:
        differences = (*differences, Difference("rules", run.rules, RULES_VERSION))
    progress("Running it again on the stored customers", 0.0)
    was = store.labels(run_id)
    stored = _compared(was, _labels(run, store.snapshot_customers(snapshot.id)))
    progress("Running it again on the stored customers", 1.0)
    kept = source is None and snapshot.sales is not None
    at = source or lasting_source(snapshot)
    if at is None and not kept:
        note = f"The source {snapshot.source} is not here, so that only the stored customers count; --source names it."
        return Reproduction(run, stored, None, note, differences)
    try:
        opening = (
            sales_of(snapshot, config, store, progress) if kept else sales_again(snapshot, str(at), config, progress)
        )
        customers, source_differences = _from_sales(snapshot, opening, store, progress)
        from_sales = None if customers is None else _compared(was, _labels(run, customers))
    except InputError as error:
        if source is not None:
            raise
        note = f"The source cannot be read again, so that only the stored customers count. {error}"
        return Reproduction(run, stored, None, note, differences)
    if kept and from_sales is not None:
        note = "The sales are those that were kept with the run's snapshot."
    elif from_sales is None:
        note = f"The sales in {at} are others than the run had, so that only the stored customers count."
    else:
        note = f"The sales in {at} are those the run had."
    return Reproduction(run, stored, from_sales, note, (*differences, *source_differences))


def _labels(run: Run, customers: DataFrame) -> Series:
    """What the run's engine makes of these customers: names and metrics are not needed to compare labels."""
    engine = stored_engine(run)
    check(engine, customers)
    ordered = in_order(customers)
    fitted, _ = fit(engine, ordered)
    return labels_of(engine.title, fitted, ordered)


def _compared(was: Series, now: Series) -> Labels:
    both = was.index.intersection(now.index)
    a, b = (labels.loc[both].to_numpy(np.int64) for labels in (was, now))
    alone = len(was) + len(now) - 2 * len(both)
    return Labels(len(was), int((a != b).sum()) + alone, float(adjusted_rand(a, b)))


def _versions_since(run: Run) -> tuple[Difference, ...]:
    then: Mapping[str, str] = run.info.get("versions", {})
    now = versions()
    changed = [Difference(name, then[name], now.get(name)) for name in then if then[name] != now.get(name)]
    plugin, plugin_now = run.info.get("origin"), origin_of(run.engine)
    if plugin is not None and plugin != plugin_now and not plugin.startswith("segmentry "):
        changed.append(Difference(f"plug-in of {run.engine}", plugin, plugin_now))
    return tuple(changed)


def _from_sales(
    snapshot: Snapshot, opening: AbstractContextManager[OpenSales], store: Store, progress: Progress
) -> tuple[DataFrame | None, tuple[Difference, ...]]:
    """The customers made anew from sales, None where these are others; and what is different."""
    try:
        with opening as opened:
            kept = choice_of(snapshot, store)
            stood = kept if kept is not None and kept.as_of != snapshot.as_of else None  # else it is chosen once more
            customers, new, _, _ = valued_customers(opened, new_snapshot(opened), progress, stood)
    except SalesGoneError as gone:
        if gone.fingerprint is None:
            raise
        return None, (Difference("data fingerprint", snapshot.fingerprint, gone.fingerprint),)
    then, now = snapshot.settings.get("features", {}), new.settings.get("features", {})
    changed = [
        Difference(f"plug-in of {name}", then.get(name), now.get(name))
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]
    return customers, tuple(changed)
