"""The currency of a data set, as the signs and codes beside its numbers and the heading of its money tell it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import duckdb

from engines.errors import InputError
from engines.intake.schema.contents import Look
from engines.intake.schema.parsing import BLANK, LINE, ODD_MONEY, UNREADABLE
from engines.intake.schema.signs import SIGNS, in_heading, meanings, one_of, sign_of
from engines.intake.sources.files import Source
from engines.messages import message

_DIGITS = re.compile(rf"(?:[\W\d_](?<![{SIGNS}/]))+")
#: Headings of rates, which name currencies that the money is not in.
_RATES = re.compile(
    r"(?i)rate|exchange|kurs|fx|forex|taux|tipo de cambio|cambi[oa]|wechsel|koers|c[aâ]mbio|汇率|レート"
)
_CITED = 5  # currencies that a message names


class Signed(NamedTuple):
    """How many lines have a sign of a currency, and the first of them."""

    lines: int
    first: int


@dataclass(frozen=True)
class DatasetCurrency:
    """The currency of a data set: its ISO 4217 code, empty where that is not known; notes on how it is known.

    ``choices``: the codes that its sign may stand for, where the sign does not say which.
    """

    code: str = ""
    notes: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


def signs_in(connection: duckdb.DuckDBPyConnection, lines: str) -> dict[str, Signed]:
    """What stands beside the digits of money and names a currency, in the order of the lines.

    ``lines``: a relation with ABOUT_LINES; only the texts that were not read plainly are looked at.
    """
    rows = connection.execute(
        f"""select {sign_of(ODD_MONEY)} as sign, sum(n), min(first) from (
            select {ODD_MONEY}, count(*) as n, min({LINE}) as first from {lines}
            where {ODD_MONEY} is not null and {UNREADABLE} is null and not {BLANK} group by 1)
        group by 1 order by 3"""  # noqa: S608 - our own names
    ).fetchall()
    return {sign: Signed(int(count), first) for sign, count, first in rows if meanings(sign) is not None}


def codes_by_sign(
    source: Source, heading: str, signs: Mapping[str, Signed], hints: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """The codes that each sign may stand for, those in the heading and the hints considered; one where it is certain.

    Args:
        source: for messages.
        heading: of the column with the money.
        signs: as they were found.
        hints: codes that are likelier than others, the likeliest first.

    Raises:
        InputError: the heading names another currency than a sign.
    """
    written, named = in_heading(heading)
    codes = {}
    for sign, where in signs.items():
        each = meanings(sign) or ()
        left = tuple(code for code in each if code in named) if named else each
        if named and each and not left:
            raise InputError(
                "{name}: the heading {heading!r} says {written}, but the money on {where} is written with {sign!r}. "
                "Correct one of them: rename the column, or map another one with --map.",
                name=source.name,
                heading=heading,
                written=written,
                where=_places(source, where),
                sign=sign,
            )
        one = one_of(left, hints)
        codes[sign] = (one,) if one else left
    return codes


def currencies_beside(
    columns: Sequence[str], looks: Sequence[Look], used: Collection[int]
) -> dict[str, tuple[str, ...]]:
    """The codes that other columns of numbers may stand for, by their heading or the signs in their first cells.

    Args:
        columns: names by position.
        looks: of the columns' first values, by position.
        used: positions of columns that are read.
    """
    found = {}
    for place, look in enumerate(looks):
        if place in used or look.kind != "number" or _RATES.search(columns[place]):
            continue
        signs = {_DIGITS.sub(" ", cell).strip() for cell in look.cells if cell}
        codes = {meanings(sign) for sign in signs} - {None, ()}
        named = in_heading(columns[place])[1]
        if named:
            found[columns[place]] = named
        elif len(codes) == 1:
            found[columns[place]] = codes.pop() or ()
    return found


def dataset_currency(
    source: Source,
    heading: str,
    signs: Mapping[str, Signed],
    stated: str,
    hints: Collection[str] = (),
    beside: Mapping[str, tuple[str, ...]] = {},
) -> DatasetCurrency:
    """The currency of money that no column of currencies goes with.

    A code or sign in the cells or in the heading tells it; where these leave it open, what was stated does. A dollar
    sign alone is taken for USD, and a note says so.

    Args:
        source: for messages.
        heading: of the column with the money.
        signs: as they were found in its cells.
        stated: the code to assume where the source tells none, empty for none.
        hints: further codes that are likelier than others.
        beside: what other columns of numbers say: it counts where that of the money says nothing, or leaves it open.

    Raises:
        InputError: several currencies, or a heading that names another one than the cells.
    """
    hints = (*([stated] if stated else ()), *hints, *(codes[0] for codes in beside.values() if len(codes) == 1))
    codes = codes_by_sign(source, heading, signs, hints)
    first_of: dict[tuple[str, ...], str] = {}
    for sign, each in codes.items():
        first_of.setdefault(each or (sign,), sign)
    if len(first_of) > 1:
        cited = ", ".join(f"{_places(source, signs[sign])} ({sign!r})" for sign in [*first_of.values()][:_CITED])
        raise InputError(
            "{name}: the money in column {column!r} is in several currencies: {cited}. Leave one of them, or say in "
            "[cleaning.rates] of the configuration what one unit of each is worth in the currency of --currency.",
            name=source.name,
            column=heading,
            cited=cited,
        )
    written, named = in_heading(heading)
    sign = next(iter(signs), "")
    others = {one_of(each, hints): column for column, each in beside.items()}
    if not signs and not named and len(others) == 1 and "" not in others:
        ((code, column),) = others.items()
        said = message("All money is taken to be in {code}, as column {column!r} says.", code=code, column=column)
        return DatasetCurrency(code, (said,))
    if not signs and not named:
        return DatasetCurrency(stated, (_assumed(stated),) if stated else ())
    left = next(iter(codes.values())) if signs else named
    code = one_of(left, hints)
    certain = len(named) == 1 or len(meanings(sign) or ()) == 1
    shown = sign or written
    if not code:
        say = message(
            "{question} Say which with --currency.",
            question=message(
                "{sign!r} in column {column!r} does not say which currency it is ({codes}): amounts have no sign.",
                sign=shown,
                column=heading,
                codes=", ".join(left[:_CITED]) or message("unknown"),
            ),
        )
        return DatasetCurrency(stated if not left else "", (say,), left[:_CITED])
    if not certain and code != stated:
        say = message(
            "{question} Say --currency if it is another, such as --currency {other}.",
            question=message(
                "{sign!r} in column {column!r} was taken for {code}.", sign=shown, column=heading, code=code
            ),
            other=next(each for each in (meanings(shown) or ()) if each != code),
        )
        return DatasetCurrency(code, (say,), (meanings(shown) or ())[:_CITED])
    if len(named) == 1:
        return DatasetCurrency(
            code, (message("All money is in {code}, as the heading {column!r} says.", code=code, column=heading),)
        )
    say = message(
        "All money is in {code}, as {sign!r} in column {column!r} says.", code=code, sign=shown, column=heading
    )
    return DatasetCurrency(code, (say,) if certain else (_assumed(code),))


def _assumed(code: str) -> str:
    return message("All money is taken to be in {code}, as --currency or [sales] currency says.", code=code)


def _places(source: Source, where: Signed) -> str:
    more = f" and {where.lines - 1:,} more" if where.lines > 1 else ""
    return f"{source.locate(where.first)}{more}"
