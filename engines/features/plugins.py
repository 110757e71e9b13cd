"""Features of plug-ins: columns of the customer table that installed packages compute from the sales."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import EntryPoint
from typing import Any, NamedTuple, Protocol, get_args

import ibis
import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from engines.columns import (
    ATTRIBUTE,
    CATEGORY_SHARE,
    DICTIONARY,
    DISTANCE,
    LINE_TYPE,
    PROBABILITY,
    SALE,
    SEGMENT,
    SEGMENT_KEY,
    Column,
    Kind,
)
from engines.errors import InputError
from engines.features.holding import holding
from engines.messages import message
from engines.registry import announcements, load, origin

GROUP = "segmentry.features"
_RESERVED = frozenset({*DICTIONARY, SEGMENT, SEGMENT_KEY, DISTANCE, PROBABILITY})
_KINDS = tuple(kind for kind in get_args(Kind) if kind not in ("text", "date"))


class Feature(Protocol):
    """What an entry point of the group ``segmentry.features`` names: a class that can be made without arguments."""

    @property
    def column(self) -> Column:
        """The column it makes, as the data dictionary would describe it."""
        ...

    def build(self, sales: ibis.Table, *, as_of: date) -> pd.Series:
        """One number per customer, indexed by customer id; who has none may be left out.

        Args:
            sales: the clean sale lines before ``as_of``, in the columns of the data dictionary; no returns, and no more
                of a line than was not returned by then, where returns take off.
            as_of: the (exclusive) date as of which customers are described.
        """
        ...


@dataclass(frozen=True)
class RegisteredFeature:
    """One entry of the list of features. A broken one has an ``error``, and neither ``column`` nor ``feature``."""

    name: str
    column: Column | None
    origin: str
    error: str | None = None
    feature: Feature | None = None


class Extended(NamedTuple):
    """A customer table with the columns of plug-ins, what those are, and why others are missing.

    ``made``: the features whose columns are there, in order. ``notes``: one sentence for each that is not.
    """

    customers: pd.DataFrame
    made: tuple[RegisteredFeature, ...]
    notes: tuple[str, ...]


def registered_features(points: Iterable[EntryPoint] | None = None) -> tuple[RegisteredFeature, ...]:
    """Every feature of the entry-point group ``segmentry.features``, by name.

    One that cannot be loaded, describes no column or makes a column that there is already is listed with its error.

    Args:
        points: the entry points to read instead of the installed ones.
    """
    result: list[RegisteredFeature] = []
    for point in announcements(GROUP, points):
        feature, error = load(point, _feature)
        entry = RegisteredFeature(
            point.name, None if feature is None else feature.column, origin(point), error, feature
        )
        twin = next(
            (item for item in result if entry.column and item.column and _same(item.column, entry.column)), None
        )
        if twin is not None:
            taken = message("{name} of {origin} makes a column of the same name", name=twin.name, origin=twin.origin)
            entry = replace(entry, column=None, error=taken, feature=None)
        result.append(entry)
    return tuple(result)


def extended(
    customers: pd.DataFrame, sales: ibis.Table, *, as_of: date, plugins: Sequence[RegisteredFeature]
) -> Extended:
    """Customers with a column more for each plug-in; one that fails is left out, and a note says why.

    A plug-in fails when it cannot be loaded, raises, or gives anything but one finite number for each of (some of)
    these customers. Who gets none has none (NaN).

    Args:
        customers: indexed by customer id.
        sales: clean lines of any date, as for :func:`~engines.features.build_customers`.
        as_of: exclusive.
        plugins: of :func:`registered_features`.
    """
    lines = holding(sales, as_of)
    lines = lines.filter(lines[LINE_TYPE] == SALE)
    columns: dict[str, pd.Series] = {}
    made, notes = [], []
    for plugin in plugins:
        if plugin.feature is None or plugin.column is None:
            notes.append(
                message(
                    "The feature {name} of {origin} cannot be loaded: {error}.",
                    name=plugin.name,
                    origin=plugin.origin,
                    error=plugin.error,
                )
            )
            continue
        try:
            columns[plugin.column.name] = _checked(plugin.feature.build(lines, as_of=as_of), customers.index)
        except Exception as error:  # noqa: BLE001 - a stranger's code can raise anything at all, and it must not take
            # the customers down with it: its column is left out and the reason is told
            reason = error.message if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
            notes.append(
                message(
                    "The feature {name} of {origin} is left out: {reason}.",
                    name=plugin.name,
                    origin=plugin.origin,
                    reason=reason.rstrip(".") if reason.endswith(".") else reason,
                )
            )
        else:
            made.append(plugin)
    return Extended(customers.assign(**columns), tuple(made), tuple(notes))


def _checked(values: Any, customers: pd.Index) -> pd.Series:
    """The values as float64, one for each customer.

    Raises:
        InputError: they are not a series of finite numbers by customer id.
    """
    if not isinstance(values, pd.Series):
        raise InputError("it gave {name}, not a pandas Series indexed by customer id", name=type(values).__name__)
    if not (is_numeric_dtype(values.dtype) or is_bool_dtype(values.dtype)) or values.dtype.kind == "c":
        raise InputError("its values are not numbers but {dtype}", dtype=values.dtype)
    if not values.index.is_unique:
        raise InputError(
            "it gave customer {customer} more than one value", customer=values.index[values.index.duplicated()][0]
        )
    unknown = values.index.difference(customers, sort=False)
    if len(unknown):
        raise InputError(
            "it gave values to {count} that are no customers as of that date, such as {customer}",
            count=len(unknown),
            customer=unknown[0],
        )
    numbers = values.astype("float64").reindex(customers)
    if np.isinf(numbers).any():
        raise InputError("it gave customer {customer} an infinite value", customer=numbers.index[np.isinf(numbers)][0])
    return numbers


def _feature(name: str, loaded: Any) -> Feature:
    """The feature of the class that an entry point names."""
    feature: Feature = loaded()
    column = getattr(feature, "column", None)
    if not isinstance(column, Column):
        raise TypeError(f"{type(feature).__name__} has no column of type engines.columns.Column")
    if not callable(getattr(feature, "build", None)):
        raise TypeError(f"{type(feature).__name__} has no build(sales, *, as_of)")
    ours = column.name in _RESERVED or column.name.startswith((CATEGORY_SHARE, ATTRIBUTE))
    if not column.name.isidentifier() or ours:
        raise ValueError(
            f"a column cannot be called {column.name!r}; choose letters, digits and _, no name of the data dictionary "
            f"and none that starts with {CATEGORY_SHARE} or {ATTRIBUTE}"
        )
    if column.kind not in _KINDS:
        raise ValueError(f"the kind of a feature cannot be {column.kind!r}; choose from {', '.join(_KINDS)}")
    return feature


def _same(one: Column | None, other: Column | None) -> bool:
    return one is not None and other is not None and one.name.lower() == other.name.lower()
