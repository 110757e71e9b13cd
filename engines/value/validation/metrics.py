"""Errors of a forecast: what was expected of each customer against what each did."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.value.lifetime.patterns import Floats

#: The share of customers whose revenue is looked at: the tenth of whom most is expected.
TOP = 0.1
BINS = 10

Metrics = dict[str, float | None]


def foresight(expected: Floats, actual: Floats, *, score: Floats, revenue: Floats) -> Metrics:
    """Mean absolute, root mean squared and mean squared logarithmic error, bias, correlation and revenue captured.

    Args:
        expected: what was foreseen of each customer, purchases or spend; 0 or more.
        actual: what came, in the same unit.
        score: by what customers are ranked for the revenue captured, the higher the better.
        revenue: what each customer spent.

    Returns:
        ``mae``, ``rmse``, ``msle`` (of the logarithms of one more), ``bias`` (expected in all / actual in all - 1),
        ``correlation`` (Pearson's) and ``top_decile_revenue``. None for what does not exist: a correlation with a
        constant, a bias against nothing, a share of no revenue.
    """
    miss = expected - actual
    total = float(actual.sum())
    return {
        "mae": _finite(np.abs(miss).mean()),
        "rmse": _finite(np.sqrt((miss**2).mean())),
        "msle": _finite(((np.log1p(expected) - np.log1p(np.maximum(actual, 0.0))) ** 2).mean()),
        "bias": _finite(expected.sum() / total - 1.0) if total > 0 else None,
        "correlation": _correlation(expected, actual),
        "top_decile_revenue": captured_share(score, revenue),
    }


def captured_share(score: Floats, revenue: Floats, share: float = TOP) -> float | None:
    """The share of the revenue that the customers with the highest scores bring in.

    Customers with equal scores count in proportion, as if those on top were drawn from among them at random; so a score
    that says nothing captures as much revenue as it holds customers.
    """
    total = float(revenue.sum())
    if not total > 0:
        return None
    _, codes = np.unique(-score, return_inverse=True)
    customers = np.cumsum(np.bincount(codes))
    money = np.cumsum(np.bincount(codes, revenue))
    return _finite(np.interp(share * len(score), [0, *customers], [0.0, *money]) / total)


def bins(expected: Floats, count: int = BINS) -> NDArray[np.int64]:
    """The bin of each customer, 0 first: as equal in number as equal expectations, which stay together, allow."""
    edges = np.unique(np.quantile(expected, np.linspace(0, 1, count + 1), method="inverted_cdf"))
    return np.searchsorted(edges[1:-1], expected, side="left").astype(np.int64)


def calibration(expected: Floats, actual: Floats) -> list[dict[str, Any]]:
    """What was expected per customer and what came, in up to ten bins of customers of whom alike was expected."""
    codes = bins(expected)
    return [
        {
            "low": float(expected[inside].min()),
            "high": float(expected[inside].max()),
            "customers": int(inside.sum()),
            "expected": float(expected[inside].mean()),
            "actual": float(actual[inside].mean()),
        }
        for inside in (codes == code for code in np.unique(codes))
    ]


def _correlation(expected: Floats, actual: Floats) -> float | None:
    if len(expected) < 2 or np.ptp(expected) == 0 or np.ptp(actual) == 0:
        return None
    return _finite(np.corrcoef(expected, actual)[0, 1])


def _finite(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None
