"""Rewriting of a text whose lines are not all alike: what is no line of its table is left out or set aside."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from engines.errors import InputError
from engines.intake.sources.dialects import Dialect
from engines.intake.sources.layout import is_rule
from engines.intake.sources.source import BROKEN, OptionError
from engines.intake.sources.source import text as quoted
from engines.messages import message

_LONGEST = 500_000  # characters of one record
_TOGETHER = 200  # lines of one record
_SHOWN = 60
_ENOUGH = 10_000  # lines after which a text that has more broken lines than others is given up


def mended(text: Path, dialect: Dialect, start: int, above: int, width: int, target: Path, name: str) -> None:
    """Write the lines below the header as plain CSV: their cells, the number of the line, why it is broken.

    Args:
        text: in UTF-8.
        dialect: how it is written.
        start: how many of its lines are above the first line of data.
        above: how many lines of the file are above those of the text.
        width: how many columns there are.
        target: where to write. A broken line has no cells.
        name: of the file, for messages.

    Raises:
        InputError: more lines are broken than not.
    """
    blank = [""] * width
    good = bad = 0
    with text.open(encoding="utf-8-sig", newline="") as file, target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        for number, cells, why in _Records(file, dialect, start, width):
            if cells is None:
                bad += 1
                writer.writerow([*blank, number + above, why])
                if bad > good + _ENOUGH:
                    raise _given_up(name, number + above, why)
            else:
                good += 1
                writer.writerow([*cells, number + above, ""])


def _given_up(name: str, line: int, why: str) -> OptionError:
    error = InputError(
        "{name}: most lines do not fit the header, the last one on line {line} ({why}). Say how they are written with "
        "--separator, --quote, --escape or --header-row.",
        name=name,
        line=line,
        why=why,
    )
    return OptionError("separator", error)


def rewritten_lines(target: Path, width: int) -> str:
    """SQL: the lines of a rewritten text, c0, c1, ... and ``broken``."""
    cells = [f"c{index}" for index in range(width)]
    types = ", ".join(f"'{column}': 'VARCHAR'" for column in (*cells, "line", BROKEN))
    lines = (
        f"read_csv({quoted(str(target))}, auto_detect = false, header = false, delim = ',', quote = '\"', "
        f"escape = '\"', new_line = '\\n', columns = {{{types}}})"
    )
    return f"(select {', '.join((*cells, BROKEN))} from {lines})"  # noqa: S608 - our own names


def where(target: Path, line: int) -> str:
    """Which line of the file a line of a rewritten text was, from 0, and why it is broken."""
    with target.open(encoding="utf-8", newline="") as file:
        record = next(islice(csv.reader(file), line, None), None)
    if record is None:
        return "the last line"
    return f"line {record[-2]} ({record[-1]})" if record[-1] else f"line {record[-2]}"


class _Records:
    """The records of a text, each with the number of its line, its cells, and why it has none."""

    def __init__(self, file: Iterator[str], dialect: Dialect, start: int, width: int) -> None:
        self._lines, self._number = islice(file, start, None), start
        self._again: list[str] = []  # lines that were read ahead
        self._dialect, self._width = dialect, width

    def _next(self) -> str | None:
        line = self._again.pop() if self._again else next(self._lines, None)
        self._number += line is not None
        return line

    def __iter__(self) -> Iterator[tuple[int, list[str] | None, str]]:
        quote, escape, mark = self._dialect.quote, self._dialect.escape, self._dialect.mark
        while (line := self._next()) is not None:
            if line.isspace() or not line or (line[0] in "-=+|_* ─" and is_rule(line)):
                continue
            number = self._number
            if quote in line or (escape and escape in line):
                cells, why = self._quoted(line)
            else:
                cells, why = line.rstrip("\r\n").split(mark), ""
            if cells is not None:
                cells, why = self._fitting(cells, line)
            yield number, cells, why

    def _quoted(self, first: str) -> tuple[list[str] | None, str]:
        """The cells of a line with quotation marks, and of those that follow it within them."""
        ahead: list[str] = []
        record, why = first, message("a quotation mark that is not closed or not doubled: {line}", line=_short(first))
        while True:
            try:
                cells = next(self._dialect.records([record.rstrip("\r\n")], strict=True))
                if not ahead or len(self._dialect.inner(cells)) == self._width:
                    return [cell.replace("\r\n", "\n").replace("\r", "\n") for cell in cells], ""
                break
            except (csv.Error, StopIteration) as error:
                if not ahead and (cells := self._escaped(first)):
                    return cells, ""
                if "unexpected end" not in str(error):
                    break
            more = self._until_quote(ahead)
            if not more or len(record) > _LONGEST:
                break
            record += more
        self._again += reversed(ahead)
        self._number -= len(ahead)
        return None, why

    def _escaped(self, line: str) -> list[str]:
        """The cells of a line with backslashes before quotation marks within quotes; none where that does not fit."""
        if self._dialect.escape or f"\\{self._dialect.quote}" not in line:
            return []
        try:
            cells = next(replace(self._dialect, escape="\\").records([line.rstrip("\r\n")], strict=True))
        except (csv.Error, StopIteration):
            return []
        return cells if len(self._dialect.inner(cells)) == self._width else []

    def _until_quote(self, ahead: list[str]) -> str:
        """The lines up to the next one with a quotation mark; empty where there is none near."""
        found = ""
        while len(ahead) < _TOGETHER and (line := self._next()) is not None:
            ahead.append(line)
            found += line
            if self._dialect.quote in line:
                return found
        return ""

    def _fitting(self, cells: list[str], line: str) -> tuple[list[str] | None, str]:
        cells, width = self._dialect.inner(cells), self._width
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        if len(cells) != width:
            return None, message(
                "{found} columns where the header has {width}: {line}",
                found=len(cells),
                width=width,
                line=_short(line),
            )
        if len(line) > _LONGEST:
            return None, message("it is longer than can be read: {line}", line=_short(line))
        return cells, ""


def _short(line: str) -> str:
    line = line.strip()
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…")
