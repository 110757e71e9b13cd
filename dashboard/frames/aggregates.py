"""Sums over the customers in view: in all, by segment and by country, in an instant even for millions.

Customers are laid out block by block, a block being one segment in one country. Whatever else is filtered, one pass
over that layout gives the sums of every block; which segments and countries are asked for only says which blocks count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.frames.columns import Mask
from dashboard.frames.run import RunFrame, per_run
from engines.columns import CHURN_RISK, CLV, FREQUENCY, MONETARY, RECENCY
from engines.contract import NamedSegment, segments_meant
from engines.value.validation.spread import TotalSpread
from storage.contract import Selection


class Totals(NamedTuple):
    """The customers in view; money in the data set's currency, ``clv`` is None where nobody has been valued.

    ``at_risk`` is each customer's spend so far times its churn risk, summed over the ``risk_known`` customers whose
    risk is known; None where nobody's is.
    """

    customers: int
    revenue: float
    orders: float
    clv: float | None
    at_risk: float | None = None
    risk_known: int = 0

    @property
    def average_order_value(self) -> float | None:
        """Revenue by orders; None without an order."""
        return self.revenue / self.orders if self.orders else None

    @property
    def average_clv(self) -> float | None:
        """CLV by customers; None without a customer."""
        return self.clv / self.customers if self.customers and self.clv is not None else None


class SegmentTotals(NamedTuple):
    """One segment's customers in view; shares are of all customers in view, the rest are means per customer.

    ``total_clv`` is the sum of their CLV and ``clv_range`` where it will lie, with the probability of the snapshot's
    intervals; None where the snapshot does not know how far such sums were off.
    """

    segment: NamedSegment
    customers: int
    share: float
    revenue: float
    revenue_share: float | None
    orders: float
    total_clv: float | None
    recency: float
    frequency: float
    monetary: float
    clv: float | None
    churn_risk: float | None
    at_risk: float | None = None
    risk_known: int = 0
    clv_range: tuple[float, float] | None = None


def segment_totals(frame: RunFrame, view: Aggregate) -> list[SegmentTotals]:
    """The segments that have a customer in view, in the order of the playbook."""
    n = len(frame.segments)
    sizes, sums = view.sizes_by_segment(n), {name: view.by_segment(name, n) for name in view.sums}
    everyone, everything = int(sizes.sum()), float(sums[MONETARY].sum())
    range_of = _ranges(frame.snapshot.info)

    def sum_or_none(measure: str, among: str, i: int) -> float | None:
        return float(sums[measure][i]) if among in sums and sums[among][i] else None

    def mean(measure: str, among: str, i: int) -> float | None:
        return float(sums[measure][i] / sums[among][i]) if among in sums and sums[among][i] else None

    return [
        SegmentTotals(
            segment=item,
            customers=int(sizes[i]),
            share=sizes[i] / everyone,
            revenue=float(sums[MONETARY][i]),
            revenue_share=float(sums[MONETARY][i] / everything) if everything > 0 else None,
            orders=float(sums[FREQUENCY][i]),
            total_clv=sum_or_none(CLV, CLV_KNOWN, i),
            recency=float(sums[RECENCY][i] / sizes[i]),
            frequency=float(sums[FREQUENCY][i] / sizes[i]),
            monetary=float(sums[MONETARY][i] / sizes[i]),
            clv=mean(CLV, CLV_KNOWN, i),
            churn_risk=mean(CHURN_RISK, RISK_KNOWN, i),
            at_risk=sum_or_none(AT_RISK, RISK_KNOWN, i),
            risk_known=int(sums[RISK_KNOWN][i]) if RISK_KNOWN in sums else 0,
            clv_range=range_of(sum_or_none(CLV, CLV_KNOWN, i)),
        )
        for i, item in enumerate(frame.segments)
        if sizes[i]
    ]


def _ranges(info: Mapping[str, Any]) -> Callable[[float | None], tuple[float, float] | None]:
    """What gives the range of the CLV of a part of the customers of a snapshot; None where none is known."""
    value = info.get("value") or {}
    if not value.get("spread"):
        return lambda _: None
    spread, level = TotalSpread.from_dict(value["spread"]), float(value.get("interval", 0.8))

    def range_of(total: float | None) -> tuple[float, float] | None:
        if total is None or not total > 0:
            return None
        low, high = spread.of_part(total, level)
        return low, high

    return range_of


def totals_of(frame: RunFrame, view: Aggregate) -> Totals:
    """All customers in view together."""
    n = len(frame.segments)
    sums = {name: view.by_segment(name, n).tolist() for name in view.sums}
    at_risk = [
        value for value, has_risk in zip(sums.get(AT_RISK, ()), sums.get(RISK_KNOWN, ()), strict=True) if has_risk
    ]
    return Totals(
        customers=view.customers,
        revenue=sum(sums[MONETARY]),
        orders=sum(sums[FREQUENCY]),
        clv=sum(sums.get(CLV, ())) if frame.has_clv else None,
        at_risk=sum(at_risk) if at_risk else None,
        risk_known=int(sum(sums.get(RISK_KNOWN, ()))),
    )


AT_RISK = "at risk"  # spend so far times churn risk
CLV_KNOWN, RISK_KNOWN = "clv known", "risk known"  # how many customers have a CLV, a churn risk

_ROWS = 65_536
_KNOWN = ((CLV, CLV_KNOWN), (CHURN_RISK, RISK_KNOWN))

Floats = NDArray[np.float64]


class Blocks(NamedTuple):
    """The customers in the order of their blocks, where each begins, and its segment and country (-1: unknown)."""

    order: NDArray[np.intp]  # of numpy's own width: whatever is narrower is widened at every look-up
    starts: NDArray[np.intp]
    segments: NDArray[np.intp]
    countries: NDArray[np.intp]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Where each block begins and ends."""
        return list(pairwise([*self.starts.tolist(), len(self.order)]))


