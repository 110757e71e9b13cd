"""Saves fitted models as files of plain data, and loads them without running anything that is in the file.

A model is taken apart into plain data: texts, numbers, arrays, and of each object the name of its class and its fields.
That is written with ``skops``. Objects are made again only of the frozen dataclasses that stand beside an installed
engine, ours or a plug-in's, and of the scikit-learn classes below: a file cannot name anything else, and nothing is
imported or called because it says so.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any
from zipfile import BadZipFile

import numpy as np
from pandas import DataFrame, Index
from sklearn.cluster import AffinityPropagation, Birch, KMeans, MeanShift, MiniBatchKMeans
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.utils.extmath import row_norms

from engines import registry
from engines.clustering.clusterers import WrappedClusterer
from engines.clustering.scaling import Space
from engines.columns import FREQUENCY
from engines.contract import MODEL_LIMIT, Engine, Fitted, Segment
from engines.errors import InputError
from engines.messages import Message
from engines.persistence.archive import check_archive, model_error

_MIXTURE = ("means_", "weights_", "covariances_", "precisions_cholesky_")
#: Scikit-learn's clusterers by the name they have in a file, with all that their ``predict`` looks at; the first has a
#: row of features for each group.
_ESTIMATORS: Mapping[str, tuple[type, tuple[str, ...]]] = {
    f"sklearn.{item.__name__}": (item, looked_at)
    for item, looked_at in (
        (KMeans, ("cluster_centers_",)),
        (MiniBatchKMeans, ("cluster_centers_",)),
        (MeanShift, ("cluster_centers_",)),
        (AffinityPropagation, ("cluster_centers_",)),
        (Birch, ("subcluster_centers_", "subcluster_labels_")),
        (GaussianMixture, _MIXTURE),
        (BayesianGaussianMixture, (*_MIXTURE, "weight_concentration_", "mean_precision_", "degrees_of_freedom_")),
    )
}
_FORMAT = 1
#: The entries by which an object is told from a table.
_OBJECT = {"class", "fields"}
_DEPTH = 20
#: What broken data makes of reading, making and trying a model.
_BROKEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def dump_model(fitted: Fitted, engines: Iterable[type[Engine]] = ()) -> bytes:
    """A fitted model as bytes for :func:`load_model`.

    Args:
        fitted: the model.
        engines: engines that are not registered but may be saved all the same.

    Raises:
        InputError: it holds something that is not plain data of the known classes, or is larger than ``MODEL_LIMIT``.
    """
    import skops.io  # here, for it takes seconds, and most commands keep no model

    state = {"format": _FORMAT, "model": _taken_apart(fitted, class_names(engines))}
    data: bytes = skops.io.dumps(state)
    if len(data) > MODEL_LIMIT:
        raise InputError(
            "A model of {size:,} bytes cannot be kept; at most {limit:,} are.",
            size=len(data),
            limit=MODEL_LIMIT,
        )
    return data


def load_model(data: bytes, engines: Iterable[type[Engine]] = ()) -> Fitted:
    """The fitted model that :func:`dump_model` wrote; it assigns what that assigned.

    Args:
        data: the file.
        engines: as for :func:`dump_model`.

    Raises:
        InputError: the bytes are anything else, hostile or damaged, or of a version or plug-in that is not installed;
            the message names the reason. See :func:`engines.persistence.archive.check_archive`.
    """
    import skops.io

    check_archive(data)
    try:
        state = skops.io.loads(data, trusted=[])
    except (*_BROKEN, BadZipFile) as error:
        raise model_error(f"it is damaged ({type(error).__name__})") from None
    if not isinstance(state, dict) or set(state) != {"format", "model"}:
        raise model_error("it is a skops file, but not of a model of Segmentry")
    if state["format"] != _FORMAT:
        raise model_error(f"it is of format {str(state['format'])[:20]}, and this version reads {_FORMAT}")
    try:
        fitted = _put_together(state["model"], {name: item for item, name in class_names(engines).items()})
        problem = _problem(fitted)
    except InputError:
        raise
    except _BROKEN as error:
        raise model_error(f"its parts do not fit together ({type(error).__name__}: {error})") from None
    if problem:
        raise model_error(problem)
    return fitted  # type: ignore[no-any-return]


# --- which classes --------------------------------------------------------------------------------------------------


def class_names(engines: Iterable[type[Engine]] = ()) -> dict[type, str]:
    """The classes that may stand in a file, with their names there.

    They are the frozen dataclasses that the module of an engine, or of an engine it derives from, has loaded from its
    own package. The engines are the registered ones, scikit-learn's as they are wrapped, and those given.
    """
    registered = [entry.kind for entry in registry.registered() if entry.kind is not None]
    engine_classes: list[type[Engine]] = [WrappedClusterer, *registered, *engines]
    names = {}
    for engine in engine_classes:
        for base in engine.__mro__:
            if not issubclass(base, Engine) or base is Engine:
                continue
            package = base.__module__.partition(".")[0]
            for item in vars(sys.modules[base.__module__]).values():
                if isinstance(item, type) and item.__module__.partition(".")[0] == package and _is_plain(item):
                    names[item] = _name_of(item)
    return names


def _name_of(item: type) -> str:
    """Our own classes go by their bare name, so that models outlive a move between modules."""
    ours = item.__module__.partition(".")[0] == __name__.partition(".")[0]
    return item.__qualname__ if ours else f"{item.__module__}.{item.__qualname__}"


def _is_plain(item: type) -> bool:
    return (
        dataclasses.is_dataclass(item)
        and item.__dataclass_params__.frozen  # type: ignore[attr-defined]
        and not issubclass(item, Engine)
    )


# --- taking apart ---------------------------------------------------------------------------------------------------


def _taken_apart(value: Any, names: Mapping[type, str], depth: int = 0) -> Any:
    kind = type(value)
    if depth > _DEPTH:
        raise InputError("A model that is nested so deeply cannot be kept.")
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is Message:
        return str(value)
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return value.item()
    if kind is np.ndarray and value.dtype.kind in "biuf":
        return value
    if kind in (list, tuple):
        return kind(_taken_apart(item, names, depth + 1) for item in value)
    if kind in (dict, MappingProxyType):
        if any(type(key) is not str for key in value) or set(value) == _OBJECT:
            raise InputError("A model that holds a table by something else than names cannot be kept.")
        return {key: _taken_apart(item, names, depth + 1) for key, item in value.items()}
    estimator = f"sklearn.{kind.__name__}"
    if estimator in _ESTIMATORS and _ESTIMATORS[estimator][0] is kind:
        learned = {name: getattr(value, name) for name in _ESTIMATORS[estimator][1]}
        fields = {"settings": value.get_params(deep=False), "learned": learned}
    elif kind in names:
        estimator, fields = names[kind], _fields(value)
    else:
        raise InputError(
            "A model that holds {module}.{qualname} cannot be kept.", module=kind.__module__, qualname=kind.__qualname__
        )
    return {"class": estimator, "fields": _taken_apart(fields, names, depth + 1)}


def _fields(value: Any) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(value)]
    kind = type(value)
    for name in getattr(value, "__dict__", {}):
        if name not in names and not isinstance(getattr(kind, name, None), cached_property):
            raise InputError(
                "A model with {qualname}.{name}, which is no field of it, cannot be kept.",
                qualname=kind.__qualname__,
                name=name,
            )
    return {name: getattr(value, name) for name in names}


# --- putting together -----------------------------------------------------------------------------------------------


def _put_together(value: Any, classes: Mapping[str, type]) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_put_together(item, classes) for item in value)
    if not isinstance(value, dict):
        return value
    if set(value) != _OBJECT:
        return {key: _put_together(item, classes) for key, item in value.items()}
    name, fields = value["class"], _put_together(value["fields"], classes)
    if name in _ESTIMATORS:
        return _estimator(*_ESTIMATORS[name], fields)
    if name not in classes:
        raise model_error(
            f"it holds an object of {str(name)[:80]}, which neither Segmentry nor an installed plug-in has"
        )
    return _made(classes[name], fields)


def _made(kind: type, fields: dict[str, Any]) -> Any:
    declared = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(fields) - set(declared))
    if unknown:
        raise model_error(f"it was made by another version: {kind.__name__} has no {unknown[0][:80]}")
    made: Any = object.__new__(kind)
    for name, field in declared.items():
        if name in fields:
            value = fields[name]
        elif field.default is not dataclasses.MISSING:
            value = field.default
        elif field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        else:
            raise model_error(f"it was made by another version: {kind.__name__} lacks {name}")
        object.__setattr__(made, name, value)
    return made


def _estimator(kind: type, looked_at: tuple[str, ...], fields: dict[str, Any]) -> Any:
    """A scikit-learn clusterer that can predict. Its arrays must fit: compiled code reads them without looking."""
    learned = fields["learned"]
    groups = learned[looked_at[0]]
    if set(learned) != set(looked_at) or not isinstance(groups, np.ndarray) or groups.ndim != 2 or not len(groups):
        raise model_error(f"what {kind.__name__} has learned is not there")
    made = kind(**fields["settings"])
    for name, value in learned.items():
        setattr(made, name, np.asarray(value, dtype=np.float64) if name == looked_at[0] else value)
    made.n_features_in_ = groups.shape[1]
    # K-means and Birch look at these; what follows from the rest is not believed but worked out
    made._n_threads, made._subcluster_norms = 1, row_norms(groups, squared=True)
    return made


def _problem(fitted: Any) -> str:
    """What is wrong with a model, told by trying it on a customer; nothing if it works.

    What a plug-in's model looks at is not known here: it is tried when it is used.
    """
    if not isinstance(fitted, Fitted):
        return f"it is of {type(fitted).__name__}, which is no model"
    keys = {item.key for item in fitted.segments if isinstance(item, Segment)}
    if not keys or not all(type(key) is int for key in keys):
        return "it has no segments"
    place = getattr(fitted, "place", None)
    if isinstance(place, Space):
        customer = DataFrame({name: [1.0] for name in (*place.columns, FREQUENCY)}, index=Index(["1"]))
        if not set(fitted.assign(customer)) <= keys:
            return "it assigns customers to segments that it does not have"
    return ""
