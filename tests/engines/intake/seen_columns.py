"""Tables in a few lines, and how their columns are mapped."""

from __future__ import annotations

from engines.intake.schema.contents import Look, look_at
from engines.intake.schema.mapping import Mapped, check_columns, map_columns


def looks_of(lines: list[str]) -> list[Look]:
    """What the columns of lines look like, whose cells are parted by bars."""
    rows = [line.split("|") for line in lines]
    return [look_at([cell.strip() or None for cell in column]) for column in zip(*rows, strict=True)]


def mapped(header: str, *lines: str, trust_guesses: bool = False, **mapping: str) -> Mapped:
    """How the columns of a table are mapped; it is refused as a reading would refuse it."""
    columns, looks = header.split("|"), looks_of(list(lines))
    found = map_columns(columns, mapping, "a.csv", looks)
    check_columns(columns, mapping, "a.csv", looks, found.guesses, trust_guesses=trust_guesses)
    return found


def fields(found: Mapped) -> dict[str, str]:
    """The column by field."""
    return {guess.field: guess.column for guess in found.guesses}
