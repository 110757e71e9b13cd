"""Lists as Excel workbooks: typed cells, a frozen header, a further sheet when one is full, sent while they are built.

What is in every workbook (styles, header, relations) is made by XlsxWriter. The rows are put together here, column by
column for thousands of them at a time, and packed and sent as they come: nothing waits for the last row.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class ByteBuffer(io.RawIOBase):
    """A file that only remembers what was written since it was last emptied."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        """It is for writing."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Keep a piece."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._position += len(piece)
        return len(piece)

    def tell(self) -> int:
        """How many bytes were written in all."""
        return self._position

    def emptied(self) -> bytes:
        """What was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


ROWS_PER_SHEET = 1_048_575  # what a sheet holds below its header
BYTES_PER_SHEET = 1_200_000_000  # Excel takes no sheet for sound that needs the format for files above two gigabytes
_ROWS_AT_ONCE = 8_192
_LONGEST = 32_767  # characters that a cell holds; a longer text is left out
_MADE = datetime(2000, 1, 1)  # the same in all, so that the same list is the same file
_DAY = 86_400_000_000  # microseconds
_EPOCH = 25_569  # 1970-01-01 as the number that stands for it in a sheet
_FIRST, _LEAP = 2, 61  # 1900-01-01 and 1900-03-01, counted in the same way; a sheet knows a 1900-02-29 between them
_TEXT = pa.large_string()
#: What cannot stand in XML as it is, or would be read as something else; a space at either end.
_SPECIAL = r"[&<>\x00-\x08\x0b-\x1f\x{FFFE}\x{FFFF}]|_x[0-9a-fA-F]{4}_|^\s|\s$"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_ESCAPED = re.compile("(_x[0-9a-fA-F]{4}_)")


def workbook(titles: Sequence[str], batches: Iterable[pa.RecordBatch]) -> Generator[bytes]:
    """The bytes of a workbook, piece by piece, of batches whose texts are safe already; memory is that of a batch."""
    frame, sheets, buffer = _Frame(titles), 0, ByteBuffer()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        rows = _slices(batches)
        piece = next(rows, None)
        while piece is not None or sheets == 0:
            sheets += 1
            with packed.open(f"xl/worksheets/sheet{sheets}.xml", "w") as sheet:
                written = sheet.write(frame.head(sheets))
                row = 0
                while piece is not None and row < ROWS_PER_SHEET and written < BYTES_PER_SHEET:
                    part = piece.slice(0, ROWS_PER_SHEET - row)
                    written += sheet.write(_rows(part, row + 2, frame.day_style))
                    row += part.num_rows
                    yield buffer.emptied()
                    piece = piece.slice(part.num_rows) if part.num_rows < piece.num_rows else next(rows, None)
                sheet.write(frame.tail)
        for name, content in _made(titles, sheets).items():
            if not name.startswith("xl/worksheets/"):
                with packed.open(name, "w") as part_of_all:
                    part_of_all.write(content)
    yield buffer.emptied()


def _slices(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
            yield batch.slice(start, _ROWS_AT_ONCE)


# --- what XlsxWriter makes ------------------------------------------------------------------------------------------


def _made(titles: Sequence[str], sheets: int) -> dict[str, bytes]:
    """The files in a workbook of so many sheets with a header and one day each."""
    import xlsxwriter

    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        book.set_properties({"created": _MADE})
        bold = book.add_format({"bold": True})
        for number in range(sheets):
            sheet = book.add_worksheet("Customers" if number == 0 else f"Customers {number + 1}")
            sheet.freeze_panes(1, 1)
            sheet.set_column(0, len(titles) - 1, 16)
            for place, title in enumerate(titles):
                sheet.write_string(0, place, title, bold)
            sheet.write_datetime(1, 0, date(2000, 1, 1))
    with zipfile.ZipFile(target) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


class _Frame:
    """What stands around the rows of a sheet: ``tail`` after them; ``day_style`` is the number of the style of days."""

    def __init__(self, titles: Sequence[str]) -> None:
        made = _made(titles, 2)
        self._heads: list[bytes] = []
        for number in (1, 2):
            before, _, after = made[f"xl/worksheets/sheet{number}.xml"].partition(b'<row r="2"')
            self._heads.append(re.sub(rb"<dimension[^>]*/>", b"", before))  # how many rows there will be is not known
        self.day_style = after.partition(b' s="')[2].partition(b'"')[0].decode()
        self.tail = b"".join(after.partition(b"</sheetData>")[1:])

    def head(self, number: int) -> bytes:
        """What stands before the rows of the sheet with this number; the first is the one that is shown."""
        return self._heads[0 if number == 1 else 1]


# --- rows -----------------------------------------------------------------------------------------------------------


class _Cells(NamedTuple):
    """Cells of a column with what stands around each: after its place, and at its end. Null where there is none."""

    opening: str
    values: pa.Array
    closing: str = "</v></c>"


def _rows(batch: pa.RecordBatch, first: int, day_style: str) -> memoryview:
    """The rows of a batch, the first of which has this number in the sheet."""
    numbers = pa.array(np.arange(first, first + batch.num_rows)).cast(_TEXT)
    pieces: list[pa.Array | pa.Scalar] = [_mark('<row r="'), numbers, _mark('">')]
    for place, column in enumerate(batch.columns):
        kinds = [
            [_mark(f'<c r="{_letters(place)}'), numbers, _mark(cells.opening), cells.values, _mark(cells.closing)]
            for cells in _cells(column, day_style)
        ]
        if len(kinds) == 1 and not kinds[0][3].null_count:
            pieces += kinds[0]
        else:
            pieces.append(pc.coalesce(*(pc.binary_join_element_wise(*each, _mark("")) for each in kinds), _mark("")))
    rows = pc.binary_join_element_wise(*pieces, _mark("</row>"), _mark(""))
    _, offsets, data = rows.buffers()
    ends = np.frombuffer(offsets, np.int64)
    return memoryview(data)[int(ends[rows.offset]) : int(ends[rows.offset + len(rows)])]


def _mark(text: str) -> pa.Scalar:
    return pa.scalar(text, _TEXT)


def _letters(place: int) -> str:
    """The letters of a column: A to Z, AA and so on."""
    before, last = divmod(place, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)


def _cells(column: pa.Array, day_style: str) -> list[_Cells]:
    kind = column.type
    if pa.types.is_boolean(kind):
        return [_Cells('" t="b"><v>', column.cast(pa.int8()).cast(_TEXT))]
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return _days(column, day_style)
    if pa.types.is_large_string(kind):
        return [_texts(column)]
    return [_Cells('"><v>', column.cast(_TEXT))]


def _days(column: pa.Array, day_style: str) -> list[_Cells]:
    """Days as a sheet counts them; those before the first that it knows as text."""
    moments = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    days = pc.add(pc.divide(moments.cast(pa.float64()), float(_DAY)), float(_EPOCH))
    in_range = pc.greater_equal(days, float(_FIRST))
    counted = pc.if_else(pc.less(days, float(_LEAP)), pc.subtract(days, 1.0), days)
    cells = [_Cells(f'" s="{day_style}"><v>', pc.if_else(in_range, counted, None).cast(_TEXT))]
    if pc.any(pc.invert(in_range)).as_py():
        named = column.cast(pa.string()) if pa.types.is_date(column.type) else pc.strftime(column, "%Y-%m-%dT%H:%M:%S")
        cells.append(_texts(pc.if_else(in_range, None, named).cast(_TEXT)))
    return cells


def _texts(column: pa.Array) -> _Cells:
    if (pc.max(pc.utf8_length(column)).as_py() or 0) > _LONGEST:
        column = pc.if_else(pc.greater(pc.utf8_length(column), _LONGEST), pa.scalar(None, _TEXT), column)
    if not pc.any(pc.match_substring_regex(column, _SPECIAL)).as_py():
        return _Cells('" t="inlineStr"><is><t>', column, "</t></is></c>")
    coded = column.dictionary_encode()
    written = pa.array([_escaped(text) for text in coded.dictionary.to_pylist()], _TEXT)
    return _Cells('" t="inlineStr"><is><t xml:space="preserve">', written.take(coded.indices), "</t></is></c>")


def _escaped(text: str) -> str:
    """A text as it stands in a sheet: marks of XML by their names, other control characters by their numbers."""
    text = _CONTROL.sub(lambda match: f"_x{ord(match[0]):04X}_", _ESCAPED.sub(r"_x005F\1", text))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
