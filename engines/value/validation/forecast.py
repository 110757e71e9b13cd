"""The one forecast of each customer: purchases, the chance of any and spend, which agree with one another.

Each part may come from another model, whichever did best on the past. What they say is put together so that it cannot
contradict itself: the chance of a purchase within a time comes from one curve, which never falls as the time grows, so
that "buys within N days" and "buys nothing within M days" fit for every N and M; and never are fewer purchases expected
than the chance of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pandas import DataFrame

from engines.messages import message
from engines.value.contract import FittedValueModel
from engines.value.learned.churn import FittedLogistic, FittedTrees
from engines.value.learned.spend import FittedTweedie, FittedTwoPart
from engines.value.lifetime.models import FittedLifetime
from engines.value.validation.baselines import BASELINES, Filled, Rate
from engines.value.validation.choice import CHANCE, PURCHASES, SPEND, ModelChoice
from engines.value.validation.season import Season

#: Fitted models, beside lifetime models, that can be kept as plain data.
KEPT = {kind.__name__: kind for kind in (FittedLogistic, FittedTrees, FittedTweedie, FittedTwoPart, Rate)}


@dataclass(frozen=True)
class OneForecast:
    """Fitted models behind one forecast; ``choice`` names them.

    ``lifetime`` is used for whatever has no other model. ``season``: what purchases and spend are multiplied by, where
    the choice uses it.
    """

    choice: ModelChoice
    lifetime: FittedLifetime
    purchases: FittedValueModel
    curve: FittedValueModel
    spend: FittedValueModel
    notes: tuple[str, ...] = field(default=())
    season: Season | None = None

    @classmethod
    def of(
        cls, choice: ModelChoice, fitted: Mapping[str, FittedValueModel], season: Season | None = None
    ) -> OneForecast | None:
        """The forecast of a choice from fitted models; where one is missing the lifetime model takes its place.

        None where the lifetime model itself is missing.
        """
        lifetime = fitted.get(choice.lifetime)
        if not isinstance(lifetime, FittedLifetime):
            return None
        missing = [name for name in choice.names if name not in fitted]
        notes = tuple(
            message("{name} could not be fitted; {instead} takes its place.", name=name, instead=choice.lifetime)
            for name in missing
        )
        names = {
            question: name if (name := getattr(choice, question)) in fitted else choice.lifetime
            for question in ("purchases", "churn", "ltv")
        }
        seasonal = () if season is None else choice.season
        used = ModelChoice(choice.lifetime, **names, chosen=choice.chosen, origins=choice.origins, season=seasonal)
        purchases, spend = (
            Filled(fitted[name], lifetime) if name in BASELINES else fitted[name] for name in (used.purchases, used.ltv)
        )
        return cls(used, lifetime, purchases, fitted[used.churn], spend, notes, season)

    @property
    def of_one_model(self) -> bool:
        """Whether everything comes from the lifetime model as it is."""
        return self.choice.names == (self.choice.lifetime,) and not self.choice.season

    def factor(self, question: str, weeks: float) -> float:
        """What season and trend multiply ``purchases`` or spend (``ltv``) by; 1 where they are not used."""
        if self.season is None or question not in self.choice.season:
            return 1.0
        return self.season.factor(getattr(self.choice, question), weeks)

    def predict(self, customers: DataFrame, weeks: float) -> DataFrame:
        """``expected_purchases``, ``p_purchase`` and ``future_spend`` of each customer in the weeks ahead."""
        if self.of_one_model:
            return self.lifetime.predict(customers, weeks)
        chance = self.curve.predict(customers, weeks)[CHANCE].to_numpy(np.float64)
        purchases = self.purchases.predict(customers, weeks)[PURCHASES].to_numpy(np.float64)
        spend = self.spend.predict(customers, weeks)[SPEND].to_numpy(np.float64) * self.factor("ltv", weeks)
        purchases = purchases * self.factor("purchases", weeks)
        return DataFrame(
            {PURCHASES: np.maximum(purchases, chance), CHANCE: chance, SPEND: spend}, index=customers.index
        )

    def chances(self, customers: DataFrame, weeks: Sequence[float]) -> DataFrame:
        """The chance of a purchase within each of these times, a column each, never falling as the time grows."""
        order = sorted(set(weeks))
        found = np.column_stack([self.curve.predict(customers, each)[CHANCE].to_numpy(np.float64) for each in order])
        # a plug-in's model may not know that more time is more chance
        return DataFrame(np.maximum.accumulate(found, axis=1), index=customers.index, columns=order)[list(weeks)]

    def to_record(self) -> dict[str, Any]:
        """What has to be kept of the models beside the lifetime model, by name: None where one is not plain data."""
        parts = {
            self.choice.purchases: self.purchases,
            self.choice.churn: self.curve,
            self.choice.ltv: self.spend,
        }
        return {
            name: _record(fitted.guess if isinstance(fitted, Filled) else fitted)
            for name, fitted in parts.items()
            if name != self.choice.lifetime
        }


def _record(fitted: FittedValueModel) -> dict[str, Any] | None:
    kind = type(fitted).__name__
    made = fitted.to_record() if KEPT.get(kind) is type(fitted) else None
    return None if made is None else {"kind": kind, **made}


def restored(entry: Mapping[str, Any]) -> FittedValueModel:
    """A fitted model from what was kept of it."""
    return KEPT[str(entry["kind"])].from_record(entry)
