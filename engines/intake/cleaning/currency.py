"""Conversion of sales in several currencies into one, at rates that the user has fixed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import duckdb

from engines.columns import AMOUNT_UNITS, CURRENCY
from engines.errors import InputError
from engines.intake.schema.parsing import BLANK, LINE, MONEY_LIMIT
from engines.intake.sources.files import Source
from engines.intake.sources.source import text
from engines.messages import message

_CODE = f"nullif(upper(trim({CURRENCY})), '')"
_DECIMALS = 10
#: Column of lines whose money cannot be counted once it is converted.
LOST = "lost"


@dataclass(frozen=True)
class Conversion:
    """How money comes into one currency: its code ('' where none is named), the rates by code, and notes.

    ``rates``: of each code that is named, and of None for lines that name none; empty where nothing is to be done.
    """

    code: str = ""
    rates: Mapping[str | None, Decimal] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def applied(self, lines: str) -> str:
        """SQL: the lines with their money converted.

        It is multiplied exactly, as decimals, and rounded to 1/10,000 of the unit, halves away from zero; null, and the
        line ``lost``, where that is too large to count.
        """
        if not self.rates:
            return lines
        named = {"is null" if code is None else f"= {text(code)}": rate for code, rate in self.rates.items()}
        cases = " ".join(f"when {_CODE} {which} then {rate:f}" for which, rate in named.items())
        rate = f"cast(case when {BLANK} then 1 {cases} end as decimal(19, {_DECIMALS}))"
        product = f"try_cast(cast({AMOUNT_UNITS} as decimal(19, 0)) * {rate} as bigint)"
        lost = f"{AMOUNT_UNITS} is not null and {product} is null as {LOST}"
        return f"select * replace ({product} as {AMOUNT_UNITS}), {lost} from ({lines})"  # noqa: S608 - our own names


def conversion(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    column: str,
    lines: str,
    rates: Mapping[str, float],
    base: str,
) -> Conversion:
    """How to bring the money of lines into one currency.

    One currency alone without a rate stays what it is, and blank cells with it.

    Args:
        connection: that knows the lines.
        source: for messages.
        column: of the source that holds the currency, for messages.
        lines: SQL that gives them, with currency, ``line`` and ``blank``.
        rates: what one unit of a currency is worth in ``base``; at most ten decimals count.
        base: ISO 4217 code of the currency to have at the end; its own rate is 1.

    Raises:
        InputError: a currency has no rate, or a line no currency among several; it is named.
    """
    fixed = {code.strip().upper(): _decimal(code, rate) for code, rate in rates.items()} | {base.upper(): Decimal(1)}
    found = connection.execute(
        f"select {_CODE}, count(*), min({LINE}) from ({lines}) where not {BLANK} group by 1 order by 3"  # noqa: S608
    ).fetchall()
    named = sorted(code for code, _, _ in found if code)
    if not named:
        return Conversion()
    if len(named) == 1 and named[0] not in fixed:
        said = message("All money is in {named}, as column {column!r} says.", named=named[0], column=column)
        return Conversion(named[0], notes=(said,))
    source.count_parts(dict(connection.execute("select source_part, count(*) from raw group by 1").fetchall()))
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
    used: dict[str | None, Decimal] = {code: fixed[code] for code in named}
    told = ", ".join(f"1 {code} = {fixed[code]:f} {base}" for code in named if code != base.upper())
    notes = (message("Converted at fixed rates: {told}.", told=told),) if told else ()
    return Conversion(base, used | ({None: fixed[named[0]]} if len(named) == 1 else {}), notes)


def refuse_lost(connection: duckdb.DuckDBPyConnection, source: Source, lines: str, base: str) -> None:
    """Check the money of converted lines.

    Raises:
        InputError: it is more than can be counted exactly.
    """
    lost, size = connection.execute(
        f"select count(*) filter ({LOST}), sum(abs(cast({AMOUNT_UNITS} as double))) from {lines}"  # noqa: S608
    ).fetchall()[0]
    if lost or (size or 0) >= MONEY_LIMIT:
        raise InputError(
            "{name}: its money in {base} is more than can be counted exactly; check [cleaning.rates].",
            name=source.name,
            base=base,
        )


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
