"""``segmentry publish`` and ``live``: which run of a data set everybody works with, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands.options import account, config_option, json_option, open_store_for, print_json
from engines.errors import InputError

if TYPE_CHECKING:
    from dashboard.config import Config


@click.command()
@click.argument("run_id", metavar="RUN", type=int, required=False)
@click.option("--why", required=True, help="The reason, which everybody can read later.")
@click.option("--roll-back", "dataset", metavar="DATASET", help="Publish the run again that was published before.")
@json_option
@config_option
def publish(run_id: int | None, why: str, dataset: str | None, as_json: bool, config: Config) -> None:
    """Make RUN the published run of its data set: what pages begin with, audiences count and other systems read.

    What was checked against the run published until then is shown and recorded; it refuses nothing.
    """
    from dashboard.pipeline.publish import publish_run, roll_back
    from dashboard.queries.published import live

    if (run_id is None) == (dataset is None):
        raise InputError("Name the run that is to be published, or a data set with --roll-back DATASET.")
    with open_store_for(config) as store:
        if dataset is not None:
            roll_back(dataset, store, who=account(), via="command", why=why)
        elif run_id is not None:
            dataset = publish_run(run_id, config, store, who=account(), via="command", why=why).dataset
        answer = live(store, dataset or "").to_dict()
    _show(answer, as_json)


@click.command()
@click.argument("dataset")
@click.option("--history", "with_history", is_flag=True, help="Everything that was published of it, the latest first.")
@json_option
@config_option
def live(dataset: str, with_history: bool, as_json: bool, config: Config) -> None:
    """Say which run of DATASET is published, who published it, when and why."""
    from dashboard.queries.published import history
    from dashboard.queries.published import live as live_run

    with open_store_for(config) as store:
        if with_history:
            rows = [_json_ready(row) for row in history(store, dataset)]
        else:
            answer = live_run(store, dataset).to_dict()
    if not with_history:
        _show(answer, as_json)
    elif as_json:
        print_json(rows)
    else:
        for row in rows:
            click.echo(
                f"{row['when']}\trun {row['run']['id']} ({row['run']['engine']}, {row['run']['as_of']})\t{_by(row)}"
            )


def _show(answer: Mapping[str, Any], as_json: bool) -> None:
    ready = _json_ready(answer)
    if as_json:
        print_json(ready)
        return
    run, published = ready["run"], ready["published"]
    click.echo(f"{ready['dataset']}: run {run['id']} ({run['engine']}, {run['as_of']}), {run['customers']:,} customers")
    click.echo(f"  Published {published['when']}, {_by(published)}")
    for check in published["checks"]:
        click.echo(f"  {'passed' if check['passed'] else 'FAILED'}  {check['name']}: {check['text']}")


def _by(published: Mapping[str, Any]) -> str:
    """Who, where and why, on one line."""
    way = "by itself" if published["via"] == "first" else f"{published['via']}"
    who = f" by {published['who']}" if published["who"] else ""
    kind = ", rolled back" if published["kind"] == "rollback" else ""
    return f"{way}{who}{kind}: {published['why']}"


def _json_ready(value: Any) -> Any:
    """Dates and moments as text."""
    if isinstance(value, Mapping):
        return {name: _json_ready(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_json_ready(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
