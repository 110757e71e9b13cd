"""``segmentry drift``: whether segments made some time ago still fit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import click

from dashboard.commands.options import (
    DAY,
    config_option,
    json_option,
    print_json,
    print_notes,
    progress_bars,
    sales_options,
    seed_option,
)

if TYPE_CHECKING:
    from datetime import date

    from dashboard.config import Config
    from dashboard.pipeline.sales import SalesRequest
    from engines.evaluation.calendar import Every


@click.command()
@click.argument("source")
@click.option("--engine", default="kmeans", show_default=True, help="An engine by name.")
@click.option("--k", type=click.IntRange(min=1), help="Number of segments.  [default: 4]")
@seed_option
@click.option("--every", type=click.Choice(["month", "week"]), default="month", show_default=True, help="How often.")
@click.option(
    "--freeze",
    type=DAY,
    help="Freeze the model with the sales before this day.  [default: the first month's start with a whole window, of "
    "[drift] window_days, before it, or with 90 days where sales are too few for that]",
)
@sales_options("as_of", "mapping", "currency", "name")
@click.option("--details", is_flag=True, help="With --json: also what moved, segment sizes, and what was asked.")
@json_option
@config_option
def drift(
    engine: str,
    k: int | None,
    seed: int | None,
    every: str,
    freeze: date | None,
    request: SalesRequest,
    details: bool,
    as_json: bool,
    config: Config,
) -> None:
    """Watch a model made early in SOURCE against one made anew at every later date; nothing is stored.

    SOURCE is what ``segmentry run`` takes.
    """
    from dashboard.pipeline.timeline import drift_of_sales

    request = replace(request, engines=(engine,), k=k, seed=seed)
    with progress_bars() as progress:
        timeline = drift_of_sales(request, config, progress, every=cast("Every", every), freeze=freeze)
    print_notes(timeline.notes)
    if as_json:
        print_json(timeline.detailed() if details else timeline.to_dict())
    else:
        from dashboard.commands.printing_drift import print_drift

        print_drift(timeline)
