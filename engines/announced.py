"""Finds what installed packages announce to this product: their engines and features, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

#: Our own distribution: what it announces comes first.
OWN = "segmentry"


def announcements(group: str, points: Iterable[EntryPoint] | None = None) -> tuple[EntryPoint, ...]:
    """The entry points of a group, each once: ours first, then by name and origin.

    Args:
        group: name of the entry-point group.
        points: the entry points to read instead of the installed ones.
    """
    found = list(entry_points(group=group) if points is None else points)
    # a package installed twice over (a checkout beside an installation) announces the same thing twice
    distinct = {(point.name, point.value, origin(point)): point for point in found}
    return tuple(sorted(distinct.values(), key=lambda point: (not is_ours(point), point.name, origin(point))))


def origin(point: EntryPoint) -> str:
    """The package that announces it, with its version."""
    return "unknown" if point.dist is None else f"{point.dist.name} {point.dist.version}"


def is_ours(point: EntryPoint) -> bool:
    """Whether it comes with the product."""
    return point.dist is not None and point.dist.name == OWN
