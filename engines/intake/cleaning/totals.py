"""Control totals of a retailer's own books, to compare clean sales with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis

from engines.columns import AMOUNT_UNITS, CUSTOMER_ID, LINE_TYPE, MONEY_SCALE, ORDER_ID, SALE


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
    """What clean sales come to: ``gross`` (sold), ``returned``, and ``net`` of returns with the orders that were sold.

    The same whether returns are netted or not: customers of ``net`` are all who bought or returned.
    """
    is_sale = sales[LINE_TYPE] == SALE
    # distinct orders and customers are counted among far fewer rows
    grouped = sales.group_by(CUSTOMER_ID, ORDER_ID, sold=is_sale).aggregate(
        lines=sales.count(), **{AMOUNT_UNITS: sales[AMOUNT_UNITS].sum()}
    )
    with grouped.cache() as orders:
        asked: dict[str, ibis.Value] = {}
        for name, where in (("gross", orders.sold), ("returned", ~orders.sold), ("net", None)):
            asked |= {
                f"{name}_lines": orders["lines"].sum(where=where),
                f"{name}_orders": orders[ORDER_ID].nunique(where=orders.sold if where is None else where),
                f"{name}_customers": orders[CUSTOMER_ID].nunique(where=where),
                f"{name}_units": orders[AMOUNT_UNITS].sum(where=where),
            }
        (row,) = orders.aggregate(**asked).to_pyarrow().to_pylist()
    parts = ("lines", "orders", "customers", "units")
    return {name: Total(*(row[f"{name}_{part}"] or 0 for part in parts)) for name in ("gross", "returned", "net")}
