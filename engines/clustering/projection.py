"""Projection of customers onto the plane of their first two principal components, for comparing runs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class Plane(NamedTuple):
    """The first two principal components of some columns, each column as log(1 + value) over its standard deviation.

    ``centre`` and ``scale``: mean and standard deviation of the logarithms. ``axes``: shape (2, columns), of length 1
    each; the largest part of each is positive, so that the picture is never mirrored. ``explained_variance``: a share
    for each axis.
    """

    centre: Matrix
    scale: Matrix
    axes: Matrix
    explained_variance: tuple[float, float]

    def places(self, columns: list[Matrix]) -> Matrix:
        """Where customers lie on the plane, shape (customers, 2)."""
        logarithms = np.stack([_logarithms(column) for column in columns], axis=1)
        return np.asarray((logarithms - self.centre) / self.scale @ self.axes.T)


def principal_plane(columns: list[Matrix]) -> Plane:
    """The plane on which customers differ most (principal component analysis of the correlations).

    Args:
        columns: two or more, each with a number for every customer; what is below 0 or missing counts as 0.
    """
    logarithms = [_logarithms(column) for column in columns]  # column by column: a table of millions is slow to stride
    centre = np.array([column.mean() for column in logarithms])
    for column, mean in zip(logarithms, centre, strict=True):
        column -= mean
    products = np.array([[one @ other for other in logarithms] for one in logarithms]) / max(len(logarithms[0]), 1)
    scale = np.sqrt(np.diag(products))
    scale = np.where(scale > 1e-12 * np.maximum(np.abs(centre), 1.0), scale, 1.0)
    values, vectors = np.linalg.eigh(products / np.outer(scale, scale))
    axes = vectors.T[::-1][:2]
    largest = np.argmax(np.round(np.abs(axes), 9), axis=1)
    axes = axes * np.where(axes[np.arange(2), largest] < 0, -1.0, 1.0)[:, None]
    shares = np.maximum(values[::-1], 0.0)
    total = float(shares.sum()) or 1.0
    return Plane(centre, scale, axes, (float(shares[0] / total), float(shares[1] / total)))


def _logarithms(column: Matrix) -> Matrix:
    logarithms = column.astype(np.float64)
    np.copyto(logarithms, 0.0, where=~(logarithms > 0))  # negative or missing
    return np.log1p(logarithms, out=logarithms)
