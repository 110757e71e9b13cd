"""``segmentry fetch``: a well-known data set from its publisher, checked."""

from __future__ import annotations

from pathlib import Path

import click

from dashboard.commands.options import json_option, print_json, progress_bars


@click.command()
@click.argument("name")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path(), help="The folder to put it in.  [default: this one]"
)
@click.option("--mirror", default="", metavar="URL", help="Another address of the same archive.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds of silence.",
)
@json_option
def fetch(name: str, output: Path, mirror: str, timeout: float, as_json: bool) -> None:
    """Download the data set NAME (online-retail) from its publisher, and check it.

    A broken download is gone on with when the command is given again.
    """
    from dashboard.pipeline.fetch import data_set, data_set_dict, fetch_data_set

    data = data_set(name)
    with progress_bars() as progress:
        fetched = fetch_data_set(data, output, url=mirror, timeout=timeout, progress=progress)
    if as_json:
        print_json({"path": str(fetched.path), "already": fetched.already, **data_set_dict(data)})
        return
    click.echo(
        f"{fetched.path} {'is there already' if fetched.already else 'was fetched'}: {data.title}, {data.licence}"
    )
    click.echo(f'See what is in it: segmentry inspect "{fetched.path}"')
