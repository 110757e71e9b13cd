"""Finds in the code all that people may read: the template that translations are made from."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import product
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

import dashboard
import engines
import storage
from dashboard.config import shipped
from dashboard.i18n.locales import speaking
from dashboard.i18n.retelling import DAY, STATED
from dashboard.i18n.texts import SEGMENT, UNNAMED, say
from engines.columns import DICTIONARY
from engines.evaluation.verdict import CRITERIA
from engines.intake import NOTES, RULES, CleaningRules
from engines.metrics import METRICS

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

#: What is called with a sentence that is told as it is, in English, and retold where it is shown.
_TELLING = {
    *(STATED, "progress", "InputError", "NotFoundError", "StoreError", "ChangedError", "TooLargeError", "NoRoomError"),
    "HTTPException",
}
_NUMBERED = re.compile(r"\+?,?(\.\d)?[fg%]?")
_ROOMS = (Path(dashboard.__file__).parent, Path(engines.__file__).parent, Path(storage.__file__).parent)
_WORDS = (ast.Constant, ast.JoinedStr)
Message = str | tuple[str, str]


def template() -> bytes:
    """The template as the file that it is."""
    from babel.messages.pofile import write_po

    written = BytesIO()
    write_po(written, catalogue(), omit_header=True, include_lineno=False, width=120)
    return written.getvalue()


def catalogue() -> Catalog:
    """All that is said, in the order of the code, then of tables; names of segments in a context of their own."""
    from babel.messages.catalog import Catalog

    found = Catalog(project="Segmentry", fuzzy=False)
    for name, message in messages():
        found.add(message, locations=[(name, 0)])
    for name in (*(entry["name"] for entry in playbook()), UNNAMED):
        found.add(name, locations=[("config.toml", 0)], context=SEGMENT)
    return found


def messages() -> Iterator[tuple[str, Message]]:
    """All that is said, each with the name of where it is said."""
    for room in _ROOMS:
        for file in sorted(room.rglob("*.py")):
            name = file.relative_to(room if room == _ROOMS[0] else room.parent).as_posix()
            if "testing" not in name:
                for message in said_in(file.read_text(encoding="utf-8")):
                    yield name, message
    for script in _scripts():
        yield from ((f"assets/{script.name}", words) for words in _said_by(script))
    yield from _tabled()
    for entry in playbook():
        yield from (("config.toml", words) for words in (entry["description"], entry["action"]))


def browser_texts(language: str) -> str:
    """What the browser's own parts say in a language, as JSON by their English sentences: see ``assets/theme.js``."""
    with speaking(language):
        known = {words: said for script in _scripts() for words in _said_by(script) if (said := say(words)) != words}
    return json.dumps(known, ensure_ascii=False).replace("</", "<\\/")


def _scripts() -> list[Path]:
    return sorted(shipped("assets").glob("*.js"))


def _said_by(script: Path) -> list[str]:
    """The sentences in a script: those that ``say`` or ``segmentrySay`` is called with."""
    found = re.findall(r'\b(?:say|segmentrySay)\(\s*("(?:[^"\\]|\\.)*")', script.read_text(encoding="utf-8"))
    return [json.loads(words) for words in found]


def playbook() -> Sequence[Mapping[str, Any]]:
    """The names for segments that come with Segmentry, with what they mean and what to do."""
    settings = tomllib.loads(shipped("config.toml").read_text(encoding="utf-8"))
    return [*settings["playbook"], *settings["playbook_plain"]]


def _tabled() -> Iterator[tuple[str, Message]]:
    """What stands in the engines' tables: columns, metrics, cleaning rules, criteria."""
    for column in DICTIONARY.values():
        for words in (column.title, column.meaning, column.unit, column.filter_label):
            if words not in ("", "-"):
                yield "engines/columns.py", words
    for metric in METRICS.values():
        yield from (("engines/metrics.py", words) for words in (metric.title, metric.meaning))
    for rule in (*RULES.values(), *NOTES.values()):
        names = (rule.name.replace("_", " "), rule.catches, rule.because)
        yield from (("engines/intake/cleaning/rules.py", words) for words in names)
    for setting in CleaningRules.declared():
        yield from (("engines/settings.py", words) for words in (setting.why, setting.label) if words)
    for criterion in CRITERIA:
        yield from (("engines/evaluation/verdict.py", words) for words in (criterion.title, criterion.meaning))


