"""Control totals of a retailer's own books, to compare clean sales with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis

from engines.columns import (
    AMOUNT_UNITS,
    CUSTOMER_ID,
    HOLDS_FROM,
    LINE_TYPE,
    MONEY_SCALE,
    ORDER_ID,
    SALE,
)


@dataclass(frozen=True)
class Total:
    """Lines, distinct orders and customers, and money in 1/10,000 of the currency unit."""

    lines: int
    orders: int
    customers: int
    units: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, money in currency units."""
        counts = {"lines": self.lines, "orders": self.orders, "customers": self.customers}
        return {**counts, "revenue": self.units / MONEY_SCALE}


def control_totals(sales: ibis.Table) -> Mapping[str, Total]:
    """What clean sales come to: ``gross`` (sold), ``returned``, and ``net``, their difference as in the shop's books.

    Its orders are those that were sold, its customers all who bought or returned. What customers are left with can be
    more, as a return without an earlier purchase takes off nothing: that is ``out`` of the ledger.
    """
    is_sale = sales[LINE_TYPE] == SALE
    first_seen = is_sale & (sales[HOLDS_FROM].isnull() if HOLDS_FROM in sales.columns else True)
    lines = sales.mutate(as_sold=first_seen, sold=is_sale)
    # distinct orders and customers are counted among far fewer rows
    grouped = lines.group_by(CUSTOMER_ID, ORDER_ID, "as_sold", "sold").aggregate(
        lines=lines.count(), **{AMOUNT_UNITS: lines[AMOUNT_UNITS].sum()}
    )
    with grouped.cache() as orders:
        asked: dict[str, ibis.Value] = {}
        wheres = {"gross": orders.as_sold, "returned": ~orders.sold, "net": orders.as_sold | ~orders.sold}
        for name, where in wheres.items():
            asked |= {
                f"{name}_lines": orders["lines"].sum(where=where),
                f"{name}_orders": orders[ORDER_ID].nunique(where=where & orders.sold if name == "net" else where),
                f"{name}_customers": orders[CUSTOMER_ID].nunique(where=where),
                f"{name}_units": orders[AMOUNT_UNITS].sum(where=where),
            }
        (row,) = orders.aggregate(**asked).to_pyarrow().to_pylist()
    parts = ("lines", "orders", "customers", "units")
    return {name: Total(*(row[f"{name}_{part}"] or 0 for part in parts)) for name in wheres}
