"""``segmentry reproduce``: tells whether the same comes out again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from dashboard.commands.options import config_option, json_option, opened, print_json, progress_bars

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
    from dashboard.pipeline.reproduce import reproduce as again

    with progress_bars() as progress, opened(config) as store:
        found = again(run_id, config, store, source=source, progress=progress)
    if as_json:
        print_json(found.to_dict())
    else:
        click.echo(f"Run {run_id} ({found.run.engine}): {'identical' if found.identical else 'not identical'}")
        ways = {"From the stored customers": found.stored, "From the raw sales": found.source}
        for way, labels in ways.items():
            if labels is not None:
                click.echo(f"  {way}: {labels.differ:,} of {labels.customers:,} labels differ{labels.remark}")
        click.echo(f"  {found.note}")
        for item in found.differences:
            click.echo(f"  {item.what}: {item.then} then, {item.now or 'none'} now")
    if not found.identical:
        sys.exit(1)
