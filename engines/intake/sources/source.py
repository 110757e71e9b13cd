"""An opened source of any kind: column names, and lines that can be loaded into DuckDB."""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa

from engines.errors import InputError
from engines.messages import Message, message

_T = TypeVar("_T")
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,' ]*")
_DATE = re.compile(r"[0-9]{1,4}[-/.][0-9A-Za-z]{1,9}[-/.][0-9]{1,4}([ T].*)?")


#: The column that says why a line does not fit the header; null for all others.
BROKEN = "broken"
#: Blanks that are no part of a cell's text.
BLANKS = " \t\r\n\u00a0"


@dataclass(frozen=True)
class Source:
    """A source that has been opened: the names of its columns, and how to bring its lines into DuckDB.

    ``relation`` is SQL whose columns are c0, c1, ... in the order of ``columns``; ``locate`` says in words where the
    line with a given number (from 0) stands. ``encoding`` and ``separator`` are those of a text, as ``Reading`` takes
    them (a blank: columns are parted by blanks); empty for anything else. ``above``: blank lines over the header.
    ``file``: where the database reads a text. ``sheets``: those that are read of a workbook. ``typed``: Parquet or a
    database, where cells are what they are and nothing was made safe for spreadsheets. ``blanks``: which cells may
    begin or end with. ``arrow``: lines in memory, which ``relation`` calls ``arrow_name``. ``size``: in bytes, as the
    database reads it; ``lines``: about how many there are. ``kind``: such as text or workbook. ``header_row``: the line
    or row with the names, from 1; ``skip``: how many are passed over where no line has names; 0 where that says
    nothing. ``quote``, ``escape``: of a text. ``header``: the names as they are written, which may come again further
    down. ``all_sheets``: of a workbook, by name, with their columns; ``elsewhere``: what to say of them where the
    columns do not do. ``broken``: ``relation`` has the column BROKEN as well. ``mend``: gives the source anew, with
    lines that do not fit the header set apart; None where it has none.
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
    blanks: str = BLANKS
    arrow_name: str = "arrow_lines"
    file: str = ""
    size: int = 0
    lines: int = 0
    kind: str = ""
    header_row: int = 0
    skip: int = 0
    quote: str = ""
    escape: str = ""
    header: tuple[str, ...] = ()
    all_sheets: tuple[tuple[str, tuple[str, ...]], ...] = ()
    elsewhere: str = ""
    broken: bool = False
    mend: Callable[[], Source] | None = field(default=None, compare=False)

    @contextmanager
    def at_hand(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Let ``relation`` be used on a connection; what DuckDB says of a broken line is told as a user needs it.

        Raises:
            BrokenLinesError: some lines do not fit the header; see :func:`mending`.
            InputError: the lines do not fit the header, or the file is damaged; the line is named.
        """
        parts = self.in_memory()
        for part in parts:
            connection.register(part.arrow_name, part.arrow)
        try:
            with short_of(self.name):
                yield
        except duckdb.Error as error:
            part = self.part_of(str(error))
            if part.mend is not None and "CSV" in str(error):
                raise BrokenLinesError(part, _plain(error, part.above)) from None
            raise InputError("{name}: {error}", name=part.name, error=_plain(error, part.above)) from None
        finally:
            for part in parts:
                connection.unregister(part.arrow_name)

    def in_memory(self) -> Sequence[Source]:
        """What of it is in memory, and is to be made known to the database."""
        return () if self.arrow is None else (self,)

    def part_of(self, error: str) -> Source:
        """The file that an error of the database is about."""
        return self

    @contextmanager
    def elsewhere_named(self) -> Iterator[None]:
        """Add to what is wrong with the columns which other tables the source has.

        Raises:
            InputError: what is wrong.
        """
        try:
            yield
        except InputError as error:
            if not self.elsewhere:
                raise
            raise InputError("{error} {elsewhere}", error=error.message, elsewhere=self.elsewhere) from None

    def mended(self, part: Source) -> Source:
        """The same source with the broken lines of one of its files set apart.

        Raises:
            InputError: too many are broken.
        """
        return self if part.mend is None else part.mend()

    def scan(self, connection: duckdb.DuckDBPyConnection, needed: Sequence[int]) -> str:
        """SQL of the lines, in their order: see :func:`picked`. To be used while the source is :meth:`at_hand`."""
        described = connection.execute(f"describe select * from {self.relation}").fetchall()  # noqa: S608
        types = [row[1] for row in described][: len(self.columns)]
        return picked(self.relation, types, needed, header=self.header, broken=self.broken)

    def load(self, connection: duckdb.DuckDBPyConnection, needed: Sequence[int]) -> None:
        """Fill the table ``raw`` with what :meth:`scan` gives; meant for few lines.

        Raises:
            InputError: as :meth:`at_hand`.
        """
        with self.at_hand(connection):
            connection.execute(f"create table raw as {self.scan(connection, needed)}")

    def count_parts(self, counts: Mapping[int, int]) -> None:
        """Take note of how many lines each part has, by which ``locate`` tells them apart; one file has one part."""


class OptionError(InputError):
    """Something that another setting of how a source is read would mend.

    ``setting``: such as ``encoding``, of ``Reading``. ``answers``: what may be said for it, where that is a short list.
    ``width``: of how many columns there are names to say.
    """

    def __init__(self, setting: str, error: InputError, answers: Sequence[str] = (), width: int = 0) -> None:
        super().__init__(error.message)
        self.setting, self.answers, self.width = setting, tuple(answers), width


