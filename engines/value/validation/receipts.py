"""Receipt of the value models: every model and naive baseline on a past it had not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from pandas import DataFrame

from engines.columns import MONEY_SCALE, TENURE
from engines.messages import message
from engines.value.contract import PURCHASES_AFTER, SPEND_AFTER, FittedValueModel, ValueModel, Window
from engines.value.learned.examples import Lessons
from engines.value.lifetime.history import history_arrays, repeat_buyers
from engines.value.lifetime.intervals import PURCHASES_HIGH, PURCHASES_LOW, SPEND_HIGH, SPEND_LOW, Interval
from engines.value.lifetime.models import fit_dict, spend_intervals
from engines.value.lifetime.patterns import Floats
from engines.value.validation import baselines
from engines.value.validation.backtests import Backtest, BacktestResult, run_backtest
from engines.value.validation.choice import (
    CHANCE,
    GROUPS,
    PURCHASES,
    QUESTIONS,
    SPEND,
    ModelChoice,
    fifths,
    losses_at,
    season_at,
)
from engines.value.validation.forecast import OneForecast
from engines.value.validation.importances import importances
from engines.value.validation.losses import loss, reliability
from engines.value.validation.metrics import Metrics, bins, calibration, foresight
from engines.value.validation.plan import FEWEST, BacktestPlan, Cut
from engines.value.validation.spread import TotalSpread, spread_of
from engines.value.validation.verdicts import judge_model

#: The name of the one forecast among models.
WHOLE = "forecast"


@dataclass(frozen=True)
class Terms:
    """What is asked: how far ahead, from how many days of history on churn is known, and the data set's name."""

    horizon_weeks: int
    min_history_days: int
    interval: float = 0.8
    seed: int = 0
    data_set: str = ""


def receipt(
    models: Mapping[str, ValueModel],
    shown: Backtest,
    choice: ModelChoice,
    terms: Terms,
    lessons: Lessons | None = None,
) -> dict[str, Any]:
    """How every model did on customers and sales after a cut-off, JSON-ready; what cannot be said is None.

    Args:
        models: by name. Models that do not learn from outcomes, and foresee purchases, are lifetime models.
        shown: the origin that took no part in the choice.
        choice: of the models in use.
        terms: see :class:`Terms`.
        lessons: what learning models have in common.

    Returns:
        ``plan``, ``titles``, ``baselines``, ``chosen`` (a model's name per question), ``by_origins``, ``origins``
        (those that the choice was made by), ``last_origin`` (the one shown, likewise), ``models`` (parameters),
        ``holdout`` (purchases), ``calibration``, ``churn``, ``reliability``, ``unknown_churn``, ``ltv`` (spend),
        ``forecast`` (the one forecast put together), ``season``
        (see :func:`season_record`), ``importances``, ``coverage``, ``verdicts``, ``notes``: see ``docs/value.md``.
    """
    said = run_backtest(models, shown, terms.seed, lessons)
    guesses = baselines.forecasts(shown.test.customers, shown.before, shown.test.weeks)
    holdout, ltv = _foresight(shown.test, said.answers, guesses)
    churn, bins, unknown = _churn(shown.risk, said.risks, terms.min_history_days)
    fitted = {**said.fitted, **baselines.fitted_baselines(shown.before, shown.test.weeks)}
    forecast = OneForecast.of(choice, fitted, season_at(shown, said))
    used = choice if forecast is None else forecast.choice
    chosen = {question: getattr(used, question) for question in QUESTIONS}
    titles = {name: model.title for name, model in models.items()} | baselines.BASELINES
    titles["gamma_gamma"] = "Gamma-Gamma"
    whole = None if forecast is None else _whole(forecast, shown, terms)
    if whole is not None:
        bins = {**bins, **whole.pop("reliability")}
    return {
        "plan": _plan(shown, terms),
        "titles": titles,
        "baselines": [*baselines.BASELINES, *([baselines.RECENCY] if baselines.RECENCY in models else [])],
        "chosen": chosen,
        "by_origins": used.chosen,
        "origins": used.to_dict()["origins"],
        "last_origin": asdict(losses_at(shown, said, terms.min_history_days)),
        "models": model_parameters(models, said.fitted, shown.test.customers),
        "holdout": holdout,
        "calibration": _calibrations(shown.test, {**said.answers, **guesses}),
        "churn": churn,
        "reliability": bins,
        "unknown_churn": unknown,
        "ltv": ltv,
        "forecast": whole,
        "season": None if forecast is None else season_record(forecast, shown.test.weeks),
        "importances": _importances(models, chosen["ltv"], said, shown.test, terms.seed),
        "coverage": None if forecast is None else _coverage(forecast, shown.test, terms),
        "verdicts": [
            judge_model(question, chosen[question], figures, titles)
            for question, figures in (("purchases", holdout), ("churn", churn), ("ltv", ltv))
            if chosen[question] in figures or not figures
        ],
        "notes": _notes(
            shown, (*said.notes, *(() if forecast is None else forecast.notes), *_choice_notes(used, models))
        ),
    }


