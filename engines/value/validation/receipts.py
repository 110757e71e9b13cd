"""Receipt of the value models: every model and naive baseline on a past it had not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from pandas import DataFrame

from engines.columns import MONEY_SCALE, TENURE
from engines.messages import message
from engines.value.contract import PURCHASES_AFTER, SPEND_AFTER, Answer, FittedValueModel, ValueModel, Window
from engines.value.lifetime.history import history_arrays, repeat_buyers
from engines.value.lifetime.intervals import PURCHASES_HIGH, PURCHASES_LOW, SPEND_HIGH, SPEND_LOW
from engines.value.lifetime.models import LIFETIMES, FittedLifetime, fit_dict, spend_intervals
from engines.value.lifetime.patterns import Floats
from engines.value.validation import baselines
from engines.value.validation.backtests import Backtest, BacktestResult, run_backtest
from engines.value.validation.importances import importances
from engines.value.validation.losses import loss, reliability
from engines.value.validation.metrics import Metrics, calibration, foresight
from engines.value.validation.plan import BacktestPlan
from engines.value.validation.verdicts import judge_model

PURCHASES: Answer = "expected_purchases"
CHANCE: Answer = "p_purchase"
SPEND: Answer = "future_spend"


@dataclass(frozen=True)
class Terms:
    """What is asked: CLV's model (or "auto"), how far ahead, and from how many days of history on churn is known."""

    model: str
    horizon_weeks: int
    min_history_days: int
    interval: float = 0.8
    seed: int = 0


def receipt(models: Mapping[str, ValueModel], far: Backtest, near: Backtest, terms: Terms) -> dict[str, Any]:
    """How every model did on customers and sales after a cut-off, JSON-ready; what cannot be said is None.

    Args:
        models: by name. Models that do not learn from outcomes, and foresee purchases, are lifetime models.
        far: the test of purchases and spend.
        near: the test of churn; the same object where both look equally far ahead.
        terms: see :class:`Terms`.

    Returns:
        ``plan``, ``titles``, ``baselines``, ``chosen`` (a model's name per question, None where none could be judged),
        ``models`` (parameters), ``holdout`` (purchases), ``calibration``, ``churn``, ``reliability``,
        ``unknown_churn``, ``ltv`` (spend), ``importances``, ``coverage``, ``verdicts``, ``notes``: see
        ``docs/value.md``.
    """
    ahead = {name: model for name, model in models.items() if {PURCHASES, SPEND} & set(model.answers)}
    losing = {name: model for name, model in models.items() if CHANCE in model.answers}
    if near is far:
        far_said = near_said = run_backtest(models, far, terms.seed)
    else:
        far_said, near_said = run_backtest(ahead, far, terms.seed), run_backtest(losing, near, terms.seed)
    guesses = baselines.forecasts(far.test.customers, far.before, far.test.weeks)
    holdout, ltv = _foresight(far.test, far_said.answers, guesses)
    churn, bins, unknown = _churn(near.test, near_said.answers, terms.min_history_days)
    chosen = {
        "purchases": _lifetime(models, holdout, terms.model),
        "churn": best_model(_without_naive(churn), "log_loss"),
        "ltv": best_model(_without_naive(ltv), "rmse"),
    }
    titles = {name: model.title for name, model in models.items()} | baselines.BASELINES
    titles["gamma_gamma"] = "Gamma-Gamma"
    return {
        "plan": _plan(far.plan, far.test, near.plan, terms),
        "titles": titles,
        "baselines": [*baselines.BASELINES, *([baselines.RECENCY] if baselines.RECENCY in models else [])],
        "chosen": chosen,
        "models": model_parameters(models, far_said.fitted, far.test.customers),
        "holdout": holdout,
        "calibration": _calibrations(far.test, far_said.answers),
        "churn": churn,
        "reliability": bins,
        "unknown_churn": unknown,
        "ltv": ltv,
        "importances": _importances(models, chosen["ltv"], far_said, far.test, terms.seed),
        "coverage": _coverage(far_said.fitted.get(chosen["purchases"] or ""), far.test, terms),
        "verdicts": [
            judge_model(question, chosen[question], figures, titles)
            for question, figures in (("purchases", holdout), ("churn", churn), ("ltv", ltv))
        ],
        "notes": _notes(models, far, near, (*far_said.notes, *near_said.notes)),
    }


