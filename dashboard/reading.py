"""From a source of sales to customers with their value: what every job begins with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from pandas import DataFrame

from dashboard.config import Config
from engines import features, intake
from engines.columns import COUNTRY
from engines.value.appraisal import Agenda, Settings, agenda, appraise
from storage.contract import NewSnapshot

#: The name under which the store keeps the receipt of a snapshot's value models.
RECEIPT = "value"

#: Called with a stage in words and how much of it is done, 0 to 1.
Progress = Callable[[str, float], None]


def silent(stage: str, done: float) -> None:
    """Progress that nobody watches."""


def open_sales(source: str, config: Config, *, mapping: Mapping[str, str], as_of: date | None) -> intake.Sales:
    """The clean sales of a source, read as the configuration says; ``mapping`` goes before the configuration's.

    What is given back is to be used in a ``with`` statement, at whose end the sales are let go.

    Raises:
        InputError: the source, the mapping or the date cannot be used.
    """
    rules = intake.CleaningRules(
        **config.cleaning.model_dump(exclude={"unknown_countries"}),
        unknown_countries=tuple(config.cleaning.unknown_countries),
    )
    told = {name: tuple(said) if isinstance(said, list) else said for name, said in config.reading.model_dump().items()}
    return intake.read_sales(
        source, mapping={**config.mapping, **mapping}, reading=intake.Reading(**told), rules=rules, as_of=as_of
    )


def new_snapshot(
    sales: intake.Sales,
    config: Config,
    plugins: Sequence[features.RegisteredFeature],
    *,
    source: str,
    name: str | None = None,
) -> NewSnapshot:
    """What the customers of these sales will be kept as; equal sales, settings and plug-ins make an equal one."""
    return NewSnapshot(
        dataset=name or sales.name,
        source=source if not Path(source).exists() else Path(source).name,
        fingerprint=sales.fingerprint,
        as_of=sales.as_of,
        settings={
            "mapping": dict(sales.mapping),
            "cleaning": config.cleaning.model_dump(),
            "reading": config.reading.model_dump(),
            "categories": config.categories,
            "clv": config.clv.model_dump(),
            "churn": config.churn.model_dump(),
            **_identity(plugins),
        },
        ledger=sales.ledger.to_dict(),
        info={
            "title": name or sales.title,
            "source_kind": "file" if Path(source).exists() else "database" if "://" in source else "built in",
            "synthetic": sales.synthetic,
            "currency": sales.currency or config.sales.currency,
            "has_country": COUNTRY in sales.fields,
            "first_day": sales.first_day.isoformat(),
            "last_day": sales.last_day.isoformat(),
            "notes": list(sales.notes),
            **_location(source),
        },
    )


def value_settings(config: Config) -> Settings:
    """How value is worked out by this configuration."""
    clv, churn = config.clv, config.churn
    return Settings(
        model=clv.model,
        horizon_weeks=clv.horizon_weeks,
        discount_rate=clv.discount_rate,
        interval=clv.interval,
        churn_days=churn.days,
        min_history_days=churn.min_history_days,
    )


def _location(source: str) -> dict[str, str]:
    """Where a worker finds the sales again: an embedded name or a whole path, and nothing that may hold a secret."""
    if source in intake.EMBEDDED:
        return {"location": source}
    return {"location": str(Path(source).resolve())} if Path(source).exists() else {}


def _identity(plugins: Sequence[features.RegisteredFeature]) -> dict[str, Any]:
    """The part that plug-ins' columns have in what a snapshot is: which, and of which version of their package."""
    columns = {item.column.name: item.origin for item in plugins if item.column is not None}
    return {"features": columns} if columns else {}


class Valued(NamedTuple):
    """Customers with their value, the snapshot as it turned out, and what is to be kept and said with them.

    ``failed``: a note for each plug-in that had to be left out. ``receipts``: of the value models, by name, for
    ``save_snapshot``; none where the sales are too short for a test.
    """

    customers: DataFrame
    new: NewSnapshot
    failed: tuple[str, ...]
    receipts: Mapping[str, Mapping[str, Any]]


def valued_customers(
    new: NewSnapshot,
    sales: intake.Sales,
    config: Config,
    plugins: Sequence[features.RegisteredFeature],
    progress: Progress = silent,
) -> Valued:
    """The customers of these sales with what they are worth, by models that were tested on the sales' own past."""
    settings = value_settings(config)
    looked_at = agenda(sales.first_day, sales.as_of, settings)
    progress("Building customers", 0.0)
    tables = past_tables(sales, config, looked_at, {sales.as_of})
    built = tables.pop(sales.as_of)
    customers, made, failed = features.extended(built, sales.table, as_of=sales.as_of, plugins=plugins)
    progress("Building customers", 1.0)
    progress("Estimating value", 0.0)
    appraisal = appraise(customers, tables, sales.first_day, sales.as_of, settings)
    progress("Estimating value", 1.0)
    info = {**new.info, "value": appraisal.model, "value_notes": list(appraisal.notes)}
    info["columns"] = [asdict(item.column) for item in made if item.column is not None]
    kept = {name: item for name, item in new.settings.items() if name != "features"} | _identity(made)
    receipts = {} if appraisal.receipt is None else {RECEIPT: appraisal.receipt}
    return Valued(customers.join(appraisal.columns), replace(new, settings=kept, info=info), failed, receipts)


def past_tables(
    sales: intake.Sales, config: Config, looked_at: Agenda, whole: Collection[date] = ()
) -> dict[date, DataFrame]:
    """The customers as of the dates that the value models look at, as far as they do, and wholly as of others."""
    return {
        day: customers if day in whole else looked_at.kept(day, customers)
        for day, customers in features.customers_at(
            sales.table, sorted({*looked_at.dates, *whole}), categories=config.categories
        )
    }


def customers_then(
    sales: intake.Sales,
    config: Config,
    plugins: Sequence[features.RegisteredFeature],
    dates: Collection[date],
    columns: Collection[str],
) -> dict[date, DataFrame]:
    """The customers as they stood at each date, with those of ``columns`` that there are; CLV is not known of then."""
    used = [item for item in plugins if item.column is not None and item.column.name in columns]
    tables = {}
    for day, built in features.customers_at(sales.table, sorted(dates), categories=config.categories):
        customers = features.extended(built, sales.table, as_of=day, plugins=used).customers if used else built
        tables[day] = customers[[name for name in customers.columns if name in columns]]
    return tables
