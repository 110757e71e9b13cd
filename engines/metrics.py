"""Metrics of a segmentation, each with what it means, which way is better and what it may be compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from engines.clustering.sampling import Codes, encode_keys, stratified_rows, threads_for
from engines.clustering.scaling import Matrix
from engines.columns import CLV, FREQUENCY, MONETARY, RECENCY
from engines.messages import message, noted

#: At most so many customers enter the silhouette, whose cost grows with their square.
SILHOUETTE_SAMPLE = 10_000
#: Above so many rows distances are computed in single precision.
_EXACT = 4_000
#: Distances are worked out in square tiles of so many rows, which stay in the processor's cache.
_TILE = 512
_CHUNK = 8192


@dataclass(frozen=True)
class MetricInput:
    """What metrics look at.

    ``customers``: one row each. ``codes``: each one's segment, 0, 1, 2, ... ``inside``: False for outliers, which
    belong to no group and stay out of everything measured by distance. ``matrix``: where customers lie in the engine's
    own feature space, None where the engine has none. ``diagnostics``: of the fit. ``seed``: of the samples drawn.
    """

    customers: DataFrame
    codes: Codes
    inside: NDArray[np.bool_]
    matrix: Matrix | None
    diagnostics: Mapping[str, float]
    seed: int = 0

    @cached_property
    def groups(self) -> tuple[Matrix, Codes] | None:
        """Places and codes (0, 1, ...) without outliers; None when fewer than two groups are left."""
        if self.matrix is None:
            return None
        everyone = bool(self.inside.all())
        keys, inner = encode_keys(self.codes if everyone else self.codes[self.inside])
        if len(keys) < 2:
            return None
        return (self.matrix if everyone else self.matrix[self.inside]), inner

    @cached_property
    def centroids(self) -> tuple[Matrix, NDArray[np.int64], Matrix] | None:
        """Mean place and size of each group, and every customer's squared distance to the own group's mean place."""
        if self.groups is None:
            return None
        matrix, codes = self.groups
        sizes = np.bincount(codes)
        means = np.stack([np.bincount(codes, column) for column in matrix.T], axis=1) / sizes[:, None]
        squared = np.zeros(len(matrix))
        for start in range(0, len(matrix), _CHUNK):
            rows = slice(start, start + _CHUNK)
            for column, mean in zip(matrix[rows].T, means.T, strict=True):
                squared[rows] += (column - mean[codes[rows]]) ** 2
        return means, sizes, squared


@dataclass(frozen=True)
class Metric:
    """One metric of a run.

    ``better``: "higher", "lower", or "" where neither is good in itself. ``compute`` is None for what takes more than
    the finished run: refits (:mod:`engines.evaluation.stability`) or the sales after a cut-off
    (:mod:`engines.evaluation.holdout`). ``in_space``: measured by distance in the engine's own feature space, so only
    runs of one space may be compared. ``falls_with_k``: more segments alone lower it, so only runs of one k may be
    compared. ``share``: a share from 0 to 1, shown in percent.
    """

    name: str
    title: str
    meaning: str
    better: Literal["higher", "lower", ""]
    compute: Callable[[MetricInput], float | None] | None
    in_space: bool = False
    falls_with_k: bool = False
    share: bool = False


def silhouettes(matrix: Matrix, codings: Sequence[Codes]) -> list[Matrix]:
    """The silhouette of every row under each of several codings, in one pass over the distances (Rousseeuw 1987).

    Args:
        matrix: shape (rows, dimensions); distances are Euclidean.
        codings: codes 0, 1, 2, ... of each row; all of them used.

    Returns:
        For each coding an array of values from -1 to 1; 0 for the only member of a group.
    """
    members = [np.eye(int(codes.max()) + 1)[codes] for codes in codings]
    sizes = [flags.sum(axis=0) for flags in members]
    borders = np.cumsum([0, *(each.shape[1] for each in members)])
    # centred first, half the digits are enough: a mean silhouette moves by less than 0.0001, at half the cost
    kind = np.float32 if len(matrix) > _EXACT else np.float64
    flags, centred = np.hstack(members).astype(kind), (matrix - matrix.mean(axis=0)).astype(kind)
    norms = (centred**2).sum(axis=1, keepdims=True)
    # so that one product gives |x|^2 - 2 x.y + |y|^2
    left = np.hstack([norms, -2 * centred, np.ones_like(norms)])
    right = np.ascontiguousarray(np.hstack([np.ones_like(norms), centred, norms]).T)
    sums = np.zeros(flags.shape)
    tiles = [slice(start, min(start + _TILE, len(matrix))) for start in range(0, len(matrix), _TILE)]
    with threads_for(_TILE):  # threads would wait for one another more than they work
        for i, rows in enumerate(tiles):
            for others in tiles[i:]:
                distances = left[rows] @ right[:, others]
                np.maximum(distances, 0.0, out=distances)
                np.sqrt(distances, out=distances)
                if others is rows:
                    np.fill_diagonal(distances, 0.0)
                else:
                    sums[others] += distances.T @ flags[rows]
                sums[rows] += distances @ flags[others]
    return [_from_sums(sums[:, borders[i] : borders[i + 1]], codes, sizes[i]) for i, codes in enumerate(codings)]


def _from_sums(sums: Matrix, codes: Codes, sizes: Matrix) -> Matrix:
    rows, own = np.arange(len(codes)), sizes[codes]
    inner = sums[rows, codes] / np.maximum(own - 1, 1)
    means = sums / sizes
    means[rows, codes] = np.inf
    outer = means.min(axis=1)
    larger = np.maximum(inner, outer)
    return np.asarray(np.where((own > 1) & (larger > 0), (outer - inner) / np.where(larger > 0, larger, 1.0), 0.0))


def silhouette(outcome: MetricInput) -> float | None:
    """Mean silhouette in the engine's own space, on a sample stratified by segment above 10,000 customers."""
    groups = outcome.groups
    if groups is None:
        return None
    matrix, codes = groups
    rows = stratified_rows(codes, SILHOUETTE_SAMPLE, outcome.seed)
    values = silhouettes(matrix[rows], [codes[rows]])[0]
    # small groups are drawn more densely, so each group counts with its true share
    means = np.bincount(codes[rows], values) / np.bincount(codes[rows])
    return float(means @ np.bincount(codes) / len(codes))


