"""``segmentry validate``: whether the value models foresee what customers do, checked on a past that is over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands.options import (
    DAY,
    cleaned,
    cleaning_options,
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
@click.option(
    "--cutoff",
    type=DAY,
    help="The last day the models may know; they are tested on everything after it.  "
    "[default: the last [clv] horizon_weeks and [churn] days of the sales]",
)
@map_option()
@reading_options
@cleaning_options
@name_option
@json_option
@config_option
def validate(
    source: str,
    cutoff: date | None,
    mapping: dict[str, str],
    reading: dict[str, Any],
    cleaning: dict[str, str],
    name: str | None,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Judge every value model, and naive guesses, on days of SOURCE it has not seen; nothing is stored.

    SOURCE is what ``segmentry run`` takes.
    """
    from dashboard.pipeline.sales import SalesRequest
    from dashboard.pipeline.validate import validate as check_models

    config = cleaned(load(config_path), cleaning)
    request = SalesRequest(source, mapping=mapping, name=name, reading=reading)
    with progress_bars() as progress:
        found = check_models(request, config, progress, last_known_day=cutoff)
    for note in found.notes:
        click.echo(f"Note: {note}", err=True)
    if as_json:
        print_json(found.receipt)
    else:
        from dashboard.commands.printing_receipt import print_receipt

        print_receipt(found)
