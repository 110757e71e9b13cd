"""Value of new customers, by the models of an earlier day, so that even one alone has a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pandas import DataFrame

from engines.columns import (
    CHURN_RISK,
    CLV,
    CLV_HIGH,
    CLV_LOW,
    EXPECTED_PURCHASE_VALUE,
    EXPECTED_PURCHASES,
    P_ALIVE,
    P_PURCHASE,
    TENURE,
)
from engines.value.contract import FittedValueModel
from engines.value.lifetime.clv import revalue
from engines.value.lifetime.gamma_gamma import GammaGamma, ValueFit
from engines.value.lifetime.lifetime import LifetimeFit
from engines.value.lifetime.models import LIFETIMES, FittedLifetime, LifetimeValueModel
from engines.value.lifetime.uncertainty import Uncertainty
from engines.value.registry import value_model
from engines.value.validation.baselines import BASELINES
from engines.value.validation.choice import CHANCE, ModelChoice
from engines.value.validation.forecast import OneForecast, restored
from engines.value.validation.season import Season


def model_record(fitted: object) -> dict[str, float] | None:
    """What has to be kept of a fitted model to ask it again: its parameters; None where these are not all there is."""
    if not isinstance(fitted, FittedLifetime):
        return None
    return {**fitted.lifetime.model.parameters(), **fitted.value.model.parameters()}


def reappraise(customers: DataFrame, model: Mapping[str, Any]) -> tuple[DataFrame, dict[str, str]]:
    """The value columns that an appraisal's models can give to customers, and who would give the others.

    Args:
        customers: with the feature columns; one or many.
        model: the ``model`` of an :class:`~engines.value.appraisal.Appraisal` or an older valuation, also when it has
            been through JSON.

    Returns:
        Value columns; and for each of those that is not among them, because it came from a model that is not kept, the
        title of that model.

    Raises:
        InputError: a column is missing or has a value that cannot be.
    """
    if "forecast" not in model:
        return _by_older(customers, model)
    kept = model.get("season")
    season = None if kept is None else Season.from_record(kept)
    choice = ModelChoice(**model["forecast"], season=() if kept is None else tuple(kept["used_for"]))
    churn = model["churn"]
    if choice.names == (choice.lifetime,):
        fitted: dict[str, FittedValueModel] = {choice.lifetime: _restored_lifetime(model)}
    else:
        records = model.get("records", {})
        fitted = {name: restored(entry) for name, entry in records.items() if entry is not None}
        fitted[choice.lifetime] = _restored_lifetime(model)
    forecast = OneForecast.of(choice, fitted, season)
    assert forecast is not None
    weeks, risk_weeks = float(model["horizon_weeks"]), float(churn["days"]) / 7
    chances = forecast.chances(customers, sorted({weeks, risk_weeks}))
    expected = None if forecast.of_one_model else forecast.predict(customers, weeks).assign(**{CHANCE: chances[weeks]})
    columns = revalue(customers, model, expected)
    columns[CHURN_RISK] = (1.0 - chances[risk_weeks]).mask(customers[TENURE] < int(churn["min_history_days"]))
    columns[[CLV, CLV_LOW, CLV_HIGH]] *= float(model.get("margin", 1.0))
    titles = {churn["model"]: str(churn["title"]), model["spend"]["model"]: str(model["spend"]["title"])} | BASELINES
    without = {
        column: titles.get(name, name)
        for question, of_question in _COLUMNS.items()
        if (name := getattr(choice, question)) not in fitted
        for column in of_question
    }
    return columns.drop(columns=list(without)), without


#: The columns that a part of the forecast goes into.
_COLUMNS = {
    "purchases": (EXPECTED_PURCHASES, EXPECTED_PURCHASE_VALUE),
    "churn": (P_PURCHASE, CHURN_RISK, P_ALIVE, EXPECTED_PURCHASES, CLV_LOW, CLV_HIGH),
    "ltv": (CLV, CLV_LOW, CLV_HIGH, EXPECTED_PURCHASE_VALUE),
}


def _restored_lifetime(model: Mapping[str, Any]) -> FittedLifetime:
    name = str(model["model"])
    return FittedLifetime(
        LifetimeFit(LIFETIMES[name](**model[name]["parameters"]), "kept", 0.0, True),
        ValueFit(GammaGamma(**model["gamma_gamma"]["parameters"]), "kept", 0.0, True),
        {},
        Uncertainty.from_dict(model.get("uncertainty")),
        (),
    )


def _by_older(customers: DataFrame, model: Mapping[str, Any]) -> tuple[DataFrame, dict[str, str]]:
    """As older snapshots have it: churn risk by a model of its own, where that is a lifetime model."""
    columns = revalue(customers, model)
    entry = model.get("churn", {})
    if "model" not in entry:
        return columns, {}  # older still: the lifetime model's own answer
    fitted = _restored_fit(entry)
    if fitted is None:
        return columns.drop(columns=CHURN_RISK), {CHURN_RISK: str(entry["title"])}
    young = customers[TENURE] < int(entry["min_history_days"])
    columns[CHURN_RISK] = (1.0 - fitted.predict(customers, float(entry["weeks"]))["p_purchase"]).mask(young)
    return columns, {}


def _restored_fit(entry: Mapping[str, Any]) -> FittedLifetime | None:
    parameters = entry.get("parameters")
    if parameters is None:
        return None
    model = value_model(str(entry["model"]))
    if not isinstance(model, LifetimeValueModel):
        return None
    own = {name: value for name, value in parameters.items() if name in model.kind.__dataclass_fields__}  # type: ignore[attr-defined]
    value = GammaGamma(*(parameters[name] for name in ("p", "q", "v")))
    return FittedLifetime(
        LifetimeFit(model.kind(**own), "kept", 0.0, True),
        ValueFit(value, "kept", 0.0, True),
        parameters,
        Uncertainty.from_dict(None),
        (),
    )
