"""Returns of clean sales, settled part by part where the lines are in a database, so that memory is bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from engines.columns import (
    AMOUNT_UNITS,
    ATTRIBUTE,
    COST_UNITS,
    COUNTRY,
    CUSTOMER_ID,
    DESCRIPTION,
    OFFSET_UNITS,
    ORDER_DATE,
    ORDER_ID,
    PRODUCT_ID,
    QUANTITY,
)
from engines.intake.cleaning.returns import (
    RETURN_PRICE,
    RETURNS,
    ROW,
    STEPS,
    VERSIONS,
    WITHOUT_PURCHASE,
    Settlement,
    settle_returns,
)

#: How many lines of customers with returns are settled at once; a customer's lines stay together.
AT_ONCE = 400_000
#: Every how many row numbers there is a line of the source: what was added to one follows it.
ROWS_PER_LINE = 4
SETTLED = "settled"  # column: the first step that a return was settled by


@dataclass(frozen=True)
class Share:
    """What returns took off by one step; ``lines``: of the source, each under the first step it was settled by."""

    lines: int
    units: int
    customers: int


@dataclass(frozen=True)
class Offsets:
    """What all returns took off: the tables of a settlement in the database, and what they come to.

    ``steps``: by name, ``without_purchase`` among them. ``price``: units that were paid for goods beyond what was given
    back. ``emptied``: lines, orders, customers and units of the customers of whom nothing is left; ``orders``: how many
    orders nothing is left of.
    """

    versions: ibis.Table
    settled: ibis.Table
    steps: dict[str, Share]
    price: int
    orders: int
    emptied: dict[str, int]


def offset_returns(lines: ibis.Table, rule: str, went_back: str) -> Offsets:
    """Settle all returns among flagged and cut lines.

    Args:
        lines: with ``row``, in any order; one stays where ``rule`` is null and is a return where ``went_back`` holds.
        rule: name of that column.
        went_back: name of that column.
    """
    found = list(_settlements(lines, rule, went_back))
    versions = pa.concat_tables([each.versions for each in found] or [VERSIONS.empty_table()])
    returns = pa.concat_tables([each.returns for each in found] or [RETURNS.empty_table()])
    emptied = [each.emptied for each in found]
    first: Any = pa.scalar(WITHOUT_PURCHASE)
    for step in reversed(STEPS):
        first = pc.if_else(pc.greater(returns[step], 0), step, first)
    if not isinstance(first, pa.ChunkedArray):  # there is no return
        first = pa.chunked_array([[]], pa.string())
    returns = returns.append_column(SETTLED, first)
    backend = lines.get_backend()
    return Offsets(
        versions=backend.create_table("versions", versions, temp=True, overwrite=True),
        settled=backend.create_table(
            "settled_returns", returns.select([ROW, SETTLED, OFFSET_UNITS]), temp=True, overwrite=True
        ),
        steps={name: _step(returns, name) for name in (*STEPS, WITHOUT_PURCHASE)},
        price=_sum(returns[RETURN_PRICE]),
        orders=sum(each.orders for each in found),
        emptied={
            "customers": sum(map(len, emptied)),
            **{name: sum(_sum(each[name]) for each in emptied) for name in ("lines", "orders", AMOUNT_UNITS)},
        },
    )


def _settlements(lines: ibis.Table, rule: str, went_back: str) -> Any:
    counts = lines.filter(lines[rule].isnull() | lines[went_back])
    with lines.filter(lines[went_back]).select(CUSTOMER_ID).distinct().cache() as who:
        of_them = counts.semi_join(who, CUSTOMER_ID)
        parts = -(-of_them.count().to_pyarrow().as_py() // AT_ONCE)
        asked = (ROW, CUSTOMER_ID, ORDER_ID, ORDER_DATE, PRODUCT_ID, QUANTITY, AMOUNT_UNITS, went_back)
        told = (DESCRIPTION, COUNTRY, COST_UNITS)
        rest = (name for name in lines.columns if name in told or name.startswith(ATTRIBUTE))
        of_them = of_them.select(*asked, *rest)
        for part in range(parts):
            here = (of_them[CUSTOMER_ID].hash() % parts).abs() == part
            yield _settled(of_them.filter(here) if parts > 1 else of_them)


def _settled(lines: ibis.Table) -> Settlement:
    """The settlement of lines that are all that some customers bought and returned."""
    day = lines[CUSTOMER_ID] + "/" + lines[ORDER_DATE].strftime("%Y-%m-%d")  # an order is a customer's day
    return settle_returns(lines.mutate(**{ORDER_ID: lines[ORDER_ID].fill_null(day)}).to_pyarrow())


def _step(returns: pa.Table, name: str) -> Share:
    of_source = pc.equal(pc.bit_wise_and(returns[ROW], ROWS_PER_LINE - 1), 0)
    here = pc.and_(of_source, pc.equal(returns[SETTLED], name))
    customers = returns.filter(pc.greater(returns[name], 0))[CUSTOMER_ID]
    return Share(_sum(here.cast(pa.int64())), _sum(returns[name]), len(pc.unique(customers)))


def _sum(values: pa.ChunkedArray) -> int:
    return int(pc.sum(values, min_count=0).as_py())
