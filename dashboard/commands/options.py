"""Options that several commands share, the store they open, JSON on stdout and progress on stderr."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from dashboard.clock import now
from engines.errors import InputError
from engines.settings import CleaningRules, Reading, Setting, Settings, currency_code

if TYPE_CHECKING:  # every command imports what it needs itself, so that --help answers at once
    from dashboard.config import Config
    from dashboard.pipeline.sales import Progress
    from engines.progress import Amount
    from storage import Store


Command = Callable[..., Any]

#: What to say where nothing tells the currency of a source.
NO_CURRENCY = (
    "Nothing says which currency the money is in, so that amounts have no sign. Say it with --currency, such as "
    "--currency EUR, or for all sources as [sales] currency in the configuration."
)


def config_option(command: Command) -> Command:
    """The option --config: the command gets the configuration, with what its other options change of [cleaning]."""

    @wraps(command)
    def configured(*args: Any, config_path: Path | None, cleaning: Mapping[str, str] = {}, **given: Any) -> Any:
        return command(*args, config=_cleaned(_loaded(config_path), cleaning), **given)

    return click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path),
        envvar="SEGMENTRY_CONFIG",
        help="A TOML file with settings that differ from config.toml.",
    )(configured)


class _Day(click.DateTime):
    """A day as ``2011-12-31``."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The day that was given."""
        return super().convert(value, param, ctx).date()


DAY = _Day()


