"""How numbers, money, shares and dates are written, the same on every page and as the chosen language does."""

from __future__ import annotations

import math
from datetime import date
from typing import TypeGuard

from dashboard.i18n.locales import beside_percent, manner, spoken, written_day
from dashboard.i18n.locales import written as written
from dashboard.i18n.texts import say, say_number
from engines.columns import WITHOUT_MONEY

NOTHING = "–"
_SPACE = "\u00a0"  # a number and its unit stay on one line
_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥", "INR": "₹", "BRL": "R$", "CHF": "CHF"}
_WITHOUT_CENTS = ("JPY", "KRW", "CLP", "VND", "ISK")
_SCALES = ((1e12, "T"), (1e9, "B"), (1e6, "M"))


def is_number(value: float | None) -> TypeGuard[float]:
    """Whether there is a number to show."""
    return value is not None and not math.isnan(value)


def symbol(currency: str) -> str:
    """What stands before an amount: the currency's sign where it has a common one, else its ISO 4217 code.

    Nothing where the currency is not known, or where there is no money.
    """
    if currency == WITHOUT_MONEY:
        return ""
    sign = _SYMBOLS.get(currency, currency)
    return sign + _SPACE if sign[-1:].isalpha() else sign


def titled(title: str, unit: str, *, log: bool = False) -> str:
    """A title with its unit, such as the code of a currency; without one where that is not known."""
    unit = "" if unit == WITHOUT_MONEY else unit
    if log and unit:
        return say("{title} ({unit}, logarithmic)", title=title, unit=unit)
    if log:
        return say("{title} (logarithmic)", title=title)
    return say("{title} ({unit})", title=title, unit=unit) if unit else title


def count(value: float | None) -> str:
    """A whole number: ``1,234``."""
    return written(round(value), ",") if is_number(value) else NOTHING


def decimal(value: float | None, places: int = 1) -> str:
    """A mean or another number with a fraction: ``1,234.5``."""
    return written(value, f",.{places}f") if is_number(value) else NOTHING


def days(value: float | None) -> str:
    """A number of days, at most one decimal: ``93 days``."""
    if not is_number(value):
        return NOTHING
    whole = f"{value:.1f}".endswith(".0")
    text = written(round(value), ",") if whole else written(value, ",.1f")
    number = round(value) if whole else max(math.ceil(value), 2)  # 0.5 days, as 1.5 are
    return say_number("{n}\u00a0day", "{n}\u00a0days", number, n=text)


def percent(share: float | None, places: int = 1) -> str:
    """A share with one decimal: ``27.3 %``; what is there but rounds to nothing says so: ``< 0.1 %``."""
    if not is_number(share):
        return NOTHING
    if 0 < share < 0.5 / 10 ** (places + 2):
        return f"<{_SPACE}{beside_percent(written(1 / 10**places, f'.{places}f'))}"
    return beside_percent(written(100 * share, f",.{places}f"))


def change_percent(share: float) -> str:
    """A change with its sign: ``+4.2 %``."""
    return beside_percent(written(100 * share, "+,.1f"))


def money(value: float | None, currency: str) -> str:
    """An amount in full: ``£8,911,407.90``; without a sign where the currency is not known, as in all of these.

    Sales without money say ``none``, in all of these as well.
    """
    if currency == WITHOUT_MONEY:
        return say("none")
    return _amount(value, currency, 0 if currency in _WITHOUT_CENTS else 2) if is_number(value) else NOTHING


def short_money(value: float | None, currency: str) -> str:
    """An amount as cards show it: ``£8.91 M``, ``£12,345``, ``£412.30``."""
    if not is_number(value):
        return NOTHING
    if currency == WITHOUT_MONEY:
        return say("none")
    size = abs(value)
    for scale, letter in _SCALES:
        if size >= scale * 0.999995:
            if manner().is_english:
                return _amount(value / scale, currency, 2, f"{_SPACE}{letter}")
            return _in_words(value, currency)
    return _amount(value, currency, 0) if size >= 10_000 else money(value, currency)


def round_money(value: float | None, currency: str) -> str:
    """An amount in a table of means: without cents from 100 on, ``£1,479``, ``£12.30``, ``£8.91 M``."""
    if not is_number(value) or currency == WITHOUT_MONEY or abs(value) < 100 or abs(value) >= 1e6:
        return short_money(value, currency)
    return _amount(value, currency, 0)


def hover_money(letter: str, currency: str) -> str:
    """An amount in the hover text of a chart, where Plotly fills in the number: ``£%{x:,.2f}``."""
    if currency == WITHOUT_MONEY:
        return say("none")
    places = 0 if currency in _WITHOUT_CENTS else 2
    return _beside(f"%{{{letter}:,.{places}f}}", currency)


def _amount(value: float, currency: str, places: int, unit: str = "") -> str:
    """A number with its currency where the language puts it; less than half a cent has no sign."""
    from babel.numbers import get_minus_sign_symbol

    minus = get_minus_sign_symbol(spoken(), numbering_system="latn") if round(value, places) < 0 else ""
    return minus + _beside(written(abs(value), f",.{places}f") + unit, currency)


def _beside(number: str, currency: str) -> str:
    if not currency:
        return number
    around, sign = manner().money, _SYMBOLS.get(currency, currency)
    if around.startswith("¤0") and sign[-1].isalpha() and len(sign) > 2:
        around = around.replace("¤0", f"¤{_SPACE}0", 1)  # a code and its number do not run into one another
    return around.replace("0", number, 1).replace("¤", sign, 1)


def _in_words(value: float, currency: str) -> str:
    """Millions as the language shortens them: ``8,91 Mio. €``."""
    from babel.numbers import format_compact_currency, format_compact_decimal

    if not currency:
        return format_compact_decimal(value, locale=spoken(), fraction_digits=2)
    return format_compact_currency(value, currency, locale=spoken(), fraction_digits=2)


def significant(value: float, digits: int = 2) -> float:
    """A number cut to what the eye can use: 1,025.07 becomes 1,000."""
    return 0.0 if value == 0 else round(value, digits - 1 - math.floor(math.log10(abs(value))))


def day(value: date) -> str:
    """A date: ``9 Dec 2011``."""
    return written_day(date(value.year, value.month, value.day), "yMMMd", spoken())


def month(value: date) -> str:
    """A month: ``Dec 2011``."""
    return written_day(date(value.year, value.month, 1), "yMMM", spoken())


def plural(number: float, one: str, many: str) -> str:
    """A number with its noun: ``plural(1234, "{n} customer", "{n} customers")`` is ``1,234 customers``."""
    return say_number(one, many, number, n=count(number))


def change(before: float | None, now: float | None) -> str:
    """A change with its sign and arrow: ``▲ +4.2 %``."""
    if not is_number(before) or not is_number(now):
        return NOTHING
    if not before:
        return "= 0" if not now else say("▲ new")
    share = (now - before) / abs(before)
    if abs(share) < 0.0005:
        return f"= 0.0{chr(160)}%"
    if share > 9.995:
        return f"▲ ×{written(now / before, ',.0f')}"
    return f"{'▲ +' if share > 0 else '▼ −'}{percent(abs(share))}"
