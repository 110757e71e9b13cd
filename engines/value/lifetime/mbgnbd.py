"""MBG/NBD model of repeat purchases: as BG/NBD, and a customer may leave at the first purchase already.

As BG/NBD, but the chance of leaving, Beta(a, b), is taken after the first purchase as well as after each repeat
purchase; so one-time buyers may be gone. Sources: Batislam, Denizel and Filiztekin (2007), "Empirical validation and
comparison of models for customer base analysis", International Journal of Research in Marketing 24(3), 201-209; Wagner
and Hoppe (2008), "Erratum on the MBG/NBD Model", same journal, 25(3), 225-226.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from engines.messages import message, noted
from engines.value.lifetime.bgnbd import BGNBD, beta_geometric_objective
from engines.value.lifetime.fitting import Objective
from engines.value.lifetime.lifetime import pooled_scale
from engines.value.lifetime.patterns import Floats, Histories


@dataclass(frozen=True)
class MBGNBD(BGNBD):
    """The model with BG/NBD's four parameters; of who is alive it says what BG/NBD says with ``b`` + 1.

    Who is alive has stayed x + 1 times where BG/NBD counts x; from then on the two models are one. That is the
    erratum's conditional expectation without its denominator, 1 / P(alive).
    """

    name = "mbg_nbd"
    title = noted("MBG/NBD")
    reference = "ModifiedBetaGeoFitter"

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

    def purchases_if_alive(self, x: Floats, age: Floats, weeks: float) -> Floats:
        """E[Y(t) | alive, x, T]: BG/NBD's with b + 1."""
        return BGNBD(self.r, self.alpha, self.a, self.b + 1.0).purchases_if_alive(x, age, weeks)

    def at_least_if_alive(self, x: Floats, age: Floats, weeks: float, most: int) -> Floats:
        """P(n purchases or more | alive, x, T): BG/NBD's with b + 1."""
        return BGNBD(self.r, self.alpha, self.a, self.b + 1.0).at_least_if_alive(x, age, weeks, most)
