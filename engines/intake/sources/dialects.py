"""Separator, quotation mark and escape sign of a delimited text, as its first lines or the user say."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from engines.errors import InputError
from engines.intake.sources.layout import is_rule
from engines.intake.sources.source import OptionError
from engines.settings import Reading

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
_SIGNS = ",;\t|"
_LINES = 50  # how many of the first lines are looked at
_HINT = re.compile(r"sep=(.)", re.IGNORECASE)
_APART = 0.75  # the share of lines that begin and end with a bar, where bars are the frame of a table


@dataclass(frozen=True)
class Dialect:
    """How the cells of a text are written.

    ``escape``: what stands before a quotation mark within quotes; empty where that is doubled. ``framed``: every line
    begins and ends with a separator. ``hint``: the first line says the separator, as ``sep=;``.
    """

    separator: str
    quote: str = '"'
    escape: str = ""
    framed: bool = False
    hint: bool = False

    @property
    def mark(self) -> str:
        """The sign between two cells, once blanks have become tabs."""
        return "\t" if self.separator == " " else self.separator

    def records(self, lines: Iterable[str], *, strict: bool = False) -> Any:
        """A reader of csv for these lines."""
        return csv.reader(
            lines,
            delimiter=self.mark,
            quotechar=self.quote,
            doublequote=not self.escape,
            escapechar=self.escape or None,
            strict=strict,
        )

    def inner(self, cells: list[str]) -> list[str]:
        """The cells of a line without the frame and the blanks that fill them up to it."""
        if not self.framed:
            return cells
        last = len(cells) - (cells[-1].strip() == "" and len(cells) > 1)
        return [cell.strip() for cell in cells[cells[0].strip() == "" : last]]


def dialect_of(start: str, reading: Reading) -> Dialect:
    """How a text is written that begins so.

    Raises:
        InputError: a separator or marks that cannot be.
    """
    lines = [line for line in start.splitlines() if line.strip()]
    hint = _HINT.fullmatch(lines[0].strip('\ufeff\r\n"')) if lines else None
    separator = reading.separator or (hint[1] if hint and hint[1] in SEPARATORS else "")
    if hint:
        lines = lines[1:]
        start = "\n".join(lines)
    quote = reading.quote or _quote(lines)
    if not separator:
        bare = re.sub(f"{quote}[^{quote}]*{quote}", "", start)
        # where every cell is quoted, nothing but separators is left of a line, and these may be tabs
        separator = _separator([line for line in bare.splitlines() if line.strip(" ") and not is_rule(line)][:_LINES])
    if separator not in SEPARATORS:
        raise OptionError(
            "separator",
            InputError(
                "The separator {separator!r} is not known; say comma, semicolon, tab, pipe or space.",
                separator=separator,
            ),
        )
    if separator in (quote, reading.escape):
        raise OptionError("quote", InputError("The separator, --quote and --escape must be different signs."))
    if reading.escape:
        escape = "" if reading.escape == quote else reading.escape
    else:
        escape = "\\" if _escaped(lines[:_LINES], separator, quote) else ""
    ruled = [line.strip() for line in lines[:_LINES] if not is_rule(line)]
    framed = separator == "|" and sum(line[:1] == line[-1:] == "|" for line in ruled) > _APART * len(ruled)
    return Dialect(separator, quote, escape, framed, hint is not None)


def first_rows(dialect: Dialect, lines: Iterable[str], most: int = _LINES) -> Iterator[tuple[int, list[str]]]:
    """The first records that are not drawn, each with the number of its last line, from 1; blank ones are empty."""
    reader = dialect.records(lines)
    try:
        for cells in islice(reader, most):
            drawn = is_rule(dialect.mark.join(cells))
            yield reader.line_num, [] if drawn else dialect.inner(cells) if cells else cells
    except csv.Error:  # a field that is too long: what came before it says how the text is written
        return


def _separator(sample: Sequence[str]) -> str:
    """The sign that stands equally often on most lines; blanks where there is none."""
    if not sample:
        return ","

    def fits(sign: str) -> tuple[int, int]:
        counts = Counter(count for line in sample if (count := line.count(sign)))
        return max(((lines, count) for count, lines in counts.items()), default=(0, 0))

    best = max(_SIGNS, key=fits)
    if not any(sign in sample[0] for sign in _SIGNS) and fits(best)[0] < len(sample) - 1:
        words = {len(line.split()) for line in sample}
        return " " if len(sample) > 1 and words != {1} and len(words) == 1 else best
    return best


def _quote(lines: Sequence[str]) -> str:
    """The apostrophe where the cells of the first lines are all in apostrophes, else the quotation mark."""
    quoted = re.compile(r"'[^']*'([,;\t|] ?'[^']*')+")
    first = [line.strip() for line in lines[:3]]
    return "'" if first and all(quoted.fullmatch(line) for line in first) else '"'


def _escaped(lines: Sequence[str], separator: str, quote: str) -> bool:
    """Whether a backslash stands before quotation marks that belong to the text."""
    if not any(f"\\{quote}" in line for line in lines):
        return False
    usual = Counter(len(cells) for _, cells in first_rows(Dialect(separator, quote), lines))
    other = Counter(len(cells) for _, cells in first_rows(Dialect(separator, quote, "\\"), lines))
    alike, better = (max(counts.values(), default=0) / max(counts.total(), 1) for counts in (usual, other))
    if alike != better:
        return better > alike
    inside = re.compile(rf"\\{quote}[^{re.escape(separator)}{quote}\s]")
    return any(inside.search(line) for line in lines)
