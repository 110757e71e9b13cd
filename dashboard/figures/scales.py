"""How a measure is laid along an axis, linear or logarithmic; decided on everyone in a run, so pictures stand still."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.frames.run import RunFrame, per_run
from dashboard.i18n.numbers import titled, written
from dashboard.i18n.texts import column_title
from engines.columns import Column, describe

_SKEWED = 20  # a maximum so many times the median asks for a logarithmic axis
_DECADES = 5  # a logarithmic axis shows no more; what is smaller stands at its edge
_CELLS = 50


class Axis(NamedTuple):
    """One axis of a cloud: its column, whether it is logarithmic, and the edges of the density's cells on it."""

    column: str
    log: bool
    edges: NDArray[np.float64]

    @property
    def whole(self) -> bool:
        """Whether its numbers are whole, so that points are spread a little to be seen."""
        return describe(self.column).kind == "count"

    @property
    def counts_days_or_orders(self) -> bool:
        """Whether only whole numbers of it are meant, drawn spread or not."""
        return describe(self.column).kind in ("count", "days")


@per_run
def axis_of(frame: RunFrame, column: str) -> Axis:
    """The axis of a column for everyone in the run."""
    values = frame.values(column)
    rising = values[frame.customers.order(column)]
    rising = rising[~np.isnan(rising)] if rising.dtype.kind == "f" else rising
    if not len(rising):
        return Axis(column, False, np.array([0.0, 1.0]))
    low, middle, high = float(rising[0]), float(rising[len(rising) // 2]), float(rising[-1])
    positive = rising[np.searchsorted(rising, 0, side="right") :]
    log = bool(len(positive)) and high > _SKEWED * max(middle, 0.0) and high > float(positive[0])
    cells = _CELLS
    if describe(column).kind == "count":
        steps = (
            np.geomspace(1, high + 1, cells) if log else np.linspace(min(low, 1), high + 1, min(cells, int(high) + 1))
        )
        return Axis(column, log, np.unique(np.floor(np.append(steps, high + 1))) - 0.5)
    if log:
        return Axis(column, True, np.geomspace(max(float(positive[0]), high / 10**_DECADES), high, cells + 1))
    return Axis(column, False, np.linspace(min(low, 0.0), max(high, low + 1.0), cells + 1))


def titled_axis(column: Column, unit: str, log: bool) -> str:
    """What stands beside an axis: ``Monetary (GBP, logarithmic)``; without a unit where there is none."""
    return titled(column_title(column), unit, log=log)


def log_ticks(low: float, high: float) -> dict[str, Any]:
    """Ticks of a logarithmic axis: every decade, and 2 and 5 between where few decades are seen."""
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    steps = (1, 2, 5) if high < 150 * low else (1,)
    ticks = [float(f"{decade * step:.6g}") for decade in decades for step in steps]
    return {"tickvals": np.array(ticks), "ticktext": [_short(tick) for tick in ticks]}


def _short(tick: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if tick >= size:
            return f"{written(tick / size, 'g')} {letter}"
    return written(tick, "g")  # and not 100m for 0.1, which reads as a hundred million
