"""Stability of a segmentation: agreement with refits on bootstrap samples of the customers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from pandas import DataFrame, RangeIndex, Series

from engines.clustering.sampling import Codes, sample_rows
from engines.clustering.scaling import Matrix
from engines.contract import Engine, Fitted
from engines.errors import InputError
from engines.evaluation.drift import adjusted_rand
from engines.run import in_order

#: How often an engine is fitted anew to measure the stability of a run.
REFITS = 20

#: Fits one engine, or one engine with several k, on a table; stops with InputError where the table does not allow it.
Fit = Callable[[DataFrame], Iterable[Fitted]]


def stability(
    engine: Engine, customers: DataFrame, labels: Series, *, refits: int = REFITS, seed: int = 0
) -> float | None:
    """Mean adjusted Rand index between a run and refits of its engine on customers drawn with replacement.

    Each refit labels the customers that the draws were made from, and is compared there with the run's own labels
    (bootstrap stability after Hennig 2007, with the index of Hubert & Arabie 1985): 1 says that the same customers stay
    together whoever happened to be in the table, 0 that chance would do as well.

    Args:
        engine: with the settings of the run.
        customers: one row each, indexed by customer id; the order of rows does not matter.
        labels: the run's segment keys by customer id.
        refits: how many. Each is on at most ``engine.refit_limit`` customers; above, draws are made from a sample of
            so many, which makes segments look a little less stable than they are.
        seed: of sample and draws.

    Returns:
        None where there is but one segment, or where no draw could be segmented (too few different customers for k).
    """
    ordered = in_order(customers)
    common = ordered.iloc[sample_rows(len(ordered), engine.refit_limit, seed)]
    reference = labels.reindex(common.index).to_numpy(np.int64)
    if len(np.unique(reference)) < 2:
        return None
    agreement = agreements(lambda table: [engine.fit(table)], common, [reference], refits=refits, seed=seed)[:, 0]
    return float(np.nanmean(agreement)) if np.isfinite(agreement).any() else None


def agreements(
    fit: Fit,
    common: DataFrame,
    references: Sequence[Codes],
    *,
    refits: int,
    seed: int,
    progress: Callable[[float], None] = lambda done: None,
) -> Matrix:
    """The adjusted Rand index of each refit with each reference, shape (refits, references).

    Args:
        fit: gives one fitted engine per reference, in their order.
        common: the customers to draw from, sorted by id, and to compare on.
        references: labels of ``common``.
        refits: how many draws of ``len(common)`` customers with replacement.
        seed: of the draws.
        progress: told the share that is done.

    Returns:
        NaN where a draw could not be segmented.
    """
    agreement = np.full((refits, len(references)), np.nan)
    for row, resample in enumerate(_resamples(common, refits, seed)):
        try:
            for column, (reference, fitted) in enumerate(zip(references, fit(resample), strict=False)):
                agreement[row, column] = adjusted_rand(reference, fitted.assign(common).to_numpy(np.int64))
        except InputError:  # too few different customers drawn for this k, and so for any larger one
            pass
        progress((row + 1) / refits)
    return agreement


def _resamples(common: DataFrame, refits: int, seed: int) -> Iterator[DataFrame]:
    random = np.random.default_rng(seed)
    for _ in range(refits):
        drawn = np.sort(random.integers(len(common), size=len(common)))
        yield common.iloc[drawn].set_axis(RangeIndex(len(drawn)), axis="index")  # ids stay unique
