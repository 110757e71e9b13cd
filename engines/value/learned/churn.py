"""Churn models: the probability of at least one purchase in the weeks ahead, learned from past windows.

Each model starts from BG/NBD's forecast of that probability (see :mod:`engines.value.learned.predictors`), which knows
how long
the window is, and learns from past windows by what else is known of a customer where that forecast goes wrong. The
forecast may only ever raise the probability, so a longer window never lowers it.

The probabilities are not calibrated a second time: these models minimise log loss and so are calibrated as they are.
Platt's sigmoid, cross-fitted by customer, left the log loss on nine holdouts as it was (mean .4053 against .4055), and
isotonic regression made it worse (.4101).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from pandas import DataFrame

from engines.clustering.sampling import threads_for
from engines.columns import FREQUENCY, PURCHASE_SPAN, RECENCY
from engines.contract import knob
from engines.messages import noted
from engines.value.contract import Answer, FittedValueModel, Window
from engines.value.learned.examples import Examples, LearnedModel, Lessons, Linear
from engines.value.learned.predictors import ODDS, Forecast, predictors_of
from engines.value.learned.trees import TreeSum
from engines.value.lifetime.patterns import Floats

P_PURCHASE: Answer = "p_purchase"

#: Predictors whose direction is known: more of the first, none of the others, can lower the probability.
_DIRECTIONS = {ODDS: 1, FREQUENCY: 1, RECENCY: -1}


def ridge(columns: Sequence[Floats], odds: Floats | None, bought: Floats, penalizer: float) -> Floats:
    """Weights of a logistic regression: constant, log-odds of the forecast (if any), then the columns.

    Least sum of log loss + penalizer / 2 x (squares of the weights, and of the forecast's distance from 1; the constant
    is free). So without anything to learn the forecast stands as it is. Its weight is 0 or more.

    Args:
        columns: standardised, each of shape ``(examples,)``.
        odds: of the forecast.
        bought: 1 for who bought, 0 for who did not.
        penalizer: as if the weights had been normal around those values with variance 1 / penalizer.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    offsets = [] if odds is None else [odds]
    design = np.column_stack([np.ones(len(bought)), *offsets, *columns])
    centre = np.zeros(design.shape[1])
    strength = np.full(design.shape[1], penalizer)
    bounds: list[tuple[float | None, float | None]] = [(None, None)] * design.shape[1]
    strength[0] = 0.0
    if offsets:
        centre[1], bounds[1] = 1.0, (0.0, None)

    def objective(weights: Floats) -> tuple[float, Floats]:
        score, off = design @ weights, weights - centre
        value = np.logaddexp(0.0, score).sum() - bought @ score + 0.5 * (strength * off) @ off
        return float(value), design.T @ (expit(score) - bought) + strength * off

    options = {"maxiter": 1_000, "ftol": 1e-12, "gtol": 1e-6}
    with threads_for(len(bought)):
        optimum = minimize(objective, centre, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(optimum.x, dtype=np.float64)


@dataclass(frozen=True)
class FittedLogistic:
    """A logistic regression on standardised predictors, with or without the forecast to start from.

    ``weeks``: length of the windows it learned from.
    """

    forecast: Forecast
    weeks: float
    names: tuple[str, ...]
    linear: Linear
    weights: tuple[float, ...]
    start: bool
    parameters: Mapping[str, float]

    def predict(self, customers: DataFrame, weeks: float) -> DataFrame:
        """``p_purchase`` of each customer in the weeks ahead.

        The forecast knows how long they are. Without it the risk of no purchase is taken to fall by the same share
        every week: (1 - p) ^ (weeks asked / weeks learned from).
        """
        from scipy.special import expit

        predictors = predictors_of(customers, self.forecast, weeks)
        score = self.weights[0] + self.linear.weigh(
            select_predictors(predictors, self.names), self.weights[1 + self.start :]
        )
        if self.start:
            score = score + self.weights[1] * predictors[ODDS].to_numpy()
            return DataFrame({P_PURCHASE: expit(score)}, index=customers.index)
        silent = -np.expm1(-np.logaddexp(0.0, score) * (weeks / self.weeks))
        return DataFrame({P_PURCHASE: silent}, index=customers.index)

    def to_record(self) -> dict[str, Any]:
        """What has to be kept to ask it again, JSON-ready."""
        return {
            **{"forecast": self.forecast.to_dict(), "weeks": self.weeks, "names": list(self.names)},
            **{"linear": asdict(self.linear), "weights": list(self.weights), "start": self.start},
        }

    @classmethod
    def from_record(cls, entry: Mapping[str, Any]) -> FittedLogistic:
        """As it was before :meth:`to_record`, without the figures of the fit."""
        return cls(
            Forecast.from_dict(entry["forecast"]),
            float(entry["weeks"]),
            tuple(entry["names"]),
            Linear.from_dict(entry["linear"]),
            tuple(entry["weights"]),
            bool(entry["start"]),
            {},
        )


@dataclass(frozen=True)
class Recency(LearnedModel):
    """Logistic regression on days since the last purchase alone: what every other model has to beat."""

    title = noted("Recency alone")
    summary = noted("The longer ago the last purchase, the less likely the next one; nothing else is looked at.")
    answers: ClassVar[tuple[Answer, ...]] = (P_PURCHASE,)

    def learn(self, customers: DataFrame, past: Sequence[Window], lessons: Lessons) -> FittedValueModel:
        """From days since the last purchase alone."""
        training = lessons.examples(past, self.title)
        return _logistic(training, lessons.forecast(customers), (RECENCY,), 1.0, start=False)


@dataclass(frozen=True)
class Logistic(LearnedModel):
    """Logistic regression that corrects BG/NBD."""

    title = noted("Logistic regression")
    summary = noted(
        "Starts from BG/NBD's odds and moves them by what past customers of that kind did; simple and steady."
    )
    answers: ClassVar[tuple[Answer, ...]] = (P_PURCHASE,)

    penalizer: float = knob(10.0, low=1e-6, high=1e6, help="How firmly it holds to BG/NBD's odds: weight of the ridge.")
    seed: int = knob(0, low=0, high=2**32 - 1, help="Of the sample it learns from, where customers are very many.")

    def learn(self, customers: DataFrame, past: Sequence[Window], lessons: Lessons) -> FittedValueModel:
        """From all predictors, starting from the forecast."""
        training = lessons.examples(past, self.title)
        names = tuple(name for name in steady_predictors(training.predictors) if name != ODDS)
        return _logistic(training, lessons.forecast(customers), names, self.penalizer, start=True)


def _logistic(
    training: Examples, forecast: Forecast, names: tuple[str, ...], penalizer: float, *, start: bool
) -> FittedLogistic:
    predictors = select_predictors(training.predictors, tuple(name for name in names if name in training.predictors))
    linear = Linear.of(predictors)
    odds = np.log(training.chance) - np.log1p(-training.chance) if start else None
    weights = ridge(linear.columns(predictors), odds, training.bought.astype(np.float64), penalizer)
    coefficients = tuple(float(weight) for weight in weights)
    named = dict(zip(("constant", *([ODDS] if start else []), *linear.names), coefficients, strict=True))
    figures = {**named, **example_counts(training)}
    return FittedLogistic(forecast, training.weeks, tuple(predictors.columns), linear, coefficients, start, figures)


@dataclass(frozen=True)
class FittedTrees:
    """Log-odds by a score on predictors; ``weeks``: length of the windows it learned from.

    ``score``: trees as plain data, or for libraries of others what gives log-odds of a matrix of predictors.
    """

    forecast: Forecast
    weeks: float
    names: tuple[str, ...]
    score: TreeSum | Callable[[Floats], Floats]
    parameters: Mapping[str, float]

    def predict(self, customers: DataFrame, weeks: float) -> DataFrame:
        """``p_purchase`` of each customer in the weeks ahead.

        Trees know no odds beyond those they have seen. So they answer for a window as long as those they learned from,
        and the forecast's odds carry that to the weeks asked: log-odds by the trees + (log-odds of the forecast for
        the weeks asked - for the weeks learned from).
        """
        from scipy.special import expit

        predictors = predictors_of(customers, self.forecast, self.weeks)
        matrix = select_predictors(predictors, self.names).to_numpy()
        learned = self.score.values(matrix) if isinstance(self.score, TreeSum) else self.score(matrix)
        further = self.forecast.log_odds(customers, weeks) - predictors[ODDS].to_numpy()
        return DataFrame({P_PURCHASE: expit(learned + further)}, index=customers.index)

    def to_record(self) -> dict[str, Any] | None:
        """What has to be kept to ask it again, JSON-ready; None where that is not plain data."""
        if not isinstance(self.score, TreeSum):
            return None
        return {
            **{"forecast": self.forecast.to_dict(), "weeks": self.weeks, "names": list(self.names)},
            "trees": self.score.to_dict(),
        }

    @classmethod
    def from_record(cls, entry: Mapping[str, Any]) -> FittedTrees:
        """As it was before :meth:`to_record`, without the figures of the fit."""
        return cls(
            Forecast.from_dict(entry["forecast"]),
            float(entry["weeks"]),
            tuple(entry["names"]),
            TreeSum.from_dict(entry["trees"]),
            {},
        )


@dataclass(frozen=True)
class BoostedTrees(LearnedModel):
    """What models of boosted trees share; subclasses say which classifier."""

    answers: ClassVar[tuple[Answer, ...]] = (P_PURCHASE,)

    trees: int = knob(100, low=1, high=2_000, help="How many trees are added up.")
    depth: int = knob(2, low=1, high=10, help="Questions a tree asks in a row at most: how much measures may interact.")
    rate: float = knob(0.05, low=0.001, high=1.0, help="How much of each tree is added.")
    seed: int = knob(0, low=0, high=2**32 - 1, help="Of the sample it learns from, where customers are very many.")

    @abstractmethod
    def classifier(self, predictors: DataFrame) -> Any:
        """An unfitted classifier with ``fit`` and ``predict_proba`` for these predictors."""

    def score(self, classifier: Any) -> TreeSum | Callable[[Floats], Floats]:
        """What gives the log-odds of a fitted classifier; plain data wherever possible."""
        return _LogOdds(classifier)

    def learn(self, customers: DataFrame, past: Sequence[Window], lessons: Lessons) -> FittedValueModel:
        """From all predictors, the odds of the forecast among them."""
        training = lessons.examples(past, self.title)
        predictors = select_predictors(training.predictors, steady_predictors(training.predictors))
        with threads_for(len(training)):
            classifier = self.classifier(predictors).fit(predictors.to_numpy(), training.bought)
        names, figures = tuple(predictors.columns), example_counts(training)
        return FittedTrees(lessons.forecast(customers), training.weeks, names, self.score(classifier), figures)


@dataclass(frozen=True)
class _LogOdds:
    """The log-odds of any classifier with ``predict_proba``; small tables in one thread."""

    classifier: Any

    def __call__(self, matrix: Floats) -> Floats:
        from scipy.special import logit

        with threads_for(len(matrix)):
            return np.asarray(logit(self.classifier.predict_proba(matrix)[:, 1].astype(np.float64)))


@dataclass(frozen=True)
class Boosting(BoostedTrees):
    """Histogram gradient boosting of scikit-learn."""

    title = noted("Gradient boosting")
    summary = noted("Many small decision trees, each mending what those before it got wrong; finds what acts together.")

    def classifier(self, predictors: DataFrame) -> Any:
        """Strongly regularised: on a few thousand customers what is not seen often is chance."""
        return boosted_classifier(predictors, self.trees, self.depth, self.rate)

    def score(self, classifier: Any) -> TreeSum:
        """Its trees as plain data."""
        return TreeSum.of(classifier)


def boosted_classifier(predictors: DataFrame, trees: int, depth: int, rate: float) -> Any:
    """An unfitted histogram gradient boosting classifier that keeps to the known directions."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=trees,
        max_depth=depth,
        learning_rate=rate,
        l2_regularization=10.0,
        min_samples_leaf=leaf_size(len(predictors)),
        monotonic_cst=directions(predictors),
        early_stopping=False,
        random_state=0,
    )


def directions(predictors: DataFrame) -> list[int]:
    """For each measure 1 or -1 where its direction is known, else 0."""
    return [_DIRECTIONS.get(str(name), 0) for name in predictors.columns]


def leaf_size(rows: int) -> int:
    """How many examples a leaf must hold: 20 to 100, a twentieth of all in between."""
    return min(100, max(20, rows // 20))


def steady_predictors(predictors: DataFrame) -> tuple[str, ...]:
    """The predictors without the purchase span, which grows with the calendar and so is ever beyond what was learned.

    Its share of the tenure is there. Trees with the span itself did worse (log loss .334 against .326, where
    training windows were a year old).
    """
    return tuple(str(name) for name in predictors.columns if name != PURCHASE_SPAN)


def select_predictors(predictors: DataFrame, names: tuple[str, ...]) -> DataFrame:
    """These predictors in this order; one that this table does not have is missing for everyone."""
    return predictors.reindex(columns=list(names))


def example_counts(training: Examples) -> dict[str, float]:
    """How many examples were learned from, and the share of them that bought."""
    return {"examples": float(len(training)), "bought": float(training.bought.mean())}
