"""From a source of sales to customers with their value: what every job begins with."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from pandas import DataFrame
from pydantic import ValidationError

from dashboard.config import Cleaning, Config
from engines import features, intake, value
from engines.columns import CLV, COUNTRY
from engines.errors import InputError
from engines.intake.sources.places import kind_of, lasting, public
from engines.value.appraisal import Agenda, Settings, agenda, appraise
from storage.contract import NewSnapshot

_LISTS = ("only_customers", "without_customers")
_MOST = 100_000  # the list is kept with every snapshot


def settled(config: Config) -> Config:
    """The configuration with customers by name where it named a file of them: what a snapshot is kept with.

    Raises:
        InputError: there is no such file, it is no text, or it names too many.
    """
    said = {name: getattr(config.cleaning, name) for name in _LISTS}
    read = {name: _ids(name, given) if isinstance(given, str) else given for name, given in said.items()}
    if read == said:
        return config
    return config.model_copy(update={"cleaning": config.cleaning.model_copy(update=read)})


def rules_of(cleaning: Cleaning) -> intake.CleaningRules:
    """The rules as intake takes them; lists of customers must have been read."""
    told = cleaning.model_dump()
    return intake.CleaningRules(
        **{name: tuple(said) if isinstance(said, list) else said for name, said in told.items()}
    )


def _ids(name: str, path: str) -> list[str]:
    if not path:
        return []
    where = f"[cleaning] {name}: the file {path}"
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise InputError(f"{where} does not exist. Give a list of ids, or a text file with one id a line.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{where} cannot be read ({error}). Give a text file in UTF-8 with one id a line.") from None
    ids = sorted({re.sub(r"^([0-9]+)\.0+$", r"\1", line.strip()) for line in lines if line.strip()})
    if not ids:
        raise InputError(f"{where} names no customer. Write one id a line.")
    if len(ids) > _MOST:
        raise InputError(
            f"{where} names {len(ids):,} customers, more than {_MOST:,}. Choose them in the source instead."
        )
    return ids


#: The name under which the store keeps the receipt of a snapshot's value models.
RECEIPT = "value"

#: Called with a stage in words and how much of it is done, 0 to 1.
Progress = Callable[[str, float], None]


def silent(stage: str, done: float) -> None:
    """Progress that nobody watches."""


def as_told(config: Config, reading: Mapping[str, Any]) -> Config:
    """The configuration with what a user says of one source in place of these keys of [reading].

    Raises:
        InputError: a key that is not there, or a value that it does not allow.
    """
    if not reading:
        return config
    other = {"table": "query", "query": "table"}  # one that is said takes the place of either
    instead = {other[name]: "" for name in reading if name in other}
    try:
        return config.replace(reading={**instead, **reading})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{where}: {first['msg']} (is {first['input']!r}).") from None


def reading_of(config: Config) -> intake.Reading:
    """[reading] as the intake knows it."""
    told = config.reading.model_dump().items()
    return intake.Reading(**{name: tuple(said) if isinstance(said, list) else said for name, said in told})


def open_sales(
    source: str, config: Config, *, mapping: Mapping[str, str], as_of: date | None, keep_dropped: bool = False
) -> intake.Sales:
    """The clean sales of a source, read as the configuration says; ``mapping`` goes before the configuration's.

    What is given back is to be used in a ``with`` statement, at whose end the sales are let go.

    Raises:
        InputError: the source, the mapping or the date cannot be used.
    """
    return intake.read_sales(
        source,
        mapping={**config.mapping, **mapping},
        reading=reading_of(config),
        rules=rules_of(settled(config).cleaning),
        as_of=as_of,
        currency=config.sales.currency,
        keep_dropped=keep_dropped,
    )


def new_snapshot(
    sales: intake.Sales,
    config: Config,
    plugins: Sequence[features.RegisteredFeature],
    *,
    source: str,
    name: str | None = None,
    called: str | None = None,
) -> NewSnapshot:
    """What the customers of these sales will be kept as; equal sales, settings and plug-ins make an equal one.

    ``name`` is the data set's, ``called`` the source's, where these are not to be taken from the source.
    """
    kind = kind_of(source)
    return NewSnapshot(
        dataset=name or sales.name,
        source=called or (Path(source).name if kind in ("file", "folder") else public(source)),
        fingerprint=sales.fingerprint,
        as_of=sales.as_of,
        settings={
            "mapping": dict(sales.mapping),
            "cleaning": settled(config).cleaning.model_dump(),
            "reading": config.reading.model_dump(),
            "categories": config.categories,
            "clv": config.clv.model_dump(),
            "churn": config.churn.model_dump(),
            **_identity(plugins),
        },
        ledger=sales.ledger.to_dict(),
        info={
            "title": name or sales.title,
            "source_kind": kind if kind in ("built in", "database") else "file",
            "synthetic": sales.synthetic,
            "currency": sales.currency or config.sales.currency,
            "has_country": COUNTRY in sales.fields,
            "first_day": sales.first_day.isoformat(),
            "last_day": sales.last_day.isoformat(),
            "notes": list(sales.notes),
            **({"location": location} if (location := lasting(source)) else {}),
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
    info["cohorts"] = features.cohorts(sales.table, as_of=sales.as_of)
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
    """The customers as they stood at each date, with those of ``columns`` that there are.

    CLV, where it is asked for, is what would have been foreseen then, from the sales before that date alone.
    """
    used = [item for item in plugins if item.column is not None and item.column.name in columns]
    wanted = {*columns} - {CLV} | ({*value.NEEDED} if CLV in columns else set())
    tables = {}
    for day, built in features.customers_at(
        sales.table, sorted(dates), categories=config.categories, columns=None if used else wanted
    ):
        customers = features.extended(built, sales.table, as_of=day, plugins=used).customers if used else built
        if CLV in columns:
            ahead = {"horizon_weeks": config.clv.horizon_weeks, "discount_rate": config.clv.discount_rate}
            customers = customers.join(value.clv_alone(customers, **ahead))
        tables[day] = customers[[name for name in customers.columns if name in columns]]
    return tables
