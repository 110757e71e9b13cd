"""Extraction methods for Babel: what pages say that no call in the code marks. See [tool.babel] in pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from babel.messages.extract import extract_python

if TYPE_CHECKING:
    from babel.messages.extract import _PyOptions

#: Settings of engines, whose names pages show with spaces, and what they say of themselves; cleaning rules.
_KNOB = re.compile(r"^    (\w+): .*= \w*knob\(", re.MULTILINE)
_HELP = re.compile(r'\bknob\((?:(?!knob\().)*?\bhelp="((?:[^"\\]|\\.)*)"', re.DOTALL)
_RULE = re.compile(r'^    Rule\(\s*"?(\w+)"?,', re.MULTILINE)


def code(file: BinaryIO, keywords: Mapping[str, Any], tags: list[str], options: _PyOptions) -> Iterator[Any]:
    """What code says, and the names of settings and rules in it."""
    yield from extract_python(file, keywords, tags, options)
    file.seek(0)
    text = file.read().decode()
    names = (name.lower().replace("_", " ") for look in (_KNOB, _RULE) for name in look.findall(text))
    for words in (*names, *_HELP.findall(text)):
        yield 0, None, words, []


def playbook(file: BinaryIO, keywords: Mapping[str, Any], tags: list[str], options: dict[str, Any]) -> Iterator[Any]:
    """The names for segments in config.toml, in the context ``segment``, with what they mean and what to do."""
    settings = tomllib.loads(file.read().decode())
    yield 0, "pgettext", ("segment", "Segment"), []  # one without a name, with a number behind it
    for entry in (*settings["playbook"], *settings["playbook_plain"]):
        yield 0, "pgettext", ("segment", entry["name"]), []
        yield 0, None, entry["description"], []
        yield 0, None, entry["action"], []
