"""Labels new customers by a finished run's model, which is kept with the run and read back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from pandas import DataFrame, Index, Series

from dashboard.config import Config
from dashboard.pipeline.sales import Progress, SalesRequest, open_sales, silent, with_reading
from engines import features, registry, value
from engines.checks import labels_of
from engines.columns import (
    COUNTRY,
    DISTANCE,
    FREQUENCY,
    IS_HOME_COUNTRY,
    PROBABILITY,
    SEGMENT,
    SEGMENT_KEY,
    VALUE_COLUMNS,
)
from engines.contract import Engine, Fitted, Segmentation, segment_by_key
from engines.errors import InputError
from engines.intake.schema.customers import read_customers
from engines.persistence import models
from engines.settings import CleaningRules
from engines.value.validation.new_customers import reappraise
from storage import Store
from storage.contract import NotFoundError, Run, Snapshot

_BATCH = 65_536


@dataclass(frozen=True)
class Labelled:
    """New customers in a run's segments.

    ``customers``: indexed by customer id, with ``segment``, ``segment_key``, ``distance`` or ``probability`` where the
    engine has one, and the columns that it looked at. ``as_of``: when they stood so; None for a table of customers.
    """

    run: Run
    customers: DataFrame
    as_of: date | None
    notes: tuple[str, ...] = ()

    def reader(self) -> pa.RecordBatchReader:
        """The customers as a file has them, in batches."""
        return pa.Table.from_pandas(self.customers.reset_index(), preserve_index=False).to_reader(_BATCH)

    def to_dict(self) -> dict[str, Any]:
        """The labels as ``segmentry predict --json`` prints them."""
        rows = self.customers.reset_index().to_dict("records")
        as_of = self.as_of.isoformat() if self.as_of is not None else None
        return {"run": self.run.id, "as_of": as_of, "customers": rows}


def with_model(result: Segmentation) -> tuple[Segmentation, bytes | None]:
    """A result and its model as it is kept; where that cannot be, None, and the result says so in a note."""
    try:
        return result, models.dump_model(result.fitted)
    except InputError as error:
        note = f"No model is kept, so new customers cannot be labelled: {error}"
        return replace(result, notes=(*result.notes, note)), None


def stored_engine(run: Run) -> Engine:
    """The engine of a run, with its settings.

    Raises:
        InputError: its plug-in is not installed here, or has no such settings any more.
    """
    return registry.engine(run.engine, run.settings)


def model_of(run: Run, store: Store) -> Fitted:
    """The fitted model of a finished run.

    Raises:
        NotFoundError: the run is not finished.
        InputError: it was stored without a model, or with one that cannot be loaded.
    """
    if run.state != "done":
        raise NotFoundError("Run {id} is {state}; only a finished run has a model.", id=run.id, state=run.state)
    data = store.model(run.id)
    if data is None:
        reason = next((note for note in run.notes if note.startswith("No model is kept")), None)
        raise InputError(
            "Run {id} ({engine}) has no model. {reason}",
            id=run.id,
            engine=run.engine,
            reason=reason or "Run its engine again to get one.",
        )
    return models.load_model(data)


def used_columns(engine: Engine) -> tuple[str, ...]:
    """The columns of the customer table that an engine looks at, in order."""
    settings = engine.settings()
    aside = (FREQUENCY,) if settings.get("set_aside_one_order") else ()
    used = dict.fromkeys((*engine.needs, *settings.get("features", ()), *aside))
    return tuple(used) or Engine.needs


def label(
    run: Run,
    request: SalesRequest,
    config: Config,
    store: Store,
    progress: Progress = silent,
) -> Labelled:
    """Put the customers of a source into the segments of a finished run.

    The source is sales, cleaned and turned into customers as those of the run's snapshot were, or a table of customers
    that has the columns the engine looks at.

    Args:
        run: whose segments.
        request: a source that ``segmentry run`` reads, or a CSV, XLSX or Parquet file with a customer per line. What
            it does not say of the reading is as for the run's snapshot; its engines do not matter.
        config: for what the snapshot does not say.
        store: where the run is.
        progress: told how far it is.

    Raises:
        NotFoundError: the run is not finished.
        InputError: no model, or a source that cannot be read or lacks a column.
    """
    fitted = model_of(run, store)
    engine = stored_engine(run)
    used = used_columns(engine)
    config = _as_snapshot(run, config, store)
    progress("Reading customers", 0.0)
    reading = with_reading(config, request.reading).reading
    customers = read_customers(request.source, used, mapping=request.mapping, reading=reading)
    progress("Reading customers", 1.0)
    notes: tuple[str, ...] = ()
    as_of = request.as_of
    if customers is None:
        customers, as_of, notes = _from_sales(run, used, request, config, store, progress)
    elif as_of is not None:
        raise InputError(
            "{source} has customers, not sales: their recency is given, so leave out --as-of.", source=request.source
        )
    progress("Labelling", 0.0)
    labelled = assign_segments(run, fitted, customers)
    progress("Labelling", 1.0)
    return Labelled(run, labelled.join(customers[list(used)]), as_of, notes)


def assign_segments(run: Run, fitted: Fitted, customers: DataFrame) -> DataFrame:
    """Segment, segment key and, where the model has one, distance or probability of each customer."""
    keys = labels_of(run.engine, fitted, customers)
    # a segment that nobody was in when the run was made has no name there
    names = {item.key: item.name or f"Segment {item.key}" for item in fitted.segments}
    names |= {key: item.name for key, item in segment_by_key(run.segments).items()}
    table = DataFrame({SEGMENT: keys.map(names), SEGMENT_KEY: keys}, index=customers.index)
    if hasattr(fitted, "membership"):
        table[PROBABILITY] = _probability(fitted.membership(customers), keys)
    elif hasattr(fitted, "distance"):
        table[DISTANCE] = fitted.distance(customers)
    return table


def _probability(membership: DataFrame, keys: Series) -> Series:
    places = membership.columns.get_indexer(Index(keys))
    return Series(membership.to_numpy()[np.arange(len(keys)), places], index=keys.index)


def _as_snapshot(run: Run, config: Config, store: Store) -> Config:
    """The configuration with how the run's snapshot was read."""
    snapshot = store.snapshot(run.snapshot_id)
    then = snapshot.settings
    settings = {name: dict(then[name]) for name in ("reading", "cleaning", "clv") if name in then}
    if (
        "cleaning" in settings
    ):  # by the same rules, but whom and which days the run was about says nothing of new customers
        cleaning = CleaningRules.from_dict(settings["cleaning"])
        settings["cleaning"] = replace(cleaning, from_day="", to_day="", only_customers=()).to_dict()
    settings["sales"] = {"currency": snapshot.currency}
    return config.replace(**settings)


