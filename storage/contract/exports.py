"""The record of exports: who took which customers when, and how to know the file again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

ExportState = Literal["begun", "complete", "broken off"]
#: Whom a list with a control group holds: everyone, those without the control group, or the control group alone.
ControlPart = Literal["all", "campaign", "control"]


@dataclass(frozen=True)
class ControlGroup:
    """How customers were drawn who get nothing, so that the campaign's effect can be told.

    ``share`` of the selection, 0 to 1; ``seed`` of the draw; ``part``: who of them is in the list.
    """

    share: float
    seed: int
    part: ControlPart = "all"


@dataclass(frozen=True)
class Export:
    """A list of customers that left the house.

    ``selection``: a query string, empty for everyone. ``columns``: in the file's order; None where not recorded.
    ``state``: ``begun`` until the last byte was handed over (``complete``) or the download was ``broken off``; then
    ``rows`` and ``size`` (bytes) say how far it came, and there is no ``sha256`` (of the whole file). ``user``:
    whoever asked for it, where that is known. ``dataset``, ``as_of``, ``engine`` and ``about`` (title, currency,
    settings, fingerprint of the snapshot, version...) are as they were, so that the record outlasts the run.
    """

    id: int
    run_id: int
    selection: str
    format: str
    rows: int
    sha256: str | None
    user: str | None
    exported_at: datetime
    state: ExportState = "complete"
    size: int | None = None
    columns: tuple[str, ...] | None = None
    control: ControlGroup | None = None
    dataset: str | None = None
    as_of: date | None = None
    engine: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
