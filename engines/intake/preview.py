"""A first look at a source before it is read: its columns and first lines, what they seem to hold, and what to ask."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from engines.intake.mapping import Guess


@dataclass(frozen=True)
class SourceFacts:
    """What the source is. ``kind``: text, workbook, Parquet, database, built in. Empty where it does not apply."""

    name: str
    kind: str
    encoding: str = ""
    separator: str = ""
    sheets: tuple[str, ...] = ()


@dataclass(frozen=True)
class ColumnLook:
    """A column with up to three different example values; ``kind``: date, number, text or empty."""

    name: str
    kind: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Option:
    """One answer to a question: the value to give for ``Choice.setting``, in words, with an example from the source."""

    value: str
    words: str
    example: str


@dataclass(frozen=True)
class Choice:
    """What the user has to say, because the source does not.

    ``kind``: ``date_order``, ``decimal``, ``mapping`` (a mapped column that is not there, or two fields that exclude
    each other) or ``field`` (one that is needed and not found). ``field``, ``column``: what it is about, empty where
    there is none. ``setting``: the parameter that answers it: ``reading.date_order``, ``reading.decimal`` or
    ``mapping``. ``question``: one sentence. ``options``: the answers; empty where any column may be named.
    ``needed``: False where a default is taken without an answer, or where lines not yet looked at may decide.
    """

    kind: str
    field: str
    column: str
    setting: str
    question: str
    options: tuple[Option, ...] = ()
    needed: bool = True


@dataclass(frozen=True)
class Missing:
    """A field that no column holds, whether it is needed, and what follows without it."""

    field: str
    needed: bool
    effect: str


@dataclass(frozen=True)
class Preview:
    """A source as it looks from its first lines.

    ``lines``: cells as text in the order of ``columns``, None where blank. ``lines_seen``: how many lines the guesses
    are made from; ``whole``: whether these are all. ``usable``: nothing that is needed is missing or must be chosen.
    """

    source: SourceFacts
    columns: tuple[ColumnLook, ...]
    guesses: tuple[Guess, ...]
    lines: tuple[tuple[str | None, ...], ...]
    lines_seen: int
    whole: bool
    problems: tuple[Choice, ...]
    missing: tuple[Missing, ...]
    notes: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether the source can be read as things stand."""
        return not any(problem.needed for problem in self.problems) and not any(item.needed for item in self.missing)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: the fields by name, and ``usable``."""
        return {**asdict(self), "usable": self.usable}
