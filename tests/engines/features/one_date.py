"""Customers as of one date by one sum over all sales before it: what customers at many dates are checked against."""

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from engines.columns import COUNTRY, CUSTOMER_ID, IS_HOME_COUNTRY, UNKNOWN_COUNTRY
from engines.features import basket, lifetime, rfm, windows
from engines.features.aggregates import DAY, ITEMS, UNITS, aggregate_sales
from engines.features.attributes import LATEST, VALUE
from engines.features.build import from_sums


def customers_of_one_date(sales, as_of, categories):
    found = aggregate_sales(sales, categories)
    raw = _sums_of_each(found, as_of)
    countries = found.countries.filter(found.countries[DAY] < _literal(as_of))
    before = {name: table.filter(table[DAY] < _literal(as_of)) for name, table in found.attributes.items()}
    texts = {**_country_columns(countries, raw.index), **_attribute_columns(before, raw.index)}
    return from_sums(raw, as_of, tuple(categories), texts)


def but_windows(customers):
    """The customers without the columns of windows, which tests/engines/features/lately.py works out anew."""
    return customers.drop(columns=[*windows.COLUMNS])


def _country_columns(countries, customers):
    """The country of most spend of each customer, ties by name, and whether it is the shop's own.

    The home country is the one with most revenue, ties by name; Unknown is none while any other is known. Both columns
    are missing where the source has no country.
    """
    spent = countries.group_by(CUSTOMER_ID, COUNTRY).aggregate(**{UNITS: countries[UNITS].sum()})
    most = spent[UNITS].max().over(group_by=CUSTOMER_ID)
    primary = spent.mutate(most=most).filter(lambda row: row[UNITS] == row.most).select(CUSTOMER_ID, COUNTRY)
    # Ties are settled here, not in the database, where the order of names depends on its collation.
    top = primary.to_pyarrow().to_pandas().sort_values([CUSTOMER_ID, COUNTRY]).drop_duplicates(CUSTOMER_ID)
    country = top.set_index(CUSTOMER_ID)[COUNTRY].astype("str").reindex(customers)
    if top.empty:
        return {COUNTRY: country, IS_HOME_COUNTRY: pd.Series(pd.NA, index=customers, dtype="boolean")}
    revenue = countries.group_by(COUNTRY).aggregate(**{UNITS: countries[UNITS].sum()}).to_pyarrow().to_pylist()
    home = min(revenue, key=lambda row: (row[COUNTRY] == UNKNOWN_COUNTRY, -row[UNITS], row[COUNTRY]))[COUNTRY]
    return {COUNTRY: country, IS_HOME_COUNTRY: (country == home).astype("bool")}


def _attribute_columns(values, customers):
    """One value for each customer and attribute: that of the latest line that has one, ties by value; else missing."""
    return {name: _latest(table, customers) for name, table in values.items()}


def _latest(values, customers):
    each = values.group_by(CUSTOMER_ID, VALUE).aggregate(**{LATEST: values[LATEST].max()})
    last = each[LATEST].max().over(group_by=CUSTOMER_ID)
    candidates = each.mutate(last=last).filter(lambda row: row[LATEST] == row.last).select(CUSTOMER_ID, VALUE)
    # Ties are settled here, not in the database, where the order of texts depends on its collation.
    top = candidates.to_pyarrow().to_pandas().sort_values([CUSTOMER_ID, VALUE]).drop_duplicates(CUSTOMER_ID)
    return top.set_index(CUSTOMER_ID)[VALUE].astype("str").reindex(customers)


def _sums_of_each(facts, as_of):
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
    raw = pa.table({**days_known, **numbers}).to_pandas()
    return raw.set_index(index)


def _literal(day):
    return ibis.date(day.isoformat())
