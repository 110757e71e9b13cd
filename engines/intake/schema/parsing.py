"""Parsing of cells: ids as text, dates as dates, money as whole numbers; lines with unreadable cells are marked."""

from __future__ import annotations

from collections.abc import Mapping

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
    ORDER_TOTAL,
    PRODUCT_ID,
    QUANTITY,
    UNIT_PRICE,
    attribute_column,
    is_attribute,
)
from engines.errors import InputError
from engines.intake.schema.cells import NOT_BLANK, Cell, cells_of, id_of, numbers_of
from engines.intake.schema.dates import parse_dates, plausible, time_zone
from engines.intake.schema.numbers import Sign, find_decimal_sign
from engines.intake.schema.orders import order_facts, shared
from engines.intake.sources.files import Source
from engines.messages import message, message_number
from engines.settings import Reading

PRICE_UNITS = "price_units"  # int64, 1/10,000 of the currency unit
LINE = "line"
LINE_HASH = "line_hash"
UNREADABLE = "unreadable"  # the field with a cell that cannot be read, else null

_IDS = (CUSTOMER_ID, ORDER_ID, PRODUCT_ID)
_WORDS = (DESCRIPTION, COUNTRY, CURRENCY)
_OF_ORDERS = (
    CUSTOMER_ID,
    COUNTRY,
    CURRENCY,
)  # what exports may say once per order, beside date, total and attributes
MONEY_LIMIT = 9e18  # what an int64 of units holds, with a margin


def parse_lines(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    chosen: Mapping[str, int],
    reading: Reading,
    *,
    repeated_lines_drop: bool = False,
) -> tuple[str, ...]:
    """Turn the table ``raw`` into the table ``lines``: one row per line that is not blank, with typed columns.

    Columns: line, line_hash, unreadable, customer_id, order_id, order_date, quantity, price_units, amount_units,
    product_id, description, country, currency, and one for each attribute; null where the source has no such field.
    Money is exact: quantity times price as decimals, rounded to 1/10,000 of the currency unit. ``unreadable`` is the
    field that cannot be read on a line, whose money then counts as 0. Totals of orders are divided among their lines,
    of which exact repetitions get nothing if ``repeated_lines_drop``. ``raw`` stays. Gives notes.

    Raises:
        InputError: no lines, a choice that only the user can make, or too many cells that cannot be read, named by
            file, column, line and value.
    """
    cells = cells_of(connection, source, chosen)
    total, blank = connection.execute("select count(*), count(*) filter (blank) from raw").fetchall()[0]
    if total == blank:
        raise InputError("{name} has a header but no lines. Give one that has some.", name=source.name)
    notes: tuple[str, ...] = (message("{blank} blank lines were passed over.", blank=blank),) if blank else ()

    numbers = numbers_of(cells)
    decimal = find_decimal_sign(connection, numbers, NOT_BLANK, reading)
    notes += decimal.notes
    attributes = tuple(attribute_column(field) for field in cells if is_attribute(field))
    money = next((field for field in (AMOUNT, ORDER_TOTAL, UNIT_PRICE) if field in cells), UNIT_PRICE)
    _make_cells(connection, cells, money, decimal.sign)

    whole_order: tuple[str, ...] = ()
    totals = False
    if ORDER_ID in cells:
        may_be = (ORDER_DATE, *(field for field in _OF_ORDERS if field in cells), *attributes)
        columns = {attribute_column(field) if is_attribute(field) else field: cells[field].column for field in cells}
        facts = order_facts(connection, may_be, money, columns)
        whole_order, totals = facts.filled, facts.total
        notes += facts.notes
    elif money == ORDER_TOTAL:
        notes += (
            message("Without order_id every line was taken for an order of its own, and its total for its amount."),
        )

    when = cells[ORDER_DATE]
    if not when.is_moment:
        notes += parse_dates(connection, ORDER_DATE, "cells", reading, source.name, when.column)
    _make_lines(connection, cells, reading, whole_order, totals, attributes, repeated_lines_drop)
    notes += _set_aside(connection, source, cells, reading)
    _refuse_uncountable(connection, source)
    connection.execute("drop table cells; drop table if exists dates; drop table if exists orders")
    return notes


