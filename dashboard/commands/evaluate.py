"""``segmentry evaluate``: how many segments to make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dashboard.commands.options import (
    config_option,
    json_option,
    print_json,
    print_notes,
    progress_bars,
    sales_options,
    seed_option,
)

if TYPE_CHECKING:
    from dashboard.config import Config
    from dashboard.pipeline.sales import SalesRequest


@click.command()
@click.argument("source")
@click.option("--engine", default="kmeans", show_default=True, help="An engine by name that has a k.")
@click.option("--k-min", "--from", "low", type=click.IntRange(min=2), help="Fewest segments to try.  [default: 3]")
@click.option(
    "--k-max",
    "--to",
    "high",
    type=click.IntRange(min=2),
    help="Most segments to try: how many campaigns can you run?  [default: 8]",
)
@click.option("--gap", is_flag=True, hidden=True, help="An old name, which answers for one version.")
@seed_option
@sales_options("as_of", "mapping", "reading", "currency", "name")
@json_option
@config_option
def evaluate(
    engine: str,
    low: int | None,
    high: int | None,
    gap: bool,
    seed: int | None,
    request: SalesRequest,
    as_json: bool,
    config: Config,
) -> None:
    """Try every number of segments on the customers of SOURCE and recommend one; nothing is stored.

    SOURCE is what ``segmentry run`` takes.
    """
    from dashboard.pipeline.choose_k import NO_GAP, choose_k_of_sales, k_range_of

    k_range = k_range_of(engine, low, high, seed)
    if gap:
        click.echo(f"Note: {NO_GAP}", err=True)
    with progress_bars() as progress:
        selection = choose_k_of_sales(k_range, request, config, progress)
    print_notes(selection.notes)
    if as_json:
        print_json(selection.to_dict())
    else:
        from dashboard.commands.printing import print_selection

        print_selection(selection)
