"""Where the table of a source begins: below title lines and lines of dashes, with one or two rows of names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engines.intake.sources.source import is_date

#: How much the names of columns look like those of sales: the higher, the more.
Judge = Callable[[Sequence[str]], int]
Row = Sequence[str | None]

_MONEY = r"(?:[A-Za-z]{1,3}|[$£€¥₹₽₺₩]|R\$)?"
_NUMBER = re.compile(rf"\(?[-+−']*\s*{_MONEY}\s*[-+−]?[0-9][0-9.,'’\s\u00a0\u202f]*\s*[-−%]?\s*{_MONEY}\)?")
_RULE = re.compile(r"(?=.*(?:---|===|___|\*\*\*|───))[-=+|_*:. \t─│┼├┤]+")
_LONG = 5_000  # characters: no line is drawn so long, and no number or date written
_FULL = 0.5  # the share of its columns that a row of names or data has at least


def unjudged(names: Sequence[str]) -> int:
    """A judge that knows no names."""
    return 0


@dataclass(frozen=True)
class TableStart:
    """Where the names of the columns stand.

    ``row``: the last row of names, from 0. ``names``: of the columns. ``joined``: they are put together of the row and
    the one above it.
    """

    row: int
    names: tuple[str, ...]
    joined: bool = False


def is_rule(line: str) -> bool:
    """Whether a line is drawn with dashes and bars, and holds nothing."""
    return len(line) < _LONG and _RULE.fullmatch(line.strip()) is not None


def table_start(rows: Sequence[Row], judge: Judge = unjudged) -> TableStart:
    """Where the table begins among the first rows of a source; the first row that is not blank where nothing is better.

    The names stand over the first rows of data, which have numbers or dates in them. Among the rows above those, the
    one is taken that names most fields of sales, then the one with most cells. Two rows of names, the upper one for
    groups of columns, are put together where that names more.
    """
    cells = [[_text(cell) for cell in row] for row in rows]
    filled = [sum(cell != "" for cell in row) for row in cells]
    first = next((number for number, count in enumerate(filled) if count), 0)
    widths = Counter(_width(row) for row, count in zip(cells, filled, strict=True) if count > 1)
    if not widths:
        return TableStart(first, tuple(cells[first]) if cells else ())
    most = max(widths.values())
    width = max(each for each, count in widths.items() if count == most)
    full = [count >= max(2, width * _FULL) for count in filled]
    data = [enough and _is_data(row) for enough, row in zip(full, cells, strict=True)]
    body = _first_of_data(data, filled)
    if body is None or body == first:
        start = next((number for number, row in enumerate(cells) if body is None and _width(row) == width), first)
        return TableStart(start if filled[first] < 2 else first, tuple(cells[start if filled[first] < 2 else first]))
    named = [number for number in range(first, body) if full[number] and not data[number]]
    if not named:
        return TableStart(body, tuple(cells[body]))

    def worth(number: int) -> tuple[int, int, int]:
        return judge(cells[number]), filled[number], -number

    best = max(named, key=worth)
    pairs = [(upper, upper + 1) for upper in (best - 1, best) if upper in named and upper + 1 in named]
    place, score = TableStart(best, tuple(cells[best])), judge(cells[best])
    for upper, lower in pairs:
        names = _joined(cells[upper], cells[lower], judge)
        if names != tuple(cells[lower]) and judge(names) > score:
            place, score = TableStart(lower, names, joined=True), judge(names)
    return place


def _text(cell: str | None) -> str:
    return " ".join((cell or "").split())


def _width(row: Sequence[str]) -> int:
    """How many cells a row has without blank ones at its end."""
    return max((number for number, cell in enumerate(row, start=1) if cell), default=0)


def _is_data(row: Sequence[str]) -> bool:
    """Whether a row holds sales rather than names: a date, or numbers."""
    filled = [cell for cell in row if cell and len(cell) < _LONG]
    numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in filled)
    return any(map(is_date, filled)) or numbers >= 2 or 0 < len(filled) <= 2 * numbers


def _first_of_data(data: Sequence[bool], filled: Sequence[int]) -> int | None:
    """The first row of data that another one follows, or the first of all; None for no row of data."""
    found = [number for number, each in enumerate(data) if each]
    for number in found:
        below = next((row for row in range(number + 1, len(filled)) if filled[row]), None)
        if below is not None and data[below]:
            return number
    return found[0] if found else None


def _joined(upper: Sequence[str], lower: Sequence[str], judge: Judge) -> tuple[str, ...]:
    """The lower names, each with that of its group before it where more fields of sales are named so."""
    groups, group = [], ""
    for number in range(len(lower)):
        group = (upper[number] if number < len(upper) else "") or group
        groups.append(group)
    names = [own or group for own, group in zip(lower, groups, strict=True)]
    for number, own in enumerate(lower):
        both = [*names[:number], f"{groups[number]} {own}".strip(), *names[number + 1 :]]
        if judge(both) > judge(names):
            names = both
    return tuple(names)
