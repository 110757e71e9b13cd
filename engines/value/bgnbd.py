"""How often customers will buy again: the BG/NBD model, where each customer has a rhythm and a chance of leaving.

While a customer is alive, purchases follow a Poisson process with a rate that differs between customers,
Gamma(r, alpha); after each repeat purchase the customer leaves for good with a probability that differs too,
Beta(a, b). Source: Fader, Hardie and Lee (2005), "Counting Your Customers the Easy Way", Marketing Science 24(2),
275-284; equations are theirs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np

from engines.value import reference
from engines.value.fitting import Objective, search_patiently
from engines.value.patterns import Floats, Histories

_NEAR_POLE = 1e-6  # distance kept from the removable poles at a = 1 and a + b + x = 1


class LifetimeModel(Protocol):
    """What any model of repeat purchases answers; BG/NBD is one. Time is in weeks, arrays are one value per history.

    Being alive and what follows from it come apart: expected purchases are P(alive) times purchases if alive, and those
    depend on ``x`` and age alone. That holds for BG/NBD, MBG/NBD and Pareto/NBD.
    """

    def alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """P(alive | x, t_x, T)."""
        ...

    def purchases_if_alive(self, x: Floats, age: Floats, weeks: float) -> Floats:
        """E[purchases in the next ``weeks`` | alive, x, T]."""
        ...

    def none_if_alive(self, x: Floats, age: Floats, weeks: float) -> Floats:
        """P(no purchase in the next ``weeks`` | alive, x, T)."""
        ...


@dataclass(frozen=True)
class BGNBD:
    """The model with its four parameters, time in weeks."""

    r: float
    alpha: float
    a: float
    b: float

    def parameters(self) -> dict[str, float]:
        """The parameters by name."""
        return asdict(self)

    def alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """P(alive | x, t_x, T): Hardie's note 021. It is 1 for everyone without a repeat purchase."""
        with np.errstate(all="ignore"):
            alive = reference.bg_nbd(**self.parameters()).conditional_probability_alive(x, t_x, age)
        return np.asarray(alive, dtype=np.float64)

    def purchases_if_alive(self, x: Floats, age: Floats, weeks: float) -> Floats:
        """E[Y(t) | alive, x, T]: equation (10) without its denominator, which is 1 / P(alive).

        ``(a+b+x-1)/(a-1) * (1 - (1-z)^(r+x) * 2F1(r+x, b+x; a+b+x-1; z))`` with ``z = t / (alpha+T+t)``, as the paper
        and ``lifetimes`` have it, overflows for frequent buyers; by Euler's transformation the last term is also
        ``(1-z)^(a-1) * 2F1(a+b-1-r, a-1; a+b+x-1; z)``, so the one with the smaller power is worked out. With
        ``x = T = 0`` it is equation (9).
        """
        from scipy.special import hyp2f1

        a = self.a if abs(self.a - 1.0) > _NEAR_POLE else 1.0 + _NEAR_POLE
        shape = self.r + x
        c = a + self.b + x - 1.0
        c = np.where(np.abs(c) > _NEAR_POLE, c, _NEAR_POLE)
        passed = self.alpha + age
        z = weeks / (passed + weeks)
        euler = shape > a - 1.0
        power = np.where(euler, a - 1.0, shape)
        with np.errstate(all="ignore"):
            series = hyp2f1(
                np.where(euler, a + self.b - 1.0 - self.r, shape), np.where(euler, a - 1.0, self.b + x), c, z
            )
            ahead = c / (a - 1.0) * (1.0 - (passed / (passed + weeks)) ** power * series)
        # Both overflow only where a and r + x are in the hundreds; the chance of leaving is then all but its mean.
        leaving = a / (a + self.b + x)
        at_mean = -np.expm1(-shape * np.log1p(leaving * weeks / passed)) / leaving
        return np.asarray(np.where(np.isfinite(ahead), np.maximum(ahead, 0.0), at_mean), dtype=np.float64)

    def none_if_alive(self, x: Floats, age: Floats, weeks: float) -> Floats:
        """P(no purchase in the next t weeks | alive, x, T) = ((alpha+T) / (alpha+T+t))^(r+x).

        In BG/NBD customers leave only right after a purchase. So who is alive at T stays so until the next purchase,
        and the wait for it is exponential with the customer's own rate, which given the history and being alive is
        Gamma(r+x, alpha+T): the mean of exp(-rate * t) over that distribution. The chance of leaving plays no part.
        With x = T = 0 it is the paper's equation (8) at no purchases.
        """
        passed = self.alpha + age
        return np.asarray((passed / (passed + weeks)) ** (self.r + x), dtype=np.float64)

    def log_likelihood(self, histories: Histories) -> float:
        """Total log-likelihood over all customers, time in weeks: the figure the literature prints."""
        value, _ = _objective(histories, 1.0)(np.log([self.r, self.alpha, self.a, self.b]))
        return -value * histories.customers


