"""Which runs belong together: the finished runs of one data set and engine, from date to date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from storage import Store
from storage.contract import Run


def series(store: Store, dataset: str, engine: str, currency: str = "") -> list[Run]:
    """All finished runs of a data set and engine, by date, those of one date in the order they were made.

    ``currency``: without those whose money is known to be in another one; empty: all.
    """
    runs = store.runs(dataset=dataset, engine=engine, state="done")
    if currency:
        others = {item.id for item in store.snapshots() if item.currency not in ("", currency)}
        runs = [run for run in runs if run.snapshot_id not in others]
    return sorted(runs, key=lambda run: (run.as_of, run.id))


def series_of(store: Store, run: Run) -> list[Run]:
    """The runs of a run's data set, engine and currency, as :func:`series` has them."""
    return series(store, run.dataset, run.engine, store.snapshot(run.snapshot_id).currency)


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
    store: Store, dataset: str, engine: str, settings: Mapping[str, Any], as_of: date, currency: str = ""
) -> Run | None:
    """The latest run before a date with exactly these settings, the seed included; ``currency`` as for a series."""
    same = [run for run in series(store, dataset, engine, currency) if run.settings == settings and run.as_of < as_of]
    return same[-1] if same else None


def _one_per_date(runs: Iterable[Run]) -> list[Run]:
    """The last run of each date, in the order of the dates."""
    by_date = {run.as_of: run for run in runs}
    return [by_date[day] for day in sorted(by_date)]


def _alike(one: Run, other: Run) -> bool:
    return _without_seed(one.settings) == _without_seed(other.settings)


def _without_seed(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != "seed"}
