"""``segmentry evaluate``: how many segments to make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands.options import config_option, json_option, load, print_json, progress_bars, reading_options
from dashboard.commands.run import mapping_of

if TYPE_CHECKING:
    from datetime import datetime


@click.command()
@click.argument("source")
@click.option("--engine", default="kmeans", show_default=True, help="An engine by name that has a k.")
@click.option("--from", "low", type=click.IntRange(min=2), default=2, show_default=True, help="Smallest k to try.")
@click.option("--to", "high", type=click.IntRange(min=2), default=12, show_default=True, help="Largest k to try.")
@click.option("--gap", is_flag=True, hidden=True)  # an old name, which answers for one version
@click.option("--seed", type=click.IntRange(min=0), help="Seed of everything random.  [default: 0]")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Only sales before this day's midnight count.")
@click.option("--map", "maps", multiple=True, metavar="FIELD=COLUMN", help="Which column of the source holds a field.")
@reading_options
@click.option("--name", help="The data set's name.  [default: the file's name]")
@json_option
@config_option
def evaluate(
    source: str,
    engine: str,
    low: int,
    high: int,
    gap: bool,
    seed: int | None,
    as_of: datetime | None,
    maps: tuple[str, ...],
    reading: dict[str, Any],
    name: str | None,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Try every number of segments on the customers of SOURCE and recommend one; nothing is stored.

    SOURCE is what ``segmentry run`` takes.
    """
    from dashboard.pipeline.choose_k import NO_GAP, Question, choose_k_of_sales
    from dashboard.pipeline.sales import SalesRequest

    config = load(config_path)
    question = Question(engine, low, high, seed)
    if gap:
        click.echo(f"Note: {NO_GAP}", err=True)
    day = as_of.date() if as_of is not None else None
    request = SalesRequest(source, as_of=day, mapping=mapping_of(maps), name=name, reading=reading)
    with progress_bars() as progress:
        found = choose_k_of_sales(question, request, config, progress)
    for note in found.notes:
        click.echo(f"Note: {note}", err=True)
    if as_json:
        print_json(found.to_dict())
    else:
        from dashboard.commands.printing import print_selection

        print_selection(found)
