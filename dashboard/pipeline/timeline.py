"""The drift timeline of sales that are not stored: a model is frozen, and refitted and compared at every date."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any, NamedTuple

from dashboard.config import Config
from dashboard.pipeline.run import make_engine
from dashboard.pipeline.sales import Progress, SalesRequest, new_snapshot, open_sales, silent
from dashboard.pipeline.windows import watch, watched_columns, windows_of
from engines.contract import Engine
from engines.errors import InputError
from engines.evaluation.calendar import HISTORY_DAYS, Every, Plan, plan
from engines.evaluation.timeline import Timeline
from storage.contract import NewSnapshot

#: What is told of each date unless details are asked for.
_POINT = ("as_of", "customers", "ari", "noise_low", "moved_share", "alert", "cause")


class SalesTimeline(NamedTuple):
    """A timeline, of which data set and engine it is (with its name), and notes of the reading."""

    what: NewSnapshot
    name: str
    engine: Engine
    every: Every
    threshold: float
    plan: Plan
    timeline: Timeline
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The answer as ``segmentry drift --json`` prints it."""
        result = self.timeline
        return {
            "points": [{name: getattr(point, name) for name in _POINT} for point in result.points],
            "frozen_at": result.frozen_at.isoformat(),
            "refresh_months": result.refresh_months,
            "reason": result.reason,
            "window_days": self.plan.window_days,
            "ages": [asdict(age) for age in result.ages],
        }

    def detailed(self) -> dict[str, Any]:
        """The answer with all that is known of each point, and with what was asked."""
        return {
            **self.to_dict(),
            "name": self.what.dataset,
            "as_of": self.what.as_of.isoformat(),
            "engine": self.name,
            "settings": self.engine.settings(),
            "every": self.every,
            "threshold": self.threshold,
            "points": [asdict(point) for point in self.timeline.points],
        }


def drift_of_sales(
    request: SalesRequest,
    config: Config,
    progress: Progress = silent,
    *,
    every: Every = "month",
    freeze: date | None = None,
) -> SalesTimeline:
    """Read sales, and watch a frozen model of the request's one engine against refits at every date; nothing is stored.

    Raises:
        InputError: the source, the mapping or a date cannot be used, there is no such engine, the sales are too few or
            do not go back far enough, or the engine cannot segment the customers of a date.
    """
    (name,) = request.engines
    engine = make_engine(name, config, k=request.k, seed=request.seed)
    with open_sales(request, config, progress) as opened:
        sales = opened.sales
        window_days = config.drift.window_days
        planned = plan(sales.first_day, sales.as_of, every=every, freeze=freeze, window_days=window_days)
        if not planned.dates:
            raise InputError(
                "The sales of {name} go from {first_day} to {last_day}: a timeline needs {history_days} "
                "days before the start of a month, and a month after it. Give more sales, or choose the "
                "day with --freeze.",
                name=sales.name,
                first_day=sales.first_day,
                last_day=sales.last_day,
                history_days=HISTORY_DAYS,
            )
        what = new_snapshot(opened)
        windows = windows_of(opened, planned, watched_columns([engine]), progress)
        notes = list(sales.notes)
    if request.k is not None and "k" not in engine.settings():
        notes.append(f"--k is ignored by {engine.title}, which has no such setting.")
    stage = f"Watching {engine.title}"
    progress(stage, 0.0)
    result = watch(engine, windows, config, progress=lambda done: progress(stage, done / len(planned.dates)))
    return SalesTimeline(what, name, engine, every, config.drift.threshold, planned, result, tuple(notes))