def _make_cells(connection: duckdb.DuckDBPyConnection, cells: Mapping[str, Cell], money: str, sign: Sign) -> None:
    """The table ``cells``: ids and words as text, the date as it comes, quantity and money as decimals."""
    texts = {field: cells[field].text if field in cells else "cast(null as varchar)" for field in (*_IDS, *_WORDS)}
    texts |= {attribute_column(field): cells[field].text for field in cells if is_attribute(field)}
    rest = ", ".join(name for name in texts if name not in _IDS)
    quantity = cells[QUANTITY].number(6, sign) if QUANTITY in cells else "cast(null as decimal(18, 6))"
    blank = f"{cells[QUANTITY].text} is null" if QUANTITY in cells else "true"
    when = cells[ORDER_DATE]
    connection.execute(
        f"""create or replace table cells as
        select {LINE}, {LINE_HASH}, {", ".join(map(id_of, _IDS))}, {rest}, {ORDER_DATE}, quantity, no_quantity, money
        from (
            select rowid as {LINE}, {LINE_HASH}, {", ".join(f"{sql} as {name}" for name, sql in texts.items())},
                {when.sql if when.is_moment else when.text} as {ORDER_DATE},
                {quantity} as quantity, {blank} as no_quantity, {cells[money].number(4, sign)} as money
            from raw where not blank)"""  # noqa: S608 - built from column positions only
    )


def _make_lines(
    connection: duckdb.DuckDBPyConnection,
    cells: Mapping[str, Cell],
    reading: Reading,
    whole_order: tuple[str, ...],
    totals: bool,
    attributes: tuple[str, ...],
    repeated_lines_drop: bool,
) -> None:
    """The table ``lines``, from the tables ``cells``, ``dates`` and ``orders``."""
    when = cells[ORDER_DATE]
    zone = time_zone(reading)
    zoned = f"timezone('{zone}', cast({ORDER_DATE} as timestamptz))"
    moment = zoned if when.has_zone else f"cast({ORDER_DATE} as timestamp)"
    date = plausible(moment) if when.is_moment else "dates.parsed"
    join_dates = "" if when.is_moment else f"left join dates on dates.written = {ORDER_DATE}"
    filled = ", ".join(f"coalesce(cells.{name}, orders.{name}) as {name}" for name in whole_order)
    filling = f"* replace ({filled}) from cells left join orders using ({ORDER_ID})" if filled else "* from cells"

    priced = UNIT_PRICE in cells and AMOUNT not in cells and ORDER_TOTAL not in cells
    money = next(field for field in (AMOUNT, ORDER_TOTAL, UNIT_PRICE) if field in cells)
    needed_quantity = "true" if priced else "not no_quantity"  # where amounts are known, nobody needs every quantity
    unread = {ORDER_DATE: "moment is null"}
    if QUANTITY in cells:
        unread[QUANTITY] = f"quantity is null and {needed_quantity}"
    unread[money] = "money is null"
    if totals:  # one order cannot have two totals
        each = f"partition by {ORDER_ID}, case when {ORDER_ID} is null then {LINE} end"
        unread[money] += f" or min(money) over ({each}) <> max(money) over ({each})"
    reasons = " ".join(f"when {condition} then '{field}'" for field, condition in unread.items())

    # An exact product, which the last cast rounds to whole units; DuckDB would keep 18 digits of two such numbers.
    units = f"cast(cast(money as decimal(28, 4)) * cast({MONEY_SCALE} as decimal(5, 0)) as bigint)"
    product = "try_cast(cast(quantity as decimal(19, 6)) * cast(units as decimal(19, 0)) as bigint)"
    amount = product if priced else "part" if totals else "units"
    repeated = f"row_number() over (partition by {LINE_HASH} order by {LINE}) > 1" if repeated_lines_drop else "false"
    placed = (
        f"(select *, case when {UNREADABLE} is not null then 2 when quantity <= 0 or {repeated} then 1 else 0 end "  # noqa: S608
        "as place from marked)"
    )
    connection.execute(
        f"""create or replace table lines as
        with filled as (select {filling}),
        dated as (select filled.*, {date} as moment, {units} as units from filled {join_dates}),
        marked as (select *, case {reasons} end as {UNREADABLE} from dated)
        select {LINE}, {LINE_HASH}, {UNREADABLE}, {CUSTOMER_ID}, {ORDER_ID}, moment as {ORDER_DATE},
            cast(quantity as double) as {QUANTITY},
            {"case when unreadable is null then units end" if priced else "cast(null as bigint)"} as {PRICE_UNITS},
            case when {UNREADABLE} is null then {amount} else 0 end as {AMOUNT_UNITS},
            {PRODUCT_ID}, {", ".join((*_WORDS, *attributes))}
        from {f"({shared('units', placed)})" if totals else "marked"}"""  # noqa: S608 - built from column positions only
    )


