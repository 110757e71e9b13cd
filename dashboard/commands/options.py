"""What the commands share: the options --config and --json, the store, JSON on stdout and progress on stderr."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.clock import now

if TYPE_CHECKING:  # every command imports what it needs itself, so that --help answers at once
    from dashboard.config import Config
    from dashboard.pipeline.run import Progress
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
