"""Conversion of sales in several currencies into one, at rates that the user has fixed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import duckdb

from engines.columns import AMOUNT_UNITS, CURRENCY
from engines.errors import InputError
from engines.intake.schema.currencies import Signed, dataset_currency
from engines.intake.schema.parsing import BLANK, LINE, MONEY_LIMIT, ODD_MONEY, UNREADABLE
from engines.intake.schema.signs import in_heading, meanings, one_of, sign_of
from engines.intake.sources.files import Source
from engines.intake.sources.source import text
from engines.messages import message
from engines.settings import CODES

_CODE = f"nullif(upper(trim({CURRENCY})), '')"
_DECIMALS = 10
#: Column of lines whose money cannot be counted once it is converted.
LOST = "lost"


@dataclass(frozen=True)
class Conversion:
    """How money comes into one currency: its code ('' where none is named), the rates by text, and notes.

    ``rates``: of each text that names a currency, and of None for lines that name none; empty where nothing is to be
    done.
    """

    code: str = ""
    rates: Mapping[str | None, Decimal] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def applied(self, lines: str, beside: Collection[str] = ()) -> str:
        """SQL: the lines with their money converted; ``beside``: further columns of money, in the same units.

        It is multiplied exactly, as decimals, and rounded to 1/10,000 of the unit, halves away from zero; null, and the
        line ``lost``, where that is too large to count.
        """
        if not self.rates:
            return lines
        named = {"is null" if code is None else f"= {text(code)}": rate for code, rate in self.rates.items()}
        cases = " ".join(f"when {_CODE} {which} then {rate:f}" for which, rate in named.items())
        rate = f"cast(case when {BLANK} then 1 {cases} end as decimal(19, {_DECIMALS}))"
        money = {
            name: f"try_cast(cast({name} as decimal(19, 0)) * {rate} as bigint)" for name in (AMOUNT_UNITS, *beside)
        }
        lost = " or ".join(f"{name} is not null and {product} is null" for name, product in money.items())
        converted = ", ".join(f"{product} as {name}" for name, product in money.items())
        return f"select * replace ({converted}), {lost} as {LOST} from ({lines})"  # noqa: S608 - our own names


def conversion(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    column: str,
    lines: str,
    rates: Mapping[str, float],
    base: str,
    heading: str = "",
) -> Conversion:
    """How to bring the money of lines into one currency.

    One currency alone without a rate stays what it is, and blank cells with it.

    Args:
        connection: that knows the lines.
        source: for messages.
        column: of the source that holds the currency, for messages.
        lines: SQL that gives them, with currency, ``line`` and ``blank``.
        rates: what one unit of a currency is worth in ``base``; at most ten decimals count.
        base: ISO 4217 code of the currency to have at the end; its own rate is 1. Empty: it is not known.
        heading: the currency of lines where no line names one.

    Raises:
        InputError: a currency has no rate, or a line no currency among several; it is named.
    """
    fixed = {code.strip().upper(): _decimal(code, rate) for code, rate in rates.items()}
    fixed |= {base.upper(): Decimal(1)} if base else {}
    found = connection.execute(
        f"select {_CODE}, count(*), min({LINE}) from ({lines}) where not {BLANK} group by 1 order by 3"  # noqa: S608
    ).fetchall()
    source.count_parts(dict(connection.execute("select source_part, count(*) from raw group by 1").fetchall()))
    codes: dict[str | None, str] = {name: _meant(name, fixed, base) for name, _, _ in found if name}
    if not codes and heading in fixed:
        codes = {None: heading}
    named = sorted({*codes.values()})
    if not named:
        return Conversion()
    if len(named) == 1 and named[0] not in fixed:
        signs = {name: Signed(count, line) for name, count, line in found if name}
        if {*signs} <= {*CODES}:
            said = message("All money is in {named}, as column {column!r} says.", named=named[0], column=column)
            return Conversion(named[0], notes=(said,))
        one = dataset_currency(source, column, signs, base, tuple(fixed))
        return Conversion(one.code, notes=one.notes)
    if len(named) > 1 and not base and not fixed:
        first = {codes[name]: source.locate(line) for name, _, line in reversed(found) if name}
        raise InputError(
            "{name}: the money is in several currencies (column {column!r}): {cited}. Leave one of them, or say in "
            "[cleaning.rates] of the configuration what one unit of each is worth in the currency of --currency.",
            name=source.name,
            column=column,
            cited=", ".join(f"{code} on {where}" for code, where in reversed(first.items())),
        )
    for name, count, line in found:
        where = source.locate(line) + (f" and {count - 1:,} more" if count > 1 else "")
        if name and codes[name] not in fixed:
            raise InputError(
                "{name}: the money on {where} is in {code} (column {column!r}), which has no rate. Say "
                "in [cleaning.rates] of the configuration what one {code} is worth in {base}.",
                name=source.name,
                where=where,
                code=codes[name],
                column=column,
                base=base or message("the currency that --currency names"),
            )
        if not name and len(named) > 1:
            raise InputError(
                "{name}: column {column!r} (currency) is blank on {where}, while other lines are in "
                "{named}. Fill it in.",
                name=source.name,
                column=column,
                where=where,
                named=", ".join(named),
            )
    if not base:
        raise InputError(
            "{name}: its money is in {named} (column {column!r}). Say with --currency, or [sales] currency, in which "
            "one the rates of [cleaning.rates] are.",
            name=source.name,
            named=", ".join(named),
            column=column,
        )
    used = {name: fixed[code] for name, code in codes.items()}
    told = ", ".join(f"1 {code} = {fixed[code]:f} {base}" for code in named if code != base.upper())
    notes = (message("Converted at fixed rates: {told}.", told=told),) if told else ()
    return Conversion(base, used | ({None: fixed[named[0]]} if len(named) == 1 else {}), notes)


def refuse_other_signs(
    connection: duckdb.DuckDBPyConnection, source: Source, column: str, money: str, lines: str
) -> None:
    """Check the signs beside money against the column of currencies, line by line.

    Args:
        connection: that knows the lines.
        source: for messages.
        column: of the source that holds the currency.
        money: that which holds the money.
        lines: SQL that gives them, with currency and ABOUT_LINES.

    Raises:
        InputError: one of them names another currency than the other.
    """
    written, named = in_heading(money)
    found = connection.execute(
        f"select {_CODE}, {sign_of(ODD_MONEY)}, min({LINE}) from ({lines}) "  # noqa: S608
        f"where not {BLANK} and {UNREADABLE} is null and {_CODE} is not null group by 1, 2 order by 3"
    ).fetchall()
    for name, sign, line in found:
        codes = meanings(name)
        for text_of_money, other in ((sign or "", meanings(sign or "")), (written, named)):
            if codes and other and not {*codes} & {*other}:
                raise InputError(
                    "{name}: on {where} column {column!r} (currency) says {code}, but column {money!r} says {sign!r}. "
                    "Correct one of them, or say --map currency= to leave the first out.",
                    name=source.name,
                    where=source.locate(line),
                    column=column,
                    code=name,
                    money=money,
                    sign=text_of_money,
                )


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


def _meant(written: str, fixed: Mapping[str, Decimal], base: str) -> str:
    """The code of what stands in a column of currencies; what is none stays as it is."""
    return written if written in fixed else one_of(meanings(written) or (), (base, *fixed)) or written


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