def best_model(figures: Mapping[str, Metrics], metric: str) -> str | None:
    """The model with the lowest figure, the first of several; None where none has one."""
    known = {name: value for name, found in figures.items() if (value := found[metric]) is not None}
    return min(known, key=lambda name: known[name]) if known else None


def best_lifetime(models: Mapping[str, ValueModel], holdout: Mapping[str, Metrics]) -> str | None:
    """The lifetime model that did best on the holdout: by RMSE, then by how far its bias is from nothing."""
    lifetimes = {name: holdout[name] for name in models if name in holdout and name in LIFETIMES}
    return min(lifetimes, key=lambda name: _place(lifetimes[name])) if lifetimes else None


def _place(metrics: Metrics) -> tuple[float, float]:
    rmse, bias = metrics["rmse"], metrics["bias"]
    return (np.inf if rmse is None else rmse), (np.inf if bias is None else abs(bias))


def _lifetime(models: Mapping[str, ValueModel], holdout: Mapping[str, Metrics], chosen: str) -> str | None:
    """The model that CLV is worked out with."""
    return chosen if chosen in holdout else best_lifetime(models, holdout)


def naive_names() -> set[str]:
    """The names of what needs no model."""
    return {*baselines.BASELINES, baselines.RECENCY}


def _without_naive(figures: Mapping[str, Metrics]) -> dict[str, Metrics]:
    return {name: metrics for name, metrics in figures.items() if name not in naive_names()}


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
    models: Mapping[str, ValueModel], name: str | None, foreseen: BacktestResult, test: Window, seed: int
) -> list[dict[str, Any]]:
    if name is None or not models[name].learns:
        return []
    return importances(foreseen.fitted[name], test, seed=seed)


def _coverage(fitted: FittedValueModel | None, test: Window, terms: Terms) -> dict[str, Any] | None:
    """How many customers' spend and purchases fell into their intervals, and whether the total did."""
    if not isinstance(fitted, FittedLifetime):
        return None
    intervals = spend_intervals(fitted, test.customers, test.weeks, terms.interval, terms.seed)
    bought, spent = _outcome(test)
    low, high, fewest, most = (
        intervals.customers[name].to_numpy() for name in (SPEND_LOW, SPEND_HIGH, PURCHASES_LOW, PURCHASES_HIGH)
    )
    total = float(np.rint(spent * MONEY_SCALE).sum() / MONEY_SCALE)
    return {
        "level": intervals.level,
        "spend": float(((low <= spent) & (spent <= high)).mean()),
        "purchases": float(((fewest <= bought) & (bought <= most)).mean()),
        "total": {
            "low": intervals.spend.low,
            "high": intervals.spend.high,
            "actual": total,
            "inside": bool(intervals.spend.low <= total <= intervals.spend.high),
        },
    }


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


def _plan(far: BacktestPlan, test: Window, near: BacktestPlan, terms: Terms) -> dict[str, Any]:
    return {
        "cutoff": (far.test.as_of - timedelta(days=1)).isoformat(),
        "until": (far.test.end - timedelta(days=1)).isoformat(),
        "weeks": test.weeks,
        "customers": len(test.customers),
        "horizon_weeks": terms.horizon_weeks,
        "churn": _lessons(near),
        "ltv": _lessons(far),
    }


def _lessons(plan: BacktestPlan) -> dict[str, Any]:
    return {
        "cutoff": (plan.test.as_of - timedelta(days=1)).isoformat(),
        "until": (plan.test.end - timedelta(days=1)).isoformat(),
        "days": plan.test.days,
        "learned_days": plan.training[0].days if plan.training else 0,
        "lessons": len(plan.training),
    }


def _notes(models: Mapping[str, ValueModel], far: Backtest, near: Backtest, remarks: Sequence[str]) -> list[str]:
    notes = list(dict.fromkeys(remarks))
    for backtest, what in (
        ((far, message("purchases and spend")), (near, message("churn")))
        if near is not far
        else ((far, message("the future")),)
    ):
        training, days = backtest.plan.training, backtest.plan.test.days
        if training and training[0].days < days:
            notes.append(
                message(
                    "The sales are too short for a look back of {asked} days before the cut-off: models that "
                    "learn about {what} learned from {days} days, and were asked about {asked}.",
                    asked=days,
                    what=what,
                    days=training[0].days,
                )
            )
    return notes
