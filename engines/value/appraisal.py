"""Value of every customer today: one forecast, by the models that did best on the past, with the receipt of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np
from pandas import DataFrame

from engines.columns import CHURN_RISK, CLV, CLV_HIGH, CLV_LOW, COST, MONETARY, REPEAT_PURCHASES, TENURE, VALUE_COLUMNS
from engines.errors import InputError
from engines.messages import message
from engines.value.contract import FittedValueModel, ValueModel
from engines.value.learned.examples import Lessons
from engines.value.lifetime.clv import estimate
from engines.value.lifetime.intervals import Interval
from engines.value.lifetime.models import LIFETIMES, FittedLifetime
from engines.value.margins import Margin, margin_of
from engines.value.registry import registered_models
from engines.value.validation.backtests import (
    LEARN_LIMIT,
    Backtest,
    attempt,
    check_answer,
    draw_customers,
    fit_model,
    sample_window,
)
from engines.value.validation.baselines import BASELINES, fitted_baselines
from engines.value.validation.choice import AUTO, CHANCE, ModelChoice, OriginLosses, choose, days_learned_from
from engines.value.validation.forecast import OneForecast
from engines.value.validation.new_customers import model_record
from engines.value.validation.plan import Cut, Origins, lesson_days, plan_origins, training_cuts, windows
from engines.value.validation.receipts import Terms, receipt, season_record
from engines.value.validation.season import season_of
from engines.value.validation.spread import TotalSpread, spread_of

#: The columns that are a contribution where there is a margin.
MONEY = (CLV, CLV_LOW, CLV_HIGH)


@dataclass(frozen=True)
class Settings:
    """How value is worked out: ``[clv]`` and ``[churn]`` of the configuration, and the seed of everything random.

    ``margin``: the share of spend that CLV is; at 1 what the costs in the sales leave of it, where there are any.
    ``acquisition_cost``: of one customer, in the currency of the sales.
    """

    model: str = AUTO
    horizon_weeks: int = 26
    discount_rate: float = 0.10
    interval: float = 0.8
    churn_days: int = 90
    min_history_days: int = 14
    seed: int = 0
    margin: float = 1.0
    acquisition_cost: float = 0.0


@dataclass(frozen=True)
class Kept:
    """A choice of models that was made before, with its receipt. ``as_of``: of the customers that it was made for."""

    choice: ModelChoice
    as_of: date
    receipt: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Appraisal:
    """What customers are worth.

    ``columns``: exactly ``VALUE_COLUMNS``, on the customers' index; churn risk is missing where it is not known yet.
    ``model``: JSON-ready, as of :func:`engines.value.estimate`, with ``churn`` and ``spend``: which model gave them,
    ``choice``: see :class:`~engines.value.validation.choice.ModelChoice`, ``forecast``: the models that could be fitted
    today, by part, ``chosen_as_of``: the date it was made for, and
    ``records``: what is kept of the models beside the lifetime model. ``notes``: sentences for people. ``receipt``: see
    :func:`engines.value.validation.receipts.receipt`; None where the history is too short for a test.
    """

    columns: DataFrame
    model: dict[str, Any]
    notes: tuple[str, ...]
    receipt: dict[str, Any] | None


@dataclass(frozen=True)
class Agenda:
    """Which dates are looked back at: the origins, and what is learned from and carried forward for today."""

    origins: Origins | None
    training: tuple[Cut, ...]
    before: date | None = None

    @property
    def dates(self) -> set[date]:
        """Every date as of which the customers are needed."""
        days = {day for cut in self.training for day in (cut.as_of, cut.end)}
        days |= {self.before} if self.before is not None else set()
        return days.union(*(plan.dates for plan in self.origins.plans)) if self.origins is not None else days

    def kept(self, day: date, customers: DataFrame, seed: int = 0) -> DataFrame:
        """What is needed of the customers of a date: of many, only a sample where models learn, and sums elsewhere."""
        plans = self.origins.plans if self.origins is not None else ()
        training = {cut for plan in plans for cut in plan.training}.union(self.training)
        learned = {cut.as_of for cut in training} | {plan.test.as_of for plan in plans[1:]}
        cuts = (*training, *(cut for plan in plans for cut in (plan.test, plan.risk)))
        counted = {plan.before for plan in plans} | {cut.end for cut in cuts} | {self.before}
        if (plans and day == plans[0].test.as_of) or (day in learned and day in counted):
            return customers
        return draw_customers(customers, seed) if day in learned else customers[[REPEAT_PURCHASES, MONETARY]]

    def backtests(self, tables: Mapping[date, DataFrame], activity: DataFrame | None = None) -> tuple[Backtest, ...]:
        """The origins with their customers, the latest first: the one that is shown, then those that choose."""
        plans = self.origins.plans if self.origins is not None else ()
        return tuple(Backtest.of(plan, tables, activity) for plan in plans)


def agenda(
    first_day: date, as_of: date, settings: Settings, *, cutoff: date | None = None, kept: Kept | None = None
) -> Agenda:
    """What to look back at.

    With a cut-off the last origin is everything from it on, and nothing is learned for today; with a choice that was
    kept there is no origin.

    Raises:
        InputError: a cut-off that leaves too little before or after it.
    """
    ahead, near = settings.horizon_weeks * 7, settings.churn_days
    if cutoff is not None:
        return Agenda(plan_origins(first_day, as_of, ahead, near, cutoff=cutoff), ())
    before = as_of - timedelta(days=ahead)
    return Agenda(
        plan_origins(first_day, as_of, ahead, near) if kept is None else None,
        training_cuts(first_day, as_of, lesson_days(ahead, near)),
        before if before > first_day else None,
    )


def usable_models() -> dict[str, ValueModel]:
    """Every registered value model that can be used, with its default settings, by name."""
    return {item.name: item.kind.from_settings({}) for item in registered_models() if item.kind is not None}


def judge(
    looked_at: Agenda,
    tables: Mapping[date, DataFrame],
    settings: Settings,
    models: Mapping[str, ValueModel],
    lessons: Lessons | None = None,
    data_set: str = "",
    activity: DataFrame | None = None,
) -> tuple[ModelChoice, dict[str, Any] | None]:
    """The choice of models by the earlier origins of an agenda, and the receipt of the last one.

    The receipt is None where the history is too short for a test. ``activity``: purchases by day, for the season.
    """
    lessons = lessons or Lessons(settings.seed)
    backtests = looked_at.backtests(tables, activity)
    choice = choose(
        models,
        backtests[1:],
        settings.model,
        min_history_days=settings.min_history_days,
        seed=settings.seed,
        lessons=lessons,
    )
    if not backtests:
        return choice, None
    terms = Terms(settings.horizon_weeks, settings.min_history_days, settings.interval, settings.seed, data_set)
    return choice, receipt(models, backtests[0], choice, terms, lessons)


def appraise(
    customers: DataFrame,
    tables: Mapping[date, DataFrame],
    first_day: date,
    as_of: date,
    settings: Settings,
    kept: Kept | None = None,
    data_set: str = "",
    activity: DataFrame | None = None,
) -> Appraisal:
    """What customers are worth as of a day: one forecast, by models that were chosen on the days before it.

    Purchases, the chance of one and spend come from the models that :func:`~engines.value.validation.choice.choose`
    picks, fitted again on all that is known today, and are put together so that they agree
    (:mod:`engines.value.validation.forecast`). CLV is the discounted spend, its interval that of the lifetime model
    moved to this forecast; buying again and churn risk are one curve at two times.

    Args:
        customers: as of ``as_of``, with the feature columns, indexed by customer id in code point order.
        tables: the same as of every date of the agenda.
        first_day: day of the first sale.
        as_of: the day up to which (exclusive) sales are known.
        settings: see :class:`Settings`.
        kept: a choice that was made before and shall stand; nothing is tested then.
        data_set: its name: what is known beforehand of data sets leaves out that one.
        activity: purchases by day, see :func:`engines.features.purchase_days`; without it there is no season.

    Raises:
        InputError: no such model, or customers that cannot be valued.
    """
    if settings.model not in (AUTO, *LIFETIMES):
        names = ", ".join((*LIFETIMES, AUTO))
        raise InputError(
            "[clv] model = {model!r} is no lifetime model; choose from {known}.", model=settings.model, known=names
        )
    models = usable_models()
    dated = {**tables, as_of: customers}
    lessons = Lessons(settings.seed)
    looked_at = agenda(first_day, as_of, settings, kept=kept)
    if kept is None:
        choice, proof = judge(looked_at, dated, settings, models, lessons, data_set, activity)
    else:
        choice, proof = kept.choice, None if kept.receipt is None else dict(kept.receipt)
    forecast, notes = _today(choice, models, looked_at, dated, as_of, settings, lessons, activity)
    weeks, risk_weeks = float(settings.horizon_weeks), settings.churn_days / 7
    chances = forecast.chances(customers, sorted({weeks, risk_weeks}))
    expected = None if forecast.of_one_model else forecast.predict(customers, weeks).assign(**{CHANCE: chances[weeks]})
    valuation = estimate(
        customers,
        horizon_weeks=settings.horizon_weeks,
        discount_rate=settings.discount_rate,
        model=forecast.choice.lifetime,
        interval=settings.interval,
        seed=settings.seed,
        fit=forecast.lifetime,
        expected=expected,
    )
    columns = valuation.columns.copy()
    unknown = (customers[TENURE] < settings.min_history_days).to_numpy()
    columns[CHURN_RISK] = (1.0 - chances[risk_weeks]).mask(unknown)
    margin = margin_of(customers, settings.margin)
    in_all = _in_all(columns, margin)
    columns[list(MONEY)] = columns[list(MONEY)].mul(margin.shares, axis=0)
    origins = list(choice.origins)
    if proof is not None and proof.get("last_origin"):
        origins.insert(0, OriginLosses(**proof["last_origin"]))
    spread = spread_of(choice, origins, settings.horizon_weeks * 7, data_set)
    details = {
        **valuation.model,
        "total": _with_margin(_widened(valuation.model["total"], spread, settings.interval), in_all)
        | {"verdict": None if proof is None else (proof["coverage"] or {}).get("total")},
        "margin": margin.of_shop,
        "margin_source": margin.source,
        "acquisition": _acquisition(customers, columns, settings, margin),
        "spread": spread.to_dict(),
        "churn": {
            **_part(forecast.choice.churn, models, forecast.curve, risk_weeks),
            "days": settings.churn_days,
            "min_history_days": settings.min_history_days,
            "unknown": int(unknown.sum()),
        },
        "spend": _part(forecast.choice.ltv, models, forecast.spend, weeks),
        "choice": choice.to_dict(),
        "forecast": {name: getattr(forecast.choice, name) for name in ("lifetime", "purchases", "churn", "ltv")},
        "chosen_as_of": (as_of if kept is None else kept.as_of).isoformat(),
        "records": forecast.to_record(),
        "season": season_record(forecast, weeks),
    }
    notes = [*valuation.notes, *notes, *_notes(choice, models, proof, kept, customers, margin)]
    notes += _season_notes(details["season"])
    return Appraisal(columns[list(VALUE_COLUMNS)], details, tuple(notes), proof)


def _today(
    choice: ModelChoice,
    models: Mapping[str, ValueModel],
    looked_at: Agenda,
    tables: Mapping[date, DataFrame],
    as_of: date,
    settings: Settings,
    lessons: Lessons,
    activity: DataFrame | None,
) -> tuple[OneForecast, list[str]]:
    """The chosen models fitted on all that is known today, and a note for each that could not be."""
    customers = tables[as_of]
    learned = tuple(sample_window(each, settings.seed) for each in windows(looked_at.training, tables))
    fitted: dict[str, FittedValueModel] = {}
    notes = []
    if looked_at.before is not None:
        fitted |= fitted_baselines(tables[looked_at.before], settings.horizon_weeks)
    for name in choice.names:
        if name in models:
            made, note = attempt(models[name], partial(_fitted, models[name], customers, learned, settings, lessons))
            if made is not None:
                fitted[name] = made
            else:
                notes.append(note)
    season, lifetime = None, fitted.get(choice.lifetime)
    if activity is not None and isinstance(lifetime, FittedLifetime):
        before = None if looked_at.before is None else (looked_at.before, settings.horizon_weeks * 7)
        past = days_learned_from(choice.names, looked_at.training, before)
        season = season_of(activity, as_of, lifetime.lifetime.model, past)
    forecast = OneForecast.of(choice, fitted, season)
    if forecast is None:  # what a lifetime model cannot be fitted to is an error of its own
        x = models[choice.lifetime].fit(customers, ())
        forecast = OneForecast.of(ModelChoice.of_one(choice.lifetime), {choice.lifetime: x})
    assert forecast is not None
    return forecast, [*notes, *forecast.notes]


def _fitted(
    model: ValueModel, customers: DataFrame, past: Any, settings: Settings, lessons: Lessons
) -> FittedValueModel:
    """A model fitted today that gives sound answers for the horizon."""
    fitted = fit_model(model, customers, past, lessons)
    if model.learns:
        check_answer(fitted.predict(customers, float(settings.horizon_weeks)), model, customers)
    return fitted


def _widened(total: Mapping[str, Any], spread: TotalSpread, level: float) -> dict[str, Any]:
    """The totals, their ranges widened by what origins and other data sets missed; the model's own ones are kept."""
    found = dict(total)
    for name, question in (("clv", "ltv"), ("spend", "ltv"), ("purchases", "purchases")):
        own = Interval(*total[f"{name}_range"])
        found[f"{name}_range"] = list(spread.widened(float(total[name]), own, level, question))
        found[f"{name}_range_of_model"] = list(own)
    return found


