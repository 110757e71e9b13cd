"""A choice of value models that was made before for the same data set, so that a refresh need not choose again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from dashboard.config import Config
from dashboard.pipeline.sales import RECEIPT
from engines.value.appraisal import Kept
from engines.value.validation.choice import ModelChoice
from storage import Store
from storage.contract import NewSnapshot, Snapshot

#: Settings of a snapshot that a choice depends on.
_DECIDES = ("clv", "churn", "cleaning")


def choice_of(snapshot: Snapshot, store: Store) -> Kept | None:
    """The choice that a snapshot's customers were valued by; None where it is of before there were any."""
    value: Mapping[str, Any] = snapshot.info.get("value") or {}
    if "choice" not in value:
        return None
    receipts = {item.name: item.receipt for item in store.validations(snapshot.id)}
    return Kept(
        ModelChoice.from_dict(value["choice"]), date.fromisoformat(value["chosen_as_of"]), receipts.get(RECEIPT)
    )


def kept_choice(new: NewSnapshot, config: Config, store: Store) -> Kept | None:
    """The latest choice for the same data set that is at most ``[clv] choose_again_days`` older than these sales.

    Settings that decide how customers and their value come about must be the same, and earlier cut-offs must have
    decided: what stood for want of them is tried again.
    """
    found = []
    for snapshot in store.snapshots():
        value: Mapping[str, Any] = snapshot.info.get("value") or {}
        if snapshot.dataset != new.dataset or snapshot.as_of > new.as_of or not value.get("choice", {}).get("chosen"):
            continue
        if snapshot.rules != new.rules:  # other rules made other figures of the same sales
            continue
        age = (new.as_of - date.fromisoformat(value["chosen_as_of"])).days
        same = all(_written(snapshot.settings.get(name)) == _written(new.settings.get(name)) for name in _DECIDES)
        if same and 0 <= age <= config.clv.choose_again_days and config.clv.choose_again_days > 0:
            found.append(snapshot)
    return choice_of(max(found, key=lambda each: (each.as_of, each.id)), store) if found else None


def _written(settings: Any) -> str:
    """Settings as the store has them: lists and tuples are alike."""
    return json.dumps(settings, sort_keys=True, default=str)
