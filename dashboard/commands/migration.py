"""``segmentry migration``: who went from which segment to which, on the screen, as JSON and as a list of movers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import click

from dashboard.commands.options import DAY, config_option, json_option, open_store_for, print_json

if TYPE_CHECKING:
    from datetime import date

    from dashboard.config import Config
    from dashboard.pipeline.migrate import Span
    from storage import Store


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.argument("other_id", metavar="[OTHER_RUN]", type=int, required=False)
@click.option("--from", "start", type=DAY, help="A day of the run's source, where no other run is named.")
@click.option("--to", "end", type=DAY, help="A later day.  [default: that of the run]")
@click.option("--export", type=click.Path(path_type=Path), help="Movers as movers.csv, movers.xlsx or movers.parquet.")
@json_option
@config_option
def migration(
    run_id: int,
    other_id: int | None,
    start: date | None,
    end: date | None,
    export: Path | None,
    as_json: bool,
    config: Config,
) -> None:
    """Say who went where between RUN and OTHER_RUN, or between two days of the source of RUN.

    The runs are of the same data set and engine, in any order; days are worked out again with the frozen model of the
    run's timeline. Prints net flows with money and the matrix of segments; movers are a list for --export.
    """
    from dashboard.commands.export import write_recorded
    from dashboard.exports.files import format_of
    from dashboard.pipeline.migrate import compute_migration

    kind = format_of(export) if export is not None else None
    with open_store_for(config) as store:
        between = compute_migration(_span(run_id, other_id, start, end, store), config, store)
        currency = between.currency(store)
        if export is not None and kind is not None:
            query = urlencode(between.query())
            rows = write_recorded(between.reader(), export, store, run=between.run.id, kind="movers", query=query)
            click.echo(f"{rows:,} movers written to {export}", err=True)
    if as_json:
        print_json(between.to_dict())
    else:
        from dashboard.commands.printing_drift import print_migration

        print_migration(between, currency)


def _span(run_id: int, other_id: int | None, start: date | None, end: date | None, store: Store) -> Span:
    from dashboard.pipeline.migrate import between_dates, between_runs
    from engines.errors import InputError

    if other_id is not None and (start is not None or end is not None):
        raise InputError("Name two runs, or one run with --from and --to, not both.")
    if other_id is not None:
        return between_runs(run_id, other_id, store)
    if start is None:
        raise InputError("Name another run of the same data set and engine, or a day of the source with --from DAY.")
    return between_dates(run_id, start, end or store.run(run_id).as_of, store)
