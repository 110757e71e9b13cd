"""The options that say how a source is read, the same for every command that reads one."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from engines.errors import InputError

#: What may be said for a separator that a shell makes hard to type.
_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|", "space": " "}


def _names(text: str) -> list[str]:
    names = [name.strip() for name in next(csv.reader([text]), [])]
    if not all(names):
        raise InputError(f"--columns {text}: every column needs a name; write them as customer_id,order_date,amount.")
    return names


def _separator(text: str) -> str:
    if (found := _SEPARATORS.get(text.lower(), text)) not in _SEPARATORS.values():
        raise InputError(f"--separator {text}: write one of comma, semicolon, tab, pipe, space.")
    return found


_OPTIONS = (
    click.option("--sheet", "sheets", multiple=True, help="A sheet of a workbook by name; give it again for more."),
    click.option("--columns", metavar="A,B,C", help="Names of the columns of a file that has no header line."),
    click.option("--separator", help="comma, semicolon, tab, pipe or space.  [default: found out]"),
    click.option("--encoding", help="Such as utf-8, utf-16, iso-8859-1, cp1252.  [default: found out]"),
    click.option("--decimal", type=click.Choice([".", ","]), help="The decimal sign.  [default: found out]"),
    click.option(
        "--date-order",
        type=click.Choice(["day-first", "month-first"]),
        help="Which of 3/4/2024 is the day, where no date in the column decides it.",
    ),
    click.option("--table", help="The table to read, where SOURCE is a database."),
    click.option("--query", help="The query whose result to read, where SOURCE is a database."),
)


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of how a source is read; the command gets as ``reading`` what was said, by key of [reading]."""

    @wraps(command)
    def told(*args: Any, **given: Any) -> Any:
        said: dict[str, Any] = {name: given.pop(name) for name in ("encoding", "decimal", "date_order")}
        said |= {name: given.pop(name) for name in ("table", "query")}
        sheets, columns, separator = given.pop("sheets"), given.pop("columns"), given.pop("separator")
        said["sheets"] = list(sheets) or None
        said["columns"] = None if columns is None else _names(columns)
        said["separator"] = None if separator is None else _separator(separator)
        if said["table"] is not None and said["query"] is not None:
            raise InputError("--table and --query cannot both be given; name the table, or write the query.")
        reading = {name: value for name, value in said.items() if value is not None}
        return command(*args, reading=reading, **given)

    wrapped: Callable[..., Any] = told
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
