"""What a workbook says of its cells beside their values: which are merged, and in which currency numbers are shown."""

from __future__ import annotations

import re
import struct
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa

from engines.errors import InputError
from engines.settings import CODES

_CHUNK = 1 << 20
_EDGE = 200  # bytes that a mark may stretch from one chunk into the next
_AREA = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)"')
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension [^>]*?ref="([A-Z]+)[0-9]+(?::([A-Z]+)[0-9]+)?"')
_CELL = re.compile(rb'<(?:\w+:)?c [^>]*?r="([A-Z]+)[0-9]+"')
_SPANNED = re.compile(rb'number-rows-spanned="(?!1")')
_MERGE_CELLS, _XLS_COLUMNS = b"\xe5\x00", 256
_STYLED = re.compile(rb'<(?:\w+:)?c (?=[^>]*?r="([A-Z]+)([0-9]+)")(?=[^>]*?s="([0-9]+)")(?![^>]*?t="(?!n"))[^>]*?>')
_NUMBER = re.compile(r"-?[0-9]+(?:[.,][0-9]+)?(?:[Ee][+-]?[0-9]+)?")
#: Parts of a number format that may be a currency: a sign with the number of a language, and text in quotes.
_SIGN_OF_LANGUAGE, _QUOTED = re.compile(r"\[\$([^\]-]*)(?:-([0-9A-Fa-f]+))?\]"), re.compile(r'"([^"]*)"')
#: Words that stand for a currency beside a number, without a sign of their own.
_WORDS = frozenset({"kr", "kr.", "zł", "kč", "ft", "lei", "лв", "лв.", "fr.", "руб.", "r$", "rs."})
#: The currency that a sign with a language stands for, by the number of the language (MS-LCID), where several have it.
_BY_LANGUAGE = {
    **{0x409: "USD", 0x1009: "CAD", 0xC0C: "CAD", 0xC09: "AUD", 0x1409: "NZD", 0x4809: "SGD", 0xC04: "HKD"},
    **{0x404: "TWD", 0x80A: "MXN", 0x2C0A: "ARS", 0x340A: "CLP", 0x240A: "COP", 0x41D: "SEK", 0x414: "NOK"},
    **{0x814: "NOK", 0x406: "DKK", 0x40F: "ISK", 0x411: "JPY", 0x804: "CNY", 0x4009: "INR", 0x439: "INR"},
}
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


def shown_currencies(path: Path, sheets: Mapping[str, int]) -> dict[str, dict[int, dict[str, list[int]]]]:
    """The rows whose numbers an XLSX shows in a currency, by sheet, column of its table (from 0) and code or sign.

    Where numbers are formatted as money, the currency stands in the format alone, and their reader does not see it.
    ``sheets``: the number of columns read, by name. Rows are those of the sheet, from 0.
    """
    found: dict[str, dict[int, dict[str, list[int]]]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            styles = _currency_styles(archive)
            parts = _parts(archive) if styles else {}
            for name in (name for name in sheets if name in parts):
                columns: dict[int, dict[str, list[int]]] = {}
                for letters, row, style in _styled_cells(archive, parts[name]):
                    if style in styles:
                        column = _column(letters)
                        columns.setdefault(column, {}).setdefault(styles[style], []).append(row - 1)
                if columns:
                    first = _first_column(archive, parts[name])
                    found[name] = {column - first: signs for column, signs in columns.items() if column >= first}
    except (zipfile.BadZipFile, KeyError, ValueError, ElementTree.ParseError, NotImplementedError, RuntimeError):
        return {}
    return found


def with_currencies(table: pa.Table, shown: Mapping[int, Mapping[str, Sequence[int]]]) -> pa.Table:
    """The table with the currency before the numbers that are shown in it, as a file of text would have them.

    Args:
        table: all rows of a sheet, of texts.
        shown: rows by column and code or sign.
    """
    for column, signs in shown.items():
        if column >= table.num_columns:
            continue
        cells: list[str | None] = table.column(column).to_pylist()
        for sign, rows in signs.items():
            for row in rows:
                cell = cells[row] if row < len(cells) else None
                if cell and _NUMBER.fullmatch(cell):
                    cells[row] = f"{sign} {cell}"
        table = table.set_column(column, table.field(column).name, pa.array(cells, pa.string()))
    return table


def _currency_styles(archive: zipfile.ZipFile) -> dict[int, str]:
    """The code or sign of the currency of each style that has one, by the number that cells refer to."""
    if "xl/styles.xml" not in archive.namelist():
        return {}
    formats: dict[str, str] = {}
    styles: dict[int, str] = {}
    for element in _xml(archive, "xl/styles.xml"):
        kind = element.tag.rpartition("}")[2]
        if kind == "numFmts":
            formats = {each.get("numFmtId", ""): _currency_of(each.get("formatCode", "")) for each in element}
        elif kind == "cellXfs":
            styles = {place: formats.get(each.get("numFmtId", ""), "") for place, each in enumerate(element)}
    return {place: sign for place, sign in styles.items() if sign}


def _currency_of(code: str) -> str:
    """The code or sign of the currency that a number format writes; empty where there is none."""
    code = code.partition(";")[0]  # of positive numbers
    for sign, language in _SIGN_OF_LANGUAGE.findall(code):
        if language and (meant := _BY_LANGUAGE.get(int(language, 16) & 0xFFFF)) and _is_currency(sign):
            return meant
        if _is_currency(sign):
            return str(sign).strip()
    rest = _SIGN_OF_LANGUAGE.sub(" ", code)
    for text in (*_QUOTED.findall(rest), *(letter for letter in _QUOTED.sub(" ", rest))):
        if _is_currency(text):
            return str(text).strip()
    return ""


def _is_currency(text: str) -> bool:
    text = text.strip()
    signed = any(unicodedata.category(letter) == "Sc" for letter in text) and len(text) <= 4
    return signed or text.upper() in CODES or text.casefold() in _WORDS


def _styled_cells(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[bytes, int, int]]:
    """Column, row and style of the cells of a sheet that hold numbers."""
    with archive.open(part) as sheet:
        before = b""
        while chunk := sheet.read(_CHUNK):
            piece = before + chunk
            end = piece.rfind(b"<")  # the mark that this may have cut
            for letters, row, style in _STYLED.findall(piece[:end]):
                yield letters, int(row), int(style)
            before = piece[end:]
        for letters, row, style in _STYLED.findall(before):
            yield letters, int(row), int(style)


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
