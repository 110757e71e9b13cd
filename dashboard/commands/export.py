"""``segmentry export``: the customers of a run as a file, on record as the lists of the dashboard are."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.commands.options import account, config_option, json_option, open_store_for, print_json

if TYPE_CHECKING:
    import pyarrow as pa

    from dashboard.config import Config
    from storage import Store


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--output", required=True, type=click.Path(path_type=Path), help="list.csv, list.xlsx or list.parquet")
@json_option
@config_option
def export(run_id: int, output: Path, as_json: bool, config: Config) -> None:
    """Write the customers of RUN with their segments to a file."""
    from dashboard.exports.files import format_of
    from storage.contract import Selection

    format_of(output)  # before anything is opened
    with open_store_for(config) as store:
        store.run(run_id)
        rows = write_recorded(store.stream(run_id, Selection()), output, store, run=run_id, kind="customers")
    if as_json:
        print_json({"run": run_id, "output": str(output), "customers": rows})
    else:
        click.echo(f"{rows:,} customers written to {output}")


def write_recorded(
    reader: pa.RecordBatchReader, file: Path, store: Store, *, run: int, kind: str, query: str = ""
) -> int:
    """Write a list to a file and record it.

    Args:
        reader: its rows.
        file: its ending is the format.
        store: where it is recorded.
        run: whose customers they are.
        kind: of the list, ``customers`` or ``movers``.
        query: what was asked for, as in an address.

    Returns:
        How many rows were written.

    Raises:
        InputError: the format is not known, or the file cannot be written.
    """
    from dashboard.exports.files import format_of, write

    written = write(reader, file, format_of(file))
    begun = store.begin_export(
        run,
        "",
        format=written.kind,
        columns=written.columns,
        user=account(),
        about={"version": version("segmentry"), "file": file.name, "list": kind, "query": query},
    )
    store.end_export(begun.id, rows=written.rows, size=written.size, sha256=written.sha256)
    return written.rows
