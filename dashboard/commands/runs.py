"""``segmentry runs`` and ``cancel``: what has been run, and what is not to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dashboard.commands.options import config_option, json_option, open_store_for, print_json

if TYPE_CHECKING:
    from dashboard.config import Config


@click.command()
@json_option
@config_option
def runs(as_json: bool, config: Config) -> None:
    """List the runs, those made last first."""
    from dashboard.pipeline.run import run_dict
    from dashboard.pipeline.series import published_ids

    with open_store_for(config) as store:
        published = published_ids(store)
        rows = [{**run_dict(item), "published": item.id in published} for item in store.runs()]
    if as_json:
        print_json(rows)
    else:
        from dashboard.commands.printing import print_runs

        print_runs(rows)


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@config_option
def cancel(run_id: int, config: Config) -> None:
    """Cancel RUN, queued or running; its worker stops within seconds."""
    with open_store_for(config) as store:
        cancelled = store.cancel_run(run_id)
    click.echo(f"Run {cancelled.id} ({cancelled.engine}) is cancelled.", err=True)
