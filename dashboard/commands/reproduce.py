"""``segmentry reproduce``: tells whether the same comes out again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from dashboard.commands.options import config_option, json_option, open_store_for, print_json, progress_bars

if TYPE_CHECKING:
    from dashboard.config import Config


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--source", help="Where the raw sales are.  [default: where they were]")
@json_option
@config_option
def reproduce(run_id: int, source: str | None, as_json: bool, config: Config) -> None:
    """Run RUN again from its record and say whether the labels are identical; nothing is stored.

    The record is the stored customers, the engine, its settings and its seed; and, where the source is still there
    as it was, the raw sales all the way. Exit codes: 0 identical, 1 not identical, 2 bad input.
    """
    from dashboard.pipeline.reproduce import reproduce_run

    with progress_bars() as progress, open_store_for(config) as store:
        reproduction = reproduce_run(run_id, config, store, source=source, progress=progress)
    if as_json:
        print_json(reproduction.to_dict())
    else:
        click.echo(
            f"Run {run_id} ({reproduction.run.engine}): {'identical' if reproduction.identical else 'not identical'}"
        )
        ways = {"From the stored customers": reproduction.stored, "From the raw sales": reproduction.source}
        for way, labels in ways.items():
            if labels is not None:
                click.echo(f"  {way}: {labels.differ:,} of {labels.customers:,} labels differ{labels.remark}")
        click.echo(f"  {reproduction.note}")
        for item in reproduction.differences:
            click.echo(f"  {item.what}: {item.then} then, {item.now or 'none'} now")
    if not reproduction.identical:
        sys.exit(1)
