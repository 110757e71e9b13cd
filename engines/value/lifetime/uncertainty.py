"""Uncertainty of fitted parameters, from the curvature of the likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engines.value.lifetime import gamma_gamma
from engines.value.lifetime.fitting import Objective, curvature
from engines.value.lifetime.gamma_gamma import GammaGamma, ValueFit
from engines.value.lifetime.lifetime import LifetimeFit, LifetimeModel
from engines.value.lifetime.patterns import Floats, Histories

Matrix = tuple[tuple[float, ...], ...]

#: The largest standard deviation of a log-parameter, in any direction: where the likelihood is flat, a parameter is
#: taken to be off by a factor of e at most, more or less.
_WIDEST = 1.0


@dataclass(frozen=True)
class Uncertainty:
    """Covariances of what the parameters may be off by.

    ``lifetime``: of the logarithms of the lifetime model's four parameters, in order. ``value``: of log p, log(q - 1)
    and log v of Gamma-Gamma; of q - 1, so that the population mean stays finite. The two are independent, as the models
    are.
    """

    lifetime: Matrix
    value: Matrix

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {name: [list(row) for row in matrix] for name, matrix in asdict(self).items()}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any] | None) -> Uncertainty:
        """As it was before ``to_dict``; without an entry (an old snapshot has none) the parameters count as certain."""
        if entry is None:
            return cls(_rows(np.zeros((4, 4))), _rows(np.zeros((3, 3))))
        return cls(_rows(np.array(entry["lifetime"])), _rows(np.array(entry["value"])))


def uncertainty(
    lifetime: LifetimeFit, histories: Histories, value: ValueFit, x: Floats, mean_value: Floats
) -> Uncertainty:
    """The covariances of two fits: the inverse curvature of the log-likelihood at the optimum, penalizer included.

    That is the usual large-sample approximation, and what a bootstrap of the customers comes to where the model fits
    them. An empirical-Bayes estimate knows its purchase rate from so many purchases and one half (variance of the
    logarithm 1 / (purchases + 1/2)); a mean purchase value that was not fitted, from so many repeat buyers.

    Args:
        lifetime: fitted to ``histories``.
        histories: of all customers.
        value: fitted to ``x`` and ``mean_value``.
        x: repeat purchases of those who bought again for money.
        mean_value: the mean value of those purchases.
    """
    return Uncertainty(_rows(_of_lifetime(lifetime, histories)), _rows(_of_value(value, x, mean_value)))


def _of_lifetime(fit: LifetimeFit, histories: Histories) -> Floats:
    if fit.method == "empirical Bayes":
        covariance = np.zeros((4, 4))
        covariance[1, 1] = 1.0 / (histories.purchases + 0.5)
        return covariance
    longest = float(histories.age.max())
    model = fit.model
    units = [longest if name in model.timed else 1.0 for name in model.parameters()]
    logs = np.log(np.array(list(model.parameters().values())) / units)
    return _inverse(model.objective(histories, 1.0 / longest), logs, fit.penalizer, histories.customers)


def _of_value(fit: ValueFit, x: Floats, mean_value: Floats) -> Floats:
    if not fit.converged:
        covariance = np.zeros((3, 3))
        covariance[2, 2] = 1.0 / max(len(x), 1)
        return covariance
    full = gamma_gamma.objective(x, mean_value)

    def objective(at: Floats) -> tuple[float, Floats]:
        beyond = np.exp(at[1])
        value, gradient = full(np.array([at[0], np.log1p(beyond), at[2]]))
        return value, gradient * np.array([1.0, beyond / (1.0 + beyond), 1.0])

    return _inverse(objective, value_coordinates(fit.model), 0.0, float(len(x)))


def value_coordinates(model: GammaGamma) -> Floats:
    """Log p, log(q - 1) and log v."""
    return np.log([model.p, max(model.q - 1.0, 1e-9), max(model.v, 1e-300)])


def lifetime_at(model: LifetimeModel, shift: Floats) -> LifetimeModel:
    """The model with its log-parameters shifted."""
    changed = {
        name: value * float(np.exp(by)) for (name, value), by in zip(model.parameters().items(), shift, strict=True)
    }
    return type(model)(**changed)


def value_at(model: GammaGamma, shift: Floats) -> GammaGamma:
    """The model with log p, log(q - 1) and log v shifted."""
    p, beyond, v = (float(value) for value in np.exp(value_coordinates(model) + shift))
    return GammaGamma(p, 1.0 + beyond, v)


def root(matrix: Matrix) -> Floats:
    """A square root of a covariance matrix: times independent standard normals it gives what the matrix describes."""
    values, vectors = np.linalg.eigh(np.array(matrix))
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)), dtype=np.float64)


def _inverse(objective: Objective, logs: Floats, penalizer: float, customers: float) -> Floats:
    hessian = customers * (curvature(objective, logs) + 2.0 * penalizer * np.eye(len(logs)))
    if not np.isfinite(hessian).all():
        return np.eye(len(logs)) * _WIDEST**2
    values, vectors = np.linalg.eigh(hessian)
    return np.asarray((vectors / np.maximum(values, _WIDEST**-2)) @ vectors.T, dtype=np.float64)


def _rows(matrix: Floats) -> Matrix:
    return tuple(tuple(float(value) for value in row) for row in matrix)
