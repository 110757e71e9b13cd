"""Published figures of CDNOW, to compare ours with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from engines.value.lifetime.bgnbd import BGNBD
from engines.value.lifetime.gamma_gamma import GammaGamma

#: The data set that is meant, and the last day that the models know.
SOURCE, LAST_KNOWN_DAY = "cdnow-sample", date(1997, 9, 30)

_BG = "Fader, Hardie and Lee (2005), Counting Your Customers the Easy Way"
_MBG = "tests of the lifetimes library; log-likelihood computed"
_PARETO = "tests of the CLVTools package"
_GG = "Fader and Hardie (2013), The Gamma-Gamma Model of Monetary Value"
_SHEET = "Hardie's spreadsheet for BG/NBD"
_COMPUTED = "computed apart from this product, with scipy"

#: Of the first ten customers: repeat purchases, their mean value, and the purchase value to expect.
_FIRST_TEN = (
    *((2, 22.35, 24.65), (1, 11.77, 18.91), (0, 0.0, 35.17), (0, 0.0, 35.17), (0, 0.0, 35.17)),
    *((7, 73.74, 71.46), (1, 11.77, 18.91), (0, 0.0, 35.17), (2, 25.55, 27.28), (0, 0.0, 35.17)),
)
_PARAMETERS: dict[str, tuple[dict[str, float], float, str]] = {
    "bg_nbd": ({"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}, -9582.43, _BG),
    "mbg_nbd": ({"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}, -9582.14, _MBG),
    "pareto_nbd": ({"r": 0.5532, "alpha": 10.576, "s": 0.6063, "beta": 11.672}, -9594.98, _PARETO),
    "gamma_gamma": ({"p": 6.25, "q": 3.74, "v": 15.44}, -4055.92, _GG),
}
_NEWCOMER = ((0.1429, 0.0078), (1.0, 0.0532), (3.0, 0.1506), (31.8571, 1.0405), (32.0, 1.0437), (78.0, 1.8576))
#: Weeks 40 to 78: MAE, RMSE, MSLE, bias and correlation.
_HOLDOUT: dict[str, tuple[float, float, float, float, float | None]] = {
    "pareto_nbd": (0.755, 1.603, 0.238, -0.115, 0.630),
    "bg_nbd": (0.785, 1.608, 0.234, -0.121, 0.626),
    "mbg_nbd": (0.765, 1.607, 0.231, -0.162, 0.627),
    "carry_forward": (0.897, 1.971, 0.349, 0.306, 0.577),
    "rate": (1.024, 2.212, 0.401, 0.557, 0.584),
    "zero": (0.798, 2.206, 0.463, -1.0, None),
}
_METRICS = ("mae", "rmse", "msle", "bias", "correlation")
_RELATIVE, _LIKELIHOOD, _BY_HAND, _VALUE, _ROUNDING = 0.005, 0.01, 0.001, 0.1, 0.001


@dataclass(frozen=True)
class PublishedFigure:
    """A published figure beside ours. ``within``: how far off ours may be; ``ours`` is None where there is no model."""

    model: str
    quantity: str
    published: float
    ours: float | None
    within: float
    source: str

    @property
    def holds(self) -> bool:
        """Whether ours is the published one, as far as that is given."""
        return self.ours is not None and bool(abs(self.ours - self.published) <= self.within)

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON-ready values."""
        return {**asdict(self), "holds": self.holds}


def compare_with_published(receipt: Mapping[str, Any]) -> tuple[PublishedFigure, ...]:
    """Every published figure beside that of a receipt of :data:`SOURCE` with the cut-off :data:`LAST_KNOWN_DAY`."""
    return (*_fits(receipt["models"]), *_by_hand(receipt["models"]), *_foreseen(receipt["holdout"]))


def _fits(models: Mapping[str, Any]) -> Iterator[PublishedFigure]:
    for name, (parameters, likelihood, source) in _PARAMETERS.items():
        ours = models.get(name, {"parameters": {}, "log_likelihood": None})
        for parameter, published in parameters.items():
            yield PublishedFigure(
                name, parameter, published, ours["parameters"].get(parameter), _RELATIVE * published, source
            )
        yield PublishedFigure(name, "log-likelihood", likelihood, ours["log_likelihood"], _LIKELIHOOD, source)


def _by_hand(models: Mapping[str, Any]) -> Iterator[PublishedFigure]:
    """What the fitted models say of customers whose figures are worked out in print."""
    if "bg_nbd" in models:
        model, new = BGNBD(**models["bg_nbd"]["parameters"]), np.zeros(1)
        for weeks, published in _NEWCOMER:
            ours = float(model.purchases_if_alive(new, new, weeks)[0])
            what = f"purchases of a newcomer in {weeks:g} weeks"
            yield PublishedFigure("bg_nbd", what, published, ours, _BY_HAND, _SHEET)
        x, t_x, age = np.array([2.0]), np.array([30.43]), np.array([38.86])
        ours = float((model.alive(x, t_x, age) * model.purchases_if_alive(x, age, 39.0))[0])
        what = "purchases in 39 weeks of the customer with x = 2, t_x = 30.43, T = 38.86"
        yield PublishedFigure("bg_nbd", what, 1.226, ours, _BY_HAND, _BG)
    if "gamma_gamma" in models:
        value = GammaGamma(**models["gamma_gamma"]["parameters"])
        expected = value.expected_value(*(np.array([row[at] for row in _FIRST_TEN], dtype=float) for at in (0, 1)))
        for number, ((_, _, published), ours) in enumerate(zip(_FIRST_TEN, expected, strict=True), start=1):
            what = f"purchase value of customer {number}"
            yield PublishedFigure("gamma_gamma", what, published, float(ours), _VALUE, _GG)


def _foreseen(holdout: Mapping[str, Any]) -> Iterator[PublishedFigure]:
    for name, figures in _HOLDOUT.items():
        for metric, published in zip(_METRICS, figures, strict=True):
            if published is not None:
                ours = holdout.get(name, {}).get(metric)
                yield PublishedFigure(name, f"holdout {metric}", published, ours, _ROUNDING, _COMPUTED)
    ours = holdout.get("bg_nbd", {}).get("top_decile_revenue")
    yield PublishedFigure("bg_nbd", "holdout top_decile_revenue", 0.502, ours, _ROUNDING, _COMPUTED)
