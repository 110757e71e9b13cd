"""``segmentry drift``: whether segments made some time ago still fit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from dashboard.commands.options import (
    DAY,
    as_of_option,
    config_option,
    json_option,
    load,
    map_option,
    name_option,
    print_json,
    progress_bars,
)

if TYPE_CHECKING:
    from datetime import date

    from engines.evaluation.calendar import Every


@click.command()
@click.argument("source")
@click.option("--engine", default="kmeans", show_default=True, help="An engine by name.")
@click.option("--k", type=click.IntRange(min=1), help="Number of segments.  [default: 4]")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of everything random.  [default: 0]")
@click.option("--every", type=click.Choice(["month", "week"]), default="month", show_default=True, help="How often.")
@click.option(
    "--freeze",
    type=DAY,
    help="Freeze the model with the sales before this day.  [default: the first month's start with 90 days before it]",
)
@as_of_option
@map_option()
@name_option
@click.option("--details", is_flag=True, help="With --json: also what moved, segment sizes, and what was asked.")
@json_option
@config_option
def drift(
    source: str,
    engine: str,
    k: int | None,
    seed: int | None,
    every: str,
    freeze: date | None,
    as_of: date | None,
    mapping: dict[str, str],
    name: str | None,
    details: bool,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Watch a model made early in SOURCE against one made anew at every later date; nothing is stored.

    SOURCE is what ``segmentry run`` takes.
    """
    from dashboard.pipeline.sales import SalesRequest
    from dashboard.pipeline.timeline import drift_of_sales

    config = load(config_path)
    request = SalesRequest(source, (engine,), k, seed, as_of, mapping, name)
    with progress_bars() as progress:
        found = drift_of_sales(request, config, progress, every=cast("Every", every), freeze=freeze)
    for note in found.notes:
        click.echo(f"Note: {note}", err=True)
    if as_json:
        print_json(found.detailed() if details else found.to_dict())
    else:
        from dashboard.commands.printing_drift import print_drift

        print_drift(found)
