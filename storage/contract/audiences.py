"""Saved audiences: selections that were given a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

#: The longest name of an audience, in characters.
NAME_LENGTH = 200


@dataclass(frozen=True)
class Audience:
    """A selection that was given a name. ``selection`` is the query string that ``Selection.from_query`` reads.

    ``dataset`` and ``engine``: whose runs it was made on; empty where that was not said, so that it means any.
    """

    id: int
    name: str
    selection: str
    pinned: bool
    created_at: datetime
    dataset: str = ""
    engine: str = ""