@dataclass(frozen=True)
class LifetimeFit:
    """A fitted model and how it was come by: ``method`` is maximum likelihood, penalized or empirical Bayes."""

    model: BGNBD
    method: str
    penalizer: float
    converged: bool


def fit(histories: Histories) -> LifetimeFit:
    """BG/NBD fitted to distinct histories by maximum likelihood, time scaled so that the longest age is 1.

    Where that does not converge, a penalizer is tried, and where nothing converges or there is nothing to fit (no
    repeat purchase, no time passed), the estimate is :func:`pooled`.
    """
    longest = float(histories.age.max())
    if longest > 0 and histories.purchases > 0:
        optimum = search_patiently(_objective(histories, 1.0 / longest), 4)
        if optimum is not None:
            r, alpha, a, b = (float(value) for value in optimum.parameters)
            method = "penalized maximum likelihood" if optimum.penalizer else "maximum likelihood"
            return LifetimeFit(BGNBD(r, alpha * longest, a, b), method, optimum.penalizer, not optimum.penalizer)
    return LifetimeFit(pooled(histories), "empirical Bayes", 0.0, False)


def pooled(histories: Histories) -> BGNBD:
    """The model when likelihood cannot decide: the pooled purchase rate, and a stated guess of the rest.

    The mean rate is (repeat purchases + 1/2) / (customer-weeks + 52): as if half a purchase in one more customer-year
    had been seen, so that "none so far" does not become "never". Rates spread exponentially around it (r = 1). One
    purchase in four is a customer's last, as on CDNOW, with the weight of two purchases (a = 0.5, b = 1.5). Each
    customer's own history then moves the estimate as in BG/NBD.
    """
    weeks = float(histories.weights @ histories.age)
    return BGNBD(r=1.0, alpha=(weeks + 52.0) / (histories.purchases + 0.5), a=0.5, b=1.5)


def _objective(histories: Histories, scale: float) -> Objective:
    """Mean negative log-likelihood (the paper's section 7) and its gradient, of log(r, alpha, a, b); times x scale."""
    from scipy.special import expit, gammaln, psi

    share = histories.weights / histories.customers
    counts, of_count = np.unique(histories.x, return_inverse=True)
    ages, of_age = np.unique(histories.age, return_inverse=True)
    count_share = np.bincount(of_count, share)
    age_share = np.bincount(of_age, share)
    again = histories.x > 0
    # The rest is needed for repeat buyers only: one-time buyers have no term for having left.
    lasts, of_last = np.unique(histories.t_x[again], return_inverse=True)
    age_again, count_again, share_again = of_age[again], of_count[again], share[again]
    purchases_by_age = np.bincount(of_age, share * histories.x)
    ages, lasts = ages * scale, lasts * scale

    def objective(logs: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = parameters = np.exp(logs)
        log_age, log_last = np.log(alpha + ages), np.log(alpha + lasts)
        before = np.maximum(counts, 1.0) - 1.0
        # log odds of having left at the last purchase rather than being alive and silent since
        silent_for = log_age[age_again] - log_last[of_last]
        shape = (r + counts)[count_again]
        odds = (np.log(a) - np.log(b + before))[count_again] + shape * silent_for
        left = share_again * expit(odds)

        rhythm = gammaln(r + counts) - gammaln(r) + r * np.log(alpha)
        leaving = gammaln(a + b) + gammaln(b + counts) - gammaln(b) - gammaln(a + b + counts)
        silence = (r * age_share + purchases_by_age) @ log_age
        value = count_share @ (rhythm + leaving) - silence + share_again @ np.logaddexp(0.0, odds)

        left_by_count = np.bincount(count_again, left, len(counts))
        weighted = left * shape
        d_r = count_share @ (psi(r + counts) - psi(r) + np.log(alpha)) - age_share @ log_age + left @ silent_for
        d_alpha = (
            r / alpha
            - ((r * age_share + purchases_by_age) / (alpha + ages)).sum()
            + (np.bincount(age_again, weighted, len(ages)) / (alpha + ages)).sum()
            - (np.bincount(of_last, weighted, len(lasts)) / (alpha + lasts)).sum()
        )
        total = psi(a + b) - psi(a + b + counts)
        d_a = count_share @ total + left.sum() / a
        d_b = count_share @ (total + psi(b + counts) - psi(b)) - (left_by_count / (b + before)).sum()
        return -float(value), -np.array([d_r, d_alpha, d_a, d_b]) * parameters

    return objective
