"""Alignment of segments with those of an earlier run, so that names stay with the same customers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pandas import Series
from scipy.optimize import linear_sum_assignment

from engines.clustering.sampling import encode_keys
from engines.contract import NamedSegment, Predecessor

#: A name stays without regard to its profile only where at least so much of the segment stays together.
ENOUGH = 0.3

Overlap = Mapping[tuple[int, int], float]


def overlap(labels: Series, previous: Predecessor) -> Overlap:
    """Jaccard overlap of segments (by key) with those of an earlier run (by key), over the customers of both.

    Pairs without a common customer are left out.
    """
    before = previous.labels.reindex(labels.index)
    both = before.notna().to_numpy()
    now, then = labels.to_numpy(np.int64)[both], before.to_numpy()[both].astype(np.int64)
    now_keys, now_codes = encode_keys(now)
    then_keys, then_codes = encode_keys(then)
    shape = (len(now_keys), len(then_keys))
    if 0 in shape:
        return {}
    common = np.bincount(now_codes * shape[1] + then_codes, minlength=shape[0] * shape[1]).reshape(shape)
    union = common.sum(axis=1)[:, None] + common.sum(axis=0)[None, :] - common
    return {
        (int(key), int(old)): float(common[i, j] / union[i, j])
        for i, key in enumerate(now_keys)
        for j, old in enumerate(then_keys)
        if common[i, j]
    }


def matched_pins(shares: Overlap, previous: Predecessor) -> dict[int, NamedSegment]:
    """The pinned segments of an earlier run by the key of the segment that holds their customers now.

    Segments of both runs are paired so that the sum of overlaps is largest (Hungarian); a pair that has too little in
    common is none.
    """
    now = sorted({key for key, _ in shares})
    then = {segment.key: segment for segment in previous.segments}
    if not now or not any(segment.pinned for segment in then.values()):
        return {}
    common = np.array([[shares.get((key, old), 0.0) for old in then] for key in now])
    old_keys = list(then)
    pairs = zip(*(axis.tolist() for axis in linear_sum_assignment(-common)), strict=True)
    return {
        now[row]: then[old_keys[column]]
        for row, column in pairs
        if then[old_keys[column]].pinned and common[row, column] >= ENOUGH
    }


def aligned(table: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Which segment of one run (row) holds the customers of which of another (column): pairs in the order of rows.

    Pairs are chosen so that together they share as many customers as possible (Hungarian); each segment is in one pair
    at most, and a pair without a common customer is none.

    Args:
        table: customers by segment of the one run (rows) and of the other (columns).
    """
    rows, columns = linear_sum_assignment(table, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(row, column) for row, column in pairs if table[row, column] > 0]
