"""How far the reading of a source is, for whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Amount(NamedTuple):
    """How much of a source has been read: a share of 0 to 1, and about how many lines and bytes that is."""

    share: float
    lines: int
    bytes: int


Watch = Callable[[Amount], None]


def unwatched(amount: Amount) -> None:
    """Reading that nobody watches."""
