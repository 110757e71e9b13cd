"""How far the sum over many customers may be off: what rolling origins missed, pooled with what other shops missed.

The interval of a model knows of chance and parameters, not of a model that is off: of a season, a trend, a campaign.
Those move all customers in one direction, and over a thousand customers they are nearly all there is. So the logarithm
of what came over what was expected is taken at each origin before today. Its mean square, with that of other data sets
as one more origin (:data:`PRIOR_WEIGHT`), is the variance beyond the model's own; the range is that of Student's t
distribution with :data:`FREEDOM` degrees of freedom more than there are origins. A shorter look ahead is scaled up with
the square root of time. Both constants were tried out on the windows of ``docs/value.md``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from engines.value.lifetime.intervals import Interval
from engines.value.validation.choice import ModelChoice, OriginLosses

#: For how many origins the other data sets count, and their degrees of freedom.
PRIOR_WEIGHT = 1.0
FREEDOM = 3.0
#: No origin is taken to be further off than by this factor of e: a shop that closed says nothing of others.
_MOST = 1.5


@dataclass(frozen=True)
class PriorError:
    """What was missed in one window of a data set: logarithms of what came over what was expected, by question.

    ``data_set``, ``cutoff``: which window (ISO). ``days``: how long it was. ``purchases``, ``ltv``: of everyone.
    ``groups``: of each fifth of the customers, of spend.
    """

    data_set: str
    cutoff: str
    days: int
    purchases: float
    ltv: float
    groups: Sequence[float]


@dataclass(frozen=True)
class TotalSpread:
    """Standard deviations of the logarithm of a sum, beyond the model's own.

    ``purchases``, ``ltv``: of everyone, ``groups``: of the spend of a part of the customers, such as a segment.
    ``days``: the look ahead that they are for. ``origins``: the cut-offs they are from (ISO), ``freedom``: the degrees
    of freedom of the range, ``data_sets``: of which the prior is.
    """

    purchases: float
    ltv: float
    groups: float
    days: int
    freedom: float
    origins: tuple[str, ...]
    data_sets: tuple[str, ...]

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> TotalSpread:
        """What :meth:`to_dict` gave."""
        return cls(**{**kept, "origins": tuple(kept["origins"]), "data_sets": tuple(kept["data_sets"])})

    def widened(self, expected: float, own: Interval, level: float, question: str = "ltv") -> Interval:
        """The range of a sum: the model's own one with what origins missed.

        Args:
            expected: the sum.
            own: the model's range of it.
            level: the probability of lying within.
            question: ``ltv``, ``purchases`` or ``groups``.
        """
        from scipy.special import ndtri, stdtrit

        if not expected > 0:
            return own
        upper = (1.0 + level) / 2.0
        low, high = (max(end, 1e-9 * expected) for end in own)
        own_deviation = max(math.log(high / low), 0.0) / (2.0 * float(ndtri(upper)))
        deviation = math.hypot(own_deviation, float(getattr(self, question)))
        reach = float(stdtrit(self.freedom, upper)) * deviation
        return Interval(expected * math.exp(-reach), expected * math.exp(reach))

    def of_part(self, expected: float, level: float) -> Interval:
        """The range of the spend of a part of the customers, such as a segment, of whom so much is expected in all."""
        return self.widened(expected, Interval(expected, expected), level, "groups")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "origins": list(self.origins), "data_sets": list(self.data_sets)}


def spread_of(choice: ModelChoice, origins: Sequence[OriginLosses], days: int, data_set: str = "") -> TotalSpread:
    """The spread that origins show for the models of a choice.

    Args:
        choice: whose models' sums are looked at; where one has none at an origin, the lifetime model's.
        origins: over by the day from which on is foreseen.
        days: how far ahead is foreseen.
        data_set: by name; what is known of it beforehand is left out of the prior.
    """
    others = [each for each in prior() if not data_set.lower().startswith(each.data_set)]
    squares: dict[str, float] = {}
    for question in ("purchases", "ltv", "groups"):
        seen = [error for each in origins for error in errors_of(each, choice, question, days)]
        per_origin = len(seen) / max(len(origins), 1)
        by_set: dict[str, list[float]] = {}
        for each in others:
            squared = [_scaled(error, each.days, days) ** 2 for error in _known(each, question)]
            by_set.setdefault(each.data_set, []).extend(squared)
        mean_before = float(np.mean([np.mean(each) for each in by_set.values()])) if by_set else 0.0
        weight = PRIOR_WEIGHT * max(per_origin, 1.0)
        total = sum(error**2 for error in seen) + weight * mean_before
        squares[question] = math.sqrt(total / (len(seen) + weight))
    return TotalSpread(
        **squares,
        days=days,
        freedom=FREEDOM + len(origins),
        origins=tuple(each.cutoff for each in origins),
        data_sets=tuple(sorted({each.data_set for each in others})),
    )


def errors_of(origin: OriginLosses, choice: ModelChoice, question: str, days: int | None = None) -> list[float]:
    """Logarithms of what came over what was expected: of everyone, or for ``groups`` of each fifth of the customers."""
    asked = "ltv" if question == "groups" else question
    by_model = origin.expected.get(asked, {})
    expected = by_model.get(getattr(choice, asked)) or by_model.get(choice.lifetime)
    actual = origin.actual.get(asked)
    if expected is None or actual is None:
        return []
    part = slice(1, None) if question == "groups" else slice(0, 1)
    name = getattr(choice, asked) if getattr(choice, asked) in by_model else choice.lifetime
    factor = origin.season.get(name, 1.0) if asked in choice.season else 1.0
    pairs = [(came, said * factor) for came, said in zip(actual[part], expected[part], strict=True) if said > 0]
    found = [math.log(max(came, 1e-3 * said) / said) for came, said in pairs]
    return [_scaled(error, origin.days, days or origin.days) for error in found]


def _scaled(error: float, from_days: int, to_days: int) -> float:
    return float(np.clip(error * math.sqrt(max(to_days, 1) / max(from_days, 1)), -_MOST, _MOST))


def _known(error: PriorError, question: str) -> list[float]:
    return list(error.groups) if question == "groups" else [float(getattr(error, question))]


@cache
def prior() -> tuple[PriorError, ...]:
    """What was missed in windows of known data sets; made by ``python benchmarks/ranges.py --keep``."""
    text = files("engines.value.validation").joinpath("prior_errors.json").read_text(encoding="utf-8")
    return tuple(PriorError(**entry) for entry in json.loads(text)["windows"])