class Aggregate(NamedTuple):
    """Customers in view by block, and sums of what they have by measure; money is not rounded."""

    blocks: Blocks
    sizes: NDArray[np.intp]
    sums: Mapping[str, Floats]

    @property
    def customers(self) -> int:
        """How many there are."""
        return int(self.sizes.sum())

    def by_segment(self, measure: str, segments: int) -> Floats:
        """A measure summed by segment."""
        return np.bincount(self.blocks.segments, self.sums[measure], segments).astype(np.float64, copy=False)

    def sizes_by_segment(self, segments: int) -> NDArray[np.intp]:
        """Customers by segment."""
        return np.bincount(self.blocks.segments, weights=self.sizes, minlength=segments).astype(np.intp)

    def by_country(self, measure: str, countries: int) -> Floats:
        """A measure summed by country; the last place is for those of whom it is not known."""
        places = self.blocks.countries % (countries + 1)
        return np.bincount(places, self.sums[measure], countries + 1).astype(np.float64, copy=False)

    def sizes_by_country(self, countries: int) -> NDArray[np.intp]:
        """Customers by country; the last place is for those of whom it is not known."""
        places = self.blocks.countries % (countries + 1)
        return np.bincount(places, weights=self.sizes, minlength=countries + 1).astype(np.intp)

    def of(self, mask: Mask) -> Aggregate:
        """The same without the blocks that are not wanted."""
        if mask.all():
            return self
        sums = {name: np.where(mask, values, 0.0) for name, values in self.sums.items()}
        return Aggregate(self.blocks, np.where(mask, self.sizes, 0), sums)


class SelectionAggregates(NamedTuple):
    """Who meets a selection, and how many would were nothing said of segments, or nothing of countries."""

    view: Aggregate
    any_segment: Aggregate
    any_country: Aggregate


def aggregate_selection(frame: RunFrame, selection: Selection, rest: Mask | None) -> SelectionAggregates:
    """The sums behind a page; ``rest``: who meets all but the conditions on segment and country, None for everyone."""
    blocks = blocks_of(frame)
    segments = countries = np.ones(len(blocks.starts), dtype=bool)
    if selection.segments:
        segments = np.array(segments_meant(frame.segments, selection.segments))[blocks.segments]
    if selection.countries:
        named = [place for place, name in enumerate(frame.countries) if name in selection.countries]
        countries = np.isin(blocks.countries, named)
    every = everyone(frame) if rest is None else aggregate_customers(frame, rest)
    sizes = Aggregate(blocks, every.sizes, {})
    return SelectionAggregates(every.of(segments & countries), sizes.of(countries), sizes.of(segments))


