"""The command line: what schedulers call and newcomers start with. Exit codes: 0 done, 1 failed, 2 bad input."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engines.errors import InputError

if TYPE_CHECKING:  # every command imports what it needs itself, so that --help answers at once
    from datetime import datetime

    from dashboard.config import Config
    from dashboard.runner import Progress
    from storage.contract import Store

EMBEDDED = ("cdnow", "sample-shop")


class _Group(click.Group):
    """Commands whose errors are one sentence on stderr and exit code 2, never a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InputError as error:
            raise _refused(str(error)) from None
        except (LookupError, RuntimeError) as error:
            from storage.contract import NotFoundError, StoreError

            if isinstance(error, NotFoundError | StoreError):
                raise _refused(str(error)) from None
            raise


def _refused(message: str) -> click.ClickException:
    refusal = click.ClickException(message)
    refusal.exit_code = 2
    return refusal


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="segmentry", prog_name="segmentry")
def main() -> None:
    """From raw sales to named, valued customer segments."""


def _config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path),
        envvar="SEGMENTRY_CONFIG",
        help="A TOML file with settings that differ from config.toml.",
    )(command)


_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")


def _load(config_path: Path | None) -> Config:
    from dashboard.config import load_config

    return load_config(config_path)


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC)  # the edge: the one place that reads the clock


@contextmanager
def _store(config: Config) -> Iterator[Store]:
    from storage import open_store

    store = open_store(config.database.url, clock=_now)
    try:
        yield store
    finally:
        store.close()


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2))


@contextmanager
def _progress() -> Iterator[Progress]:
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


# --- run ------------------------------------------------------------------------------------------------------------


def _mapping(pairs: tuple[str, ...]) -> dict[str, str]:
    from engines.columns import CANONICAL_FIELDS

    mapping = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals or not column or name not in CANONICAL_FIELDS:
            raise InputError(f"--map {pair}: write FIELD=COLUMN, where FIELD is one of {', '.join(CANONICAL_FIELDS)}.")
        mapping[name] = column
    return mapping


