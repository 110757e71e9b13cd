"""From cells to values: ids as text, dates as dates, money as whole numbers; what cannot be read is refused by line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from engines.columns import (
    AMOUNT,
    AMOUNT_UNITS,
    COUNTRY,
    CURRENCY,
    CUSTOMER_ID,
    DESCRIPTION,
    MONEY_SCALE,
    ORDER_DATE,
    ORDER_ID,
    PRODUCT_ID,
    QUANTITY,
    UNIT_PRICE,
)
from engines.errors import InputError
from engines.intake.dates import parse_dates, plausible
from engines.intake.files import Source

PRICE_UNITS = "price_units"  # int64, 1/10,000 of the currency unit
LINE = "line"
LINE_HASH = "line_hash"

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_FLOATS = ("FLOAT", "DOUBLE")
_NOTHING = ("nan", "null", "none", "n/a", "#n/a")  # how other programs write an id that is not there
MONEY_LIMIT = 9e18  # what an int64 of units holds, with a margin


@dataclass(frozen=True)
class Cell:
    """A mapped column of the table ``raw``: its SQL name, its type in DuckDB and its name in the source."""

    sql: str
    type: str
    column: str

    @property
    def text(self) -> str:
        """SQL: the cell as trimmed text, null when blank; whole numbers without a fraction."""
        if self.type in _FLOATS:
            whole = f"isfinite({self.sql}) and {self.sql} = trunc({self.sql}) and abs({self.sql}) < 1e15"
            integer, fraction = f"cast(cast({self.sql} as bigint) as varchar)", f"cast({self.sql} as varchar)"
            written = f"case when {whole} then {integer} else {fraction} end"
        else:
            written = f"cast({self.sql} as varchar)"
        # Trimming more than spaces is slow, and spaces are nearly always all there is.
        return (
            f"nullif(case when regexp_matches({written}, '[\\t\\r\\n\\x{{a0}}]') "
            f"then trim({written}, ' \t\r\n\u00a0') else trim({written}) end, '')"
        )

    def number(self, decimals: int) -> str:
        """SQL: the cell as DECIMAL(18, decimals), null when it is no such number."""
        numeric = self.type in (*_INTEGERS, *_FLOATS, "DECIMAL")
        return f"try_cast({self.sql if numeric else f'cast({self.sql} as varchar)'} as decimal(18, {decimals}))"


def parse_lines(connection: duckdb.DuckDBPyConnection, source: Source, chosen: Mapping[str, int]) -> tuple[str, ...]:
    """Make of the table ``raw`` the table ``lines``: one row per line that is not blank, with typed columns.

    Columns: line, line_hash, customer_id, order_id, order_date, quantity, price_units, amount_units, product_id,
    description, country, currency; null where the source has no such field. Money is exact: quantity times price
    as decimals, rounded to 1/10,000 of the currency unit. Gives notes.

    Raises:
        InputError: no lines, or cells that cannot be read, named by file, column, line and value.
    """
    types = {row[0]: row[1] for row in connection.execute("describe raw").fetchall()}
    cells = {
        field: cell(f"c{index}", types[f"c{index}"], source.columns[index], source.name)
        for field, index in chosen.items()
    }
    total, blank = connection.execute("select count(*), count(*) filter (blank) from raw").fetchall()[0]
    if total == blank:
        raise InputError(f"{source.name} has a header but no lines.")
    notes: tuple[str, ...] = (f"{blank} blank lines were passed over.",) if blank else ()

    when = cells[ORDER_DATE]
    if when.type.startswith(("TIMESTAMP", "DATE")):
        date, join = plausible(f"try_cast(cast({when.sql} as timestamptz) as timestamp)"), ""  # in UTC
    else:
        notes += parse_dates(connection, when.text, source.name, when.column)
        date, join = "dates.parsed", f"left join dates on dates.written = {when.text}"

    quantity = cells[QUANTITY].number(6) if QUANTITY in cells else "cast(null as decimal(18, 6))"
    written = cells[AMOUNT if AMOUNT in cells else UNIT_PRICE].number(4)
    money = f"cast(cast({written} as decimal(28, 4)) * cast({MONEY_SCALE} as decimal(5, 0)) as bigint)"
    words = {
        field: cells[field].text if field in cells else "cast(null as varchar)"
        for field in (CUSTOMER_ID, ORDER_ID, PRODUCT_ID, DESCRIPTION, COUNTRY, CURRENCY)
    }
    # An exact product, which the last cast rounds to whole units; DuckDB would keep 18 digits of two such numbers.
    price = "cast(null as bigint)" if AMOUNT in cells else "money"
    amount = (
        "money"
        if AMOUNT in cells
        else ("try_cast(cast(quantity as decimal(19, 6)) * cast(money as decimal(19, 0)) as bigint)")
    )
    connection.execute(
        f"""create table lines as
        with read as (
            select raw.rowid as {LINE}, {LINE_HASH}, {date} as {ORDER_DATE}, {quantity} as quantity, {money} as money,
                {", ".join(f"{sql} as {field}" for field, sql in words.items())}
            from raw {join} where not blank)
        select {LINE}, {LINE_HASH}, {id_of(CUSTOMER_ID)}, {id_of(ORDER_ID)}, {ORDER_DATE},
            cast(quantity as double) as {QUANTITY}, {price} as {PRICE_UNITS}, {amount} as {AMOUNT_UNITS},
            {id_of(PRODUCT_ID)}, {DESCRIPTION}, {COUNTRY}, {CURRENCY}
        from read"""  # noqa: S608 - built from column positions only
    )
    _refuse_unreadable(connection, source, cells)
    connection.execute("drop table if exists dates")
    return notes


def id_of(field: str) -> str:
    """SQL: a column of text as an id; 17850.0, as spreadsheets write it, is 17850."""
    nothing = ", ".join(f"'{word}'" for word in _NOTHING)
    plain = f"case when suffix({field}, '0') then regexp_replace({field}, '^([0-9]+)\\.0+$', '\\1') else {field} end"
    return f"case when lower({field}) in ({nothing}) then null else {plain} end as {field}"


def cell(sql: str, kind: str, column: str, source: str) -> Cell:
    """A column of the table ``raw``.

    Raises:
        InputError: it holds lists, records or bytes.
    """
    plain = kind.split("(")[0]
    if kind.endswith("]") or plain in ("STRUCT", "MAP", "UNION", "BLOB"):
        raise InputError(
            f"{source}: column {column!r} holds {plain.lower()} values; it must hold text, numbers or dates."
        )
    return Cell(f"raw.{sql}", plain, column)


def _refuse_unreadable(connection: duckdb.DuckDBPyConnection, source: Source, cells: Mapping[str, Cell]) -> None:
    """Raise for the first field, in the order of a line, with a cell that was not understood."""
    unread = {ORDER_DATE: (f"lines.{ORDER_DATE} is null", "a date")}
    if QUANTITY in cells:  # where amounts are known, nobody needs every quantity
        blank_is_fine = f" and {cells[QUANTITY].text} is not null" if AMOUNT in cells else ""
        unread[QUANTITY] = (f"lines.{QUANTITY} is null{blank_is_fine}", "a number")
    if AMOUNT in cells:
        unread[AMOUNT] = (f"lines.{AMOUNT_UNITS} is null", "a number")
    else:
        unread[UNIT_PRICE] = (f"lines.{PRICE_UNITS} is null", "a number")
    for field, (condition, what) in unread.items():
        cell = cells[field]
        joined = f"from lines join raw on raw.rowid = lines.{LINE} where {condition}"
        found = connection.execute(f"select lines.{LINE}, {cell.text} {joined} order by 1 limit 3").fetchall()
        if found:
            count = connection.execute(f"select count(*) {joined}").fetchall()[0][0]
            cited = ", ".join(
                f"{source.locate(line)} ({'blank' if value is None else repr(_short(value))})" for line, value in found
            )
            more = f" and {count - len(found):,} more" if count > len(found) else ""
            raise InputError(
                f"{source.name}: column {cell.column!r} ({field}) cannot be read as {what} on {cited}{more}. "
                f"Mend or remove these lines, or map another column with --map {field}=COLUMN."
            )
    over = connection.execute(f"select {LINE} from lines where {AMOUNT_UNITS} is null order by 1 limit 1").fetchone()  # noqa: S608
    if over:
        raise InputError(f"{source.name}: quantity times price is too large to count on {source.locate(over[0])}.")
    size = connection.execute(f"select sum(abs(cast({AMOUNT_UNITS} as double))) from lines").fetchall()[0][0]  # noqa: S608
    if size >= MONEY_LIMIT:
        raise InputError(
            f"{source.name}: its money adds up to more than can be counted exactly; check the price column."
        )


def _short(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:40]}…"
