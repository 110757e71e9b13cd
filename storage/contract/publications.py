"""Publications: which run of a data set is the one that everybody works with, since when, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

#: Where a run was published; ``first`` says that it was published by itself, as the first of its data set.
PublicationWay = Literal["browser", "api", "command", "schedule", "first"]
PublicationKind = Literal["publish", "rollback"]

#: The longest reason, in characters.
WHY_LENGTH = 500


@dataclass(frozen=True)
class Publication:
    """A run that was published: it is the published run of its data set until the next one of it.

    ``engine``, ``as_of``: of the run, which may be deleted once another is published. ``previous_run_id``: the run that
    was published until then, None where none was. ``published_by``: whoever did it, where that is known. ``checks``:
    what was checked before, as JSON-ready values with ``name``, ``passed`` and ``text``; they refuse nothing.
    """

    id: int
    dataset: str
    run_id: int
    engine: str
    as_of: date
    published_at: datetime
    via: PublicationWay
    why: str
    published_by: str | None = None
    previous_run_id: int | None = None
    checks: tuple[Mapping[str, Any], ...] = ()
    kind: PublicationKind = "publish"
