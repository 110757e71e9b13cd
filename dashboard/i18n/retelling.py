"""Says in the language of the request what engines, errors and runs of the past say in English: finished sentences.

Such a sentence may have been made elsewhere and long ago, by a worker or for a run that is kept, and is plain English
text. It is found again by the sentence of the code that it was filled into, and so are its places.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from string import Formatter
from typing import Any, NamedTuple

from dashboard.i18n import texts
from dashboard.i18n.locales import manner, speaking, spoken
from dashboard.i18n.numbers import day, percent, written

STATED, DAY = "stated", "day"  # the forms of places that hold a sentence themselves, and a day as 09 December 2011
_NUMBER = r"[-+]?[\d,]*\.?\d+(?:e[-+]?\d+)?%?"
_WITHIN = r"(?:(?!\. [A-Z]).)*?"  # what is filled in does not run on into the next sentence
_ANY = r".*?"
_DATED = r"\d\d [A-Z][a-z]+ \d{4}"
_MEASURED = re.compile(r"-?\d+\.\d+ ± \d+\.\d+")
_NEXT = re.compile(r"(?<=[.:]) (?=\S)")


class _Known(NamedTuple):
    """A language's sentences: those without places as they are, the others by what they look like when filled in."""

    plain: Mapping[str, str]
    filled: tuple[tuple[re.Pattern[str], str], ...]


def retold(sentence: str) -> str:
    """A finished English sentence, or several, in the language of the request; as it is where that is not known."""
    return _retold(sentence, spoken(), texts.FOLDER)


def reason_of(error: Exception, language: str | None = None) -> str:
    """What an error that a user can cause says, in the language of the request, or in another."""
    with speaking(language or spoken()):
        return retold(str(error.args[0]) if error.args else str(error))


@lru_cache(4096)
def _retold(sentence: str, language: str, folder: Path) -> str:
    known = _known(language, folder)
    if known is None or not sentence:
        return sentence
    if (whole := _one(sentence, known)) is not None:
        return whole
    gaps = [found.start() for found in _NEXT.finditer(sentence)]
    for gap in reversed(gaps):
        if (first := _one(sentence[:gap], known)) is not None:
            return f"{first} {_retold(sentence[gap + 1 :], language, folder)}"
    if gaps:  # the first is not known, the others may be
        return f"{sentence[: gaps[0]]} {_retold(sentence[gaps[0] + 1 :], language, folder)}"
    return sentence


def _one(sentence: str, known: _Known) -> str | None:
    if sentence in known.plain:
        return known.plain[sentence]
    for pattern, translated in known.filled:
        if found := pattern.fullmatch(sentence):
            try:
                return _filling.vformat(translated, (), found.groupdict())
            except (KeyError, ValueError):  # a translation with a place that is not there
                return sentence
    return None


class _Filling(Formatter):
    """Fills in what was found in an English sentence: numbers in the manner of the language, stated parts retold."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == STATED:
            return retold(value)
        if format_spec == DAY:
            return day(datetime.strptime(value, "%d %B %Y").date())
        if not format_spec:
            return value.replace(".", manner().decimal) if _MEASURED.fullmatch(value) else str(value)
        number = float(value.rstrip("%").replace(",", ""))
        if format_spec.endswith("%"):
            return percent(number / 100, int(format_spec.strip(",.+%") or 0))
        return written(round(number) if number.is_integer() and "." not in format_spec else number, format_spec)


_filling = _Filling()


@cache
def _known(language: str, folder: Path) -> _Known | None:
    translated = texts.translated(language, folder)
    if translated is None:
        return None
    plain, filled = {}, []
    for message in translated:
        if message.context or not message.id or not message.string or not isinstance(message.id, str):
            continue
        if "{" in message.id and "{" in message.string:
            literal, pattern = _look(message.id)
            if pattern is not None and literal >= _WORDY:
                filled.append((literal, pattern, str(message.string)))
        else:
            plain[message.id] = str(message.string)
    filled.sort(key=lambda item: -item[0])  # what says most itself is meant before what could be anything
    return _Known(plain, tuple((pattern, said) for _, pattern, said in filled))


_WORDY = 6  # letters and signs of its own that a sentence must have to be known again


def _look(sentence: str) -> tuple[int, re.Pattern[str] | None]:
    """What a sentence looks like with its places filled in, and how many characters of its own it has."""
    literal, parts = 0, []
    for text, name, form, _ in Formatter().parse(sentence):
        literal += len(text)
        parts.append(re.escape(text))
        if name is None:
            continue
        if not name.isidentifier():  # a place that a chart fills in
            return 0, None
        if f"(?P<{name}>" in "".join(parts):
            parts.append(f"(?P={name})")
        else:
            inside = {STATED: _ANY, DAY: _DATED, "": _WITHIN}.get(form or "", _NUMBER)
            parts.append(f"(?P<{name}>{inside})")
            literal += len(_DATED) if form == DAY else 0  # a day is told from anything else
    return literal, re.compile("".join(parts), re.DOTALL)