@main.command()
@click.argument("source")
@click.option("--engine", "engines", multiple=True, help="An engine by name; give it again for more.")
@click.option("--k", type=click.IntRange(min=1), help="Number of segments, for engines that have a k.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of everything random.  [default: 0]")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Only sales before this day's midnight count.")
@click.option("--map", "maps", multiple=True, metavar="FIELD=COLUMN", help="Which column of the source holds a field.")
@click.option("--name", help="The data set's name.  [default: the file's name]")
@_json_option
@_config_option
def run(
    source: str,
    engines: tuple[str, ...],
    k: int | None,
    seed: int | None,
    as_of: datetime | None,
    maps: tuple[str, ...],
    name: str | None,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Clean SOURCE, build and value customers, run the engines, and store it all.

    SOURCE is a file (CSV, also gzipped, XLSX, Parquet) or an embedded data set: cdnow, cdnow-sample, sample-shop.
    """
    from dashboard.runner import Job, run_job

    config = _load(config_path)
    day = as_of.date() if as_of is not None else None
    job = Job(source, engines, k, seed, day, _mapping(maps), name)
    with _progress() as progress, _store(config) as store:
        outcome = run_job(job, config, store, progress)
    for note in outcome.notes:
        click.echo(f"Note: {note}", err=True)
    if as_json:
        _print_json(outcome.to_dict())
    else:
        from dashboard.printing import print_outcome

        print_outcome(outcome)
    for failed in (item for item in outcome.runs if item.state == "failed"):
        click.echo(f"Error: run {failed.id} ({failed.engine}): {failed.error}", err=True)
    if outcome.failed:
        sys.exit(1)


@main.command()
@click.option("--no-serve", is_flag=True, help="Do everything but serve.")
@_config_option
def demo(no_serve: bool, config_path: Path | None) -> None:
    """Segment the two embedded data sets with all engines, and serve the dashboard."""
    from dashboard.runner import Job, run_job

    config = _load(config_path)
    with _store(config) as store:
        for source in EMBEDDED:
            click.echo(f"{source}", err=True)
            with _progress() as progress:
                outcome = run_job(Job(source), config, store, progress, reuse_runs=True)
            done = sum(item.state == "done" for item in outcome.runs)
            snapshot = outcome.snapshot
            click.echo(f"  {snapshot.info['title']}: {snapshot.customers:,} customers, {done} engines", err=True)
    if not no_serve:
        _serve(config, config_path)


# --- what is stored -------------------------------------------------------------------------------------------------


@main.command()
@_json_option
@_config_option
def engines(as_json: bool, config_path: Path | None) -> None:
    """List the engines, their settings, and plug-ins that could not be loaded."""
    from engines import registry

    _load(config_path)
    found = [
        {
            "name": item.name,
            "title": item.title,
            "summary": item.summary,
            "knobs": [knob.to_dict() for knob in item.knobs],
            "origin": item.origin,
            "error": item.error,
        }
        for item in registry.registered()
    ]
    if as_json:
        _print_json(found)
    else:
        from dashboard.printing import print_engines

        print_engines(found)


@main.command()
@_json_option
@_config_option
def runs(as_json: bool, config_path: Path | None) -> None:
    """List the runs, the newest first."""
    from dashboard.runner import run_dict

    with _store(_load(config_path)) as store:
        found = [run_dict(item) for item in store.runs()]
    if as_json:
        _print_json(found)
    else:
        from dashboard.printing import print_runs

        print_runs(found)


@main.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--output", required=True, type=click.Path(path_type=Path), help="list.csv, list.xlsx or list.parquet")
@_json_option
@_config_option
def export(run_id: int, output: Path, as_json: bool, config_path: Path | None) -> None:
    """Write the customers of RUN with their segments to a file."""
    from dashboard.exporting import format_of, write
    from storage.contract import Selection

    kind = format_of(output)
    with _store(_load(config_path)) as store:
        store.run(run_id)
        written = write(store.stream(run_id, Selection()), output, kind)
    if as_json:
        _print_json({"run": run_id, "output": str(output), "customers": written})
    else:
        click.echo(f"{written:,} customers written to {output}")


# --- serving --------------------------------------------------------------------------------------------------------


@main.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: 8050]")
@click.option("--workers", type=click.IntRange(min=1), help="Number of web processes.  [default: 1]")
@_config_option
def serve(host: str | None, port: int | None, workers: int | None, config_path: Path | None) -> None:
    """Serve the dashboard and the REST API."""
    config = _load(config_path)
    given = {"host": host, "port": port, "workers": workers}
    config = config.replace(server={key: item for key, item in given.items() if item is not None})
    with _store(config):
        pass  # brings the database's schema up to date once, before several processes look at it
    _serve(config, config_path)


def _serve(config: Config, config_path: Path | None) -> None:
    import os

    import uvicorn

    from dashboard.security import check_bind

    server = config.server
    check_bind(server.host, os.environ)
    os.environ["SEGMENTRY_DATABASE_URL"] = config.database.url  # read by every web process
    os.environ["SEGMENTRY_SERVER_HOST"] = server.host
    if config_path is not None:
        os.environ["SEGMENTRY_CONFIG"] = str(config_path.resolve())
    shown = f"[{server.host}]" if ":" in server.host else server.host
    click.echo(f"Segmentry is at http://{shown}:{server.port}", err=True)
    uvicorn.run(
        "dashboard.app:create_app_from_env",
        factory=True,
        host=server.host,
        port=server.port,
        workers=server.workers,
        log_level="warning",
        server_header=False,
    )


@main.command()
@click.option("--drain", is_flag=True, help="Stop when nothing is queued.")
@_config_option
def worker(drain: bool, config_path: Path | None) -> None:
    """Work on queued runs."""
    from dashboard.worker import run_worker, stop_on_signals

    config = _load(config_path)
    with _store(config) as store:
        worked = run_worker(config, store, stop_on_signals(), drain=drain)
    click.echo(f"{len(worked)} runs worked on", err=True)


@main.command()
@_config_option
def migrate(config_path: Path | None) -> None:
    """Bring the database's schema up to date."""
    with _store(_load(config_path)):
        click.echo("The database is up to date.", err=True)


if __name__ == "__main__":
    main()
