"""What the customers in view add up to: in all, and segment by segment."""

from __future__ import annotations

from typing import NamedTuple

from dashboard.frames.run import RunFrame
from dashboard.frames.sums import AT_RISK, CLV_KNOWN, RISK_KNOWN, Tally
from engines.columns import CHURN_RISK, CLV, FREQUENCY, MONETARY, RECENCY
from engines.contract import NamedSegment


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