def _whole(forecast: OneForecast, shown: Backtest, terms: Terms) -> dict[str, Any]:
    """Figures of the one forecast put together: ``purchases``, ``ltv``, ``churn``, and ``reliability`` by its name."""
    answer = forecast.predict(shown.test.customers, shown.test.weeks)
    holdout, ltv = _foresight(shown.test, {WHOLE: answer}, {})
    soon = DataFrame({CHANCE: forecast.chances(shown.risk.customers, [shown.risk.weeks])[shown.risk.weeks]})
    churn, bins, _ = _churn(shown.risk, {WHOLE: soon}, terms.min_history_days)
    return {"purchases": holdout[WHOLE], "ltv": ltv[WHOLE], "churn": churn.get(WHOLE), "reliability": bins}


def season_record(forecast: OneForecast, weeks: float) -> dict[str, Any] | None:
    """Season and trend of a forecast, JSON-ready; None where the history is too short for any.

    ``used_for``: which of purchases and spend (``ltv``); empty where totals were no closer with them at earlier
    origins.
    ``factors``: what these are multiplied by in the weeks ahead. Beside them what ``Season.to_record`` gives.
    """
    if forecast.season is None:
        return None
    used = forecast.choice.season
    return {
        "used_for": list(used),
        "factors": {question: forecast.factor(question, weeks) for question in used},
        **forecast.season.to_record(),
    }


def _choice_notes(choice: ModelChoice, models: Mapping[str, ValueModel]) -> list[str]:
    if choice.chosen or choice.lifetime not in models:
        return []
    title = models[choice.lifetime].title
    return [
        message(
            "No model was chosen by the past: {title} gives the whole forecast, because it is configured or the sales "
            "are too short for {fewest} earlier cut-offs beside the one that is shown.",
            title=title,
            fewest=FEWEST,
        )
    ]


def naive_names() -> set[str]:
    """The names of what needs no model."""
    return {*baselines.BASELINES, baselines.RECENCY}


def _outcome(test: Window) -> tuple[Floats, Floats]:
    return test.outcome[PURCHASES_AFTER].to_numpy(np.float64), test.outcome[SPEND_AFTER].to_numpy(np.float64)


def _foresight(
    test: Window, answers: Mapping[str, DataFrame], guesses: Mapping[str, DataFrame]
) -> tuple[dict[str, Metrics], dict[str, Metrics]]:
    """Metrics of purchases and of spend; customers are ranked by spend where a model foresees it."""
    bought, spent = _outcome(test)
    holdout, ltv = {}, {}
    for name, predicted in {**answers, **guesses}.items():
        score = predicted[SPEND if SPEND in predicted else predicted.columns[0]].to_numpy()
        if PURCHASES in predicted:
            holdout[name] = foresight(predicted[PURCHASES].to_numpy(), bought, score=score, revenue=spent)
        if SPEND in predicted:
            ltv[name] = foresight(predicted[SPEND].to_numpy(), spent, score=score, revenue=spent)
    return holdout, ltv


def _calibrations(test: Window, answers: Mapping[str, DataFrame]) -> dict[str, list[dict[str, Any]]]:
    bought, _ = _outcome(test)
    return {
        name: calibration(predicted[PURCHASES].to_numpy(), bought)
        for name, predicted in answers.items()
        if PURCHASES in predicted
    }


def _churn(
    test: Window, answers: Mapping[str, DataFrame], min_history_days: int
) -> tuple[dict[str, Metrics], dict[str, list[dict[str, Any]]], float]:
    """Metrics and reliability of the risk of no purchase, over customers of whom it would be said, and the rest."""
    eligible = (test.customers[TENURE] >= min_history_days).to_numpy()
    if not eligible.any():
        return {}, {}, 1.0
    lost = _outcome(test)[0][eligible] == 0
    risks = {
        name: 1.0 - predicted[CHANCE].to_numpy()[eligible] for name, predicted in answers.items() if CHANCE in predicted
    }
    metrics = {name: loss(lost, risk) for name, risk in risks.items()}
    return metrics, {name: reliability(lost, risk) for name, risk in risks.items()}, float(1.0 - eligible.mean())


def _importances(
    models: Mapping[str, ValueModel], name: str, foreseen: BacktestResult, test: Window, seed: int
) -> list[dict[str, Any]]:
    if name not in models or not models[name].learns or name not in foreseen.fitted:
        return []
    return importances(foreseen.fitted[name], test, seed=seed)


