"""Who went where between two dates of a data set: from run to run, or by one run's model at two days of its sales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pandas import DataFrame

from dashboard.config import Config
from dashboard.frames.cache import require_finished
from dashboard.i18n.texts import noted
from dashboard.pipeline.answers import MIGRATION, Question, made_with
from dashboard.pipeline.label import model_of
from dashboard.pipeline.sales import Progress, silent
from dashboard.pipeline.segments_then import is_by_rule, segments_then
from dashboard.pipeline.series import other_rules_words
from engines.columns import CUSTOMER_ID, MONETARY
from engines.errors import InputError
from engines.evaluation.migration import SPENT_BEFORE, SPENT_NOW, Migration, Side, migration_between
from storage import Store
from storage.contract import Job, Run


class Span(NamedTuple):
    """From when to when customers are followed: from a stored run to a later one, or between two days of a run's sales.

    ``earlier`` is None between days.
    """

    run: Run
    earlier: Run | None
    start: date
    end: date

    def question(self, config: Config) -> Question[Between]:
        """The question who went where."""
        ends = [self.run] if self.earlier is None else [self.earlier, self.run]
        request = {
            "earlier": None if self.earlier is None else self.earlier.id,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            # names may be edited, and an id may come again
            "revisions": [[run.revision, run.finished_at.isoformat() if run.finished_at else None] for run in ends],
            "made_with": made_with(config),
        }

        def read(result: Mapping[str, Any]) -> Between:
            return Between(*self, _migration_of(result), by=str(result["by"]))

        return Question(MIGRATION, self.run.id, request, read)


#: By what segments customers are followed, in words.
FOLLOWED_BY = {
    "runs": noted("Each date by its own run, as the Segments page has it."),
    "model": noted("Both dates by the model of this run."),
    "rule": noted("Both dates by the rule of this run, applied to the customers of each date."),
}


class Between(NamedTuple):
    """Who went where, and from when to when. ``by``: a key of :data:`FOLLOWED_BY`."""

    run: Run
    earlier: Run | None
    start: date
    end: date
    migration: Migration
    by: str

    def to_dict(self) -> dict[str, Any]:
        """The migration as the API gives it; the list of movers is a file of its own."""
        migration = self.migration
        flows = [{**asdict(flow), "net": flow.net, "money_net": flow.money_net} for flow in migration.net_flows()]
        return {
            "run": self.run.id,
            "earlier_run": None if self.earlier is None else self.earlier.id,
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "by": self.by,
            "rows": list(migration.rows),
            "columns": list(migration.columns),
            "customers": migration.customers.tolist(),
            "money": migration.money.tolist(),
            "known": migration.in_both,
            "stayed": migration.stayed,
            "movers": 0 if self.note else len(migration.movers),
            "net_flows": flows,
            "note": self.note or None,
        }

    @property
    def note(self) -> str:
        """That the two ends were read by different rules; empty where they were not."""
        if self.earlier is None or self.earlier.rules == self.run.rules:
            return ""
        return other_rules_words(self.earlier.rules, self.run.rules)

    def currency(self, store: Store) -> str:
        """The currency of the money at both ends; empty where it is not known of one of them."""
        ends = [self.run] if self.earlier is None else [self.earlier, self.run]
        first, *rest = (store.snapshot(run.snapshot_id).currency for run in ends)
        return first if all(code == first for code in rest) else ""

    def query(self) -> dict[str, str]:
        """What to ask the API for, of this run, to get the same."""
        if self.earlier is not None:
            return {"since": str(self.earlier.id)}
        return {"from": self.start.isoformat(), "to": self.end.isoformat()}

    def reader(self) -> pa.RecordBatchReader:
        """The movers as a file has them.

        Raises:
            InputError: the two ends were read by different rules, so nobody can be said to have moved.
        """
        if self.note:
            raise InputError(
                "{note} So there is no list of movers. Read the earlier snapshot again under today's rules.",
                note=self.note,
            )
        return pa.Table.from_pandas(self.migration.movers.reset_index(), preserve_index=False).to_reader(65_536)


def between_runs(earlier_id: int, run_id: int, store: Store) -> Span:
    """From one stored run to a later one of the same data set and engine.

    Raises:
        NotFoundError: no such run, or one that is not finished.
        InputError: they are of different data sets, engines or currencies.
    """
    earlier, run = (require_finished(store.run(number)) for number in (earlier_id, run_id))
    if (earlier.dataset, earlier.engine) != (run.dataset, run.engine):
        raise InputError(
            "Runs {earlier} and {run} are of different data sets or engines; choose two of the same.",
            earlier=earlier.id,
            run=run.id,
        )
    currencies = [store.snapshot(each.snapshot_id).currency for each in (earlier, run)]
    if all(currencies) and currencies[0] != currencies[1]:
        raise InputError(
            "The money of run {earlier} is in {before}, that of run {run} in {now}; choose two of one currency.",
            earlier=earlier.id,
            run=run.id,
            before=currencies[0],
            now=currencies[1],
        )
    if earlier.as_of > run.as_of:
        earlier, run = run, earlier
    return Span(run, earlier, earlier.as_of, run.as_of)


def between_dates(run_id: int, start: date, end: date, store: Store) -> Span:
    """Between two days of the sales of a run, by the run's own model or rule.

    Raises:
        NotFoundError: no such run, or one that is not finished.
        InputError: the first day is not before the second.
    """
    run = require_finished(store.run(run_id))
    if start >= end:
        raise InputError(
            "The first date must be before the second, and {start} is not before {end}.", start=start, end=end
        )
    return Span(run, None, start, end)


def compute_migration(span: Span, config: Config, store: Store, progress: Progress = silent) -> Between:
    """Follow the customers.

    Raises:
        InputError: between days: the run has no model, its sales are gone or have changed, or there were no customers
            on a day.
    """
    if span.earlier is not None:
        return Between(*span, migration_between(_side(span.earlier, store), _side(span.run, store)), "runs")
    sides = segments_then(span.run, {span.start, span.end}, config, store, progress)
    migration = migration_between(sides[span.start], sides[span.end])
    return Between(*span, migration, "rule" if is_by_rule(model_of(span.run, store)) else "model")


def migration_for_job(job: Job, config: Config, store: Store, progress: Progress) -> dict[str, Any]:
    """What a worker computes for the question of a span."""
    request = job.request
    earlier = None if request["earlier"] is None else store.run(request["earlier"])
    days = (date.fromisoformat(request[name]) for name in ("start", "end"))
    between = compute_migration(Span(store.run(job.subject or 0), earlier, *days), config, store, progress)
    migration = between.migration
    movers = migration.movers.reset_index()
    return {
        **{name: getattr(migration, name) for name in ("rows", "columns", "colours")},
        **{name: getattr(migration, name).tolist() for name in ("customers", "money")},
        "movers": {name: movers[name].tolist() for name in movers.columns},
        "by": between.by,
    }


def _migration_of(result: Mapping[str, Any]) -> Migration:
    """A migration as it was before it was written down."""
    movers = DataFrame(result["movers"]).astype(dict.fromkeys((SPENT_BEFORE, SPENT_NOW), np.float64))
    return Migration(
        rows=tuple(result["rows"]),
        columns=tuple(result["columns"]),
        customers=np.array(result["customers"], dtype=np.int64),
        money=np.array(result["money"], dtype=np.float64),
        colours=result["colours"],
        movers=movers.set_index(CUSTOMER_ID),
    )


def _side(run: Run, store: Store) -> Side:
    return Side(store.labels(run.id), store.snapshot_customers(run.snapshot_id)[MONETARY], run.segments)