def _set_aside(
    connection: duckdb.DuckDBPyConnection, source: Source, cells: Mapping[str, Cell], reading: Reading
) -> tuple[str, ...]:
    """A note on the lines with cells that were not understood, for each field.

    Raises:
        InputError: they are more than the share that may be set aside; the field with most of them is told.
    """
    lines, unread = connection.execute(f"select count(*), count({UNREADABLE}) from lines").fetchall()[0]  # noqa: S608
    if not unread:
        return ()
    counts = dict(connection.execute(f"select {UNREADABLE}, count(*) from lines group by 1").fetchall())  # noqa: S608
    notes = []
    fields = (ORDER_DATE, QUANTITY, AMOUNT, ORDER_TOTAL, UNIT_PRICE)
    for field in sorted((field for field in fields if field in counts), key=lambda field: -counts[field]):
        cell, count = cells[field], counts[field]
        found = connection.execute(
            f"select lines.{LINE}, {cell.text} from lines join raw on raw.rowid = lines.{LINE} "  # noqa: S608
            f"where lines.{UNREADABLE} = '{field}' order by 1 limit 3"
        ).fetchall()
        cited = ", ".join(
            f"{source.locate(line)} ({'blank' if value is None else repr(_short(value))})" for line, value in found
        )
        more = f" and {count - len(found):,} more" if count > len(found) else ""
        kinds = {ORDER_DATE: message("a date"), ORDER_TOTAL: message("the one total of an order")}
        what = kinds.get(field, message("a number"))
        if unread > lines * reading.unreadable_share:
            raise InputError(
                "{name}: column {column!r} ({field}) cannot be read as {what} on {cited}{more}. Mend or "
                "remove these lines, or map another column with --map {field}=COLUMN; up to "
                "{unreadable_share:.3g} of the lines are set aside (unreadable_share in [reading]), and "
                "{unread:,} of {lines:,} are more.",
                name=source.name,
                column=cell.column,
                field=field,
                what=what,
                cited=cited,
                more=more,
                unreadable_share=reading.unreadable_share,
                unread=unread,
                lines=lines,
            )
        notes.append(
            message_number(
                "{count:,} line was set aside, because column {column!r} ({field}) cannot be read as {what}: "
                "{cited}{more}.",
                "{count:,} lines were set aside, because column {column!r} ({field}) cannot be read as {what}: "
                "{cited}{more}.",
                count,
                count=count,
                column=cell.column,
                field=field,
                what=what,
                cited=cited,
                more=more,
            )
        )
    return tuple(notes)


def _refuse_uncountable(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    over = connection.execute(f"select {LINE} from lines where {AMOUNT_UNITS} is null order by 1 limit 1").fetchone()  # noqa: S608
    if over:
        raise InputError(
            "{name}: quantity times price is too large to count on {over}.",
            name=source.name,
            over=source.locate(over[0]),
        )
    size = connection.execute(f"select sum(abs(cast({AMOUNT_UNITS} as double))) from lines").fetchall()[0][0]  # noqa: S608
    if size >= MONEY_LIMIT:
        raise InputError(
            "{name}: its money adds up to more than can be counted exactly; check the price column.", name=source.name
        )


def _short(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:40]}…"
