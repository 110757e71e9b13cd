"""Says how well two groupings of the same customers agree, whatever the groups are called."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

_LARGEST_TABLE = 4_000_000  # cells of a contingency table kept whole; with more, only cells that occur are counted


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
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"two labelings of the same customers are needed, not {a.shape} and {b.shape}")
    if not len(a):
        return 1.0
    codes_a, groups_a = _codes(a)
    codes_b, groups_b = _codes(b)
    cells = codes_a * groups_b + codes_b
    if groups_a * groups_b <= _LARGEST_TABLE:
        table = np.bincount(cells, minlength=groups_a * groups_b)
        whole = table.reshape(groups_a, groups_b)
        sizes_a, sizes_b = whole.sum(axis=1), whole.sum(axis=0)
    else:
        _, table = np.unique(cells, return_counts=True)
        sizes_a, sizes_b = np.bincount(codes_a), np.bincount(codes_b)
    # Python's integers from here on: products of pair counts pass 64 bits at some 50,000 customers.
    customers = len(a)
    both = _squares(table)
    same_a, same_b = _squares(sizes_a), _squares(sizes_b)
    together = both - customers  # ordered pairs that share a group in both
    only_a, only_b = same_a - both, same_b - both
    apart = customers * customers - same_a - same_b + both
    if only_a == 0 and only_b == 0:
        return 1.0
    agreement = 2 * (together * apart - only_a * only_b)
    return agreement / ((together + only_a) * (only_a + apart) + (together + only_b) * (only_b + apart))


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
