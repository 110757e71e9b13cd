"""In which country's manner numbers, money and dates are written, as the settings say, for one request at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from engines.errors import InputError

if TYPE_CHECKING:
    from babel import Locale

DEFAULT = "en_GB"
_spoken: ContextVar[str] = ContextVar("segmentry_language", default=DEFAULT)


@dataclass(frozen=True)
class Manner:
    """How one locale writes, from the Unicode CLDR by way of Babel.

    ``percent`` and ``money`` are what stands around a number, with ``0`` for the number and ``¤`` for the sign.
    """

    language: str
    percent: str
    money: str
    like_python: bool  # the signs and groups of numbers are those that Python writes: -1,234.5

    @property
    def is_english(self) -> bool:
        """Whether it is the language that the texts are written in; their own look then holds, which DESIGN.md sets."""
        return self.language.startswith("en")


def speak(language: str) -> Token[str]:
    """From here on write as ``language`` does; ``silence`` with the token takes it back."""
    return _spoken.set(language)


def silence(token: Token[str]) -> None:
    """Write again as before ``speak``."""
    _spoken.reset(token)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Write as ``language`` does for a while."""
    token = speak(language)
    try:
        yield
    finally:
        silence(token)


def spoken() -> str:
    """The language in which is written now."""
    return _spoken.get()


def manner() -> Manner:
    """How is written now."""
    return manner_of(_spoken.get())


@cache
def locale_of(language: str) -> Locale:
    """Babel's locale of a name like ``de_DE``.

    Raises:
        InputError: there is no such language, or no such country.
    """
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(language)
    except (ValueError, TypeError, UnknownLocaleError):
        raise InputError(
            'there is no language {language!r}; write language and country as in "en_GB", "de_DE" or "fr"',
            language=language,
        ) from None


@cache
def manner_of(language: str) -> Manner:
    """How a locale writes.

    Raises:
        InputError: there is no such locale.
    """
    locale = locale_of(language)
    percent, money = locale.percent_formats[None], locale.currency_formats["standard"]
    return Manner(
        language,
        percent="0\u00a0%" if locale.language == "en" else _around(percent),
        money=_around(money),
        like_python=_in_groups("-1,234,567.5", True, language) == "-1,234,567.5",
    )


def _around(pattern: Any) -> str:
    return f"{pattern.prefix[0]}0{pattern.suffix[0]}".replace("'", "")


def written(value: float, form: str) -> str:
    """A number by a format of Python's (``,.2f``, ``+.1f``, ``,.6g``), with the signs and groups of the language."""
    text, how = format(value, form), manner()
    return text if how.like_python else _in_groups(text, "," in form, how.language)


@lru_cache(4096)
def _in_groups(text: str, grouped: bool, language: str) -> str:
    """A number as Python wrote and rounded it, as a locale writes it."""
    from babel.numbers import format_decimal

    locale, sign = locale_of(language), "+" if text.startswith("+") else ""
    whole = locale.decimal_formats[None].pattern.partition(".")[0]
    number = Decimal(text.replace(",", ""))
    if not number.is_finite():
        return text
    form = f"{whole}.{'0' * -min(int(number.as_tuple().exponent), 0)}"
    return sign + format_decimal(
        number, form, locale, decimal_quantization=False, group_separator=grouped, numbering_system="latn"
    )


def beside_percent(number: str) -> str:
    """A number with the sign of a percentage, on the side and in the distance of the language."""
    return manner().percent.replace("0", number, 1)


@lru_cache(4096)
def written_day(value: date, skeleton: str, language: str) -> str:
    """A date in the parts that a CLDR skeleton names: ``yMMMd`` is 9 Dec 2011, ``yMMM`` is Dec 2011."""
    from babel.dates import format_skeleton, parse_pattern

    locale = locale_of(language)
    if locale.language != "en":
        return format_skeleton(skeleton, value, locale=locale)
    # three letters for every month, where British English has four for September
    return parse_pattern(locale.datetime_skeletons[skeleton]).apply(value, locale_of("en"))


@cache
def of_charts(language: str) -> dict[str, Any]:
    """What Plotly is told of a locale in a chart's configuration; nothing where it is what Plotly does by itself."""
    from babel.numbers import get_decimal_symbol, get_group_symbol

    locale = locale_of(language)
    group = get_group_symbol(locale, numbering_system="latn")
    point = get_decimal_symbol(locale, numbering_system="latn")
    if locale.language == "en" and (group, point) == (",", "."):
        return {}
    names = {
        "days": [locale.days["stand-alone"]["wide"][(day - 1) % 7] for day in range(7)],
        "shortDays": [locale.days["stand-alone"]["abbreviated"][(day - 1) % 7] for day in range(7)],
        "months": [locale.months["stand-alone"]["wide"][month] for month in range(1, 13)],
        "shortMonths": [locale.months["format"]["abbreviated"][month] for month in range(1, 13)],
    }
    tag = language.replace("_", "-")
    form = {**names, "decimal": point, "thousands": group, "date": "%d.%m.%Y"}
    return {"locale": tag, "locales": {tag: {"dictionary": {}, "format": form}}}
