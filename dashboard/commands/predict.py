"""``segmentry predict``: new customers in the segments of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.commands.options import (
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
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--input", "source", required=True, help="Sales, as `segmentry run` reads them, or a table of customers.")
@click.option("--output", type=click.Path(path_type=Path), help="labels.csv, labels.xlsx or labels.parquet")
@sales_options("as_of", "mapping", "reading", "currency", holder="input")
@json_option
@config_option
def predict(run_id: int, output: Path | None, request: SalesRequest, as_json: bool, config: Config) -> None:
    """Put new customers into the segments of RUN.

    The input is their sales, or a table with customer_id and the columns that the run's engine looks at, such as
    recency_days, frequency and monetary. Customers of sales are described as of the day after the last of these sales,
    unless --as-of says otherwise. Without --output the labels are printed.
    """
    from dashboard.exports.files import format_of, write
    from dashboard.pipeline.label import label

    kind = format_of(output) if output is not None else None
    with progress_bars() as progress, open_store_for(config) as store:
        labelled = label(store.run(run_id), request, config, store, progress)
    print_notes(labelled.notes)
    if output is not None and kind is not None:
        written = write(labelled.reader(), output, kind).rows
        if as_json:
            print_json({"run": run_id, "output": str(output), "customers": written})
        else:
            click.echo(f"{written:,} customers written to {output}")
    elif as_json:
        print_json(labelled.to_dict())
    else:
        from dashboard.commands.printing import print_labels

        print_labels(labelled)