def _mapping(ctx: click.Context, param: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    from engines.columns import FIELDS_IN_WORDS, is_field

    mapping = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals or not is_field(name):
            raise InputError(
                "--map {pair}: write FIELD=COLUMN, where FIELD is one of {fields_in_words}.",
                pair=pair,
                fields_in_words=FIELDS_IN_WORDS,
            )
        mapping[name] = column
    return mapping


def _currency(ctx: click.Context, param: click.Parameter, code: str | None) -> str | None:
    return currency_code(code) if code else None


seed_option = click.option("--seed", type=click.IntRange(min=0), help="Seed of everything random.  [default: 0]")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")


def _loaded(config_path: Path | None) -> Config:
    """The configuration: defaults, the file, the environment."""
    from dashboard.config import load_config
    from dashboard.i18n.locales import speaking

    config = load_config(config_path)
    command = click.get_current_context(silent=True)
    if command is not None and not command.params.get("as_json"):  # JSON is for programs
        command.with_resource(speaking(config.locale.language))
    return config


@contextmanager
def open_store_for(config: Config) -> Iterator[Store]:
    """The store, given back at the end."""
    from storage import open_store

    store = open_store(config.database.url, clock=now, objects=config.objects.settings)
    try:
        yield store
    finally:
        store.close()


def print_notes(notes: Iterable[str]) -> None:
    """What people should know, on stderr."""
    for note in notes:
        click.echo(f"Note: {note}", err=True)


def print_json(value: Any) -> None:
    """One JSON value on stdout: numbers are numbers, and never NaN."""
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2))


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """A bar per step on stderr, with the time that has gone and is left; while lines are read, how fast."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from dashboard.pipeline.speed import speed_of

    percent, speed = TextColumn("{task.percentage:>3.0f}%"), TextColumn("{task.fields[speed]}")
    times = (TimeElapsedColumn(), TimeRemainingColumn(compact=True))
    columns = (TextColumn("{task.description:<28}"), BarColumn(bar_width=12), percent, *times, speed)
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: float, amount: Amount | None = None) -> None:
            if done == 0 or stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=1.0, speed="")
            bars.update(tasks[stage], completed=done)
            if amount is not None:
                task = next(task for task in bars.tasks if task.id == tasks[stage])
                bars.update(tasks[stage], speed=speed_of(amount, task.elapsed or 0.0))

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
#: The same for marks that a shell takes for its own.
_MARKS = {"double": '"', "single": "'", "backslash": "\\"}


def _names(text: str) -> list[str]:
    names = [name.strip() for name in next(csv.reader([text]), [])]
    if not all(names):
        raise InputError(
            "--columns {text}: every column needs a name; write them as customer_id,order_date,amount.", text=text
        )
    return names


def _separator(text: str) -> str:
    if (separator := _SEPARATORS.get(text.lower(), text)) not in _SEPARATORS.values():
        raise InputError("--separator {text}: write one of comma, semicolon, tab, pipe, space.", text=text)
    return separator


def _mark(option: str, text: str) -> str:
    if (mark := _MARKS.get(text.lower(), text)) not in _MARKS.values():
        raise InputError("{option} {text}: write one of double, single, backslash.", option=option, text=text)
    return mark


def settings_options(
    section: type[Settings], parameter: str, taken: Collection[str] = ()
) -> Callable[[Command], Command]:
    """The options of a section's settings; the command gets as ``parameter`` those that were given, by name.

    ``taken``: names of settings that have none, because an option of the command itself is called so.
    """
    settings = [item for item in section.declared() if item.option is not None and item.name not in taken]

    def with_options(command: Command) -> Command:
        @wraps(command)
        def called(*args: Any, **given: Any) -> Any:
            values = {item.name: _value(item, given.pop(item.name)) for item in settings}
            return command(
                *args, **{parameter: {name: value for name, value in values.items() if value is not None}}, **given
            )

        wrapped: Command = called
        for item in reversed(settings):
            wrapped = _option(item)(wrapped)
        return wrapped

    return with_options


def _option(item: Setting) -> Callable[[Command], Command]:
    name, help = item.option or ("", "")
    more: dict[str, Any] = {}
    if item.type is bool and not item.default:
        more |= {"is_flag": True, "flag_value": True, "default": None}
    elif item.kind == "switch":
        more["type"] = bool if item.type is bool else click.Choice([value for value in get_args(item.type) if value])
    elif item.kind == "day":
        more["type"] = DAY
    elif item.name == "columns":
        more["metavar"] = "A,B,C"
    elif item.kind == "list":
        more["multiple"] = True
    elif item.type is int:
        more["type"] = click.IntRange(min=None if item.low is None else int(item.low))
    return click.option(name, item.name, help=help, **more)


def _value(item: Setting, given: Any) -> Any:
    """What was given as the setting has it; None where nothing was."""
    if given is None or given == ():
        return None
    if item.name == "columns":
        return _names(given)
    if item.name == "separator":
        return _separator(given)
    if item.name in ("quote", "escape"):
        return _mark(f"--{item.name}", given)
    if item.kind == "list":
        return list(given)
    return given.isoformat() if item.kind == "day" else given


def sales_options(*names: str, holder: str = "source", taken: Collection[str] = ()) -> Callable[[Command], Command]:
    """These options of sales and of what is run on them: the command gets them and its ``source`` as a ``request``.

    They are the fields of a ``SalesRequest``, and ``cleaning``, which changes the command's configuration.
    ``taken``: as for :func:`settings_options`.
    """
    engine, k = "An engine by name; give it again for more.", "Number of segments, for engines that have a k."
    options: dict[str, Callable[[Command], Command]] = {
        "engines": click.option("--engine", "engines", multiple=True, help=engine),
        "k": click.option("--k", type=click.IntRange(min=1), help=k),
        "seed": seed_option,
        "as_of": click.option("--as-of", type=DAY, help="Only sales before this day's midnight count."),
        "mapping": click.option(
            "--map",
            "mapping",
            multiple=True,
            metavar="FIELD=COLUMN",
            callback=_mapping,
            help=f"Which column of the {holder} holds a field.",
        ),
        "reading": settings_options(Reading, "reading", taken),
        "cleaning": settings_options(CleaningRules, "cleaning"),
        "currency": click.option(
            "--currency",
            metavar="CODE",
            callback=_currency,
            help="The currency of the money, such as EUR, where the source does not say it.",
        ),
        "name": click.option("--name", help="The data set's name.  [default: the file's name]"),
    }

    def with_options(command: Command) -> Command:
        @wraps(command)
        def called(*args: Any, **given: Any) -> Any:
            from dashboard.pipeline.sales import SalesRequest

            parts = {name: given.pop(name) for name in ("source", *names) if name != "cleaning"}
            if {"table", "query"} <= parts.get("reading", {}).keys():
                raise InputError("--table and --query cannot both be given; name the table, or write the query.")
            return command(*args, request=SalesRequest(**parts), **given)

        wrapped: Command = called
        for name in reversed(names):
            wrapped = options[name](wrapped)
        return wrapped

    return with_options


def _cleaned(config: Config, changes: Mapping[str, str]) -> Config:
    """The configuration with what the options change of [cleaning].

    Raises:
        InputError: the first day is after the last.
    """
    days = {name: changes.get(name) or getattr(config.cleaning, name) for name in ("from_day", "to_day")}
    if days["from_day"] and days["to_day"] and days["from_day"] > days["to_day"]:
        raise InputError(
            "The first day, {from_day}, is after the last, {to_day}; mend --from or --to.",
            from_day=days["from_day"],
            to_day=days["to_day"],
        )
    return config.replace(cleaning=changes) if changes else config
