"""``segmentry inspect``: what a source holds and what cleaning would do to it, without storing anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands.options import (
    as_of_option,
    cleaned,
    cleaning_options,
    config_option,
    json_option,
    load,
    map_option,
    print_json,
    progress_bars,
    reading_options,
)

if TYPE_CHECKING:
    from datetime import date


@click.command()
@click.argument("source")
@as_of_option
@map_option()
@reading_options
@cleaning_options
@click.option("--dropped", type=click.Path(path_type=Path), help="dropped.csv or dropped.parquet: lines with reasons.")
@json_option
@config_option
def inspect(
    source: str,
    as_of: date | None,
    mapping: dict[str, str],
    reading: dict[str, Any],
    cleaning: dict[str, str],
    dropped: Path | None,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Show how SOURCE is read, what cleaning drops and what is left; store nothing.

    SOURCE is what `segmentry run` takes. --dropped writes every dropped line as it was, with the rule and the reason.
    """
    from dashboard.pipeline.inspect import inspect as inspect_sales
    from dashboard.pipeline.sales import SalesRequest

    config = cleaned(load(config_path), cleaning)
    request = SalesRequest(source, as_of=as_of, mapping=mapping, reading=reading)
    with progress_bars() as progress:
        found = inspect_sales(request, config, progress, dropped=dropped)
    if as_json:
        print_json(found.to_dict())
        return
    from dashboard.commands.printing import print_inspection

    print_inspection(found)
    if found.dropped is not None:
        click.echo(f"{found.dropped:,} dropped lines written to {dropped}")
