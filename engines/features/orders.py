"""Orders of one customer, and what was in them: exact money, returns below zero, the same in any order of lines."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd

from engines.columns import (
    AMOUNT_UNITS,
    DESCRIPTION,
    HOLDS_FROM,
    HOLDS_UNTIL,
    ITEMS,
    LEFT,
    LINE_TYPE,
    LINES,
    OFFSET_UNITS,
    ORDER_DATE,
    ORDER_ID,
    PRODUCT_ID,
    QUANTITY,
    SALE,
)
from engines.features.aggregates import QUANTITY_SCALE
from engines.features.holding import takes_off

SOLD = "sold"


def customer_orders(lines: ibis.Table) -> pd.DataFrame:
    """The orders of one customer, the oldest first.

    An order of which something came back under the same id is two rows: what was sold, and what came back, whose
    amount and items are below zero.

    Args:
        lines: clean lines of that customer, up to the date.

    Returns:
        order_id, sold, order_date (of its first line), amount_units (whole units of 1/10,000, as it was sold), lines,
        items, which are missing where no quantity is known, and left: what of the amount returns have not taken off,
        missing for what came back. Orders with something left, and that, add up to what ``build_customers`` says of the
        customer.
    """
    sold = lines[LINE_TYPE] == SALE
    quantity = (lines[QUANTITY] * QUANTITY_SCALE).round().cast("int64")
    held = {"as_sold": ibis.literal(True), "holds": ibis.literal(True)}
    if takes_off(lines):
        held = {"as_sold": lines[HOLDS_FROM].isnull(), "holds": lines[HOLDS_UNTIL].isnull()}
    lines = lines.mutate(**{SOLD: sold, ITEMS: sold.ifelse(quantity, -quantity.abs()), **held})
    summed = lines.group_by(ORDER_ID, SOLD).aggregate(
        **{
            ORDER_DATE: lines[ORDER_DATE].min().cast("timestamp(6)"),
            AMOUNT_UNITS: lines[AMOUNT_UNITS].sum(where=lines.as_sold).cast("int64"),
            LINES: lines.as_sold.sum().cast("int64"),
            ITEMS: lines[ITEMS].sum(where=lines.as_sold).cast("int64"),
            LEFT: lines[AMOUNT_UNITS].sum(where=lines.holds).fill_null(0).cast("int64"),
        }
    )
    summed = summed.mutate(**{LEFT: summed[SOLD].ifelse(summed[LEFT], ibis.null("int64"))})
    # sorted here, by the bytes of the order's id, whatever the database's collation
    keys: Any = [(ORDER_DATE, "ascending"), (ORDER_ID, "ascending"), (SOLD, "descending")]
    orders: pd.DataFrame = summed.to_pyarrow().sort_by(keys).to_pandas()
    return orders.assign(**{ITEMS: orders[ITEMS].astype("float64") / QUANTITY_SCALE})


def oldest_first(lines: ibis.Table) -> ibis.Table:
    """The lines of one customer, as they were sold and returned.

    They are by moment, then by order, what was sold before what came back, then by product.
    """
    if takes_off(lines):
        lines = lines.filter(lines[HOLDS_FROM].isnull()).drop(HOLDS_FROM, HOLDS_UNTIL, OFFSET_UNITS)
    first = (ORDER_DATE, ORDER_ID, PRODUCT_ID, DESCRIPTION)
    rest = (lines[name] for name in lines.columns if name not in (*first, LINE_TYPE))
    moment, order, *product = (lines[name] for name in first)
    return lines.order_by(moment, order, lines[LINE_TYPE] != SALE, *product, *rest)
