"""What is in the basket and where it goes: items, products, categories and countries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis
import pandas as pd

from engines.columns import (
    CATEGORY_SHARE,
    COUNTRY,
    CUSTOMER_ID,
    IS_HOME_COUNTRY,
    ITEMS_PER_ORDER,
    UNIQUE_PRODUCTS,
    UNKNOWN_COUNTRY,
)
from engines.features.facts import DESCRIBED, ITEMS, QUANTITY_SCALE, UNITS, spent_on
from engines.features.rfm import ORDERS, SPENT

PRODUCTS = "products"


def aggregates(days: ibis.Table) -> Mapping[str, ibis.Value]:
    """What the database works out for each customer from the facts of days."""
    spent = [name for name in days.columns if name.startswith(spent_on(0)[:-1])]
    return {name: days[name].sum() for name in (ITEMS, DESCRIBED, *spent)}


def columns(raw: pd.DataFrame, categories: Iterable[str]) -> dict[str, pd.Series]:
    """Items and products of each customer, and the share of spend by category.

    Products are missing where the source names none, shares where it describes none or where nothing was spent.
    """
    named = raw[PRODUCTS].notna().any()
    described = (raw[DESCRIBED] > 0).any()
    whole = raw[SPENT].where(raw[SPENT] > 0) if described else raw[SPENT].astype("float64") * float("nan")
    return {
        ITEMS_PER_ORDER: raw[ITEMS] / QUANTITY_SCALE / raw[ORDERS],
        UNIQUE_PRODUCTS: raw[PRODUCTS].fillna(0).astype("int64") if named else raw[PRODUCTS].astype("float64"),
        **{f"{CATEGORY_SHARE}{category}": raw[spent_on(number)] / whole for number, category in enumerate(categories)},
    }


def country_columns(countries: ibis.Table, customers: pd.Index) -> dict[str, pd.Series]:
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