@per_run
def everyone(frame: RunFrame) -> Aggregate:
    """All customers of a run."""
    return aggregate_customers(frame, np.ones(len(frame), dtype=bool))


def aggregate_customers(frame: RunFrame, mask: Mask) -> Aggregate:
    """The customers that a mask leaves in view, added up."""
    blocks, (names, table), known_masks = blocks_of(frame), _measures(frame), _value_masks(frame)
    in_view = mask.take(blocks.order)
    sizes = np.zeros(len(blocks.starts), dtype=np.intp)
    counts = {name: np.zeros(len(blocks.starts)) for name in known_masks}
    sums = np.zeros((len(names), len(blocks.starts)))
    for block, (start, end) in enumerate(blocks.spans):
        seen = in_view[start:end]
        sizes[block] = np.count_nonzero(seen)
        sums[:, block] = table[:, start:end] @ seen.astype(np.float64)
        for name, has_one in known_masks.items():
            counts[name][block] = np.count_nonzero(seen & has_one[start:end])
    return Aggregate(blocks, sizes, dict(zip(names, sums, strict=True)) | counts)


@per_run
def blocks_of(frame: RunFrame) -> Blocks:
    """How a run's customers are laid out."""
    width, codes = len(frame.countries) + 1, frame.places
    order = np.argsort(codes, kind="stable")
    rising = codes[order].astype(np.int32)
    starts = np.flatnonzero(np.diff(rising, prepend=-1)).astype(np.intp)
    first = rising[starts].astype(np.intp)
    return Blocks(order, starts, first // width, first % width - 1)


@per_run
def _value_masks(frame: RunFrame) -> dict[str, Mask]:
    """Who has a value, laid out in blocks, by what counts them."""
    order = blocks_of(frame).order
    return {counted: ~np.isnan(frame.values(column))[order] for column, counted in _KNOWN if frame.has(column)}


@per_run
def _measures(frame: RunFrame) -> tuple[list[str], Floats]:
    """What is added up, a line for each measure, laid out in blocks; no value is 0."""
    columns = {name: filled_values(frame, name) for name in (MONETARY, FREQUENCY, CLV) if frame.has(name)}
    if frame.has(CHURN_RISK):
        columns[AT_RISK] = filled_values(frame, MONETARY) * filled_values(frame, CHURN_RISK)
    columns |= {name: filled_values(frame, name) for name in (RECENCY, CHURN_RISK) if frame.has(name)}
    table = np.empty((len(columns), len(frame)))
    for line, values in zip(table, columns.values(), strict=True):
        np.take(values, blocks_of(frame).order, out=line)
    return list(columns), table


def filled_values(frame: RunFrame, column: str) -> Floats:
    """A column with 0 where there is no value."""
    return np.nan_to_num(frame.values(column).astype(np.float64, copy=False))


# --- how many customers are in each of many classes -------------------------------------------------------------------


def class_counts(classes: NDArray[np.integer[Any]], number: int, mask: Mask) -> NDArray[np.intp]:
    """How many of those in a mask are in each of ``number`` classes."""
    return np.bincount(classes.take(np.flatnonzero(mask)), minlength=number)


# --- what the best tenth brought --------------------------------------------------------------------------------------


def best_spenders(frame: RunFrame, mask: Mask, best: int) -> float:
    """What the ``best`` customers in view who have spent most have spent together."""
    order, spend = frame.customers.order(MONETARY), _rising_spend(frame)
    total, left, end = 0.0, best, len(order)
    while end > 0 and left > 0:  # mostly the last few parts have the best tenth of those in view
        start = max(end - _ROWS, 0)
        mine = spend[start:end][mask.take(order[start:end])][-left:]
        total, left, end = total + float(mine.sum()), left - len(mine), start
    return total


@per_run
def _rising_spend(frame: RunFrame) -> Floats:
    return frame.values(MONETARY)[frame.customers.order(MONETARY)].astype(np.float64)


@per_run
def one_time_buyers(frame: RunFrame) -> Mask:
    """Who has ordered once."""
    return frame.values(FREQUENCY) <= 1
