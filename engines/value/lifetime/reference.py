"""The ``lifetimes`` library: its model objects, given parameters that were fitted here.

``lifetimes`` is the reference for every formula in this package. It is archived, slow to import, and changes the
warning filters as it is imported; so it is loaded here alone, at first use, and leaves the filters as they were.
"""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd


def bg_nbd(r: float, alpha: float, a: float, b: float) -> Any:
    """A ``lifetimes.BetaGeoFitter`` with these parameters (time in weeks)."""
    return _with_parameters("BetaGeoFitter", r=r, alpha=alpha, a=a, b=b)


def mbg_nbd(r: float, alpha: float, a: float, b: float) -> Any:
    """A ``lifetimes.ModifiedBetaGeoFitter`` with these parameters (time in weeks)."""
    return _with_parameters("ModifiedBetaGeoFitter", r=r, alpha=alpha, a=a, b=b)


def gamma_gamma(p: float, q: float, v: float) -> Any:
    """A ``lifetimes.GammaGammaFitter`` with these parameters (``v`` in the currency)."""
    return _with_parameters("GammaGammaFitter", p=p, q=q, v=v)


def _with_parameters(fitter: str, **parameters: float) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import lifetimes
    model = getattr(lifetimes, fitter)()
    model.params_ = pd.Series(parameters)
    return model
