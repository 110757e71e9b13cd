"""Conversion of sales in several currencies into one, at rates that the user has fixed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

import duckdb

from engines.columns import AMOUNT_UNITS, CURRENCY
from engines.errors import InputError
from engines.intake.schema.parsing import LINE, MONEY_LIMIT
from engines.intake.sources.files import Source
from engines.messages import message

_CODE = f"nullif(upper(trim({CURRENCY})), '')"
_DECIMALS = 10


def convert(
    connection: duckdb.DuckDBPyConnection, source: Source, column: str, rates: Mapping[str, float], base: str
) -> tuple[str, tuple[str, ...]]:
    """Bring the money of the table ``lines`` into one currency; gives its code ('' where none is named) and notes.

    One currency alone without a rate stays what it is, and blank cells with it. Otherwise each line's amount is
    multiplied by the rate exactly, as decimals, and rounded to 1/10,000 of the unit, halves away from zero.

    Args:
        connection: that has ``lines``.
        source: for messages.
        column: of the source that holds the currency, for messages.
        rates: what one unit of a currency is worth in ``base``; at most ten decimals count.
        base: ISO 4217 code of the currency to have at the end; its own rate is 1.

    Raises:
        InputError: a currency has no rate, or a line no currency among several; it is named.
    """
    fixed = {code.strip().upper(): _decimal(code, rate) for code, rate in rates.items()} | {base.upper(): Decimal(1)}
    found = connection.execute(
        f"select {_CODE}, count(*), min({LINE}) from lines group by 1 order by 3"  # noqa: S608 - our own names
    ).fetchall()
    named = sorted(code for code, _, _ in found if code)
    if not named:
        return "", ()
    if len(named) == 1 and named[0] not in fixed:
        return named[0], (
            message("All money is in {named}, as column {column!r} says.", named=named[0], column=column),
        )
    for code, count, line in found:
        where = source.locate(line) + (f" and {count - 1:,} more" if count > 1 else "")
        if code and code not in fixed:
            raise InputError(
                "{name}: the money on {where} is in {code} (column {column!r}), which has no rate. Say "
                "in [cleaning.rates] of the configuration what one {code} is worth in {base}.",
                name=source.name,
                where=where,
                code=code,
                column=column,
                base=base,
            )
        if not code and len(named) > 1:
            raise InputError(
                "{name}: column {column!r} (currency) is blank on {where}, while other lines are in "
                "{named}. Fill it in.",
                name=source.name,
                column=column,
                where=where,
                named=", ".join(named),
            )
    connection.execute(f"create temp table rates (code varchar, rate decimal(19, {_DECIMALS}))")
    known = [(code, fixed[code]) for code in named] + ([(None, fixed[named[0]])] if len(named) == 1 else [])
    connection.executemany("insert into rates values (?, ?)", known)
    # An exact product of decimals, which the last cast rounds to whole units.
    product = f"try_cast(cast({AMOUNT_UNITS} as decimal(19, 0)) * rate as bigint)"
    joined = f"rates.code is not distinct from {_CODE}"
    lost, size = connection.execute(
        f"select min({LINE}) filter ({AMOUNT_UNITS} is not null and {product} is null), "  # noqa: S608
        f"sum(abs(cast({product} as double))) from lines join rates on {joined}"
    ).fetchall()[0]
    if lost is not None or (size or 0) >= MONEY_LIMIT:
        raise InputError(
            "{name}: its money in {base} is more than can be counted exactly; check [cleaning.rates].",
            name=source.name,
            base=base,
        )
    connection.execute(f"update lines set {AMOUNT_UNITS} = {product} from rates where {joined}")  # noqa: S608
    connection.execute("drop table rates")
    told = ", ".join(f"1 {code} = {fixed[code]:f} {base}" for code in named if code != base.upper())
    return base, ((message("Converted at fixed rates: {told}.", told=told),) if told else ())


def _decimal(code: str, rate: float) -> Decimal:
    """The rate as it was written: the shortest decimal number that reads as this one.

    Raises:
        InputError: it is not above zero, too large, or has more than ten decimals.
    """
    exact = Decimal(repr(float(rate))).normalize() if math.isfinite(rate) else Decimal(0)
    if not 0 < exact < 1_000_000 or -int(exact.as_tuple().exponent) > _DECIMALS:
        raise InputError(
            "[cleaning.rates] {code} = {rate}: give a number above 0 and below a million, with at "
            "most {decimals} decimals.",
            code=code,
            rate=rate,
            decimals=_DECIMALS,
        )
    return exact
