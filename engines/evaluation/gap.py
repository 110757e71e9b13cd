"""Asks whether segments are there at all: are they tighter than segments of customers who are spread out evenly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from pandas import DataFrame

from engines.clustering.sampling import Codes
from engines.clustering.scaling import RAW, Matrix
from engines.contract import Engine
from engines.errors import InputError

#: How many evenly spread tables are made, and how many customers each has at most.
REFERENCES, REFERENCE_LARGEST = 10, 5_000


def gap_statistic(
    engine: Engine, ks: Sequence[int], matrix: Matrix, codings: Sequence[Codes], *, seed: int
) -> tuple[Matrix, Matrix]:
    """The gap statistic of each k and its standard error s(k) (Tibshirani, Walther & Hastie 2001).

    Gap(k) is the mean over references of log W*(k), minus log W(k): W is the sum of squared distances to the means of
    the groups, per customer. References are drawn uniformly from the box that encloses the customers along their
    principal axes, in the engine's own feature space (the paper's choice b), and grouped by the same engine.

    Args:
        engine: with its settings; it must let features and scaling be chosen.
        ks: ascending.
        matrix: where customers lie, shape (customers, dimensions).
        codings: the segment of each customer (0, 1, 2, ...), for each k.
        seed: of the references.

    Raises:
        InputError: an engine whose features cannot be chosen, or that cannot group a reference.
    """
    if not {"features", "scaling", "components"} <= set(engine.settings()):
        raise InputError(f"{engine.title} has no gap statistic: its features cannot be chosen.")
    random = np.random.default_rng(seed)
    centre = matrix.mean(axis=0)
    axes = np.linalg.eigh(np.atleast_2d(np.cov(matrix, rowvar=False, bias=True)))[1]
    turned = (matrix - centre) @ axes
    low, high = turned.min(axis=0), turned.max(axis=0)
    rows = min(len(matrix), REFERENCE_LARGEST, engine.refit_limit)
    names = [f"axis_{number}" for number in range(matrix.shape[1])]
    settings = {**engine.settings(), "features": names, "scaling": RAW, "components": 0}
    even = type(engine).from_settings(settings)
    spread = np.empty((REFERENCES, len(ks)))
    for row in range(REFERENCES):
        places = random.uniform(low, high, size=(rows, len(names))) @ axes.T + centre
        reference = DataFrame(places, columns=names)
        for column, fitted in enumerate(even.fit_each(reference, ks)):
            spread[row, column] = _log_within(places, fitted.assign(reference).to_numpy(np.int64))
    observed = np.array([_log_within(matrix, codes) for codes in codings])
    return spread.mean(axis=0) - observed, spread.std(axis=0) * np.sqrt(1 + 1 / REFERENCES)


def gap_choice(gaps: Sequence[tuple[int, float | None, float | None]]) -> int | None:
    """The smallest k with Gap(k) >= Gap(k + 1) - s(k + 1); None where none of those tried meets it.

    Args:
        gaps: (k, gap, its error), in ascending k.
    """
    for (k, gap, _), (following, higher, error) in pairwise(gaps):
        if following == k + 1 and gap is not None and higher is not None and gap >= higher - (error or 0.0):
            return k
    return None


def _log_within(matrix: Matrix, codes: Codes) -> float:
    _, codes = np.unique(codes, return_inverse=True)
    sizes = np.bincount(codes)
    within = sum(float(((column - (np.bincount(codes, column) / sizes)[codes]) ** 2).sum()) for column in matrix.T)
    return float(np.log(within / len(matrix))) if within > 0 else -np.inf
