"""Currencies as people write them: ISO 4217 codes, signs and words, in cells and in headings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from engines.intake.sources.source import text as quoted
from engines.settings import CODES

#: Signs and words, in any case, by what they may mean, the likeliest code first; several: they do not say which.
_WRITTEN = {
    "EUR": "€ euro euros",
    "GBP": "£ ￡ gb£ uk£ sterling",
    "EGP": "e£ £e",
    "USD CAD AUD NZD MXN HKD SGD TWD ARS CLP COP UYU DOP BSD BBD BZD BMD FJD GYD JMD KYD LRD NAD SBD SRD TTD XCD": (
        "$ ＄ ﹩ dollar dollars"
    ),
    "USD": "us$ usd$ $us u$s u$",
    "CAD": "c$ ca$ can$ cad$",
    "AUD": "a$ au$ aud$",
    "NZD": "nz$ nzd$",
    "HKD": "hk$",
    "SGD": "s$ sg$",
    "TWD": "nt$ tw$",
    "MXN": "mx$ mex$",
    "BRL": "r$ br$ reais",
    "ARS": "ar$",
    "CLP": "cl$ clp$",
    "COP": "co$ col$",
    "UYU": "$u",
    "DOP": "rd$",
    "JMD": "j$",
    "TTD": "tt$",
    "JPY CNY": "¥ ￥",
    "JPY": "jp¥ 円 yen",
    "CNY": "cn¥ rmb 元 yuan",
    "INR PKR LKR NPR MUR SCR": "₨ rs rupees",
    "INR": "₹",
    "RUB": "₽ руб",
    "TRY": "₺ tl",
    "KRW KPW": "₩",
    "ILS": "₪",
    "VND": "₫",
    "UAH": "₴ грн",
    "NGN": "₦",
    "PHP": "₱",
    "THB": "฿",
    "CRC": "₡",
    "PYG": "₲",
    "GHS": "₵",
    "KZT": "₸",
    "AZN": "₼",
    "GEL": "₾",
    "BDT": "৳",
    "MNT": "₮",
    "LAK": "₭",
    "KHR": "៛",
    "IRR SAR YER OMR QAR": "﷼",
    "SEK NOK DKK ISK": "kr",
    "SEK": "kronor skr",
    "NOK DKK": "kroner",
    "NOK": "nkr",
    "DKK": "dkr",
    "PLN": "zł zl zloty",
    "CZK": "kč",
    "HUF": "ft",
    "RON": "lei",
    "BGN": "лв",
    "CHF": "fr sfr franken",
    "XAF XOF": "fcfa",
    "MYR": "rm",
    "IDR": "rp",
    "ZAR": "r",
    "PEN": "s/",
}
_MEANINGS = {sign: tuple(codes.split()) for codes, signs in _WRITTEN.items() for sign in signs.split()}
#: Signs and words that say something in a heading too; the others are too short, or words of their own there.
_NOT_IN_HEADINGS = frozenset({"r", "rm", "rp", "tl", "fr", "ft", "lei", "s/", "zl"})
#: Codes that are also words, or parts of names: in a heading they count only where they are written as codes are.
_WORDS_TOO = frozenset(
    {
        *("ALL", "AMD", "ANG", "BAM", "BIF", "BOB", "COP", "CUP", "DOP", "ERN", "GEL", "LAK", "MAD", "MOP", "PEN"),
        *("RON", "RUB", "SOS", "STN", "TOP", "TRY"),
    }
)
#: The signs of currencies, one letter each.
SIGNS = "$" + "".join(
    sorted({letter for text in _MEANINGS for letter in text if unicodedata.category(letter) == "Sc"} - {"$"})
)
_OF_HEADINGS = re.compile(rf"(?:(?<![A-Za-z])[A-Za-z]{{1,3}})?[{SIGNS}]|[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

_WORDS = sorted({*(re.escape(sign) for sign in _MEANINGS if sign.isalpha() or "/" in sign), *CODES}, key=len)
#: Pattern, as the database has them, of what may stand before or after a number: a sign, a code or a word.
IN_CELLS = r"(?:[A-Za-z]{0,3}\p{Sc}[A-Z]{0,2}|(?i:" + "|".join(reversed(_WORDS)) + r")\.?)"
#: The same as Python has it.
PLAIN_IN_CELLS = IN_CELLS.replace(r"\p{Sc}", f"[{SIGNS}]")


def without_currency(heading: str) -> str:
    """A column's heading without the currency before or behind its other words, as in "Betrag in CHF" or TotalUSD."""
    found, _ = in_heading(heading)
    if not found:
        return heading
    word = re.escape(found)
    rest = re.sub(rf"(?:[\s_-]+(?:in|en|em|w))?[\s_-]*{word}\W*$|^\W*{word}[\s_-]+", "", heading)
    return rest if re.search(r"\w", rest) else heading


def sign_of(text: str) -> str:
    """SQL: what stands beside the digits of a number, such as ``€`` or ``EUR``; empty where nothing does."""
    return rf"trim(regexp_replace({text}, '[^\p{{L}}\p{{Sc}}/]+', ' ', 'g'))"


def code_of(text: str, codes: Mapping[str, str]) -> str:
    """SQL: the code for what stands beside the digits of a number, null where that is none of these."""
    cases = " ".join(f"when {quoted(sign)} then {quoted(code)}" for sign, code in codes.items())
    return f"case {sign_of(text)} {cases} end"


def meanings(written: str) -> tuple[str, ...] | None:
    """The codes that a sign, code or word may stand for, the likeliest first; None where it is none of these.

    None of a currency that we know: an empty tuple. Where several stand together, as in ``$ CAD``, all of them hold.
    """
    found: tuple[str, ...] | None = None
    for part in written.split():
        code, known = part.upper(), _MEANINGS.get(part.casefold())
        if code in CODES:
            each: tuple[str, ...] = (code,)
        elif known is not None:
            each = known
        elif any(unicodedata.category(letter) == "Sc" for letter in part):
            each = ()
        else:
            continue
        found = each if found is None else tuple(code for code in found if code in each)
    return found


def in_heading(heading: str) -> tuple[str, tuple[str, ...]]:
    """What of a column's heading names a currency, and the codes it may stand for; both empty where nothing does."""
    shouts = heading.upper() == heading
    for part in _OF_HEADINGS.findall(heading):
        words = [part] if part[-1] in SIGNS else _CAMEL.split(part)
        for word in words:
            code, bracketed = word.upper(), re.search(rf"[(\[]\s*{re.escape(word)}\s*[)\]]", heading) is not None
            as_code = word == code and (bracketed or not shouts)
            if code in CODES and (code not in _WORDS_TOO or as_code):
                return word, (code,)
            known = meanings(word) if word.casefold() not in _NOT_IN_HEADINGS and code not in CODES else None
            if known:
                return word, known
    return "", ()


def one_of(codes: Iterable[str], hints: Iterable[str]) -> str:
    """The code that is meant: the only one, else the one that a hint names, else USD for a dollar; empty for none."""
    left = tuple(codes)
    if len(left) == 1:
        return left[0]
    for hint in hints:
        if hint in left:
            return hint
    return "USD" if "USD" in left else ""
