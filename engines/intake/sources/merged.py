"""Merged cells of a workbook: which a sheet declares, and the filling of the cells that they cover."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa

from engines.errors import InputError

_CHUNK = 1 << 20
_EDGE = 200  # bytes that a mark may stretch from one chunk into the next
_AREA = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)"')
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension [^>]*?ref="([A-Z]+)[0-9]+(?::([A-Z]+)[0-9]+)?"')
_CELL = re.compile(rb'<(?:\w+:)?c [^>]*?r="([A-Z]+)[0-9]+"')
_SPANNED = re.compile(rb'number-rows-spanned="(?!1")')
_MERGE_CELLS, _XLS_COLUMNS = b"\xe5\x00", 256
_FRACTION = re.compile(r"-?[0-9]+[.,][0-9]+")


@dataclass(frozen=True)
class Merged:
    """The merged areas of a sheet as (top, left, bottom, right), from 0 and inclusive, in the columns of its table."""

    areas: tuple[tuple[int, int, int, int], ...]


def merged_cells(path: Path, sheets: Mapping[str, int]) -> dict[str, Merged]:
    """The merged areas of the sheets of an XLSX that have some; ``sheets``: the number of columns read, by name.

    Sheets whose part cannot be found have none; a damaged workbook is left to its reader.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = _parts(archive)
            found = {name: _areas(archive, parts[name], width) for name, width in sheets.items() if name in parts}
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, NotImplementedError, RuntimeError):
        return {}
    return {name: Merged(areas) for name, areas in found.items() if areas}


def refuse_spanned(path: Path, name: str, kind: str) -> None:
    """Refuse an OpenDocument file or an XLS with cells that span several rows, which their reader gives as blank.

    Raises:
        InputError: it has some.
    """
    if _spanned_old(path) if kind == "old workbook" else _spanned_open(path):
        raise InputError(
            "{name} has merged cells, and which rows they cover is not read from a file of this kind. Undo the "
            "merging, or save it as XLSX.",
            name=name,
        )


def _spanned_open(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive, archive.open("content.xml") as content:
            before = b""
            while chunk := content.read(_CHUNK):
                if _SPANNED.search(before + chunk):
                    return True
                before = chunk[-_EDGE:]
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError):
        pass
    return False


def _spanned_old(path: Path) -> bool:
    """Whether an XLS has a record of merged cells (MS-XLS 2.4.168, MergeCells) of which one has several rows."""
    content = path.read_bytes()
    at = content.find(_MERGE_CELLS)
    while at >= 0:
        size, count = struct.unpack_from("<HH", content, at + 2) if at + 6 <= len(content) else (0, 0)
        if count and size == 2 + 8 * count and at + 4 + size <= len(content):
            areas = list(struct.iter_unpack("<HHHH", content[at + 6 : at + 4 + size]))
            sound = all(top <= bottom and left <= right < _XLS_COLUMNS for top, bottom, left, right in areas)
            if sound and any(top < bottom for top, bottom, _, _ in areas):
                return True
        at = content.find(_MERGE_CELLS, at + 1)
    return False


def filled(table: pa.Table, merged: Merged, above: int) -> tuple[pa.Table, dict[int, int], set[int]]:
    """The table with the value of a merged cell in every cell that it covers, except where that is a sum of money.

    Args:
        table: of texts, without the rows above its data.
        merged: the areas of the sheet.
        above: how many rows of the sheet are above the table.

    Returns:
        The table; how many cells were filled, by column; the columns with merged cells that hold numbers with a
        fraction, which were not filled: a sum over several rows counts once.
    """
    changed: dict[int, list[str | None]] = {}
    counts: dict[int, int] = {}
    sums: set[int] = set()
    for top, left, bottom, right in merged.areas:
        if top < above or left >= table.num_columns or top - above >= table.num_rows:
            continue
        for column in range(left, min(right + 1, table.num_columns)):
            for each in {left, column} - changed.keys():
                changed[each] = table.column(each).to_pylist()
            value = changed[left][top - above]
            if value is None:
                continue
            if any(cell and _FRACTION.fullmatch(cell) for cell in changed[column]) or _FRACTION.fullmatch(value):
                sums.add(column)
                continue
            for row in range(top - above, min(bottom - above + 1, table.num_rows)):
                if changed[column][row] is None:
                    changed[column][row] = value
                    counts[column] = counts.get(column, 0) + 1
    for column in counts:
        table = table.set_column(column, table.field(column), pa.array(changed[column], pa.string()))
    return table, counts, sums


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """The file in the archive by the name of its sheet."""
    targets = {}
    for link in _xml(archive, "xl/_rels/workbook.xml.rels"):
        target = link.get("Target", "")
        targets[link.get("Id")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    parts = {}
    for element in _xml(archive, "xl/workbook.xml").iter():
        if element.tag.rpartition("}")[2] == "sheet":
            key = next((value for name, value in element.items() if name.rpartition("}")[2] == "id"), None)
            if key in targets:
                parts[element.get("name", "")] = targets[key]
    return parts


def _xml(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    text = archive.read(name)
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:  # no workbook has one: it could only be there to do harm
        raise ElementTree.ParseError
    return ElementTree.fromstring(text)  # noqa: S314 - without entities


def _areas(archive: zipfile.ZipFile, part: str, width: int) -> tuple[tuple[int, int, int, int], ...]:
    areas: list[tuple[int, int, int, int]] = []
    dimension, before = None, b""
    with archive.open(part) as sheet:
        while chunk := sheet.read(_CHUNK):
            piece = before + chunk
            dimension = dimension or _DIMENSION.search(piece[: 2 * _EDGE * 10])
            last = 0
            if b"mergeCell " in piece:
                for found in _AREA.finditer(piece):
                    left, top, right, bottom = found.groups()
                    areas.append((int(top) - 1, _column(left), int(bottom) - 1, _column(right)))
                    last = found.end()
            before = piece[max(last, len(piece) - _EDGE) :]
    if not areas:
        return ()
    first = 0
    if dimension is not None:
        first = _column(dimension[1])
        if _column(dimension[2] or dimension[1]) - first + 1 != width:
            first = _first_column(archive, part)
    else:
        first = _first_column(archive, part)
    return tuple((top, left - first, bottom, right - first) for top, left, bottom, right in areas if left >= first)


def _first_column(archive: zipfile.ZipFile, part: str) -> int:
    """The first column that has a cell, which is the first one that is read."""
    first, before = 1 << 20, b""
    with archive.open(part) as sheet:
        while chunk := sheet.read(_CHUNK):
            piece = before + chunk
            first = min([first, *(_column(letters) for letters in set(_CELL.findall(piece)))])
            before = piece[-_EDGE:]
    return first


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def listed_columns(names: Sequence[str], columns: Mapping[int, int]) -> str:
    """The columns with how many of their cells were filled, in words."""
    return ", ".join(f"{names[column]!r} ({count:,})" for column, count in sorted(columns.items()))
