"""Finds the centres of groups of customers, as well on millions as on thousands, and says whose centre is nearest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree
from sklearn.cluster import KMeans as Lloyd

from engines.sampling import Codes, count_distinct, sample_rows, threads_for
from engines.scaling import Matrix

#: Starts of K-means; a single start is luck.
STARTS = 10
#: Up to so many customers every start sees everyone; above, starts see a sample and the best is polished on everyone.
START_SAMPLE = 100_000
#: Rows handled together: small enough to stay in the processor's cache.
_CHUNK = 8192
#: Above so many points a tree finds the nearest faster than trying each.
_FEW = 32


@dataclass(frozen=True)
class Centres:
    """Centres (k x dimensions) in ascending order, and the inertia: the sum of squared distances to the nearest one."""

    points: Matrix
    inertia: float
    iterations: int


def k_centres(matrix: Matrix, k: int, seed: int) -> Centres:
    """K-means with k-means++ starts (Arthur & Vassilvitskii 2007); the best of ten, whatever the number of customers.

    The centres come back sorted, so that equal partitions get equal numbers whatever the seed. ``matrix`` must hold at
    least ``k`` distinct rows.
    """
    if k == 1:
        centre = matrix.mean(axis=0, keepdims=True)
        return Centres(centre, float(((matrix - centre) ** 2).sum()), 0)
    rows = sample_rows(len(matrix), START_SAMPLE, seed)
    sample = matrix[rows] if len(rows) < len(matrix) and count_distinct(matrix[rows], k) == k else matrix
    with threads_for(len(sample)):
        started = Lloyd(k, n_init=STARTS, random_state=seed).fit(sample)
    # until nobody moves any more: stopping early leaves customers at the borders to the seed; on large tables the last
    # of them cost more than they are worth
    tolerance = 0.0 if sample is matrix else 1e-4
    with threads_for(len(matrix)):
        best = Lloyd(k, init=started.cluster_centers_, n_init=1, tol=tolerance).fit(matrix)
    # threads add up in any order, which moves the last digits: rounding makes two runs equal
    points = np.round(best.cluster_centers_, 10)
    return Centres(points[_ascending(points)], float(best.inertia_), int(best.n_iter_))


def micro_centres(matrix: Matrix, count: int, seed: int) -> Matrix:
    """About ``count`` points that stand for all customers, from one short K-means on a sample; duplicates removed."""
    rows = matrix[sample_rows(len(matrix), 40 * count, seed)]
    distinct = count_distinct(rows, count)
    if distinct < count:
        return np.unique(rows, axis=0)
    with threads_for(len(rows)):
        found = Lloyd(count, n_init=1, max_iter=10, tol=1e-3, random_state=seed).fit(rows)
    return np.unique(np.round(found.cluster_centers_, 10), axis=0)


def nearest(matrix: Matrix, points: Matrix) -> Codes:
    """The position of the nearest point for each row; the first of equally near ones.

    A customer gets the same answer alone as in a crowd: everything is computed row by row, without matrix products,
    whose rounding depends on how many rows go in.
    """
    if len(points) > _FEW:
        return np.asarray(KDTree(points).query(matrix)[1], dtype=np.int64)
    codes = np.empty(len(matrix), dtype=np.int64)
    for start in range(0, len(matrix), _CHUNK):
        columns = np.ascontiguousarray(matrix[start : start + _CHUNK].T)
        codes[start : start + _CHUNK] = squared_distances(columns, points).argmin(axis=0)
    return codes


def squared_distances(columns: Matrix, points: Matrix) -> Matrix:
    """Squared Euclidean distances, shape (points, rows), from rows given as columns (dimensions x rows)."""
    result = np.zeros((len(points), columns.shape[1]))
    for position, point in enumerate(points):
        for values, coordinate in zip(columns, point, strict=True):
            difference = values - coordinate
            difference *= difference
            result[position] += difference
    return result


def _ascending(points: Matrix) -> Codes:
    return np.asarray(np.lexsort(points.T[::-1]), dtype=np.int64)
