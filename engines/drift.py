"""Watches whether segments made some time ago still fit: a frozen model against a new one, month by month."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame, Series

from engines.contract import DriftPoint, Engine
from engines.errors import InputError

#: Days of sales a model needs before it is frozen and watched.
HISTORY_DAYS = 90

_LARGEST_TABLE = 4_000_000  # cells of a contingency table kept whole; with more, only cells that occur are counted
_NOISE_PERCENTILE = 5


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
        table = np.bincount(cells)
    else:
        _, table = np.unique(cells, return_counts=True)
    # Python's integers from here on: products of pair counts pass 64 bits at some 50,000 customers.
    customers = len(a)
    both = _squares(table)
    same_a, same_b = _squares(np.bincount(codes_a)), _squares(np.bincount(codes_b))
    together = both - customers  # ordered pairs that share a group in both
    only_a, only_b = same_a - both, same_b - both
    apart = customers * customers - same_a - same_b + both
    if only_a == 0 and only_b == 0:
        return 1.0
    agreement = 2 * (together * apart - only_a * only_b)
    return agreement / ((together + only_a) * (only_a + apart) + (together + only_b) * (only_b + apart))


def cutoffs(first_day: date, as_of: date, *, history_days: int = HISTORY_DAYS) -> list[date]:
    """The dates of a timeline, each the (exclusive) ``as_of`` of one customer table.

    The first is when the model is frozen: the first start of a month with ``history_days`` of sales before it. Every
    later start of a month up to ``as_of`` is a point, and so is ``as_of`` itself. Where not even one whole month
    follows the freezing, the history is too short for a timeline and the list is empty.

    Args:
        first_day: day of the first sale.
        as_of: the day up to which (exclusive) sales are known.
        history_days: days of sales the frozen model needs.
    """
    start = first_day.replace(day=1)
    while (start - first_day).days < history_days:
        start = _next_month(start)
    dates = []
    while start <= as_of:
        dates.append(start)
        start = _next_month(start)
    if len(dates) < 2:
        return []
    return dates if dates[-1] == as_of else [*dates, as_of]


def timeline(
    engine: Engine,
    tables: Iterable[tuple[date, DataFrame]],
    *,
    threshold: float,
    bootstraps: int = 0,
    seed: int = 0,
) -> list[DriftPoint]:
    """How well the model frozen on the first table agrees with a model fitted anew on each later one.

    Each point compares, on that date's customers, the frozen model's labels with those of the refit. Refits of
    customers drawn anew (bootstrap) show how much of a disagreement is chance: ``noise_low`` is the 5th percentile of
    the ARI between any two of them. A point is an alert when its ARI is below ``threshold`` and below that.

    Args:
        engine: the settings to freeze and refit.
        tables: ``(as_of, customers)`` in the order of time, customers as for :meth:`Engine.fit`; read one at a time.
        threshold: the alarm line for the ARI.
        bootstraps: refits of resampled customers per point; 0 for none, else at least 2.
        seed: of the resampling; the same seed gives the same points.

    Returns:
        One point per table after the first. ``moved_share`` is the share of customers in this table and the one before
        whom the frozen model puts elsewhere than before.

    Raises:
        InputError: a table that the engine cannot segment; the message names its date.
        ValueError: one bootstrap alone, or dates out of order.
    """
    if bootstraps == 1 or bootstraps < 0:
        raise ValueError("noise is measured between bootstrap refits: give 0, or at least 2")
    dated = _in_order(tables)
    opening = next(dated, None)
    if opening is None:
        return []
    frozen_at, customers = opening
    frozen = _fit(engine, frozen_at, customers)
    before = frozen.assign(customers)
    points = []
    for as_of, customers in dated:
        kept = frozen.assign(customers)
        fresh = _fit(engine, as_of, customers).assign(customers)
        ari = adjusted_rand(_labels(kept, customers), _labels(fresh, customers))
        noise_low = _noise(engine, as_of, customers, bootstraps, seed) if bootstraps else None
        points.append(
            DriftPoint(
                as_of=as_of.isoformat(),
                customers=len(customers),
                ari=ari,
                alert=ari < threshold and (noise_low is None or ari < noise_low),
                noise_low=noise_low,
                moved_share=_moved(before, kept),
            )
        )
        before = kept
    return points


def _in_order(tables: Iterable[tuple[date, DataFrame]]) -> Iterator[tuple[date, DataFrame]]:
    latest: date | None = None
    for as_of, customers in tables:
        if latest is not None and as_of <= latest:
            raise ValueError(f"the tables of a timeline go forward in time, but {as_of} follows {latest}")
        latest = as_of
        # Order of customer id, so that the order of the rows cannot matter.
        yield as_of, customers if customers.index.is_monotonic_increasing else customers.sort_index()


def _fit(engine: Engine, as_of: date, customers: DataFrame) -> Any:
    try:
        return engine.fit(customers)
    except InputError as error:
        raise InputError(f"Sales before {as_of} cannot be segmented for the drift timeline: {error}") from error


def _noise(engine: Engine, as_of: date, customers: DataFrame, bootstraps: int, seed: int) -> float:
    """5th percentile of the ARI between models fitted on customers drawn with replacement, each labelling everyone."""
    random = np.random.default_rng([seed, as_of.toordinal()])
    labelings = []
    for _ in range(bootstraps):
        drawn = np.sort(random.integers(len(customers), size=len(customers)))
        resample = customers.iloc[drawn].set_axis(pd.RangeIndex(len(drawn)), axis="index")  # ids stay unique
        labelings.append(_labels(_fit(engine, as_of, resample).assign(customers), customers))
    return float(np.percentile([adjusted_rand(a, b) for a, b in combinations(labelings, 2)], _NOISE_PERCENTILE))


def _labels(labels: Series, customers: DataFrame) -> NDArray[np.int64]:
    return labels.reindex(customers.index).to_numpy(dtype=np.int64)


def _moved(before: Series, after: Series) -> float | None:
    common = before.index.intersection(after.index)
    if not len(common):
        return None
    return float((before.loc[common].to_numpy() != after.loc[common].to_numpy()).mean())


def _codes(labels: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Labels as codes from 0 and the number of codes; not every code need occur."""
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels must be integers, not {labels.dtype}")
    low, high = int(labels.min()), int(labels.max())
    if high - low < max(1_000, len(labels)):
        return labels.astype(np.int64) - low, high - low + 1
    values, codes = np.unique(labels, return_inverse=True)
    return codes.astype(np.int64), len(values)


def _squares(counts: NDArray[np.int64]) -> int:
    return int(counts @ counts)  # at most n squared: 64 bits do for three billion customers


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
