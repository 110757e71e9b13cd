"""Reading of a customer table that has one row per customer already."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from pandas import DataFrame, Index

from engines.columns import CUSTOMER_ID
from engines.errors import InputError
from engines.intake.schema.cells import Cell, cell, id_of
from engines.intake.schema.contents import head, look_at
from engines.intake.schema.likeness import sales_judge
from engines.intake.schema.mapping import guess_columns, may_hold_money, missing_field, needed_but_missing
from engines.intake.sources.files import Source, open_source
from engines.intake.sources.samples import EMBEDDED
from engines.intake.sources.source import mending
from engines.settings import Reading

#: SQL: the text that our own lists put an apostrophe before, so that no spreadsheet takes it for a formula.
_MADE_SAFE = "'^''(''*[=+\\-@\\t\\r])'"


def read_customers(
    source: str,
    needed: Sequence[str],
    *,
    mapping: Mapping[str, str] = {},
    reading: Reading = Reading(),  # noqa: B008 - frozen
) -> DataFrame | None:
    """The customers of a file that has a column ``customer_id`` and all the columns needed; None where it has sales.

    Which of the two it is, its header says: case does not matter, and a file with both is taken for customers, unless
    a field of sales is mapped.

    Args:
        source: the path of a CSV, XLSX or Parquet file; an embedded data set (by name) is sales.
        needed: columns of the customer table, by the names of the data dictionary; all of numbers.
        mapping: column of the source by canonical field; the customer id is the one that customers have.
        reading: what the source does not say itself.

    Returns:
        Indexed by customer id (text) in the order of the file, with the columns needed as float64; a blank cell is NaN,
        yes and no (true and false) are 1 and 0.

    Raises:
        InputError: the file cannot be read; it is neither sales nor has all the columns; a customer without an id or
            there twice; a cell that is not a number. File, column and line are named.
    """
    if source in EMBEDDED or set(mapping) - {CUSTOMER_ID}:
        return None
    with duckdb.connect() as connection, tempfile.TemporaryDirectory(prefix="segmentry-intake-") as folder:
        connection.execute("set autoinstall_known_extensions = false")
        opened = open_source(source, connection, Path(folder), reading, sales_judge(mapping))
        names = [name.casefold() for name in opened.columns]
        wanted = {CUSTOMER_ID: mapping.get(CUSTOMER_ID, CUSTOMER_ID), **{name: name for name in needed}}
        missing = [column for column in wanted.values() if column.casefold() not in names]
        if missing:
            _refuse_unless_sales(connection, opened, missing, needed, mapping)
            return None
        places = {name: names.index(column.casefold()) for name, column in wanted.items()}

        def read(opened: Source) -> DataFrame:
            opened.load(connection, list(places.values()))
            return _read(connection, opened, places)

        return mending(opened, read)


def _refuse_unless_sales(
    connection: duckdb.DuckDBPyConnection,
    opened: Source,
    missing: list[str],
    needed: Sequence[str],
    mapping: Mapping[str, str],
) -> None:
    looks = [look_at(values) for values in zip(*head(opened, connection), strict=True)]
    guesses = guess_columns(opened.columns, mapping, opened.name, looks)
    money = may_hold_money(mapping, looks, guesses)
    gone = needed_but_missing([guess.field for guess in guesses], money=money)
    if not gone:
        return
    needs = missing_field(gone[0], opened.columns, opened.name)
    if len(missing) > len(needed):  # nothing of a table of customers is there: these are sales to be mapped
        raise InputError(needs)
    raise InputError(
        "{name} has no column {missing}. Give a table of customers with customer_id, {needed}, "
        "or their sales ({needs})",
        name=opened.name,
        missing=", ".join(missing),
        needed=", ".join(needed),
        needs=str(needs).partition(": ")[2],
    )


def _read(connection: duckdb.DuckDBPyConnection, opened: Source, places: Mapping[str, int]) -> DataFrame:
    types = {row[0]: row[1] for row in connection.execute("describe raw").fetchall()}
    cells = {
        name: cell(f"c{place}", types[f"c{place}"], opened.columns[place], opened) for name, place in places.items()
    }
    read = ", ".join(f"{_number(each)} as n{place}" for place, each in enumerate(cells.values()) if place)
    written = ", ".join(f"{each.text} as t{place}" for place, each in enumerate(cells.values()) if place)
    safe = f"regexp_replace({cells[CUSTOMER_ID].text}, {_MADE_SAFE}, '\\1')"
    who = f"{cells[CUSTOMER_ID].text if opened.typed else safe} as {CUSTOMER_ID}"
    connection.execute(
        f"create table customers as select line, {id_of(CUSTOMER_ID)}, * exclude (line, {CUSTOMER_ID}) "  # noqa: S608
        f"from (select rowid as line, {who}, {read}, {written} from raw where not blank)"
    )
    total = connection.execute("select count(*) from customers").fetchall()[0][0]
    if not total:
        raise InputError("{name} has a header but no lines. Give one that has some.", name=opened.name)
    _refuse_ids(connection, opened, cells[CUSTOMER_ID].column)
    for place, (name, each) in enumerate(cells.items()):
        if place:
            _refuse_unread(connection, opened, f"t{place} is not null and n{place} is null", f"t{place}", name, each)
    numbers = ", ".join(f"n{place}" for place in range(1, len(cells)))
    ordered = f"select {CUSTOMER_ID}, {numbers} from customers order by line"  # noqa: S608
    table: Any = connection.sql(ordered).to_arrow_table()
    frame: DataFrame = table.drop_columns([CUSTOMER_ID]).to_pandas().astype("float64")
    frame.index = Index(table[CUSTOMER_ID].to_pandas(), dtype="str", name=CUSTOMER_ID)
    return frame.set_axis(list(cells)[1:], axis=1)


def _number(column: Cell) -> str:
    """SQL: the cell as a double; null when blank or no number."""
    if column.type == "BOOLEAN":
        return f"cast({column.sql} as double)"
    flags = "case lower({0}) when 'true' then 1.0 when 'false' then 0.0 when 'yes' then 1.0 when 'no' then 0.0 "
    return flags.format(column.text) + f"else try_cast({column.text} as double) end"


def _refuse_ids(connection: duckdb.DuckDBPyConnection, opened: Source, column: str) -> None:
    blank = connection.execute(
        f"select line from customers where {CUSTOMER_ID} is null order by line limit 1"  # noqa: S608
    ).fetchone()
    if blank:
        raise InputError(
            "{name}: column {column!r} has no id on {line}; add it, or remove the line.",
            name=opened.name,
            column=column,
            line=opened.locate(blank[0]),
        )
    twice = connection.execute(
        f"select {CUSTOMER_ID}, min(line), max(line) from customers group by 1 having count(*) > 1 "  # noqa: S608
        "order by 2 limit 1"
    ).fetchone()
    if twice:
        raise InputError(
            "{name}: customer {customer} is there more than once ({line} and {other}); give one line "
            "for each customer.",
            name=opened.name,
            customer=twice[0],
            line=opened.locate(twice[1]),
            other=opened.locate(twice[2]),
        )


def _refuse_unread(
    connection: duckdb.DuckDBPyConnection, opened: Source, condition: str, text: str, name: str, column: Cell
) -> None:
    found = connection.execute(
        f"select line, {text}, count(*) over () from customers where {condition} order by line limit 1"  # noqa: S608
    ).fetchone()
    if found:
        more = f" and {found[2] - 1:,} more" if found[2] > 1 else ""
        raise InputError(
            "{file}: column {column!r} ({field}) cannot be read as a number on {line} "
            "({text!r}){more}. Mend these cells: digits with a decimal point, nothing else.",
            file=opened.name,
            column=column.column,
            field=name,
            line=opened.locate(found[0]),
            text=found[1][:40],
            more=more,
        )
