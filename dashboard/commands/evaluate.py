"""``segmentry evaluate``: how many segments to make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands.options import (
    as_of_option,
    config_option,
    json_option,
    load,
    map_option,
    name_option,
    print_json,
    progress_bars,
    reading_options,
)

if TYPE_CHECKING:
    from datetime import date


@click.command()
@click.argument("source")
@click.option("--engine", default="kmeans", show_default=True, help="An engine by name that has a k.")
@click.option("--from", "low", type=click.IntRange(min=2), default=2, show_default=True, help="Smallest k to try.")
@click.option("--to", "high", type=click.IntRange(min=2), default=12, show_default=True, help="Largest k to try.")
@click.option("--gap", is_flag=True, hidden=True, help="An old name, which answers for one version.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of everything random.  [default: 0]")
@as_of_option
@map_option()
@reading_options
@name_option
@json_option
@config_option
def evaluate(
    source: str,
    engine: str,
    low: int,
    high: int,
    gap: bool,
    seed: int | None,
    as_of: date | None,
    mapping: dict[str, str],
    reading: dict[str, Any],
    name: str | None,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Try every number of segments on the customers of SOURCE and recommend one; nothing is stored.

    SOURCE is what ``segmentry run`` takes.
    """
    from dashboard.pipeline.choose_k import NO_GAP, KRange, choose_k_of_sales
    from dashboard.pipeline.sales import SalesRequest

    config = load(config_path)
    wanted = KRange(engine, low, high, seed)
    if gap:
        click.echo(f"Note: {NO_GAP}", err=True)
    request = SalesRequest(source, as_of=as_of, mapping=mapping, name=name, reading=reading)
    with progress_bars() as progress:
        found = choose_k_of_sales(wanted, request, config, progress)
    for note in found.notes:
        click.echo(f"Note: {note}", err=True)
    if as_json:
        print_json(found.to_dict())
    else:
        from dashboard.commands.printing import print_selection

        print_selection(found)