def _with_margin(total: Mapping[str, Any], margin: float) -> dict[str, Any]:
    """The totals with CLV as a contribution; spend stays spend."""
    found = dict(total)
    found["clv"] = margin * found["clv"]
    for name in ("clv_range", "clv_range_of_model"):
        found[name] = [margin * end for end in found[name]]
    return found


def _in_all(columns: DataFrame, margin: Margin) -> float:
    """What of all customers' expected spend is left: their shares, weighed with it."""
    clv = columns[CLV].to_numpy(np.float64)
    if margin.source != "cost" or not clv.sum() > 0:
        return margin.of_shop
    return float(np.sort(clv * margin.shares.to_numpy()).sum() / np.sort(clv).sum())


def _acquisition(customers: DataFrame, columns: DataFrame, settings: Settings, margin: Margin) -> dict[str, Any] | None:
    """What customers who came within the churn days have brought and are likely to bring, beside what one costs."""
    new = (customers[TENURE] <= settings.churn_days).to_numpy()
    if not settings.acquisition_cost or not new.any():
        return None
    left = customers[MONETARY] - customers[COST] if margin.source == "cost" else margin.of_shop * customers[MONETARY]
    so_far = float(np.sort(left.to_numpy(np.float64)[new]).mean())
    ahead = float(np.sort(columns[CLV].to_numpy(np.float64)[new]).mean())
    return {
        "cost": settings.acquisition_cost,
        "days": settings.churn_days,
        "customers": int(new.sum()),
        "so_far": so_far,
        "ahead": ahead,
        "left": so_far + ahead - settings.acquisition_cost,
    }


