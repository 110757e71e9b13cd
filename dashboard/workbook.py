"""Lists as Excel workbooks: typed cells, a frozen header, and a further sheet when one is full."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

ROWS_PER_SHEET = 1_048_575  # what a sheet holds below its header
_CHUNK = 256 * 1024
_MADE = datetime(2000, 1, 1)  # the same in all, so that the same list is the same file


def workbook(titles: Sequence[str], batches: Iterable[pa.RecordBatch]) -> Generator[bytes]:
    """The bytes of a workbook, which is built in a temporary file first: memory does not grow with the rows."""
    with tempfile.TemporaryDirectory(prefix="segmentry-export-") as folder:
        path = Path(folder) / "list.xlsx"
        write_workbook(titles, batches, path)
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


def write_workbook(titles: Sequence[str], batches: Iterable[pa.RecordBatch], path: Path) -> None:
    """Write batches whose texts are safe already; temporary files lie beside the workbook."""
    import xlsxwriter

    options = {"constant_memory": True, "tmpdir": str(path.parent), "default_date_format": "yyyy-mm-dd"}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": _MADE})
        bold = book.add_format({"bold": True})
        sheet, row = None, ROWS_PER_SHEET
        for batch in batches:
            kinds = [column.type for column in batch.columns]
            writers = [] if sheet is None else _writers(sheet, kinds)
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if row == ROWS_PER_SHEET or sheet is None:
                    sheet, row = _new_sheet(book, titles, bold), 0
                    writers = _writers(sheet, kinds)
                row += 1
                for place, value in enumerate(values):
                    if value is not None:
                        writers[place](row, place, value)
        if sheet is None:
            _new_sheet(book, titles, bold)


def _new_sheet(book, titles: Sequence[str], bold):  # noqa: ANN001, ANN202 - xlsxwriter has no types
    number = len(book.worksheets())
    sheet = book.add_worksheet("Customers" if number == 0 else f"Customers {number + 1}")
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, len(titles) - 1, 16)
    for place, title in enumerate(titles):
        sheet.write_string(0, place, title, bold)
    return sheet


def _writers(sheet, kinds: Sequence[pa.DataType]) -> list[Callable[[int, int, Any], object]]:  # noqa: ANN001 - as above
    """What writes a cell of each column: row, column, value."""

    def write_day(row: int, place: int, value: date) -> None:
        if value.year < 1900:  # before the first day that a sheet knows
            sheet.write_string(row, place, value.isoformat())
        else:
            sheet.write_datetime(row, place, value)

    def writer(kind: pa.DataType) -> Callable[[int, int, Any], object]:
        if pa.types.is_boolean(kind):
            return sheet.write_boolean
        if pa.types.is_temporal(kind):
            return write_day
        return sheet.write_string if pa.types.is_large_string(kind) else sheet.write_number

    return [writer(kind) for kind in kinds]
