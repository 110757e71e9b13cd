"""K-means: groups of customers around centres, each customer with the nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pandas import DataFrame

from engines.clustering.centres import centres_from, k_centres
from engines.clustering.clusterers import KClusterer, NearestGroup, constant_note
from engines.clustering.scaling import Space
from engines.contract import Fitted, Segment
from engines.messages import noted

if TYPE_CHECKING:  # a class in an engine's module may stand in a kept model
    from engines.clustering.centres import Centres


@dataclass(frozen=True)
class KMeans(KClusterer):
    """K-means on log-scaled recency, frequency and spend (or other columns), the best of ten starts."""

    title: ClassVar[str] = noted("K-means")
    summary: ClassVar[str] = noted("Groups around centres: round, similar in spread, quick on millions of customers.")

    def fit(self, customers: DataFrame) -> NearestGroup:
        """Find the centres; the diagnostics are the inertia (in the engine's own space) and the iterations.

        Raises:
            InputError: unusable features, or k above the number of (different) customers.
        """
        space, matrix = self.space_of(customers, self.k)
        return self._fitted(space, k_centres(matrix, self.k, self.seed))

    def refit(self, customers: DataFrame, start: Fitted) -> NearestGroup:
        """Find the centres anew from where the customers of each earlier segment lie now; keys stay.

        Raises:
            InputError: as :meth:`fit` does.
        """
        space, matrix = self.space_of(customers, self.k)
        return self._fitted(space, centres_from(matrix, start.assign(customers).to_numpy(np.int64), self.k))

    def _fitted(self, space: Space, centres: Centres) -> NearestGroup:
        return NearestGroup(
            space,
            centres.points,
            np.arange(self.k, dtype=np.int64),
            tuple(Segment(key) for key in range(self.k)),
            {"inertia": centres.inertia, "iterations": float(centres.iterations)},
            constant_note(space),
        )