def _part(name: str, models: Mapping[str, ValueModel], fitted: FittedValueModel, weeks: float) -> dict[str, Any]:
    model = models.get(name)
    return {
        "model": name,
        "title": model.title if model is not None else BASELINES[name],
        "learns": model.learns if model is not None else False,
        "weeks": weeks,
        "parameters": model_record(fitted),
    }


def _season_notes(season: Mapping[str, Any] | None) -> list[str]:
    """What season and trend do to the forecast; nothing where the history is too short for them."""
    if season is None:
        return []
    if not season["used_for"]:
        return [
            message(
                "Season and trend are left out: totals were no closer with them at earlier cut-offs, or there are too "
                "few cut-offs to tell."
            )
        ]
    titles = {"purchases": message("purchases"), "ltv": message("spend")}
    return [
        message(
            "The forecast allows for season and trend, because totals were closer with them at earlier cut-offs: "
            "{what} {change:+.0%} in the weeks ahead.",
            what=titles[question],
            change=season["factors"][question] - 1.0,
        )
        for question in season["used_for"]
    ]


def _notes(
    choice: ModelChoice,
    models: Mapping[str, ValueModel],
    proof: Mapping[str, Any] | None,
    kept: Kept | None,
    customers: DataFrame,
    margin: Margin,
) -> list[str]:
    """How the models came to be chosen, and what nothing shows."""
    notes: list[str] = []
    titles = {name: model.title for name, model in models.items()} | BASELINES
    if choice.chosen:
        notes.append(
            message(
                "Chosen by {number} earlier cut-offs: purchases by {purchases}, the chance of buying by {churn}, "
                "spend by {spend}.",
                number=len(choice.origins),
                purchases=titles.get(choice.purchases, choice.purchases),
                churn=titles.get(choice.churn, choice.churn),
                spend=titles.get(choice.ltv, choice.ltv),
            )
        )
    elif proof is not None:
        notes.append(
            message(
                "{title} gives the whole forecast: it is configured, or the sales are too short to choose a model by "
                "earlier cut-offs.",
                title=titles.get(choice.lifetime, choice.lifetime),
            )
        )
    notes += _about_margin(margin, COST in customers)
    if kept is not None:
        notes.append(
            message(
                "The models are those that were chosen as of {day}; [clv] choose_again_days says for how long a choice "
                "stands.",
                day=kept.as_of,
            )
        )
    if proof is None:
        notes.append(
            message(
                "These sales are too short for a test of the models: churn risk and CLV are the lifetime "
                "model's own, and nothing shows yet how good they are."
            )
        )
    if proof is not None and len(choice.origins) < 2:
        notes.append(
            message(
                "The ranges of totals rest on fewer than 3 cut-offs of these sales, and so mostly on what was missed "
                "on other data sets."
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
    return notes


def _about_margin(margin: Margin, has_costs: bool) -> list[str]:
    """What CLV is, where it is not the spend."""
    if margin.source == "setting":
        said = message(
            "CLV is a contribution: {margin:.0%} of the expected spend, as [clv] margin says.", margin=margin.of_shop
        )
        unused = message("What the sales say of the cost of goods is not used for it; margin = 1 uses it.")
        return [said, unused] if has_costs else [said]
    if margin.source == "cost":
        return [
            message(
                "CLV is a contribution: what the expected spend leaves after the cost of goods, by the costs in the "
                "sales. {margin:.1%} was left of all that was sold; each customer has a share of their own, near this "
                "one where little was bought. [clv] margin sets one share for everyone, and --map cost= --map "
                "unit_cost= leaves the costs out.",
                margin=margin.of_shop,
            )
        ]
    if margin.source == "loss":
        return [
            message(
                "By the costs in the sales nothing is left of what was sold, so they are not used, and CLV is the "
                "spend. See that the column mapped to cost or unit_cost is the cost of the line or of one item; --map "
                "cost= --map unit_cost= leaves the costs out."
            )
        ]
    return []
