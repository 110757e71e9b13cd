"""Order history of each customer: date, amount and items of every order, returns as negative rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from engines.columns import (
    AMOUNT_UNITS,
    CUSTOMER_ID,
    ITEMS,
    LINE_TYPE,
    LINES,
    ORDER_DATE,
    ORDER_ID,
    QUANTITY,
    SALE,
)
from engines.features.aggregates import QUANTITY_SCALE

#: The columns of order histories. Money is whole units of 1/10,000; items are null where no quantity is known.
HISTORY = pa.schema(
    [
        (CUSTOMER_ID, pa.string()),
        (ORDER_DATE, pa.timestamp("us")),
        (AMOUNT_UNITS, pa.int64()),
        (LINES, pa.int32()),
        (ITEMS, pa.float64()),
    ]
)
_SOLD, _PLACE = "sold", "place"
_ORDER = ((_PLACE, "ascending"), (ORDER_DATE, "ascending"), (ORDER_ID, "ascending"), (_SOLD, "descending"))
_AT_ONCE = 131_072  # customers: what is in memory at a time


def order_histories(sales: ibis.Table, customers: pd.Index, *, as_of: date) -> Iterator[pa.RecordBatch]:
    """The orders of these customers before midnight of ``as_of``, by customer id, then the oldest first.

    An order of which something came back under the same id is two rows: what was sold, and what came back, whose
    amount and items are below zero. The rows of what was sold add up to what ``build_customers`` says of the customer.

    Args:
        sales: clean lines, as for ``build_customers``.
        customers: ids in code point order, as ``build_customers`` gives them.
        as_of: exclusive.

    Yields:
        Batches with the schema :data:`HISTORY`, some customers at a time; the order of lines does not matter.
    """
    lines = sales.filter(sales[ORDER_DATE] < ibis.timestamp(pd.Timestamp(as_of)))
    sold = lines[LINE_TYPE] == SALE
    quantity = (lines[QUANTITY] * QUANTITY_SCALE).round().cast("int64")
    lines = lines.mutate(**{_SOLD: sold, ITEMS: sold.ifelse(quantity, -quantity.abs())})
    for start in range(0, len(customers), _AT_ONCE):
        hand = customers[start : start + _AT_ONCE]
        orders = _orders(lines.filter(lines[CUSTOMER_ID].between(str(hand[0]), str(hand[-1])))).to_pyarrow()
        # sorted here, by the place of the customer and the bytes of the order's id, whatever the database's collation
        place = pc.index_in(orders[CUSTOMER_ID], pa.array(hand, orders[CUSTOMER_ID].type))
        orders = orders.append_column(_PLACE, place).filter(pc.is_valid(place))
        orders = orders.take(pc.sort_indices(orders, list(_ORDER)))
        items = pc.divide(orders[ITEMS].cast(pa.float64()), float(QUANTITY_SCALE))
        columns = [orders[name].cast(HISTORY.field(name).type) for name in HISTORY.names[:-1]]
        yield from pa.table([*columns, items], schema=HISTORY).to_batches()


def _orders(lines: ibis.Table) -> ibis.Table:
    return lines.group_by(CUSTOMER_ID, ORDER_ID, _SOLD).aggregate(
        **{
            ORDER_DATE: lines[ORDER_DATE].min(),
            AMOUNT_UNITS: lines[AMOUNT_UNITS].sum().cast("int64"),
            LINES: lines.count(),
            ITEMS: lines[ITEMS].sum().cast("int64"),
        }
    )
