"""Customer lists as files for spreadsheets and campaign tools: CSV, XLSX and Parquet, written batch by batch.

Text cells that a spreadsheet would take for a formula (they start with ``=``, ``+``, ``-``, ``@``, a tab or a carriage
return) get a leading apostrophe in CSV and XLSX; numbers stay numbers. Parquet is typed, so there nothing is changed.
Dates are written as 2011-12-09. An XLSX goes on to a further sheet when one is full.
"""

from __future__ import annotations

import csv
import hashlib
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import IO, Literal, get_args
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from engines.columns import (
    CLV,
    COUNTRY,
    CUSTOMER_ID,
    DISTANCE,
    FREQUENCY,
    MONETARY,
    PROBABILITY,
    RECENCY,
    SEGMENT,
    SEGMENT_KEY,
    describe,
)
from engines.errors import InputError

Format = Literal["csv", "xlsx", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}

#: The columns every list starts with, where the run has them.
FIRST = (CUSTOMER_ID, SEGMENT, RECENCY, FREQUENCY, MONETARY, CLV, COUNTRY)
#: What new customers have beside the segment they were put into.
_LABELLED = (SEGMENT_KEY, DISTANCE, PROBABILITY)

ROWS_PER_SHEET = 1_048_575  # what a sheet holds below its header

#: Also what has the apostrophe already, so that a list can be read back: no two cells become one.
_FORMULA = r"^('*[=+\-@\t\r])"
_CHUNK = 256 * 1024


def format_of(path: Path) -> Format:
    """The format that a file's name asks for.

    Raises:
        InputError: the name ends neither in .csv, .xlsx nor .parquet.
    """
    for kind in FORMATS:
        if path.suffix.lower() == f".{kind}":
            return kind
    raise InputError(f"{path.name}: the name must end in .csv, .xlsx or .parquet, so that the format is known.")


def column_order(names: Sequence[str]) -> list[str]:
    """The columns of a list in the order of its file: the important ones first, then the others as they come."""
    first = (*FIRST[:2], *_LABELLED, *FIRST[2:])
    return [name for name in first if name in names] + [name for name in names if name not in first]


def write(
    reader: pa.RecordBatchReader,
    target: Path | IO[bytes],
    kind: Format,
    order: Callable[[Sequence[str]], list[str]] = column_order,
) -> int:
    """Write a list to a path or an open binary file and say how many rows it holds; ``order`` puts columns in order.

    A path is written under a temporary name beside it and renamed when complete, so that no half list is ever found.

    Raises:
        InputError: the folder does not exist or cannot be written to.
    """
    counted = _Counted(reader, order)
    if not isinstance(target, Path):
        for chunk in _chunks(counted, kind):
            target.write(chunk)
        return counted.rows
    part = target.with_name(f".{target.name}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            for chunk in _chunks(counted, kind):
                file.write(chunk)
        part.replace(target)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror}. Choose another place.") from None
    finally:
        part.unlink(missing_ok=True)
    return counted.rows


def stream(
    reader: pa.RecordBatchReader, kind: Format, finished: Callable[[int, str], object] | None = None
) -> Iterator[bytes]:
    """The bytes of a list, piece by piece, with memory bounded by a batch (XLSX: built in a temporary file first).

    ``finished`` is called after the last piece, with the number of customers and the SHA-256 of all bytes.
    """
    counted, digest = _Counted(reader), hashlib.sha256()
    for chunk in _chunks(counted, kind):
        digest.update(chunk)
        yield chunk
    if finished is not None:
        finished(counted.rows, digest.hexdigest())


class _Counted:
    """A reader's batches with columns in file order, counted as they pass, and closed at the end."""

    def __init__(
        self, reader: pa.RecordBatchReader, order: Callable[[Sequence[str]], list[str]] = column_order
    ) -> None:
        self._reader = reader
        names = order(reader.schema.names)
        self.schema = pa.schema([reader.schema.field(name) for name in names])
        self.rows = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._reader:
                if batch.num_rows:
                    self.rows += batch.num_rows
                    yield batch.select(self.schema.names)
        finally:
            self._reader.close()


def _chunks(batches: _Counted, kind: Format) -> Iterator[bytes]:
    return {"csv": _csv, "parquet": _parquet, "xlsx": _xlsx}[kind](batches)


# --- cells ----------------------------------------------------------------------------------------------------------


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _safe(column: pa.Array) -> pa.Array:
    """Text that no spreadsheet takes for a formula."""
    return pc.replace_substring_regex(column.cast(pa.large_string()), _FORMULA, r"'\1")


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch for spreadsheets: text made safe, dates without a time of day, no NaN."""
    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if _is_text(column.type):
            column = _safe(column)
        elif pa.types.is_timestamp(column.type) and describe(name).kind == "date":
            column = column.cast(pa.date32(), safe=False)
        elif pa.types.is_floating(column.type):
            column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _titles(batches: _Counted) -> list[str]:
    """The header, made safe as well: a plug-in or a category may name a column as it likes."""
    return _safe(pa.array(batches.schema.names, pa.large_string())).to_pylist()


# --- formats --------------------------------------------------------------------------------------------------------


def _csv(batches: _Counted) -> Iterator[bytes]:
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(_titles(batches))
    yield header.getvalue().encode()
    options = pyarrow.csv.WriteOptions(include_header=False)
    for batch in batches:
        sink = io.BytesIO()
        pyarrow.csv.write_csv(_plain(batch), sink, options)
        yield sink.getvalue()


class _Drain(io.RawIOBase):
    """A file that only remembers what was written since it was last emptied."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        piece = bytes(data)
        self._pieces.append(piece)
        self._position += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._position

    def emptied(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _parquet(batches: _Counted) -> Iterator[bytes]:
    drain = _Drain()
    with pyarrow.parquet.ParquetWriter(pa.PythonFile(drain, mode="w"), batches.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield drain.emptied()
    yield drain.emptied()


def _xlsx(batches: _Counted) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="segmentry-export-") as folder:
        path = Path(folder) / "list.xlsx"
        _write_workbook(batches, path, folder)
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


def _write_workbook(batches: _Counted, path: Path, folder: str, rows_per_sheet: int = ROWS_PER_SHEET) -> None:
    import xlsxwriter

    options = {"constant_memory": True, "tmpdir": folder, "default_date_format": "yyyy-mm-dd"}
    titles = _titles(batches)
    with xlsxwriter.Workbook(str(path), options) as book:
        bold = book.add_format({"bold": True})
        sheet, row = None, rows_per_sheet
        for batch in batches:
            for values in zip(*(column.to_pylist() for column in _plain(batch).columns), strict=True):
                if row == rows_per_sheet or sheet is None:
                    sheet, row = _new_sheet(book, titles, bold), 0
                row += 1
                for place, value in enumerate(values):
                    _write_cell(sheet, row, place, value)
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


def _write_cell(sheet, row: int, place: int, value: object) -> None:  # noqa: ANN001 - xlsxwriter has no types
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, str):
        sheet.write_string(row, place, value)
    elif isinstance(value, date):
        if value.year < 1900:  # before the first day that a sheet knows
            sheet.write_string(row, place, value.isoformat())
        else:
            sheet.write_datetime(row, place, value)
    else:
        sheet.write_number(row, place, value)
