"""BG/NBD model of repeat purchases: each customer has a purchase rate and a chance of leaving after each purchase.

While a customer is alive, purchases follow a Poisson process with a rate that differs between customers,
Gamma(r, alpha); after each repeat purchase the customer leaves for good with a probability that differs too,
Beta(a, b). Source: Fader, Hardie and Lee (2005), "Counting Your Customers the Easy Way", Marketing Science 24(2),
275-284; equations are theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from engines.messages import message, noted
from engines.value.lifetime.fitting import Objective
from engines.value.lifetime.lifetime import LifetimeModel, poisson_tail, pooled_scale
from engines.value.lifetime.patterns import Floats, Histories
from engines.value.lifetime.reference import lifetimes_model

_NEAR_POLE = 1e-6  # distance kept from the removable poles at a = 1 and a + b + x = 1


@dataclass(frozen=True)
class BGNBD(LifetimeModel):
    """The model with its four parameters, time in weeks."""

    name = "bg_nbd"
    title = noted("BG/NBD")
    reference = "BetaGeoFitter"  #: the class of lifetimes

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def objective(cls, histories: Histories, scale: float) -> Objective:
        """The paper's section 7. Nobody leaves before the first repeat purchase."""
        return beta_geometric_objective(histories, scale, chances=histories.x)

    @classmethod
    def pooled(cls, histories: Histories) -> Self:
        """See :meth:`LifetimeModel.pooled`.

        One purchase in four is a customer's last, as on CDNOW, with the weight of two purchases (a = 0.5, b = 1.5).
        """
        return cls(r=1.0, alpha=pooled_scale(histories), a=0.5, b=1.5)

    @property
    def guess(self) -> str:
        """The share of leaving that :meth:`pooled` supposes."""
        return message("one purchase in four taken to be a customer's last")

    @property
    def leaving(self) -> float:
        """The chance of leaving at one purchase, of a customer drawn at random."""
        return self.a / (self.a + self.b)

    def alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """P(alive | x, t_x, T): Hardie's note 021, by which it is 1 for everyone without a repeat purchase.

        Of MBG/NBD: Batislam et al., appendix A, equation (5).
        """
        with np.errstate(all="ignore"):
            alive = lifetimes_model(self.reference, self.parameters()).conditional_probability_alive(x, t_x, age)
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

    def at_least_if_alive(self, x: Floats, age: Floats, weeks: float, most: int) -> Floats:
        """P(n purchases or more | alive): the Poisson process gets so far, and the customer stays n - 1 times.

        Given the history and being alive, rate ~ Gamma(r+x, alpha+T) and leaving ~ Beta(a, b+x) are independent, so
        it is :func:`poisson_tail` times B(a, b+x+n-1) / B(a, b+x).
        """
        tail = poisson_tail(self.r + x, self.alpha + age, weeks, most)
        if most > 1:
            stays = (self.b + x)[:, None] + np.arange(most - 1.0)
            tail[:, 1:] *= np.cumprod(stays / (stays + self.a), axis=1)
        return tail


def beta_geometric_objective(histories: Histories, scale: float, chances: Floats) -> Objective:
    """Mean negative log-likelihood and its gradient, of log(r, alpha, a, b); times are multiplied by ``scale``.

    ``chances``: at how many moments each customer may have left, the last one included: ``x`` in BG/NBD, ``x`` + 1 in
    MBG/NBD, where the first purchase is such a moment as well.
    """
    from scipy.special import expit, gammaln, psi

    share = histories.weights / histories.customers
    counts, of_count = np.unique(histories.x, return_inverse=True)
    ages, of_age = np.unique(histories.age, return_inverse=True)
    count_share = np.bincount(of_count, share)
    age_share = np.bincount(of_age, share)
    extra = float((chances - histories.x)[0])  # the same for everyone: 0 or 1
    repeats = chances > 0
    # The rest is needed only for who may have left: in BG/NBD one-time buyers have no term for that.
    lasts, of_last = np.unique(histories.t_x[repeats], return_inverse=True)
    age_again, count_again, share_again = of_age[repeats], of_count[repeats], share[repeats]
    purchases_by_age = np.bincount(of_age, share * histories.x)
    ages, lasts = ages * scale, lasts * scale

    def objective(logs: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = parameters = np.exp(logs)
        log_age, log_last = np.log(alpha + ages), np.log(alpha + lasts)
        stayed = counts + extra
        before = np.maximum(stayed, 1.0) - 1.0
        # log odds of having left at the last purchase rather than being alive and silent since
        silent_for = log_age[age_again] - log_last[of_last]
        shape = (r + counts)[count_again]
        odds = (np.log(a) - np.log(b + before))[count_again] + shape * silent_for
        left = share_again * expit(odds)

        rhythm = gammaln(r + counts) - gammaln(r) + r * np.log(alpha)
        leaving = gammaln(a + b) + gammaln(b + stayed) - gammaln(b) - gammaln(a + b + stayed)
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
        total = psi(a + b) - psi(a + b + stayed)
        d_a = count_share @ total + left.sum() / a
        d_b = count_share @ (total + psi(b + stayed) - psi(b)) - (left_by_count / (b + before)).sum()
        return -float(value), -np.array([d_r, d_alpha, d_a, d_b]) * parameters

    return objective
