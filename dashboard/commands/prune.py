"""``segmentry prune``: old snapshots go, after a look at which."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from dashboard.clock import now
from dashboard.commands.options import config_option, json_option, open_store_for, print_json
from engines.errors import InputError

if TYPE_CHECKING:
    from dashboard.config import Config
    from dashboard.pipeline.prune import PrunePlan


@click.command()
@click.option("--keep", type=click.IntRange(min=0), help="Keep so many snapshots of each data set; 0 is all.")
@click.option("--months", type=click.IntRange(0, 1200), help="Keep what was saved in the last months; 0 is all.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Delete without asking.")
@json_option
@config_option
def prune(keep: int | None, months: int | None, dry_run: bool, yes: bool, as_json: bool, config: Config) -> None:
    """Delete old snapshots with their customers, runs and labels, after saying which.

    A snapshot stays when --keep or --months says so; without either, [retention] in the configuration decides.
    The newest snapshot of each data set always stays, and so does one that is being worked on.
    """
    from dashboard.pipeline.prune import plan_pruning, prune_snapshots

    if dry_run and yes:
        raise InputError("--dry-run only looks and --yes deletes; give one of them.")
    given = {"keep_snapshots": keep, "keep_months": months}
    if keep is not None or months is not None:  # then the command line alone decides
        config = config.replace(retention={name: value or 0 for name, value in given.items()})
    with open_store_for(config) as store:
        planned = plan_pruning(store, config.retention, now())
        if not as_json:
            _show(planned)
        if planned.leaving and not dry_run and not yes:
            _confirm(as_json)
        gone, spared = prune_snapshots(store, planned) if not dry_run else ([], [])
    if as_json:
        print_json(planned.to_dict(gone))
    elif planned.leaving and not dry_run:
        click.echo(f"{len(gone)} snapshots deleted.")
    for item in spared:
        click.echo(f"Note: snapshot {item.snapshot.id} stays: {item.reason}.", err=True)


def _show(planned: PrunePlan) -> None:
    for item in planned.leaving:
        snapshot, runs = item.snapshot, ", ".join(str(run.id) for run in item.runs) or "none"
        click.echo(
            f"Goes:  snapshot {snapshot.id}, {snapshot.dataset} as of {snapshot.as_of.isoformat()}: "
            f"{snapshot.customers:,} customers, runs {runs}"
        )
    for spared in planned.spared:
        snapshot = spared.snapshot
        click.echo(
            f"Stays: snapshot {snapshot.id}, {snapshot.dataset} as of {snapshot.as_of.isoformat()}: {spared.reason}"
        )
    totals = planned.totals()
    click.echo(
        f"{totals['snapshots']:,} snapshots with {totals['runs']:,} runs and {totals['customers']:,} customers go, "
        f"{planned.staying:,} snapshots stay."
    )


def _confirm(as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise InputError("Nothing was deleted: give --yes to delete this, or --dry-run to look only.")
    click.confirm("Delete this for good?", abort=True)
