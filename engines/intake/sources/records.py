"""Opening of JSON: one object a line, a list of objects, or an object that holds one such list."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from engines.errors import InputError
from engines.intake.sources.encodings import rewrite
from engines.intake.sources.mending import rewritten_lines, where
from engines.intake.sources.source import Source, named
from engines.messages import message
from engines.settings import Reading

_WHOLE = 256 << 20  # bytes of a list that is read at once
_TRIED = 5  # lines of which one at least is a whole object
_SHOWN = 60


def open_json(path: Path, name: str, folder: Path, reading: Reading) -> Source:
    """Open JSON, packed or not: its objects are lines, and their names columns. ``folder`` holds them as CSV.

    An object within an object gives columns called ``outer.inner``; a list within one stays as it is written.

    Raises:
        InputError: no JSON, or none that is a list of objects.
    """
    written = rewrite(path, folder / "text.json", reading.encoding, name)
    places: dict[str, int] = {}
    lists: set[str] = set()
    for _, record, _ in _records(written.path, name):
        for key, value in record.items() if record else ():
            places.setdefault(key, len(places))
            if isinstance(value, list):
                lists.add(key)
    if not places:
        raise InputError("{name} holds no objects with names and values. Give one object for each sale.", name=name)
    target = folder / "mended.csv"
    count = 0
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        for number, record, why in _records(written.path, name):
            row = [""] * len(places)
            for key, value in (record or {}).items():
                row[places[key]] = _plain(value)
            writer.writerow([*row, number + written.above, why])
            count += 1
    notes: tuple[str, ...] = (message("Read as JSON, one line for each object."),)
    if lists:
        notes += (
            message(
                "Columns {columns} hold lists, which were not taken apart: an object must be one line of sales.",
                columns=", ".join(sorted(lists)[:12]),
            ),
        )
    return Source(
        name=name,
        columns=named(list(places)),
        relation=rewritten_lines(target, len(places)),
        fingerprint=written.fingerprint,
        locate=lambda line: where(target, line),
        notes=notes,
        encoding=written.encoding,
        file=str(target),
        size=target.stat().st_size,
        lines=count,
        blanks=" \t\r\n\u00a0",
        kind="JSON",
        broken=True,
    )


def _records(path: Path, name: str) -> Iterator[tuple[int, dict[str, Any] | None, str]]:
    """The objects, flat, each with the number of its line or, in a list, its own; None and why for a broken line."""
    with path.open(encoding="utf-8-sig") as file:
        first = list(islice((line for line in file if line.strip()), _TRIED))
    if not any(map(_is_object, first)):
        yield from ((number, _flat(each), "") for number, each in enumerate(_listed(path, name), start=1))
        return
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            value = _loaded(line)
            if isinstance(value, dict):
                yield number, _flat(value), ""
            else:
                yield number, None, message("it is no JSON object: {line}", line=repr(line.strip()[:_SHOWN]))


def _is_object(line: str) -> bool:
    """Whether a line is one whole object that holds no list of objects."""
    value = _loaded(line)
    return isinstance(value, dict) and not _inner(value)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None


def _inner(value: dict[str, Any]) -> list[list[Any]]:
    """The lists of objects of an object that is nothing but what stands around one."""
    if any(not isinstance(each, list | dict) for each in value.values()) and len(value) > len(_ABOUT & {*value}) + 1:
        return []
    return [each for each in value.values() if isinstance(each, list) and each and isinstance(each[0], dict)]


#: Names of what answers of programs say beside their list.
_ABOUT = frozenset({"count", "total", "page", "next", "previous", "status", "version", "limit", "offset", "has_more"})


def _listed(path: Path, name: str) -> list[dict[str, Any]]:
    if path.stat().st_size > _WHOLE:
        raise InputError(
            "{name} is one list of more than {size} MiB. Write it as JSON lines, one object a line.",
            name=name,
            size=_WHOLE >> 20,
        )
    value = _loaded(path.read_text(encoding="utf-8-sig"))
    inner = _inner(value) if isinstance(value, dict) else []
    if len(inner) == 1:
        value = inner[0]
    elif isinstance(value, dict) and not inner:
        value = [value]
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise InputError(
            "{name} is no list of objects that can be read as JSON. Give one object a line, or a list of them.",
            name=name,
        )
    return value


def _flat(record: dict[str, Any], before: str = "") -> dict[str, Any]:
    """The values of an object and of those within it, by name."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[f"{before}{key}"] = value
    return flat


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("\r\n", "\n").replace("\r", "\n")
