"""MBG/NBD model of repeat purchases: as BG/NBD, and a customer may leave at the first purchase already.

As BG/NBD, but the chance of leaving, Beta(a, b), is taken after the first purchase as well as after each repeat
purchase; so one-time buyers may be gone. Sources: Batislam, Denizel and Filiztekin (2007), "Empirical validation and
comparison of models for customer base analysis", International Journal of Research in Marketing 24(3), 201-209; Wagner
and Hoppe (2008), "Erratum on the MBG/NBD Model", same journal, 25(3), 225-226.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from engines.messages import message, noted
from engines.value.lifetime import lifetime, reference
from engines.value.lifetime.bgnbd import BGNBD, beta_geometric_objective
from engines.value.lifetime.fitting import Objective
from engines.value.lifetime.lifetime import LifetimeFit, LifetimeModel, pooled_scale
from engines.value.lifetime.patterns import Floats, Histories


@dataclass(frozen=True)
class MBGNBD(LifetimeModel):
    """The model with its four parameters, time in weeks."""

    name = "mbg_nbd"
    title = noted("MBG/NBD")

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def objective(cls, histories: Histories, scale: float) -> Objective:
        """The likelihood of Batislam et al., equation (3): as BG/NBD's with one more moment of leaving for everyone."""
        return beta_geometric_objective(histories, scale, chances=histories.x + 1.0)

    @classmethod
    def pooled(cls, histories: Histories) -> Self:
        """See :meth:`LifetimeModel.pooled`.

        One purchase in three is a customer's last, as on CDNOW by this model, with the weight of three purchases
        (a = 1, b = 2).
        """
        return cls(r=1.0, alpha=pooled_scale(histories), a=1.0, b=2.0)

    @property
    def guess(self) -> str:
        """The share of leaving that :meth:`pooled` supposes."""
        return message("one purchase in three taken to be a customer's last")

    @property
    def leaving(self) -> float:
        """The chance of leaving at one purchase, of a customer drawn at random."""
        return self.a / (self.a + self.b)

    def alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """P(alive | x, t_x, T): Batislam et al., appendix A, equation (5)."""
        with np.errstate(all="ignore"):
            alive = reference.mbg_nbd(**self.parameters()).conditional_probability_alive(x, t_x, age)
        return np.asarray(alive, dtype=np.float64)

    def purchases_if_alive(self, x: Floats, age: Floats, weeks: float) -> Floats:
        """E[Y(t) | alive, x, T]: the erratum's conditional expectation without its denominator, 1 / P(alive).

        Who is alive has stayed x + 1 times where BG/NBD counts x; from then on the two models are one. So this is
        BG/NBD's with b + 1.
        """
        return self._from_now_on.purchases_if_alive(x, age, weeks)

    def none_if_alive(self, x: Floats, age: Floats, weeks: float) -> Floats:
        """P(no purchase in the next t weeks | alive, x, T): as in BG/NBD, the chance of leaving plays no part."""
        return self._from_now_on.none_if_alive(x, age, weeks)

    def at_least_if_alive(self, x: Floats, age: Floats, weeks: float, most: int) -> Floats:
        """P(n purchases or more | alive, x, T): BG/NBD's with b + 1."""
        return self._from_now_on.at_least_if_alive(x, age, weeks, most)

    @property
    def _from_now_on(self) -> BGNBD:
        return BGNBD(self.r, self.alpha, self.a, self.b + 1.0)


def fit(histories: Histories) -> LifetimeFit:
    """MBG/NBD fitted to distinct histories; see :func:`engines.value.lifetime.lifetime.fit`."""
    return lifetime.fit(MBGNBD, histories)