def said_in(code: str) -> Iterator[Message]:
    """What a module says, in its order: sentences, a number's two forms, and, first, a page's title."""
    tree = ast.parse(code)
    for node in tree.body:
        match node:
            case ast.Assign([ast.Name("TITLE")], ast.Constant(str(title))):  # see dashboard/pages
                yield title
            case ast.ClassDef(body=body):  # an engine's title and summary, and what its settings are called
                for line in body:
                    match line:
                        case ast.Assign([ast.Name("title" | "summary")], ast.Constant(str(words))):
                            yield words
                        case ast.AnnAssign(ast.Name("title" | "summary"), _, ast.Constant(str(words))) if words:
                            yield words
                        case ast.AnnAssign(ast.Name(name), _, ast.Call(ast.Name(maker))) if maker.endswith("knob"):
                            yield name.replace("_", " ")
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
            case ast.Name("knob"), _:
                helps = [each.value for each in call.keywords if each.arg == "help"]
                yield from (words for each in helps for words in stated_by(each))
            case ast.Name(name), _ if name in _TELLING:
                for part in call.args:
                    yield from stated_by(part)


def stated_by(node: ast.expr) -> Iterator[str]:
    """The sentences that an expression may give, with named places where something is filled in."""
    for sentence in _worded(node, {}):
        parts = list(Formatter().parse(sentence))
        words = "".join(text for text, _, _, _ in parts)
        if any(sign.isalpha() for sign in words):  # else it is nothing but a place
            yield words if all(name is None for _, name, _, _ in parts) else sentence


def _worded(node: ast.expr, places: dict[str, str]) -> list[str]:
    match node:
        case ast.Constant(str(text)):
            return [text.replace("{", "{{").replace("}", "}}")]
        case ast.JoinedStr(parts):
            return ["".join(each) for each in product(*(_worded(part, places) for part in parts))]
        case ast.BinOp(left, ast.Add(), right):
            return [head + tail for head in _worded(left, places) for tail in _worded(right, places)]
        case ast.IfExp(_, one, other):
            return [*_worded(one, places), *_worded(other, places)]
        case ast.FormattedValue(ast.IfExp(_, one, other)) if any(isinstance(each, _WORDS) for each in (one, other)):
            return [*_worded(one, places), *_worded(other, places)]
        case ast.FormattedValue(value, _, form):
            return [f"{{{_place(value, places)}{_form(value, form)}}}"]
    return [f"{{{_place(node, places)}{_form(node, None)}}}"]


def _form(value: ast.expr, form: ast.expr | None) -> str:
    match value, form:
        case ast.Call(ast.Name("stated")), _:
            return f":{STATED}"
        case _, ast.JoinedStr([ast.Constant(str(spec))]) if _NUMBERED.fullmatch(spec):
            return f":{spec}"
        case _, ast.JoinedStr([ast.Constant("%d %B %Y")]):
            return f":{DAY}"
    return ""


def _place(value: ast.expr, places: dict[str, str]) -> str:
    """A name for what is filled in; the same for the same expression, another for another."""
    code, name = ast.unparse(value), _named(value)
    number = 1
    while places.setdefault(called := name if number == 1 else f"{name}{number}", code) != code:
        number += 1
    return called


def _named(value: ast.expr) -> str:
    match value:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name.strip("_").lower() or "part"
        case ast.Subscript(_, ast.Constant(str(name))) if name.isidentifier():
            return name
        case ast.Subscript(inner) | ast.Starred(inner) | ast.UnaryOp(_, inner) | ast.IfExp(_, inner):
            return _named(inner)
        case ast.Call(ast.Attribute(ast.Constant(), _), [inner, *_]):  # ", ".join(names)
            return _named(inner)
        case ast.Call(ast.Attribute(inner, _), []) | ast.Call(ast.Attribute(inner, "rstrip" | "strip"), _):
            return _named(inner)
        case ast.Call(_, [inner, *_]) | ast.FormattedValue(inner):
            return _named(inner)
        case ast.Call(inner):
            return _named(inner)
        case ast.BinOp(left, _, right):
            return _named(left) if not isinstance(left, ast.Constant) else _named(right)
        case ast.GeneratorExp(inner) | ast.ListComp(inner):
            return _named(inner)
        case ast.JoinedStr(parts):
            return next((_named(part) for part in parts if isinstance(part, ast.FormattedValue)), "part")
    return "part"
