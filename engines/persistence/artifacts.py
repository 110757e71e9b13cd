"""Artifacts of a fitted model for display: the top of a tree, explained variance, certainty of a mixture."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from engines.clustering.sampling import sample_rows
from engines.contract import Fitted
from engines.errors import InputError

#: What is longer as JSON is left out: a run is read whole whenever runs are listed.
LONGEST = 60_000
#: So many customers are asked how sure their segment is: a share is then right to a few tenths of a percent.
MEMBERSHIP_SAMPLE = 100_000
#: Bounds of the histogram of certainty, from 0 to 1; the last one is closed.
STEPS = tuple(round(step, 2) for step in np.linspace(0.0, 1.0, 21).tolist())


def artifacts_of(fitted: Fitted, customers: DataFrame, seed: int = 0) -> dict[str, Any]:
    """The small, JSON-ready artifacts of a fitted model by name.

    What the model itself gives (``artifacts()``), without what is long or cannot be written as JSON, whose names are
    under ``left_out``; and for a model with ``membership``, ``certainty``: see :func:`certainty_of`.

    Args:
        fitted: the model.
        customers: that it labelled, sorted by id.
        seed: of the sample, above 100,000 customers.
    """
    given = fitted.artifacts() if hasattr(fitted, "artifacts") else {}
    artifacts = {str(name): value for name, value in given.items() if _is_short(value)}
    left_out = [str(name) for name in given if str(name) not in artifacts]
    if left_out:
        artifacts["left_out"] = left_out
    if hasattr(fitted, "membership"):
        rows = sample_rows(len(customers), MEMBERSHIP_SAMPLE, seed)
        sample = customers if len(rows) == len(customers) else customers.iloc[rows]
        try:
            artifacts["certainty"] = certainty_of(np.asarray(fitted.membership(sample), dtype=np.float64))
        except InputError:  # a model that has a membership for some customers only says nothing here
            artifacts["left_out"] = [*left_out, "certainty"]
    return artifacts


def certainty_of(membership: NDArray[np.float64]) -> dict[str, Any]:
    """How sure customers' segments are: the probability of the most likely one.

    Args:
        membership: the probability of each segment, shape (customers, segments).

    Returns:
        ``asked``: how many customers; ``counts``: a histogram of their certainty between the bounds in :data:`STEPS`;
        ``below_60`` and ``below_80``: shares of them below 0.6 and 0.8.
    """
    sure = membership.max(axis=1)
    # a certainty a hair above 1 by rounding still belongs to the last bar
    counts, _ = np.histogram(np.minimum(sure, 1.0), bins=np.array(STEPS))
    return {
        "asked": len(sure),
        "counts": counts.tolist(),
        "below_60": float((sure < 0.6).mean()),
        "below_80": float((sure < 0.8).mean()),
    }


def _is_short(value: Any) -> bool:
    try:
        return len(json.dumps(value, allow_nan=False)) <= LONGEST
    except (TypeError, ValueError):
        return False
