"""Which runs belong together: the finished runs of one data set and engine, from date to date, read by one rule.

Snapshots that were read by different versions of the rules (see :data:`engines.settings.RULES_VERSION`) hold figures
that mean different things. Nothing follows from one to the other: no change, no mover, no alert.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from engines.contract import LivePoint
from engines.messages import message
from engines.settings import RULES_VERSION
from storage import Store
from storage.contract import Run, Snapshot


def newest_snapshot(snapshots: Iterable[Snapshot], dataset: str) -> Snapshot | None:
    """The newest snapshot of a data set: of the latest date, however early it was saved; of one date, the last saved.

    None where there is none.
    """
    mine = (item for item in snapshots if item.dataset == dataset)
    return max(mine, key=lambda item: (item.as_of, item.id), default=None)


def published_ids(store: Store) -> set[int]:
    """The published runs, one at most of each data set."""
    return {item.run_id for item in store.published_runs().values()}


def published_among(store: Store, runs: Iterable[Run]) -> int | None:
    """The published one among runs of a data set; None where none of them is."""
    published = published_ids(store)
    return next((run.id for run in runs if run.id in published), None)


def newest_runs(runs: Iterable[Run]) -> list[Run]:
    """Of finished runs those of the latest date, the one that was finished last first."""
    found = list(runs)
    latest = max((run.as_of for run in found), default=None)
    mine = [run for run in found if run.as_of == latest]
    return sorted(mine, key=_finished, reverse=True)


def _finished(run: Run) -> tuple[datetime, int]:
    """When a run was finished; of two at one moment the later one counts."""
    return run.finished_at or run.created_at, run.id


def series(store: Store, dataset: str, engine: str, currency: str = "", *, rules: int | None = None) -> list[Run]:
    """All finished runs of a data set and engine, by date, those of one date in the order they were finished.

    ``currency``: without those whose money is known to be in another one; empty: all. ``rules``: only those whose
    sales were read by this version of the rules; None: all.
    """
    runs = [run for run in store.runs(dataset=dataset, engine=engine, state="done") if rules in (None, run.rules)]
    if currency:
        others = {item.id for item in store.snapshots() if item.currency not in ("", currency)}
        runs = [run for run in runs if run.snapshot_id not in others]
    return sorted(runs, key=lambda run: (run.as_of, *_finished(run)))


def series_of(store: Store, run: Run) -> list[Run]:
    """The runs of a run's data set, engine, currency and rules, as :func:`series` has them."""
    return series(store, run.dataset, run.engine, store.snapshot(run.snapshot_id).currency, rules=run.rules)


def under_other_rules(store: Store, run: Run) -> list[Run]:
    """The runs of other dates that would belong to a run's series if their sales had been read by the same rules."""
    currency = store.snapshot(run.snapshot_id).currency
    every = series(store, run.dataset, run.engine, currency)
    return [other for other in every if other.rules != run.rules and other.as_of != run.as_of]


def live_points_of(store: Store, run: Run) -> dict[int, LivePoint]:
    """The runs of a run's data set, engine and rules that were compared with the one before, by run id."""
    same = {other.id for other in series(store, run.dataset, run.engine, rules=run.rules)}
    points = store.live_points(run.dataset, run.engine)
    return {number: point for number, point in points.items() if number in same and point.against in same}


def run_per_date(store: Store, run: Run) -> list[Run]:
    """One run for each date of a run's series, the oldest first; ``run`` itself at its own date.

    Of several at one date the newest with the same settings (but for the seed), else the newest of all.
    """
    same = sorted(series_of(store, run), key=lambda other: _alike(other, run))
    return _one_per_date([*same, run])


def earlier_runs(store: Store, run: Run) -> list[Run]:
    """One run for each earlier date of a run's series with the same settings (but for the seed), the oldest first."""
    same = series_of(store, run)
    return _one_per_date(other for other in same if other.as_of < run.as_of and _alike(other, run))


def run_before(
    store: Store,
    dataset: str,
    engine: str,
    settings: Mapping[str, Any],
    as_of: date,
    currency: str = "",
    *,
    rules: int = RULES_VERSION,
) -> Run | None:
    """The latest run before a date with exactly these settings, the seed included; the rest as for a series."""
    runs = series(store, dataset, engine, currency, rules=rules)
    same = [run for run in runs if run.settings == settings and run.as_of < as_of]
    return same[-1] if same else None


def other_rules_words(then: int, now: int) -> str:
    """The sentence that goes with whatever is beside one another of two versions of the rules."""
    return message(
        "These were read by different rules (version {then} and version {now}): returns and names are handled in "
        "another way, so differences between them are not changes of the customers.",
        then=then,
        now=now,
    )


def _one_per_date(runs: Iterable[Run]) -> list[Run]:
    """The last run of each date, in the order of the dates."""
    by_date = {run.as_of: run for run in runs}
    return [by_date[day] for day in sorted(by_date)]


def _alike(one: Run, other: Run) -> bool:
    return _without_seed(one.settings) == _without_seed(other.settings)


def _without_seed(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != "seed"}
