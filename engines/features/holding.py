"""Clean sales as they stood on a date, where returns take off what they undo."""

from __future__ import annotations

from datetime import date

import ibis

from engines.columns import HOLDS_FROM, HOLDS_UNTIL, OFFSET_UNITS, ORDER_DATE


def takes_off(sales: ibis.Table) -> bool:
    """Whether returns take off what they undo in these sales: lines say between which moments they hold."""
    return HOLDS_UNTIL in sales.columns


def holding(sales: ibis.Table, as_of: date) -> ibis.Table:
    """The lines before midnight of a date, with what was left of them then; the columns that say so are gone.

    Args:
        sales: clean lines, as for ``build_customers``.
        as_of: exclusive: what came back on this day or later is not yet taken off.
    """
    midnight = ibis.timestamp(as_of.isoformat())
    lines = sales.filter(sales[ORDER_DATE] < midnight)
    if not takes_off(sales):
        return lines
    begun = lines[HOLDS_FROM].isnull() | (lines[HOLDS_FROM] < midnight)
    lines = lines.filter(begun & (lines[HOLDS_UNTIL].isnull() | (lines[HOLDS_UNTIL] >= midnight)))
    return lines.drop(HOLDS_FROM, HOLDS_UNTIL, *((OFFSET_UNITS,) if OFFSET_UNITS in lines.columns else ()))
