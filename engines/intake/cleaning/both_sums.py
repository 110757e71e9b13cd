"""Quantity times price and the amount of lines, held against each other on all lines: what each of them comes to."""

from __future__ import annotations

from decimal import Decimal

import duckdb

from engines.columns import AMOUNT_UNITS, MONEY_SCALE
from engines.intake.cleaning.cleaning import RULE
from engines.intake.schema.mapping import OTHER_AMOUNT, OtherMoney, quoted
from engines.intake.schema.parsing import BLANK, DIFFERS, OTHER_UNITS
from engines.messages import Message, message


def sums_of_both(connection: duckdb.DuckDBPyConnection, other: OtherMoney, lines: str) -> tuple[Message, ...]:
    """A note on what both come to, where they differ by more than was rounded; lines that stay are compared.

    Args:
        connection: that knows the lines.
        other: the money that is not taken.
        lines: their relation, as the pass wrote it.
    """
    columns = {row[0] for row in connection.execute(f"describe {lines}").fetchall()}
    if DIFFERS not in columns:  # totals of orders are shared among lines
        return ()
    differ, of, taken, beside = connection.execute(
        f"select count(*) filter ({DIFFERS}), count({OTHER_UNITS}), sum({AMOUNT_UNITS}), sum({OTHER_UNITS}) "  # noqa: S608
        f"from {lines} where {RULE} is null and not {BLANK} and {OTHER_UNITS} is not null"
    ).fetchall()[0]
    if not differ:
        return ()
    by_price = other.field == OTHER_AMOUNT  # what is taken
    product, amounts = (taken, beside) if by_price else (beside, taken)
    parts = {
        **{"quantity": other.quantity, "price": other.price, "amount": other.amount, "lines": differ, "of": of},
        **{"product": _money(product), "amounts": _money(amounts)},
    }
    if by_price:
        return (
            message(
                "On {lines:,} of {of:,} lines {quantity!r} times {price!r} is not {amount!r}: the first comes to "
                "{product}, the second to {amounts}. The first is taken; for the second say --map amount={option}.",
                **parts,
                option=quoted(other.amount),
            ),
        )
    return (
        message(
            "On {lines:,} of {of:,} lines {quantity!r} times {price!r} is not {amount!r}: the first comes to "
            "{product}, the second to {amounts}. The second is taken; for the first say --map amount= "
            "--map unit_price={option}.",
            **parts,
            option=quoted(other.price),
        ),
    )


def _money(units: int) -> str:
    return f"{Decimal(units) / MONEY_SCALE:,.2f}"