class BrokenLinesError(InputError):
    """Some lines of ``part``, a text, do not fit its header: it is to be opened anew, by :meth:`Source.mended`."""

    def __init__(self, part: Source, error: Message) -> None:
        super().__init__("{name}: {error}", name=part.name, error=error)
        self.part = part


def mending(source: Source, use: Callable[[Source], _T]) -> _T:
    """What ``use`` makes of a source; where lines turn out to be broken, they are set apart and it is used anew.

    Raises:
        InputError: as ``use`` does, or too many lines are broken.
    """
    while True:
        try:
            return use(source)
        except BrokenLinesError as error:
            source = source.mended(error.part)


def text(written: str) -> str:
    """SQL: a text in quotation marks."""
    return "'" + written.replace("'", "''") + "'"


#: What the database says of a disk that is full.
_NO_ROOM = ("No space left", "Could not write", "max_temp_directory_size")


@contextmanager
def short_of(name: str) -> Iterator[None]:
    """Say in a sentence that there is not enough memory or no room on the disk for a source.

    Raises:
        InputError: that.
    """
    try:
        yield
    except (duckdb.OutOfMemoryException, MemoryError):
        raise InputError(
            "{name}: there is not enough memory to read it. Give more with memory in [reading], or free some.",
            name=name,
        ) from None
    except duckdb.IOException as error:
        if not any(words in str(error) for words in _NO_ROOM):
            raise
        raise _no_room(name) from None
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _no_room(name) from None


def _no_room(name: str) -> InputError:
    return InputError(
        "{name}: there is no room left on the disk while it is read. Free some, or let TMPDIR name another folder.",
        name=name,
    )


def picked(
    relation: str,
    types: Sequence[str],
    needed: Sequence[int],
    part: int = 0,
    *,
    header: Sequence[str] = (),
    broken: bool = False,
) -> str:
    """SQL: the needed columns of a relation, ``line_hash`` of all, whether it is ``blank``, its ``source_part``.

    The names of the columns again, further down, are ``blank`` as well. BROKEN says why a line does not fit the header;
    null for all others, and for all where the relation is not ``broken``.
    """
    every = ", ".join(f"c{index}" for index in range(len(types)))
    chosen = ", ".join(f"c{index}" for index in sorted(set(needed)))
    blank = " and ".join(f"nullif(trim(cast(c{index} as varchar)), '') is null" for index in range(len(types)))
    # Hardly a line is blank, and trimming is slow: a needed cell that begins with a letter or digit says so at once.
    begun = " ".join(
        f"when c{index} >= '!' then false" if types[index] == "VARCHAR" else f"when c{index} is not null then false"
        for index in sorted(set(needed))
    )
    again = " and ".join(f"c{index} = {text(header[index])}" for index in sorted(set(needed)) if header)
    if again and all(kind == "VARCHAR" for kind in types):
        begun = f"when {again} then true {begun}"
    if broken:
        begun = f"when {BROKEN} is not null then false {begun}"
    return (
        f"select {chosen}, hash({every}) as line_hash, case {begun} else {blank} end as blank, "  # noqa: S608 - positions
        f"cast({part} as integer) as source_part, {BROKEN if broken else 'cast(null as varchar)'} as {BROKEN} "
        f"from {relation}"
    )


def arrow_source(name: str, table: pa.Table, fingerprint: str, *, unit: str = "row", first: int = 1) -> Source:
    """A source whose lines are already in memory."""
    return Source(
        name=name,
        columns=tuple(table.column_names),
        relation="arrow_lines",
        fingerprint=fingerprint,
        locate=lambda line: f"{unit} {line + first}",
        arrow=table.rename_columns([f"c{index}" for index in range(table.num_columns)]),
        size=table.nbytes,
        lines=table.num_rows,
    )


def sha256(path: Path) -> str:
    """The content of a file as a fingerprint."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def named(names: Sequence[object]) -> tuple[str, ...]:
    """Column names as written, on one line and trimmed; a blank one gets its position for a name."""
    return tuple(" ".join(str(name or "").split()) or f"column {index + 1}" for index, name in enumerate(names))


def is_date(cell: str) -> bool:
    """Whether a cell is written like a date of digits."""
    return _DATE.fullmatch(cell) is not None


def header_of(found: Sequence[object], told: Sequence[str], name: str, *, sure: bool = False) -> tuple[str, ...]:
    """The names of the columns: those that the user says, or else what stands in the first line.

    ``sure``: the user says that this line is the header, whatever it looks like.

    Raises:
        InputError: more or fewer names than columns; a first line that looks like a line of sales.
    """
    if told:
        if len(told) != len(found):
            error = InputError(
                "{name} has {columns} columns, and {names} names were given for them with --columns "
                "({listed}); name every column in order.",
                name=name,
                columns=len(found),
                names=len(told),
                listed=", ".join(told[:12]) + (" ..." if len(told) > 12 else ""),
            )
            raise OptionError("columns", error, width=len(found))
        return named(told)
    if sure:
        return named(found)
    cells = [str(cell or "").strip() for cell in found]
    filled = [cell for cell in cells if cell]
    numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in filled)
    if any(map(is_date, filled)) or (filled and 2 * numbers >= len(filled)):
        shown = ", ".join(cell if len(cell) <= 20 else f"{cell[:20]}…" for cell in cells[:6])
        error = InputError(
            "{name}: its first line looks like data and not like the names of its {cells} columns "
            "({shown}). Name them in order, as --columns customer_id,order_date,amount.",
            name=name,
            cells=len(cells),
            shown=shown,
        )
        raise OptionError("columns", error, width=len(cells))
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
