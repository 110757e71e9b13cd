"""Hierarchical clustering (Ward): joins the two most alike groups again and again; the tree shows how they relate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np
from pandas import DataFrame

from engines.clustering.centres import micro_centres, nearest
from engines.clustering.clusterers import KClusterer, NearestGroup, constant_note
from engines.clustering.linkage import Tree, ward
from engines.clustering.sampling import sample_rows
from engines.clustering.scaling import Matrix, Space
from engines.contract import Segment
from engines.messages import message, noted

#: Up to so many customers the tree is exact; above, it joins small groups of customers.
EXACT = 10_000
#: How many such small groups.
MICRO = 750
#: How many customers to count for the weights of the small groups.
_COUNTED = 200_000
#: How many leaves of the tree a dendrogram shows.
_SHOWN = 30


@dataclass(frozen=True)
class Hierarchical(KClusterer):
    """Ward's method on log-scaled recency, frequency and spend (or other columns).

    Up to 10,000 customers it is exact. Above, K-means gathers customers into small groups first and Ward joins those,
    each weighing as many customers as it holds; a customer belongs where the nearest small group belongs.
    """

    title: ClassVar[str] = noted("Hierarchical")
    summary: ClassVar[str] = noted("Joins the most alike groups step by step (Ward): shows which segments are related.")
    refit_limit: ClassVar[int] = 2_000  # no less stable on 20,000, at a quarter of the cost

    def fit(self, customers: DataFrame) -> NearestGroup:
        """Grow the tree and cut it into k.

        ``artifacts()`` has the top of the tree: ``linkage`` in SciPy's form, and the customers and the segment key of
        each leaf shown, ``leaf_customers`` and ``leaf_keys``.

        The diagnostics: ``exact`` (1 or 0), ``leaves`` (different customers, or small groups), ``cut_height`` (the last
        merge that was made) and ``next_height`` (the first that was not): a wide gap between the two speaks for k.

        Raises:
            InputError: unusable features, or k above the number of (different) customers.
        """
        return self._cut(self._grown(customers, self.k), self.k)

    def fit_each(self, customers: DataFrame, ks: Iterable[int]) -> Iterator[NearestGroup]:
        """One tree, cut into each k in turn.

        Raises:
            InputError: unusable features, or, when its turn comes, a k above the number of (different) customers.
        """
        grown = self._grown(customers, 1)
        for k in ks:
            with_k = replace(self, k=k)
            # where the tree is too small for k, fit says why
            yield self._cut(grown, k) if k <= grown.tree.leaves else with_k.fit(customers)

    def _grown(self, customers: DataFrame, k: int) -> _Grown:
        space, matrix = self.space_of(customers, k)
        exact = len(matrix) <= EXACT
        if exact:
            points, weights = np.unique(matrix, axis=0, return_counts=True)
        else:
            points = micro_centres(matrix, max(MICRO, k), self.seed)
            counted = matrix[sample_rows(len(matrix), _COUNTED, self.seed)]
            weights = np.bincount(nearest(counted, points), minlength=len(points))
            points, weights = points[weights > 0], weights[weights > 0]
        return _Grown(space, points, ward(points, weights.astype(np.float64)), exact, len(matrix))

    def _cut(self, grown: _Grown, k: int) -> NearestGroup:
        tree = grown.tree
        keys, top = tree.cut(k), tree.top(max(_SHOWN, k))
        heights = tree.merges[:, 2]
        made = len(heights) - (k - 1)
        note = () if grown.exact else (message("Ward joined {leaves} small groups of customers.", leaves=tree.leaves),)
        return NearestGroup(
            grown.space,
            grown.points,
            keys,
            tuple(Segment(key) for key in range(k)),
            {
                "exact": float(grown.exact),
                "leaves": float(tree.leaves),
                "cut_height": float(heights[made - 1]) if made > 0 else 0.0,
                "next_height": float(heights[made]) if k > 1 else 0.0,
            },
            (*constant_note(grown.space), *note),
            {
                "linkage": top.merges.tolist(),
                "leaf_customers": (top.customers * grown.customers / top.customers.sum()).round().tolist(),
                "leaf_keys": keys[top.inside].tolist(),
            },
        )


class _Grown(NamedTuple):
    """A tree of customers, or of small groups of them, that can be cut into any number of segments."""

    space: Space
    points: Matrix
    tree: Tree
    exact: bool
    customers: int
