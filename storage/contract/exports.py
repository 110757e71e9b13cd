"""What is known of a list that left the house: who took which customers when, and how to know the file again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
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


class ExportStore(ABC):
    """The verbs about the record of exports, a part of :class:`~storage.contract.Store`.

    A record outlasts its run. It is ended once; after that no verb changes or deletes it.
    """

    @abstractmethod
    def begin_export(
        self,
        run_id: int,
        selection: str,
        *,
        format: str,
        user: str | None = None,
        columns: Sequence[str] | None = None,
        control: ControlGroup | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> Export:
        """Write down that a list begins to leave; what the store knows of its run is added to ``about``.

        Raises:
            InputError: a selection that cannot be read, or a text that no database keeps.
            NotFoundError: there is no such run.
        """

    @abstractmethod
    def end_export(self, export_id: int, *, rows: int, size: int, sha256: str | None) -> Export:
        """Write down how it ended: whole, with the SHA-256 of all its bytes, or broken off, with None.

        Raises:
            ChangedError: it has ended already.
        """

    @abstractmethod
    def record_export(
        self,
        run_id: int,
        selection: str,
        *,
        format: str,
        rows: int,
        sha256: str | None = None,
        user: str | None = None,
        size: int | None = None,
        columns: Sequence[str] | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> Export:
        """Write down at once that a list was exported as a whole."""

    @abstractmethod
    def exports(self, *, limit: int = 1000, before: int | None = None) -> list[Export]:
        """The latest exports, the newest first; with ``before``, those with a smaller number than that."""

    @abstractmethod
    def export(self, export_id: int) -> Export:
        """One export."""
