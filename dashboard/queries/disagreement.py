"""Customers about whom two runs disagree: Champions in the one, At Risk in the other; counted, listed and exported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dashboard.frames.cache import FrameCache
from dashboard.frames.columns import Mask
from dashboard.frames.run import RunFrame
from dashboard.queries.comparison import Comparison, compare, cross_money, cross_table
from engines.columns import COUNTRY, CUSTOMER_ID, MONETARY, SEGMENT
from engines.contract import segments_meant
from engines.errors import InputError
from engines.naming.alignment import aligned

#: The column of a list that holds the segment in the other run.
OTHER_SEGMENT = "other_segment"
#: What is asked first: who is best in the one run and about to be lost in the other.
BEST, LEAVING = "Champions", "At Risk"
_BATCH = 65_536


@dataclass(frozen=True)
class Disagreement:
    """The customers in one segment of one run and in another segment of another run of the same snapshot."""

    one: RunFrame
    other: RunFrame
    segment: str
    elsewhere: str

    @property
    def codes(self) -> tuple[int, int]:
        """The places of both segments in their runs."""
        return _place(self.one, self.segment), _place(self.other, self.elsewhere)

    @property
    def customers(self) -> int:
        """How many they are."""
        return int(cross_table(self.one, self.other)[self.codes])

    @property
    def revenue(self) -> float:
        """What they have spent so far."""
        return float(cross_money(self.one, self.other)[self.codes])

    @cached_property
    def mask(self) -> Mask:
        """Who they are, customer by customer of the snapshot."""
        first, second = self.codes
        mask: Mask = (self.one.segment_codes == first) & (self.other.segment_codes == second)
        return mask

    @cached_property
    def positions(self) -> NDArray[np.int32]:
        """Where they stand in the snapshot, by customer id."""
        by_id = self.one.customers.by_id
        return by_id[self.mask[by_id]]

    def top_spenders(self, number: int) -> pa.Table:
        """The few of them who have spent most, ties by id."""
        members = np.flatnonzero(self.mask).astype(np.int32)
        spent = self.one.values(MONETARY)[members]
        if len(members) > number:  # only whoever may be among them is put in order
            members = members[spent >= np.partition(spent, -number)[-number]]
        ids = _taken(self.one.customers.ids, members)
        table = pa.table({MONETARY: self.one.values(MONETARY)[members], CUSTOMER_ID: ids})
        order = pc.sort_indices(table, [(MONETARY, "descending"), (CUSTOMER_ID, "ascending")]).to_numpy()
        return pa.Table.from_batches([self._batch(members[order[:number]])])

    def rows(self, start: int, stop: int) -> pa.Table:
        """Some of them, by customer id, with both segments and every column of the customers."""
        return pa.Table.from_batches([self._batch(self.positions[start:stop])])

    def reader(self) -> pa.RecordBatchReader:
        """All of them, batch by batch."""

        def batches() -> Iterator[pa.RecordBatch]:
            for start in range(0, len(self.positions), _BATCH):
                yield self._batch(self.positions[start : start + _BATCH])

        return pa.RecordBatchReader.from_batches(self._batch(self.positions[:0]).schema, batches())

    def _batch(self, chosen: NDArray[np.int32]) -> pa.RecordBatch:
        frame = self.one
        columns: dict[str, Any] = {
            CUSTOMER_ID: _taken(frame.customers.ids, chosen),
            SEGMENT: pa.array([self.segment] * len(chosen), pa.large_string()),
            OTHER_SEGMENT: pa.array([self.elsewhere] * len(chosen), pa.large_string()),
        }
        for name, values in frame.customers.columns.items():
            columns[name] = _column(frame, name, values[chosen])
        if frame.countries:
            named = pa.array([*frame.countries, None], pa.large_string())  # -1, where nothing is known, finds the last
            columns[COUNTRY] = named.take(pa.array(frame.country_codes[chosen] % (len(frame.countries) + 1)))
        columns |= {name: _taken(texts, chosen) for name, texts in frame.texts.items()}
        return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _taken(texts: pa.Array | pa.ChunkedArray, chosen: NDArray[np.int32]) -> pa.Array:
    """Some of the texts in one piece; those of many customers come in several."""
    taken = texts.take(pa.array(chosen))
    return pa.concat_arrays(taken.chunks) if isinstance(taken, pa.ChunkedArray) else taken


def _column(frame: RunFrame, name: str, values: NDArray[Any]) -> pa.Array:
    """Numbers as they are, without NaN; days since 1970 as dates, 1 and 0 as yes and no."""
    array, kind = pa.array(values, from_pandas=True), frame.describe(name).kind
    if kind == "flag":
        return array.cast(pa.bool_())
    return array.cast(pa.int32()).cast(pa.date32()) if kind == "date" else array


def disagreement(
    frames: FrameCache, run_ids: list[int], segment: str | None = None, elsewhere: str | None = None
) -> Disagreement:
    """Who is in one segment of the first run and in another segment of the second.

    Segments that are not named are the usual ones (see :func:`default_segments`).

    Raises:
        InputError: not two runs of one snapshot, or a segment that a run does not have.
        NotFoundError: a run that does not exist or is not finished.
    """
    if len(run_ids) != 2:
        raise InputError(
            "Customers are compared between two runs, not {run_ids}: give run=ID twice.", run_ids=len(run_ids)
        )
    return disagreement_of(compare(frames, run_ids), segment, elsewhere)


def disagreement_of(runs: Comparison, segment: str | None = None, elsewhere: str | None = None) -> Disagreement:
    """As :func:`disagreement`, between the two runs of a comparison."""
    one, other = runs.frames
    first, second = default_segments(one, other, segment)
    result = Disagreement(one, other, segment or first, elsewhere or second)
    _ = result.codes  # refuses segments that are not there
    return result


def default_segments(one: RunFrame, other: RunFrame, segment: str | None = None) -> tuple[str, str]:
    """The segments to begin with: Champions against At Risk.

    Where a run has none so called: the segment with the highest mean spend; and the segment of the other run, but for
    the one that corresponds to it, that holds most of its customers.
    """
    row = _meant(one, segment or "")
    if row is None:
        means = [item.monetary if np.isfinite(item.monetary) else -np.inf for item in one.segments]
        best = _meant(one, BEST)
        row = int(np.argmax(means)) if best is None else best
    segment = one.segments[row].known_by
    leaving = _meant(other, LEAVING)
    if leaving is not None and _meant(one, LEAVING) != row:
        return segment, other.segments[leaving].known_by
    table = cross_table(one, other)
    shared = table[row].astype(np.int64)
    for paired, column in aligned(table):
        if paired == row and len(other.segments) > 1:
            shared[column] = -1
    return segment, other.segments[int(np.argmax(shared))].known_by


def _place(frame: RunFrame, text: str) -> int:
    place = _meant(frame, text)
    if place is None:
        raise InputError(
            "Run {id} has no segment {name!r}; it has {names}.",
            id=frame.run.id,
            name=text,
            names=", ".join(item.name for item in frame.segments),
        )
    return place


def _meant(frame: RunFrame, text: str) -> int | None:
    """The place of the segment that a text means."""
    return next((place for place, meant in enumerate(segments_meant(frame.segments, [text])) if meant), None)
