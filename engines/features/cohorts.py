"""Cohorts by month of first purchase, and how many of each buy again month by month."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis

from engines.columns import CUSTOMER_ID, LINE_TYPE, ORDER_DATE, SALE
from engines.features.holding import holding

MOST_MONTHS = 60


def cohorts(sales: ibis.Table, *, as_of: date) -> dict[str, Any]:
    """Customers by the month of their first purchase, and how many of them bought in each month after it.

    Args:
        sales: clean lines, as for ``build_customers``; on any backend of Ibis.
        as_of: exclusive: only sales before its midnight count.

    Returns:
        JSON-ready: ``months``, the first months as 2011-01, the oldest first, at most the latest ``MOST_MONTHS``;
        ``active``, for each of them how many of its customers bought in the month itself (all of them), the one after
        and so on to the last month before ``as_of``. Months in which nobody came for the first time are left out.
    """
    lines = holding(sales, as_of)
    sold = lines.filter(lines[LINE_TYPE] == SALE)
    moment = sold[ORDER_DATE].date()
    months = sold.select(CUSTOMER_ID, month=moment.year().cast("int64") * 12 + moment.month().cast("int64")).distinct()
    first = months.group_by(CUSTOMER_ID).aggregate(first=months.month.min())
    joined = months.inner_join(first, CUSTOMER_ID)
    counted = joined.group_by("first", "month").aggregate(customers=joined.count()).to_pyarrow().to_pylist()
    counts = {(int(row["first"]), int(row["month"])): int(row["customers"]) for row in counted}
    began = sorted({start for start, _ in counts})[-MOST_MONTHS:]
    last = max((month for _, month in counts), default=0)
    return {
        "months": [f"{(start - 1) // 12:04d}-{(start - 1) % 12 + 1:02d}" for start in began],
        "active": [[counts.get((start, month), 0) for month in range(start, last + 1)] for start in began],
    }
