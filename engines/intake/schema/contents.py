"""Kind of values in a column (dates, numbers, ids, words), judged by the first lines of a source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from engines.intake.sources.files import Source

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_SEPARATOR = r"[-/. ,]+"
_DATE = re.compile(
    rf"(?:[a-z]{{3,9}},?\s+)?(?:\d{{4}}{_SEPARATOR}\d{{1,2}}{_SEPARATOR}\d{{1,2}}"
    rf"|\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:\d{{4}}|\d{{2}})|(?:19|20)\d{{2}}[01]\d[0-3]\d"
    rf"|\d{{1,2}}{_SEPARATOR}{_MONTH}{_SEPARATOR}(?:\d{{4}}|\d{{2}})|{_MONTH}{_SEPARATOR}\d{{1,2}}{_SEPARATOR}\d{{4}}"
    rf"|\d{{4}}{_SEPARATOR}{_MONTH}{_SEPARATOR}\d{{1,2}})(?:[T ]\s*\d{{1,2}}[: ].*)?",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"1\d{9}(?:\d{3})?(?:\.\d+)?")
_MONEY = r"(?:[A-Z]{3}|\w{0,3}[$£€¥₹₽₺₩]|[$£€¥₹₽₺₩]|R\$|kr\.?|Rs\.?)"
_NUMBER = re.compile(
    rf"\(?\s*[-+−]?\s*{_MONEY}?\s*[-+−]?\s*\d[\d.,'’\s\u00a0\u202f]*(?:[eE][-+]?\d+)?\s*-?\s*{_MONEY}?\s*\)?"
)
_FRACTION = re.compile(r"\d[.,]\d{1,2}(?!\d)")


@dataclass(frozen=True)
class Look:
    """What a sample of a column looks like; shares are of the cells that are not blank, 0 to 1.

    ``examples``: the first three different values. ``fractions``: of values with one or two digits after a
    decimal sign. ``distinct``: of different values.
    """

    filled: int
    examples: tuple[str, ...]
    dates: float
    epochs: float
    numbers: float
    fractions: float
    distinct: float

    @property
    def kind(self) -> str:
        """``date``, ``number``, ``text`` or ``empty``."""
        if not self.filled:
            return "empty"
        return "date" if self.dates > 0.9 else "number" if self.numbers > 0.9 else "text"


def look_at(values: Sequence[str | None]) -> Look:
    """What these cells look like; None is blank."""
    filled = [value for value in values if value]
    count = max(len(filled), 1)

    def share(pattern: re.Pattern[str]) -> float:
        return sum(pattern.fullmatch(value) is not None for value in filled) / count

    different = list(dict.fromkeys(filled))
    return Look(
        filled=len(filled),
        examples=tuple(different[:3]),
        dates=share(_DATE),
        epochs=share(_EPOCH),
        numbers=share(_NUMBER),
        fractions=sum(_FRACTION.search(value) is not None for value in filled) / count,
        distinct=len(different) / count,
    )


def head(source: Source, connection: duckdb.DuckDBPyConnection, lines: int = 1000) -> list[tuple[str | None, ...]]:
    """The first lines of a source as trimmed text, None where blank.

    There are none where they cannot be read: what is wrong with them is said when they are loaded.
    """
    cells = ", ".join(f"nullif(trim(cast(c{place} as varchar)), '')" for place in range(len(source.columns)))
    if source.arrow is not None:
        connection.register("arrow_lines", source.arrow)
    try:
        return connection.execute(f"select {cells} from {source.relation} limit {lines}").fetchall()  # noqa: S608
    except duckdb.Error:
        return []
    finally:
        if source.arrow is not None:
            connection.unregister("arrow_lines")
