"""Sums of small decision trees as plain data, so that what boosting has learned can be kept with a snapshot as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.value.lifetime.patterns import Floats

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class TreeSum:
    """The sum of many regression trees and a constant.

    Nodes of all trees stand one after the other; ``roots`` says where each tree begins. A node without children
    (``left`` below 0) gives its ``value``; any other sends a row to ``left`` where its column is at most ``threshold``,
    or is missing and ``missing_left`` says so, else to ``right``.
    """

    constant: float
    roots: Integers
    column: Integers
    threshold: Floats
    missing_left: NDArray[np.bool_]
    left: Integers
    right: Integers
    value: Floats

    @classmethod
    def of(cls, boosted: Any) -> TreeSum:
        """What a fitted histogram gradient boosting model of scikit-learn adds up, before any link."""
        nodes = [stage[0].nodes for stage in boosted._predictors]
        sizes = np.array([len(each) for each in nodes], dtype=np.int64)
        roots = np.cumsum(sizes) - sizes
        joined = np.concatenate(nodes)
        shift = np.repeat(roots, sizes)
        leaf = joined["is_leaf"].astype(bool)
        return cls(
            float(np.ravel(boosted._baseline_prediction)[0]),
            roots,
            joined["feature_idx"].astype(np.int64),
            joined["num_threshold"].astype(np.float64),
            joined["missing_go_to_left"].astype(bool),
            np.where(leaf, -1, joined["left"].astype(np.int64) + shift),
            np.where(leaf, -1, joined["right"].astype(np.int64) + shift),
            joined["value"].astype(np.float64),
        )

    def values(self, matrix: Floats) -> Floats:
        """The sum for each row of a matrix of predictors; to the last digit that of scikit-learn."""
        total = np.full(len(matrix), self.constant)
        rows = np.arange(len(matrix))
        for root in self.roots:
            at = np.full(len(matrix), root)
            while (inner := self.left[at] >= 0).any():
                seen = matrix[rows, self.column[at]]
                goes_left = np.where(np.isnan(seen), self.missing_left[at], seen <= self.threshold[at])
                at = np.where(inner, np.where(goes_left, self.left[at], self.right[at]), at)
            total += self.value[at]
        return total

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        arrays = ("roots", "column", "threshold", "missing_left", "left", "right", "value")
        threshold = np.where(np.isfinite(self.threshold), self.threshold, np.finfo(np.float64).max)
        return {
            "constant": self.constant,
            **{name: np.asarray(getattr(self, name)).tolist() for name in arrays},
            "threshold": threshold.tolist(),
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> TreeSum:
        """As it was before :meth:`to_dict`."""
        return cls(
            float(entry["constant"]),
            np.array(entry["roots"], dtype=np.int64),
            np.array(entry["column"], dtype=np.int64),
            np.array(entry["threshold"], dtype=np.float64),
            np.array(entry["missing_left"], dtype=bool),
            np.array(entry["left"], dtype=np.int64),
            np.array(entry["right"], dtype=np.int64),
            np.array(entry["value"], dtype=np.float64),
        )
