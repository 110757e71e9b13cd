"""Number formats: one decimal sign for all columns of a source, and every digit kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import duckdb

from engines.messages import message
from engines.settings import Reading

Sign = Literal[".", ","]

_CODES = (
    "AED|ARS|AUD|BGN|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KRW|MXN|MYR|NOK|NZD|PEN|PHP|PLN|"
    "RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR"
)
_CURRENCY = rf"(?:[A-Z]{{0,2}}\p{{Sc}}|{_CODES}|kr\.?|Rs\.?|zł|Kč|Ft|Fr\.)"
#: Spaces of every width and the apostrophes that figures are grouped with in Switzerland.
_GROUPS = r"\x{20}\x{a0}\x{2009}\x{202f}''’"  # for SQL: the apostrophe is doubled


@dataclass(frozen=True)
class DecimalSign:
    """The decimal sign of a source; ``example``: a number that could be meant otherwise, where nothing decides.

    ``certain``: as far as these numbers go, it is a point, and so it will be unless others speak against it.
    """

    sign: Sign
    notes: tuple[str, ...] = ()
    example: str = ""
    certain: bool = False


def find_decimal_sign(
    connection: duckdb.DuckDBPyConnection, texts: Collection[str], relation: str, reading: Reading
) -> DecimalSign:
    """The decimal sign of all numbers, decided from the columns (SQL expressions over a relation) together.

    A sign proves to be the decimal one where it stands once and after the other one; where it stands alone with other
    than three digits after it, or with none, a zero in front or more than three before it; and where the other one
    comes twice. The sign with more proofs is taken. Without any proof a point is decimal and a comma separates
    thousands, as in English.
    """
    if reading.decimal:
        return DecimalSign(reading.decimal, certain=True)
    if not texts:
        return DecimalSign(".", certain=True)
    dot, comma, example = connection.execute(
        f"""with {_signed(texts, relation)}
        select coalesce(sum(n) filter (where {_proof(".", ",")}), 0),
            coalesce(sum(n) filter (where {_proof(",", ".")}), 0),
            min(written) filter (where regexp_full_match(digits, '[1-9][0-9]{{0,2}}[.,][0-9]{{3}}'))
        from bare"""  # noqa: S608 - expressions are made of column positions
    ).fetchall()[0]
    if dot or comma:
        sign: Sign = "," if comma > dot else "."
        notes = (message("Numbers were read with a decimal comma."),) if sign == "," else ()
        return DecimalSign(sign, notes, certain=not comma)
    if example is None:
        return DecimalSign(".")
    note = message(
        "Nothing decides the decimal sign: the one in {example!r} was taken for {sign}. If it is not, say --decimal.",
        example=example,
        sign=message("a decimal point") if "." in example else message("a separator of thousands"),
    )
    return DecimalSign(".", (note,), example)


def speaks_against(connection: duckdb.DuckDBPyConnection, texts: Collection[str], relation: str) -> bool:
    """Whether a number among the texts proves that a comma is the decimal sign, where a point was taken for it."""
    proofs = f"with {_signed(texts, relation)} select count(*) from bare where {_proof(',', '.')}"  # noqa: S608
    return bool(connection.execute(proofs).fetchall()[0][0])


def number(text: str, decimals: int, sign: Sign) -> str:
    """SQL: text as DECIMAL(18, decimals) without a detour by floating point, null when it is no such number.

    Currency signs and codes, spaces, thousands separators, parentheses and trailing minus signs are understood.
    """
    kind = f"decimal(18, {decimals})"
    point, group = rf"[{sign}]", rf"[{_GROUPS}{',' if sign == '.' else '.'}]"
    whole = rf"(?:[0-9]{{1,3}}(?:{group}[0-9]{{2,3}})*{group}[0-9]{{3}}|[0-9]+)"
    known = rf"[-+]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+|[0-9]+(?:{point}[0-9]+)?[eE][-+]?[0-9]{{1,2}})"
    written = _bare(text)
    for pattern, becomes in ((r"^\((.*)\)$", r"-\1"), (r"^([^-]*)-$", r"-\1"), (r"^([-+])\s+|\s+$", r"\1")):
        written = f"regexp_replace({written}, '{pattern}', '{becomes}')"
    plain = f"replace(regexp_replace({written}, '{group}', '', 'g'), '{sign}', '.')"
    read = f"case when regexp_full_match({written}, '{known}') then try_cast({plain} as {kind}) end"
    if sign == ",":
        return f"case when regexp_full_match({text}, '-?[0-9]+') then try_cast({text} as {kind}) else {read} end"
    # Nearly all numbers are plain, and patterns are slow: unlike coalesce, a case asks them of the others alone.
    return f"case when try_cast({text} as {kind}) is not null then try_cast({text} as {kind}) else {read} end"


def _bare(text: str) -> str:
    """SQL: a number without its currency, and with plain minus signs."""
    minus = f"replace(replace({text}, '−', '-'), '–', '-')"
    before = rf"regexp_replace({minus}, '^([-+(]?)\s*{_CURRENCY}\s*', '\1')"
    return rf"regexp_replace({before}, '\s*{_CURRENCY}\s*([-)]?)$', '\1')"


def _signed(texts: Collection[str], relation: str) -> str:
    """SQL: the relation ``bare`` of all different numbers with a sign in them, how often they occur, their digits."""
    every = " union all ".join(
        f"select {text} as written, count(*) as n from {relation} "  # noqa: S608
        f"where contains({text}, '.') or contains({text}, ',') group by 1"
        for text in texts
    )
    return f"""signed as ({every}),
        bare as (
            select written, n, regexp_replace(
                regexp_extract({_bare("written")}, '[0-9.,{_GROUPS}]+'), '[{_GROUPS}]', '', 'g') as digits
            from signed)"""  # noqa: S608 - expressions are made of column positions


def _proof(sign: Sign, other: Sign) -> str:
    """SQL: whether digits with their signs prove that this sign is the decimal one."""
    alone = rf"[0-9]*[{sign}](?:[0-9]{{0,2}}|[0-9]{{4,}})|(?:0[0-9]*|[0-9]{{4,}})?[{sign}][0-9]{{3}}"
    after = rf"[0-9]+(?:[{other}][0-9]+)+[{sign}][0-9]*|[0-9]+[{other}][0-9]+(?:[{other}][0-9]+)+"
    return f"regexp_full_match(digits, '{alone}|{after}')"
