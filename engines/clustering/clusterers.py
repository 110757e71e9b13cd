"""Base of the engines that cluster by distance: features, scaling, and assignment of new customers."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, make_dataclass
from functools import cache
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from pandas import DataFrame, Series

from engines.clustering.centres import nearest
from engines.clustering.sampling import Codes, count_distinct, threads_for
from engines.clustering.scaling import LOG, SCALINGS, Matrix, Space, fit_space
from engines.columns import FREQUENCY, MONETARY, RECENCY
from engines.contract import Engine, Segment, knob
from engines.errors import InputError
from engines.messages import message

OUTLIERS = "Outliers"
NOISE = -1


def k_knob() -> int:
    """How many segments to make."""
    return knob(4, low=1, high=50, help="Number of segments.")  # type: ignore[no-any-return]


def seed_knob() -> int:
    """Where random numbers start."""
    return knob(0, low=0, high=2**32 - 1, help="Seed of everything random: the same seed gives the same segments.")  # type: ignore[no-any-return]


def features_knob() -> tuple[str, ...]:
    """Which columns to look at."""
    return knob((RECENCY, FREQUENCY, MONETARY), help="Columns of the customer table to group by.")  # type: ignore[no-any-return]


def scaling_knob() -> str:
    """How columns are made comparable."""
    return knob(  # type: ignore[no-any-return]
        LOG,
        choices=SCALINGS,
        help="log1p: logarithm of skewed columns, then one scale; standard: one scale; none: as they are.",
    )


def components_knob() -> int:
    """Whether to turn to principal components."""
    return knob(0, low=0, high=50, help="Keep so many principal components of the features; 0 for no PCA.")  # type: ignore[no-any-return]


class Clusterer(Engine):
    """An engine that measures distances between customers; it has the knobs features, scaling and components."""

    needs: ClassVar[tuple[str, ...]] = ()
    features: tuple[str, ...]
    scaling: str
    components: int

    def space_of(self, customers: DataFrame, k: int = 1) -> tuple[Space, Matrix]:
        """The space of these customers and where they lie in it, with at least ``k`` different places.

        Raises:
            InputError: unusable features, more segments than customers, or than different customers.
        """
        space, matrix = fit_space(
            customers, self.features, self.title, scaling=self.scaling, components=self.components
        )
        if k > len(matrix):
            raise InputError(
                "{title}: k = {k} segments cannot be made of {customers} customers; choose k at most {customers}.",
                title=self.title,
                k=k,
                customers=len(matrix),
            )
        distinct = count_distinct(matrix, k)
        if distinct < k:
            raise InputError(
                "{title}: k = {k} segments cannot be made: these customers differ in {features} in only "
                "{distinct} ways. Choose k at most {distinct}, or other features.",
                title=self.title,
                k=k,
                features=", ".join(self.features),
                distinct=distinct,
            )
        return space, matrix


@dataclass(frozen=True)
class KClusterer(Clusterer):
    """A clusterer that makes k groups, with the settings that our own such engines share."""

    fit_limit: ClassVar[int] = 20_000_000

    k: int = k_knob()
    seed: int = seed_knob()
    features: tuple[str, ...] = features_knob()
    scaling: str = scaling_knob()
    components: int = components_knob()


def constant_note(space: Space) -> tuple[str, ...]:
    """A note on the features that were left out, if any."""
    if not space.constant:
        return ()
    return (message("{columns} left out of the features: the same for everyone.", columns=", ".join(space.constant)),)


def key_series(codes: Codes, customers: DataFrame) -> Series:
    """Segment keys on the customers' index."""
    return Series(codes, index=customers.index, dtype=np.int64)


@dataclass(frozen=True)
class NearestGroup:
    """A fitted clusterer that puts each customer into the group of the nearest point: a centre, or a fitted customer.

    ``points`` has shape (points, dimensions) in ``place``; ``keys`` has the group of each point.
    """

    place: Space
    points: Matrix
    keys: Codes
    segments: tuple[Segment, ...]
    diagnostics: Mapping[str, float]
    notes: tuple[str, ...] = ()
    extras: Mapping[str, Any] = field(default_factory=dict)

    def assign(self, customers: DataFrame) -> Series:
        """The key of the group of the nearest point, on the customers' index."""
        return key_series(self.keys[nearest(self.place.transform(customers), self.points)], customers)

    def space(self, customers: DataFrame) -> Matrix:
        """Where customers lie in the engine's own feature space, shape (customers, dimensions)."""
        return self.place.transform(customers)

    def distance(self, customers: DataFrame) -> Series:
        """How far each customer is from the point that decided the segment, in the engine's own space."""
        matrix = self.place.transform(customers)
        return Series(np.sqrt(((matrix - self.points[nearest(matrix, self.points)]) ** 2).sum(axis=1)), customers.index)

    def distances(self, customers: DataFrame) -> DataFrame:
        """How far each customer is from the nearest point of each segment (columns: keys), as :meth:`distance`."""
        matrix = self.place.transform(customers)
        by_key = {}
        for key in np.unique(self.keys).tolist():
            points = self.points[self.keys == key]
            by_key[key] = np.sqrt(((matrix - points[nearest(matrix, points)]) ** 2).sum(axis=1))
        return DataFrame(by_key, index=customers.index)

    def artifacts(self) -> dict[str, Any]:
        """What pages may show: the space in words, PCA's explained variance, the linkage tree; JSON-ready."""
        return {"space": self.place.title, **explained_variance(self.place), **self.extras}


def explained_variance(space: Space) -> dict[str, Any]:
    """Each principal component's share of the variance, where there is PCA."""
    return {} if space.explained is None else {"explained_variance": [float(share) for share in space.explained]}


