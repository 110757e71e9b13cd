"""``segmentry schedule``: refreshes that the worker starts by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from dashboard.clock import now
from dashboard.commands.options import config_option, json_option, open_store_for, print_json, sales_options

if TYPE_CHECKING:
    from dashboard.config import Config
    from dashboard.pipeline.sales import SalesRequest


@click.group()
def schedule() -> None:
    """Refresh a source by itself, every month, week or day, whenever a worker runs."""


@schedule.command()
@click.argument("source")
@click.option("--every", required=True, help='month, week, day, or a cron expression such as "0 6 1 * *".')
@click.option("--time-zone", default="UTC", show_default=True, help="IANA name of the zone that is meant.")
@click.option("--publish", is_flag=True, help="Publish the first engine's run when it is done and its checks pass.")
@sales_options("engines", "k", "seed", "mapping", "reading", "currency", "name", taken=("time_zone",))
@json_option
@config_option
def add(every: str, time_zone: str, publish: bool, request: SalesRequest, as_json: bool, config: Config) -> None:
    """Run SOURCE again and again: month is on the 1st, week on Monday, day on every day, each at 06:00.

    SOURCE is what ``segmentry run`` takes. A file is read anew each time, under the name it has now.
    """
    from dashboard.worker.schedules import new_schedule, next_due, schedule_dict

    new = new_schedule(request, every, time_zone, config, publish=publish)
    with open_store_for(config) as store:
        stored = store.add_schedule(new, next_due=next_due(new.cron, new.time_zone, now()))
    _tell(schedule_dict(stored), as_json)


@schedule.command("list")
@json_option
@config_option
def list_schedules(as_json: bool, config: Config) -> None:
    """List the schedules, when each is due next and how its last due time went."""
    from dashboard.worker.schedules import schedule_dict

    with open_store_for(config) as store:
        rows = [schedule_dict(item) for item in store.schedules()]
    if as_json:
        print_json(rows)
    elif not rows:
        click.echo("No schedules yet; add one with: segmentry schedule add SOURCE --every month")
    else:
        for item in rows:
            _tell(item, as_json=False)


@schedule.command()
@click.argument("schedule_id", metavar="SCHEDULE", type=int)
@json_option
@config_option
def pause(schedule_id: int, as_json: bool, config: Config) -> None:
    """Let SCHEDULE rest; what is under way is finished."""
    from dashboard.worker.schedules import schedule_dict

    with open_store_for(config) as store:
        _tell(schedule_dict(store.pause_schedule(schedule_id)), as_json)


@schedule.command()
@click.argument("schedule_id", metavar="SCHEDULE", type=int)
@json_option
@config_option
def resume(schedule_id: int, as_json: bool, config: Config) -> None:
    """Let SCHEDULE go on with its next due time; those that passed while it was paused are left out."""
    from dashboard.worker.schedules import next_due, schedule_dict

    with open_store_for(config) as store:
        stored = store.schedule(schedule_id)
        following = next_due(stored.cron, stored.time_zone, now())
        _tell(schedule_dict(store.resume_schedule(schedule_id, next_due=following)), as_json)


@schedule.command()
@click.argument("schedule_id", metavar="SCHEDULE", type=int)
@json_option
@config_option
def remove(schedule_id: int, as_json: bool, config: Config) -> None:
    """Forget SCHEDULE; the snapshots and runs it made stay."""
    with open_store_for(config) as store:
        store.remove_schedule(schedule_id)
    if as_json:
        print_json({"id": schedule_id, "removed": True})
    else:
        click.echo(f"Schedule {schedule_id} is removed; its snapshots and runs stay.")


def _tell(item: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(item)
        return
    called = f" as {item['name']}" if item["name"] else ""
    engines = ", ".join(item["engines"]) or "the engines of the configuration"
    publishes = ", publishes what passes its checks" if item["publish"] else ""
    click.echo(f"Schedule {item['id']}: {item['source']}{called} with {engines}{publishes}")
    click.echo(f"  {item['explained']} ({item['cron']}), {item['time_zone']}")
    state = {"paused": "Paused", "running": "At work on"}.get(item["state"], "Next on")
    click.echo(f"  {state}" + ("" if state == "Paused" else f" {_minute(item['next_due'])}"))
    if item["last"] is not None:
        last = item["last"]
        runs = ", ".join(map(str, last["runs"])) or "none"
        click.echo(f"  Last: due {_minute(last['due'])}, " + (last["error"] or f"done, runs {runs}"))
        if last["note"]:
            click.echo(f"  {last['note']}")


def _minute(moment: str) -> str:
    """A moment to the minute, with how far its zone was from UTC then."""
    day, _, clock = moment.partition("T")
    return f"{day} {clock[:5]} (UTC{clock[-6:]})"