def _coverage(forecast: OneForecast, test: Window, terms: Terms) -> dict[str, Any]:
    """How many customers' spend and purchases fell into their intervals, and whether the sums did.

    The range of a sum is the model's, widened by what the earlier origins missed; nothing of this test is in it.
    """
    expected = forecast.predict(test.customers, test.weeks)
    intervals = spend_intervals(
        forecast.lifetime,
        test.customers,
        test.weeks,
        terms.interval,
        terms.seed,
        expected=None if forecast.of_one_model else expected,
    )
    bought, spent = _outcome(test)
    low, high, fewest, most = (
        intervals.customers[name].to_numpy() for name in (SPEND_LOW, SPEND_HIGH, PURCHASES_LOW, PURCHASES_HIGH)
    )
    days = round(7 * test.weeks)
    spread = spread_of(forecast.choice, forecast.choice.origins, days, terms.data_set)
    said = expected[SPEND].to_numpy(np.float64)
    ranges = {
        "ltv": spread.widened(float(said.sum()), intervals.spend, intervals.level),
        "purchases": spread.widened(
            float(expected[PURCHASES].sum()), intervals.purchases, intervals.level, "purchases"
        ),
    }
    inside = (low <= spent) & (spent <= high)
    groups = fifths(said)
    parts = [
        _part_range(said[groups == group], spent[groups == group], spread, intervals.level) for group in range(GROUPS)
    ]
    return {
        "level": intervals.level,
        "spend": float(inside.mean()),
        "purchases": float(((fewest <= bought) & (bought <= most)).mean()),
        "spend_of_buyers": float(inside[spent > 0].mean()) if (spent > 0).any() else None,
        "deciles": [
            {"customers": int((tenth == code).sum()), "spend": float(inside[tenth == code].mean())}
            for tenth in (bins(said),)
            for code in np.unique(tenth)
        ],
        "total": _held(ranges["ltv"], float(np.rint(spent * MONEY_SCALE).sum() / MONEY_SCALE))
        | {"expected": float(said.sum()), "origins": list(spread.origins), "data_sets": list(spread.data_sets)},
        "total_purchases": _held(ranges["purchases"], float(bought.sum())),
        "groups": parts,
    }


def _held(found: Interval, actual: float) -> dict[str, Any]:
    return {"low": found.low, "high": found.high, "actual": actual, "inside": bool(found.low <= actual <= found.high)}


def _part_range(said: Floats, spent: Floats, spread: TotalSpread, level: float) -> dict[str, Any]:
    """The range of the spend of a part of the customers, and whether it held."""
    total = float(said.sum())
    return {"expected": total, **_held(spread.of_part(total, level), float(spent.sum()))}


# --- how it is told -------------------------------------------------------------------------------------------------


def model_parameters(
    models: Mapping[str, ValueModel], fitted: Mapping[str, FittedValueModel], customers: DataFrame
) -> dict[str, Any]:
    """The parameters of the models that do not learn from outcomes, and how they were come by; Gamma-Gamma apart."""
    parameters: dict[str, Any] = {}
    for name, model in fitted.items():
        if models[name].learns:
            continue
        figures = dict(model.parameters)
        lifetime, value = getattr(model, "lifetime", None), getattr(model, "value", None)
        if lifetime is None:
            parameters[name] = {
                "parameters": {
                    key: item for key, item in figures.items() if key not in ("log_likelihood", "penalizer")
                },
                "log_likelihood": figures.get("log_likelihood"),
                "method": None,
                "penalizer": figures.get("penalizer"),
                "converged": None,
            }
            continue
        parameters[name] = fit_dict(lifetime, figures["log_likelihood"])
        if value is not None and "gamma_gamma" not in parameters:
            x, _, _, mean_value, _ = history_arrays(customers)
            who = repeat_buyers(x, mean_value)
            parameters["gamma_gamma"] = fit_dict(value, value.likelihood(x[who], mean_value[who]))
    return parameters


def _plan(shown: Backtest, terms: Terms) -> dict[str, Any]:
    test = shown.plan.test
    return {
        "cutoff": (test.as_of - timedelta(days=1)).isoformat(),
        "until": (test.end - timedelta(days=1)).isoformat(),
        "weeks": shown.test.weeks,
        "customers": len(shown.test.customers),
        "horizon_weeks": terms.horizon_weeks,
        "churn": _lessons(shown.plan, shown.plan.risk),
        "ltv": _lessons(shown.plan, test),
    }


def _lessons(plan: BacktestPlan, cut: Cut) -> dict[str, Any]:
    return {
        "cutoff": (cut.as_of - timedelta(days=1)).isoformat(),
        "until": (cut.end - timedelta(days=1)).isoformat(),
        "days": cut.days,
        "learned_days": plan.training[0].days if plan.training else 0,
        "lessons": len(plan.training),
    }


def _notes(shown: Backtest, remarks: Sequence[str]) -> list[str]:
    notes = list(dict.fromkeys(remarks))
    training, days = shown.plan.training, max(shown.plan.test.days, shown.plan.risk_days)
    if training and training[0].days < min(shown.plan.test.days, shown.plan.risk_days):
        notes.append(
            message(
                "The sales are too short for a look back of {asked} days before the cut-off: models that "
                "learn about {what} learned from {days} days, and were asked about {asked}.",
                asked=days,
                what=message("the future"),
                days=training[0].days,
            )
        )
    return notes
