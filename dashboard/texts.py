"""What pages say, one file per language: English stands in the code itself, a translation in ``locale/LANGUAGE.po``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

from dashboard.locales import spoken
from engines import insights
from engines.columns import CATEGORY_SHARE, DICTIONARY, Column, describe

FOLDER = Path(__file__).resolve().parent / "locale"
TEMPLATE = "segmentry.pot"


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
    """The template that translations are made from: all that is said, in the order of the code, then of the columns."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import write_po

    catalogue = Catalog(project="Segmentry", fuzzy=False)
    rooms = FOLDER.parent
    files = {file.relative_to(rooms).as_posix(): file for file in sorted(rooms.rglob("*.py"))}
    for name, file in {**files, "engines/insights.py": Path(insights.__file__)}.items():
        for message in _said_in(file.read_text(encoding="utf-8")):
            catalogue.add(message, locations=[(name, 0)])
    for column in DICTIONARY.values():
        for words in (column.title, column.meaning, *([column.unit] if column.unit != "-" else [])):
            catalogue.add(words, locations=[("engines/columns.py", 0)])
    written = BytesIO()
    write_po(written, catalogue, omit_header=True, include_lineno=False, width=120)
    return written.getvalue()


def _said_in(code: str) -> Iterator[str | tuple[str, str]]:
    """What a module says, in its order: sentences, a number's two forms, and, first, a page's title."""
    tree = ast.parse(code)
    for node in tree.body:
        match node:
            case ast.Assign([ast.Name("TITLE")], ast.Constant(str(title))):  # see dashboard/pages
                yield title
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        words = [part.value for part in call.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        match call.func, words:
            case ast.Name("say" | "noted") | ast.Attribute(attr="say"), [sentence]:
                yield sentence
            case ast.Name("say_number") | ast.Attribute(attr="say_number"), [one, many]:
                yield one, many
            case ast.Name("plural"), [one, *more]:  # see numbers.plural
                yield f"{{n}} {one}", f"{{n}} {more[0] if more else one + 's'}"
