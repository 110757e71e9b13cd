"""Clean sales that are open: lines in a file that a database reads, and what is known of them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import duckdb
import ibis
import pyarrow as pa

from engines.columns import AMOUNT, COUNTRY, CUSTOMER_ID, ORDER_DATE, ORDER_TOTAL
from engines.errors import InputError
from engines.intake.cleaning.cleaning import (
    RULE,
    balance,
    clean_lines,
    compare_lines,
    cut,
    kept_lines,
    reasons,
    sale_days,
    with_rows,
    with_settled,
)
from engines.intake.cleaning.dropped import read_dropped
from engines.intake.cleaning.ledger import Ledger
from engines.intake.cleaning.offsets import offset_returns
from engines.intake.cleaning.returns import WENT_BACK
from engines.intake.cleaning.rules import REPEATED
from engines.intake.cleaning.totals import Total, control_totals
from engines.intake.schema.parsing import LINE_HASH
from engines.intake.sources.source import short_of, text
from engines.settings import CleaningRules, Reading


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where clean sales came from.

    ``name``: default name of the data set. ``mapping``: column of the source by field, empty where the user says that
    there is none. ``fingerprint``: sha256 of the content. ``notes``: what a reader should know. ``currency``: ISO 4217,
    where the source itself tells it.
    """

    name: str
    title: str
    synthetic: bool
    mapping: Mapping[str, str]
    fingerprint: str
    notes: tuple[str, ...] = ()
    currency: str | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that the source has, attributes among them."""
        return tuple(field for field, column in self.mapping.items() if column)


@dataclass(frozen=True, kw_only=True)
class Sales(Origin):
    """Clean sales that are open. Holds a database open: close it, or use it in a ``with`` statement.

    ``table``: one row per line in the columns of clean sales (see the data dictionary), sales and returns before
    ``as_of``, read from a temporary file. ``first_day``, ``last_day``: of the clean sales.
    """

    table: ibis.Table
    ledger: Ledger
    as_of: date
    first_day: date
    last_day: date
    #: The file that they are kept in, where they were opened from one.
    file: Path | None = None
    _lines: ibis.Table | None = field(default=None, repr=False, compare=False)
    _connection: Any = field(default=None, repr=False, compare=False)
    _folder: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False, compare=False)

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

    def keep(self, target: Path) -> None:
        """Write the lines that were sold and that went back, of all days, to a Parquet file for :func:`open_kept`.

        Equal sales make equal files, whatever the order of the lines in the source.

        Raises:
            ValueError: the sales were read without ``detail``.
            InputError: there is no room for it.
        """
        if self._lines is None or COUNTRY not in self._lines.columns:
            raise ValueError("Only sales that were read with detail=True can be kept.")
        with short_of(self.name):
            # not the rows by chance: equal lines are alike in all columns
            ordered = kept_lines(self._lines).order_by(CUSTOMER_ID, ORDER_DATE, LINE_HASH, REPEATED).drop(LINE_HASH)
            self._connection.to_parquet(ordered, target, compression="zstd")
        target.chmod(0o600)

    def close(self) -> None:
        """Give back memory and disk; the table cannot be used afterwards."""
        self._connection.disconnect()
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def counted(fields: tuple[str, ...]) -> tuple[str, ...]:
    """The fields that lines have once they are parsed: the total of an order is on its lines in parts, as amounts."""
    return tuple(AMOUNT if field == ORDER_TOTAL else field for field in fields)


class Cleaned(NamedTuple):
    """Lines with the one reason for which each is dropped, as of a date, and what follows from them."""

    flagged: ibis.Table
    table: ibis.Table
    ledger: Ledger
    as_of: date
    first_day: date
    last_day: date


def cleaned(
    lines: ibis.Table,
    rules: CleaningRules,
    fields: tuple[str, ...],
    as_of: date | None,
    name: str,
    before: Ledger | None = None,
) -> Cleaned:
    """The clean sales of lines that say each by itself why it is dropped.

    Args:
        lines: with ``rule`` and ``went_back``.
        rules: which lines are dropped.
        fields: those that the source has.
        as_of: only lines before its midnight count; by default the day after the last sale.
        name: of the source, for messages.
        before: the ledger of all lines of the source, where ``lines`` are those that stayed and that went back.

    Raises:
        InputError: nothing is left, or nothing before that date.
    """
    flagged = _view(compare_lines(lines, rules, fields, as_of), "flagged_lines")
    days = sale_days(flagged)
    if days is None:
        dropped = ", ".join(f"{rule} {count:,}" for rule, count in reasons(flagged).items())
        raise InputError(
            "{name}: cleaning leaves no line (dropped: {dropped}); see [cleaning] in config.toml.",
            name=name,
            dropped=dropped,
        )
    as_of = as_of or days[1] + timedelta(days=1)
    if as_of <= days[0]:
        raise InputError(
            "{name}: there is no sale before {as_of}; the first is on {first}. Give a later as_of.",
            name=name,
            as_of=as_of,
            first=days[0],
        )
    flagged, offsets = cut(flagged, rules, as_of), None
    if rules.net:
        flagged = _view(with_rows(flagged), "cut_lines")
        offsets = offset_returns(flagged, RULE, WENT_BACK)
        flagged = _view(with_settled(flagged, offsets), "settled_lines")
    else:
        flagged = _view(flagged, "cut_lines")
    ledger = balance(flagged, rules, fields, before, offsets)
    first, last = days if days[1] < as_of else sale_days(flagged) or days
    table = _view(clean_lines(flagged, rules, fields, offsets.versions if offsets else None), "clean_sales")
    return Cleaned(flagged, table, ledger, as_of, first, last)


def _view(table: ibis.Table, name: str) -> ibis.Table:
    """The same rows as a view: what is asked of it later need not be translated into SQL from the start each time."""
    return table.get_backend().create_view(name, table, overwrite=True)


def lines_database(reading: Reading, folder: Path) -> Any:
    """A database in memory that uses a folder where its memory does not do.

    Raises:
        InputError: the memory that it may use is no size.
    """
    connection = ibis.duckdb.connect()
    database = connection.con
    database.execute("set enable_progress_bar = true; set enable_progress_bar_print = false")  # what is printed is ours
    database.execute("set autoinstall_known_extensions = false; set TimeZone = 'UTC'")
    # A list of words is compared where a case asks for it, and not joined to every line: measured, a third of the pass.
    database.execute("set disabled_optimizers = 'in_clause'")
    database.execute(f"set temp_directory = {text(str(folder / 'spill'))}")
    if reading.memory:
        try:
            database.execute(f"set memory_limit = {text(reading.memory)}")
        except duckdb.Error:
            connection.disconnect()
            raise InputError(
                '[reading] memory = {memory!r} is no size; write it as "3 GB" or "500 MB".', memory=reading.memory
            ) from None
    return connection
