"""Aggregates of clean sales by customer and day, order, product and country, from which customers are made.

Everything here is an expression that the database which holds the lines works out: counts, integer sums, first and last
days. Nothing is divided there, because databases disagree about dividing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import ibis

from engines.columns import (
    AMOUNT_UNITS,
    COUNTRY,
    CUSTOMER_ID,
    DESCRIPTION,
    LINE_TYPE,
    NETTED,
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
SUBTRACTED = "subtracted_units"  # the part of what was returned that is netted
ITEMS = "item_units"
DESCRIBED = "described_lines"
SALE_LINES = "sale_lines"
QUANTITY_SCALE = 1_000_000  # quantities are summed as whole millionths, so that the order of lines cannot matter


@dataclass(frozen=True)
class SalesAggregates:
    """Sales and returns by customer and day; orders and products by the customer's first day; spend by country.

    ``days``: customer_id, day, sale_lines, units, returned_units, subtracted_units, item_units (null where no quantity
    is known), described_lines, and spent_<number> in units for each category. ``orders``, ``products``: customer_id
    and the first day of each order or product. ``countries``: customer_id, country, day, units. ``attributes``: by
    column, customer_id, value, day and latest moment.
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
    sales: ibis.Table,
    categories: Mapping[str, Sequence[str]],
    *,
    stretch: Callable[[ibis.Value], ibis.Value] = lambda day: day,
) -> SalesAggregates:
    """The aggregates of clean sales lines; a line counts in the first category of which its description has a keyword.

    ``stretch`` gives what stands for the day in countries and attributes, such as its month: they add up over any time.
    """
    lines = sales.mutate(**{DAY: sales[ORDER_DATE].date(), "category": _category(sales[DESCRIPTION], categories)})
    is_sale = lines[LINE_TYPE] == SALE
    sold, units = is_sale.ifelse(lines[AMOUNT_UNITS], 0), lines[AMOUNT_UNITS]
    days = lines.group_by(CUSTOMER_ID, DAY).aggregate(
        **{
            SALE_LINES: is_sale.ifelse(1, 0).sum(),
            UNITS: sold.sum(),
            RETURNED: is_sale.ifelse(0, -units).sum(),
            SUBTRACTED: (lines[LINE_TYPE] == NETTED).ifelse(-units, 0).sum(),
            ITEMS: (is_sale.ifelse(lines[QUANTITY], ibis.null("float64")) * QUANTITY_SCALE).round().cast("int64").sum(),
            DESCRIBED: (is_sale & lines[DESCRIPTION].notnull()).ifelse(1, 0).sum(),
            **{
                spend_column(number): (is_sale & (lines.category == number)).ifelse(units, 0).sum()
                for number in range(len(categories))
            },
        }
    )
    sales_only = lines.filter(is_sale)
    with_product = sales_only.filter(sales_only[PRODUCT_ID].notnull())
    stretched = sales_only.mutate(**{DAY: stretch(sales_only[DAY])})
    with_country = stretched.filter(stretched[COUNTRY].notnull())
    return SalesAggregates(
        days=days,
        orders=sales_only.group_by(CUSTOMER_ID, ORDER_ID).aggregate(**{DAY: sales_only[DAY].min()}),
        products=with_product.group_by(CUSTOMER_ID, PRODUCT_ID).aggregate(**{DAY: with_product[DAY].min()}),
        countries=with_country.group_by(CUSTOMER_ID, COUNTRY, DAY).aggregate(
            **{UNITS: with_country[AMOUNT_UNITS].sum()}
        ),
        attributes=attributes.attributes_by_day(stretched, DAY),
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
