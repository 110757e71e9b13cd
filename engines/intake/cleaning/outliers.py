"""Outlier amounts by a robust z-score of the logarithm, independent of the order of lines."""

from __future__ import annotations

import math
from dataclasses import dataclass

import ibis
import numpy as np

from engines.columns import AMOUNT_UNITS

_NORMAL = 0.6745  # the MAD of a normal distribution is this many standard deviations
_MOST = 2**63 - 1


@dataclass(frozen=True)
class Bounds:
    """The smallest and the largest usual amount of a line, in 1/10,000 of the currency unit."""

    low: int
    high: int


def usual_amounts(lines: ibis.Table, z: float) -> Bounds | None:
    """Between which amounts the modified z-score of Iglewicz and Hoaglin (1993) is at most ``z``.

    z = 0.6745 |x - median| / MAD, with x the logarithm of a line's amount, over the lines with an amount above zero;
    the median of an even number is the lower of the two in the middle. Selections and whole numbers alone, so that it
    is exact. None where there is no such line, or more than half of them have one and the same amount (MAD of 0).
    """
    units = lines[AMOUNT_UNITS]
    counted = lines.filter(units > 0).group_by(AMOUNT_UNITS).aggregate(lines=lambda some: some.count()).to_pyarrow()
    if not counted.num_rows:
        return None
    amounts, counts = counted[AMOUNT_UNITS].to_numpy(), counted["lines"].to_numpy()
    median = _median(amounts, counts)
    away = np.abs(np.log(amounts / median))
    spread = _median(away, counts) / _NORMAL
    if spread == 0:
        return None
    far = z * spread
    high = math.floor(median * math.exp(far)) if far < math.log(_MOST / median) else _MOST
    return Bounds(math.ceil(median * math.exp(-far)), high)


def _median(values: np.ndarray, counts: np.ndarray) -> float:
    """The lower median of values that stand for so many each."""
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(counts[order])
    return float(values[order][np.searchsorted(upto, (upto[-1] + 1) // 2)])
