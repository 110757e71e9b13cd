"""Alerts: runs whose segments no longer fit, until somebody has seen them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from engines.contract import DriftCause

AlertKind = Literal["timeline", "live"]
Delivery = Literal["waiting", "delivered", "failed"]


@dataclass(frozen=True)
class Alert:
    """A run whose segments no longer fit, at its own date.

    ``kind``: told by the timeline (a model frozen long ago) or live (the model of the run before). ``cause``: the
    models disagree (``agreement``), or the customers themselves have changed (``population``). ``noise_low`` is how far
    chance alone takes ``ari`` down, None where that was not measured. ``acknowledged_by`` is whoever clicked, where
    that is known. ``delivery``: of the message to the webhook, a job of the kind ``delivery``; ``attempts`` counts its
    tries, ``next_try`` is when it is due, or was the last time, ``error`` how the last one went.
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
    cause: DriftCause = "agreement"
