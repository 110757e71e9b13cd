"""Options that several commands share, the store they open, JSON on stdout and progress on stderr."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.clock import now
from engines.errors import InputError

if TYPE_CHECKING:  # every command imports what it needs itself, so that --help answers at once
    from datetime import datetime

    from dashboard.config import Config
    from dashboard.pipeline.sales import Progress
    from storage.contract import Store


def config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option --config."""
    return click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path),
        envvar="SEGMENTRY_CONFIG",
        help="A TOML file with settings that differ from config.toml.",
    )(command)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")


def load(config_path: Path | None) -> Config:
    """The configuration: defaults, the file, the environment."""
    from dashboard.config import load_config
    from dashboard.i18n.locales import speaking

    config = load_config(config_path)
    command = click.get_current_context(silent=True)
    if command is not None and not command.params.get("as_json"):  # JSON is for programs
        command.with_resource(speaking(config.locale.language))
    return config


@contextmanager
def opened(config: Config) -> Iterator[Store]:
    """The store, given back at the end."""
    from storage import open_store

    store = open_store(config.database.url, clock=now)
    try:
        yield store
    finally:
        store.close()


def print_json(value: Any) -> None:
    """One JSON value on stdout: numbers are numbers, and never NaN."""
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2))


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """A bar per step on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    percent = TextColumn("{task.percentage:>3.0f}%")
    columns = (TextColumn("{task.description:<38}"), BarColumn(), percent, TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: float) -> None:
            if done == 0 or stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=1.0)
            bars.update(tasks[stage], completed=done)

        yield report


def account() -> str | None:
    """The user's name on this machine, None where the machine knows none."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # Python before 3.13 raises the second
        return None


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


_DAY = click.DateTime(["%Y-%m-%d"])


def cleaning_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--returns, --from and --to, given to the command as ``cleaning``: what they change of [cleaning]."""

    @click.option("--returns", type=click.Choice(["drop", "net"]), help="Whether monetary is after returns (net).")
    @click.option("--from", "from_day", type=_DAY, help="The first day that counts.")
    @click.option("--to", "to_day", type=_DAY, help="The last day that counts.")
    @functools.wraps(command)
    def with_cleaning(
        *, returns: str | None, from_day: datetime | None, to_day: datetime | None, **others: object
    ) -> Any:
        days = {"from_day": from_day, "to_day": to_day}
        said = {name: day.date().isoformat() for name, day in days.items() if day is not None}
        return command(cleaning=said | ({"returns": returns} if returns else {}), **others)

    return with_cleaning


def cleaned(config: Config, changes: Mapping[str, str]) -> Config:
    """The configuration with what the options change of [cleaning].

    Raises:
        InputError: the first day is after the last.
    """
    days = {name: changes.get(name) or getattr(config.cleaning, name) for name in ("from_day", "to_day")}
    if days["from_day"] and days["to_day"] and days["from_day"] > days["to_day"]:
        raise InputError(
            f"The first day, {days['from_day']}, is after the last, {days['to_day']}; mend --from or --to."
        )
    return config.replace(cleaning=changes) if changes else config
