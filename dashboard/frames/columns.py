"""The customers of a snapshot as plain columns of numbers, read once and shared by all its runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engines.clustering.projection import Plane, principal_plane
from engines.columns import ATTRIBUTE, CATEGORY_SHARE, COUNTRY, DICTIONARY, FREQUENCY, MONETARY, RECENCY

Mask = NDArray[np.bool_]
Numbers = NDArray[Any]  # of whichever type a column has
Positions = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class CustomerColumns:
    """The customers of a snapshot, position by position in its order; shared by all its runs and never changed.

    ``ids``: Arrow strings. ``columns``: numbers by column name (dates as days since 1970). ``country_codes``: positions
    in ``countries``, which are sorted by number of customers; -1 where nothing is known. ``texts``: attributes as Arrow
    strings, null where there is none.
    """

    ids: pa.Array
    columns: Mapping[str, Numbers]
    country_codes: NDArray[np.intp]
    countries: tuple[str, ...]
    texts: Mapping[str, pa.Array] = field(default_factory=dict)
    _sorting: Lock = field(default_factory=Lock, init=False, repr=False)

    @classmethod
    def from_table(cls, customers: pd.DataFrame, more: Iterable[str] = ()) -> CustomerColumns:
        """From a customer table indexed by customer id; ``more``: columns of plug-ins, which are numbers."""
        ids = _texts(customers.index.astype(str))
        shares = [name for name in customers.columns if name.startswith(CATEGORY_SHARE)]
        numbers = [name for name, column in DICTIONARY.items() if column.exported and column.kind != "text"]
        listed = dict.fromkeys((*numbers, *shares, *more))
        columns = {name: _numbers(customers[name]) for name in listed if name in customers.columns}
        # a column without a single value says no more than one that is not there
        columns = {name: values for name, values in columns.items() if not len(values) or not no_value(values).all()}
        for values in columns.values():
            values.flags.writeable = False
        codes, countries = _coded(customers[COUNTRY]) if COUNTRY in customers.columns else (None, ())
        if codes is None:
            codes = np.full(len(customers), -1, dtype=np.intp)
        texts = {name: _texts(customers[name]) for name in customers.columns if name.startswith(ATTRIBUTE)}
        return cls(ids, columns, codes, countries, texts)

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories of which the customers' shares of spend are known."""
        return tuple(name.removeprefix(CATEGORY_SHARE) for name in self.columns if name.startswith(CATEGORY_SHARE))

    @cached_property
    def searchable(self) -> pa.Array:
        """The ids in lower case."""
        return pc.utf8_lower(self.ids)

    @cached_property
    def _orders(self) -> dict[str, Positions]:
        return {}

    def order(self, column: str) -> Positions:
        """Every customer's position by rising value of a column (customers without a value last), ties by position."""
        if column not in self._orders:
            with self._sorting:
                if column not in self._orders:
                    self._orders[column] = np.argsort(self.columns[column], kind="stable").astype(np.int32)
        return self._orders[column]

    @cached_property
    def by_id(self) -> Positions:
        """Every customer's position in code point order of the ids."""
        order: Positions = pc.array_sort_indices(self.ids).to_numpy().astype(np.int32)
        return order

    @cached_property
    def plane(self) -> Plane:
        """The plane on which the customers differ most in recency, frequency and spend."""
        return principal_plane([self.columns[name] for name in (RECENCY, FREQUENCY, MONETARY)])

    @cached_property
    def lottery(self) -> Positions:
        """Every customer once in a random order that never changes: samples stay the same while filters change."""
        return np.random.default_rng(0).permutation(len(self.ids)).astype(np.int32)


def no_value(values: Numbers) -> Mask:
    """Where there is no number."""
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)


def _texts(column: pd.Series[Any] | pd.Index[Any]) -> pa.Array:
    values = pa.array(column, type=pa.large_string(), from_pandas=True)
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _numbers(column: pd.Series[Any]) -> Numbers:
    """A column as numbers: whole ones in 32 bits where they fit, dates as days since 1970, yes as 1, else float64."""
    if pd.api.types.is_bool_dtype(column.dtype) and not column.hasnans:
        return column.to_numpy(dtype=np.int8)
    if pd.api.types.is_integer_dtype(column.dtype) and not column.hasnans:
        values = column.to_numpy(dtype=np.int64)
        fits = len(values) == 0 or (abs(values.min()) < 2**31 and abs(values.max()) < 2**31)
        return values.astype(np.int32 if fits else np.float64)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan).copy()
    moments = pd.to_datetime(column).to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64)).astype(np.float64)


def _coded(column: pd.Series[Any]) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    codes, names = pd.factorize(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    order = sorted(range(len(names)), key=lambda code: (-counts[code], str(names[code])))
    place = np.full(len(names) + 1, -1, dtype=np.intp)
    place[order] = np.arange(len(names))
    return place[codes], tuple(str(names[code]) for code in order)
