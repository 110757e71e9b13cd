"""Pareto/NBD model of repeat purchases: customers may leave at any moment.

While a customer is alive, purchases follow a Poisson process with a rate that differs between customers,
Gamma(r, alpha); lifetimes are exponential with a rate that differs too, Gamma(s, beta). Sources: Schmittlein, Morrison
and Colombo (1987), "Counting Your Customers", Management Science 33(1), 1-24; Fader and Hardie (2005), "A Note on
Deriving the Pareto/NBD Model", brucehardie.com note 009, whose equations are numbered here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from engines.messages import message, noted
from engines.value.lifetime.fitting import Objective
from engines.value.lifetime.lifetime import LifetimeModel, poisson_tail, pooled_scale
from engines.value.lifetime.patterns import Floats, Histories

_NODES = 16  # of the Gauss-Legendre rule; see _Silence
_FADED = 36.0  # where the integrand has fallen by this many powers of e, nothing that follows shows in 15 digits
_ROWS = 4096  # histories at a time: arrays of rows x nodes stay in the processor's cache
_NO_TIME = 1e-300


@dataclass(frozen=True)
class ParetoNBD(LifetimeModel):
    """The model with its four parameters, time in weeks."""

    name = "pareto_nbd"
    title = noted("Pareto/NBD")
    timed = ("alpha", "beta")
    polish = True  # lifetimes searches without a gradient, so there is no path to keep to

    r: float
    alpha: float
    s: float
    beta: float

    @classmethod
    def objective(cls, histories: Histories, scale: float) -> Objective:
        """The likelihood, equation (18), with the integral of equation (16) instead of hypergeometric functions."""
        return _objective(histories, scale)

    @classmethod
    def pooled(cls, histories: Histories) -> Self:
        """See :meth:`LifetimeModel.pooled`.

        Two customers in three are still there after a year, and they differ widely in that (s = 0.5, beta = 40 weeks).
        """
        return cls(r=1.0, alpha=pooled_scale(histories), s=0.5, beta=40.0)

    @property
    def guess(self) -> str:
        """The share of leaving that :meth:`pooled` supposes."""
        return message("two customers in three taken to be still there after a year")

    @property
    def leaving(self) -> float:
        """The chance of leaving within a year, of a customer drawn at random."""
        return float(-np.expm1(-self.s * np.log1p(52.0 / self.beta)))

    def alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """P(alive | x, t_x, T): equation (36), alive and silent since against having left in between."""
        here = _alive_term(self.r, self.alpha, self.s, self.beta, x, age)
        left = np.concatenate(
            [
                np.log(self.s)
                + _Silence(self.r, self.alpha, self.s, self.beta, x[part], t_x[part], age[part]).log_integral
                for part in _parts(len(x))
            ]
        )
        return np.asarray(1.0 / (1.0 + np.exp(np.minimum(left - here, 700.0))), dtype=np.float64)

    def purchases_if_alive(self, x: Floats, age: Floats, weeks: float) -> Floats:
        """E[Y(t) | alive, x, T]: equation (41) without P(alive). For s = 1 it is its limit."""
        stays = np.log1p(weeks / (self.beta + age))
        power = self.s - 1.0
        lifetime_left = stays if abs(power) < 1e-9 else -np.expm1(-power * stays) / power
        return np.asarray((self.r + x) / (self.alpha + age) * (self.beta + age) * lifetime_left, dtype=np.float64)

    def none_if_alive(self, x: Floats, age: Floats, weeks: float) -> Floats:
        """P(no purchase in the next t weeks | alive, x, T): silent to the end, or having left in silence.

        The same two terms as in the likelihood, of a customer whose rates are Gamma(r+x, alpha+T) and Gamma(s, beta+T),
        over the next t weeks.
        """
        silent = np.empty(len(x))
        for part in _parts(len(x)):
            shape, passed, since = self.r + x[part], self.alpha + age[part], self.beta + age[part]
            none = np.zeros_like(shape)
            scale = shape * np.log(passed) + self.s * np.log(since)
            stays = _alive_term(shape, passed, self.s, since, none, none + weeks)
            leaves = _Silence(shape, passed, self.s, since, none, none, none + weeks).log_integral + np.log(self.s)
            silent[part] = np.exp(scale + stays) + np.exp(scale + leaves)
        return np.minimum(silent, 1.0)

    def at_least_if_alive(self, x: Floats, age: Floats, weeks: float, most: int) -> Floats:
        """P(n purchases or more | alive, x, T): the Poisson tail over the time that the customer stays.

        That time is Pareto distributed, P(longer than y) = ((beta+T) / (beta+T+y))^s, and cut at t; the mean over it
        is a Gauss-Legendre sum over its quantiles.
        """
        points, weights = np.polynomial.legendre.leggauss(_NODES)
        since = self.beta + age
        leaves = -np.expm1(-self.s * np.log1p(weeks / since))  # within the time ahead
        tail = (1.0 - leaves)[:, None] * poisson_tail(self.r + x, self.alpha + age, weeks, most)
        for point, weight in zip(points, weights, strict=True):
            stay = since * np.expm1(-np.log1p(-0.5 * (point + 1.0) * leaves) / self.s)
            tail += (0.5 * weight * leaves)[:, None] * poisson_tail(self.r + x, self.alpha + age, stay, most)
        return np.asarray(tail, dtype=np.float64)


class _Silence:
    """The integral over (t_x, T) of (alpha+y)^-(r+x) (beta+y)^-(s+1) dy: having left at y, and been silent since t_x.

    It is A_0 / (r+s+x) of the note, where it becomes a difference of hypergeometric functions that cancel for
    frequent buyers. Here it is a Gauss-Legendre sum in u = log(min(alpha, beta) + y), in which the integrand has no
    singularity within pi of the real line whatever the parameters, alpha = beta among them; where it falls steeply,
    only the part that shows in 15 digits is covered. Derivatives are the same sum over derivatives, so they are exact
    where it is.
    """

    def __init__(
        self,
        r: Floats | float,
        alpha: Floats | float,
        s: float,
        beta: Floats | float,
        x: Floats,
        t_x: Floats,
        age: Floats,
    ) -> None:
        points, weights = np.polynomial.legendre.leggauss(_NODES)
        nearer = np.minimum(alpha, beta)
        start = nearer + t_x
        falls = start * ((r + x) / (alpha + t_x) + (s + 1.0) / (beta + t_x)) - 1.0
        length = np.minimum(np.log1p((age - t_x) / start), _FADED / np.maximum(falls, 1e-9))
        steps = 0.5 * (points + 1.0) * length[:, None]
        y = start[:, None] * np.exp(steps)
        from_alpha, from_beta = (y + _column(other - nearer) for other in (alpha, beta))
        self.log_alpha, self.log_beta = np.log(from_alpha), np.log(from_beta)
        self.by_alpha, self.by_beta = 1.0 / from_alpha, 1.0 / from_beta
        powers = steps - _column(r + x) * self.log_alpha - (s + 1.0) * self.log_beta
        highest = powers.max(axis=1)
        parts = weights * np.exp(powers - highest[:, None])
        total = parts.sum(axis=1)
        self.shares = parts / total[:, None]
        self.log_integral = highest + np.log(np.maximum(0.5 * length * start, _NO_TIME)) + np.log(total)

    def mean(self, of: Floats) -> Floats:
        """The mean of what is given at the nodes, under the integrand."""
        return np.asarray((self.shares * of).sum(axis=1), dtype=np.float64)


def _column(values: Floats | float) -> Floats | float:
    return values[:, None] if isinstance(values, np.ndarray) else values


def _alive_term(
    r: Floats | float, alpha: Floats | float, s: float, beta: Floats | float, x: Floats, age: Floats
) -> Floats:
    return np.asarray(-(r + x) * np.log(alpha + age) - s * np.log(beta + age), dtype=np.float64)


def _parts(size: int) -> Iterator[slice]:
    return (slice(first, first + _ROWS) for first in range(0, size, _ROWS))


def _objective(histories: Histories, scale: float) -> Objective:
    from scipy.special import gammaln, psi

    share = histories.weights / histories.customers
    counts, of_count = np.unique(histories.x, return_inverse=True)
    count_share = np.bincount(of_count, share)
    repeats, first_to_last, ages = histories.x, histories.t_x * scale, histories.age * scale

    def objective(logs: Floats) -> tuple[float, Floats]:
        r, alpha, s, beta = parameters = np.exp(logs)
        value = count_share @ (gammaln(r + counts) - gammaln(r)) + r * logs[1] + s * logs[3]
        d_r = count_share @ (psi(r + counts) - psi(r)) + logs[1]
        gradient = np.array([d_r, r / alpha, logs[3], s / beta])
        for part in _parts(len(share)):
            x, t_x, age, weight = repeats[part], first_to_last[part], ages[part], share[part]
            here = _alive_term(r, alpha, s, beta, x, age)
            silence = _Silence(r, alpha, s, beta, x, t_x, age)
            left = logs[2] + silence.log_integral
            value += weight @ np.logaddexp(here, left)
            gone = weight / (1.0 + np.exp(np.clip(here - left, -700.0, 700.0)))
            stays = weight - gone
            log_alpha, log_beta = np.log(alpha + age), np.log(beta + age)
            shape = r + x
            gradient += [
                -(stays @ log_alpha) - gone @ silence.mean(silence.log_alpha),
                -(stays @ (shape / (alpha + age))) - gone @ (shape * silence.mean(silence.by_alpha)),
                -(stays @ log_beta) + gone @ (1.0 / s - silence.mean(silence.log_beta)),
                -s * (stays @ (1.0 / (beta + age))) - (s + 1.0) * (gone @ silence.mean(silence.by_beta)),
            ]
        return -float(value), -gradient * parameters

    return objective
