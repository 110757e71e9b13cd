"""Reads sales, of a source or of a stored snapshot, and turns them into customers with their value."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ibis import Table
from pandas import DataFrame
from pydantic import BaseModel, ValidationError

from dashboard.clock import now
from dashboard.config import Churn, Clv, Config, SalesSection
from engines import features, intake, value
from engines.columns import CANONICAL_FIELDS, CLV, COUNTRY
from engines.errors import InputError
from engines.intake.sources.locations import kind_of, lasting, public
from engines.messages import from_json, message, to_json
from engines.progress import Amount
from engines.settings import CleaningRules, Reading, currency_code
from engines.value.appraisal import Agenda, Kept, Settings, agenda, appraise
from engines.value.margins import MARGIN_COLUMNS, margin_of
from storage import Store
from storage.contract import NOBODY, NewSnapshot, NotFoundError, Snapshot, Starter, StoreError

#: How much of the reading is the pass over all lines; the rest is the ledger.
_PASS = 0.8
#: The name under which the store keeps the receipt of a snapshot's value models.
RECEIPT = "value"


class Progress(Protocol):
    """Told a stage in words and how much of it is done, 0 to 1; while lines are read, how many and how many bytes."""

    def __call__(self, stage: str, done: float, amount: Amount | None = None, /) -> None:
        """Take note of it."""


def silent(stage: str, done: float, amount: Amount | None = None) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class SalesRequest:
    """Sales as a user names them, and the engines to run on them. What is None comes from the configuration.

    ``reading`` goes before the keys of [reading] that it names, ``mapping`` before [mapping]. ``called``: what the
    source is called where its own name means nothing to its owner, as that of an uploaded file. ``starter``: who asks.
    ``currency``: ISO 4217 code, goes before that of [sales].
    ``held``: what the names of files begin with in which the reading of a source that never changes is held, so that it
    is read once.
    """

    source: str
    engines: tuple[str, ...] = ()
    k: int | None = None
    seed: int | None = None
    as_of: date | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    reading: Mapping[str, Any] = field(default_factory=dict)
    called: str | None = None
    starter: Starter = NOBODY
    held: Path | None = None
    currency: str | None = None


# --- how sales are read -----------------------------------------------------------------------------------------------


def with_reading(config: Config, reading: Mapping[str, Any], currency: str | None = None) -> Config:
    """The configuration with other values for these keys of [reading], and another currency of [sales] where one is.

    Raises:
        InputError: a key that is not there, or a value that it does not allow.
    """
    if currency:
        config = config.replace(sales={"currency": currency_code(currency)})
    if not reading:
        return config
    other = {"table": "query", "query": "table"}  # one that is given takes the place of either
    instead = {other[name]: "" for name in reading if name in other}
    try:
        return config.replace(reading={**instead, **reading})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            "{where}: {msg} (is {input!r}).", where=where, msg=first["msg"], input=first["input"]
        ) from None


class OpenSales(NamedTuple):
    """Sales that were read, how they were read, and the plug-ins whose columns their customers have."""

    request: SalesRequest
    sales: intake.Sales
    config: Config
    plugins: Sequence[features.RegisteredFeature]

    @contextmanager
    def file(self, config: Config, progress: Progress = silent) -> Iterator[Path | None]:
        """A file with the sales, to be kept with a snapshot, until the ``with`` ends; None where none are kept.

        Raises:
            InputError: there is no room for it.
        """
        if not config.objects.keep or self.sales.file is not None:
            yield self.sales.file if config.objects.keep else None
            return
        with tempfile.TemporaryDirectory(prefix="segmentry-kept-") as folder:
            progress("Keeping sales", 0.0)
            target = Path(folder) / "sales.parquet"
            self.sales.keep(target)
            progress("Keeping sales", 1.0)
            yield target


@contextmanager
def open_sales(
    request: SalesRequest,
    config: Config,
    progress: Progress = silent,
    *,
    keep_dropped: bool = False,
    detail: bool = True,
) -> Iterator[OpenSales]:
    """The clean sales of a source, until the end of the ``with`` statement; ``detail`` as :func:`intake.read_sales`.

    Raises:
        InputError: the source, the mapping, the reading or the date cannot be used.
    """
    config = with_reading(config, request.reading, request.currency)
    held = _held(request, config)
    if held is not None and held.is_file():
        with _open_held(held, request, config, progress) as sales:
            yield OpenSales(request, sales, config, features.registered_features())
        return
    detail = detail or held is not None
    with _read(request, config, progress, now().date(), keep_dropped=keep_dropped, detail=detail) as sales:
        if held is not None:
            _hold(sales, held)
        yield OpenSales(request, sales, config, features.registered_features())


# --- the reading of a file that never changes, held until it is stored ------------------------------------------------


def _held(request: SalesRequest, config: Config) -> Path | None:
    """The file that says what was read, if it was: one for each way of reading; its sales are in one beside it."""
    if request.held is None:
        return None
    said = {
        "mapping": {**config.mapping, **request.mapping},
        "reading": config.reading.to_dict(),
        "cleaning": config.cleaning.resolved().to_dict(),
        "currency": config.sales.currency,
        "version": version("segmentry"),
    }
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
    return request.held.with_name(f"{request.held.name}-{digest}.read.json")


def _hold(sales: intake.Sales, held: Path) -> None:
    """Hold what was read; a file is there as a whole or not at all, and that which says so last."""
    origin = {item.name: getattr(sales, item.name) for item in fields(intake.Origin)}
    for target, write in (
        (held.with_suffix(".parquet"), sales.keep),
        (held, lambda part: part.write_text(json.dumps(to_json({"origin": origin, "ledger": sales.ledger.to_dict()})))),
    ):
        part = target.with_name(f"{target.name}.part")
        try:
            part.touch(mode=0o600)
            write(part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _open_held(held: Path, request: SalesRequest, config: Config, progress: Progress) -> Iterator[intake.Sales]:
    progress("Reading and cleaning", 0.0)
    said = from_json(json.loads(held.read_text()))
    origin = intake.Origin(**{**said["origin"], "notes": tuple(said["origin"]["notes"])})
    ledger, cleaning = intake.Ledger.from_dict(said["ledger"]), config.cleaning.resolved()
    with intake.open_kept(
        held.with_suffix(".parquet"), origin, ledger, cleaning, config.reading, as_of=request.as_of
    ) as sales:
        progress("Reading and cleaning", 1.0)
        yield sales


# --- the sales of a stored snapshot -----------------------------------------------------------------------------------


class SalesGoneError(InputError):
    """The sales of a snapshot are not kept, or those of its source are not the ones that it was made of.

    ``why``: the same as a clause. ``fingerprint``: of the sales that are there now, None where there are none.
    """

    def __init__(self, why: str, fingerprint: str | None = None) -> None:
        super().__init__("{why}; read it anew.", why=why)
        self.why, self.fingerprint = why, fingerprint


def lasting_source(snapshot: Snapshot) -> str | None:
    """Where the sales of a snapshot can be read from again, if they are still there; None where that is not known."""
    for name in (snapshot.info.get("location"), snapshot.source):
        if name is not None and lasting(name) is not None:
            return str(name)
    return None


@contextmanager
def sales_of(
    snapshot: Snapshot,
    config: Config,
    store: Store,
    progress: Progress = silent,
    *,
    as_of: date | None = None,
    then: Config | None = None,
) -> Iterator[OpenSales]:
    """The clean sales of a stored snapshot, as they are kept with it, until the ``with`` statement ends.

    Args:
        snapshot: whose sales.
        config: for whatever the snapshot does not say.
        store: where they are kept.
        progress: told how far it is.
        as_of: only sales before its midnight count; by default the snapshot's own date.
        then: how they are cleaned; by default as they were when the snapshot was made.

    Raises:
        SalesGoneError: they are not kept, or their file is missing or altered.
        InputError: there is no sale before that date.
    """
    then = then or as_read(snapshot, config)
    info = snapshot.info
    origin = intake.Origin(
        name=snapshot.dataset,
        title=info.get("title", snapshot.dataset),
        synthetic=bool(info.get("synthetic")),
        mapping=snapshot.settings.get("mapping", {}),
        fingerprint=snapshot.fingerprint,
        notes=tuple(info.get("notes", ())),
        currency=info.get("currency"),
    )
    as_of = as_of or snapshot.as_of
    request = SalesRequest(snapshot.source, as_of=as_of, name=snapshot.dataset, called=snapshot.source)
    progress("Opening kept sales", 0.0)
    with ExitStack() as stack:
        try:
            path = stack.enter_context(store.sales(snapshot.id))
        except (NotFoundError, StoreError) as error:
            raise SalesGoneError(error.message.removesuffix(".")) from None
        sales = stack.enter_context(
            intake.open_kept(
                path,
                origin,
                intake.Ledger.from_dict(snapshot.ledger),
                then.cleaning,
                then.reading,
                as_of=as_of,
            )
        )
        progress("Opening kept sales", 1.0)
        yield OpenSales(request, sales, then, _plugins_of(snapshot))


@contextmanager
def sales_again(
    snapshot: Snapshot, source: str, config: Config, progress: Progress = silent, *, then: Config | None = None
) -> Iterator[OpenSales]:
    """The clean sales of a stored snapshot, read once more from a source as they were read then, or by ``then``.

    Raises:
        SalesGoneError: these are other sales.
        InputError: they cannot be read.
    """
    then = then or as_read(snapshot, config)
    if not then.sales.currency:  # what was assumed was not written down at first
        then = with_reading(then, {}, snapshot.currency)
    request = SalesRequest(source, as_of=snapshot.as_of, name=snapshot.dataset, called=snapshot.source)
    today = snapshot.created_at.date() if snapshot.created_at else None  # what was too late then is so now
    with _read(request, then, progress, today) as sales:
        if sales.fingerprint != snapshot.fingerprint:
            why = message("{source} is not what it was when it was read", source=snapshot.source)
            raise SalesGoneError(why, sales.fingerprint)
        mapped = snapshot.settings.get("mapping", sales.mapping)  # not what was said to be absent above
        mapping = {name: column for name, column in sales.mapping.items() if name in mapped}
        yield OpenSales(request, replace(sales, mapping=mapping), then, _plugins_of(snapshot))


def _plugins_of(snapshot: Snapshot) -> list[features.RegisteredFeature]:
    columns = snapshot.settings.get("features", {})
    return [item for item in features.registered_features() if item.column and item.column.name in columns]


@contextmanager
def _read(
    request: SalesRequest,
    config: Config,
    progress: Progress,
    today: date | None,
    *,
    keep_dropped: bool = False,
    detail: bool = True,
) -> Iterator[intake.Sales]:
    progress("Reading and cleaning", 0.0)
    with intake.read_sales(
        request.source,
        mapping={**config.mapping, **request.mapping},
        reading=config.reading,
        rules=config.cleaning,
        as_of=request.as_of,
        today=today,
        currency=config.sales.currency,
        keep_dropped=keep_dropped,
        detail=detail,
        watch=lambda amount: progress("Reading and cleaning", _PASS * amount.share, amount),
    ) as sales:
        progress("Reading and cleaning", 1.0)
        yield sales


def as_read(snapshot: Snapshot, config: Config) -> Config:
    """The configuration with what a snapshot was read with."""
    known = snapshot.settings
    changes: dict[str, Any] = {"categories": dict(known["categories"])} if "categories" in known else {}
    if "mapping" in known:  # a field that was not known then is not guessed now
        changes["mapping"] = {**dict.fromkeys(CANONICAL_FIELDS, ""), **known["mapping"]}
    for section in (Reading, CleaningRules):
        if section.section in known:
            changes[section.section] = section.from_dict(known[section.section])
    sections: dict[str, type[BaseModel]] = {"clv": Clv, "churn": Churn}
    changes["sales"] = SalesSection(currency=known.get("currency", ""))
    changes |= {name: kind.model_validate(dict(known[name])) for name, kind in sections.items() if name in known}
    return config.model_copy(update=changes)


# --- customers of sales -----------------------------------------------------------------------------------------------


def new_snapshot(opened: OpenSales) -> NewSnapshot:
    """What the customers of these sales will be kept as; equal sales, settings and plug-ins make an equal one."""
    request, sales, config, plugins = opened
    source, name = request.source, request.name
    kind = kind_of(source)
    return NewSnapshot(
        dataset=name or sales.name,
        source=request.called or (Path(source).name if kind in ("file", "folder") else public(source)),
        fingerprint=sales.fingerprint,
        as_of=sales.as_of,
        settings={
            "mapping": dict(sales.mapping),
            "cleaning": config.cleaning.resolved().to_dict(),
            "reading": config.reading.to_dict(),
            "categories": config.categories,
            "clv": config.clv.identity(),
            "churn": config.churn.model_dump(),
            **({"currency": config.sales.currency} if config.sales.currency else {}),
            **_identity(plugins),
        },
        ledger=sales.ledger.to_dict(),
        info={
            "title": name or sales.title,
            "source_kind": kind if kind in ("built in", "database") else "file",
            "synthetic": sales.synthetic,
            "currency": sales.currency,
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
        margin=clv.margin,
        acquisition_cost=clv.acquisition_cost,
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
    opened: OpenSales, new: NewSnapshot, progress: Progress = silent, kept: Kept | None = None
) -> Valued:
    """The customers of these sales with what they are worth, by models that were tested on the sales' own past.

    ``kept``: a choice of models that was made before and shall stand; see :mod:`dashboard.pipeline.choice`.
    """
    _, sales, config, plugins = opened
    settings = value_settings(config)
    looked_at = agenda(sales.first_day, sales.as_of, settings, kept=kept)
    progress("Building customers", 0.0)
    tables = past_tables(opened, looked_at, {sales.as_of})
    built = tables.pop(sales.as_of)
    customers, made, failed = features.extended(built, sales.table, as_of=sales.as_of, plugins=plugins)
    progress("Building customers", 1.0)
    progress("Estimating value", 0.0)
    activity = features.purchase_days(sales.table)
    appraisal = appraise(customers, tables, sales.first_day, sales.as_of, settings, kept, sales.name, activity)
    progress("Estimating value", 1.0)
    info = {**new.info, "value": appraisal.model, "value_notes": list(appraisal.notes)}
    info["notes"] = [*new.info.get("notes", ()), *failed]
    info["cohorts"] = features.cohorts(sales.table, as_of=sales.as_of)
    info["columns"] = [asdict(item.column) for item in made if item.column is not None]
    identity = {name: item for name, item in new.settings.items() if name != "features"} | _identity(made)
    receipts = {} if appraisal.receipt is None else {RECEIPT: appraisal.receipt}
    return Valued(customers.join(appraisal.columns), replace(new, settings=identity, info=info), failed, receipts)


def past_tables(opened: OpenSales, looked_at: Agenda, whole: Collection[date] = ()) -> dict[date, DataFrame]:
    """The customers as of the dates that the value models look at, as far as they do, and wholly as of others."""
    return {
        day: customers if day in whole else looked_at.kept(day, customers)
        for day, customers in features.customers_at(
            opened.sales.table,
            sorted({*looked_at.dates, *whole}),
            categories=opened.config.categories,
            windows_at=whole,
        )
    }


def customers_then(
    opened: OpenSales, dates: Collection[date], columns: Collection[str], progress: Progress = silent
) -> dict[date, DataFrame]:
    """The customers as they stood at each date, with those of ``columns`` that there are.

    CLV, where it is asked for, is what would have been foreseen then, from the sales before that date alone.
    """
    sales, looked_at = opened.sales.table, _LookedAt(opened, columns)
    progress("Looking back", 0.0)
    built = features.customers_at(
        sales, sorted(dates), categories=opened.config.categories, columns=looked_at.of_features
    )
    tables = {day: looked_at.completed(customers, sales, day) for day, customers in built}
    progress("Looking back", 1.0)
    return tables


def customers_in_windows(
    opened: OpenSales, windows: Collection[features.SalesWindow], columns: Collection[str], progress: Progress = silent
) -> dict[features.SalesWindow, DataFrame]:
    """The customers who bought in each window by their sales in it alone, with those of ``columns`` that there are."""
    sales, looked_at = opened.sales.table, _LookedAt(opened, columns)
    progress("Looking back", 0.0)
    built = features.customers_within(
        sales, windows, categories=opened.config.categories, columns=looked_at.of_features
    )
    tables = {
        window: looked_at.completed(customers, features.lines_within(sales, window), window.as_of)
        for window, customers in built
    }
    progress("Looking back", 1.0)
    return tables


class _LookedAt:
    """Columns of customers as they once were, and how those that are no features come to them."""

    def __init__(self, opened: OpenSales, columns: Collection[str]) -> None:
        self._columns, self._clv = columns, opened.config.clv
        self._used = [item for item in opened.plugins if item.column is not None and item.column.name in columns]
        wanted = {*columns} - {CLV} | ({*value.NEEDED, *MARGIN_COLUMNS} if CLV in columns else set())
        self.of_features = None if self._used else wanted

    def completed(self, customers: DataFrame, sales: Table, as_of: date) -> DataFrame:
        """The customers with the columns of plug-ins and CLV, where these are asked for, and no others than asked."""
        if self._used:
            customers = features.extended(customers, sales, as_of=as_of, plugins=self._used).customers
        if CLV in self._columns:
            weeks, rate = self._clv.horizon_weeks, self._clv.discount_rate
            clv = value.clv_alone(customers, horizon_weeks=weeks, discount_rate=rate)
            customers = customers.assign(**{CLV: clv * margin_of(customers, self._clv.margin).shares})
        return customers[[name for name in customers.columns if name in self._columns]]
