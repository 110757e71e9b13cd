"""What a store owes to those who watch: a run against the one before it, and alerts that somebody has to see."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from engines.contract import LivePoint

AlertKind = Literal["timeline", "live"]
Delivery = Literal["waiting", "delivered", "failed"]


@dataclass(frozen=True)
class Alert:
    """A run whose segments no longer fit, at its own date.

    ``kind``: told by the timeline (a model frozen long ago) or live (the model of the run before). ``noise_low`` is how
    far chance alone takes ``ari`` down, None where that was not measured. ``acknowledged_by`` is whoever clicked, where
    that is known. ``delivery``: of the message to the webhook; ``attempts`` counts its tries, ``next_try`` is when it
    is due, ``error`` how the last one went.
    """

    id: int
    run_id: int
    dataset: str
    engine: str
    kind: AlertKind
    as_of: date
    ari: float
    noise_low: float | None
    raised_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    delivery: Delivery = "waiting"
    attempts: int = 0
    next_try: datetime | None = None
    error: str | None = None
    delivered_at: datetime | None = None


class WatchStore(ABC):
    """The verbs about live points and alerts, a part of :class:`~storage.contract.Store`.

    Both are written with the run they are about (:meth:`~storage.contract.Store.finish_run`), and go with it. There is
    never more than one alert of a run and date.
    """

    @abstractmethod
    def live_points(self, dataset: str, engine: str) -> dict[int, LivePoint]:
        """The runs of a data set and engine that were compared with the one before, the oldest first, by run id."""

    @abstractmethod
    def alerts(self, *, open_only: bool = False, limit: int = 200) -> list[Alert]:
        """The latest alerts, the newest first; with ``open_only`` those that nobody has acknowledged."""

    @abstractmethod
    def open_alerts(self) -> int:
        """How many alerts nobody has acknowledged."""

    @abstractmethod
    def acknowledge_alert(self, alert_id: int, *, who: str | None = None) -> Alert:
        """Write down that somebody has seen an alert; who was first stays.

        Raises:
            NotFoundError: no such alert.
        """

    @abstractmethod
    def claim_delivery(self, *, lease_seconds: float, since: datetime) -> Alert | None:
        """The alert raised at ``since`` or later due to be sent next, now leased to the caller; None if none is.

        However many ask at once, one of them gets it. If it is not finished before the lease is over, it is due again.
        """

    @abstractmethod
    def finish_delivery(
        self, alert_id: int, attempt: int, *, error: str | None = None, retry_seconds: float | None = None
    ) -> Alert:
        """Write down how the try with this number went: delivered, to be tried again in so many seconds, or given up.

        A try that somebody else has followed up by another changes nothing, unless it was the one that arrived.

        Raises:
            NotFoundError: no such alert.
        """
