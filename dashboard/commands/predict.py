"""``segmentry predict``: new customers in the segments of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands.options import (
    config_option,
    json_option,
    load,
    opened,
    print_json,
    progress_bars,
    reading_options,
)
from dashboard.commands.run import mapping_of

if TYPE_CHECKING:
    from datetime import datetime


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--input", "source", required=True, help="Sales, as `segmentry run` reads them, or a table of customers.")
@click.option("--output", type=click.Path(path_type=Path), help="labels.csv, labels.xlsx or labels.parquet")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Only sales before this day's midnight count.")
@click.option("--map", "maps", multiple=True, metavar="FIELD=COLUMN", help="Which column of the input holds a field.")
@reading_options
@json_option
@config_option
def predict(
    run_id: int,
    source: str,
    output: Path | None,
    as_of: datetime | None,
    maps: tuple[str, ...],
    reading: dict[str, Any],
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Put new customers into the segments of RUN.

    The input is their sales, or a table with customer_id and the columns that the run's engine looks at, such as
    recency_days, frequency and monetary. Customers of sales are described as of the day after the last of these sales,
    unless --as-of says otherwise. Without --output the labels are printed.
    """
    from dashboard.exports import files as exporting
    from dashboard.pipeline.label import label
    from dashboard.pipeline.sales import SalesRequest

    kind = exporting.format_of(output) if output is not None else None
    config = load(config_path)
    day = as_of.date() if as_of is not None else None
    request = SalesRequest(source, as_of=day, mapping=mapping_of(maps), reading=reading)
    with progress_bars() as progress, opened(config) as store:
        found = label(store.run(run_id), request, config, store, progress)
    for note in found.notes:
        click.echo(f"Note: {note}", err=True)
    if output is not None and kind is not None:
        written = exporting.write(found.reader(), output, kind).rows
        if as_json:
            print_json({"run": run_id, "output": str(output), "customers": written})
        else:
            click.echo(f"{written:,} customers written to {output}")
    elif as_json:
        print_json(found.to_dict())
    else:
        from dashboard.commands.printing import print_labels

        print_labels(found)
