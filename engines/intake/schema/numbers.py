"""Number formats: one decimal sign for all columns of a source, and every digit kept."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import duckdb

from engines.intake.schema.signs import IN_CELLS
from engines.messages import Message, message
from engines.settings import Reading

Sign = Literal[".", ","]

#: Spaces of every width; those of patterns are ASCII alone.
_BLANKS = r"\x{20}\t\x{a0}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}"
#: These and the apostrophes that figures are grouped with in Switzerland, and the Arabic sign of thousands.
_GROUPS = rf"{_BLANKS}''’٬"  # for SQL: the apostrophe is doubled
#: Digits and signs of other scripts, and what they are.
_FOREIGN = {chr(first + digit): str(digit) for first in (0xFF10, 0x0660, 0x06F0, 0x0966) for digit in range(10)}
_FOREIGN |= {"．": ".", "，": ",", "٫": ".", "－": "-", "＋": "+", "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-"}
#: What stands behind a number of pieces, and in front of it.
_PIECES = (
    "pcs?|pces?|pieces?|stk|stücke?|st|ea|each|units?|unit[eé]s?|unidad(?:es)?|unidades?|uds?|un|pz|pezz[io]|pi[eè]ces?|"
    "szt|sztuk[ai]?|stuks?|ks|items?|x|×|個|个|件|点|本|枚"
)
_PIECES_BEHIND = rf"(?i)^([-+]?[0-9][0-9.,{_GROUPS}]*?)[{_BLANKS}]*(?:{_PIECES})\.?$"
_PIECES_BEFORE = rf"(?i)^[x×][{_BLANKS}]*([0-9].*)$"


_COUNTED = re.compile(rf"[-+]?\d[\d.,]*\s*(?:{_PIECES})\.?|[x×]\s*\d[\d.,]*", re.IGNORECASE)


def looks_like_number(text: str, usual: re.Pattern[str]) -> bool:
    """Whether a text is a usual number, perhaps guarded by an apostrophe, or a number of pieces."""
    return usual.fullmatch(text.lstrip("'’")) is not None or _COUNTED.fullmatch(text) is not None


@dataclass(frozen=True)
class DecimalSign:
    """The decimal sign of a source; ``example``: a number that could be meant otherwise, where nothing decides.

    ``certain``: as far as these numbers go, it is a point, and so it will be unless others speak against it.
    ``asked``: all money would have three decimals, which only the user can know.
    """

    sign: Sign
    notes: tuple[str, ...] = ()
    example: str = ""
    certain: bool = False
    asked: bool = False


def find_decimal_sign(
    connection: duckdb.DuckDBPyConnection,
    texts: Collection[str],
    relation: str,
    reading: Reading,
    money: Collection[str] = (),
) -> DecimalSign:
    """The decimal sign of all numbers, decided from the columns (SQL expressions over a relation) together.

    A sign proves to be the decimal one where it stands once and after the other one; where it stands alone with other
    than three digits after it, or with none, a zero in front or more than three before it; and where the other one
    comes twice. The sign with more proofs is taken. Without any proof a point is decimal and a comma separates
    thousands, as in English; but money of which all has three digits after a point is asked about, or taken for
    thousands where guesses are trusted. ``money``: those of the texts that are sums of money.
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
    thousands = _only_thousands(connection, money, relation) if money else ""
    if thousands and reading.trust_guesses:
        note = message(
            "All money has three digits after the point, as {example!r}: it was taken for a separator of thousands. "
            "If it is not, say --decimal .",
            example=thousands,
        )
        return DecimalSign(",", (note,), thousands)
    if thousands:
        return DecimalSign(".", (three_digits(thousands),), thousands, asked=True)
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


def three_digits(example: str) -> Message:
    """The question what the point in money means of which all has three digits after it, and how to answer it."""
    question = message(
        "All money has three digits after the point, as {example!r}, and nothing says whether the point is a decimal "
        "one or separates thousands.",
        example=example,
    )
    way = message("Say --decimal , if it separates thousands, or --decimal . if it is a decimal point.")
    return Message("{question} {way}", {"question": question, "way": way})


def _only_thousands(connection: duckdb.DuckDBPyConnection, money: Collection[str], relation: str) -> str:
    """A sum with three digits after a point, where at least two are so; empty where fewer are."""
    found = connection.execute(
        f"with {_signed(money, relation)} select min(written), sum(n) from bare "  # noqa: S608 - column positions
        "where regexp_full_match(digits, '[1-9][0-9]{0,2}[.][0-9]{3}')"
    ).fetchall()[0]
    return str(found[0]) if found[0] is not None and found[1] > 1 else ""


