"""Sums over the customers in view: in all, by segment and by country, in an instant even for millions.

Customers are laid out block by block, a block being one segment in one country. Whatever else is filtered, one pass
over that layout gives the sums of every block; which segments and countries are asked for only says which blocks count.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.frames.columns import Mask, Positions, taken
from dashboard.frames.run import RunFrame
from engines.columns import CHURN_RISK, CLV, FREQUENCY, MONETARY, RECENCY
from engines.contract import NamedSegment
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
    """One segment's customers in view; shares are of all customers in view, the rest are means per customer."""

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


def totals(rows: list[SegmentTotals], *, valued: bool) -> Totals:
    """All segments together; ``valued`` says whether a value model ran on these customers."""
    return Totals(
        customers=sum(row.customers for row in rows),
        revenue=sum(row.revenue for row in rows),
        orders=sum(row.orders for row in rows),
        clv=sum(row.total_clv or 0.0 for row in rows) if valued else None,
        at_risk=sum(known) if (known := [row.at_risk for row in rows if row.at_risk is not None]) else None,
        risk_known=sum(row.risk_known for row in rows),
    )


def segment_totals(frame: RunFrame, view: Tally) -> list[SegmentTotals]:
    """The segments that have a customer in view, in the order of the playbook."""
    n = len(frame.segments)
    sizes, sums = view.sizes_by_segment(n), {name: view.by_segment(name, n) for name in view.sums}
    everyone, everything = int(sizes.sum()), float(sums[MONETARY].sum())

    def known(measure: str, among: str, i: int) -> float | None:
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
            total_clv=known(CLV, CLV_KNOWN, i),
            recency=float(sums[RECENCY][i] / sizes[i]),
            frequency=float(sums[FREQUENCY][i] / sizes[i]),
            monetary=float(sums[MONETARY][i] / sizes[i]),
            clv=mean(CLV, CLV_KNOWN, i),
            churn_risk=mean(CHURN_RISK, RISK_KNOWN, i),
            at_risk=known(AT_RISK, RISK_KNOWN, i),
            risk_known=int(sums[RISK_KNOWN][i]) if RISK_KNOWN in sums else 0,
        )
        for i, item in enumerate(frame.segments)
        if sizes[i]
    ]


def totals_of(frame: RunFrame, view: Tally) -> Totals:
    """All customers in view together."""
    n = len(frame.segments)
    sums = {name: view.by_segment(name, n).tolist() for name in view.sums}
    at_risk = [value for value, known in zip(sums.get(AT_RISK, ()), sums.get(RISK_KNOWN, ()), strict=True) if known]
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

_HAND = 32_768
_CELLS = 1_000_000  # numbers of a table of counts by block and class
_IN_TOTALS = (MONETARY, FREQUENCY, CLV, AT_RISK)
_KNOWN = ((CLV, CLV_KNOWN), (CHURN_RISK, RISK_KNOWN))

Floats = NDArray[np.float64]


class Blocks(NamedTuple):
    """The customers in the order of their blocks, where each begins, and its segment and country (-1: unknown)."""

    order: Positions
    starts: NDArray[np.intp]
    segments: NDArray[np.intp]
    countries: NDArray[np.intp]


class Tally(NamedTuple):
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
        return np.bincount(self.blocks.segments, weights=self.sums[measure], minlength=segments)

    def sizes_by_segment(self, segments: int) -> NDArray[np.intp]:
        """Customers by segment."""
        return np.bincount(self.blocks.segments, weights=self.sizes, minlength=segments).astype(np.intp)

    def by_country(self, measure: str, countries: int) -> Floats:
        """A measure summed by country; the last place is for those of whom it is not known."""
        return np.bincount(self.blocks.countries % (countries + 1), weights=self.sums[measure], minlength=countries + 1)

    def sizes_by_country(self, countries: int) -> NDArray[np.intp]:
        """Customers by country; the last place is for those of whom it is not known."""
        places = self.blocks.countries % (countries + 1)
        return np.bincount(places, weights=self.sizes, minlength=countries + 1).astype(np.intp)

    def whole(self, everyone: Tally) -> Mask | None:
        """Which blocks are in view, where each is with all of its customers or with none; else None."""
        there = self.sizes > 0
        return there if np.array_equal(self.sizes[there], everyone.sizes[there]) else None

    def of(self, chosen: Mask) -> Tally:
        """The same without the blocks that are not chosen."""
        if chosen.all():
            return self
        sums = {name: np.where(chosen, values, 0.0) for name, values in self.sums.items()}
        return Tally(self.blocks, np.where(chosen, self.sizes, 0), sums)


