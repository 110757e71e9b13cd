"""The customers of one run as coded columns, so that any filter answers in an instant."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from threading import RLock
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar
from weakref import WeakKeyDictionary, ref

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dashboard.frames.columns import CustomerColumns, Mask, Numbers, Positions, no_value
from engines.columns import (
    CATEGORY_SHARE,
    CLV,
    COUNTRY,
    UNKNOWN_COUNTRY,
    Column,
    columns_of,
    describe,
)
from engines.contract import NamedSegment, segments_meant
from storage.contract import Run, Selection, Snapshot
from storage.sql.layout import fold, is_storable

P = ParamSpec("P")
T = TypeVar("T")
_ROWS = 65_536  # looked through at a time for a page of the table: the first page is mostly among the first


def per_run(make: Callable[Concatenate[RunFrame, P], T]) -> Callable[Concatenate[RunFrame, P], T]:
    """Work a function of a run out once for each run and arguments: for what depends on everyone and on no filter.

    What was worked out lives as long as the frame of the run. A frame among the arguments is not kept alive by it.
    """
    results: WeakKeyDictionary[RunFrame, dict[tuple[Hashable, ...], T]] = WeakKeyDictionary()
    adding = RLock()

    @wraps(make)
    def once(frame: RunFrame, /, *args: P.args, **kwargs: P.kwargs) -> T:
        key = tuple(ref(arg) if isinstance(arg, RunFrame) else arg for arg in (*args, *kwargs.values()))
        with adding:
            mine = results.setdefault(frame, {})
        if key not in mine:
            with frame.working_out:  # the first of many who ask at once: others wait, and need no room for theirs
                if key not in mine:
                    mine[key] = make(frame, *args, **kwargs)
        return mine[key]

    return once


class Views(NamedTuple):
    """Who meets a selection, and who would were nothing said of segments and countries (None: everyone)."""

    mask: Mask
    rest: Mask | None


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
    working_out: RLock = field(default_factory=RLock, init=False, repr=False)

    @classmethod
    def make(cls, run: Run, snapshot: Snapshot, customers: CustomerColumns, keys: NDArray[np.int64]) -> RunFrame:
        """From a run's segment keys, one per customer in the order of the snapshot."""
        places = [(key, place) for place, item in enumerate(run.segments) for key in item.keys]
        segment_keys, codes = (np.array(values, dtype=np.int64) for values in zip(*sorted(places), strict=True))
        codes = codes[np.searchsorted(segment_keys, keys)].astype(np.intp)
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
        return str(self.snapshot.info.get("currency") or "")

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
        weeks = self.snapshot.settings.get("clv", {}).get("horizon_weeks")
        return None if weeks is None else int(weeks)

    @cached_property
    def has_country(self) -> bool:
        """Whether the data say where anyone lives."""
        stated = self.snapshot.info.get("has_country", True)
        return bool(stated) and any(name != UNKNOWN_COUNTRY for name in self.countries)

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

    def values(self, column: str) -> Numbers:
        """The numbers of a column, customer by customer."""
        return self.customers.columns[column]

    @per_run
    def order_within_segments(self, column: str) -> NDArray[np.intp]:
        """Every customer's position, segment after segment, within each by rising value of a column."""
        rising = self.customers.order(column).astype(np.intp)
        return rising[np.argsort(self.segment_codes[rising], kind="stable")]

    # --- filtering

    def mask(self, selection: Selection) -> Mask:
        """Which customers meet a selection; one without a value never meets a condition on it."""
        return self.views(selection).mask

    def views(self, selection: Selection) -> Views:
        """Which customers meet a selection, and which meet it but for its segments and countries."""
        rest = self.but_places(selection)
        if not selection.segments and not selection.countries:
            return Views(np.ones(len(self), dtype=bool) if rest is None else rest, rest)
        segments, countries = np.ones(len(self.segments), dtype=bool), np.ones(len(self.countries) + 1, dtype=bool)
        if selection.segments:
            segments = np.array(segments_meant(self.segments, selection.segments))
        if selection.countries:
            countries = np.append(False, _is_one_of(self.countries, selection.countries))
        mask = np.outer(segments, countries).ravel().take(self.places)
        return Views(mask if rest is None else mask & rest, rest)

    @cached_property
    def places(self) -> NDArray[np.unsignedinteger[Any]]:
        """Segment and country of every customer as one number: segments apart by countries and one, unknown first."""
        width = len(self.countries) + 1
        places = self.segment_codes * width + self.country_codes + 1
        return places.astype(np.min_scalar_type(len(self.segments) * width))

    def but_places(self, selection: Selection) -> Mask | None:
        """Who would meet a selection were nothing said of segments and countries; None for everyone."""
        places = replace(Selection(), segments=selection.segments, countries=selection.countries)
        return None if selection == places else self._rest(selection)

    def _rest(self, selection: Selection) -> Mask:
        """Which customers meet all conditions but those on segment and country."""
        chosen = np.ones(len(self), dtype=bool)
        for column, (low, high) in selection.bounds.items():
            if not self.has(column):
                return np.zeros(len(self), dtype=bool)
            values = self.values(column)
            if low is not None:
                chosen &= values >= low
            if high is not None:
                chosen &= values <= high
        for category, least in selection.shares:
            if category not in self.customers.categories:
                return np.zeros(len(self), dtype=bool)
            chosen &= self.values(f"{CATEGORY_SHARE}{category}") >= least
        if selection.q:
            chosen &= self._id_contains(selection.q)
        return chosen

    def _id_contains(self, text: str) -> Mask:
        if not is_storable(text):
            return np.zeros(len(self), dtype=bool)
        matches: Mask = pc.match_substring(self.customers.searchable, fold(text)).to_numpy(zero_copy_only=False)
        return matches

    def page(self, mask: Mask, sort: str, descending: bool, start: int, stop: int) -> Positions:
        """Positions of the customers ``start`` to ``stop`` that meet a mask, sorted; ties by id, no value always last.

        ``sort``: a numeric column, an attribute, ``customer_id``, ``segment`` (in playbook order) or ``country``
        (by name).
        """
        order = self._sorted_by(sort)
        with_value = self._with_value(sort)
        pieces = (order[:with_value][::-1], order[with_value:]) if descending else (order,)
        met, number = [order[:0]], 0
        for piece in pieces:
            for begin in range(0, len(piece), _ROWS):
                part = piece[begin : begin + _ROWS]
                met.append(part[mask.take(part)])
                number += len(met[-1])
                if number >= stop:
                    return np.concatenate(met)[start:stop]
        return np.concatenate(met)[start:stop]

    @per_run
    def _with_value(self, sort: str) -> int:
        values = self._sort_values(sort)
        return len(self) if values is None else len(self) - int(np.count_nonzero(no_value(values)))

    @per_run
    def _sorted_by(self, sort: str) -> Positions:
        values, by_id = self._sort_values(sort), self.customers.by_id
        return by_id if values is None else by_id[np.argsort(values[by_id], kind="stable")]

    def _sort_values(self, sort: str) -> Numbers | None:
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


def _is_one_of(names: Sequence[str], chosen: Sequence[str]) -> Mask:
    """Per code whether its name is wanted."""
    return np.array([name in chosen for name in names], dtype=bool)


def _ranks(texts: pa.Array) -> NDArray[np.float64]:
    """The place of each text among the different ones, by code point; NaN where there is none."""
    places = pc.rank(texts, "ascending", tiebreaker="dense").to_numpy().astype(np.float64)
    return np.where(texts.is_null().to_numpy(zero_copy_only=False), np.nan, places)
