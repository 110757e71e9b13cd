"""``segmentry read-again``: the sales of a stored snapshot, read again under today's rules."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from dashboard.commands.options import (
    account,
    config_option,
    json_option,
    open_store_for,
    print_json,
    print_notes,
    progress_bars,
)

if TYPE_CHECKING:
    from dashboard.config import Config


@click.command("read-again")
@click.argument("snapshot_id", metavar="SNAPSHOT", type=int)
@json_option
@config_option
def read_again(snapshot_id: int, as_json: bool, config: Config) -> None:
    """Read the sales of SNAPSHOT again under today's rules, and run its engines on them.

    A new snapshot is made beside the old one, which stays as it was. The source is read where it is at hand as it was,
    else the sales that were kept.
    """
    from dashboard.pipeline.run import run_again
    from storage.contract import Starter

    with progress_bars() as progress, open_store_for(config) as store:
        outcome = run_again(snapshot_id, config, store, Starter("command line", account()), progress)
    print_notes(outcome.notes)
    if as_json:
        print_json(outcome.to_dict())
    else:
        from dashboard.commands.printing import print_outcome

        print_outcome(outcome)
    if outcome.failed:
        sys.exit(1)
