"""An engine of one's own: customers in bands of equal size by what they have spent."""

from dataclasses import dataclass, field

import numpy as np
from pandas import DataFrame, Series

from engines.columns import MONETARY
from engines.contract import Engine, Segment, knob


@dataclass(frozen=True)
class Bands:
    """The fitted cut points: a band is the number of cut points below the spend."""

    cuts: np.ndarray
    segments: tuple[Segment, ...]
    diagnostics: dict[str, float] = field(default_factory=dict)

    def assign(self, customers: DataFrame) -> Series:
        bands = np.searchsorted(self.cuts, customers[MONETARY], side="right")
        return Series(bands, index=customers.index, dtype="int64")


@dataclass(frozen=True)
class SpendBands(Engine):
    title = "Spend bands"
    summary = "Groups customers into bands of equal size by what they have spent."
    needs = (MONETARY,)

    k: int = knob(3, low=2, high=10, help="How many bands.")

    def fit(self, customers: DataFrame) -> Bands:
        self.require(customers)
        cuts = np.unique(np.quantile(customers[MONETARY], np.arange(1, self.k) / self.k))
        return Bands(cuts, tuple(Segment(key) for key in range(len(cuts) + 1)))
