"""Checks of what a fitted engine returns: segments, diagnostics, labels, membership, space and explanations.

An engine may be anyone's plug-in. What it gets wrong is an error that names the engine, before anything is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from pandas import DataFrame, Index, Series
from pandas.api.types import is_integer_dtype

from engines.clustering.clusterers import NOISE
from engines.clustering.sampling import encode_keys
from engines.clustering.scaling import Matrix
from engines.contract import Fitted, Segment
from engines.errors import InputError

#: Of so many customers a membership is looked at.
_LOOKED_AT = 100


def engine_error(title: str, what: str) -> InputError:
    """The error that says what an engine got wrong, and the remedy."""
    return InputError("{title} cannot be used: {what}. Mend the engine, or choose another.", title=title, what=what)


def check_fitted(title: str, fitted: Fitted) -> None:
    """Refuse a model that is not whole: it needs segments with keys of their own, and diagnostics that are numbers.

    Raises:
        InputError: names the engine and what is wrong.
    """
    if not isinstance(fitted, Fitted):
        raise engine_error(
            title, f"its fit returns {type(fitted).__name__}, which has no segments, diagnostics and assign"
        )
    segments = fitted.segments
    if not isinstance(segments, (tuple, list)) or not all(isinstance(item, Segment) for item in segments):
        raise engine_error(title, "its segments are not a tuple of engines.contract.Segment")
    keys = [item.key for item in segments]
    if not all(isinstance(key, Integral) and not isinstance(key, bool) for key in keys):
        raise engine_error(title, f"the keys of its segments are not whole numbers: {keys}")
    twice = [key for key in keys if keys.count(key) > 1]
    if twice:
        raise engine_error(title, f"two of its segments have the key {twice[0]}")
    if not isinstance(fitted.diagnostics, Mapping):
        raise engine_error(title, f"its diagnostics are {type(fitted.diagnostics).__name__}, not numbers by name")
    for name, value in fitted.diagnostics.items():
        if not isinstance(name, str) or not isinstance(value, Real) or not np.isfinite(float(value)):
            raise engine_error(title, f"its diagnostic {name!r} is {value!r}, which is no finite number")


def labels_of(title: str, fitted: Fitted, customers: DataFrame) -> Series:
    """The segment key (int64) of each customer, on the customers' index.

    Args:
        title: of the engine.
        fitted: its model.
        customers: one row each, every id once.

    Raises:
        InputError: a customer without a key or with one of no segment, or another index; names the engine.
    """
    labels = fitted.assign(customers)
    if not isinstance(labels, Series):
        raise engine_error(title, f"its assign returns {type(labels).__name__}, not a pandas Series of segment keys")
    _check_index(title, "assign", labels.index, customers.index)
    empty = labels.isna()
    if empty.any():
        raise engine_error(
            title, f"{int(empty.sum())} customers have no segment, the first is {labels.index[empty][0]}"
        )
    if not is_integer_dtype(labels.dtype):
        raise engine_error(title, f"its segment keys are {labels.dtype}, not whole numbers")
    keys = labels.astype(np.int64)
    allowed = [NOISE, *(item.key for item in fitted.segments)]
    strange = sorted(set(encode_keys(keys.to_numpy())[0].tolist()) - set(allowed))
    if strange:
        those = f"its segments are {', '.join(map(str, allowed[1:]))}" if allowed[1:] else "it has no segments"
        raise engine_error(title, f"it puts customers into segment {strange[0]}, where {those}")
    return keys


def check_membership(title: str, fitted: Any, customers: DataFrame, labels: Series) -> None:
    """Refuse a ``membership`` that is no probability of each segment for each customer; where there is none, nothing.

    Only the first customers are looked at. A model may refuse them with an InputError: it has no membership for them.

    Raises:
        InputError: names the engine and what is wrong.
    """
    if not hasattr(fitted, "membership"):
        return
    some = customers.iloc[:_LOOKED_AT]
    try:
        membership = fitted.membership(some)
    except InputError:
        return
    if not isinstance(membership, DataFrame):
        raise engine_error(
            title, f"its membership is {type(membership).__name__}, not a table with a column for each segment"
        )
    _check_index(title, "membership", membership.index, some.index)
    keys = {item.key for item in fitted.segments}
    if (
        len(set(membership.columns)) < len(membership.columns)
        or not set(labels[: len(some)]) <= set(membership.columns) <= keys
    ):
        raise engine_error(
            title, f"the columns of its membership, {list(membership.columns)}, are not the keys of its segments"
        )
    values = membership.to_numpy(dtype=np.float64, na_value=np.nan)
    if not ((values >= -1e-9) & (values <= 1 + 1e-9)).all():
        raise engine_error(title, "its membership has values that are no probabilities from 0 to 1")


def space_of(title: str, fitted: Any, customers: DataFrame) -> Matrix | None:
    """Where customers lie in the engine's own space, shape (customers, dimensions); None where it has none.

    Raises:
        InputError: it is no matrix of finite numbers with a row for each customer; names the engine.
    """
    if not hasattr(fitted, "space"):
        return None
    matrix = np.asarray(fitted.space(customers), dtype=np.float64)
    if matrix.ndim != 2 or len(matrix) != len(customers):
        raise engine_error(title, f"its space has the shape {matrix.shape} for {len(customers)} customers")
    if not np.isfinite(matrix).all():
        raise engine_error(title, "its space has values that are no finite numbers")
    return matrix


def explanation_of(title: str, fitted: Any, customers: DataFrame) -> DataFrame | None:
    """What the engine says of why customers are in their segments (see ``Fitted``); None where it says nothing.

    Raises:
        InputError: it fails, or is no table with a row for each customer; names the engine.
    """
    if not hasattr(fitted, "explain"):
        return None
    try:
        explanation = fitted.explain(customers)
    except InputError:
        raise
    except Exception as error:
        raise engine_error(title, f"its explain failed with {type(error).__name__}: {error}") from error
    if not isinstance(explanation, DataFrame):
        raise engine_error(
            title, f"its explain returns {type(explanation).__name__}, not a table with a row for each customer"
        )
    _check_index(title, "explain", explanation.index, customers.index)
    return explanation


def _check_index(title: str, what: str, index: Index, expected: Index) -> None:
    """The index must be that of the customers: everyone once, in their order."""
    if index.equals(expected):
        return
    missing, extra = expected.difference(index), index.difference(expected)
    if not index.is_unique and expected.is_unique:
        problem = f"has customer {index[index.duplicated()][0]} more than once"
    elif len(missing):
        problem = f"leaves out {len(missing)} customers, the first is {missing[0]}"
    elif len(extra):
        problem = f"has {len(extra)} customers it was not given, the first is {extra[0]}"
    else:
        problem = "does not keep the customers' order"
    raise engine_error(title, f"its {what} {problem}")
