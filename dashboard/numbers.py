"""How numbers, money, shares and dates are written, the same on every page."""

from __future__ import annotations

import math
from datetime import date

NOTHING = "–"
_SPACE = "\u00a0"  # a number and its unit stay on one line
_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥", "INR": "₹", "BRL": "R$", "CHF": "CHF" + _SPACE}
_WITHOUT_CENTS = ("JPY", "KRW", "CLP", "VND", "ISK")
_SCALES = ((1e12, "T"), (1e9, "B"), (1e6, "M"))


def missing(value: float | None) -> bool:
    """Whether there is no number to show."""
    return value is None or math.isnan(value)


def symbol(currency: str) -> str:
    """What stands before an amount: the currency's sign where it has a common one, else its ISO 4217 code."""
    return _SYMBOLS.get(currency, currency + _SPACE)


def count(value: float | None) -> str:
    """A whole number: ``1,234``."""
    return NOTHING if missing(value) else f"{round(value):,}"


def decimal(value: float | None, places: int = 1) -> str:
    """A mean or another number with a fraction: ``1,234.5``."""
    return NOTHING if missing(value) else f"{value:,.{places}f}"


def days(value: float | None) -> str:
    """A number of days, at most one decimal: ``93 days``."""
    if missing(value):
        return NOTHING
    text = f"{value:,.1f}".removesuffix(".0")
    return f"{text}{_SPACE}{'day' if text == '1' else 'days'}"


def percent(share: float | None) -> str:
    """A share with one decimal: ``27.3 %``; what is there but rounds to nothing says so: ``< 0.1 %``."""
    if missing(share):
        return NOTHING
    if 0 < share < 0.0005:
        return f"<{_SPACE}0.1{_SPACE}%"
    return f"{100 * share:.1f}{_SPACE}%"


def money(value: float | None, currency: str) -> str:
    """An amount in full: ``£8,911,407.90``."""
    if missing(value):
        return NOTHING
    places = 0 if currency in _WITHOUT_CENTS else 2
    sign = "-" if round(value, places) < 0 else ""
    return f"{sign}{symbol(currency)}{abs(value):,.{places}f}"


def short_money(value: float | None, currency: str) -> str:
    """An amount as cards show it: ``£8.91 M``, ``£12,345``, ``£412.30``."""
    if missing(value):
        return NOTHING
    sign = "-" if value < 0 else ""
    size = abs(value)
    for scale, letter in _SCALES:
        if size >= scale * 0.999995:
            return f"{sign}{symbol(currency)}{size / scale:,.2f}{_SPACE}{letter}"
    return f"{sign}{symbol(currency)}{size:,.0f}" if size >= 10_000 else money(value, currency)


def round_money(value: float | None, currency: str) -> str:
    """An amount in a table of means: without cents from 100 on, ``£1,479``, ``£12.30``, ``£8.91 M``."""
    if missing(value) or abs(value) < 100 or abs(value) >= 1e6:
        return short_money(value, currency)
    return f"{'-' if value < 0 else ''}{symbol(currency)}{abs(value):,.0f}"


def significant(value: float, digits: int = 2) -> float:
    """A number cut to what the eye can use: 1,025.07 becomes 1,000."""
    return 0.0 if value == 0 else round(value, digits - 1 - math.floor(math.log10(abs(value))))


def day(value: date) -> str:
    """A date: ``9 Dec 2011``."""
    return f"{value.day} {value:%b} {value.year}"


def plural(number: float, one: str, many: str = "") -> str:
    """A number with its noun: ``1 customer``, ``1,234 customers``."""
    return f"{count(number)} {one if round(number) == 1 else many or one + 's'}"
