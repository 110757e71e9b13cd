"""Who went where between two dates of a data set: between two stored runs, or two days of one run's sales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any, NamedTuple

import pyarrow as pa

from dashboard.frames.cache import finished
from dashboard.pipeline.fit import stored_engine, watched_columns
from dashboard.pipeline.sales import customers_then, sales_of
from dashboard.services import Services
from engines.checks import labels_of
from engines.columns import MONETARY
from engines.contract import NamedSegment, Predecessor
from engines.errors import InputError
from engines.evaluation.migration import Migration, Side, migration
from engines.naming.naming import name_segments
from engines.run import fit, in_order
from storage.contract import Run


class Between(NamedTuple):
    """A migration, and between which dates and runs it was; ``earlier`` is None where it was worked out again."""

    run: Run
    earlier: Run | None
    start: date
    end: date
    found: Migration

    def to_dict(self) -> dict[str, Any]:
        """The migration as the API gives it; the list of movers is a file of its own."""
        found = self.found
        flows = [{**asdict(flow), "net": flow.net, "money_net": flow.money_net} for flow in found.net_flows()]
        return {
            "run": self.run.id,
            "earlier_run": None if self.earlier is None else self.earlier.id,
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "rows": list(found.rows),
            "columns": list(found.columns),
            "customers": found.customers.tolist(),
            "money": found.money.tolist(),
            "known": found.known,
            "stayed": found.stayed,
            "movers": len(found.movers),
            "net_flows": flows,
        }

    def query(self) -> dict[str, str]:
        """What to ask the API for, of this run, to get the same."""
        if self.earlier is not None:
            return {"since": str(self.earlier.id)}
        return {"from": self.start.isoformat(), "to": self.end.isoformat()}

    def reader(self) -> pa.RecordBatchReader:
        """The movers as a file has them."""
        return pa.Table.from_pandas(self.found.movers.reset_index(), preserve_index=False).to_reader(65_536)


def dates_of(run: Run, services: Services) -> list[date]:
    """The dates of a run's timeline, beginning with the day of freezing; none where it has no timeline."""
    kept = run.info.get("drift") or {}
    if "frozen_at" not in kept:
        return []
    return [date.fromisoformat(text) for text in (kept["frozen_at"], *(p.as_of for p in services.store.drift(run.id)))]


def between_runs(earlier_id: int, run_id: int, services: Services) -> Between:
    """From one stored run to a later one of the same data set and engine.

    Raises:
        NotFoundError: no such run, or one that is not finished.
        InputError: they are of different data sets or engines.
    """
    earlier, run = (finished(services.store.run(number)) for number in (earlier_id, run_id))
    if (earlier.dataset, earlier.engine) != (run.dataset, run.engine):
        raise InputError(
            "Runs {earlier} and {run} are of different data sets or engines; choose two of the same.",
            earlier=earlier.id,
            run=run.id,
        )
    if earlier.as_of > run.as_of:
        earlier, run = run, earlier
    asked = (earlier.id, earlier.revision, run.id, run.revision)
    found = services.migrations.get(asked, lambda: migration(_side(earlier, services), _side(run, services)))
    return Between(run, earlier, earlier.as_of, run.as_of, found)


def between_dates(run_id: int, start: date, end: date, services: Services) -> Between:
    """Between two days of the source of a run, by the model of its timeline, frozen at the beginning.

    Raises:
        NotFoundError: no such run, or one that is not finished.
        InputError: the run has no timeline, its source is gone or has changed, or there were no customers on a day.
    """
    run = finished(services.store.run(run_id))
    if start >= end:
        raise InputError(
            "The first date must be before the second, and {start} is not before {end}.", start=start, end=end
        )
    asked = (run.id, run.revision, start, end)
    found = services.migrations.get(asked, lambda: _worked_out(run, start, end, services))
    return Between(run, None, start, end, found)


def _worked_out(run: Run, start: date, end: date, services: Services) -> Migration:
    snapshot, kept = services.store.snapshot(run.snapshot_id), run.info.get("drift")
    location = run.info.get("location", snapshot.info.get("location"))
    if not isinstance(kept, Mapping) or location is None:
        raise InputError(
            "Run {id} has no timeline that could be worked out again; compare it with another run.", id=run.id
        )
    if end > snapshot.as_of:
        raise InputError(
            "The sales of {source} are known up to {as_of}; choose an earlier date.",
            source=snapshot.source,
            as_of=snapshot.as_of,
        )
    engine, frozen_at = stored_engine(run), date.fromisoformat(str(kept["frozen_at"]))
    with sales_of(snapshot, services.config, location=location) as opened:
        dates = {frozen_at, start, end, snapshot.as_of}
        tables = {
            day: in_order(table) for day, table in customers_then(opened, dates, watched_columns([engine])).items()
        }
    if not len(tables[start]):
        raise InputError("Nobody had bought anything before {start}; choose a later date.", start=start)
    frozen = fit(engine, tables[frozen_at])[0]
    known = Predecessor(services.store.labels(run.id), run.segments)
    latest = tables[snapshot.as_of]
    named = name_segments(
        latest, labels_of(engine.title, frozen, latest), frozen.segments, services.config.plays, known
    )
    sides = []
    for day in (start, end):
        labels = labels_of(engine.title, frozen, tables[day])
        sides.append(Side(labels, tables[day][MONETARY], _all_named(named, labels.unique().tolist())))
    return migration(*sides)


def _all_named(named: tuple[NamedSegment, ...], keys: list[int]) -> tuple[NamedSegment, ...]:
    """The segments, with one more for each that had customers once and has none at the end."""
    missing = sorted(set(keys) - {item.key for item in named})
    nan = float("nan")
    extra = (NamedSegment(key, f"Segment {key}", "", "#BBBBBB", 0, nan, nan, nan, nan, None) for key in missing)
    return (*named, *extra)


def _side(run: Run, services: Services) -> Side:
    labels = services.store.labels(run.id)
    return Side(labels, services.store.snapshot_customers(run.snapshot_id)[MONETARY], run.segments)
