"""Lists every engine that is installed, ours and anyone else's, and makes them from their settings."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from engines.clustering.clusterers import wrap
from engines.contract import Engine, Knob
from engines.errors import InputError

#: Our own distribution: what it announces comes first.
OWN = "segmentry"


def announcements(group: str, points: Iterable[EntryPoint] | None = None) -> tuple[EntryPoint, ...]:
    """The entry points of a group, each once: ours first, then by name and origin.

    Args:
        group: name of the entry-point group.
        points: the entry points to read instead of the installed ones.
    """
    found = list(entry_points(group=group) if points is None else points)
    # a package installed twice over (a checkout beside an installation) announces the same thing twice
    distinct = {(point.name, point.value, origin(point)): point for point in found}
    return tuple(sorted(distinct.values(), key=lambda point: (not is_ours(point), point.name, origin(point))))


def origin(point: EntryPoint) -> str:
    """The package that announces it, with its version."""
    return "unknown" if point.dist is None else f"{point.dist.name} {point.dist.version}"


def is_ours(point: EntryPoint) -> bool:
    """Whether it comes with the product."""
    return point.dist is not None and point.dist.name == OWN


GROUP = "segmentry.engines"
#: The order in which our own engines are shown; others follow by name.
_FIRST = ("rfm", "kmeans", "gmm", "hierarchical")


@dataclass(frozen=True)
class Registered:
    """One entry of the list of engines. A broken one has an ``error`` and no ``engine``."""

    name: str
    title: str
    summary: str
    knobs: tuple[Knob, ...]
    origin: str
    error: str | None
    engine: type[Engine] | None

    def to_dict(self) -> dict[str, Any]:
        """The entry as JSON-ready values."""
        return {
            "name": self.name,
            "title": self.title,
            "summary": self.summary,
            "knobs": [item.to_dict() for item in self.knobs],
            "origin": self.origin,
            "error": self.error,
        }


def registered(points: Iterable[EntryPoint] | None = None) -> tuple[Registered, ...]:
    """Every engine of the entry-point group ``segmentry.engines``: our four first, then the others by name.

    An entry point names an :class:`~engines.contract.Engine` or a scikit-learn clusterer class as it is. One that
    cannot be loaded, is neither of the two or takes a name already taken is listed with its error.

    Args:
        points: the entry points to read instead of the installed ones.
    """
    result: dict[str, Registered] = {}
    broken: list[Registered] = []
    for point in sorted(announcements(GROUP, points), key=_place):
        entry = _entry(point)
        if entry.name in result:
            taken = f"the name {entry.name!r} is already taken by {result[entry.name].origin}"
            broken.append(dataclasses.replace(entry, error=taken, engine=None, knobs=()))
        else:
            result[entry.name] = entry
    return (*result.values(), *broken)


def engine(name: str, settings: Mapping[str, Any] | None = None) -> Engine:
    """The engine of this name with these settings; what is not named keeps its default.

    Raises:
        InputError: no such engine (the message lists those there are), a broken one, or unusable settings.
    """
    entries = registered()
    entry = next((item for item in entries if item.name == name), None)
    if entry is None:
        usable = ", ".join(item.name for item in entries if item.engine is not None)
        raise InputError(f"There is no engine {name!r}; choose from {usable}.")
    if entry.engine is None:
        raise InputError(f"The engine {name!r} of {entry.origin} cannot be used: {entry.error}. Mend or remove it.")
    return entry.engine.from_settings(settings or {})


def _place(point: EntryPoint) -> tuple[bool, int]:
    ours = is_ours(point)
    return not ours, _FIRST.index(point.name) if ours and point.name in _FIRST else len(_FIRST)


def _entry(point: EntryPoint) -> Registered:
    whose = origin(point)
    try:
        loaded = point.load()
        made = _as_engine(point.name, loaded)
        return Registered(point.name, made.title, made.summary, made.knobs(), whose, None, made)
    except Exception as error:  # noqa: BLE001 - importing and inspecting a stranger's code can raise anything at all,
        # and one broken plug-in must not take the product down: it is listed with its error
        reason = f"{type(error).__name__}: {error}"
        return Registered(point.name, point.name, "", (), whose, reason, None)


def _as_engine(name: str, loaded: Any) -> type[Engine]:
    if not isinstance(loaded, type):
        raise TypeError(f"{loaded!r} is not a class")
    estimator: type[Any] = loaded
    if issubclass(loaded, Engine):
        if inspect.isabstract(loaded):
            raise TypeError(f"{loaded.__name__} has no fit")
        if not isinstance(getattr(loaded, "title", None), str):
            raise TypeError(f"{loaded.__name__} has no title")
        if loaded.knobs() and not loaded.__dataclass_params__.frozen:  # type: ignore[attr-defined]
            raise TypeError(f"{loaded.__name__} is not a frozen dataclass")
        return loaded
    if hasattr(estimator, "fit") and hasattr(estimator, "fit_predict") and hasattr(estimator, "get_params"):
        return wrap(name, estimator)  # type: ignore[arg-type]  # mypy doubts that classes are hashable
    raise TypeError(f"{estimator.__name__} is neither an engines.contract.Engine nor a scikit-learn clusterer")
