"""Flattens customers onto the plane on which they differ most, so that segmentations can be seen side by side."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class Plane(NamedTuple):
    """The first two principal components of some columns, each column as log(1 + value) over its standard deviation.

    ``centre`` and ``scale``: mean and standard deviation of the logarithms. ``axes``: shape (2, columns), of length 1
    each; the largest part of each is positive, so that the picture is never mirrored. ``explained``: shares of the
    variance.
    """

    centre: Matrix
    scale: Matrix
    axes: Matrix
    explained: tuple[float, float]

    def places(self, columns: list[Matrix]) -> Matrix:
        """Where customers lie on the plane, shape (customers, 2)."""
        return np.asarray((_logarithms(columns) - self.centre) / self.scale @ self.axes.T)


def principal_plane(columns: list[Matrix]) -> Plane:
    """The plane on which customers differ most (principal component analysis of the correlations).

    Args:
        columns: two or more, each with a number for every customer; what is below 0 or missing counts as 0.
    """
    matrix = _logarithms(columns)
    centre, scale = matrix.mean(axis=0), matrix.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    matrix -= centre
    matrix /= scale
    values, vectors = np.linalg.eigh(matrix.T @ matrix / max(len(matrix), 1))
    axes = vectors.T[::-1][:2]
    largest = np.argmax(np.round(np.abs(axes), 9), axis=1)
    axes = axes * np.where(axes[np.arange(2), largest] < 0, -1.0, 1.0)[:, None]
    shares = np.maximum(values[::-1], 0.0)
    total = float(shares.sum()) or 1.0
    return Plane(centre, scale, axes, (float(shares[0] / total), float(shares[1] / total)))


def _logarithms(columns: list[Matrix]) -> Matrix:
    table: Matrix = np.stack([np.maximum(np.nan_to_num(column.astype(np.float64)), 0.0) for column in columns], axis=1)
    return np.asarray(np.log1p(table), dtype=np.float64)