def pieces_note(connection: duckdb.DuckDBPyConnection, text: str, relation: str) -> tuple[Message, ...]:
    """A note where quantities have a word for pieces, as in "2 pcs", which is left out."""
    found = connection.execute(
        f"select min({text}), count(*) from {relation} where regexp_matches({text}, '{_PIECES_BEHIND}') "  # noqa: S608
        f"or regexp_matches({text}, '{_PIECES_BEFORE}')"
    ).fetchall()[0]
    if not found[1]:
        return ()
    return (
        message(
            "{count:,} quantities have a word beside them, as {example!r}, and were read as numbers of pieces.",
            count=found[1],
            example=found[0],
        ),
    )


def why_no_number(texts: Collection[str]) -> Message | None:
    """Why texts that look like sums of money are not read; None where there is nothing to add."""
    if any(re.search(r"\d\s*(?:CR|DR)\.?$", text, re.IGNORECASE) for text in texts):
        return message("CR and DR do not say what was sold: write a minus before what was paid back")
    return None


def number(text: str, decimals: int, sign: Sign, *, pieces: bool = False) -> str:
    """SQL: text as DECIMAL(18, decimals) without a detour by floating point, null when it is no such number.

    Currency signs and codes, spaces, thousands separators, parentheses and trailing minus signs are understood; and
    where it counts ``pieces``, a word for them.
    """
    kind = f"decimal(18, {decimals})"
    point, group = rf"[{sign}]", rf"[{_GROUPS}{',' if sign == '.' else '.'}]"
    whole = rf"(?:[0-9]{{1,3}}(?:{group}[0-9]{{2,3}})*{group}[0-9]{{3}}|[0-9]+)"
    known = rf"[-+]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+|[0-9]+(?:{point}[0-9]+)?[eE][-+]?[0-9]{{1,2}})"
    written = _bare(text)
    if pieces:
        written = f"regexp_replace(regexp_replace({written}, '{_PIECES_BEHIND}', '\\1'), '{_PIECES_BEFORE}', '\\1')"
    for pattern, becomes in (
        (r"^\((.*)\)$", r"-\1"),
        (r"^([^-]*)-$", r"-\1"),
        (rf"^([-+])[{_BLANKS}]+|[{_BLANKS}]+$", r"\1"),
    ):
        written = f"regexp_replace({written}, '{pattern}', '{becomes}')"
    plain = f"replace(regexp_replace({written}, '{group}', '', 'g'), '{sign}', '.')"
    read = f"case when regexp_full_match({written}, '{known}') then try_cast({plain} as {kind}) end"
    if sign == ",":
        point = f"try_cast(replace({text}, ',', '.') as {kind})"
        return f"case when regexp_full_match({text}, '-?[0-9]+(?:,[0-9]+)?') then {point} else {read} end"
    # Nearly all numbers are plain, and patterns are slow: unlike coalesce, a case asks them of the others alone.
    return f"case when try_cast({text} as {kind}) is not null then try_cast({text} as {kind}) else {read} end"


def _bare(text: str) -> str:
    """SQL: a number without its currency, with plain digits and minus signs.

    A dash in the place of cents goes (12,- or 500/-). An apostrophe in front goes as well, and what makes it the text
    of a formula, as in ="5": so spreadsheets and those who write for them keep a number as it is.
    """
    foreign, plain = "".join(_FOREIGN), "".join(_FOREIGN.values())
    read = f"translate({text}, '{foreign}', '{plain}')"
    usual = f"case when regexp_matches({text}, '[{foreign}]') then {read} else {text} end"
    guarded = rf"regexp_replace({usual}, '^[''’`]?=?\"?([^\"]*)\"?$', '\1')"
    before = rf"regexp_replace({guarded}, '^([-+(]?)[{_BLANKS}]*{IN_CELLS}[{_BLANKS}]*', '\1')"
    behind = rf"regexp_replace({before}, '[{_BLANKS}]*{IN_CELLS}[{_BLANKS}]*([-)]?)$', '\1')"
    return rf"regexp_replace({behind}, '([0-9])(?:[.,]-{{1,2}}|/[-=])$', '\1')"


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
