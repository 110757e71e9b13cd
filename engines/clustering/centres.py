"""K-means centres of customers, as good on millions as on thousands, and the nearest centre of each customer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree
from sklearn.cluster import KMeans as Lloyd

from engines.clustering.sampling import Codes, count_distinct, sample_rows, threads_for
from engines.clustering.scaling import Matrix

#: Starts of K-means; a single start is luck.
STARTS = 10
#: Up to so many customers every start sees everyone; above, starts see a sample and the best is polished on everyone.
START_SAMPLE = 100_000
#: Largest number of rounds of the polish.
_ROUNDS = 300
#: Rows handled together: few enough to stay in the processor's cache.
_CHUNK = 8192
_MANY_CHUNK = 256
#: Up to so many points each is tried; above, a shortlist (up to ``_LISTED`` points, from ``_WORTH`` rows) or a tree.
_FEW = 32
_LISTED = 2048
_WORTH = 1000


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
    centres = _polished(matrix, started.cluster_centers_, 0.0 if sample is matrix else 1e-4)
    # the last digits depend on where the starts ended: rounding makes two runs equal
    points = np.round(centres.points, 10)
    return Centres(points[_ascending(points)], centres.inertia, centres.iterations)


def centres_from(matrix: Matrix, codes: Codes, k: int) -> Centres:
    """K-means that begins with a grouping: the centre of each group keeps the group's number.

    Args:
        matrix: shape (customers, dimensions), at least ``k`` distinct rows.
        codes: the group of each row, 0 to ``k`` - 1. A group of nobody begins at the row that is farthest from its
            nearest centre, the first of equally far ones.
        k: how many groups.
    """
    mass = np.bincount(codes, minlength=k)
    sums = np.stack([np.bincount(codes, column, k) for column in matrix.T], axis=1)
    points = sums / np.maximum(mass, 1)[:, None]
    held = mass > 0
    for empty in np.flatnonzero(~held):
        points[empty] = matrix[int(_tried(matrix, points[held])[1].argmax())]
        held[empty] = True
    centres = _polished(matrix, points, 0.0 if len(matrix) <= START_SAMPLE else 1e-4)
    return Centres(np.round(centres.points, 10), centres.inertia, centres.iterations)


def _polished(matrix: Matrix, points: Matrix, tolerance: float) -> Centres:
    """Lloyd's rounds on every row, until the centres move by no more than ``tolerance`` times the mean variance."""
    enough = tolerance * float(np.mean([column.var() for column in matrix.T])) if tolerance else 0.0
    codes, rounds = None, 0
    while True:
        rounds += 1
        before, (codes, squared) = codes, _tried(matrix, points)
        mass = np.bincount(codes, minlength=len(points))
        if before is not None and np.array_equal(before, codes):
            break
        sums = np.stack([np.bincount(codes, column, len(points)) for column in matrix.T], axis=1)
        # a centre that lost everybody stays where it is
        updated = np.where(mass[:, None] > 0, sums / np.maximum(mass, 1)[:, None], points)
        step, points = float(((updated - points) ** 2).sum()), updated
        if step <= enough or rounds == _ROUNDS:
            squared = _tried(matrix, points)[1]
            break
    return Centres(points, float(squared.sum()), rounds)


def micro_centres(matrix: Matrix, count: int, seed: int) -> Matrix:
    """About ``count`` points that stand for all customers, from one short K-means on a sample; duplicates removed."""
    rows = matrix[sample_rows(len(matrix), 40 * count, seed)]
    distinct = count_distinct(rows, count)
    if distinct < count:
        return np.unique(rows, axis=0)
    with threads_for(len(rows)):
        clusters = Lloyd(count, n_init=1, max_iter=10, tol=1e-3, random_state=seed).fit(rows)
    return np.unique(np.round(clusters.cluster_centers_, 10), axis=0)


