"""Gives segments names by hand: what the playbook knows of a name goes with it."""

from __future__ import annotations

from dashboard.services import Services
from storage.contract import Run


def rename(
    services: Services,
    run_id: int,
    key: int,
    *,
    revision: int,
    name: str | None = None,
    action: str | None = None,
    pinned: bool | None = None,
) -> Run:
    """Edit a segment as :meth:`~storage.contract.Store.edit_segment` does; a name has one colour on every page.

    A name of the playbook brings the playbook's colour, unless another segment of the run has that; any other name
    keeps the run's own.
    """
    colour = None
    if name is not None:
        plays = {play.name: play.colour for play in services.config.plays}
        others = {item.colour for item in services.store.run(run_id).segments if item.key != key}
        play_colour = plays.get(" ".join(name.split()), "")
        colour = "" if play_colour in others else play_colour
    return services.store.edit_segment(
        run_id, key, revision=revision, name=name, action=action, colour=colour, pinned=pinned
    )
