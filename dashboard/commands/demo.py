"""``segmentry demo``: the embedded data sets, segmented and served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dashboard.commands.options import account, config_option, open_store_for, progress_bars
from dashboard.commands.serve import start_server

if TYPE_CHECKING:
    from dashboard.config import Config

EMBEDDED = ("cdnow", "sample-shop")


@click.command()
@click.option("--no-serve", is_flag=True, help="Do everything but serve.")
@config_option
def demo(no_serve: bool, config: Config) -> None:
    """Segment the two embedded data sets with all engines, and serve the dashboard."""
    from dashboard.pipeline.run import run_sales
    from dashboard.pipeline.sales import SalesRequest
    from storage.contract import Starter

    with open_store_for(config) as store:
        for source in EMBEDDED:
            click.echo(f"{source}", err=True)
            with progress_bars() as progress:
                request = SalesRequest(source, starter=Starter("command line", account()))
                outcome = run_sales(request, config, store, progress, reuse_runs=True)
            done = sum(item.state == "done" for item in outcome.runs)
            snapshot = outcome.snapshot
            click.echo(f"  {snapshot.info['title']}: {snapshot.customers:,} customers, {done} engines", err=True)
    if not no_serve:
        start_server(config)
