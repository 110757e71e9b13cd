"""An opened source of any kind: column names, and lines that can be loaded into DuckDB."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from engines.errors import InputError
from engines.messages import Message, message

_NUMBER = re.compile(r"[-+]?[0-9][0-9.,' ]*")
_DATE = re.compile(r"[0-9]{1,4}[-/.][0-9A-Za-z]{1,9}[-/.][0-9]{1,4}([ T].*)?")


@dataclass(frozen=True)
class Source:
    """A source that has been opened: the names of its columns, and how to bring its lines into DuckDB.

    ``relation`` is SQL whose columns are c0, c1, ... in the order of ``columns``; ``locate`` says in words where the
    line with a given number (from 0) stands. ``encoding`` and ``separator`` are those of a text, as ``Reading`` takes
    them (a blank: columns are parted by blanks); empty for anything else. ``above``: blank lines over the header.
    ``sheets``: those that are read of a workbook. ``typed``: Parquet or a database, where cells are what they are and
    nothing was made safe for spreadsheets. ``arrow``: lines in memory, which ``relation`` calls ``arrow_name``.
    """

    name: str
    columns: tuple[str, ...]
    relation: str
    fingerprint: str
    locate: Callable[[int], str]
    notes: tuple[str, ...] = ()
    arrow: pa.Table | None = None
    encoding: str = ""
    separator: str = ""
    above: int = 0
    sheets: tuple[str, ...] = ()
    typed: bool = False
    arrow_name: str = "arrow_lines"

    @contextmanager
    def at_hand(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Let ``relation`` be used on a connection; what DuckDB says of a broken line is told as a user needs it.

        Raises:
            InputError: the lines do not fit the header, or the file is damaged; the line is named.
        """
        if self.arrow is not None:
            connection.register(self.arrow_name, self.arrow)
        try:
            yield
        except duckdb.Error as error:
            raise InputError("{name}: {error}", name=self.name, error=_plain(error, self.above)) from None
        finally:
            if self.arrow is not None:
                connection.unregister(self.arrow_name)

    def load(self, connection: duckdb.DuckDBPyConnection, needed: Sequence[int]) -> None:
        """Fill the table ``raw`` with the needed columns (by position), ``line_hash`` of all of them, and ``blank``.

        Raises:
            InputError: as :meth:`at_hand`.
        """
        with self.at_hand(connection):
            connection.execute(f"create table raw as {picked(self.relation, len(self.columns), needed)}")


def picked(relation: str, width: int, needed: Sequence[int]) -> str:
    """SQL: the needed columns of a relation, ``line_hash`` of all of them, and whether the line is blank."""
    every = ", ".join(f"c{index}" for index in range(width))
    chosen = ", ".join(f"c{index}" for index in sorted(set(needed)))
    blank = " and ".join(f"nullif(trim(cast(c{index} as varchar)), '') is null" for index in range(width))
    return f"select {chosen}, hash({every}) as line_hash, {blank} as blank from {relation}"  # noqa: S608 - positions


def arrow_source(name: str, table: pa.Table, fingerprint: str, *, unit: str = "row", first: int = 1) -> Source:
    """A source whose lines are already in memory."""
    return Source(
        name=name,
        columns=tuple(table.column_names),
        relation="arrow_lines",
        fingerprint=fingerprint,
        locate=lambda line: f"{unit} {line + first}",
        arrow=table.rename_columns([f"c{index}" for index in range(table.num_columns)]),
    )


def sha256(path: Path) -> str:
    """The content of a file as a fingerprint."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def named(names: Sequence[object]) -> tuple[str, ...]:
    """Column names as written, on one line and trimmed; a blank one gets its position for a name."""
    return tuple(" ".join(str(name or "").split()) or f"column {index + 1}" for index, name in enumerate(names))


def header_of(found: Sequence[object], told: Sequence[str], name: str) -> tuple[str, ...]:
    """The names of the columns: those that the user says, or else what stands in the first line.

    Raises:
        InputError: more or fewer names than columns; a first line that looks like a line of sales.
    """
    if told:
        if len(told) != len(found):
            raise InputError(
                "{name} has {columns} columns, and {names} names were given for them with --columns "
                "({listed}); name every column in order.",
                name=name,
                columns=len(found),
                names=len(told),
                listed=", ".join(told),
            )
        return named(told)
    cells = [str(cell or "").strip() for cell in found]
    filled = [cell for cell in cells if cell]
    numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in filled)
    if any(_DATE.fullmatch(cell) for cell in filled) or (filled and 2 * numbers >= len(filled)):
        shown = ", ".join(cell if len(cell) <= 20 else f"{cell[:20]}…" for cell in cells[:6])
        raise InputError(
            "{name}: its first line looks like data and not like the names of its {cells} columns "
            "({shown}). Name them in order, as --columns customer_id,order_date,amount.",
            name=name,
            cells=len(cells),
            shown=shown,
        )
    return named(found)


def _plain(error: duckdb.Error, above: int) -> Message:
    """DuckDB's many lines of advice as one sentence about the user's file."""
    advice = str(error)
    line = re.search(r"Line: (\d+)", advice)
    where = f"line {int(line[1]) + above}" if line else "a line"
    if found := re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", advice):
        return message(
            "{where} has {found} columns where the header has {expected}. Mend the line or quote its separators.",
            where=where,
            found=found[2],
            expected=found[1],
        )
    if "quote" in advice:
        return message("{where} has a quotation mark that is not closed or not doubled. Mend the line.", where=where)
    if "maximum" in advice.lower() and "size" in advice.lower():
        return message("{where} is longer than can be read. Check its quotation marks.", where=where)
    return message("the file cannot be read: {reason}.", reason=advice.splitlines()[0].rstrip("."))
