"""Attributes of customers that the sales carry (name, e-mail, channel): the latest value counts."""

from __future__ import annotations

from collections.abc import Mapping

import ibis

from engines.columns import ATTRIBUTE, CUSTOMER_ID, ORDER_DATE

VALUE, LATEST = "value", "latest"


def attributes_of(sales: ibis.Table) -> tuple[str, ...]:
    """The columns of clean sales that hold attributes."""
    return tuple(name for name in sales.columns if name.startswith(ATTRIBUTE))


def attributes_by_day(lines: ibis.Table, *days: str) -> Mapping[str, ibis.Table]:
    """For each attribute: customer_id, value, the columns of days, and the latest moment with all of these."""
    return {
        name: lines.filter(lines[name].notnull())
        .group_by([CUSTOMER_ID, lines[name].name(VALUE), *days])
        .aggregate(**{LATEST: lambda row: row[ORDER_DATE].max()})
        for name in attributes_of(lines)
    }
