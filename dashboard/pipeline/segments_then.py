"""The segments of a run at earlier dates: who would have been in them then, by the run's own model or rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series

from dashboard.config import Config
from dashboard.pipeline.answers import HISTORY, Question, made_with
from dashboard.pipeline.label import model_of, stored_engine
from dashboard.pipeline.sales import Progress, customers_then, sales_of, silent
from dashboard.pipeline.windows import watched_columns
from engines.clustering.clusterers import NOISE
from engines.columns import MONETARY, MONEY_SCALE
from engines.contract import Fitted, NamedSegment, Play, segment_by_key
from engines.errors import InputError
from engines.evaluation.migration import Side
from engines.naming.naming import play_of
from engines.naming.vocabulary import playbook_name
from engines.run import fit, in_order
from storage import Store
from storage.contract import Job, Run

_GREY = "#BBBBBB"
_NAN = float("nan")


def dates_of(run: Run, store: Store) -> list[date]:
    """The dates of a run's timeline, its own last; none where it has no timeline."""
    drift_info = run.info.get("drift") or {}
    if "frozen_at" not in drift_info:
        return []
    days = {date.fromisoformat(text) for text in (drift_info["frozen_at"], *(p.as_of for p in store.drift(run.id)))}
    return sorted({*(day for day in days if day < run.as_of), run.as_of})


def is_by_rule(fitted: Fitted) -> bool:
    """Whether an engine names its segments itself, by a rule that is applied to the customers of each date anew."""
    named = [bool(item.name) for item in fitted.segments if item.key != NOISE]
    return bool(named) and all(named)


def segments_then(
    run: Run, days: Collection[date], config: Config, store: Store, progress: Progress = silent
) -> dict[date, Side]:
    """The customers as they stood at each day, in the segments of a run; at its own date as the run has them.

    A run whose engine has a rule (RFM) applies it to the customers of each day, any other run its model. Segments are
    called as in the run; one that nobody is in at the run's date is called as the rule calls it, or by its number.

    Raises:
        InputError: the run has no model, its sales are gone or have changed, or there were no customers on a day.
    """
    fitted, engine, snapshot = model_of(run, store), stored_engine(run), store.snapshot(run.snapshot_id)
    if days and max(days) > snapshot.as_of:
        raise InputError(
            "The sales of {source} are known up to {as_of}; choose an earlier date.",
            source=snapshot.source,
            as_of=snapshot.as_of,
        )
    sides = {}
    if snapshot.as_of in days:
        spend = store.snapshot_customers(snapshot.id)[MONETARY]
        sides[snapshot.as_of] = Side(store.labels(run.id), spend, run.segments)
    earlier = sorted({*days} - {snapshot.as_of})
    if earlier:
        with sales_of(snapshot, config, store, progress) as opened:
            tables = customers_then(opened, earlier, watched_columns([engine]), progress)
        for day in earlier:
            table = in_order(tables[day])
            if not len(table):
                raise InputError("Nobody had bought anything before {start}; choose a later date.", start=day)
            then = fit(engine, table)[0] if is_by_rule(fitted) else fitted
            sides[day] = _side(then.assign(table), table, run, then, config.plays)
    return sides


def _side(labels: Series, table: DataFrame, run: Run, fitted: Fitted, plays: Sequence[Play]) -> Side:
    by_key, missing = segment_by_key(run.segments), []
    names = {item.key: playbook_name(item.name, plays) for item in fitted.segments if item.name}
    for key in sorted(set(labels.unique().tolist()) - set(by_key)):
        name = names.get(key) or f"Segment {key}"
        play = play_of(name, plays)
        known, colour = (play.identity, play.colour) if play else (name, _GREY)
        missing.append(NamedSegment(key, name, "", colour, 0, _NAN, _NAN, _NAN, _NAN, None, identity=known))
    return Side(labels, table[MONETARY], (*run.segments, *missing))


# --- their sizes from date to date ------------------------------------------------------------------------------------


class History(NamedTuple):
    """How many customers each segment had at each date, and what they had spent so far.

    ``segments`` are rows, ``dates`` columns of ``customers`` and ``spent``. ``by_rule``: a rule was applied to the
    customers of each date, not one model to all.
    """

    run: Run
    dates: tuple[date, ...]
    segments: tuple[NamedSegment, ...]
    customers: NDArray[np.int64]
    spent: NDArray[np.float64]
    by_rule: bool


def history_question(run: Run, store: Store, config: Config) -> Question[History] | None:
    """How the segments of a run have changed until its date; None where there are no earlier dates."""
    days = dates_of(run, store)
    if len(days) < 2:
        return None
    request = {
        "dates": [day.isoformat() for day in days],
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,  # an id may come again
        "made_with": made_with(config),
    }
    return Question(HISTORY, run.id, request, lambda result: _history_of(run, result))


def history_for_job(job: Job, config: Config, store: Store, progress: Progress) -> dict[str, Any]:
    """What a worker computes for the question how segments have changed."""
    run = store.run(job.subject or 0)
    days = [date.fromisoformat(text) for text in job.request["dates"]]
    sides = segments_then(run, days, config, store, progress)
    found = [_totals(sides[day]) for day in days]
    keys = sorted({int(key) for table in found for key in table.index})
    named = {key: item for side in sides.values() for key, item in segment_by_key(side.segments).items()}
    return {
        "dates": job.request["dates"],
        "keys": keys,
        "named": {str(key): [named[key].name, named[key].known_by, named[key].colour] for key in keys},
        "customers": [[int(table["size"].get(key, 0)) for table in found] for key in keys],
        "spent": [[int(table["sum"].get(key, 0)) / MONEY_SCALE for table in found] for key in keys],
        "by_rule": is_by_rule(model_of(run, store)),
    }


def _totals(side: Side) -> DataFrame:
    """Customers of each segment key (``size``) and what they had spent so far (``sum``), in whole 1/10,000."""
    units = (side.spend.reindex(side.labels.index).fillna(0.0) * MONEY_SCALE).round().astype(np.int64)
    return units.groupby(side.labels.to_numpy()).agg(["size", "sum"])


def _history_of(run: Run, result: Mapping[str, Any]) -> History:
    """A history as it is shown: segments under the names they have by now, those treated as one put together."""
    by_key = segment_by_key(run.segments)
    rows: dict[str, NamedSegment] = {}
    sums: dict[str, list[NDArray[Any]]] = {}
    for place, key in enumerate(result["keys"]):
        name, known, colour = result["named"][str(key)]
        lone = NamedSegment(key, name, "", colour, 0, _NAN, _NAN, _NAN, _NAN, None, identity=known)
        item = by_key.get(key, lone)
        rows.setdefault(item.known_by, item)
        both = [np.array(result[part][place]) for part in ("customers", "spent")]
        old = sums.get(item.known_by)
        sums[item.known_by] = both if old is None else [a + b for a, b in zip(old, both, strict=True)]
    order = [item.known_by for item in run.segments if item.known_by in rows]
    order += [known for known in rows if known not in order]
    shape = (len(order), len(result["dates"]))
    return History(
        run,
        tuple(date.fromisoformat(text) for text in result["dates"]),
        tuple(rows[known] for known in order),
        np.array([sums[known][0] for known in order], dtype=np.int64).reshape(shape),
        np.array([sums[known][1] for known in order], dtype=np.float64).reshape(shape),
        bool(result["by_rule"]),
    )
