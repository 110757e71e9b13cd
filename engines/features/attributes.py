"""What else the sales say of a customer: name, e-mail, channel, carried along as the latest line has it."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import pandas as pd

from engines.columns import ATTRIBUTE, CUSTOMER_ID, ORDER_DATE

VALUE, LATEST = "value", "latest"


def attributes_of(sales: ibis.Table) -> tuple[str, ...]:
    """The columns of clean sales that hold attributes."""
    return tuple(name for name in sales.columns if name.startswith(ATTRIBUTE))


def gather(lines: ibis.Table, day: str) -> Mapping[str, ibis.Table]:
    """For each attribute: customer_id, value, day, and the latest moment of that day with this value."""
    return {
        name: lines.filter(lines[name].notnull())
        .group_by([CUSTOMER_ID, lines[name].name(VALUE), day])
        .aggregate(**{LATEST: lambda row: row[ORDER_DATE].max()})
        for name in attributes_of(lines)
    }


def columns(values: Mapping[str, ibis.Table], customers: pd.Index) -> dict[str, pd.Series]:
    """One value for each customer and attribute: that of the latest line that has one, ties by value; else missing."""
    return {name: _latest(table, customers) for name, table in values.items()}


def _latest(values: ibis.Table, customers: pd.Index) -> pd.Series:
    each = values.group_by(CUSTOMER_ID, VALUE).aggregate(**{LATEST: values[LATEST].max()})
    last = each[LATEST].max().over(group_by=CUSTOMER_ID)
    candidates = each.mutate(last=last).filter(lambda row: row[LATEST] == row.last).select(CUSTOMER_ID, VALUE)
    # Ties are settled here, not in the database, where the order of texts depends on its collation.
    top = candidates.to_pyarrow().to_pandas().sort_values([CUSTOMER_ID, VALUE]).drop_duplicates(CUSTOMER_ID)
    latest: pd.Series = top.set_index(CUSTOMER_ID)[VALUE].astype("str").reindex(customers)
    return latest
