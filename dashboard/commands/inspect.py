"""``segmentry inspect``: what a source holds and what cleaning would do to it, without storing anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.commands.options import (
    NO_CURRENCY,
    config_option,
    json_option,
    print_json,
    print_notes,
    progress_bars,
    sales_options,
)

if TYPE_CHECKING:
    from dashboard.config import Config
    from dashboard.pipeline.sales import SalesRequest


@click.command()
@click.argument("source")
@sales_options("as_of", "mapping", "reading", "currency", "cleaning")
@click.option("--dropped", type=click.Path(path_type=Path), help="dropped.csv or dropped.parquet: lines with reasons.")
@json_option
@config_option
def inspect(request: SalesRequest, dropped: Path | None, as_json: bool, config: Config) -> None:
    """Show how SOURCE is read, what cleaning drops and what is left; store nothing.

    SOURCE is what `segmentry run` takes. --dropped writes every dropped line as it was, with the rule and the reason.
    """
    from dashboard.pipeline.inspect import inspect_sales

    with progress_bars() as progress:
        inspection = inspect_sales(request, config, progress, dropped=dropped)
    if as_json:
        print_json(inspection.to_dict())
        return
    from dashboard.commands.printing import print_inspection

    print_inspection(inspection)
    if not inspection.currency:
        print_notes([NO_CURRENCY])
    if inspection.dropped is not None:
        click.echo(f"{inspection.dropped:,} dropped lines written to {dropped}")
