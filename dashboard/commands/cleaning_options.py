"""The options of cleaning that change from one call to the next: --returns, --from and --to."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from engines.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime

    from dashboard.config import Config

_DAY = click.DateTime(["%Y-%m-%d"])


def cleaning_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--returns, --from and --to, given to the command as ``cleaning``: what they change of [cleaning]."""

    @click.option("--returns", type=click.Choice(["drop", "net"]), help="Whether monetary is after returns (net).")
    @click.option("--from", "from_day", type=_DAY, help="The first day that counts.")
    @click.option("--to", "to_day", type=_DAY, help="The last day that counts.")
    @functools.wraps(command)
    def with_cleaning(
        *, returns: str | None, from_day: datetime | None, to_day: datetime | None, **others: object
    ) -> Any:
        days = {"from_day": from_day, "to_day": to_day}
        said = {name: day.date().isoformat() for name, day in days.items() if day is not None}
        return command(cleaning=said | ({"returns": returns} if returns else {}), **others)

    return with_cleaning


def cleaned(config: Config, changes: Mapping[str, str]) -> Config:
    """The configuration with what the options change of [cleaning].

    Raises:
        InputError: the first day is after the last.
    """
    days = {name: changes.get(name) or getattr(config.cleaning, name) for name in ("from_day", "to_day")}
    if days["from_day"] and days["to_day"] and days["from_day"] > days["to_day"]:
        raise InputError(
            f"The first day, {days['from_day']}, is after the last, {days['to_day']}; mend --from or --to."
        )
    return config.replace(cleaning=changes) if changes else config
