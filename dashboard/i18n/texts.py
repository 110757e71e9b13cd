"""What pages say, one file per language: English stands in the code, a translation in ``translations/LANGUAGE.po``."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

from dashboard.i18n.locales import beside_percent, manner, speaking, spoken, written, written_day
from engines.columns import CATEGORY_SHARE, Column, describe
from engines.messages import Message
from engines.messages import noted as noted
from engines.naming.neutral import parts_of

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

FOLDER = Path(__file__).resolve().parent / "translations"
TEMPLATE = FOLDER / "segmentry.pot"
#: The context of names of segments in a translation: "Lost" is said of customers.
SEGMENT = "segment"


def say(sentence: str, /, **parts: Any) -> str:
    """A sentence in the language of the request, its named places filled: ``say("Drop “{filter}”", filter="CLV ≥ 5")``.

    A message (see :mod:`engines.messages`) brings its parts along: days are written as on every page, and in another
    language than English its numbers too. What is not translated stays as it is in the code.
    """
    if isinstance(sentence, Message):
        return _translate(sentence)
    text = _translations(spoken(), FOLDER).gettext(sentence) if sentence else ""  # "" means a file's own head
    return text.format(**parts) if parts else text


def say_number(one: str, many: str, number: float, /, **parts: Any) -> str:
    """As ``say``, in the form that goes with a number: ``say_number("{n} filter", "{n} filters", 2, n="2")``."""
    return _translations(spoken(), FOLDER).ngettext(one, many, round(number)).format(**parts)


def say_in(language: str, sentence: str) -> str:
    """As ``say``, for an answer to a program that people may read too: English is as the message has it."""
    with speaking(language):
        return sentence if manner().is_english else say(sentence)


def _translate(sentence: Message) -> str:
    translations, parts = _translations(spoken(), FOLDER), sentence.parts
    if sentence.many:
        text = translations.ngettext(sentence.template, sentence.many, sentence.number)
    else:
        text = translations.gettext(sentence.template) if sentence else ""
    try:
        return _filling.vformat(text, (), parts) if parts else text
    except (KeyError, ValueError):  # a translation with a part that the message does not have
        return sentence


class _Filling(Formatter):
    """Fills in the parts of a message: messages in the language, days and numbers as the language writes them."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """A part of a message, written."""
        if isinstance(value, Message):
            return _translate(value)
        if isinstance(value, date) and (not format_spec or not manner().is_english):
            return written_day(value, "yMMMd", spoken())
        if isinstance(value, bool) or not isinstance(value, int | float) or manner().is_english:
            return format(value, format_spec)
        if format_spec.endswith("%"):
            return beside_percent(written(100 * value, format_spec.replace("%", "f")))
        return written(value, format_spec) if format_spec or isinstance(value, float) else str(value)


_filling = _Filling()


def segment_name(name: str) -> str:
    """What a segment is called: a name of the playbook in the language, any other as its owner gave it.

    A neutral name is made anew of its words. A number that tells two segments of one name apart stays behind it.
    """
    stem, _, number = name.rpartition(" ")
    if stem and number.isdigit():
        return f"{segment_name(stem)} {number}"
    words = ", ".join(say(part) for part in parts_of(name))
    return f"{words[0].upper()}{words[1:]}" if words else _translations(spoken(), FOLDER).pgettext(SEGMENT, name)


def column_title(column: Column) -> str:
    """What a column is called."""
    category = _category(column)
    return say("Share of {category}", category=category) if category else say(column.title)


def column_meaning(column: Column) -> str:
    """What a column means, in a sentence."""
    category = _category(column)
    return say("How much of the spend goes to {category}.", category=category) if category else say(column.meaning)


def _category(column: Column) -> str:
    """The category of which a column is the share, unless a plug-in has words of its own for it."""
    if not column.name.startswith(CATEGORY_SHARE) or column != describe(column.name):
        return ""
    return column.title.removeprefix("Share of ")


def browser_texts(language: str) -> str:
    """What the browser's own parts say in a language, as JSON by their English sentences: see ``assets/theme.js``."""
    if catalog_for(language, FOLDER) is None:
        return "{}"
    from babel.messages.pofile import read_po

    with TEMPLATE.open("rb") as content:
        english = [str(each.id) for each in read_po(content) if any(file.endswith(".js") for file, _ in each.locations)]
    with speaking(language):
        texts = {words: translation for words in english if (translation := say(words)) != words}
    return json.dumps(texts, ensure_ascii=False).replace("</", "<\\/")


@cache
def catalog_for(language: str, folder: Path) -> Catalog | None:
    """A language's translations: those for its country, else those for the language, else none."""
    files = (folder / f"{language}.po", folder / f"{language.partition('_')[0]}.po")
    file = next((each for each in files if each.is_file()), None)
    if file is None:
        return None
    from babel.messages.pofile import read_po

    with file.open("rb") as content:
        return read_po(content, locale=language.partition("_")[0])


@cache
def _translations(language: str, folder: Path) -> NullTranslations:
    catalogue = catalog_for(language, folder)
    if catalogue is None:
        return NullTranslations()
    from babel.messages.mofile import write_mo

    packed = BytesIO()
    write_mo(packed, catalogue)
    packed.seek(0)
    return GNUTranslations(packed)
