"""Spend models: the money to expect of each customer in the weeks ahead, learned from past windows.

Spend is learned as a multiple of BG/NBD x Gamma-Gamma's forecast for the same window (see
:mod:`engines.value.learned.predictors`): so a customer who spends a hundred times as much as others is foreseen to,
which trees
that average past spend cannot say, and what was learned from windows of one length serves for another. On nine
holdouts of four data sets the mean RMSE, that of foreseeing nothing being 1, was .732 for two-part trees of the
multiple and .787 for those of the spend itself, .743 for Tweedie regression of the multiple and .749 for that of the
spend itself, and .765 for the forecast alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from pandas import DataFrame

from engines.clustering.sampling import threads_for
from engines.contract import knob
from engines.errors import InputError
from engines.messages import noted
from engines.value.contract import Answer, FittedValueModel, Window
from engines.value.learned.churn import boosted_classifier, example_counts, leaf_size, select_predictors
from engines.value.learned.examples import LEAST, Examples, LearnedModel, Lessons, Linear
from engines.value.learned.predictors import ODDS, Forecast, predictors_of
from engines.value.learned.trees import TreeSum
from engines.value.lifetime.patterns import Floats

FUTURE_SPEND: Answer = "future_spend"

#: A forecast below this share of the mean spend counts as so much: of next to nothing anything is a large multiple.
_LEAST_SHARE = 0.1


@dataclass(frozen=True)
class FittedTweedie:
    """A linear model of the logarithm of the multiple; ``least``: lowest forecast that is multiplied (currency)."""

    forecast: Forecast
    least: float
    linear: Linear
    weights: tuple[float, ...]
    parameters: Mapping[str, float]

    def predict(self, customers: DataFrame, weeks: float) -> DataFrame:
        """``future_spend`` of each customer in the weeks ahead, in the currency."""
        predictors = select_predictors(predictors_of(customers, self.forecast, weeks), tuple(self.linear.means))
        multiple = np.exp(self.weights[0] + self.linear.weigh(predictors, self.weights[1:]))
        base = np.maximum(self.forecast.spend(customers, weeks), self.least)
        return DataFrame({FUTURE_SPEND: base * multiple}, index=customers.index)

    def to_record(self) -> dict[str, Any]:
        """What has to be kept to ask it again, JSON-ready."""
        return {
            **{"forecast": self.forecast.to_dict(), "least": self.least},
            **{"linear": asdict(self.linear), "weights": list(self.weights)},
        }

    @classmethod
    def from_record(cls, entry: Mapping[str, Any]) -> FittedTweedie:
        """As it was before :meth:`to_record`, without the figures of the fit."""
        forecast, linear = Forecast.from_dict(entry["forecast"]), Linear.from_dict(entry["linear"])
        return cls(forecast, float(entry["least"]), linear, tuple(entry["weights"]), {})


@dataclass(frozen=True)
class Tweedie(LearnedModel):
    """Tweedie regression (scikit-learn's ``TweedieRegressor``, log link) with the forecast as exposure.

    A Tweedie distribution of a power between 1 and 2 has what spend has: zeros, and a long tail. With exposure B the
    multiple y / B has weight B^(2 - power).
    """

    title = noted("Tweedie regression")
    summary = noted("Multiplies what BG/NBD x Gamma-Gamma expects by factors for what else is known of a customer.")
    answers: ClassVar[tuple[Answer, ...]] = (FUTURE_SPEND,)

    power: float = knob(1.1, low=1.0, high=1.99, help="How spend spreads: its variance grows with the mean ^ power.")
    penalizer: float = knob(1.0, low=1e-6, high=1e6, help="How firmly it holds to the forecast: weight of the ridge.")
    seed: int = knob(0, low=0, high=2**32 - 1, help="Of the sample it learns from, where customers are very many.")

    def learn(self, customers: DataFrame, past: Sequence[Window], lessons: Lessons) -> FittedValueModel:
        """From all predictors but the odds, which the forecast brings."""
        from sklearn.linear_model import TweedieRegressor

        training = _spenders(lessons, past, self.title)
        predictors = training.predictors.drop(columns=ODDS, errors="ignore")  # the forecast brings them
        linear = Linear.of(predictors)
        mean = float(training.spent.mean())
        base = np.maximum(training.spend / mean, _LEAST_SHARE)
        model = TweedieRegressor(power=self.power, alpha=self.penalizer, link="log", max_iter=1_000)
        with threads_for(len(training)):
            model.fit(
                np.column_stack(linear.columns(predictors)),
                training.spent / mean / base,
                sample_weight=base ** (2.0 - self.power),
            )
        weights = (float(model.intercept_), *(float(weight) for weight in model.coef_))
        named = dict(zip(("constant", *linear.names), weights, strict=True))
        figures = {**named, **example_counts(training)}
        return FittedTweedie(lessons.forecast(customers), _LEAST_SHARE * mean, linear, weights, figures)


@dataclass(frozen=True)
class FittedTwoPart:
    """Trees for whether anything is spent and for how much then; ``smearing`` makes the mean of the second right."""

    forecast: Forecast
    weeks: float
    least: float
    names: tuple[str, ...]
    whether: TreeSum
    much: TreeSum
    smearing: float
    parameters: Mapping[str, float]

    def predict(self, customers: DataFrame, weeks: float) -> DataFrame:
        """``future_spend`` of each customer in the weeks ahead, in the currency.

        The trees answer for a window as long as those they learned from; the forecast carries that to the weeks asked.
        """
        from scipy.special import expit

        predictors = predictors_of(customers, self.forecast, self.weeks)
        matrix = select_predictors(predictors, self.names).to_numpy()
        further = self.forecast.log_odds(customers, weeks) - predictors[ODDS].to_numpy()
        spends = expit(self.whether.values(matrix) + further)
        multiple = np.exp(self.much.values(matrix)) * self.smearing
        return DataFrame(
            {FUTURE_SPEND: spends * _if_any(self.forecast, customers, weeks, self.least) * multiple},
            index=customers.index,
        )

    def to_record(self) -> dict[str, Any]:
        """What has to be kept to ask it again, JSON-ready."""
        return {
            **{"forecast": self.forecast.to_dict(), "weeks": self.weeks, "least": self.least},
            **{"names": list(self.names), "smearing": self.smearing},
            **{"whether": self.whether.to_dict(), "much": self.much.to_dict()},
        }

    @classmethod
    def from_record(cls, entry: Mapping[str, Any]) -> FittedTwoPart:
        """As it was before :meth:`to_record`, without the figures of the fit."""
        return cls(
            Forecast.from_dict(entry["forecast"]),
            float(entry["weeks"]),
            float(entry["least"]),
            tuple(entry["names"]),
            TreeSum.from_dict(entry["whether"]),
            TreeSum.from_dict(entry["much"]),
            float(entry["smearing"]),
            {},
        )


@dataclass(frozen=True)
class TwoPart(LearnedModel):
    """P(any spend) by boosted trees times the spend if any by boosted trees of its logarithm.

    The mean of a logarithm is not the logarithm of the mean, so what comes back from the logarithm is multiplied by
    the one factor that makes it add up to what was spent in the training windows: smearing in the manner of Duan
    (1983), "Smearing Estimate", JASA 78(383), 605-610, with weights in proportion to the spend foreseen.
    """

    title = noted("Two-part boosting")
    summary = noted("Asks first whether a customer spends anything, then how much, each by many small decision trees.")
    answers: ClassVar[tuple[Answer, ...]] = (FUTURE_SPEND,)

    trees: int = knob(100, low=1, high=2_000, help="How many trees are added up.")
    depth: int = knob(2, low=1, high=10, help="Questions a tree asks in a row at most: how much measures may interact.")
    rate: float = knob(0.05, low=0.001, high=1.0, help="How much of each tree is added.")
    seed: int = knob(0, low=0, high=2**32 - 1, help="Of the sample it learns from, where customers are very many.")

    def learn(self, customers: DataFrame, past: Sequence[Window], lessons: Lessons) -> FittedValueModel:
        """From all predictors, the odds of the forecast among them."""
        training = _spenders(lessons, past, self.title)
        spends = training.spent > 0
        least = _LEAST_SHARE * float(training.spent[spends].mean())
        base = np.maximum(training.spend[spends] / training.chance[spends], least)
        matrix = training.predictors.to_numpy()
        with threads_for(len(training)):
            whether = boosted_classifier(training.predictors, self.trees, self.depth, self.rate).fit(matrix, spends)
            much = self._amount(int(spends.sum())).fit(matrix[spends], np.log(training.spent[spends] / base))
            foreseen = base * np.exp(much.predict(matrix[spends]))
        smearing = float(training.spent[spends].sum() / foreseen.sum())
        figures = {"smearing": smearing, **example_counts(training)}
        names = tuple(training.predictors.columns)
        trees = TreeSum.of(whether), TreeSum.of(much)
        return FittedTwoPart(lessons.forecast(customers), training.weeks, least, names, *trees, smearing, figures)

    def _amount(self, rows: int) -> Any:
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(
            max_iter=self.trees,
            max_depth=self.depth,
            learning_rate=self.rate,
            l2_regularization=10.0,
            min_samples_leaf=leaf_size(rows),
            early_stopping=False,
            random_state=0,
        )


def _if_any(forecast: Forecast, customers: DataFrame, weeks: float, least: float) -> Floats:
    """What the forecast expects a customer to spend in the weeks ahead who buys at all."""
    return np.maximum(forecast.spend(customers, weeks) / forecast.chance(customers, weeks), least)


def _spenders(lessons: Lessons, past: Sequence[Window], owner: str) -> Examples:
    training = lessons.examples(past, owner)
    spenders = int((training.spent > 0).sum())
    if spenders < LEAST:
        raise InputError(
            "{owner} needs at least {least} customers that spent something in the windows it learns "
            "from; there are {spenders}. Give a longer history, or more customers.",
            owner=owner,
            least=LEAST,
            spenders=spenders,
        )
    return training
