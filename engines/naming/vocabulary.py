"""Vocabulary of segment names, and what kind of customers each of them means."""

from __future__ import annotations

from collections.abc import Sequence

from engines.contract import Play

#: Where a name is at home: (how recently, how often, how much) against all customers, each from -1 to 1.
HOMES: dict[str, tuple[float, float, float]] = {
    "champions": (0.75, 0.85, 0.85),
    "loyal customers": (0.45, 0.55, 0.55),
    "potential loyalists": (0.60, 0.15, 0.10),
    "new customers": (0.85, -0.60, -0.45),
    "promising": (0.50, -0.60, -0.50),
    "needs attention": (0.00, 0.05, 0.10),
    "occasional": (0.25, -0.25, -0.20),
    "about to sleep": (-0.15, -0.50, -0.40),
    "at risk": (-0.50, 0.20, 0.30),
    "can't lose them": (-0.55, 0.75, 0.75),
    "hibernating": (-0.60, -0.50, -0.45),
    "lost": (-0.85, -0.75, -0.75),
}
#: The other words people use for them.
_ALSO = {
    "vip": "champions",
    "vips": "champions",
    "best customers": "champions",
    "loyal": "loyal customers",
    "growing": "potential loyalists",
    "recent": "new customers",
    "recent customers": "new customers",
    "new": "new customers",
    "trying us": "promising",
    "regular": "needs attention",
    "need attention": "needs attention",
    "customers needing attention": "needs attention",
    "cooling off": "about to sleep",
    "slipping away": "at risk",
    "at-risk": "at risk",
    "missed vip": "can't lose them",
    "cannot lose them": "can't lose them",
    "dormant": "hibernating",
    "inactive": "hibernating",
    "churned": "lost",
    "gone": "lost",
}


def word_meant(name: str) -> str:
    """The word we know a name by: ``VIP`` is ``champions``."""
    folded = name.strip().lower().replace("’", "'")
    return _ALSO.get(folded, folded)


def home_position(name: str) -> tuple[float, float, float] | None:
    """Where a name is at home; None where it is not one of those people use."""
    return HOMES.get(word_meant(name))


def playbook_name(name: str, plays: Sequence[Play]) -> str:
    """A name in the words of the playbook: its own where it has it, else its word for the same kind of customers.

    A name that the playbook has no word for stays as it is.
    """
    if any(play.name == name for play in plays):
        return name
    meant = word_meant(name)
    if meant not in HOMES:
        return name
    return next((play.name for play in plays if word_meant(play.name) == meant), name)