# --- scikit-learn's clusterers as they are --------------------------------------------------------------------------


class _Estimator(Protocol):
    """As much of a scikit-learn clusterer as is used here."""

    def fit(self, matrix: Matrix) -> Self: ...
    def predict(self, matrix: Matrix) -> Codes: ...


@dataclass(frozen=True)
class FittedEstimator:
    """A fitted scikit-learn clusterer with a ``predict`` of its own."""

    place: Space
    estimator: _Estimator
    segments: tuple[Segment, ...]
    diagnostics: Mapping[str, float]
    notes: tuple[str, ...] = ()

    def assign(self, customers: DataFrame) -> Series:
        """What the estimator predicts; anything below zero is noise."""
        codes = np.asarray(self.estimator.predict(self.place.transform(customers)), dtype=np.int64)
        return key_series(np.maximum(codes, NOISE), customers)

    def space(self, customers: DataFrame) -> Matrix:
        """Where customers lie in the engine's own feature space."""
        return self.place.transform(customers)

    def artifacts(self) -> dict[str, Any]:
        """What pages may show: the space in words and PCA's explained variance."""
        return {"space": self.place.title, **explained_variance(self.place)}


class WrappedClusterer(Clusterer):
    """A scikit-learn clusterer with our scaling before it and our assignment behind it."""

    fit_limit: ClassVar[int] = 20_000  # most of them need the square of it in memory
    refit_limit: ClassVar[int] = 2_000
    estimator: ClassVar[type]
    count_parameter: ClassVar[str | None] = None

    def fit(self, customers: DataFrame) -> NearestGroup | FittedEstimator:
        """Fit the estimator on the scaled features; without a ``predict``, the nearest fitted customer decides.

        Raises:
            InputError: unusable features, k beyond the number of customers, or settings that the estimator refuses.
        """
        values = {name: getattr(self, name) for name in (item.name for item in self.knobs()) if name not in _OURS}
        k = values.pop("k", 1)
        space, matrix = self.space_of(customers, k)
        if self.count_parameter is not None:
            values[self.count_parameter] = k
        if "seed" in values:
            values["random_state"] = values.pop("seed")
        try:
            with warnings.catch_warnings(record=True) as caught, threads_for(len(matrix)):
                warnings.simplefilter("always")
                fitted = self.estimator(**values, **_CALM.get(self.estimator.__name__, {})).fit(matrix)
                predicted = fitted.predict(matrix) if hasattr(fitted, "predict") else None
        except ValueError as error:
            raise InputError(
                "{title} cannot be fitted so: {error} Change its settings or features.", title=self.title, error=error
            ) from error
        notes = (*constant_note(space), *(str(each.message).split("\n", 1)[0] for each in caught))
        if predicted is not None:
            groups = int(max(np.max(predicted), np.max(getattr(fitted, "labels_", 0)))) + 1
            noise = (NOISE,) if np.min(predicted) < 0 else ()
            return FittedEstimator(space, fitted, _segments((*noise, *range(groups))), {}, notes)
        codes = np.maximum(np.asarray(fitted.labels_, dtype=np.int64), NOISE)
        points, first = np.unique(matrix, axis=0, return_index=True)
        return NearestGroup(space, points, codes[first], _segments(set(codes[first].tolist())), {}, notes)


def _segments(keys: Iterable[int]) -> tuple[Segment, ...]:
    return tuple(Segment(key, OUTLIERS if key == NOISE else "") for key in sorted(keys))


#: Knobs that are ours, not the estimator's.
_OURS = ("features", "scaling", "components")
#: Parameters that are no business of a form.
_HIDDEN = frozenset(
    {"verbose", "verbose_interval", "n_jobs", "copy", "copy_x", "warm_start", "compute_labels", "memory"}
)
#: Parameters given so that an estimator does not warn of its own coming changes.
_CALM: dict[str, dict[str, Any]] = {"HDBSCAN": {"copy": True}}


@cache
def wrap(name: str, estimator: type[Any]) -> type[WrappedClusterer]:
    """An engine made of a scikit-learn clusterer class; its knobs are the simple ones of the constructor's defaults.

    ``n_clusters`` or ``n_components`` becomes the knob ``k``, ``random_state`` the knob ``seed``; parameters without
    a simple default keep it.
    """
    parameters = inspect.signature(estimator).parameters
    count = next((p for p in ("n_clusters", "n_components") if p in parameters), None)
    knobs: list[tuple[str, type, Any]] = []
    if count is not None:
        knobs.append(("k", int, k_knob()))
    if "random_state" in parameters:
        knobs.append(("seed", int, seed_knob()))
    for parameter in parameters.values():
        default = parameter.default
        if parameter.name in _HIDDEN or parameter.name in (count, "random_state", "k", "seed", *_OURS):
            continue
        # an infinite default cannot be written as JSON
        if isinstance(default, (bool, int, str)) or (isinstance(default, float) and np.isfinite(default)):
            text = f"{estimator.__name__}'s {parameter.name.replace('_', ' ')}; see scikit-learn's documentation."
            knobs.append((parameter.name, type(default), knob(default, help=text)))
    knobs += [
        ("features", tuple, features_knob()),
        ("scaling", str, scaling_knob()),
        ("components", int, components_knob()),
    ]
    summary = (inspect.getdoc(estimator) or "").split("\n", 1)[0] or f"{estimator.__name__} as scikit-learn makes it."
    body = {
        "title": estimator.__name__,
        "summary": summary,
        "estimator": estimator,
        "count_parameter": count,
        "__doc__": summary,
        "__module__": __name__,
    }
    made: type[WrappedClusterer] = make_dataclass(
        f"Wrapped_{name}", knobs, bases=(WrappedClusterer,), namespace=body, frozen=True
    )
    return made
