"""Opening of delimited text: commas, semicolons, tabs, bars or blanks between the columns, in any encoding."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from engines.errors import InputError
from engines.intake.sources.dialects import SEPARATORS, Dialect, dialect_of, first_rows
from engines.intake.sources.encodings import MAC, NO_BREAK, QUOTE, TAB, Rewritten, rewrite
from engines.intake.sources.layout import Judge, TableStart, is_rule, table_start, unjudged
from engines.intake.sources.mending import mended, rewritten_lines, where
from engines.intake.sources.source import OptionError, Source, header_of
from engines.intake.sources.source import text as quoted
from engines.messages import message, message_number
from engines.settings import Reading

_LOOK = 1 << 16  # how much of a text says how it is written
_CHUNK = 1 << 20
_DRAWN = 50  # lines of data among which those of dashes are looked for


def open_text(path: Path, name: str, folder: Path, reading: Reading, judge: Judge = unjudged) -> Source:
    """Open a text, packed or not; where it is no plain UTF-8, ``folder`` holds it as such until its lines are read.

    Raises:
        InputError: it is empty, damaged or no text, or its first line cannot be a header.
    """
    written = rewrite(path, folder / "lines.csv", reading.encoding, name)
    start = _start(written.path)
    if not start.strip():
        raise InputError("{name} is empty. Give one with a header and lines.", name=name)
    dialect = dialect_of(start, reading)
    file = written.path
    if dialect.separator == " ":
        file = _tabbed(file, folder / "tabbed.csv")
    elif file == path:  # DuckDB takes *, ? and [ in the user's own path for wildcards
        file = folder / "lines.csv"
        file.symlink_to(path.resolve())
    head = _head(file, name, dialect, written.above, reading, judge)
    return _Text(file, name, folder, reading, written, dialect, head).source()


@dataclass(frozen=True)
class _Head:
    """Where the table begins.

    ``top``: how many lines are above the names of the columns, or above the data where there are none; ``line``: how
    many are above the data. ``names``: of the columns; ``written``: as the lower line of ``joined`` ones has them.
    ``passed``: how many lines with something on them are above the names. ``drawn``: lines of dashes are among the
    first ones. ``uneven``: quotation marks above the names are not closed.
    """

    top: int
    line: int
    header: bool
    names: tuple[str, ...]
    written: tuple[str, ...]
    passed: int
    joined: bool
    drawn: bool
    uneven: bool


def _head(file: Path, name: str, dialect: Dialect, above: int, reading: Reading, judge: Judge) -> _Head:
    """Where the table begins: as the user says, or as its first rows look."""
    over = max(reading.skip - above, reading.header_row - above - 1, int(dialect.hint), 0)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        first = list(islice(lines, over))
        rows = list(first_rows(dialect, lines))
    cells = [row for _, row in rows]
    filled = next((number for number, row in enumerate(cells) if row), None)
    if filled is None and (rows or over):
        raise OptionError(
            "header_row",
            InputError(
                "{name} has no more lines below line {line}. Say another one with --header-row or --skip.",
                name=name,
                line=over + above,
            ),
        )
    if filled is None:
        raise OptionError(
            "quote", InputError("{name}: the first line is too long to be read. Check its quotation marks.", name=name)
        )
    header = not reading.columns or reading.header_row > 0
    told = reading.header_row > 0 or not header
    if not header:  # the first row that has as many cells as there are names
        filled = next((row for row, found in enumerate(cells) if len(found) == len(reading.columns)), filled)
    place = TableStart(filled, tuple(cells[filled])) if told else table_start(cells, judge)
    upper = place.row - place.joined
    top = over + (rows[upper - 1][0] if upper else 0)
    line = over + rows[place.row][0] if header else top
    with file.open(encoding="utf-8-sig", newline="") as lines:
        first = list(islice(lines, line + _DRAWN))
    higher = [each for each in first[:top] if each.strip() and not is_rule(each)]
    return _Head(
        top=over + (rows[place.row - 1][0] if place.row else 0),
        line=line,
        header=header,
        names=header_of(_named(place, cells), reading.columns, name, sure=reading.header_row > 0),
        written=tuple(cell.strip() for cell in cells[place.row]) if header else (),
        passed=max(len(higher) - int(dialect.hint), 0),
        joined=place.joined,
        drawn=dialect.framed or any(map(is_rule, first)),
        uneven=any(each.count(dialect.quote) % 2 for each in first[:top]),
    )


def _named(start: TableStart, cells: Sequence[Sequence[str]]) -> Sequence[str]:
    """The names without blank ones at the end that no row below has a cell for."""
    below = (len(row) for row in cells[start.row + 1 :])
    used = (number for number, each in enumerate(start.names, start=1) if each.strip())
    return start.names[: max([*used, *below], default=0) or None]


@dataclass(frozen=True)
class _Text:
    """A text as its first lines show it."""

    file: Path
    name: str
    folder: Path
    reading: Reading
    written: Rewritten
    dialect: Dialect
    head: _Head

    def source(self) -> Source:
        """The source that reads it where it lies, or rewritten where its first lines are drawn like a table."""
        dialect, head, written = self.dialect, self.head, self.written
        marks = dialect.quote != '"' or QUOTE in written.marks
        tabs = TAB in written.marks and dialect.separator != " " and (dialect.separator != "\t" or marks)
        plain = Source(
            name=self.name,
            columns=head.names,
            relation=self._relation(),
            fingerprint=written.fingerprint,
            locate=self._locate,
            notes=self._notes(),
            encoding=written.encoding,
            separator=dialect.separator,
            above=written.above,
            file=str(self.file),
            size=self.file.stat().st_size,
            lines=_about_lines(self.file),
            blanks=" " + "\t" * tabs + "\n" * marks + "\u00a0" * (NO_BREAK in written.marks),
            kind="text",
            header_row=head.line + written.above if head.header else 0,
            skip=0 if head.header else head.line + written.above,
            quote=dialect.quote,
            escape=dialect.escape or dialect.quote,
            header=head.written,
        )
        plain = replace(plain, mend=lambda: self._mended(plain))
        return self._mended(plain) if head.drawn or head.uneven else plain

    def _relation(self) -> str:
        dialect = self.dialect
        newline = "\n" if dialect.separator == " " else self.written.newline
        options = {
            "header": str(self.head.header).lower(),
            "skip": str(self.head.top),
            "delim": quoted(dialect.mark.replace("\t", "\\t")),
            "quote": quoted(dialect.quote),
            "escape": quoted(dialect.escape or dialect.quote),
            "new_line": quoted(newline.replace("\r", "\\r").replace("\n", "\\n")),
        }
        types = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(self.head.names)))
        told = ", ".join(f"{option} = {value}" for option, value in options.items())
        return f"read_csv({quoted(str(self.file))}, auto_detect = false, {told}, columns = {{{types}}})"

    def _locate(self, line: int) -> str:
        head, above = self.head, self.written.above
        with self.file.open(encoding="utf-8-sig", newline="") as lines:
            below = islice(lines, head.line, None)
            reader = self.dialect.records(below)
            try:
                next(islice((record for record in reader if record), line, None))  # the database skips blank ones too
                return f"line {reader.line_num + head.line + above}"
            except (csv.Error, StopIteration):
                return f"line {line + 1 + head.line + above}"

    def _mended(self, plain: Source) -> Source:
        """The source of the rewritten text, in which broken lines are told apart."""
        target = self.folder / "mended.csv"
        width = len(self.head.names)
        mended(self.file, self.dialect, self.head.line, self.written.above, width, target, self.name)
        return replace(
            plain,
            relation=rewritten_lines(target, width),
            locate=lambda line: where(target, line),
            file=str(target),
            broken=True,
            mend=None,
        )

    def _notes(self) -> tuple[str, ...]:
        dialect, head, written = self.dialect, self.head, self.written
        notes = []
        if dialect.separator != "," or written.encoding not in ("utf-8", "utf-8-sig"):
            notes.append(
                message(
                    "Read as {encoding}, columns parted by {separators}.",
                    encoding=written.encoding,
                    separators=SEPARATORS[dialect.separator],
                )
            )
        if written.encoding == MAC and not self.reading.encoding:
            notes.append(
                message(
                    "Its lines end as on old Macs, and so its letters were read as mac_roman. Where names look wrong, "
                    "say --encoding cp1252."
                )
            )
        if dialect.quote != '"' and not self.reading.quote:
            notes.append(message("Cells are in apostrophes; if that is wrong, say --quote double."))
        if dialect.escape and not self.reading.escape:
            notes.append(
                message(
                    "A backslash before a quotation mark makes it part of the text; if that is wrong, say --escape "
                    "double."
                )
            )
        if head.drawn:
            notes.append(message("Lines drawn with dashes, and the frame of the table, were passed over."))
        if head.joined:
            notes.append(
                message(
                    "The header stands on two lines, down to line {line}, which were put together: {names}.",
                    line=head.line + written.above,
                    names=", ".join(head.names[:12]),
                )
            )
        if head.passed and not head.header:
            notes.append(
                message("The lines above line {line} were passed over.", line=head.line + written.above + 1),
            )
        elif head.passed and not (self.reading.skip or self.reading.header_row):
            notes.append(
                message_number(
                    "The header is on line {line}; {passed} line above it was passed over. If that is "
                    "wrong, say --header-row.",
                    "The header is on line {line}; {passed} lines above it were passed over. If that is "
                    "wrong, say --header-row.",
                    head.passed,
                    line=head.line + written.above,
                    passed=head.passed,
                )
            )
        return tuple(notes)


def _start(text: Path) -> str:
    """The first lines of a text, whole ones unless there is but one."""
    with text.open(encoding="utf-8-sig", newline="") as file:
        start = file.read(_LOOK)
    end = start.rfind("\n")
    return start if len(start) < _LOOK or end < 0 else start[:end]


def _about_lines(text: Path) -> int:
    """How many lines there are if all are as long as the first ones."""
    with text.open("rb") as file:
        start = file.read(_LOOK)
    return round(text.stat().st_size * (start.count(b"\n") or 1) / (len(start) or 1))


def _tabbed(text: Path, target: Path) -> Path:
    """The same lines with a tab for every run of blanks, and none at their ends."""
    with text.open(encoding="utf-8-sig") as lines, target.open("w", encoding="utf-8", newline="") as out:
        while line := lines.readline(_CHUNK):
            out.write("\t".join(line.split()) + "\n")
    return target
