"""Gamma-Gamma model of the value of a purchase, where few purchases count for little.

Purchases of a customer vary around the customer's own mean, and those means vary between customers. Source: Fader and
Hardie (2013), "The Gamma-Gamma Model of Monetary Value", brucehardie.com note 025; equations are theirs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from engines.messages import message
from engines.value.lifetime.fitting import PENALIZERS, Objective, Optimum, search, search_patiently
from engines.value.lifetime.patterns import Floats, distinct_rows
from engines.value.lifetime.reference import lifetimes_model

#: A population mean this many times the mean purchase seen is a fit gone astray (q barely above 1), not a finding.
_PLAUSIBLE = 5.0


@dataclass(frozen=True)
class GammaGamma:
    """The model with its three parameters; ``v`` and values are in the currency."""

    p: float
    q: float
    v: float

    def parameters(self) -> dict[str, float]:
        """The parameters by name."""
        return asdict(self)

    @property
    def population_mean(self) -> float:
        """Mean purchase value over all customers, p v / (q - 1): what is expected of a one-time buyer."""
        return self.p * self.v / (self.q - 1.0)

    def expected_value(self, x: Floats, mean_value: Floats) -> Floats:
        """E[purchase value | x repeat purchases of this mean value]: equation (5) of note 025.

        One-time buyers get the population mean. A mean below zero (refunds) counts as zero.
        """
        model = lifetimes_model("GammaGammaFitter", self.parameters())
        value = model.conditional_expected_average_profit(x, np.maximum(mean_value, 0.0))
        return np.asarray(value, dtype=np.float64)

    def log_likelihood(self, x: Floats, mean_value: Floats) -> float:
        """Total log-likelihood over repeat buyers with a positive mean value."""
        rows = len(x)
        (x, mean_value), _, weights = distinct_rows(
            x, mean_value
        )  # in ascending order: sums depend on it in the last digits
        value, _ = _objective(x, mean_value, weights)(np.log([self.p, self.q, self.v]))
        return -value * rows


@dataclass(frozen=True)
class ValueFit:
    """A fitted model and how it was come by: maximum likelihood, held to the mean seen, or the mean itself."""

    model: GammaGamma
    method: str
    penalizer: float
    converged: bool

    def likelihood(self, x: Floats, mean_value: Floats) -> float | None:
        """Log-likelihood of what it was fitted to; None where it was not fitted."""
        return self.model.log_likelihood(x, mean_value) if self.converged or self.penalizer > 0 else None


def fit(x: Floats, mean_value: Floats) -> ValueFit:
    """Gamma-Gamma fitted to repeat buyers (``x`` > 0) with a positive mean value; both have shape ``(n,)``.

    Where plain maximum likelihood does not converge, or has no population mean (q <= 1) or an absurd one, the
    population mean is held at the mean repeat purchase seen, and p and q are fitted with a penalizer; where even that
    fails, one purchase counts as much as the population (p = 1, q = 2).

    Raises:
        ValueError: there is no such customer; :func:`flat_model` is for that.
    """
    if not len(x):
        raise ValueError("a Gamma-Gamma fit needs at least one repeat buyer with a positive mean value")
    (x, mean_value), _, weights = distinct_rows(x, mean_value)
    seen = float((weights * x) @ mean_value / (weights @ x))
    optimum = search(_objective(x, mean_value, weights), 3, decided=2)
    unit = 1.0
    if optimum is None:  # amounts far from 1 lead the search astray from its fixed start
        optimum, unit = search(_objective(x, mean_value / seen, weights), 3, decided=2), seen
    if optimum is not None:
        p, q, v = (float(value) for value in optimum.parameters)
        model = GammaGamma(p, q, v * unit)
        if q > 1.0 and model.population_mean < _PLAUSIBLE * seen:
            return ValueFit(model, message("maximum likelihood"), 0.0, True)
    held = _held_at_mean(x, mean_value / seen, weights)
    if held is None:
        return ValueFit(flat_model(seen), message("mean of the repeat purchases"), 0.0, False)
    p, beyond = (float(value) for value in held.parameters)
    model = GammaGamma(p, 1.0 + beyond, seen * beyond / p)
    return ValueFit(model, message("held at the mean of the repeat purchases"), held.penalizer, False)


def flat_model(population_mean: float) -> GammaGamma:
    """The model with this population mean in which one repeat purchase counts as much as the population."""
    return GammaGamma(p=1.0, q=2.0, v=population_mean)


def objective(x: Floats, mean_value: Floats) -> Objective:
    """Mean negative log-likelihood over repeat buyers and its gradient, of log(p, q, v)."""
    (x, mean_value), _, weights = distinct_rows(
        x, mean_value
    )  # in ascending order, as sums depend on it in the last digits
    return _objective(x, mean_value, weights)


def _held_at_mean(x: Floats, mean_value: Floats, weights: Floats) -> Optimum | None:
    """Optimum over (p, q - 1) with v = (q - 1) / p, which makes the population mean 1, the unit of ``mean_value``."""
    full = _objective(x, mean_value, weights)

    def held(logs: Floats) -> tuple[float, Floats]:
        log_p, log_beyond = logs
        q = 1.0 + np.exp(log_beyond)
        value, (d_p, d_q, d_v) = full(np.array([log_p, np.log(q), log_beyond - log_p]))
        return value, np.array([d_p - d_v, d_q * np.exp(log_beyond) / q + d_v])

    return search_patiently(held, 2, PENALIZERS)


def _objective(x: Floats, mean_value: Floats, weights: Floats) -> Objective:
    """Mean negative log-likelihood (equation 1a of note 025) and its gradient, of log(p, q, v)."""
    from scipy.special import gammaln, psi

    share = weights / weights.sum()
    counts, of_count = np.unique(x, return_inverse=True)
    count_share = np.bincount(of_count, share)
    spent = x * mean_value
    fixed_per_p = share @ (x * np.log(spent))  # log(m) and log(x) appear as p x (log m + log x) - log m
    fixed = share @ np.log(mean_value)

    def objective(logs: Floats) -> tuple[float, Floats]:
        p, q, v = parameters = np.exp(logs)
        shape = p * counts
        log_total = np.log(spent + v)
        inverse_total = 1.0 / (spent + v)
        by_count = np.bincount(of_count, share * log_total)
        inverse_by_count = np.bincount(of_count, share * inverse_total)
        value = (
            count_share @ (gammaln(shape + q) - gammaln(shape))
            - gammaln(q)
            + q * logs[2]
            + p * fixed_per_p
            - fixed
            - (shape + q) @ by_count
        )
        d_p = (count_share * counts) @ (psi(shape + q) - psi(shape)) + fixed_per_p - counts @ by_count
        d_q = count_share @ psi(shape + q) - psi(q) + logs[2] - by_count.sum()
        d_v = q / v - (shape + q) @ inverse_by_count
        return -float(value), -np.array([d_p, d_q, d_v]) * parameters

    return objective
