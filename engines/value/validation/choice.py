"""ModelChoice of the models behind the one forecast, by rolling origins.

At each earlier origin every candidate is fitted on what was known by then and held against what came. A candidate's
loss is set against that of the default lifetime model at the same origin, as the logarithm of their ratio, and the mean
over the origins decides. A candidate takes the default's place only if it has answered at :data:`FEWEST` origins at
least, was better at more than half of them, and by :data:`MARGIN` on average: one lucky window changes nothing, and
nothing changes for next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from engines.columns import TENURE
from engines.value.contract import PURCHASES_AFTER, SPEND_AFTER, Answer, ValueModel
from engines.value.learned.examples import Lessons
from engines.value.lifetime.models import LIFETIMES, FittedLifetime
from engines.value.lifetime.patterns import Floats, Indices
from engines.value.validation import baselines
from engines.value.validation.backtests import Backtest, BacktestResult, run_backtest
from engines.value.validation.plan import FEWEST, Cut
from engines.value.validation.season import Season, helps, season_of

#: What may be said instead of a model: whichever did best.
AUTO = "auto"
#: The lifetime model that stands where nothing can be chosen.
DEFAULT = "bg_nbd"
#: By how much a candidate must be better than the default on average: half a per cent of its loss.
MARGIN = 0.005
#: Customers of an earlier origin that models are fitted and judged on, at most.
ORIGIN_LIMIT = 10_000

PURCHASES: Answer = "expected_purchases"
CHANCE: Answer = "p_purchase"
SPEND: Answer = "future_spend"
#: The three parts of a forecast, as receipts call them.
QUESTIONS = ("purchases", "churn", "ltv")

#: Losses of one origin: by question, then by model.
Losses = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class OriginLosses:
    """One origin and how far off each candidate was there.

    ``cutoff``: the last day that was known (ISO). ``days``, ``risk_days``: how far ahead was looked. ``losses``: RMSE
    of purchases and of spend, and the mean log loss of the chance of a purchase over both lengths, by model.
    ``actual``: what came in all and in each fifth of the customers by what BG/NBD expected, ``expected``: the same by
    model; both by question, ``purchases`` and ``ltv``. ``season``: what season and trend as they showed by then
    multiply each model's forecast by; empty where the history was too short.
    """

    cutoff: str
    days: int
    risk_days: int
    customers: int
    losses: Losses
    actual: Mapping[str, Sequence[float]] = field(default_factory=dict)
    expected: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    season: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelChoice:
    """Which model gives which part of the forecast.

    ``lifetime``: the lifetime model that says when purchases come and how far amounts may be off. ``purchases``,
    ``churn`` (the curve of the chance of a purchase) and ``ltv`` (spend): its name, another model's or a baseline's.
    ``chosen``: whether origins decided; else the default or the configured model stands. ``origins``: the latest first.
    ``season``: which of purchases and spend (``ltv``) season and trend are used for.
    """

    lifetime: str
    purchases: str
    churn: str
    ltv: str
    chosen: bool = False
    origins: tuple[OriginLosses, ...] = field(default=())
    season: tuple[str, ...] = ()

    @classmethod
    def of_one(cls, name: str, origins: Sequence[OriginLosses] = ()) -> ModelChoice:
        """One lifetime model for everything."""
        return cls(name, name, name, name, False, tuple(origins), _seasonal({}, name, origins))

    @property
    def names(self) -> tuple[str, ...]:
        """Every model that takes part, the lifetime model first."""
        return tuple(dict.fromkeys((self.lifetime, self.purchases, self.churn, self.ltv)))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "origins": [asdict(each) for each in self.origins], "season": list(self.season)}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> ModelChoice:
        """As it was before :meth:`to_dict`."""
        origins = tuple(OriginLosses(**each) for each in entry["origins"])
        return cls(**{**entry, "origins": origins, "season": tuple(entry.get("season", ()))})


def choose(
    models: Mapping[str, ValueModel],
    earlier: Sequence[Backtest],
    configured: str,
    *,
    min_history_days: int,
    seed: int = 0,
    lessons: Lessons | None = None,
) -> ModelChoice:
    """The models of the forecast, by how they did at earlier origins.

    Args:
        models: candidates by name; baselines are always candidates, but for expecting nothing of anyone.
        earlier: origins whose outcomes are over by the origin that is shown.
        configured: a lifetime model's name, which then stands whatever the origins say, or :data:`AUTO`.
        min_history_days: customers with fewer days since their first order do not count for the chance of a purchase.
        seed: of the samples.
        lessons: what learning models have in common.
    """
    lessons = lessons or Lessons(seed)
    default = DEFAULT if DEFAULT in models else next((name for name in models if name in LIFETIMES), DEFAULT)
    stands = configured if configured != AUTO else default if len(earlier) < FEWEST else None
    tried = models if stands is None else {name: model for name, model in models.items() if name == stands}
    sampled = [each.sampled(seed, ORIGIN_LIMIT) for each in earlier]
    origins = [measure_origin(tried, each, min_history_days, seed, lessons) for each in sampled]
    if stands is not None:
        return ModelChoice.of_one(stands, origins)
    lifetimes = [name for name in models if name in LIFETIMES]
    others = [name for name in models if name not in LIFETIMES]
    lifetime = _winner("purchases", origins, default, lifetimes)
    naive = [name for name in baselines.BASELINES if name != "zero"]
    picked = {question: _winner(question, origins, lifetime, [*others, *naive]) for question in QUESTIONS}
    season = _seasonal(picked, lifetime, origins)
    return ModelChoice(lifetime, **picked, chosen=True, origins=tuple(origins), season=season)


def _seasonal(picked: Mapping[str, str], lifetime: str, origins: Sequence[OriginLosses]) -> tuple[str, ...]:
    """Whose totals were closer with season and trend at earlier origins: of ``purchases`` and ``ltv``."""
    found = []
    for question in ("purchases", "ltv"):
        name = picked.get(question, lifetime)
        pairs = [
            (each.actual[question][0], each.expected[question][name][0], each.season[name])
            for each in origins
            if name in each.season and name in each.expected.get(question, {})
        ]
        if helps(pairs, FEWEST):
            found.append(question)
    return tuple(found)


def measure_origin(
    models: Mapping[str, ValueModel], backtest: Backtest, min_history_days: int, seed: int, lessons: Lessons
) -> OriginLosses:
    """How far off every model and baseline is at one origin."""
    return losses_at(backtest, run_backtest(models, backtest, seed, lessons), min_history_days)


def losses_at(backtest: Backtest, result: BacktestResult, min_history_days: int) -> OriginLosses:
    """How far off models and baselines are at an origin at which they have answered."""
    guesses = baselines.forecasts(backtest.test.customers, backtest.before, backtest.test.weeks)
    instead = result.answers.get(DEFAULT, next(iter(result.answers.values()), None))
    if instead is not None:  # as they would be used
        guesses = {
            name: guess if name == "zero" else baselines.filled_in(guess, instead) for name, guess in guesses.items()
        }
    bought = backtest.test.outcome[PURCHASES_AFTER].to_numpy(np.float64)
    spent = backtest.test.outcome[SPEND_AFTER].to_numpy(np.float64)
    losses: dict[str, dict[str, float]] = {question: {} for question in QUESTIONS}
    groups = fifths(bought if instead is None else instead[SPEND].to_numpy(np.float64))
    actual = {"purchases": _sums(bought, groups), "ltv": _sums(spent, groups)}
    expected: dict[str, dict[str, list[float]]] = {"purchases": {}, "ltv": {}}
    for name, answer in {**result.answers, **guesses}.items():
        for question, column, outcome in (("purchases", PURCHASES, bought), ("ltv", SPEND, spent)):
            if column in answer:
                losses[question][name] = _rmse(answer[column].to_numpy(np.float64), outcome)
                expected[question][name] = _sums(answer[column].to_numpy(np.float64), groups)
    known = (backtest.test.customers[TENURE] >= min_history_days).to_numpy()
    if known.any():
        for name, answer in result.answers.items():
            if CHANCE in answer:
                found = [_log_loss(answer[CHANCE].to_numpy()[known], bought[known] > 0)]
                if backtest.risk is not backtest.test:
                    soon = backtest.risk.outcome[PURCHASES_AFTER].to_numpy(np.float64)[known] > 0
                    found.append(_log_loss(result.risks[name][CHANCE].to_numpy()[known], soon))
                losses["churn"][name] = float(np.mean(found))
    cutoff = (backtest.plan.test.as_of - timedelta(days=1)).isoformat()
    days = backtest.plan.test.days, backtest.plan.risk_days
    season = season_at(backtest, result)
    names = (*result.answers, *guesses)
    factors = {} if season is None else {name: season.factor(name, backtest.test.weeks) for name in names}
    return OriginLosses(cutoff, *days, len(bought), losses, actual, expected, factors)


def season_at(backtest: Backtest, result: BacktestResult) -> Season | None:
    """Season and trend as they showed by the cut-off of an origin."""
    lifetimes = [fitted for fitted in result.fitted.values() if isinstance(fitted, FittedLifetime)]
    if backtest.activity is None or not lifetimes:
        return None
    before = (backtest.plan.before, backtest.plan.test.days)
    past = days_learned_from(result.fitted, backtest.plan.training, before)
    return season_of(backtest.activity, backtest.plan.test.as_of, lifetimes[0].lifetime.model, past)


def days_learned_from(
    models: Iterable[str], training: Sequence[Cut], before: tuple[date, int] | None
) -> dict[str, list[tuple[date, int]]]:
    """The days that the forecast of each model and baseline is from, none for all of the past; for ``season_of``.

    Lifetime models, and the rate so far, look at each customer's whole past; models that learn, at what came after
    earlier cut-offs; and who carries the last weeks forward, at these.
    """
    lessons = [(cut.as_of, cut.days) for cut in training]
    known = {name: [] if name in LIFETIMES else lessons for name in models}
    return known | {"rate": [], "carry_forward": [] if before is None else [before]}


#: Groups that customers are put into by what is expected of them.
GROUPS = 5


def fifths(expected: Floats) -> Indices:
    """The group of each customer, 0 to 4, as equal in number as can be; ties by place."""
    rank = np.argsort(np.argsort(expected, kind="stable"), kind="stable")
    return np.asarray(rank * GROUPS // max(len(expected), 1), dtype=np.int64)


def _sums(values: Floats, groups: Indices) -> list[float]:
    """The sum over everyone, then that of each group."""
    return [float(values.sum()), *np.bincount(groups, values, GROUPS).tolist()]


def mean_gain(question: str, origins: Sequence[OriginLosses], name: str, reference: str) -> tuple[float, int, int]:
    """How much a model lost beside another at the same origins, below 0 where it lost less.

    Returns:
        The mean logarithm of the ratio of their losses, at how many origins it was better, and at how many both have
        answered.
    """
    pairs = [
        (losses[name], losses[reference])
        for each in origins
        if name in (losses := each.losses[question]) and reference in losses
    ]
    gaps = [float(np.log(max(ours, 1e-12) / max(theirs, 1e-12))) for ours, theirs in pairs]
    return float(np.mean(gaps)) if gaps else 0.0, sum(gap < 0 for gap in gaps), len(gaps)


def _winner(question: str, origins: Sequence[OriginLosses], reference: str, candidates: Sequence[str]) -> str:
    best, least = reference, -MARGIN
    for name in candidates:
        gain, better, of = mean_gain(question, origins, name, reference)
        if of >= FEWEST and 2 * better > of and gain < least:
            best, least = name, gain
    return best


def _rmse(expected: Floats, actual: Floats) -> float:
    return float(np.sqrt(np.mean((expected - actual) ** 2)))


def _log_loss(chance: Floats, bought: Any) -> float:
    sure = np.clip(chance, 1e-15, 1.0 - 1e-15)
    return float(-np.mean(np.where(bought, np.log(sure), np.log1p(-sure))))
