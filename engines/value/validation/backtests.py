"""Backtest: each model gets the customers of a past day and predicts what they did afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import TypeVar

import numpy as np
from pandas import DataFrame

from engines.errors import InputError
from engines.messages import message
from engines.value.contract import FittedValueModel, ValueModel, Window
from engines.value.learned.examples import LearnedModel, Lessons
from engines.value.validation.plan import BacktestPlan, window, windows

Made = TypeVar("Made")

#: The most customers of one window that a model learns from; of more it is given a sample.
LEARN_LIMIT = 20_000


@dataclass(frozen=True)
class Backtest:
    """An origin with its outcome, and with what may be learned from: windows that were over by its cut-off.

    ``test``: what was bought and spent over the horizon. ``risk``: the same customers over the days of the churn risk;
    the same object where these are as long. ``before``: the customers as they stood one horizon before the cut-off.
    ``activity``: purchases by day, for the season; see :func:`engines.features.purchase_days`.
    """

    plan: BacktestPlan
    test: Window
    risk: Window
    past: tuple[Window, ...]
    before: DataFrame
    activity: DataFrame | None = None

    @classmethod
    def of(cls, plan: BacktestPlan, tables: Mapping[date, DataFrame], activity: DataFrame | None = None) -> Backtest:
        """The backtest of a plan, from the customer tables of its dates."""
        test = window(plan.test, tables)
        risk = test if plan.risk == plan.test else window(plan.risk, tables)
        return cls(plan, test, risk, windows(plan.training, tables), tables[plan.before], activity)

    def sampled(self, seed: int, limit: int) -> Backtest:
        """The backtest with at most so many customers, drawn by a seed."""
        test = sample_window(self.test, seed, limit)
        risk = test if self.risk is self.test else sample_window(self.risk, seed, limit)
        past = tuple(sample_window(each, seed, limit) for each in self.past)
        return replace(self, test=test, risk=risk, past=past)

    @property
    def windows(self) -> tuple[Window, ...]:
        """Its outcomes, one for each length that is looked ahead."""
        return (self.test,) if self.risk is self.test else (self.test, self.risk)


@dataclass(frozen=True)
class BacktestResult:
    """What models that were put to a test said: fitted models and their answers by name, and who could not and why.

    ``answers``: for the horizon. ``risks``: for the days of the churn risk.
    """

    fitted: Mapping[str, FittedValueModel] = field(default_factory=dict)
    answers: Mapping[str, DataFrame] = field(default_factory=dict)
    risks: Mapping[str, DataFrame] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def run_backtest(
    models: Mapping[str, ValueModel], backtest: Backtest, seed: int = 0, lessons: Lessons | None = None
) -> BacktestResult:
    """Every model fitted on what was known at the cut-off and asked about the test; one that fails is left out.

    ``lessons``: what learning models have in common, worked out once for all of them and for every origin.
    """
    past = tuple(sample_window(each, seed) for each in backtest.past)
    lessons = lessons or Lessons(seed)
    fitted: dict[str, FittedValueModel] = {}
    answers: dict[str, DataFrame] = {}
    risks: dict[str, DataFrame] = {}
    notes = []
    for name, model in models.items():
        result, note = attempt(model, partial(_tried, model, backtest, past, lessons))
        if result is None:
            notes.append(note)
        else:
            fitted[name], answers[name], risks[name] = result
    return BacktestResult(fitted, answers, risks, tuple(notes))


def _tried(
    model: ValueModel, backtest: Backtest, past: Sequence[Window], lessons: Lessons
) -> tuple[FittedValueModel, DataFrame, DataFrame]:
    customers = backtest.test.customers
    fitted = fit_model(model, customers, past, lessons)
    answer, *rest = (check_answer(fitted.predict(customers, each.weeks), model, customers) for each in backtest.windows)
    return fitted, answer, rest[0] if rest else answer


def fit_model(model: ValueModel, customers: DataFrame, past: Sequence[Window], lessons: Lessons) -> FittedValueModel:
    """A model fitted on customers as they stand, and on the past if it learns from that.

    Raises:
        InputError: these customers or windows are not enough to learn from.
    """
    if isinstance(model, LearnedModel):
        return model.learn(customers, past, lessons)
    return model.fit(customers, past if model.learns else ())


def attempt(model: ValueModel, make: Callable[[], Made]) -> tuple[Made | None, str]:
    """What ``make`` gives, or None and a sentence that says why the model is left out."""
    try:
        return make(), ""
    except InputError as error:
        return None, message("{title} is left out: {error}", title=model.title, error=error)
    except Exception as error:  # noqa: BLE001 - a model may be anyone's plug-in: it is left out, others go on
        return None, message(
            "{title} is left out, for it failed: {name}: {error}",
            title=model.title,
            name=type(error).__name__,
            error=error,
        )


def check_answer(answer: DataFrame, model: ValueModel, customers: DataFrame) -> DataFrame:
    """The answers of a model, in its own order, if they are what it promises.

    Raises:
        InputError: an answer is missing, or empty or negative for someone.
    """
    missing = [name for name in model.answers if name not in answer.columns]
    if missing or not answer.index.equals(customers.index):
        raise InputError("it does not give {missing}.", missing=", ".join(missing) or "an answer for every customer")
    answer = answer[list(model.answers)].astype(np.float64)
    values = answer.to_numpy()
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise InputError("an answer of it is empty, infinite or below 0.")
    return answer


def sample_window(window: Window, seed: int = 0, limit: int = LEARN_LIMIT) -> Window:
    """The window with at most so many customers, drawn by a seed; the same whatever order they came in."""
    customers = draw_customers(window.customers, seed, limit)
    return replace(window, customers=customers, outcome=window.outcome.loc[customers.index])


def draw_customers(customers: DataFrame, seed: int = 0, limit: int = LEARN_LIMIT) -> DataFrame:
    """At most so many of the customers, drawn by a seed from their order, and in it."""
    if len(customers) <= limit:
        return customers
    return customers.iloc[np.sort(np.random.default_rng(seed).choice(len(customers), limit, replace=False))]
