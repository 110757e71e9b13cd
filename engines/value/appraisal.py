"""Value of every customer today, by the models that did best on the past, with the receipt of that test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from pandas import DataFrame, Series

from engines.columns import CHURN_RISK, FUTURE_SPEND, MONETARY, REPEAT_PURCHASES, TENURE, VALUE_COLUMNS
from engines.errors import InputError
from engines.messages import message
from engines.value.contract import Answer, FittedValueModel, ValueModel, Window
from engines.value.lifetime.clv import estimate
from engines.value.lifetime.models import LIFETIMES
from engines.value.registry import registered_models
from engines.value.validation.backtests import (
    LEARN_LIMIT,
    Backtest,
    attempt,
    check_answer,
    draw_customers,
    sample_window,
)
from engines.value.validation.metrics import Metrics
from engines.value.validation.new_customers import model_record
from engines.value.validation.plan import BacktestPlan, Cut, plan_backtest, training_cuts, windows
from engines.value.validation.receipts import CHANCE, SPEND, Terms, best_lifetime, naive_names, receipt

#: What may be said instead of a model: whichever did best.
AUTO = "auto"
#: The lifetime model of shops that are too young for a test.
DEFAULT = "bg_nbd"


@dataclass(frozen=True)
class Settings:
    """How value is worked out: ``[clv]`` and ``[churn]`` of the configuration, and the seed of everything random."""

    model: str = DEFAULT
    horizon_weeks: int = 26
    discount_rate: float = 0.10
    interval: float = 0.8
    churn_days: int = 90
    min_history_days: int = 14
    seed: int = 0


@dataclass(frozen=True)
class Appraisal:
    """What customers are worth.

    ``columns``: exactly ``VALUE_COLUMNS``, on the customers' index; churn risk is missing where it is not known yet.
    ``model``: JSON-ready, as of :func:`engines.value.estimate`, with ``churn`` and ``spend``: which model gave them.
    ``notes``: sentences for people. ``receipt``: see :func:`engines.value.validation.receipts.receipt`; None where
    the history is too short for a test.
    """

    columns: DataFrame
    model: dict[str, Any]
    notes: tuple[str, ...]
    receipt: dict[str, Any] | None


@dataclass(frozen=True)
class Agenda:
    """Which dates are looked back at: for the test of purchases and spend, that of churn, and to learn for today."""

    far: BacktestPlan | None
    near: BacktestPlan | None
    spend_training: tuple[Cut, ...]
    churn_training: tuple[Cut, ...]

    @property
    def dates(self) -> set[date]:
        """Every date as of which the customers are needed."""
        cuts = (*self.spend_training, *self.churn_training)
        days = {day for cut in cuts for day in (cut.as_of, cut.end)}
        return days.union(*(each.dates for each in (self.far, self.near) if each is not None))

    def kept(self, day: date, customers: DataFrame, seed: int = 0) -> DataFrame:
        """What is needed of the customers of a date: of many, only a sample where models learn, and sums elsewhere."""
        tests = [each for each in (self.far, self.near) if each is not None]
        training = {cut for each in tests for cut in each.training}.union(self.spend_training, self.churn_training)
        whole, learned = {each.test.as_of for each in tests}, {cut.as_of for cut in training}
        counted = {each.before for each in tests} | {cut.end for cut in (*training, *(each.test for each in tests))}
        if day in whole or (day in learned and day in counted):
            return customers
        return draw_customers(customers, seed) if day in learned else customers[[REPEAT_PURCHASES, MONETARY]]

    def backtests(self, tables: Mapping[date, DataFrame]) -> tuple[Backtest, Backtest] | None:
        """Both tests, one for both where they are the same or the other cannot be; None where neither can be."""
        far, near = self.far or self.near, self.near or self.far
        if far is None or near is None:
            return None
        first = Backtest.of(far, tables)
        return first, first if near == far else Backtest.of(near, tables)


def agenda(first_day: date, as_of: date, settings: Settings, *, cutoff: date | None = None) -> Agenda:
    """What to look back at; with a cut-off both tests are of everything from it on, and nothing is learned for today.

    Raises:
        InputError: a cut-off that leaves too little before or after it.
    """
    if cutoff is not None:
        both = plan_backtest(first_day, as_of, settings.churn_days, cutoff=cutoff)
        return Agenda(both, both, (), ())
    ahead, near = settings.horizon_weeks * 7, settings.churn_days
    return Agenda(
        plan_backtest(first_day, as_of, ahead),
        plan_backtest(first_day, as_of, near),
        training_cuts(first_day, as_of, ahead),
        training_cuts(first_day, as_of, near),
    )


def usable_models() -> dict[str, ValueModel]:
    """Every registered value model that can be used, with its default settings, by name."""
    return {item.name: item.kind.from_settings({}) for item in registered_models() if item.kind is not None}


def judge(
    looked_at: Agenda, tables: Mapping[date, DataFrame], settings: Settings, models: Mapping[str, ValueModel]
) -> dict[str, Any] | None:
    """The receipt of an agenda; None where its history is too short for a test."""
    backtests = looked_at.backtests(tables)
    if backtests is None:
        return None
    terms = Terms(settings.model, settings.horizon_weeks, settings.min_history_days, settings.interval, settings.seed)
    return receipt(models, *backtests, terms)


def appraise(
    customers: DataFrame, tables: Mapping[date, DataFrame], first_day: date, as_of: date, settings: Settings
) -> Appraisal:
    """What customers are worth as of a day, by models that were judged on the days before it.

    CLV, its interval, expected purchases and the probabilities of being alive and of buying again come from the
    configured lifetime model (``auto``: from the one with the lowest RMSE on the test of purchases, then the least
    bias); churn risk from the model with the lowest log loss on its test, future spend from the one with the lowest
    RMSE, both fitted again on all that is known today. A model that fails is followed by the next best.

    Args:
        customers: as of ``as_of``, with the feature columns, indexed by customer id in code point order.
        tables: the same as of every date of the agenda.
        first_day: day of the first sale.
        as_of: the day up to which (exclusive) sales are known.
        settings: see :class:`Settings`.

    Raises:
        InputError: no such model, or customers that cannot be valued.
    """
    if settings.model not in (AUTO, *LIFETIMES):
        names = ", ".join((*LIFETIMES, AUTO))
        raise InputError(
            "[clv] model = {model!r} is no lifetime model; choose from {known}.", model=settings.model, known=names
        )
    models = usable_models()
    looked_at = agenda(first_day, as_of, settings)
    proof = judge(looked_at, {**tables, as_of: customers}, settings, models)
    notes = []
    lifetime = settings.model
    if lifetime == AUTO:
        lifetime, note = _automatic(models, proof)
        notes.append(note)
    valuation = estimate(
        customers,
        horizon_weeks=settings.horizon_weeks,
        discount_rate=settings.discount_rate,
        model=lifetime,
        interval=settings.interval,
        seed=settings.seed,
    )
    columns, model_details = valuation.columns.copy(), dict(valuation.model)
    dated = {**tables, as_of: customers}
    for task in (
        _ModelTask("churn", "churn", "log_loss", CHANCE, looked_at.churn_training, settings.churn_days / 7),
        _ModelTask("spend", "ltv", "rmse", SPEND, looked_at.spend_training, float(settings.horizon_weeks)),
    ):
        figures = proof[task.question] if proof is not None else {}
        past = tuple(sample_window(each, settings.seed) for each in windows(task.training, dated))
        best = _foremost(task, figures, models, lifetime, customers, past)
        notes.extend(best.notes)
        if best.name is None:
            continue
        model = models[best.name]
        model_details[task.name] = {
            "model": best.name,
            "title": model.title,
            "learns": model.learns,
            "weeks": task.weeks,
            "parameters": best.parameters,
        }
        if task.answer == SPEND:
            columns[FUTURE_SPEND] = best.values
        else:
            columns[CHURN_RISK] = 1.0 - best.values
    unknown = (customers[TENURE] < settings.min_history_days).to_numpy()
    columns[CHURN_RISK] = columns[CHURN_RISK].mask(unknown)
    model_details["churn"] = {
        **model_details.get("churn", {}),
        "days": settings.churn_days,
        "min_history_days": settings.min_history_days,
        "unknown": int(unknown.sum()),
    }
    if proof is None:
        notes.append(
            message(
                "These sales are too short for a test of the models: churn risk and future spend are the lifetime "
                "model's own, and nothing shows yet how good they are."
            )
        )
    if len(customers) > LEARN_LIMIT:
        notes.append(
            message(
                "Models that learn from the past were given {learn_limit:,} customers of each earlier "
                "date, drawn by seed.",
                learn_limit=LEARN_LIMIT,
            )
        )
    return Appraisal(columns[list(VALUE_COLUMNS)], model_details, (*valuation.notes, *notes), proof)


class _ModelTask(NamedTuple):
    """A question about the days ahead: where it is tested, by which figure, and what may be learned for it today."""

    name: str
    question: str
    metric: str
    answer: Answer
    training: tuple[Cut, ...]
    weeks: float


class _Foremost(NamedTuple):
    """The answer of the best model that could be fitted today, and who could not."""

    name: str | None
    values: Series
    parameters: dict[str, float] | None
    notes: tuple[str, ...]


def _foremost(
    task: _ModelTask,
    figures: Mapping[str, Metrics],
    models: Mapping[str, ValueModel],
    lifetime: str,
    customers: DataFrame,
    past: Sequence[Window],
) -> _Foremost:
    """Models in the order of how they did on the test, the lifetime model last, until one answers."""
    notes: list[str] = []
    for name in dict.fromkeys((*ranked_models(figures, task.metric), lifetime)):
        result, note = attempt(models[name], partial(_answer, models[name], customers, past, task.weeks))
        if result is not None:
            fitted, answers = result
            return _Foremost(name, answers[task.answer], model_record(fitted), tuple(notes))
        notes.append(note)
    return _Foremost(None, Series(dtype=np.float64), None, tuple(notes))


def ranked_models(figures: Mapping[str, Metrics], metric: str) -> list[str]:
    """The models, without naive ones, from the lowest figure to the highest."""
    scores = {name: value for name, metrics in figures.items() if (value := metrics[metric]) is not None}
    return sorted((name for name in scores if name not in naive_names()), key=lambda name: scores[name])


def _automatic(models: Mapping[str, ValueModel], proof: Mapping[str, Any] | None) -> tuple[str, str]:
    best_name = best_lifetime(models, proof["holdout"]) if proof is not None else None
    if proof is None or best_name is None:
        title = models[DEFAULT].title
        return DEFAULT, message(
            "{title} is used, because no test could say which lifetime model foresees these sales best.", title=title
        )
    rmse = proof["holdout"][best_name]["rmse"]
    return best_name, message(
        "{title} is used: of the lifetime models it foresaw the test best (RMSE {rmse:.3f}).",
        title=models[best_name].title,
        rmse=rmse,
    )


def _answer(
    model: ValueModel, customers: DataFrame, past: Sequence[Window], weeks: float
) -> tuple[FittedValueModel, DataFrame]:
    fitted = model.fit(customers, past if model.learns else ())
    return fitted, check_answer(fitted.predict(customers, weeks), model, customers)
