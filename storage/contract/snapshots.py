"""Snapshots: the customers of a data set as of a date, and the receipts of checks of their value models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from engines.settings import RULES_VERSION


@dataclass(frozen=True)
class NewSnapshot:
    """A snapshot to be saved; equal data set, fingerprint, date, settings and rules mean the same snapshot.

    ``dataset``: the data set's name. ``source``: what the user named (a file's name, never a URL with a secret).
    ``fingerprint``: of the content. ``settings``: what else its customers depend on (mapping, rules, horizon...).
    ``ledger``: JSON-ready, see the data dictionary. ``info``: JSON-ready facts for pages (currency, has_country,
    synthetic, value model and its notes...). ``rules``: the version of the rules that its sales were read and its
    customers made by; snapshots of different versions are different, and their figures mean different things.
    """

    dataset: str
    source: str
    fingerprint: str
    as_of: date
    settings: Mapping[str, Any]
    ledger: Mapping[str, Any]
    info: Mapping[str, Any] = field(default_factory=dict)
    rules: int = RULES_VERSION

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know of how its sales were read and its customers valued."""
        return (*self.info.get("notes", ()), *self.info.get("value_notes", ()))


@dataclass(frozen=True)
class Snapshot(NewSnapshot):
    """A saved snapshot. ``sales``: the SHA-256 of the file with its clean sales, None where they are not kept."""

    id: int = 0
    customers: int = 0
    created_at: datetime | None = None
    sales: str | None = None

    @property
    def currency(self) -> str:
        """ISO 4217 code of its money, empty where that is not known."""
        return str(self.info.get("currency") or "")


@dataclass(frozen=True)
class Validation:
    """The receipt of a check of a snapshot's value models, as JSON-ready values."""

    snapshot_id: int
    name: str
    receipt: Mapping[str, Any]
    created_at: datetime
