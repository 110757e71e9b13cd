"""The customers of one run as coded columns, so that any filter answers in an instant."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engines.columns import (
    ATTRIBUTE,
    AVERAGE_ORDER_VALUE,
    CHURN_RISK,
    CLV,
    COUNTRY,
    EXPECTED_PURCHASES,
    FREQUENCY,
    LAST_PURCHASE,
    MONETARY,
    NET_MONETARY,
    RECENCY,
    TENURE,
    UNKNOWN_COUNTRY,
    Column,
    columns_of,
    describe,
)
from engines.contract import NamedSegment
from storage.contract import Run, Selection, Snapshot
from storage.layout import fold, is_storable

T = TypeVar("T")
Mask = NDArray[np.bool_]
Positions = NDArray[np.int32]

#: What is kept of the customer table, where it is there: what pages filter, add up, draw and list.
KEPT = (
    RECENCY,
    FREQUENCY,
    MONETARY,
    NET_MONETARY,
    AVERAGE_ORDER_VALUE,
    TENURE,
    LAST_PURCHASE,
    EXPECTED_PURCHASES,
    CLV,
    CHURN_RISK,
)

_BOUNDS = (  # field of a selection, column, whether the bound is the least allowed (else the most)
    ("min_clv", CLV, True),
    ("min_frequency", FREQUENCY, True),
    ("min_monetary", MONETARY, True),
    ("max_recency", RECENCY, False),
    ("max_churn", CHURN_RISK, False),
)


@dataclass(frozen=True, eq=False)
class CustomerColumns:
    """The customers of a snapshot, position by position in its order; shared by all its runs and never changed.

    ``ids``: Arrow strings. ``columns``: numbers by column name (dates as days since 1970). ``country_codes``: positions
    in ``countries``, which are sorted by number of customers; -1 where nothing is known. ``texts``: attributes as Arrow
    strings, null where there is none.
    """

    ids: pa.Array
    columns: Mapping[str, NDArray]
    country_codes: NDArray[np.intp]
    countries: tuple[str, ...]
    texts: Mapping[str, pa.Array] = field(default_factory=dict)

    @classmethod
    def from_table(cls, customers: pd.DataFrame, more: Iterable[str] = ()) -> CustomerColumns:
        """From a customer table indexed by customer id; ``more``: columns of plug-ins, which are numbers."""
        ids = pa.array(customers.index.astype(str), type=pa.large_string())
        columns = {name: _numbers(customers[name]) for name in (*KEPT, *more) if name in customers.columns}
        for values in columns.values():
            values.flags.writeable = False
        codes, countries = _coded(customers[COUNTRY]) if COUNTRY in customers.columns else (None, ())
        if codes is None:
            codes = np.full(len(customers), -1, dtype=np.intp)
        return cls(ids, columns, codes, countries, {name: _texts(customers[name]) for name in _attributes(customers)})

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
            self._orders[column] = np.argsort(self.columns[column], kind="stable").astype(np.int32)
        return self._orders[column]

    @cached_property
    def by_id(self) -> Positions:
        """Every customer's position in code point order of the ids."""
        return pc.array_sort_indices(self.ids).to_numpy().astype(np.int32)

    @cached_property
    def lottery(self) -> Positions:
        """Every customer once in a random order that never changes: samples stay the same while filters change."""
        return np.random.default_rng(0).permutation(len(self.ids)).astype(np.int32)


