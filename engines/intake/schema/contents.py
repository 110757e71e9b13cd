"""Kind of values in a column (dates, numbers, ids, words), judged by the first lines of a source."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import duckdb

from engines.intake.schema.date_words import looks_like_date
from engines.intake.schema.numbers import looks_like_number
from engines.intake.schema.signs import PLAIN_IN_CELLS
from engines.intake.schema.words import flag, kind_of_status, says_what_became
from engines.intake.sources.files import Source

_MONTH = r"[^\W\d_]{3,12}\.?"
_SEPARATOR = r"[-/. ,]+"
_TIME = r"\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?(?:\s?[ap]\.?m\.?)?"
_DATE = re.compile(
    rf"(?:[^\W\d_]{{2,9}}\.?,?\s+)?(?:\d{{4}}{_SEPARATOR}\d{{1,2}}{_SEPARATOR}\d{{1,2}}\.?"
    rf"|\d{{1,2}}[-/.]\s?\d{{1,2}}[-/.]\s?(?:\d{{4}}|\d{{2}})|(?:19|20)\d{{2}}[01]\d[0-3]\d"
    rf"|\d{{1,2}}\.?{_SEPARATOR}(?:de )?{_MONTH}{_SEPARATOR}(?:de )?(?:\d{{4}}|\d{{2}})"
    rf"|{_MONTH}{_SEPARATOR}\d{{1,2}}{_SEPARATOR}\d{{4}}"
    rf"|\d{{4}}{_SEPARATOR}{_MONTH}{_SEPARATOR}\d{{1,2}}|\d{{4}}年\d{{1,2}}月\d{{1,2}}日)"
    r"(?:[T ,]\s*\d{1,2}[:h時时. ].*)?",
    re.IGNORECASE,
)
_CLOCK = re.compile(_TIME, re.IGNORECASE)
_EPOCH = re.compile(r"1\d{9}(?:\d{3})?(?:\.\d+)?")
_MONEY = rf"(?:{PLAIN_IN_CELLS}|[A-Z]{{3}})"
_NUMBER = re.compile(
    rf"\(?\s*[-+−]?\s*{_MONEY}?\s*[-+−]?\s*\d[\d.,'’\s\u00a0\u202f]*(?:[eE][-+]?\d+)?\s*-?\s*{_MONEY}?\s*\)?"
)
_FRACTION = re.compile(r"\d[.,]\d{1,2}(?!\d)")
_PRICE = re.compile(r"\d[.,](?!0+(?!\d))\d{1,4}\s*\W*$|[$£€¥₹₽₺₩]|^\W*\d+[.,]00\W*$")
_FEW = 20  # different words that a column of statuses has at most


@dataclass(frozen=True)
class Look:
    """What a sample of a column looks like; shares are of the cells that are not blank, 0 to 1.

    ``examples``: the first three different values. ``fractions``: of values with one or two digits after a
    decimal sign. ``distinct``: of different values. ``times``: of times of the day. ``prices``: of numbers with cents
    or a sign of money. ``cells``: the sample itself, None where blank.
    """

    filled: int
    examples: tuple[str, ...]
    dates: float
    epochs: float
    numbers: float
    fractions: float
    distinct: float
    times: float = 0.0
    prices: float = 0.0
    cells: tuple[str | None, ...] = ()

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The different values where these are few, as of a status or a kind; empty where they are many."""
        different = tuple(dict.fromkeys(value for value in self.cells if value))
        return different if len(different) <= min(_FEW, max(self.filled * 0.7, 6)) else ()

    @cached_property
    def has_digits(self) -> bool:
        """Whether at least half of the cells have a digit, as numbers do however they are written."""
        return sum(any(map(str.isdigit, cell)) for cell in self.cells if cell) >= 0.5 * self.filled

    @cached_property
    def status(self) -> float:
        """How many of the cells say what became of an order, where the values are few words."""
        return self._share(says_what_became)

    @cached_property
    def documents(self) -> float:
        """How many of the cells name a kind of document or line that is known, where the values are few words."""
        return self._share(lambda word: bool(kind_of_status(word, document=True)))

    @cached_property
    def flags(self) -> float:
        """How many of the cells are yes or no."""
        return self._share(lambda word: flag(word) is not None)

    def _share(self, fits: Callable[[str], bool]) -> float:
        good = {word for word in self.words if fits(word)}
        return sum(value in good for value in self.cells) / max(self.filled, 1)

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
        dates=sum(_DATE.fullmatch(value) is not None or looks_like_date(value) for value in filled) / count,
        epochs=share(_EPOCH),
        numbers=sum(looks_like_number(value, _NUMBER) for value in filled) / count,
        fractions=sum(_FRACTION.search(value) is not None for value in filled) / count,
        distinct=len(different) / count,
        times=share(_CLOCK),
        prices=sum(_PRICE.search(value) is not None for value in filled if _NUMBER.fullmatch(value)) / count,
        cells=tuple(values),
    )


def head(source: Source, connection: duckdb.DuckDBPyConnection, lines: int = 1000) -> list[tuple[str | None, ...]]:
    """The first lines of a source as trimmed text, None where blank.

    Raises:
        InputError: as :meth:`Source.at_hand`.
    """
    cells = ", ".join(f"nullif(trim(cast(c{place} as varchar)), '')" for place in range(len(source.columns)))
    with source.at_hand(connection):
        return connection.execute(f"select {cells} from {source.relation} limit {lines}").fetchall()  # noqa: S608
