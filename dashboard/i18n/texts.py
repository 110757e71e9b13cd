"""What pages say, one file per language: English stands in the code, a translation in ``translations/LANGUAGE.po``."""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard.i18n.locales import spoken
from engines.columns import CATEGORY_SHARE, Column, describe

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

FOLDER = Path(__file__).resolve().parent / "translations"
TEMPLATE = "segmentry.pot"
#: The context of names of segments in a translation: "Lost" is said of customers.
SEGMENT = "segment"
#: What a segment without a name is called, with a number behind it.
UNNAMED = "Segment"


def say(sentence: str, /, **parts: Any) -> str:
    """A sentence in the language of the request, its named places filled: ``say("Drop “{filter}”", filter="CLV ≥ 5")``.

    What is not translated stays as it is in the code.
    """
    text = _translations(spoken(), FOLDER).gettext(sentence) if sentence else ""  # "" means a file's own head
    return text.format(**parts) if parts else text


def say_number(one: str, many: str, number: float, /, **parts: Any) -> str:
    """As ``say``, in the form that goes with a number: ``say_number("{n} filter", "{n} filters", 2, n="2")``."""
    return _translations(spoken(), FOLDER).ngettext(one, many, round(number)).format(**parts)


def noted(sentence: str) -> str:
    """A sentence of a constant, which is said where it is shown: there the language is known."""
    return sentence


def segment_name(name: str) -> str:
    """What a segment is called: a name of the playbook in the language, any other as its owner gave it.

    A number that tells two segments of one name apart stays behind it.
    """
    translations = _translations(spoken(), FOLDER)
    stem, _, number = name.rpartition(" ")
    if stem and number.isdigit():
        return f"{translations.pgettext(SEGMENT, stem)} {number}"
    return translations.pgettext(SEGMENT, name)


def titled(column: Column) -> str:
    """What a column is called."""
    category = _category(column)
    return say("Share of {category}", category=category) if category else say(column.title)


def explained(column: Column) -> str:
    """What a column means, in a sentence."""
    category = _category(column)
    return say("How much of the spend goes to {category}.", category=category) if category else say(column.meaning)


def _category(column: Column) -> str:
    """The category of which a column is the share, unless a plug-in has words of its own for it."""
    if not column.name.startswith(CATEGORY_SHARE) or column != describe(column.name):
        return ""
    return column.title.removeprefix("Share of ")


@cache
def translated(language: str, folder: Path) -> Catalog | None:
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
    catalogue = translated(language, folder)
    if catalogue is None:
        return NullTranslations()
    from babel.messages.mofile import write_mo

    packed = BytesIO()
    write_mo(packed, catalogue)
    packed.seek(0)
    return GNUTranslations(packed)
