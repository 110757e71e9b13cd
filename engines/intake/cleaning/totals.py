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
    HOLDS_UNTIL,
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
    """What clean sales come to: ``gross`` (sold), ``returned``, and ``net``.

    Where returns take off what they undo, ``net`` is what is left of what was sold, and of whom anything is. Elsewhere
    it is the difference of the others, with the orders that were sold, and its customers are all who bought or
    returned.
    """
    is_sale = sales[LINE_TYPE] == SALE
    takes_off = HOLDS_UNTIL in sales.columns
    lines = sales.mutate(
        as_sold=is_sale & (sales[HOLDS_FROM].isnull() if takes_off else True),
        left=is_sale & sales[HOLDS_UNTIL].isnull() if takes_off else ibis.literal(True),
        sold=is_sale,
    )
    # distinct orders and customers are counted among far fewer rows
    grouped = lines.group_by(CUSTOMER_ID, ORDER_ID, "as_sold", "left", "sold").aggregate(
        lines=lines.count(), **{AMOUNT_UNITS: lines[AMOUNT_UNITS].sum()}
    )
    with grouped.cache() as orders:
        asked: dict[str, ibis.Value] = {}
        for name, where in (("gross", orders.as_sold), ("returned", ~orders.sold), ("net", orders.left)):
            asked |= {
                f"{name}_lines": orders["lines"].sum(where=where),
                f"{name}_orders": orders[ORDER_ID].nunique(where=where & orders.sold if name == "net" else where),
                f"{name}_customers": orders[CUSTOMER_ID].nunique(where=where),
                f"{name}_units": orders[AMOUNT_UNITS].sum(where=where),
            }
        (row,) = orders.aggregate(**asked).to_pyarrow().to_pylist()
    parts = ("lines", "orders", "customers", "units")
    return {name: Total(*(row[f"{name}_{part}"] or 0 for part in parts)) for name in ("gross", "returned", "net")}
