"""The ``lifetimes`` library: its model objects, given parameters that were fitted here.

``lifetimes`` is the reference for every formula in this package. It is archived, slow to import, and changes the
warning filters as it is imported; so it is loaded here alone, at first use, and leaves the filters as they were.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import pandas as pd


def lifetimes_model(fitter: str, parameters: Mapping[str, float]) -> Any:
    """A model of ``lifetimes``, by the name of its class, with these parameters (weeks, and the currency)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import lifetimes
    model = getattr(lifetimes, fitter)()
    model.params_ = pd.Series(dict(parameters))
    return model