@dataclass(frozen=True, eq=False)
class RunFrame:
    """One finished run: its customers as coded columns, its segments in playbook order, and what pages say about it.

    ``segment_codes``: every customer's position in ``segments``.
    """

    run: Run
    snapshot: Snapshot
    customers: CustomerColumns
    segments: tuple[NamedSegment, ...]
    segment_codes: NDArray[np.intp]

    @classmethod
    def make(cls, run: Run, snapshot: Snapshot, customers: CustomerColumns, keys: NDArray[np.int64]) -> RunFrame:
        """From a run's segment keys, one per customer in the order of the snapshot."""
        known = np.array([item.key for item in run.segments], dtype=np.int64)
        rising = np.argsort(known)
        codes = rising[np.searchsorted(known, keys, sorter=rising)].astype(np.intp)
        return cls(run, snapshot, customers, run.segments, codes)

    def renamed(self, run: Run) -> RunFrame:
        """The same customers in the same segments under the names that the run has by now."""
        return replace(self, run=run, segments=run.segments)

    def __len__(self) -> int:
        return len(self.customers.ids)

    @property
    def dataset(self) -> str:
        """The data set's name as people see it."""
        return str(self.snapshot.info.get("title") or self.snapshot.dataset)

    @property
    def currency(self) -> str:
        """ISO 4217 code of all money."""
        return str(self.snapshot.info.get("currency", ""))

    @property
    def texts(self) -> Mapping[str, pa.Array]:
        """What else the sales say of each customer, by attribute; null where nothing."""
        return self.customers.texts

    @cached_property
    def added(self) -> dict[str, Column]:
        """The columns that plug-ins have added to the customers, by name, each as its plug-in describes it."""
        return columns_of(self.snapshot.info.get("columns", ()))

    def describe(self, column: str) -> Column:
        """What a column is: its title, unit and meaning."""
        return describe(column, self.added)

    @property
    def synthetic(self) -> bool:
        """Whether the customers are made up."""
        return bool(self.snapshot.info.get("synthetic"))

    @property
    def horizon_weeks(self) -> int | None:
        """How far ahead CLV looks, where the snapshot says."""
        return self.snapshot.settings.get("clv", {}).get("horizon_weeks")

    @cached_property
    def has_country(self) -> bool:
        """Whether the data say where anyone lives."""
        said = self.snapshot.info.get("has_country", True)
        return bool(said) and any(name != UNKNOWN_COUNTRY for name in self.countries)

    @property
    def countries(self) -> tuple[str, ...]:
        """Primary countries, those with most customers first."""
        return self.customers.countries

    @property
    def country_codes(self) -> NDArray[np.intp]:
        """Every customer's position in ``countries``; -1 where nothing is known."""
        return self.customers.country_codes

    def has(self, column: str) -> bool:
        """Whether the customers have a number for a column."""
        return column in self.customers.columns

    @property
    def has_clv(self) -> bool:
        """Whether the customers have been valued."""
        return self.has(CLV)

    def values(self, column: str) -> NDArray:
        """The numbers of a column, customer by customer."""
        return self.customers.columns[column]

    @cached_property
    def _remembered(self) -> dict[Hashable, Any]:
        return {}

    def remembered(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gives, worked out once: for what depends on everyone in the run and on no filter."""
        if key not in self._remembered:
            self._remembered[key] = make()
        return self._remembered[key]

    def order_within_segments(self, column: str) -> Positions:
        """Every customer's position, segment after segment, within each by rising value of a column."""

        def make() -> Positions:
            rising = self.customers.order(column)
            return rising[np.argsort(self.segment_codes[rising], kind="stable")]

        return self.remembered(("within segments", column), make)

    # --- filtering

    def mask(self, selection: Selection) -> Mask:
        """Which customers meet a selection; one without a value never meets a condition on it."""
        return self.mask_but(selection)

    def mask_but(self, selection: Selection, leave_out: str = "") -> Mask:
        """Which customers meet a selection without one of its fields: what the options of that field would find."""
        chosen = np.ones(len(self), dtype=bool)
        if selection.segments and leave_out != "segments":
            chosen &= _is_one_of([item.name for item in self.segments], selection.segments)[self.segment_codes]
        if selection.countries and leave_out != "countries":
            chosen &= _is_one_of(self.countries, selection.countries)[self.country_codes]
        for name, column, least in _BOUNDS:
            bound = getattr(selection, name)
            if bound is None or name == leave_out:
                continue
            if not self.has(column):
                return np.zeros(len(self), dtype=bool)
            values = self.values(column)
            chosen &= values >= bound if least else values <= bound
        if selection.q and leave_out != "q":
            chosen &= self._id_contains(selection.q)
        return chosen

    def _id_contains(self, text: str) -> Mask:
        if not is_storable(text):
            return np.zeros(len(self), dtype=bool)
        return pc.match_substring(self.customers.searchable, fold(text)).to_numpy(zero_copy_only=False)

    def page(self, mask: Mask, sort: str, descending: bool, start: int, stop: int) -> Positions:
        """Positions of the customers ``start`` to ``stop`` that meet a mask, sorted; ties by id, no value always last.

        ``sort``: a numeric column, an attribute, ``customer_id``, ``segment`` (in playbook order) or ``country``
        (by name).
        """
        order = self._sorted_by(sort)
        chosen = order[mask[order]]
        if descending and len(chosen):
            values = self._sort_values(sort)
            known = len(chosen) if values is None else int(np.count_nonzero(~_nothing(values[chosen])))
            chosen = np.concatenate([chosen[:known][::-1], chosen[known:]])
        return chosen[start:stop]

    def _sorted_by(self, sort: str) -> Positions:
        def make() -> Positions:
            values, by_id = self._sort_values(sort), self.customers.by_id
            return by_id if values is None else by_id[np.argsort(values[by_id], kind="stable")]

        return self.remembered(("sorted", sort), make)

    def _sort_values(self, sort: str) -> NDArray | None:
        if sort == "segment":
            return self.segment_codes
        if sort == COUNTRY:
            by_name = np.argsort(np.array(self.countries, dtype=object)) if self.countries else np.empty(0, dtype=int)
            rank = np.full(len(self.countries) + 1, np.nan)
            rank[by_name] = np.arange(len(by_name))
            return rank[self.country_codes]
        if sort in self.texts:
            return _ranks(self.texts[sort])
        return self.values(sort) if self.has(sort) else None


def _nothing(values: NDArray) -> Mask:
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)


