"""Reading of a source into clean sales: open, map the columns, parse the cells, clean, and keep the ledger."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ibis
import pyarrow as pa

from engines.columns import AMOUNT, CURRENCY, ORDER_TOTAL, UNIT_PRICE
from engines.errors import InputError
from engines.intake.cleaning.cleaning import balance, clean_lines, cut, flag_lines, reasons, sale_days
from engines.intake.cleaning.currency import convert
from engines.intake.cleaning.dropped import keep_dropped, read_dropped
from engines.intake.cleaning.ledger import Ledger
from engines.intake.cleaning.totals import Total, control_totals
from engines.intake.schema.contents import head, look_at
from engines.intake.schema.mapping import choose_columns, doubts, guess_columns
from engines.intake.schema.parsing import parse_lines
from engines.intake.sources.files import open_source
from engines.intake.sources.samples import EMBEDDED, open_embedded
from engines.messages import message
from engines.settings import CleaningRules, Reading


@dataclass(frozen=True)
class Sales:
    """Clean sales and where they came from. Holds a database open: close it, or use it in a ``with`` statement.

    ``table``: one row per line in the columns of clean sales (see the data dictionary), sales and returns before
    ``as_of``. ``name``: default name of the data set. ``fields``: those the source has, attributes among them.
    ``mapping``: column of the source by field, empty where the user says that there is none. ``fingerprint``: sha256 of
    the content. ``first_day``, ``last_day``: of the clean sales.
    ``notes``: what a reader should know. ``currency``: ISO 4217, where the source itself tells it.
    """

    table: ibis.Table
    ledger: Ledger
    name: str
    title: str
    synthetic: bool
    fields: tuple[str, ...]
    mapping: Mapping[str, str]
    fingerprint: str
    as_of: date
    first_day: date
    last_day: date
    notes: tuple[str, ...] = ()
    currency: str | None = None
    _connection: Any = field(default=None, repr=False, compare=False)

    def dropped(self) -> pa.RecordBatchReader:
        """The lines that were dropped, in the order of the source, batch by batch; all columns but ``line`` are text.

        ``line``: number of the record in the source, where 1 is the header; empty lines and line breaks within quotes
        do not count. ``rule`` and ``reason``: why. Then every mapped field, as the source has it.

        Raises:
            ValueError: the sales were read without ``keep_dropped``.
        """
        return read_dropped(self._connection)

    def totals(self) -> Mapping[str, Total]:
        """Control totals of the clean sales: ``gross``, ``returned`` and ``net``."""
        return control_totals(self.table)

    def close(self) -> None:
        """Give back the memory of the lines; the table cannot be used afterwards."""
        self._connection.disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_sales(
    source: str,
    *,
    mapping: Mapping[str, str] = {},
    reading: Reading = Reading(),  # noqa: B008 - frozen
    rules: CleaningRules = CleaningRules(),  # noqa: B008 - frozen
    as_of: date | None = None,
    currency: str = "",
    keep_dropped: bool = False,
) -> Sales:
    """Read and clean an embedded data set (by name) or a file (by path).

    Args:
        source: ``cdnow``, ``cdnow-sample``, ``sample-shop``, or the path of a CSV, XLSX or Parquet file.
        mapping: column of the source by canonical field; what is not named is guessed from common names.
        reading: what the source does not say itself.
        rules: which lines are dropped.
        as_of: only lines before its midnight count; by default the day after the last sale.
        currency: ISO 4217, into which money in several currencies is brought at the rates of ``rules``.
        keep_dropped: whether :meth:`Sales.dropped` will be asked.

    Raises:
        InputError: the source cannot be read, mapped or understood, or nothing is left; file, column or line are named.
    """
    rules = rules.resolved()
    connection = ibis.duckdb.connect()
    connection.raw_sql("set enable_progress_bar = false")  # what is printed is ours to say
    try:
        with tempfile.TemporaryDirectory(prefix="segmentry-intake-") as folder:
            return _read(connection, source, Path(folder), mapping, reading, rules, as_of, currency, keep_dropped)
    except BaseException:
        connection.disconnect()
        raise


def _read(
    connection: Any,
    source: str,
    folder: Path,
    mapping: Mapping[str, str],
    reading: Reading,
    rules: CleaningRules,
    as_of: date | None,
    currency: str,
    keep: bool,
) -> Sales:
    database = connection.con
    database.execute("set autoinstall_known_extensions = false; set TimeZone = 'UTC'")
    embedded = EMBEDDED.get(source)
    opened = open_embedded(embedded) if embedded else open_source(source, database, folder, reading)
    usual = embedded.mapping if embedded else {}
    looks = [look_at(values) for values in zip(*head(opened, database), strict=True)]
    guesses = guess_columns(opened.columns, {**usual, **mapping}, opened.name, looks)
    chosen = choose_columns(opened.columns, {**usual, **mapping}, opened.name, looks)
    opened.load(database, list(chosen.values()))
    parsed = parse_lines(database, opened, chosen, reading, repeated_lines_drop=rules.drop_exact_duplicates)
    notes = (*opened.notes, *doubts(guesses), *parsed)
    if mapping.get(UNIT_PRICE) and UNIT_PRICE not in chosen:
        notes += (message("The unit price is not used: the amount is mapped."),)
    if not keep:
        database.execute("drop table raw")

    # The total of an order is on its lines in parts by now: amounts like any other.
    fields = tuple(AMOUNT if field == ORDER_TOTAL else field for field in chosen)
    known_currency = embedded.currency if embedded else None
    if CURRENCY in chosen:
        said, told = convert(database, opened, opened.columns[chosen[CURRENCY]], rules.rates, currency)
        known_currency, notes = said or known_currency, (*notes, *told)
    flagged = connection.create_table("flagged", flag_lines(connection.table("lines"), rules, fields, as_of))
    database.execute("drop table lines")
    days = sale_days(flagged)
    if days is None:
        dropped = ", ".join(f"{rule} {lines:,}" for rule, lines in reasons(flagged).items())
        raise InputError(
            "{name}: cleaning leaves no line (dropped: {dropped}); see [cleaning] in config.toml.",
            name=opened.name,
            dropped=dropped,
        )
    as_of = as_of or days[1] + timedelta(days=1)
    if as_of <= days[0]:
        raise InputError(
            "{name}: there is no sale before {as_of}; the first is on {first}. Give a later as_of.",
            name=opened.name,
            as_of=as_of,
            first=days[0],
        )
    flagged = cut(flagged, rules, as_of)
    ledger = balance(flagged, rules, fields)
    table = connection.create_table("sales", clean_lines(flagged, rules, fields))
    first, last = sale_days(flagged) or days
    if keep:
        keep_dropped(connection, flagged, rules, chosen)
    database.execute("drop table flagged")
    return Sales(
        table=table,
        ledger=ledger,
        name=embedded.title if embedded else opened.name,
        title=embedded.title if embedded else opened.name,
        synthetic=embedded.synthetic if embedded else False,
        fields=tuple(chosen),
        mapping={
            **{name: opened.columns[index] for name, index in chosen.items()},
            **{name: "" for name, column in mapping.items() if not column.strip()},
        },
        fingerprint=opened.fingerprint,
        as_of=as_of,
        first_day=first,
        last_day=last,
        notes=notes,
        currency=known_currency,
        _connection=connection,
    )
