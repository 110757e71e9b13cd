"""Customer lists as files for spreadsheets and campaign tools: CSV, XLSX and Parquet, written batch by batch.

Text cells that a spreadsheet would take for a formula (they start with ``=``, ``+``, ``-``, ``@``, a tab or a carriage
return) get a leading apostrophe in CSV and XLSX; numbers stay numbers. Parquet is typed, so there nothing is changed.
Dates are written as 2011-12-09. An XLSX goes on to a further sheet when one is full.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import IO, Literal, get_args
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from dashboard.exports.workbook import ByteBuffer, workbook
from engines.columns import describe, in_order
from engines.errors import InputError
from storage.sql.ahead import read_ahead

Format = Literal["csv", "xlsx", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}

#: Also what has the apostrophe already, so that a list can be read back: no two cells become one.
_FORMULA = r"^('*[=+\-@\t\r])"


def format_of(path: Path) -> Format:
    """The format that a file's name asks for.

    Raises:
        InputError: the name ends neither in .csv, .xlsx nor .parquet.
    """
    for kind in FORMATS:
        if path.suffix.lower() == f".{kind}":
            return kind
    raise InputError(
        "{name}: the name must end in .csv, .xlsx or .parquet, so that the format is known.", name=path.name
    )


def write(
    reader: pa.RecordBatchReader,
    target: Path | IO[bytes],
    kind: Format,
    order: Callable[[Sequence[str]], list[str]] = in_order,
) -> Stream:
    """Write a list to a path or an open binary file; ``order`` puts columns in order.

    A path is written under a temporary name beside it and renamed when complete, so that no half list is ever found.

    Returns:
        What was written: ``rows``, ``size`` in bytes, ``sha256``.

    Raises:
        InputError: the folder does not exist or cannot be written to.
    """
    written = Stream(reader, kind, order)
    if not isinstance(target, Path):
        target.writelines(written)
        return written
    part = target.with_name(f".{target.name}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            file.writelines(written)
        part.replace(target)
    except OSError as error:
        raise InputError(
            "{target} cannot be written: {strerror}. Choose another place.", target=target, strerror=error.strerror
        ) from None
    finally:
        written.close()
        part.unlink(missing_ok=True)
    return written


class Stream(Iterator[bytes]):
    """The bytes of a list, piece by piece, counted and hashed as they pass, with memory bounded by a batch.

    ``columns`` are known from the start; ``rows`` and ``size`` in bytes say
    how far it has come; ``whole`` says whether the last piece has been taken. Whoever stops earlier calls ``close``.
    """

    def __init__(
        self,
        reader: pa.RecordBatchReader,
        kind: Format,
        order: Callable[[Sequence[str]], list[str]] = in_order,
    ) -> None:
        self.kind: Format = kind
        self._batches = _Counted(reader, order)
        self._chunks = {"csv": _csv, "parquet": _parquet, "xlsx": _xlsx}[kind](self._batches)
        self._digest = hashlib.sha256()
        self.size, self.whole = 0, False

    def __next__(self) -> bytes:
        """The next piece."""
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self.whole = True
            raise
        self._digest.update(chunk)
        self.size += len(chunk)
        return chunk

    def close(self) -> None:
        """Take no more; what was open is let go."""
        self._chunks.close()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, in the order of the file."""
        return tuple(self._batches.schema.names)

    @property
    def rows(self) -> int:
        """How many customers have been written."""
        return self._batches.rows

    @property
    def sha256(self) -> str | None:
        """SHA-256 of the file, None before it is whole."""
        return self._digest.hexdigest() if self.whole else None


class _Counted:
    """A reader's batches with columns in file order, counted as they pass, and closed at the end."""

    def __init__(self, reader: pa.RecordBatchReader, order: Callable[[Sequence[str]], list[str]] = in_order) -> None:
        self._reader = reader
        names = order(reader.schema.names)
        self.schema = pa.schema([reader.schema.field(name) for name in names])
        self.rows = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in read_ahead(self._reader):
                if batch.num_rows:
                    self.rows += batch.num_rows
                    yield batch.select(self.schema.names)
        finally:
            self._reader.close()


# --- cells ----------------------------------------------------------------------------------------------------------


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _safe(column: pa.Array) -> pa.Array:
    """Text that no spreadsheet takes for a formula."""
    texts = column.cast(pa.large_string())
    if not pc.any(pc.match_substring_regex(texts, _FORMULA)).as_py():  # looking costs half of replacing
        return texts
    return pc.replace_substring_regex(texts, _FORMULA, r"'\1")


def _spreadsheet_safe(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch for spreadsheets: text made safe, dates without a time of day, no NaN."""
    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if _is_text(column.type):
            column = _safe(column)
        elif pa.types.is_timestamp(column.type) and describe(name).kind == "date":
            column = column.cast(pa.date32(), safe=False)
        elif pa.types.is_floating(column.type):
            finite = pc.is_finite(column)
            if pc.all(finite).as_py() is False:
                column = pc.if_else(finite, column, pa.scalar(None, column.type))
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _titles(batches: _Counted) -> list[str]:
    """The header, made safe as well: a plug-in or a category may name a column as it likes."""
    return [str(name) for name in _safe(pa.array(batches.schema.names, pa.large_string())).to_pylist()]


# --- formats --------------------------------------------------------------------------------------------------------


def _csv(batches: _Counted) -> Generator[bytes]:
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(_titles(batches))
    yield header.getvalue().encode()
    options = pyarrow.csv.WriteOptions(include_header=False)
    for batch in batches:
        sink = pa.BufferOutputStream()
        pyarrow.csv.write_csv(_spreadsheet_safe(batch), sink, options)
        yield sink.getvalue().to_pybytes()


def _parquet(batches: _Counted) -> Generator[bytes]:
    buffer = ByteBuffer()
    with pyarrow.parquet.ParquetWriter(pa.PythonFile(buffer, mode="w"), batches.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield buffer.emptied()
    yield buffer.emptied()


def _xlsx(batches: _Counted) -> Generator[bytes]:
    return workbook(_titles(batches), (_spreadsheet_safe(batch) for batch in batches))
