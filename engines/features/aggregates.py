"""Aggregates of clean sales by customer and day, order, product and country, from which customers are made.

Everything here is an expression that the database which holds the lines works out: counts, integer sums, first and last
days. Nothing is divided there, because databases disagree about dividing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ibis

from engines.columns import (
    AMOUNT_UNITS,
    COST_UNITS,
    COUNTRY,
    CUSTOMER_ID,
    DESCRIPTION,
    LINE_TYPE,
    OFFSET_UNITS,
    ORDER_DATE,
    ORDER_ID,
    PRODUCT_ID,
    QUANTITY,
    SALE,
)
from engines.features import attributes

DAY = "day"
UNITS = "units"
RETURNED = "returned_units"
TAKEN_OFF = "off_units"  # what returns have taken off the units; where they take off nothing, 0
UNDONE = "undone_units"  # what of the spend was undone: what returns have taken off, or else all that they were worth
ITEMS = "item_units"
COSTED = "costed_units"  # of the units, those of lines that say what their goods cost
DESCRIBED = "described_lines"
SALE_LINES = "sale_lines"
QUANTITY_SCALE = 1_000_000  # quantities are summed as whole millionths, so that the order of lines cannot matter


@dataclass(frozen=True)
class SalesAggregates:
    """Sales and returns by customer and day; orders and products by the customer's first day; spend by country.

    ``days``: customer_id, day, sale_lines, units, returned_units, off_units, undone_units, item_units (null where no
    quantity is known), described_lines, spent_<number> in units for each category; cost_units and costed_units where
    the sales say what goods cost. ``orders``: customer_id, order_id, the first day, and the first period. ``products``:
    customer_id, product_id, and the first day or period. ``countries``: customer_id, country, day or period, units.
    ``attributes``: by column, customer_id, value, day or period, and latest moment.
    """

    days: ibis.Table
    orders: ibis.Table
    products: ibis.Table
    countries: ibis.Table
    attributes: Mapping[str, ibis.Table] = field(default_factory=dict)


def spend_column(number: int) -> str:
    """Name of the column of ``days`` that holds what was spent on the category with this number."""
    return f"spent_{number}"


def aggregate_sales(
    sales: ibis.Table, categories: Mapping[str, Sequence[str]], *, period: str = DAY, until: Sequence[str] = ()
) -> SalesAggregates:
    """The aggregates of clean sales lines; a line counts in the first category of which its description has a keyword.

    Args:
        sales: the lines.
        categories: keywords by category name.
        period: column that stands for the day in all but ``days``, which have it as well: it adds up over any time.
        until: columns that tell lines apart that do not hold for equally long; everything is grouped by them too.
    """
    lines = sales.mutate(**{DAY: sales[ORDER_DATE].date(), "category": _category(sales[DESCRIPTION], categories)})
    is_sale = lines[LINE_TYPE] == SALE
    sold, units = is_sale.ifelse(lines[AMOUNT_UNITS], 0), lines[AMOUNT_UNITS]
    back = is_sale.ifelse(0, -units)
    off = lines[OFFSET_UNITS].fill_null(0) if OFFSET_UNITS in lines.columns else None
    costs: dict[str, ibis.Value] = {}
    if COST_UNITS in lines.columns:
        costs[COST_UNITS] = is_sale.ifelse(lines[COST_UNITS].fill_null(0), 0).sum()
        costs[COSTED] = (is_sale & lines[COST_UNITS].notnull()).ifelse(units, 0).sum()
    days = lines.group_by(CUSTOMER_ID, *dict.fromkeys((DAY, period)), *until).aggregate(
        **costs,
        **{
            SALE_LINES: is_sale.ifelse(1, 0).sum(),
            UNITS: sold.sum(),
            RETURNED: back.sum(),
            TAKEN_OFF: is_sale.ifelse(0, 0).sum() if off is None else off.sum(),
            UNDONE: back.sum() if off is None else off.sum(),
            ITEMS: (is_sale.ifelse(lines[QUANTITY], ibis.null("float64")) * QUANTITY_SCALE).round().cast("int64").sum(),
            DESCRIBED: (is_sale & lines[DESCRIPTION].notnull()).ifelse(1, 0).sum(),
            **{
                spend_column(number): (is_sale & (lines.category == number)).ifelse(units, 0).sum()
                for number in range(len(categories))
            },
        },
    )
    sales_only = lines.filter(is_sale)
    with_product = sales_only.filter(sales_only[PRODUCT_ID].notnull())
    with_country = sales_only.filter(sales_only[COUNTRY].notnull())
    return SalesAggregates(
        days=days,
        orders=sales_only.group_by(CUSTOMER_ID, ORDER_ID, *until).aggregate(
            **{name: sales_only[name].min() for name in dict.fromkeys((period, DAY))}
        ),
        products=with_product.group_by(CUSTOMER_ID, PRODUCT_ID, *until).aggregate(
            **{period: with_product[period].min()}
        ),
        countries=with_country.group_by(CUSTOMER_ID, COUNTRY, period, *until).aggregate(
            **{UNITS: with_country[AMOUNT_UNITS].sum()}
        ),
        attributes=attributes.attributes_by_day(sales_only, period, *until),
    )


def _category(description: ibis.Value, categories: Mapping[str, Sequence[str]]) -> ibis.Value:
    """The number of the first category with a keyword in the description, whatever the case; -1 for none."""
    text = description.lower()
    branches = [
        (text.re_search("|".join(re.escape(word.lower()) for word in words if word)), ibis.literal(number, "int64"))
        for number, words in enumerate(categories.values())
        if any(words)
    ]
    return ibis.cases(*branches, else_=-1) if branches else ibis.literal(-1, "int64")
