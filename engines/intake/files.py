"""Opening a retailer's file: CSV (also gzipped, with any common separator and encoding), XLSX or Parquet."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb
import fastexcel
import pyarrow as pa

from engines.errors import InputError

SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".xlsx", ".parquet")

_SEPARATORS = ",;\t|"
_CHUNK = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Source:
    """A file that has been opened: the names of its columns, and how to bring its lines into DuckDB.

    ``relation`` is SQL whose columns are c0, c1, ... in the order of ``columns``; ``locate`` says in words where the
    line with a given number (from 0) stands. ``encoding`` and ``separator`` of text, ``sheets`` of a workbook.
    """

    name: str
    columns: tuple[str, ...]
    relation: str
    fingerprint: str
    locate: Callable[[int], str]
    notes: tuple[str, ...] = ()
    arrow: pa.Table | None = None
    encoding: str = ""
    separator: str = ""
    sheets: tuple[str, ...] = ()

    def load(self, connection: duckdb.DuckDBPyConnection, needed: Sequence[int]) -> None:
        """Fill the table ``raw`` with the needed columns (by position), ``line_hash`` of all of them, and ``blank``.

        Raises:
            InputError: the lines do not fit the header, or the file is damaged; the line is named.
        """
        every = ", ".join(f"c{index}" for index in range(len(self.columns)))
        chosen = ", ".join(f"c{index}" for index in sorted(set(needed)))
        blank = " and ".join(
            f"nullif(trim(cast(c{index} as varchar)), '') is null" for index in range(len(self.columns))
        )
        if self.arrow is not None:
            connection.register("arrow_lines", self.arrow)
        try:
            connection.execute(
                f"create table raw as select {chosen}, hash({every}) as line_hash, {blank} as blank "  # noqa: S608
                f"from {self.relation}"
            )
        except duckdb.Error as error:
            raise InputError(f"{self.name}: {_plain(error)}") from None
        finally:
            if self.arrow is not None:
                connection.unregister("arrow_lines")


def open_source(path: Path, connection: duckdb.DuckDBPyConnection, folder: Path) -> Source:
    """Open a file by what its name ends with; ``folder`` is a temporary one that lives until the lines are loaded.

    Raises:
        InputError: no such file, a folder, an unknown kind of file, a damaged or empty one; it is named.
    """
    name = path.name
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder; name one file in it.")
        if not path.exists():
            raise InputError(f"There is no file {path}.")
        if not name.lower().endswith(SUFFIXES):
            raise InputError(f"{name}: files of this kind cannot be read; give {', '.join(SUFFIXES)}.")
        if path.stat().st_size == 0:
            raise InputError(f"{name} is empty.")
        if name.lower().endswith(".parquet"):
            return _open_parquet(path, connection, folder)
        if name.lower().endswith(".xlsx"):
            return _open_xlsx(path)
        return _open_text(path, folder)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None


def arrow_source(name: str, table: pa.Table, fingerprint: str, *, unit: str = "row", first: int = 1) -> Source:
    """A source whose lines are already in memory."""
    return Source(
        name=name,
        columns=tuple(table.column_names),
        relation="arrow_lines",
        fingerprint=fingerprint,
        locate=lambda line: f"{unit} {line + first}",
        arrow=table.rename_columns([f"c{index}" for index in range(table.num_columns)]),
    )


def sha256(path: Path) -> str:
    """The content of a file as a fingerprint."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- text ------------------------------------------------------------------------------------------------------------
def _open_text(path: Path, folder: Path) -> Source:
    name, text = path.name, folder / "lines.csv"
    encoding = _rewrite(path, text)
    with text.open(encoding="utf-8", newline="") as file:
        head = file.readline(_CHUNK)
    if not head.strip():
        raise InputError(f"{name} is empty.")
    separator = _separator(head)
    header = _records(text, separator)
    try:
        names = next(header, (0, []))[1]
    except csv.Error as error:
        raise InputError(f"{name}: the header line cannot be read: {error}.") from None
    types = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(names)))
    location, quoted = str(text).replace("'", "''"), separator.replace("\t", "\\t")

    def locate(line: int) -> str:
        records = _records(text, separator)
        try:
            for _ in range(line + 1):
                next(records)
            return f"line {next(records)[0]}"
        except (csv.Error, StopIteration):
            return f"line {line + 2}"

    return Source(
        name=name,
        columns=_named(names),
        relation=f"read_csv('{location}', auto_detect = false, header = true, delim = '{quoted}', quote = '\"', "
        f"escape = '\"', new_line = '\\n', columns = {{{types}}})",
        fingerprint=sha256(path),
        locate=locate,
        notes=(f"Read as {encoding}.",) if encoding == "cp1252" else (),
        encoding=encoding.removesuffix("-sig"),
        separator=separator,
    )


