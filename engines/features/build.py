"""One row per customer, as of a date: facts from the database, then ratios and dates worked out here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from engines.columns import CATEGORY_SHARE, CUSTOMER_ID, FEATURE_COLUMNS
from engines.errors import InputError
from engines.features import attributes, basket, lifetime, rfm
from engines.features.facts import DAY, ITEMS, Facts, gather
from engines.features.periods import known_at
from engines.features.plugins import RegisteredFeature, extended


def build_customers(
    sales: ibis.Table,
    *,
    as_of: date,
    categories: Mapping[str, Sequence[str]] = {},
    plugins: Sequence[RegisteredFeature] = (),
) -> pd.DataFrame:
    """Customers with at least one sale before midnight of ``as_of``, one row each.

    Args:
        sales: clean lines: customer_id, order_id, order_date, quantity, amount_units, product_id, description,
            country, line_type, and attribute_<name> where there are any; on any backend of Ibis.
        as_of: exclusive: only lines before its midnight count, sales and returns alike.
        categories: keywords by category name, looked for in the description whatever the case; the first category
            that fits counts. Each gives a column share_<category>.
        plugins: features of other packages (of ``registered_features``), each a float64 column more at the end.

    Returns:
        Indexed by customer_id (str, in code point order), with FEATURE_COLUMNS, the shares and the attributes, as the
        data dictionary defines them: counts int64, money and shares float64, days as datetime64[us], attributes text;
        is_home_country bool, or null boolean where the source has no country. The order of lines does not matter.

    Raises:
        InputError: a plug-in fails, named with its package. To go on without those that fail, use ``extended``.
    """
    customers = _customers(gather(sales, categories), as_of, tuple(categories))
    if not plugins:
        return customers
    result = extended(customers, sales, as_of=as_of, plugins=plugins)
    if result.notes:
        raise InputError(" ".join(result.notes))
    return result.customers


def customers_at(
    sales: ibis.Table,
    cutoffs: Sequence[date],
    categories: Mapping[str, Sequence[str]] = {},
    *,
    columns: Collection[str] | None = None,
) -> Iterator[tuple[date, pd.DataFrame]]:
    """Each cut-off with the customers as of it, equal to ``build_customers`` there; lines are read only once.

    In the order of time, however the cut-offs are given. ``columns``: those that are wanted, where not all are; as long
    as they are of recency, frequency, money and lifetime, the rest is not worked out.
    """
    plain = columns is not None and {*columns} <= {*rfm.COLUMNS, *lifetime.COLUMNS}
    looked_for: Mapping[str, Sequence[str]] = {} if plain else categories
    for known in known_at(sales, sorted(set(cutoffs)), looked_for, whole=not plain):
        made = _made(known.raw, known.as_of, tuple(looked_for), known.texts)
        yield known.as_of, made if columns is None else made[[name for name in made.columns if name in columns]]


def _customers(facts: Facts, as_of: date, categories: Sequence[str]) -> pd.DataFrame:
    raw = _known_of_each(facts, as_of)
    countries = facts.countries.filter(facts.countries[DAY] < _literal(as_of))
    before = {name: table.filter(table[DAY] < _literal(as_of)) for name, table in facts.attributes.items()}
    texts = {**basket.country_columns(countries, raw.index), **attributes.columns(before, raw.index)}
    return _made(raw, as_of, categories, texts)


def _made(raw: pd.DataFrame, as_of: date, categories: Sequence[str], texts: Mapping[str, pd.Series]) -> pd.DataFrame:
    made = {**rfm.columns(raw, as_of), **lifetime.columns(raw, as_of), **texts}
    if basket.PRODUCTS in raw:
        made |= basket.columns(raw, categories)
    carried = [name for name in texts if name not in FEATURE_COLUMNS]
    order = (*FEATURE_COLUMNS, *(f"{CATEGORY_SHARE}{category}" for category in categories), *carried)
    return pd.DataFrame({name: made[name] for name in order if name in made}, index=raw.index)


def _known_of_each(facts: Facts, as_of: date) -> pd.DataFrame:
    """Counts, integer sums, first and last days of each customer with a sale before the date, in order of id."""
    before = {
        name: table.filter(table[DAY] < _literal(as_of))
        for name, table in (("days", facts.days), ("orders", facts.orders), ("products", facts.products))
    }
    days, orders, products = before["days"], before["orders"], before["products"]
    asked = {**rfm.aggregates(days), **basket.aggregates(days), **lifetime.aggregates(days)}
    each = days.group_by(CUSTOMER_ID).aggregate(**asked)
    each = each.filter(each[rfm.PURCHASE_DAYS] > 0)
    by_order = orders.group_by(CUSTOMER_ID).aggregate(**{rfm.ORDERS: orders.count()})
    by_product = products.group_by(CUSTOMER_ID).aggregate(**{basket.PRODUCTS: products.count()})
    joined = each.left_join(by_order, CUSTOMER_ID).left_join(by_product, CUSTOMER_ID)
    table = joined.select(*each.columns, rfm.ORDERS, basket.PRODUCTS).to_pyarrow()
    table = table.take(pc.sort_indices(table[CUSTOMER_ID]))  # by bytes of UTF-8, which is by code point
    numbers = {
        name: table[name].cast(pa.float64() if name in (ITEMS, basket.PRODUCTS) else pa.int64())
        for name in table.column_names
        if name not in (CUSTOMER_ID, rfm.FIRST_DAY, rfm.LAST_DAY)
    }
    days_known = {name: table[name].cast(pa.timestamp("us")) for name in (rfm.FIRST_DAY, rfm.LAST_DAY)}
    index = pd.Index(table[CUSTOMER_ID].to_pandas(), dtype="str", name=CUSTOMER_ID)
    raw: pd.DataFrame = pa.table({**days_known, **numbers}).to_pandas()
    return raw.set_index(index)


def _literal(day: date) -> ibis.Value:
    return ibis.date(day.isoformat())
