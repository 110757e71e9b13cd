"""The chance that customers buy within any number of days, from the curve that was stored at two times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.frames.run import RunFrame
from engines.columns import CHURN_RISK, P_PURCHASE
from engines.errors import InputError

Floats = NDArray[np.float64]
_SURE = 1e-12


def buys_within(frame: RunFrame, value: Mapping[str, Any], days: int) -> Floats:
    """The chance of a purchase within so many days, of every customer of a run; missing where churn risk is unknown.

    The forecast is stored at two times, ``[churn] days`` and the horizon. Between them, before and after, customers are
    taken to buy at a constant rate: the logarithm of the chance of no purchase is a line through 0 and these two points
    and goes on as it came to the second. So it is the stored figure at these times, and never falls in between.

    Args:
        frame: of the run.
        value: the value model of its snapshot, as kept in its info.
        days: from the day of the snapshot on, 1 or more.

    Raises:
        InputError: the run's customers have no forecast.
    """
    near, far = (value.get("churn") or {}).get("days"), 7 * float(value.get("horizon_weeks") or 0)
    if not near or not far or not (frame.has(CHURN_RISK) and frame.has(P_PURCHASE)):
        raise InputError("These customers have no forecast; read their sales again to get one.")
    points = {float(near): frame.values(CHURN_RISK), far: 1.0 - frame.values(P_PURCHASE)}
    logs = {at: np.log(np.clip(silent, _SURE, 1.0)) for at, silent in points.items()}
    times = sorted(logs)
    if len(times) == 1:
        return np.asarray(-np.expm1(logs[times[0]] * days / times[0]), dtype=np.float64)
    (first, last), near_log = times, logs[times[0]]
    # chances are kept apart in rounding alone: the later never counts as less
    far_log = np.minimum(logs[last], near_log)
    slope = (far_log - near_log) / (last - first)
    found = near_log * days / first if days <= first else near_log + slope * (days - first)
    return np.asarray(-np.expm1(found), dtype=np.float64)
