"""Value of new customers, by the models of an earlier day, so that even one alone has a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pandas import DataFrame

from engines.columns import CHURN_RISK, FUTURE_SPEND, TENURE
from engines.value.lifetime.clv import revalue
from engines.value.lifetime.gamma_gamma import GammaGamma, ValueFit
from engines.value.lifetime.lifetime import LifetimeFit
from engines.value.lifetime.models import FittedLifetime, LifetimeValueModel
from engines.value.lifetime.uncertainty import Uncertainty
from engines.value.registry import value_model

#: Which column each question of :attr:`engines.value.appraisal.Appraisal.model` fills.
COLUMNS = {"churn": CHURN_RISK, "spend": FUTURE_SPEND}


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
        Value columns; and for each of those that is not among them, because it came from a model that learned from the
        past and is not kept, the title of that model.

    Raises:
        InputError: a column is missing or has a value that cannot be.
    """
    columns, without = revalue(customers, model), {}
    for question, column in COLUMNS.items():
        entry = model.get(question, {})
        if "model" not in entry:
            continue  # older snapshots: the lifetime model's own answer
        fitted = _restored_fit(entry)
        if fitted is None:
            without[column] = str(entry["title"])
            continue
        predicted = fitted.predict(customers, float(entry["weeks"]))
        if column == FUTURE_SPEND:
            columns[column] = predicted["future_spend"]
        else:
            young = customers[TENURE] < int(entry["min_history_days"])
            columns[column] = (1.0 - predicted["p_purchase"]).mask(young)
    return columns.drop(columns=list(without)), without


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
