"""Lists every value model that is installed, ours and anyone else's, and makes them from their settings."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any

from engines.contract import Knob
from engines.errors import InputError
from engines.registry import announcements, is_ours, origin
from engines.value.contract import ANSWERS, Answer, ValueModel

GROUP = "segmentry.value_models"
#: The order in which our own models are shown; further ones of ours follow by name, then those of others.
_FIRST = (
    *("bg_nbd", "mbg_nbd", "pareto_nbd"),
    *("recency", "logistic", "boosting", "xgboost", "tweedie", "two_part"),
)


@dataclass(frozen=True)
class RegisteredModel:
    """One entry of the list of value models. A broken one has an ``error`` and no ``model``."""

    name: str
    title: str
    summary: str
    answers: tuple[Answer, ...]
    learns: bool
    knobs: tuple[Knob, ...]
    origin: str
    error: str | None
    model: type[ValueModel] | None

    def to_dict(self) -> dict[str, Any]:
        """The entry as JSON-ready values."""
        return {
            "name": self.name,
            "title": self.title,
            "summary": self.summary,
            "answers": list(self.answers),
            "learns": self.learns,
            "knobs": [item.to_dict() for item in self.knobs],
            "origin": self.origin,
            "error": self.error,
        }


def registered_models(points: Iterable[EntryPoint] | None = None) -> tuple[RegisteredModel, ...]:
    """Every model of the entry-point group ``segmentry.value_models``: ours first, then the others by name.

    One that cannot be loaded, is no :class:`~engines.value.contract.ValueModel` or takes a name already taken is listed
    with its error.

    Args:
        points: the entry points to read instead of the installed ones.
    """
    result: dict[str, RegisteredModel] = {}
    broken: list[RegisteredModel] = []
    for point in sorted(announcements(GROUP, points), key=_place):
        entry = _entry(point)
        if entry.name in result:
            taken = f"the name {entry.name!r} is already taken by {result[entry.name].origin}"
            broken.append(dataclasses.replace(entry, error=taken, model=None, knobs=(), answers=()))
        else:
            result[entry.name] = entry
    return (*result.values(), *broken)


def value_model(name: str, settings: Mapping[str, Any] | None = None) -> ValueModel:
    """The value model of this name with these settings; what is not named keeps its default.

    Raises:
        InputError: no such model (the message lists those there are), a broken one, or unusable settings.
    """
    entries = registered_models()
    entry = next((item for item in entries if item.name == name), None)
    if entry is None:
        usable = ", ".join(item.name for item in entries if item.model is not None)
        raise InputError(f"There is no value model {name!r}; choose from {usable}.")
    if entry.model is None:
        raise InputError(
            f"The value model {name!r} of {entry.origin} cannot be used: {entry.error}. Mend or remove it."
        )
    return entry.model.from_settings(settings or {})


def _place(point: EntryPoint) -> tuple[bool, int]:
    ours = is_ours(point)
    return not ours, _FIRST.index(point.name) if ours and point.name in _FIRST else len(_FIRST)


def _entry(point: EntryPoint) -> RegisteredModel:
    whose = origin(point)
    try:
        made = _as_model(point.load())
        return RegisteredModel(
            point.name, made.title, made.summary, made.answers, made.learns, made.knobs(), whose, None, made
        )
    except Exception as error:  # noqa: BLE001 - importing and inspecting a stranger's code can raise anything at all,
        # and one broken plug-in must not take the product down: it is listed with its error
        reason = f"{type(error).__name__}: {error}"
        return RegisteredModel(point.name, point.name, "", (), False, (), whose, reason, None)


def _as_model(loaded: Any) -> type[ValueModel]:
    if not isinstance(loaded, type):
        raise TypeError(f"{loaded!r} is not a class")
    if not issubclass(loaded, ValueModel):
        raise TypeError(f"{loaded.__name__} is not an engines.value.contract.ValueModel")
    if inspect.isabstract(loaded):
        raise TypeError(f"{loaded.__name__} has no fit")
    if not isinstance(getattr(loaded, "title", None), str):
        raise TypeError(f"{loaded.__name__} has no title")
    answers = getattr(loaded, "answers", ())
    if not answers or not set(answers) <= set(ANSWERS):
        raise TypeError(f"{loaded.__name__} must say in answers which of {', '.join(ANSWERS)} it gives")
    if loaded.knobs() and not loaded.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise TypeError(f"{loaded.__name__} is not a frozen dataclass")
    return loaded
