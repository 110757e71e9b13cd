"""What the customers in view add up to: in all, and segment by segment."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.run_frame import Mask, RunFrame
from engines.columns import CHURN_RISK, CLV, FREQUENCY, MONETARY, RECENCY
from engines.contract import NamedSegment


class Totals(NamedTuple):
    """The customers in view; money in the data set's currency, ``clv`` is None where nobody has been valued."""

    customers: int
    revenue: float
    orders: float
    clv: float | None

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


def totals(rows: list[SegmentTotals], *, valued: bool) -> Totals:
    """All segments together; ``valued`` says whether a value model ran on these customers."""
    return Totals(
        customers=sum(row.customers for row in rows),
        revenue=sum(row.revenue for row in rows),
        orders=sum(row.orders for row in rows),
        clv=sum(row.total_clv or 0.0 for row in rows) if valued else None,
    )


def segment_totals(frame: RunFrame, mask: Mask) -> list[SegmentTotals]:
    """The segments that have a customer in view, in the order of the playbook."""
    n = len(frame.segments)
    codes = np.where(mask, frame.segment_codes, n)
    sizes = np.bincount(codes, minlength=n + 1)[:n]
    revenue = _sums(frame, codes, MONETARY)
    recency, orders = _sums(frame, codes, RECENCY), _sums(frame, codes, FREQUENCY)
    total_clv, clv = _known(frame, codes, CLV)
    churn = _known(frame, codes, CHURN_RISK)[1]
    everyone, everything = int(sizes.sum()), float(revenue.sum())
    return [
        SegmentTotals(
            segment=item,
            customers=int(sizes[i]),
            share=sizes[i] / everyone,
            revenue=float(revenue[i]),
            revenue_share=float(revenue[i] / everything) if everything > 0 else None,
            orders=float(orders[i]),
            total_clv=_number(total_clv, i),
            recency=float(recency[i] / sizes[i]),
            frequency=float(orders[i] / sizes[i]),
            monetary=float(revenue[i] / sizes[i]),
            clv=_number(clv, i),
            churn_risk=_number(churn, i),
        )
        for i, item in enumerate(frame.segments)
        if sizes[i]
    ]


def option_counts(codes: NDArray[np.intp], mask: Mask, options: int) -> NDArray[np.intp]:
    """How many customers in view have each code; those with code -1 are not counted."""
    return np.bincount(np.where(mask & (codes >= 0), codes, options), minlength=options + 1)[:options]


def _sums(frame: RunFrame, codes: NDArray[np.intp], column: str) -> NDArray[np.float64]:
    n = len(frame.segments)
    return np.bincount(codes, weights=frame.values(column), minlength=n + 1)[:n]


def _known(
    frame: RunFrame, codes: NDArray[np.intp], column: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | tuple[None, None]:
    """Sums and means over the customers that have a value."""
    if not frame.has(column):
        return None, None
    n, values = len(frame.segments), frame.values(column)
    unknown = frame.remembered(("no value", column), lambda: np.isnan(values))
    if frame.remembered(("some have no value", column), lambda: bool(unknown.any())):
        codes, values = np.where(unknown, n, codes), np.where(unknown, 0.0, values)
    sizes = np.bincount(codes, minlength=n + 1)[:n]
    sums = np.bincount(codes, weights=values, minlength=n + 1)[:n]
    return sums, np.divide(sums, sizes, out=np.full(n, np.nan), where=sizes > 0)


def _number(values: NDArray[np.float64] | None, i: int) -> float | None:
    return None if values is None or np.isnan(values[i]) else float(values[i])
