"""Basket columns: items per order, products, and shares of spend by category."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis
import pandas as pd

from engines.columns import (
    CATEGORY_SHARE,
    ITEMS_PER_ORDER,
    UNIQUE_PRODUCTS,
)
from engines.features.aggregates import DESCRIBED, ITEMS, QUANTITY_SCALE, spend_column
from engines.features.rfm import ORDERS, SPENT

PRODUCTS = "products"


def aggregates(days: ibis.Table) -> Mapping[str, ibis.Value]:
    """What the database works out for each customer from the aggregates of days."""
    spent = [name for name in days.columns if name.startswith(spend_column(0)[:-1])]
    return {name: days[name].sum() for name in (ITEMS, DESCRIBED, *spent)}


def columns(raw: pd.DataFrame, categories: Iterable[str]) -> dict[str, pd.Series]:
    """Items and products of each customer, and the share of spend by category.

    Products are missing where the source names none, shares where it describes none or where nothing was spent.
    """
    named = raw[PRODUCTS].notna().any()
    has_descriptions = (raw[DESCRIBED] > 0).any()
    whole = raw[SPENT].where(raw[SPENT] > 0) if has_descriptions else raw[SPENT].astype("float64") * float("nan")
    return {
        ITEMS_PER_ORDER: raw[ITEMS] / QUANTITY_SCALE / raw[ORDERS],
        UNIQUE_PRODUCTS: raw[PRODUCTS].fillna(0).astype("int64") if named else raw[PRODUCTS].astype("float64"),
        **{
            f"{CATEGORY_SHARE}{category}": raw[spend_column(number)] / whole
            for number, category in enumerate(categories)
        },
    }