def _is_one_of(names: Sequence[str], wanted: Sequence[str]) -> Mask:
    """Per code whether its name is wanted; the extra last one, which -1 finds, never is."""
    return np.array([*(name in set(wanted) for name in names), False])


def _attributes(customers: pd.DataFrame) -> list[str]:
    return [name for name in customers.columns if str(name).startswith(ATTRIBUTE)]


def _texts(column: pd.Series) -> pa.Array:
    values = pa.array(column, type=pa.large_string(), from_pandas=True)
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _ranks(texts: pa.Array) -> NDArray:
    """The place of each text among the different ones, by code point; NaN where there is none."""
    places = pc.rank(texts, "ascending", tiebreaker="dense").to_numpy().astype(np.float64)
    return np.where(texts.is_null().to_numpy(zero_copy_only=False), np.nan, places)


def _numbers(column: pd.Series) -> NDArray:
    """A column as plain numbers: whole ones in 32 bits where they fit, dates as days since 1970, else float64."""
    if pd.api.types.is_integer_dtype(column.dtype) and not column.hasnans:
        values = column.to_numpy(dtype=np.int64)
        fits = len(values) == 0 or (abs(values.min()) < 2**31 and abs(values.max()) < 2**31)
        return values.astype(np.int32 if fits else np.float64)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan).copy()
    moments = pd.to_datetime(column).to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64)).astype(np.float64)


def _coded(column: pd.Series) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    codes, names = pd.factorize(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    order = sorted(range(len(names)), key=lambda code: (-counts[code], str(names[code])))
    place = np.full(len(names) + 1, -1, dtype=np.intp)
    place[order] = np.arange(len(names))
    return place[codes], tuple(str(names[code]) for code in order)
