"""The drift timeline of sales that are not stored, for the command line: frozen, refitted and judged date by date."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, NamedTuple

from dashboard.config import Config
from dashboard.pipeline.choose_k import Source
from dashboard.pipeline.fit import asked_columns
from dashboard.pipeline.run import make_engine
from dashboard.pipeline.sales import Progress, customers_then, new_snapshot, open_sales, silent
from engines import features
from engines.contract import Engine
from engines.errors import InputError
from engines.evaluation.calendar import HISTORY_DAYS, Every, cutoffs
from engines.evaluation.timeline import Timeline, timeline
from storage.contract import NewSnapshot

#: What is told of each date unless details are asked for.
_POINT = ("as_of", "customers", "ari", "noise_low", "moved_share", "alert")


@dataclass(frozen=True)
class Watch:
    """What is asked: an engine by name, k and seed (None for the configuration's), how often, and when to freeze."""

    engine: str = "kmeans"
    k: int | None = None
    seed: int | None = None
    every: Every = "month"
    freeze: date | None = None


class Watched(NamedTuple):
    """The answer: which data set, which engine, the timeline, and notes of the reading."""

    what: NewSnapshot
    engine: Engine
    asked: Watch
    threshold: float
    timeline: Timeline
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The answer as ``segmentry drift --json`` prints it."""
        found = self.timeline
        return {
            "points": [{name: getattr(point, name) for name in _POINT} for point in found.points],
            "frozen_at": found.frozen_at.isoformat(),
            "refresh_months": found.refresh_months,
            "reason": found.reason,
        }

    def detailed(self) -> dict[str, Any]:
        """The answer with all that is known of each point, and with what was asked."""
        return {
            **self.to_dict(),
            "name": self.what.dataset,
            "as_of": self.what.as_of.isoformat(),
            "engine": self.asked.engine,
            "settings": self.engine.settings(),
            "every": self.asked.every,
            "threshold": self.threshold,
            "points": [asdict(point) for point in self.timeline.points],
        }


def drift_of_sales(watch: Watch, source: Source, config: Config, progress: Progress = silent) -> Watched:
    """Read sales, and watch a frozen model against refits at every date; nothing is stored.

    Raises:
        InputError: the source, the mapping or a date cannot be used, there is no such engine, the sales are too few or
            do not go back far enough, or the engine cannot segment the customers of a date.
    """
    engine = make_engine(watch.engine, config, k=watch.k, seed=watch.seed)
    progress("Reading and cleaning", 0.0)
    with open_sales(source.source, config, mapping=source.mapping, as_of=source.as_of) as sales:
        progress("Reading and cleaning", 1.0)
        dates = cutoffs(sales.first_day, sales.as_of, every=watch.every, freeze=watch.freeze)
        if not dates:
            raise InputError(
                f"The sales of {sales.name} go from {sales.first_day} to {sales.last_day}: a timeline needs "
                f"{HISTORY_DAYS} days before the start of a month, and a month after it. Give more sales, or choose "
                "the day with --freeze."
            )
        plugins = features.registered_features()
        what = new_snapshot(sales, config, plugins, source=source.source, name=source.name)
        progress("Looking back", 0.0)
        tables = customers_then(sales, config, plugins, dates, asked_columns([engine]))
        progress("Looking back", 1.0)
        notes = list(sales.notes)
    if watch.k is not None and "k" not in engine.settings():
        notes.append(f"--k is ignored by {engine.title}, which has no such setting.")
    stage = f"Watching {engine.title}"
    progress(stage, 0.0)
    found = timeline(
        engine,
        [(day, tables[day]) for day in dates],
        threshold=config.drift.threshold,
        bootstraps=config.drift.bootstraps,
        seed=int(engine.settings().get("seed", 0)),
        progress=lambda done: progress(stage, done / len(dates)),
    )
    assert found is not None  # there are dates
    return Watched(what, engine, watch, config.drift.threshold, found, tuple(notes))
