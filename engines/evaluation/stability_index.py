"""Population stability index and effect size of each column: how far the customers themselves have changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from engines.columns import CLV, FREQUENCY, MONETARY, RECENCY
from engines.contract import Shift

#: What is watched, where a table has it.
WATCHED = (RECENCY, FREQUENCY, MONETARY, CLV)
#: Into how many parts the customers of then are divided.
BINS = 10
#: From here on a population is usually said to have moved a little, and to have moved.
MODERATE, LARGE = 0.1, 0.25

Floats = NDArray[np.float64]


def shifts(before: DataFrame, now: DataFrame, columns: Sequence[str] = WATCHED) -> tuple[Shift, ...]:
    """How far each watched column has moved between two customer tables, as sizes of effects.

    There are no tests of significance here: among thousands of customers any difference is significant.

    Args:
        before: customers of then, one row each.
        now: customers of now, known of then or not.
        columns: those that both tables have are looked at; customers without a value are left out.
    """
    result = []
    for name in columns:
        if name in before.columns and name in now.columns:
            then, today = _finite(before, name), _finite(now, name)
            if len(then) and len(today):
                medians = float(np.median(then)), float(np.median(today))
                result.append(Shift(name, stability_index(then, today), cliffs_delta(then, today), *medians))
    return tuple(result)


def stability_index(before: Floats, now: Floats, bins: int = BINS) -> float:
    """The population stability index: sum of (q - p) ln(q / p) over bins, p and q the shares of then and now.

    Bins end at the tenths (``bins``) of the values of then, the first and last without end; tenths that coincide, as
    where half of the customers ordered once, make one bin. Half a customer is added to every bin that held anybody then
    or holds anybody now, so that an empty one gives a number. By custom below 0.1 says that nothing much moved, above
    0.25 that much did.

    Args:
        before: values of then, shape ``(n,)``, at least one, finite.
        now: values of now, shape ``(m,)``, at least one, finite.
        bins: into how many parts of equal size the values of then are divided, as far as they can be.
    """
    edges = np.unique(np.quantile(before, np.arange(1, bins) / bins, method="lower"))
    counts = np.array(
        [np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1) for values in (before, now)]
    )
    held = counts[:, counts.any(axis=0)] + 0.5
    then, today = held / held.sum(axis=1, keepdims=True)
    return float(((today - then) * np.log(today / then)).sum())


def cliffs_delta(before: Floats, now: Floats) -> float:
    """Cliff's delta (1993), -1 to 1: the share of pairs in which the value of now is larger, less that of smaller ones.

    Some 0.15 is a small difference, 0.33 a middling one, 0.47 a large one.

    Args:
        before: values of then, shape ``(n,)``, at least one.
        now: values of now, shape ``(m,)``, at least one.
    """
    ordered = np.sort(before)
    larger = int(np.searchsorted(ordered, now, side="left").sum())
    smaller = len(before) * len(now) - int(np.searchsorted(ordered, now, side="right").sum())
    return (larger - smaller) / (len(before) * len(now))


def _finite(customers: DataFrame, name: str) -> Floats:
    values = customers[name].to_numpy(np.float64, na_value=np.nan)
    finite: Floats = values[np.isfinite(values)]
    return finite