def calinski_harabasz(outcome: MetricInput) -> float | None:
    """(between / (k - 1)) / (within / (n - k)), sums of squares (Calinski & Harabasz 1974)."""
    if outcome.centroids is None or len(outcome.centroids[2]) <= len(outcome.centroids[1]):
        return None
    centroids, sizes, squared = outcome.centroids
    k, customers = len(sizes), len(squared)
    centre = sizes @ centroids / customers
    between, within = float((sizes[:, None] * (centroids - centre) ** 2).sum()), float(squared.sum())
    return None if within <= 0 else between / (k - 1) / (within / (customers - k))


def davies_bouldin(outcome: MetricInput) -> float | None:
    """Mean over groups of the worst (spread i + spread j) / distance of centroids (Davies & Bouldin 1979)."""
    if outcome.groups is None or outcome.centroids is None:
        return None
    centroids, sizes, squared = outcome.centroids
    spread = np.bincount(outcome.groups[1], np.sqrt(squared)) / sizes
    apart = np.sqrt(((centroids[:, None, :] - centroids[None, :, :]) ** 2).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    if (apart == 0).any():
        return None
    return float(((spread[:, None] + spread[None, :]) / apart).max(axis=1).mean())


def inertia(outcome: MetricInput) -> float | None:
    """The engine's own inertia, where it has one."""
    value = outcome.diagnostics.get("inertia")
    return None if value is None else float(value)


def size_balance(outcome: MetricInput) -> float | None:
    """Entropy of the segments' shares of customers, over its largest possible value."""
    shares = np.bincount(outcome.codes) / len(outcome.codes)
    if len(shares) < 2:
        return None
    return float(-(shares * np.log(shares)).sum() / np.log(len(shares)))


def smallest_share(outcome: MetricInput) -> float | None:
    """The smallest segment's share of customers."""
    return float(np.bincount(outcome.codes).min() / len(outcome.codes))


def revenue_concentration(outcome: MetricInput) -> float | None:
    """Gini coefficient of revenue between segments: the Lorenz curve of segments by revenue per customer."""
    revenue = np.bincount(outcome.codes, outcome.customers[MONETARY].to_numpy(np.float64))
    sizes = np.bincount(outcome.codes)
    if revenue.sum() <= 0 or (revenue < 0).any():
        return None
    order = np.argsort(revenue / sizes, kind="stable")
    width, height = sizes[order] / sizes.sum(), np.cumsum(revenue[order]) / revenue.sum()
    return float(1 - (width * (height + np.concatenate([[0.0], height[:-1]]))).sum())


def _separation(column: str) -> Callable[[MetricInput], float | None]:
    def separation(outcome: MetricInput) -> float | None:
        if column not in outcome.customers.columns:
            return None
        values = outcome.customers[column].to_numpy(np.float64, na_value=np.nan)
        return eta_squared(values, outcome.codes)

    return separation


def eta_squared(values: NDArray[np.float64], codes: Codes) -> float | None:
    """Between-group over total sum of squares; None when nothing varies or a value is missing."""
    total = float(((values - values.mean()) ** 2).sum())
    if not np.isfinite(total) or total <= 0:
        return None
    sizes = np.bincount(codes)
    means = np.bincount(codes, values) / sizes
    return float(min(1.0, (sizes * (means - values.mean()) ** 2).sum() / total))


_SPACE = message("in the engine's own feature space, so never compare it across feature spaces")

_ALL = (
    Metric(
        "silhouette",
        noted("Silhouette"),
        message(
            "How much nearer customers are to their own segment than to the next, from -1 to 1, {space}.", space=_SPACE
        ),
        "higher",
        silhouette,
        in_space=True,
    ),
    Metric(
        "calinski_harabasz",
        noted("Calinski-Harabasz"),
        message("How far segments lie apart against how wide they are, {space}.", space=_SPACE),
        "higher",
        calinski_harabasz,
        in_space=True,
    ),
    Metric(
        "davies_bouldin",
        noted("Davies-Bouldin"),
        message("How much each segment overlaps with its most similar one (0 is not at all), {space}.", space=_SPACE),
        "lower",
        davies_bouldin,
        in_space=True,
    ),
    Metric(
        "inertia",
        noted("Inertia"),
        noted("Sum of squared distances to the segments' centres; it always falls with more segments."),
        "lower",
        inertia,
        in_space=True,
        falls_with_k=True,
    ),
    Metric(
        "stability",
        noted("Stability"),
        noted(
            "How far segments agree with those of refits on customers drawn anew (adjusted Rand index): 1 when the "
            "same customers always stay together, 0 when chance would do as well."
        ),
        "higher",
        None,
    ),
    Metric(
        "holdout_revenue",
        noted("Holdout revenue"),
        noted(
            "Which share of later revenue the top fifth of customers brought in, by the mean spend of their segments "
            "up to a cut-off before it: 0.2 is what chance gives."
        ),
        "higher",
        None,
        share=True,
    ),
    Metric(
        "balance",
        noted("Balance"),
        noted("How even the segments' sizes are: 1 when all are equal, near 0 when one holds almost everyone."),
        "higher",
        size_balance,
    ),
    Metric(
        "smallest_share",
        noted("Smallest segment"),
        noted("The smallest segment's share of all customers; a very small one is hardly worth a campaign."),
        "higher",
        smallest_share,
        share=True,
    ),
    Metric(
        "revenue_concentration",
        noted("Revenue concentration"),
        noted(
            "How unevenly revenue is spread over segments (Gini): 0 when customers of every segment spend alike, near "
            "1 when a small segment holds almost all."
        ),
        "",
        revenue_concentration,
    ),
    *(
        Metric(
            f"separation_{word}",
            message("Separation of {what}", what=what),
            message(
                "How much of the differences in {what} the segments explain (eta squared): 0 none, 1 all.", what=what
            ),
            "higher",
            _separation(column),
        )
        for word, what, column in (
            ("recency", message("recency"), RECENCY),
            ("frequency", message("frequency"), FREQUENCY),
            ("monetary", message("spend"), MONETARY),
            ("clv", message("CLV"), CLV),
        )
    ),
)

#: Every metric of a run by name, in the order in which pages show them.
METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}


def measure(outcome: MetricInput) -> dict[str, float | None]:
    """Every metric of a run; None where it cannot be had (one segment has no silhouette) or not yet, never NaN."""
    values = {name: metric.compute and metric.compute(outcome) for name, metric in METRICS.items()}
    return {name: value if value is None or np.isfinite(value) else None for name, value in values.items()}
