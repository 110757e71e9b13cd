"""First lines of a source as they are read: typed values as text, and what becomes of each line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import duckdb

from engines.columns import (
    AMOUNT,
    AMOUNT_UNITS,
    COUNTRY,
    CURRENCY,
    CUSTOMER_ID,
    MONEY_SCALE,
    ORDER_DATE,
    ORDER_ID,
    PRODUCT_ID,
    QUANTITY,
)
from engines.intake.schema.parsing import BLANK, LINE, UNREADABLE, Parsing

#: What becomes of a line, as far as it says so itself.
LINE_OUTCOME = "outcome"

_SHOWN = (CUSTOMER_ID, ORDER_ID, ORDER_DATE, QUANTITY, AMOUNT_UNITS, PRODUCT_ID, COUNTRY, CURRENCY)


def lines_as_read(
    connection: duckdb.DuckDBPyConnection, parsing: Parsing, no_sale: str, went_back: str, count: int
) -> tuple[Mapping[str, str], ...]:
    """The first lines of the table ``lines`` that are not blank, by canonical field; what a line has not is left out.

    Dates as ``2024-02-01`` or ``2024-02-01 09:30:00``, numbers with a point, ``amount`` in units of money with at least
    two decimals. ``outcome``: ``sale``, ``return``, ``not_a_sale`` (its status says so), ``no_customer`` or
    ``unreadable``, with the field that cannot be read in ``unreadable``. Rules of cleaning that look at other lines are
    not applied.
    """
    tests = {
        "not_a_sale": no_sale,
        UNREADABLE: f"{UNREADABLE} is not null",
        "no_customer": f"{CUSTOMER_ID} is null",
        "return": f"{QUANTITY} < 0 or {AMOUNT_UNITS} < 0 or {went_back}",
    }
    cases = " ".join(f"when {test} then '{name}'" for name, test in tests.items())
    fields = (*_SHOWN, *parsing.outcome, UNREADABLE)
    rows = connection.execute(
        f"select {', '.join(fields)}, case {cases} else 'sale' end from lines where not {BLANK} "  # noqa: S608 - ours
        f"order by {LINE} limit {int(count)}"
    ).fetchall()
    return tuple(_as_text(dict(zip((*fields, LINE_OUTCOME), row, strict=True)), parsing) for row in rows)


def _as_text(line: Mapping[str, Any], parsing: Parsing) -> dict[str, str]:
    unread = line[UNREADABLE]
    texts = {field: _written(value) for field, value in line.items() if value is not None and field != AMOUNT_UNITS}
    if parsing.money in parsing.cells and unread is None:
        units = Decimal(line[AMOUNT_UNITS] or 0) / MONEY_SCALE
        texts[AMOUNT] = f"{units:.2f}" if units == round(units, 2) else f"{units:.4f}"
    return texts


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == value.time().min else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:g}"
    return str(value)
