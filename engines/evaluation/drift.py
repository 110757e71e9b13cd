"""Agreement of two groupings of the same customers, whatever the groups are called: ARI, AMI, customers moved."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import gammaln

_LARGEST_TABLE = 4_000_000  # cells of a contingency table kept whole; with more, only cells that occur are counted
_TAIL = 40.0  # what is left out of an expectation is less likely than e to the minus this
_BATCH = 1_000_000  # terms of an expectation in memory at a time
_EPS = float(np.finfo(np.float64).eps)

Counts = NDArray[np.int64]


class Contingency(NamedTuple):
    """How two groupings of the same customers meet: the cells that have customers, and the sizes of the groups.

    ``rows``, ``columns`` and ``customers`` say of each such cell which groups meet there and how many share them;
    ``sizes_a`` and ``sizes_b`` are those of all groups, none of them empty.
    """

    rows: Counts
    columns: Counts
    customers: Counts
    sizes_a: Counts
    sizes_b: Counts

    @classmethod
    def of(cls, a: NDArray[Any], b: NDArray[Any]) -> Contingency:
        """From integer labels of the same customers in the same order, shape ``(n,)``.

        Raises:
            ValueError: the lengths differ, or labels are not integers.
        """
        if a.shape != b.shape or a.ndim != 1:
            raise ValueError(f"two labelings of the same customers are needed, not {a.shape} and {b.shape}")
        if not len(a):
            nothing = np.zeros(0, dtype=np.int64)
            return cls(nothing, nothing, nothing, nothing, nothing)
        codes_a, groups_a = _codes(a)
        codes_b, groups_b = _codes(b)
        cells = codes_a * groups_b + codes_b
        if groups_a * groups_b <= _LARGEST_TABLE:
            return cls.of_table(np.bincount(cells, minlength=groups_a * groups_b).reshape(groups_a, groups_b))
        distinct, counts = np.unique(cells, return_counts=True)
        rows, columns = np.divmod(distinct, groups_b)
        return cls._of_cells(rows, columns, counts, np.bincount(codes_a), np.bincount(codes_b))

    @classmethod
    def of_table(cls, table: NDArray[Any]) -> Contingency:
        """From a whole table: customers by group of one grouping (rows) and of the other (columns)."""
        rows, columns = np.nonzero(table)
        return cls._of_cells(rows, columns, table[rows, columns], table.sum(axis=1), table.sum(axis=0))

    @classmethod
    def _of_cells(cls, rows: Counts, columns: Counts, counts: Counts, sizes_a: Counts, sizes_b: Counts) -> Contingency:
        at_a, at_b = np.cumsum(sizes_a > 0) - 1, np.cumsum(sizes_b > 0) - 1
        nonempty_sizes = (sizes_a[sizes_a > 0], sizes_b[sizes_b > 0])
        return cls(
            at_a[rows], at_b[columns], counts.astype(np.int64), *(sizes.astype(np.int64) for sizes in nonempty_sizes)
        )

    @property
    def same(self) -> bool:
        """Whether both groupings are the same but for the names of groups."""
        return len(self.customers) == len(self.sizes_a) == len(self.sizes_b)

    def adjusted_rand(self) -> float:
        """As :func:`adjusted_rand` says."""
        # Python's integers: products of pair counts pass 64 bits at some 50,000 customers.
        customers, both = int(self.customers.sum()), _squares(self.customers)
        same_a, same_b = _squares(self.sizes_a), _squares(self.sizes_b)
        together = both - customers  # ordered pairs that share a group in both
        only_a, only_b = same_a - both, same_b - both
        apart = customers * customers - same_a - same_b + both
        if only_a == 0 and only_b == 0:
            return 1.0
        agreement = 2 * (together * apart - only_a * only_b)
        return agreement / ((together + only_a) * (only_a + apart) + (together + only_b) * (only_b + apart))

    def adjusted_mutual_information(self) -> float:
        """As :func:`adjusted_mutual_information` says."""
        if self.same:
            return 1.0
        if len(self.sizes_a) == 1 or len(self.sizes_b) == 1:
            return 0.0
        n = float(self.customers.sum())
        products = self.sizes_a[self.rows].astype(np.float64) * self.sizes_b[self.columns]
        shared = float((self.customers / n * np.log(n * self.customers / products)).sum())
        expected = expected_mutual_information(self.sizes_a, self.sizes_b)
        most = (_entropy(self.sizes_a) + _entropy(self.sizes_b)) / 2
        return _away_from_zero(max(shared, 0.0) - expected) / _away_from_zero(most - expected)


def adjusted_rand(a: NDArray[Any], b: NDArray[Any]) -> float:
    """How well two groupings of the same customers agree: 1 is the same grouping, 0 what chance alone gives.

    Hubert and Arabie (1985), "Comparing partitions", from pairs of customers counted exactly; equal to scikit-learn's
    ``adjusted_rand_score``. Where every pair is treated alike by both groupings it is 1.

    Args:
        a: integer labels, shape ``(n,)``; any integers, negative ones too. Their values mean nothing, only equality.
        b: integer labels of the same customers in the same order, shape ``(n,)``.

    Raises:
        ValueError: the lengths differ, or labels are not integers.
    """
    return Contingency.of(a, b).adjusted_rand()


def adjusted_mutual_information(a: NDArray[Any], b: NDArray[Any]) -> float:
    """How much two groupings of the same customers tell of one another: 1 is the same grouping, 0 what chance gives.

    Vinh, Epps and Bailey (2010), "Information theoretic measures for clusterings comparison": mutual information less
    what is expected of groups of these sizes, over the mean of both entropies less the same; equal to scikit-learn's
    ``adjusted_mutual_info_score``. It weighs small groups more than the adjusted Rand index does.

    Args:
        a: integer labels, shape ``(n,)``; only their equality means anything.
        b: integer labels of the same customers in the same order, shape ``(n,)``.

    Raises:
        ValueError: the lengths differ, or labels are not integers.
    """
    return Contingency.of(a, b).adjusted_mutual_information()


def expected_mutual_information(sizes_a: Counts, sizes_b: Counts) -> float:
    """The mutual information, in nats, that groups of these sizes have on average when customers are dealt at random.

    Vinh et al. (2010), equation 24a: how many customers two groups share is then hypergeometric. Of each distribution
    only numbers are summed that are likelier than e to the minus 40 (Bernstein's inequality), so that the cost grows
    with the square root of the customers; what is left out is far below rounding.

    Args:
        sizes_a: customers of each group of one grouping, none empty.
        sizes_b: the same of the other; both sum up to all customers.
    """
    n = int(sizes_a.sum())
    distinct_a, times_a = np.unique(sizes_a, return_counts=True)  # equal sizes have equal terms
    distinct_b, times_b = np.unique(sizes_b, return_counts=True)
    a, b = (side.ravel() for side in np.meshgrid(distinct_a, distinct_b, indexing="ij"))
    times = np.outer(times_a, times_b).ravel()
    mean = a.astype(np.float64) * b / n
    variance = mean * (1 - a / n)
    reach = _TAIL / 3 + np.sqrt(_TAIL**2 / 9 + 2 * variance * _TAIL)
    low = np.maximum(np.maximum(a + b - n, 1), np.floor(mean - reach).astype(np.int64))
    high = np.minimum(np.minimum(a, b), np.ceil(mean + reach).astype(np.int64))
    total, start, ends = 0.0, 0, np.cumsum(high - low + 1)
    while start < len(a):
        stop = max(start + 1, int(np.searchsorted(ends, (ends[start - 1] if start else 0) + _BATCH, side="right")))
        part = slice(start, stop)
        total += _expected(a[part], b[part], low[part], high[part], times[part], n)
        start = stop
    return total


def _expected(a: Counts, b: Counts, low: Counts, high: Counts, times: Counts, n: int) -> float:
    """The sum of the terms of some pairs of groups."""
    lengths = high - low + 1
    pair = np.repeat(np.arange(len(a)), lengths)
    shared = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths) + low[pair]
    fixed = gammaln(a + 1) + gammaln(b + 1) + gammaln(n - a + 1) + gammaln(n - b + 1) - gammaln(n + 1)
    rest = gammaln(shared + 1) + gammaln(a[pair] - shared + 1) + gammaln(b[pair] - shared + 1)
    rest += gammaln(n - a[pair] - b[pair] + shared + 1)
    likely = np.exp(fixed[pair] - rest)
    gain = np.log(n * shared / (a.astype(np.float64) * b)[pair])
    return float((times[pair] * shared / n * gain * likely).sum())


def _entropy(sizes: Counts) -> float:
    shares = sizes / sizes.sum()
    return float(-(shares * np.log(shares)).sum())


def _away_from_zero(value: float) -> float:
    """The value, or the smallest that rounding tells from 0, so that 0 / 0 comes out as scikit-learn has it."""
    return min(value, -_EPS) if value < 0 else max(value, _EPS)


def moved_between(a: NDArray[Any], b: NDArray[Any]) -> float:
    """The share of customers that two groupings put elsewhere: 0 where they are the same but for the names of groups.

    Groups of ``b`` are paired with those of ``a`` so that the share is least (Hungarian); whoever is in a group without
    a partner counts as moved.

    Args:
        a: integer labels, shape ``(n,)``.
        b: integer labels of the same customers in the same order, shape ``(n,)``.
    """
    if not len(a):
        return 0.0
    codes_a, groups_a = _codes(a)
    codes_b, groups_b = _codes(b)
    table = np.bincount(codes_a * groups_b + codes_b, minlength=groups_a * groups_b).reshape(groups_a, groups_b)
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(1.0 - table[rows, columns].sum() / len(a))


def _codes(labels: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Labels as codes from 0 and the number of codes; not every code need occur."""
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels must be integers, not {labels.dtype}")
    low, high = int(labels.min()), int(labels.max())
    if high - low < max(1_000, len(labels)):
        codes = labels.astype(np.int64, copy=False)
        return codes if low == 0 else codes - low, high - low + 1
    values, codes = np.unique(labels, return_inverse=True)
    return codes.astype(np.int64), len(values)


def _squares(counts: NDArray[np.int64]) -> int:
    return int(counts @ counts)  # at most n squared: 64 bits do for three billion customers
