"""Registry of installed engines, value models and features: ours and those of plug-ins, read from entry points."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from engines.clustering.clusterers import wrap
from engines.contract import Adjustable, Engine, Knob
from engines.errors import InputError

#: Our own distribution: what it announces comes first.
OWN = "segmentry"

Loaded = TypeVar("Loaded")
Kind = TypeVar("Kind", bound=Adjustable)


def announcements(group: str, points: Iterable[EntryPoint] | None = None) -> tuple[EntryPoint, ...]:
    """The entry points of a group, each once: ours first, then by name and origin.

    Args:
        group: name of the entry-point group.
        points: the entry points to read instead of the installed ones.
    """
    listed = list(entry_points(group=group) if points is None else points)
    # a package installed twice over (a checkout beside an installation) announces the same thing twice
    distinct = {(point.name, point.value, origin(point)): point for point in listed}
    return tuple(sorted(distinct.values(), key=lambda point: (not is_ours(point), point.name, origin(point))))


def origin(point: EntryPoint) -> str:
    """The package that announces it, with its version."""
    return "unknown" if point.dist is None else f"{point.dist.name} {point.dist.version}"


def is_ours(point: EntryPoint) -> bool:
    """Whether it comes with the product."""
    return point.dist is not None and point.dist.name == OWN


def load(point: EntryPoint, accept: Callable[[str, Any], Loaded]) -> tuple[Loaded | None, str | None]:
    """What an entry point names, or None and the reason why it cannot be used.

    Args:
        point: the entry point.
        accept: given its name and what it names, gives what is to be used, or raises.
    """
    try:
        return accept(point.name, point.load()), None
    except Exception as error:  # noqa: BLE001 - importing and inspecting a stranger's code can raise anything at all,
        # and one broken plug-in must not take the product down: it is listed with its error
        return None, f"{type(error).__name__}: {error}"


def settings_class(loaded: type[Kind]) -> type[Kind]:
    """The class, once it is known to be whole: not abstract, with a title, and frozen where it has settings.

    Raises:
        TypeError: it is not; the message names what is missing.
    """
    if inspect.isabstract(loaded):
        raise TypeError(f"{loaded.__name__} has no fit")
    if not isinstance(getattr(loaded, "title", None), str):
        raise TypeError(f"{loaded.__name__} has no title")
    if loaded.knobs() and not loaded.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise TypeError(f"{loaded.__name__} is not a frozen dataclass")
    return loaded


@dataclass(frozen=True)
class Registered(Generic[Kind]):
    """One entry of a registry. A broken one has an ``error`` and no ``kind`` (the class); ``details`` as JSON."""

    name: str
    title: str
    summary: str
    details: Mapping[str, Any]
    knobs: tuple[Knob, ...]
    origin: str
    error: str | None
    kind: type[Kind] | None

    def to_dict(self) -> dict[str, Any]:
        """The entry as JSON-ready values."""
        return {
            "name": self.name,
            "title": self.title,
            "summary": self.summary,
            **self.details,
            "knobs": [item.to_dict() for item in self.knobs],
            "origin": self.origin,
            "error": self.error,
        }


@dataclass(frozen=True)
class Registry(Generic[Kind]):
    """The classes that an entry-point group announces.

    Args:
        group: name of the entry-point group.
        what: what its entries are, in the words of an error.
        first: the names of our own in the order in which they are shown; others follow by name.
        accept: the class made of what an entry point of this name names; raises where it is none.
        details: what entries say of themselves beside title, summary and settings; of None for a broken one.
    """

    group: str
    what: str
    first: tuple[str, ...]
    accept: Callable[[str, Any], type[Kind]]
    details: Callable[[type[Kind] | None], Mapping[str, Any]] = lambda kind: {}

    def entries(self, points: Iterable[EntryPoint] | None = None) -> tuple[Registered[Kind], ...]:
        """Every entry: ours first, then the others by name, then those whose name is taken.

        One that cannot be loaded, is not what the group is for or takes a name already taken is listed with its error.

        Args:
            points: the entry points to read instead of the installed ones.
        """
        result: dict[str, Registered[Kind]] = {}
        broken: list[Registered[Kind]] = []
        for point in sorted(announcements(self.group, points), key=self._place):
            entry = self._entry(point)
            if entry.name in result:
                taken = f"the name {entry.name!r} is already taken by {result[entry.name].origin}"
                broken.append(dataclasses.replace(entry, error=taken, kind=None, knobs=(), details=self.details(None)))
            else:
                result[entry.name] = entry
        return (*result.values(), *broken)

    def make(self, name: str, settings: Mapping[str, Any] | None = None) -> Kind:
        """The engine or model of this name with these settings; what is not named keeps its default.

        Raises:
            InputError: no such entry (the message lists those there are), a broken one, or unusable settings.
        """
        entries = self.entries()
        entry = next((item for item in entries if item.name == name), None)
        if entry is None:
            usable = ", ".join(item.name for item in entries if item.kind is not None)
            raise InputError(
                "There is no {what} {name!r}; choose from {usable}.", what=self.what, name=name, usable=usable
            )
        if entry.kind is None:
            raise InputError(
                "The {what} {name!r} of {origin} cannot be used: {error}. Mend or remove it.",
                what=self.what,
                name=name,
                origin=entry.origin,
                error=entry.error,
            )
        return entry.kind.from_settings(settings or {})

    def _place(self, point: EntryPoint) -> tuple[bool, int]:
        ours = is_ours(point)
        return not ours, self.first.index(point.name) if ours and point.name in self.first else len(self.first)

    def _entry(self, point: EntryPoint) -> Registered[Kind]:
        kind, error = load(point, self.accept)
        title, summary, knobs = (point.name, "", ()) if kind is None else (kind.title, kind.summary, kind.knobs())
        return Registered(point.name, title, summary, self.details(kind), knobs, origin(point), error, kind)


def _engine(name: str, loaded: Any) -> type[Engine]:
    """An :class:`~engines.contract.Engine`, or a scikit-learn clusterer class as it is."""
    if not isinstance(loaded, type):
        raise TypeError(f"{loaded!r} is not a class")
    if issubclass(loaded, Engine):
        return settings_class(loaded)
    estimator: Any = loaded
    if hasattr(estimator, "fit") and hasattr(estimator, "fit_predict") and hasattr(estimator, "get_params"):
        return wrap(name, estimator)
    raise TypeError(f"{estimator.__name__} is neither an engines.contract.Engine nor a scikit-learn clusterer")


#: Engines: of the group an entry names an :class:`~engines.contract.Engine` or a scikit-learn clusterer class.
ENGINES: Registry[Engine] = Registry("segmentry.engines", "engine", ("rfm", "kmeans", "gmm", "hierarchical"), _engine)
registered = ENGINES.entries
engine = ENGINES.make
