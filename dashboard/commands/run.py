"""``segmentry run``, ``demo`` and ``cancel``: from a source to stored segments, or not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands.options import (
    account,
    cleaned,
    cleaning_options,
    config_option,
    json_option,
    load,
    opened,
    print_json,
    progress_bars,
    reading_options,
)
from dashboard.commands.serve import start_server
from engines.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime

EMBEDDED = ("cdnow", "sample-shop")


def mapping_of(pairs: tuple[str, ...]) -> dict[str, str]:
    """What ``--map FIELD=COLUMN`` says, as column by field; an empty column says that the source has no such field."""
    from engines.columns import FIELDS_IN_WORDS, is_field

    mapping = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals or not is_field(name):
            raise InputError(f"--map {pair}: write FIELD=COLUMN, where FIELD is one of {FIELDS_IN_WORDS}.")
        mapping[name] = column
    return mapping


@click.command()
@click.argument("source")
@click.option("--engine", "engines", multiple=True, help="An engine by name; give it again for more.")
@click.option("--k", type=click.IntRange(min=1), help="Number of segments, for engines that have a k.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of everything random.  [default: 0]")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Only sales before this day's midnight count.")
@click.option("--map", "maps", multiple=True, metavar="FIELD=COLUMN", help="Which column of the source holds a field.")
@reading_options
@cleaning_options
@click.option("--name", help="The data set's name.  [default: the file's name]")
@click.option("--detach", is_flag=True, help="Queue the runs for `segmentry worker`, and print their numbers.")
@json_option
@config_option
def run(
    source: str,
    engines: tuple[str, ...],
    k: int | None,
    seed: int | None,
    as_of: datetime | None,
    maps: tuple[str, ...],
    reading: dict[str, Any],
    cleaning: dict[str, str],
    name: str | None,
    detach: bool,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Clean SOURCE, build and value customers, run the engines, and store it all.

    SOURCE is a file (CSV, also packed, XLSX, Parquet), a folder or a pattern ("sales/*.csv") of files of one shape, the
    address of a database (postgresql://USER@HOST/DATABASE, sqlite:///FILE, duckdb:///FILE) with --table or --query, or
    an embedded data set: cdnow, cdnow-sample, sample-shop.
    """
    from dashboard.frames.cache import FrameCache
    from dashboard.i18n.locales import DEFAULT, speaking, spoken
    from dashboard.pipeline.run import run_sales
    from dashboard.pipeline.sales import SalesRequest
    from dashboard.queries.insights import insight_dicts, insights_of
    from storage.contract.queue import Starter

    config = cleaned(load(config_path), cleaning)
    day = as_of.date() if as_of is not None else None
    request = SalesRequest(
        source, engines, k, seed, day, mapping_of(maps), name, reading, starter=Starter("command line", account())
    )
    with progress_bars() as progress, opened(config) as store:
        outcome = run_sales(request, config, store, progress, queue=detach)
        frames, currency = FrameCache(store), outcome.snapshot.info["currency"]
        done = [item.id for item in outcome.runs if item.state == "done"]
        with speaking(DEFAULT if as_json else spoken()):  # JSON is for programs
            insights = {each: insight_dicts(insights_of(store, frames, each), currency) for each in done}
    for note in outcome.notes:
        click.echo(f"Note: {note}", err=True)
    if as_json:
        print_json(outcome.to_dict(insights))
    elif detach:
        for item in outcome.runs:
            click.echo(f"{item.id}\t{item.engine}\t{item.state}")
    else:
        from dashboard.commands.printing import print_outcome

        print_outcome(outcome, insights)
    for failed in (item for item in outcome.runs if item.state == "failed"):
        click.echo(f"Error: run {failed.id} ({failed.engine}): {failed.error}", err=True)
    if outcome.failed:
        sys.exit(1)


@click.command()
@click.option("--no-serve", is_flag=True, help="Do everything but serve.")
@config_option
def demo(no_serve: bool, config_path: Path | None) -> None:
    """Segment the two embedded data sets with all engines, and serve the dashboard."""
    from dashboard.pipeline.run import run_sales
    from dashboard.pipeline.sales import SalesRequest
    from storage.contract.queue import Starter

    config = load(config_path)
    with opened(config) as store:
        for source in EMBEDDED:
            click.echo(f"{source}", err=True)
            with progress_bars() as progress:
                request = SalesRequest(source, starter=Starter("command line", account()))
                outcome = run_sales(request, config, store, progress, reuse_runs=True)
            done = sum(item.state == "done" for item in outcome.runs)
            snapshot = outcome.snapshot
            click.echo(f"  {snapshot.info['title']}: {snapshot.customers:,} customers, {done} engines", err=True)
    if not no_serve:
        start_server(config, config_path)


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@config_option
def cancel(run_id: int, config_path: Path | None) -> None:
    """Cancel RUN, queued or running; its worker stops within seconds."""
    with opened(load(config_path)) as store:
        found = store.cancel_run(run_id)
    click.echo(f"Run {found.id} ({found.engine}) is cancelled.", err=True)
