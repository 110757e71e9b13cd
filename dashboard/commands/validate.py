"""``segmentry validate``: whether the value models foresee what customers do, checked on a past that is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dashboard.commands.options import (
    DAY,
    config_option,
    json_option,
    print_json,
    print_notes,
    progress_bars,
    sales_options,
)

if TYPE_CHECKING:
    from datetime import date

    from dashboard.config import Config
    from dashboard.pipeline.sales import SalesRequest


@click.command()
@click.argument("source")
@click.option(
    "--cutoff",
    type=DAY,
    help="The last day the models may know; they are tested on everything after it.  "
    "[default: the last [clv] horizon_weeks and [churn] days of the sales]",
)
@sales_options("mapping", "reading", "currency", "cleaning", "name")
@json_option
@config_option
def validate(cutoff: date | None, request: SalesRequest, as_json: bool, config: Config) -> None:
    """Judge every value model, and naive guesses, on days of SOURCE it has not seen; nothing is stored.

    SOURCE is what ``segmentry run`` takes.
    """
    from dashboard.pipeline.validate import validate_models

    with progress_bars() as progress:
        validated = validate_models(request, config, progress, last_known_day=cutoff)
    print_notes(validated.notes)
    if as_json:
        print_json(validated.receipt)
    else:
        from dashboard.commands.printing_receipt import print_receipt

        print_receipt(validated)