def nearest(matrix: Matrix, points: Matrix) -> Codes:
    """The position of the nearest point for each row; the first of equally near ones.

    A customer gets the same answer alone as in a crowd: what decides is computed row by row, without matrix products,
    whose rounding depends on how many rows go in.
    """
    if len(points) <= _FEW:
        return _tried(matrix, points)[0]
    if len(points) <= _LISTED and len(matrix) >= _WORTH:
        return _shortlisted(matrix, points)
    return np.asarray(KDTree(points).query(matrix)[1], dtype=np.int64)


def _tried(matrix: Matrix, points: Matrix) -> tuple[Codes, Matrix]:
    """The nearest point of each row and the squared distance to it, by trying every point."""
    codes = np.zeros(len(matrix), dtype=np.int64)
    least = np.empty(len(matrix))
    room, part, is_less = np.empty(_CHUNK), np.empty(_CHUNK), np.empty(_CHUNK, dtype=bool)
    for start in range(0, len(matrix), _CHUNK):
        columns = np.ascontiguousarray(matrix[start : start + _CHUNK].T)
        rows = slice(start, start + columns.shape[1])
        squared, difference, less = (each[: columns.shape[1]] for each in (room, part, is_less))
        for position, point in enumerate(points):
            squared[:] = 0.0
            for values, coordinate in zip(columns, point, strict=True):
                np.subtract(values, coordinate, out=difference)
                np.multiply(difference, difference, out=difference)
                np.add(squared, difference, out=squared)
            if position == 0:
                least[rows] = squared
                continue
            np.less(squared, least[rows], out=less)
            np.copyto(codes[rows], position, where=less)
            np.minimum(squared, least[rows], out=least[rows])
    return codes, least


def _shortlisted(matrix: Matrix, points: Matrix) -> Codes:
    """The nearest of many points, by matrix products in single precision where they leave no doubt, else exactly.

    Of a row x and a point p, |p|^2 - 2 x.p ranks the points. Its rounding error is at most some multiples of single
    precision times |p|^2 + 2 |x||p|, and that of the exact distance some multiples of double precision times the square
    of it: a row in which a second point comes that near to the best is decided by the tree, as a row alone is.
    """
    dimensions = matrix.shape[1]
    centre = points.mean(axis=0)
    offsets = points - centre
    lengths = (offsets**2).sum(axis=1)
    ranking = np.vstack([-2.0 * offsets.T, lengths]).astype(np.float32)
    longest, far = float(np.sqrt(lengths.max())), float(np.sqrt((centre**2).sum()))
    single, double = (4 * (dimensions + 4) * float(np.finfo(kind).eps) for kind in (np.float32, np.float64))
    codes = np.empty(len(matrix), dtype=np.int64)
    sure = np.empty(len(matrix), dtype=bool)
    rows = np.ones((_MANY_CHUNK, dimensions + 1), dtype=np.float32)
    # products as small as these are slowed down by threads; what does not fit into single precision is not sure
    with threads_for(_MANY_CHUNK), np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(matrix), _MANY_CHUNK):
            chunk = matrix[start : start + _MANY_CHUNK] - centre
            size = len(chunk)
            rows[:size, :dimensions] = chunk
            ranks = rows[:size] @ ranking
            best = ranks.argmin(axis=1)
            length = np.sqrt((chunk**2).sum(axis=1))
            apart = length + longest
            slack = single * longest * (longest + 2 * length) + double * apart * (apart + far)
            limit = (ranks[np.arange(size), best] + slack).astype(np.float32)
            near = np.add.reduce(ranks <= limit[:, None], axis=1, dtype=np.int16)
            codes[start : start + size] = best
            sure[start : start + size] = (near == 1) & np.isfinite(limit)
    left = np.flatnonzero(~sure)
    if len(left):
        codes[left] = KDTree(points).query(matrix[left])[1]
    return codes


def _ascending(points: Matrix) -> Codes:
    return np.asarray(np.lexsort(points.T[::-1]), dtype=np.int64)
