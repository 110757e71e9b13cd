"""Permutation importance of each column: how much worse a model gets when it is shuffled among customers."""

from __future__ import annotations

from typing import Any

import numpy as np

from engines.columns import FEATURE_COLUMNS
from engines.value.contract import SPEND_AFTER, FittedValueModel, Window
from engines.value.validation.backtests import sample_window

#: So many customers are looked at, and every column is shuffled so often.
CUSTOMERS, TIMES = 2_000, 2


def importances(fitted: FittedValueModel, test: Window, *, seed: int = 0) -> list[dict[str, Any]]:
    """Permutation importances (Breiman 2001) on a test: by how much the RMSE of spend rises, the weightiest first.

    Returns:
        ``feature``, ``importance`` and ``spread`` (standard deviation over the shufflings), both in the currency, for
        every feature column that makes a difference.
    """
    seen = sample_window(test, seed, CUSTOMERS)
    spent = seen.outcome[SPEND_AFTER].to_numpy(np.float64)

    def rmse(customers: Any) -> float:
        predicted = fitted.predict(customers, test.weeks)["future_spend"].to_numpy(np.float64)
        return float(np.sqrt(np.mean((predicted - spent) ** 2)))

    baseline = rmse(seen.customers)
    random = np.random.default_rng(seed)
    orders = [random.permutation(len(spent)) for _ in range(TIMES)]
    rows = []
    for name in seen.customers.columns:
        if name not in FEATURE_COLUMNS:
            continue
        rises = []
        for order in orders:
            shuffled = seen.customers.copy()
            shuffled[name] = seen.customers[name].array.take(order)
            rises.append(rmse(shuffled) - baseline)
        if any(rises):
            rows.append({"feature": name, "importance": float(np.mean(rises)), "spread": float(np.std(rises))})
    return sorted(rows, key=lambda item: (-item["importance"], item["feature"]))
