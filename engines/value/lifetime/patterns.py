"""Distinct purchase histories with how many customers have each: models compute every history once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def distinct_rows(*columns: NDArray[Any]) -> tuple[tuple[NDArray[Any], ...], Indices, Floats]:
    """The distinct rows of columns of equal length, in ascending order, whatever the order of the rows given.

    Returns:
        The columns of the distinct rows; for every given row the position of its distinct row; and how many given rows
        each distinct row stands for.
    """
    combined, _ = pd.factorize(columns[0], sort=True)
    for column in columns[1:]:
        codes, values = pd.factorize(column, sort=True)
        # Codes stay below the number of rows, so that their product fits 64 bits for billions of rows.
        combined, _ = pd.factorize(combined.astype(np.int64) * len(values) + codes, sort=True)
    positions = combined.astype(np.int64)
    counts = np.bincount(positions)
    first = np.empty(len(counts), dtype=np.int64)
    first[positions[::-1]] = np.arange(len(positions) - 1, -1, -1)
    return tuple(column[first] for column in columns), positions, counts.astype(np.float64)


@dataclass(frozen=True)
class Histories:
    """Distinct purchase histories, in ascending order.

    ``x``: repeat purchases; ``t_x``: weeks from the first purchase to the last; ``age``: weeks since the first;
    ``weights``: how many customers share the history; ``positions``: for every customer, which history is theirs.
    """

    x: Floats
    t_x: Floats
    age: Floats
    weights: Floats
    positions: Indices

    @classmethod
    def of(cls, x: Floats, t_x: Floats, age: Floats) -> Histories:
        """The distinct histories of customers given as three columns of equal length."""
        (x, t_x, age), positions, weights = distinct_rows(x, t_x, age)
        return cls(x, t_x, age, weights, positions)

    @property
    def customers(self) -> float:
        """How many customers there are."""
        return float(self.weights.sum())

    @property
    def purchases(self) -> float:
        """Repeat purchases of all customers together."""
        return float(self.weights @ self.x)
