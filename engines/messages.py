"""Messages: English sentences that keep the template and the parts they were made of, so that pages can translate them.

A message *is* its English sentence: printed, logged and sent as JSON it is plain text. Whoever shows it in another
language looks up the template and fills the parts in anew, numbers and days as that language writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from numbers import Integral, Real
from typing import Any

#: What stands in a message: text that is data, a number, a day, nothing, or another message.
Part = str | int | float | date | None

_KEYS = {"template", "parts", "many", "number"}


class Message(str):
    """An English sentence with the template and the parts that it was made of; ``many`` is its form for a plural."""

    template: str
    parts: Mapping[str, Part]
    many: str
    number: int

    def __new__(cls, template: str, parts: Mapping[str, Part], many: str = "", number: int = 1) -> Message:
        """The English sentence, filled in."""
        form = many if many and number != 1 else template
        made: Any = super().__new__(cls, form.format_map(parts) if parts else form)
        made.template, made.parts, made.many, made.number = template, parts, many, number
        return made  # type: ignore[no-any-return]

    def changed(self, change: Callable[[str], str]) -> Message:
        """The same message with its parts that are text changed, and those of messages within it."""
        parts = {
            name: part.changed(change) if isinstance(part, Message) else change(part) if isinstance(part, str) else part
            for name, part in self.parts.items()
        }
        return Message(self.template, parts, self.many, self.number)

    def __reduce__(self) -> tuple[type[Message], tuple[str, Mapping[str, Part], str, int]]:
        return Message, (self.template, self.parts, self.many, self.number)


def message(template: str, /, **parts: object) -> Message:
    """A message: ``message("k = {k} was chosen.", k=3)``.

    A part is a text, a number or a day, with a format of Python's where it needs one (``{share:.1%}``), or another
    message, which is translated in its turn. Of an error with a message it is that message. Anything else is shown as
    ``str`` has it. A template without parts is taken as it is, braces and all; a message stays what it is.
    """
    if isinstance(template, Message) and not parts:
        return template
    return Message(template, {name: _part(value) for name, value in parts.items()})


def message_number(one: str, many: str, number: float, /, **parts: object) -> Message:
    """A message in the form that goes with a number: ``message_number("{n} line", "{n} lines", 2, n=2)``."""
    return Message(one, {name: _part(value) for name, value in parts.items()}, many, round(number))


def noted(sentence: str) -> str:
    """A sentence of a constant, marked so that translators find it; it is translated where it is shown."""
    return sentence


def joined(texts: Iterable[str], between: str = " ") -> Message:
    """Several messages as one, such as the sentences of a paragraph."""
    parts = {f"p{place}": text for place, text in enumerate(texts)}
    return message(between.join(f"{{{name}}}" for name in parts), **parts)


def to_json(value: Any) -> Any:
    """A JSON-ready value in which every message is kept as template and parts."""
    if isinstance(value, Message):
        encoded: dict[str, Any] = {"template": value.template}
        if value.parts:
            encoded["parts"] = {name: _kept_part(part) for name, part in value.parts.items()}
        if value.many:
            encoded |= {"many": value.many, "number": value.number}
        return encoded
    if isinstance(value, Mapping):
        return {name: to_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(each) for each in value]
    return value


def from_json(value: Any) -> Any:
    """What ``to_json`` was given; texts of earlier versions, which are plain, stay so."""
    if isinstance(value, dict):
        if "template" in value and value.keys() <= _KEYS:
            parts = {name: _read_part(part) for name, part in value.get("parts", {}).items()}
            return Message(value["template"], parts, value.get("many", ""), value.get("number", 1))
        return {name: from_json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [from_json(each) for each in value]
    return value


def _kept_part(part: Part) -> Any:
    return {"day": part.isoformat()} if isinstance(part, date) else to_json(part)


def _read_part(part: Any) -> Part:
    return date.fromisoformat(part["day"]) if isinstance(part, dict) and "day" in part else from_json(part)


def _part(value: object) -> Part:
    if value is None or isinstance(value, str | bool) or type(value) is date:
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    return getattr(value, "message", None) or str(value)
