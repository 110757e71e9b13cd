"""``segmentry run``: from a source to stored segments."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from dashboard.commands.options import (
    NO_CURRENCY,
    account,
    config_option,
    json_option,
    open_store_for,
    print_json,
    print_notes,
    progress_bars,
    sales_options,
)

if TYPE_CHECKING:
    from dashboard.config import Config
    from dashboard.pipeline.sales import SalesRequest


@click.command()
@click.argument("source")
@sales_options("engines", "k", "seed", "as_of", "mapping", "reading", "currency", "cleaning", "name")
@click.option("--detach", is_flag=True, help="Queue the runs for `segmentry worker`, and print their numbers.")
@json_option
@config_option
def run(request: SalesRequest, detach: bool, as_json: bool, config: Config) -> None:
    """Clean SOURCE, build and value customers, run the engines, and store it all.

    SOURCE is a file (CSV, also packed, XLSX, Parquet), a folder or a pattern ("sales/*.csv") of files of one shape, the
    address of a database (postgresql://USER@HOST/DATABASE, sqlite:///FILE, duckdb:///FILE) with --table or --query, or
    an embedded data set: cdnow, cdnow-sample, sample-shop.
    """
    from dashboard.frames.cache import FrameCache
    from dashboard.i18n.locales import DEFAULT, speaking, spoken
    from dashboard.pipeline.run import run_sales
    from dashboard.queries.insights import insight_dicts, insights_of
    from storage.contract import Starter

    request = replace(request, starter=Starter("command line", account()))
    with progress_bars() as progress, open_store_for(config) as store:
        outcome = run_sales(request, config, store, progress, queue=detach)
        frames, currency = FrameCache(store), outcome.snapshot.currency
        done = [item.id for item in outcome.runs if item.state == "done"]
        with speaking(DEFAULT if as_json else spoken()):  # JSON is for programs
            insights = {each: insight_dicts(insights_of(store, frames, each), currency) for each in done}
    print_notes(outcome.notes if currency else (*outcome.notes, NO_CURRENCY))
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
