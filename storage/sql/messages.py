"""How messages are kept: as JSON of their template and parts, within JSON columns and in text columns of their own."""

from __future__ import annotations

import json
from typing import Annotated, Any

from sqlalchemy import Dialect, Text, TypeDecorator

from engines.messages import Message, from_json, to_json

#: A text column that may hold a message: ``error: Mapped[Said | None]``.
Said = Annotated[str, "message"]


def written_json(value: Any) -> str:
    """JSON in which every message is kept as template and parts."""
    return json.dumps(to_json(value), allow_nan=False)


def read_json(text: str | bytes) -> Any:
    """What ``written_json`` was given."""
    value = json.loads(text)
    return from_json(value) if '"template"' in (text if isinstance(text, str) else text.decode()) else value


class MessageText(TypeDecorator[str]):
    """A message as the JSON of its template and parts; any other text as it is."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text that is kept."""
        return json.dumps(to_json(value), ensure_ascii=False) if isinstance(value, Message) else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """The message, or the text that was kept."""
        if value is None or not value.startswith('{"template": '):
            return value
        message: str = from_json(json.loads(value))
        return message
