"""Registry of installed value models, ours and those of plug-ins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engines.registry import Registry, settings_class
from engines.value.contract import ANSWERS, ValueModel


def _model(name: str, loaded: Any) -> type[ValueModel]:
    if not isinstance(loaded, type):
        raise TypeError(f"{loaded!r} is not a class")
    if not issubclass(loaded, ValueModel):
        raise TypeError(f"{loaded.__name__} is not an engines.value.contract.ValueModel")
    model = settings_class(loaded)
    answers = getattr(model, "answers", ())
    if not answers or not set(answers) <= set(ANSWERS):
        raise TypeError(f"{model.__name__} must say in answers which of {', '.join(ANSWERS)} it gives")
    return model


def _details(model: type[ValueModel] | None) -> Mapping[str, Any]:
    return {"answers": list(model.answers) if model else [], "learns": model.learns if model else False}


VALUE_MODELS: Registry[ValueModel] = Registry(
    "segmentry.value_models",
    "value model",
    (
        *("bg_nbd", "mbg_nbd", "pareto_nbd"),
        *("recency", "logistic", "boosting", "xgboost", "tweedie", "two_part"),
    ),
    _model,
    _details,
)
registered_models = VALUE_MODELS.entries
value_model = VALUE_MODELS.make
