"""How numbers, money, shares and dates are written, the same on every page and as the chosen language does."""

from __future__ import annotations

import math
import re
from datetime import date

from dashboard.i18n.locales import manner, spoken, written_day
from dashboard.i18n.texts import say, say_number

NOTHING = "–"
_SPACE = "\u00a0"  # a number and its unit stay on one line
_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥", "INR": "₹", "BRL": "R$", "CHF": "CHF"}
_WITHOUT_CENTS = ("JPY", "KRW", "CLP", "VND", "ISK")
_SCALES = ((1e12, "T"), (1e9, "B"), (1e6, "M"))

_ISO_DAY = re.compile(r"(?<![\w./-])\d{4}-\d\d-\d\d(?![\w/-]|\.\w)")  # by itself, not in the name of a file


def missing(value: float | None) -> bool:
    """Whether there is no number to show."""
    return value is None or math.isnan(value)


def symbol(currency: str) -> str:
    """What stands before an amount: the currency's sign where it has a common one, else its ISO 4217 code."""
    sign = _SYMBOLS.get(currency, currency)
    return sign + _SPACE if sign[-1].isalpha() else sign


def written(value: float, form: str) -> str:
    """A number by a format of Python's (``,.2f``, ``+.1f``, ``,.6g``), with the signs of the chosen language."""
    how, text = manner(), format(value, form)
    if not how.by_thousands and "," in form:
        text = _by_hundreds(text)
    if (how.group, how.decimal, how.minus) == (",", ".", "-"):
        return text
    return text.translate({44: how.group, 46: how.decimal, 45: how.minus})


def _by_hundreds(text: str) -> str:
    """1,234,567.5 as India groups it: 12,34,567.5."""
    whole, point, rest = text.partition(".")
    sign = whole[: len(whole) - len(whole.lstrip("+-"))]
    digits = whole[len(sign) :].replace(",", "")
    head, tail = digits[:-3], digits[-3:]
    groups = [head[max(end - 2, 0) : end] for end in range(len(head), 0, -2)][::-1]
    return sign + ",".join([*groups, tail]) + point + rest


def count(value: float | None) -> str:
    """A whole number: ``1,234``."""
    return NOTHING if missing(value) else written(round(value), ",")


def decimal(value: float | None, places: int = 1) -> str:
    """A mean or another number with a fraction: ``1,234.5``."""
    return NOTHING if missing(value) else written(value, f",.{places}f")


def days(value: float | None) -> str:
    """A number of days, at most one decimal: ``93 days``."""
    if missing(value):
        return NOTHING
    whole = f"{value:.1f}".endswith(".0")
    text = written(round(value), ",") if whole else written(value, ",.1f")
    number = round(value) if whole else max(math.ceil(value), 2)  # 0.5 days, as 1.5 are
    return say_number("{n}\u00a0day", "{n}\u00a0days", number, n=text)


def percent(share: float | None, places: int = 1) -> str:
    """A share with one decimal: ``27.3 %``; what is there but rounds to nothing says so: ``< 0.1 %``."""
    if missing(share):
        return NOTHING
    if 0 < share < 0.5 / 10 ** (places + 2):
        return f"<{_SPACE}{_per_cent(written(1 / 10**places, f'.{places}f'))}"
    return _per_cent(written(100 * share, f",.{places}f"))


def change_percent(share: float) -> str:
    """A change with its sign: ``+4.2 %``."""
    return _per_cent(written(100 * share, "+,.1f"))


def _per_cent(number: str) -> str:
    return manner().percent.replace("0", number, 1)


def money(value: float | None, currency: str) -> str:
    """An amount in full: ``£8,911,407.90``."""
    return NOTHING if missing(value) else _amount(value, currency, 0 if currency in _WITHOUT_CENTS else 2)


def short_money(value: float | None, currency: str) -> str:
    """An amount as cards show it: ``£8.91 M``, ``£12,345``, ``£412.30``."""
    if missing(value):
        return NOTHING
    size = abs(value)
    for scale, letter in _SCALES:
        if size >= scale * 0.999995:
            if manner().is_english:
                return _amount(value / scale, currency, 2, f"{_SPACE}{letter}")
            return _in_words(value, currency)
    return _amount(value, currency, 0) if size >= 10_000 else money(value, currency)


def round_money(value: float | None, currency: str) -> str:
    """An amount in a table of means: without cents from 100 on, ``£1,479``, ``£12.30``, ``£8.91 M``."""
    if missing(value) or abs(value) < 100 or abs(value) >= 1e6:
        return short_money(value, currency)
    return _amount(value, currency, 0)


def plotted(letter: str, currency: str) -> str:
    """An amount in the hover text of a chart, where Plotly fills in the number: ``£%{x:,.2f}``."""
    places = 0 if currency in _WITHOUT_CENTS else 2
    return _beside(f"%{{{letter}:,.{places}f}}", currency)


def _amount(value: float, currency: str, places: int, unit: str = "") -> str:
    """A number with its currency where the language puts it; less than half a cent has no sign."""
    minus = manner().minus if round(value, places) < 0 else ""
    return minus + _beside(written(abs(value), f",.{places}f") + unit, currency)


def _beside(number: str, currency: str) -> str:
    around, sign = manner().money, _SYMBOLS.get(currency, currency)
    if around.startswith("¤0") and sign[-1].isalpha() and len(sign) > 2:
        around = around.replace("¤0", f"¤{_SPACE}0", 1)  # a code and its number do not run into one another
    return around.replace("0", number, 1).replace("¤", sign, 1)


def _in_words(value: float, currency: str) -> str:
    """Millions as the language shortens them: ``8,91 Mio. €``."""
    from babel.numbers import format_compact_currency

    return format_compact_currency(value, currency, locale=spoken(), fraction_digits=2)


def significant(value: float, digits: int = 2) -> float:
    """A number cut to what the eye can use: 1,025.07 becomes 1,000."""
    return 0.0 if value == 0 else round(value, digits - 1 - math.floor(math.log10(abs(value))))


def day(value: date) -> str:
    """A date: ``9 Dec 2011``."""
    return written_day(date(value.year, value.month, value.day), "yMMMd", spoken())


def with_days(sentence: str) -> str:
    """A finished sentence, its days as dates are written: what engines say has them as ``2011-12-09``."""

    def told(found: re.Match[str]) -> str:
        try:
            return day(date.fromisoformat(found[0]))
        except ValueError:  # no day after all
            return found[0]

    return _ISO_DAY.sub(told, sentence)


def month(value: date) -> str:
    """A month: ``Dec 2011``."""
    return written_day(date(value.year, value.month, 1), "yMMM", spoken())


def plural(number: float, one: str, many: str = "") -> str:
    """A number with its noun: ``1 customer``, ``1,234 customers``."""
    return say_number(f"{{n}} {one}", f"{{n}} {many or one + 's'}", number, n=count(number))


def change(before: float | None, now: float | None) -> str:
    """A change with its sign and arrow: ``▲ +4.2 %``."""
    if missing(before) or missing(now):
        return NOTHING
    if not before:
        return "= 0" if not now else say("▲ new")
    share = (now - before) / abs(before)
    if abs(share) < 0.0005:
        return f"= 0.0{chr(160)}%"
    if share > 9.995:
        return f"▲ ×{written(now / before, ',.0f')}"
    return f"{'▲ +' if share > 0 else '▼ −'}{percent(abs(share))}"