def _rewrite(path: Path, text: Path) -> str:
    """Write the file as plain UTF-8 with single line feeds, for DuckDB knows no other encoding; tells which it was."""
    try:
        with _bytes(path) as file:
            start = file.read(4)
        encodings = next(((known,) for bom, known in _BOMS if start.startswith(bom)), ("utf-8", "cp1252"))
        for encoding in encodings:
            with _bytes(path) as file, text.open("wb") as out:
                if _decoded(file, encoding, out):
                    return encoding
    except _NotTextError:
        raise InputError(f"{path.name} is not text: it holds zero bytes. Save it as CSV in UTF-8.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path.name} is not a whole gzip file: it is damaged or was cut off.") from None
    raise InputError(f"{path.name} is in an unknown encoding: neither UTF-8, UTF-16 nor cp1252. Save it in UTF-8.")


class _NotTextError(Exception):
    """Zero bytes where text should be."""


def _decoded(file: gzip.GzipFile | BinaryIO, encoding: str, out: BinaryIO) -> bool:
    """Copy chunk by chunk, decoded; False where the encoding is another one."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    started = False
    try:
        while chunk := file.read(_CHUNK):
            if encoding != "utf-16" and b"\0" in chunk:
                raise _NotTextError
            decoded = decoder.decode(chunk)
            if "\0" in decoded:
                raise _NotTextError
            if not started:  # blank lines above the header would be taken for it
                decoded = decoded.lstrip("\n")
                started = bool(decoded)
            out.write(decoded.encode("utf-8"))
        out.write(decoder.decode(b"", final=True).encode("utf-8"))
    except UnicodeError:
        return False
    return True


def _bytes(path: Path) -> gzip.GzipFile | BinaryIO:
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")


def _separator(head: str) -> str:
    bare = re.sub(r'"[^"]*"', "", head)
    return max(_SEPARATORS, key=bare.count)


def _records(text: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    with text.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=False)
        for record in reader:
            if record:  # DuckDB passes over blank lines as well
                yield reader.line_num, record


def _plain(error: duckdb.Error) -> str:
    """DuckDB's many lines of advice as one sentence about the user's file."""
    message = str(error)
    line = re.search(r"Line: (\d+)", message)
    where = f"line {line[1]}" if line else "a line"
    if found := re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message):
        return f"{where} has {found[2]} columns where the header has {found[1]}. Mend the line or quote its separators."
    if "quote" in message:
        return f"{where} has a quotation mark that is not closed or not doubled. Mend the line."
    if "maximum" in message.lower() and "size" in message.lower():
        return f"{where} is longer than can be read. Check its quotation marks."
    return f"the file cannot be read: {message.splitlines()[0].rstrip('.')}."


def _named(names: Sequence[object]) -> tuple[str, ...]:
    """Column names as written, on one line and trimmed; a blank one gets its position for a name."""
    return tuple(" ".join(str(name or "").split()) or f"column {index + 1}" for index, name in enumerate(names))


# --- Parquet and XLSX ------------------------------------------------------------------------------------------------
def _open_parquet(path: Path, connection: duckdb.DuckDBPyConnection, folder: Path) -> Source:
    link = folder / "lines.parquet"  # DuckDB takes *, ? and [ in the user's own path for wildcards
    link.symlink_to(path.resolve())
    location = str(link).replace("'", "''")
    relation = f"read_parquet('{location}', binary_as_string = true)"
    try:
        described = connection.execute(f"describe select * from {relation}").fetchall()  # noqa: S608 - our own folder
    except duckdb.Error as error:
        raise InputError(f"{path.name} is not a Parquet file that can be read: {str(error).splitlines()[0]}") from None
    aliases = ", ".join(f"c{index}" for index in range(len(described)))
    return Source(
        name=path.name,
        columns=_named([row[0] for row in described]),
        relation=f"(select * from {relation}) as lines({aliases})",  # noqa: S608
        fingerprint=sha256(path),
        locate=lambda line: f"row {line + 1}",
    )


def _open_xlsx(path: Path) -> Source:
    """Every sheet that has the columns of the first; cells as text, so that sheets and columns of mixed kinds agree."""
    try:
        book = fastexcel.read_excel(path)
        sheets = [(name, pa.table(book.load_sheet(name, dtypes="string"))) for name in book.sheet_names]
    except fastexcel.FastExcelError as error:
        raise InputError(f"{path.name} is not a workbook that can be read: {str(error).splitlines()[0]}.") from None
    sheets = [(name, table) for name, table in sheets if table.num_columns]
    if not sheets:
        raise InputError(f"{path.name} is empty: no sheet has a header.")
    columns = sheets[0][1].column_names
    same = [(name, table) for name, table in sheets if table.column_names == columns]
    others = [name for name, table in sheets if table.column_names != columns]

    def locate(line: int) -> str:
        for name, table in same:
            if line < table.num_rows:
                return f"row {line + 2} of sheet {name!r}"
            line -= table.num_rows
        return "the last row"

    table = pa.concat_tables(part.cast(pa.schema([(column, pa.string()) for column in columns])) for _, part in same)
    source = arrow_source(path.name, table, sha256(path))
    skipped = f"Sheets with other columns were not read: {', '.join(others)}."
    return Source(
        name=source.name,
        columns=_named(columns),
        relation=source.relation,
        fingerprint=source.fingerprint,
        locate=locate,
        notes=(skipped,) if others else (),
        arrow=source.arrow,
        sheets=tuple(name for name, _ in same),
    )
