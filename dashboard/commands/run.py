"""``segmentry run``: from a source to stored segments."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands.options import (
    account,
    as_of_option,
    cleaned,
    cleaning_options,
    config_option,
    json_option,
    load,
    map_option,
    name_option,
    opened,
    print_json,
    progress_bars,
    reading_options,
)

if TYPE_CHECKING:
    from datetime import date


@click.command()
@click.argument("source")
@click.option("--engine", "engines", multiple=True, help="An engine by name; give it again for more.")
@click.option("--k", type=click.IntRange(min=1), help="Number of segments, for engines that have a k.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of everything random.  [default: 0]")
@as_of_option
@map_option()
@reading_options
@cleaning_options
@name_option
@click.option("--detach", is_flag=True, help="Queue the runs for `segmentry worker`, and print their numbers.")
@json_option
@config_option
def run(
    source: str,
    engines: tuple[str, ...],
    k: int | None,
    seed: int | None,
    as_of: date | None,
    mapping: dict[str, str],
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
    from storage.contract import Starter

    config = cleaned(load(config_path), cleaning)
    request = SalesRequest(
        source, engines, k, seed, as_of, mapping, name, reading, starter=Starter("command line", account())
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
