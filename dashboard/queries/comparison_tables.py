"""The numbers of each part of a comparison as a table: what a page shows on request and a file holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pyarrow as pa

from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import NOTHING, count, decimal, percent
from dashboard.i18n.texts import noted
from dashboard.queries.comparison import (
    SORTED_BY,
    Comparison,
    aligned_segments,
    comparison_rows,
    cross_money,
    cross_table,
    places,
    plain_sortings,
    revenue_capture,
)
from engines.columns import CUSTOMER_ID

PartName = Literal["metrics", "sizes", "agreement", "cross", "captured", "projection"]
PARTS: tuple[PartName, ...] = get_args(PartName)


class ComparisonTable(NamedTuple):
    """A table: a head and rows of texts and numbers (None where there is nothing); ``shares``: columns of shares."""

    head: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    shares: frozenset[int] = frozenset()

    def to_arrow(self) -> pa.Table:
        """As a file has it: numbers stay numbers where a column has nothing else."""
        columns = [pa.array([_cell_value(row[place], text) for row in self.rows], pa.large_string() if text else None)
                   for place, text in enumerate(self._texts())]  # fmt: skip
        return pa.Table.from_arrays(columns, names=list(self.head))

    def _texts(self) -> list[bool]:
        return [any(isinstance(row[place], str) for row in self.rows) for place in range(len(self.head))]

    def shown(self, row: tuple[Any, ...]) -> list[str]:
        """A row as people read it."""
        return [_shown(value, place in self.shares) for place, value in enumerate(row)]


def _cell_value(value: Any, text: bool) -> Any:
    if value is None or not text:
        return value
    return value if isinstance(value, str) else repr(value)


def _shown(value: Any, share: bool) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    if share:
        return percent(value)
    return count(value) if isinstance(value, int) else decimal(value, 3)


def comparison_table(name: PartName, comparison: Comparison, labels: Sequence[str]) -> ComparisonTable:
    """A part of a comparison; the cross-table is of its first two runs."""
    if name == "cross":
        return cross(comparison.frames[0], comparison.frames[1], labels)
    return {
        "metrics": _metrics,
        "sizes": _sizes,
        "agreement": _agreement,
        "captured": _capture,
        "projection": _projection,
    }[name](comparison, labels)


def _metrics(comparison: Comparison, labels: Sequence[str]) -> ComparisonTable:
    rows: list[tuple[Any, ...]] = []
    for row in comparison_rows(comparison.runs):
        if row.kind == "setting":
            texts = (None if value is None else str(value) for value in row.values)
            rows.append((f"Setting: {row.name}", row.better, *texts))
        else:
            unit = f", {row.kind}" if row.kind in ("seconds", "bytes") else ""
            rows.append((row.title + unit, row.better, *row.values))
    return ComparisonTable(("Figure", "Better", *labels), rows)


def _sizes(comparison: Comparison, labels: Sequence[str]) -> ComparisonTable:
    sizes = aligned_segments(comparison.frames)
    rows: list[tuple[Any, ...]] = []
    for number, row in enumerate(sizes.rows, 1):
        for label, slot in zip(labels, row, strict=True):
            if slot is not None:
                item = slot.segment
                shared = 1.0 if slot.shared is None else slot.shared
                rows.append((number, label, item.name, item.customers, slot.share, item.revenue_share, shared))
    head = (
        noted("Row"),
        noted("Run"),
        noted("Segment"),
        noted("Customers"),
        noted("Share of customers"),
        noted("Share of revenue"),
        noted("Shared with the reference"),
    )
    return ComparisonTable(head, rows, frozenset({4, 5, 6}))


def _agreement(comparison: Comparison, labels: Sequence[str]) -> ComparisonTable:
    rows = [
        (one, other, float(comparison.ari[i, j]), float(comparison.ami[i, j]))
        for i, one in enumerate(labels)
        for j, other in enumerate(labels)
        if i < j
    ]
    return ComparisonTable(
        (noted("Run"), noted("Other run"), noted("Adjusted Rand index"), noted("Adjusted mutual information")),
        list(rows),
    )


def cross(one: RunFrame, other: RunFrame, labels: Sequence[str]) -> ComparisonTable:
    """How many customers are in each segment of one run and of another, and what they have spent."""
    table, money = cross_table(one, other), cross_money(one, other)
    rows = [
        (a.name, b.name, int(table[i, j]), float(table[i, j] / max(table[i].sum(), 1)), float(money[i, j]))
        for i, a in enumerate(one.segments)
        for j, b in enumerate(other.segments)
        if table[i, j]
    ]
    return ComparisonTable(
        (labels[0], labels[1], noted("Customers"), noted("Share of the row"), noted("Spent so far")),
        list(rows),
        frozenset({3}),
    )


def _capture(comparison: Comparison, labels: Sequence[str]) -> ComparisonTable:
    rows: list[tuple[Any, ...]] = []
    for label, run in zip(labels, comparison.runs, strict=True):
        capture = revenue_capture(run)
        rows += [(label, x, y, None) for x, y in zip(capture.customers, capture.revenue, strict=True)]
        if not capture.customers:
            rows.append((label, None if capture.top is None else 0.2, capture.top, capture.why))
    for column, capture in plain_sortings(comparison.runs).items():
        rows += [(SORTED_BY[column], x, y, None) for x, y in zip(capture.customers, capture.revenue, strict=True)]
    return ComparisonTable(
        (noted("Run"), noted("Share of customers"), noted("Share of later revenue"), noted("Note")),
        rows,
        frozenset({1, 2}),
    )


def _projection(comparison: Comparison, labels: Sequence[str]) -> ComparisonTable:
    located = places(comparison.frames[0])
    ids = comparison.frames[0].customers.ids.take(pa.array(located.drawn)).to_pylist()
    named = []
    for frame in comparison.frames:
        names = np.array([item.name for item in frame.segments], dtype=object)
        named.append(names[frame.segment_codes[located.drawn]].tolist())
    rows = list(zip(ids, *located.places.T.tolist(), *named, strict=True))
    return ComparisonTable((CUSTOMER_ID, noted("First component"), noted("Second component"), *labels), rows)
