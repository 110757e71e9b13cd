"""What pages say, one file per language: English stands in the code itself, a translation in ``locale/LANGUAGE.po``."""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

from dashboard.locales import spoken

FOLDER = Path(__file__).resolve().parent / "locale"
TEMPLATE = "segmentry.pot"
_KEYWORDS: dict[str, Any] = {"say": None, "noted": None, "say_number": (1, 2)}


def say(sentence: str, **parts: Any) -> str:
    """A sentence in the language of the request, its named places filled: ``say("Drop “{filter}”", filter="CLV ≥ 5")``.

    What is not translated stays as it is in the code.
    """
    text = _translations(spoken(), FOLDER).gettext(sentence)
    return text.format(**parts) if parts else text


def say_number(one: str, many: str, number: float, **parts: Any) -> str:
    """As ``say``, in the form that goes with a number: ``say_number("{n} filter", "{n} filters", 2, n="2")``."""
    return _translations(spoken(), FOLDER).ngettext(one, many, round(number)).format(**parts)


def noted(sentence: str) -> str:
    """A sentence that stands in a constant, to be said where the language of the request is known."""
    return sentence


@cache
def _translations(language: str, folder: Path) -> NullTranslations:
    """A language's translations: those for its country, else those for the language, else none."""
    files = (folder / f"{language}.po", folder / f"{language.partition('_')[0]}.po")
    file = next((each for each in files if each.is_file()), None)
    if file is None:
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    packed = BytesIO()
    with file.open("rb") as content:
        write_mo(packed, read_po(content, locale=language.partition("_")[0]))
    packed.seek(0)
    return GNUTranslations(packed)


def template() -> bytes:
    """The template that translations are made from: everything that is said, in the order of the code."""
    from babel.messages.catalog import Catalog
    from babel.messages.extract import extract_from_file
    from babel.messages.pofile import write_po

    catalogue = Catalog(project="Segmentry", fuzzy=False)
    rooms = FOLDER.parent
    for file in sorted(rooms.rglob("*.py")):
        found = extract_from_file("python", file, keywords=_KEYWORDS, comment_tags=("say:",))
        for _, message, comments, _ in found:
            catalogue.add(message, locations=[(file.relative_to(rooms).as_posix(), 0)], auto_comments=comments)
    written = BytesIO()
    write_po(written, catalogue, omit_header=True, include_lineno=False, width=120)
    return written.getvalue()