def _from_sales(
    run: Run,
    used: tuple[str, ...],
    request: SalesRequest,
    config: Config,
    store: Store,
    progress: Progress,
) -> tuple[DataFrame, date, tuple[str, ...]]:
    snapshot = store.snapshot(run.snapshot_id)
    categories = snapshot.settings.get("categories", config.categories)
    with open_sales(request, config, progress) as opened:
        sales = opened.sales
        if snapshot.currency and sales.currency and sales.currency != snapshot.currency:
            raise InputError(
                "{name}: its money is in {currency}, that of run {id} in {before}. Convert it, or run the engine on "
                "these sales.",
                name=sales.name,
                currency=sales.currency,
                id=run.id,
                before=snapshot.currency,
            )
        progress("Building customers", 0.0)
        plugins = [item for item in opened.plugins if item.column is not None and item.column.name in used]
        customers = features.build_customers(sales.table, as_of=sales.as_of, categories=categories, plugins=plugins)
        if set(used) & set(VALUE_COLUMNS):
            customers = customers.join(_value(customers, snapshot, config, used, run))
        if IS_HOME_COUNTRY in used:
            customers[IS_HOME_COUNTRY] = _lives_at_home(customers, snapshot, store)
        progress("Building customers", 1.0)
        missing = [name for name in used if name not in customers.columns]
        if missing:
            raise InputError(
                "Run {id} ({engine}) looks at {missing}, which these sales do not give. Install the "
                "plug-in that makes it, or give a table of customers with customer_id, {used}.",
                id=run.id,
                engine=run.engine,
                missing=", ".join(missing),
                used=", ".join(used),
            )
        return customers, sales.as_of, sales.notes


def _value(customers: DataFrame, snapshot: Snapshot, config: Config, used: tuple[str, ...], run: Run) -> DataFrame:
    """What the customers are likely to spend, by the models of the run's snapshot: so that one alone has a value.

    Raises:
        InputError: the run looks at a column that came from a model which learned from the past and is not kept.
    """
    if "value" in snapshot.info:
        columns, without = reappraise(customers, snapshot.info["value"])
        for name, title in without.items():
            if name in used:
                raise InputError(
                    "Run {id} ({engine}) looks at {name}, which the model {title} worked out from all sales "
                    "up to that day; new sales alone do not give it. Run the engine on the new sales, or "
                    "give a table of customers that has {name}.",
                    id=run.id,
                    engine=run.engine,
                    name=name,
                    title=title,
                )
        return columns
    clv = config.clv
    return value.estimate(
        customers,
        horizon_weeks=clv.horizon_weeks,
        discount_rate=clv.discount_rate,
        model=clv.model,
        interval=clv.interval,
        seed=config.engines.seed,
    ).columns


def _lives_at_home(customers: DataFrame, snapshot: Snapshot, store: Store) -> Series:
    """Whether customers live in the home country of the run's customers, whatever that of the new ones is."""
    before = store.snapshot_customers(snapshot.id)
    home = before.loc[before[IS_HOME_COUNTRY].eq(True), COUNTRY]
    return customers[COUNTRY].eq(home.iloc[0]) if len(home) else customers[IS_HOME_COUNTRY]
