"""The customers of a drift timeline, each date by the sales of a window before it, and the timeline drawn of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from pandas import DataFrame, Series

from dashboard.config import Config
from dashboard.pipeline.sales import OpenSales, Progress, customers_in_windows, silent
from engines.columns import AVERAGE_ORDER_VALUE, FREQUENCY, MONETARY, RECENCY, TENURE
from engines.contract import DriftPoint, Engine
from engines.evaluation.calendar import Plan
from engines.evaluation.timeline import Timeline, timeline
from engines.features import SalesWindow, first_days


class Windows(NamedTuple):
    """What a timeline looks at: at each date the customers of a window and of the last quarter; their first sales."""

    plan: Plan
    tables: dict[date, DataFrame]
    recent: dict[date, DataFrame]
    first_seen: Series


def watched_columns(engines: Sequence[Engine]) -> set[str]:
    """The columns that these engines look at, whose movement is watched, or that names are checked on."""
    looked_at = ((*engine.needs, *engine.settings().get("features", ())) for engine in engines)
    return {RECENCY, FREQUENCY, MONETARY, AVERAGE_ORDER_VALUE, TENURE}.union(*looked_at)


def windows_of(opened: OpenSales, plan: Plan, columns: Collection[str], progress: Progress = silent) -> Windows:
    """The customers at each date of a plan, with these columns."""

    def window(day: date, days: int) -> SalesWindow:
        return SalesWindow(day - timedelta(days=days), day)

    lengths = {plan.window_days, plan.recent_days}
    found = customers_in_windows(
        opened, [window(day, days) for day in plan.dates for days in lengths], columns, progress
    )
    tables, recent = (
        {day: found[window(day, days)] for day in plan.dates} for days in (plan.window_days, plan.recent_days)
    )
    return Windows(plan, tables, recent, first_days(opened.sales.table))


def watch(
    engine: Engine,
    windows: Windows,
    config: Config,
    *,
    noise_at: Collection[date] | None = None,
    earlier_points: Sequence[DriftPoint] = (),
    progress: Callable[[int], None] = lambda done: None,
) -> Timeline:
    """The timeline of an engine by these windows, with the alarm lines of the configuration.

    Raises:
        InputError: as :func:`engines.evaluation.timeline.timeline` does.
    """
    found = timeline(
        engine,
        [(day, windows.tables[day]) for day in windows.plan.dates],
        recent=windows.recent,
        first_seen=windows.first_seen,
        threshold=config.drift.threshold,
        shift=config.drift.shift,
        bootstraps=config.drift.bootstraps,
        noise_at=noise_at,
        earlier_points=earlier_points,
        seed=int(engine.settings().get("seed", 0)),
        progress=progress,
    )
    assert found is not None  # a plan that is used has dates
    return found