class Tallies(NamedTuple):
    """Who meets a selection, and how many would were nothing said of segments, or nothing of countries."""

    view: Tally
    any_segment: Tally
    any_country: Tally


def tallies(frame: RunFrame, selection: Selection, rest: Mask | None) -> Tallies:
    """The sums behind a page; ``rest``: who meets all but the conditions on segment and country, None for everyone."""
    blocks = blocks_of(frame)
    segments, countries = _asked_for(frame, selection)
    both = segments & countries
    every = everyone(frame) if rest is None else tally(frame, rest, both)
    sizes = Tally(blocks, every.sizes, {})
    return Tallies(every.of(both), sizes.of(countries), sizes.of(segments))


def in_brief(frame: RunFrame, selection: Selection) -> Tally:
    """What totals need of the customers who meet a selection."""
    segments, countries = _asked_for(frame, selection)
    both = segments & countries
    rest = frame.but_places(selection)
    every = everyone(frame) if rest is None else tally(frame, rest, both, brief=True)
    return every.of(both)


def _asked_for(frame: RunFrame, selection: Selection) -> tuple[Mask, Mask]:
    """Which blocks have a segment that is asked for, and which a country."""
    blocks = blocks_of(frame)
    segments = countries = np.ones(len(blocks.starts), dtype=bool)
    if selection.segments:
        named = [place for place, item in enumerate(frame.segments) if item.name in selection.segments]
        segments = np.isin(blocks.segments, named)
    if selection.countries:
        wanted = set(selection.countries)
        countries = np.isin(blocks.countries, [i for i, name in enumerate(frame.countries) if name in wanted])
    return segments, countries


def everyone(frame: RunFrame) -> Tally:
    """All customers of a run."""
    return frame.remembered("tally of everyone", lambda: tally(frame, np.ones(len(frame), dtype=bool)))


def tally(frame: RunFrame, mask: Mask, chosen: Mask | None = None, *, brief: bool = False) -> Tally:
    """The customers that a mask leaves in view, added up; all are counted, but sums are those of ``chosen`` blocks.

    ``brief``: only what totals need is summed, and only chosen blocks are counted.
    """
    laid_out = taken(mask, blocks_of(frame).order)
    return _added_up(frame, lambda start, end: laid_out[start:end], chosen, brief=brief)


def _added_up(frame: RunFrame, seen_in: Callable[[int, int], Mask], chosen: Mask | None, *, brief: bool) -> Tally:
    blocks = blocks_of(frame)
    names, table = frame.remembered("measures by block", lambda: _measures(frame, blocks))
    if brief:
        names = [name for name in names if name in _IN_TOTALS]  # which are the first lines
        table = table[: len(names)]
    known = frame.remembered("known by block", lambda: _known(frame, blocks))
    sizes = np.zeros((1 + len(known), len(blocks.starts)), dtype=np.intp)
    sums = np.zeros((len(names), len(blocks.starts)))
    for block, span in enumerate(pairwise([*blocks.starts.tolist(), len(frame)])):
        for start, end in hands(*span):
            summed = chosen is None or chosen[block]
            if brief and not summed:
                continue
            seen = seen_in(start, end)
            sizes[0, block] += (count := np.count_nonzero(seen))
            if not count or not summed:
                continue
            for line, there in enumerate(known.values(), 1):
                sizes[line, block] += count if there is None else np.count_nonzero(seen & there[start:end])
            sums[:, block] += table[:, start:end] @ seen.astype(np.float64)
    found = dict(zip(names, sums, strict=True)) | dict(zip(known, sizes[1:].astype(np.float64), strict=True))
    return Tally(blocks, sizes[0], found)


