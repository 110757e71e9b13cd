"""Cells of mapped columns in the database: their types, and how they become text or numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from engines.columns import (
    AMOUNT,
    COST,
    CUSTOMER_ID,
    DISCOUNT,
    ORDER_TOTAL,
    QUANTITY,
    REFUNDED_AMOUNT,
    UNIT_COST,
    UNIT_PRICE,
)
from engines.errors import InputError
from engines.intake.schema.numbers import Sign, number
from engines.intake.sources.files import Source
from engines.intake.sources.source import BLANKS, text

NO_BREAK = "\u00a0"
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_FLOATS = ("FLOAT", "DOUBLE")
_NOTHING = ("nan", "null", "none", "n/a", "#n/a")  # how other programs write an id that is not there
_LONGEST_NOTHING = max(map(len, _NOTHING))


@dataclass(frozen=True)
class Cell:
    """A mapped column of the relation ``raw``: its SQL name, its type in DuckDB and its name in the source.

    ``blanks``: which its texts may begin or end with.
    """

    sql: str
    type: str
    column: str
    blanks: str = BLANKS

    @property
    def text(self) -> str:
        """SQL: the cell as trimmed text, null when blank; whole numbers without a fraction."""
        if self.type in _FLOATS:
            whole = f"isfinite({self.sql}) and {self.sql} = trunc({self.sql}) and abs({self.sql}) < 1e15"
            integer, fraction = f"cast(cast({self.sql} as bigint) as varchar)", f"cast({self.sql} as varchar)"
            return f"case when {whole} then {integer} else {fraction} end"
        if self.type != "VARCHAR":
            return f"nullif(trim(cast({self.sql} as varchar)), '')"
        # Trimming is slow, and hardly a cell needs it: comparisons of the first and last letters cost next to nothing.
        ends = " or ".join(f"suffix({self.sql}, '{blank}')" for blank in self.blanks)
        begins = f" and not prefix({self.sql}, '{NO_BREAK}')" if NO_BREAK in self.blanks else ""
        trimmed = f"nullif(trim({self.sql}, '{BLANKS}'), '')"
        return f"case when {self.sql} >= '!'{begins} and not ({ends}) then {self.sql} else {trimmed} end"

    @property
    def is_numeric(self) -> bool:
        """Whether the source itself says that these are numbers."""
        return self.type in (*_INTEGERS, *_FLOATS, "DECIMAL")

    @property
    def is_moment(self) -> bool:
        """Whether the source itself says that these are dates."""
        return self.type.startswith(("TIMESTAMP", "DATE"))

    @property
    def has_zone(self) -> bool:
        """Whether the dates are moments whose zone is known."""
        return "ZONE" in self.type or "TZ" in self.type

    def plain_number(self, digits: int, decimals: int, sign: Sign) -> str:
        """SQL: the cell as DECIMAL(digits, decimals) where it is written plainly, as nearly all are; else null."""
        plain = f"try_cast({self.sql} as decimal({digits}, {decimals}))"
        if self.type in _FLOATS:  # the database takes it from a Parquet's statistics that no cell is not a number
            return f"case when isfinite({self.sql}) then {plain} end"
        if self.is_numeric or sign == ".":
            return plain
        return f"case when regexp_full_match({self.sql}, '-?[0-9]+') then {plain} end"

    def number(self, decimals: int, sign: Sign, *, pieces: bool = False) -> str:
        """SQL: the cell as DECIMAL(18, decimals), null when it is no such number; ``pieces``: of which it counts."""
        if self.is_numeric:
            return f"try_cast({self.sql} as decimal(18, {decimals}))"
        return number(self.text, decimals, sign, pieces=pieces)


def not_blank(relation: str) -> str:
    """SQL: the lines of a table or view in which anything stands, under the name that cells have for it."""
    return f"(select * from {relation} where not blank) as raw"  # noqa: S608 - our own names


def cells_of(connection: duckdb.DuckDBPyConnection, source: Source, chosen: Mapping[str, int]) -> dict[str, Cell]:
    """The mapped columns of the relation ``raw``, by field.

    Raises:
        InputError: one of them holds lists, records or bytes.
    """
    types = {row[0]: row[1] for row in connection.execute("describe raw").fetchall()}
    return {
        field: cell(f"c{index}", types[f"c{index}"], source.columns[index], source) for field, index in chosen.items()
    }


def numbers_of(cells: Mapping[str, Cell]) -> tuple[str, ...]:
    """SQL of the texts that are to be numbers."""
    return _texts(cells, (QUANTITY, UNIT_PRICE, AMOUNT, ORDER_TOTAL, REFUNDED_AMOUNT, DISCOUNT, UNIT_COST, COST))


def money_of(cells: Mapping[str, Cell]) -> tuple[str, ...]:
    """SQL of the texts that are to be sums of money."""
    return _texts(cells, (UNIT_PRICE, AMOUNT, ORDER_TOTAL))


def _texts(cells: Mapping[str, Cell], fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(cells[field].text for field in fields if field in cells and not cells[field].is_numeric)


def id_of(field: str) -> str:
    """SQL: a column of text as an id; 17850.0, as spreadsheets write it, is 17850.

    Customers have the same id in whatever case an e-mail address is written, however accents are put together, and with
    one blank where there are several.
    """
    whole = f"case when suffix({field}, '0') then regexp_replace({field}, '^([0-9]+)\\.0+$', '\\1') else {field} end"
    listed = ", ".join(map(text, _NOTHING))
    is_nothing = f"strlen({field}) <= {_LONGEST_NOTHING} and lower({field}) in ({listed})"
    if field != CUSTOMER_ID:
        return f"case when {is_nothing} then null else {whole} end as {field}"
    # Patterns are slow, and hardly an id needs one: ids of digits are asked first.
    composed = f"case when strlen({field}) <> length({field}) then nfc_normalize({field}) else {field} end"
    spaced = f"case when contains({composed}, '  ') then regexp_replace({composed}, ' +', ' ', 'g') else {composed} end"
    folded = f"case when contains({field}, '@') then lower({spaced}) else {spaced} end"
    return (
        f"case when {field} >= '0' and {field} < ':' then {whole} when {is_nothing} then null "
        f"else {folded} end as {field}"
    )


def cell(sql: str, kind: str, column: str, source: Source) -> Cell:
    """A column of the relation ``raw``.

    Raises:
        InputError: it holds lists, records or bytes.
    """
    plain = kind.split("(")[0]
    if kind.endswith("]") or plain in ("STRUCT", "MAP", "UNION", "BLOB"):
        raise InputError(
            "{source}: column {column!r} holds {plain} values; it must hold text, numbers or dates. Map another one.",
            source=source.name,
            column=column,
            plain=plain.lower(),
        )
    return Cell(f"raw.{sql}", plain, column, source.blanks)
