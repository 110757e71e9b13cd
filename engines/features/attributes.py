"""Attributes of customers that the sales carry (name, e-mail, channel): the latest value counts."""

from __future__ import annotations

from collections.abc import Mapping

import ibis

from engines.columns import ATTRIBUTE, CUSTOMER_ID, ORDER_DATE

VALUE, LATEST = "value", "latest"


def attributes_of(sales: ibis.Table) -> tuple[str, ...]:
    """The columns of clean sales that hold attributes."""
    return tuple(name for name in sales.columns if name.startswith(ATTRIBUTE))


def attributes_by_day(lines: ibis.Table, day: str) -> Mapping[str, ibis.Table]:
    """For each attribute: customer_id, value, day, and the latest moment of that day with this value."""
    return {
        name: lines.filter(lines[name].notnull())
        .group_by([CUSTOMER_ID, lines[name].name(VALUE), day])
        .aggregate(**{LATEST: lambda row: row[ORDER_DATE].max()})
        for name in attributes_of(lines)
    }