def hands(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The positions from ``start`` to ``end`` in pieces for which a processor's own memory has room."""
    return ((begin, min(begin + _HAND, end)) for begin in range(start, end, _HAND))


def class_counts(
    frame: RunFrame, key: Hashable, classes: NDArray[np.integer], number: int, mask: Mask, view: Tally | None = None
) -> NDArray[np.intp]:
    """How many of those in a mask are in each of ``number`` classes, which are known by a key.

    ``view``, the sums of the mask, saves most of the work: where it has all or none of every block, counts by block do.
    """
    if view is None:
        return _counted(classes, mask, number)
    whole = view.whole(everyone(frame))
    if whole is not None and len(whole) * number <= _CELLS:
        return np.asarray(frame.remembered(("by block", key), lambda: _by_block(frame, classes, number))[whole].sum(0))
    if 2 * view.customers <= len(mask):
        return _counted(classes, mask, number)
    all_of_them = frame.remembered(("all in", key), lambda: _counted(classes, np.ones(len(mask), dtype=bool), number))
    return all_of_them - _counted(classes, ~mask, number)


def _by_block(frame: RunFrame, classes: NDArray[np.integer], number: int) -> NDArray[np.intp]:
    blocks = blocks_of(frame)
    spans = pairwise([*blocks.starts.tolist(), len(frame)])
    return np.array([np.bincount(classes.take(blocks.order[a:b]), minlength=number) for a, b in spans], dtype=np.int32)


def _counted(classes: NDArray[np.integer], mask: Mask, number: int) -> NDArray[np.intp]:
    counts = np.zeros(number, dtype=np.intp)
    for start, end in hands(0, len(mask)):
        counts += np.bincount(classes[start:end].take(np.flatnonzero(mask[start:end])), minlength=number)
    return counts


def _known(frame: RunFrame, blocks: Blocks) -> dict[str, Mask | None]:
    """Who has a value, laid out in blocks, by what counts them; None where everyone has one."""
    there = {known: ~np.isnan(frame.values(column)) for column, known in _KNOWN if frame.has(column)}
    return {known: None if mask.all() else mask.take(blocks.order) for known, mask in there.items()}


def blocks_of(frame: RunFrame) -> Blocks:
    """How a run's customers are laid out."""
    return frame.remembered("blocks", lambda: _blocks(frame))


def _blocks(frame: RunFrame) -> Blocks:
    width, codes = len(frame.countries) + 1, frame.places
    order = np.argsort(codes, kind="stable").astype(np.int32)
    rising = codes[order].astype(np.int32)
    starts = np.flatnonzero(np.diff(rising, prepend=-1)).astype(np.intp)
    first = rising[starts].astype(np.intp)
    return Blocks(order, starts, first // width, first % width - 1)


def _measures(frame: RunFrame, blocks: Blocks) -> tuple[list[str], Floats]:
    """What is added up, a line for each measure, laid out in blocks; no value is 0."""
    found = {name: filled(frame, name) for name in (MONETARY, FREQUENCY, CLV) if frame.has(name)}
    if frame.has(CHURN_RISK):
        found[AT_RISK] = filled(frame, MONETARY) * filled(frame, CHURN_RISK)
    found |= {name: filled(frame, name) for name in (RECENCY, CHURN_RISK) if frame.has(name)}
    table = np.empty((len(found), len(frame)))
    for line, values in zip(table, found.values(), strict=True):
        np.take(values, blocks.order, out=line)
    return list(found), table


def filled(frame: RunFrame, column: str) -> Floats:
    """A column with 0 where there is no value."""
    return np.nan_to_num(frame.values(column).astype(np.float64, copy=False))


# --- what the best tenth brought --------------------------------------------------------------------------------------


def best_spenders(frame: RunFrame, mask: Mask, best: int) -> float:
    """What the ``best`` customers in view who have spent most have spent together."""
    order = frame.customers.order(MONETARY)
    spend = frame.remembered("rising spend", lambda: frame.values(MONETARY)[order].astype(np.float64))
    hand, found, total, end = 65_536, 0, 0.0, len(order)
    while end > 0 and found < best:
        start = max(end - hand, 0)
        mine = spend[start:end][taken(mask, order[start:end])]
        mine = mine[max(len(mine) - (best - found), 0) :]
        total, found, end = total + float(mine.sum()), found + len(mine), start
    return total


def once(frame: RunFrame) -> Mask:
    """Who has ordered once."""
    return frame.remembered("ordered once", lambda: frame.values(FREQUENCY) <= 1)
