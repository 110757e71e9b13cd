"""Opening of a source by its kind: text, workbook, Parquet, packed or many files, or a database."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import duckdb

from engines.errors import InputError
from engines.intake.sources.archives import ALWAYS, NESTED, PACKED, RATIO, unzipped
from engines.intake.sources.folders import combined
from engines.intake.sources.formats import Format, format_of_file
from engines.intake.sources.layout import Judge, unjudged
from engines.intake.sources.locations import files_of, kind_of
from engines.intake.sources.records import open_json
from engines.intake.sources.source import Source, arrow_source, named, sha256
from engines.intake.sources.text import open_text
from engines.intake.sources.webpage import open_page
from engines.intake.sources.workbook import open_workbook
from engines.messages import message, noted
from engines.settings import Reading

__all__ = ["SUFFIXES", "TITLES", "Source", "arrow_source", "open_source", "sha256"]


_Open = Callable[[Path, str, duckdb.DuckDBPyConnection, Path, Reading, Judge], Source]


class _Kind(NamedTuple):
    """A kind of file: what people call it, where that needs to be said, and what it is by its content."""

    title: str
    formats: tuple[Format, ...]


_BOOKS: tuple[Format, ...] = ("workbook", "OpenDocument", "old workbook")
#: Kinds of files by what their names end with, whether they stand alone, in a folder or within a zip.
_KINDS = {
    ".csv": _Kind("CSV", ("text",)),
    ".tsv": _Kind("TSV", ("text",)),
    ".txt": _Kind("", ("text",)),
    ".jsonl": _Kind("JSON", ("JSON",)),
    ".ndjson": _Kind("", ("JSON",)),
    ".json": _Kind("", ("JSON",)),
    ".xlsx": _Kind("Excel", ("workbook",)),
    ".xlsm": _Kind("", ("workbook",)),
    ".xlsb": _Kind("", ("workbook",)),
    ".xls": _Kind("", ("old workbook",)),
    ".ods": _Kind("OpenDocument", ("OpenDocument",)),
    ".parquet": _Kind("Parquet", ("Parquet",)),
}
#: How what is found in a file is opened.
_OPEN: Mapping[Format, _Open] = {
    "text": lambda path, name, connection, folder, reading, judge: open_text(path, name, folder, reading, judge),
    "JSON": lambda path, name, connection, folder, reading, judge: open_json(path, name, folder, reading),
    "web page": lambda path, name, connection, folder, reading, judge: open_page(path, name, folder, reading, judge),
    "Parquet": lambda path, name, connection, folder, reading, judge: _open_parquet(path, name, connection, folder),
    "workbook": lambda path, name, connection, folder, reading, judge: open_workbook(path, name, reading, judge),
    "OpenDocument": lambda path, name, connection, folder, reading, judge: open_workbook(
        path, name, reading, judge, "OpenDocument"
    ),
    "old workbook": lambda path, name, connection, folder, reading, judge: open_workbook(
        path, name, reading, judge, "old workbook"
    ),
}
_TEXTS = tuple(ending for ending, kind in _KINDS.items() if {"text", "JSON"} & {*kind.formats})
_SEEN = 4096  # bytes that tell a text from what is none
_LEAST = 16  # bytes that a row of sales takes once it is read, at the very least
#: What the name of a file may end with.
SUFFIXES = (
    *_TEXTS,
    *(text + packed for packed in PACKED for text in _TEXTS),
    ".zip",
    *(ending for ending in _KINDS if ending not in _TEXTS),
)
#: What files that can be read are called.
TITLES = tuple(kind.title for kind in _KINDS.values() if kind.title)


def open_source(
    source: str | Path,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    reading: Reading = Reading(),  # noqa: B008 - frozen
    judge: Judge = unjudged,
) -> Source:
    """Open a file, a folder or pattern of files of one shape, or a database.

    Args:
        source: a path, a pattern such as ``sales/*.csv``, or the address of a database.
        connection: where the lines will be loaded.
        folder: a temporary one, empty, that lives until the lines are loaded.
        reading: what the source does not say itself.
        judge: how much names of columns look like those of sales; it tells the sheet and the line where they begin.

    Raises:
        InputError: nothing there, an unknown kind of file, a damaged or empty one, files of several shapes, a database
            that cannot be reached or read; it is named.
    """
    path, kind = Path(source), kind_of(str(source))
    try:
        if kind == "database":
            from engines.intake.sources.warehouse import open_database

            return open_database(str(source), connection, folder, reading)
        if kind == "folder":
            return _open_folder(path, connection, folder, reading, judge)
        if kind == "pattern":
            files = files_of(str(source))
            if not files:
                raise InputError("There is no file that fits {source}.", source=source)
            return _open_all([(each, each.name) for each in files], str(source), connection, folder, reading, judge)
        if kind == "nowhere":
            raise InputError("There is no file {source}.", source=source)
        return _open_file(path, path.name, connection, folder, reading, judge)
    except OSError as error:
        raise InputError("{source} cannot be read: {reason}.", source=source, reason=error.strerror or error) from None


def _open_file(
    path: Path, name: str, connection: duckdb.DuckDBPyConnection, folder: Path, reading: Reading, judge: Judge
) -> Source:
    lower = path.name.lower()
    if not path.is_file():
        raise InputError("{name} is not a file.", name=name)
    if lower.endswith(PACKED) and lower.rpartition(".")[0].endswith(NESTED):
        raise InputError("{name} is an archive within an archive. Unpack it first.", name=name)
    if not lower.endswith(SUFFIXES):
        raise InputError(
            "{name}: files of this kind cannot be read; give {suffixes}.", name=name, suffixes=", ".join(SUFFIXES)
        )
    if path.stat().st_size == 0:
        raise InputError("{name} is empty. Give one with a header and lines.", name=name)
    if lower.endswith(".zip"):
        files, others = unzipped(path, name, folder, tuple(_KINDS))
        left_out = (
            (message("Files in {name} that hold no sales were not read: {others}.", name=name, others=_listed(others)),)
            if others
            else ()
        )
        return _open_all(files, name, connection, folder, reading, judge, left_out)
    ending = next(each for each in _KINDS if lower.removesuffix(".gz").removesuffix(".zst").endswith(each))
    return _open_by_content(path, name, _KINDS[ending], connection, folder, reading, judge)


def _open_by_content(
    path: Path,
    name: str,
    kind: _Kind,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    reading: Reading,
    judge: Judge,
) -> Source:
    """Open a file as what it is, and note where its name says another kind.

    Raises:
        InputError: it is of a kind that cannot be read, or damaged.
    """
    found = format_of_file(path)
    packed = path.suffix.lower() in PACKED
    if found == "packed":
        raise InputError("{name} is packed: let its name end in .gz or .zst, as in sales.csv.gz.", name=name)
    if found == "XML workbook":
        raise InputError(
            "{name} is a workbook in an old form of XML. Open it in a spreadsheet program and save it as XLSX.",
            name=name,
        )
    if found == "zip" and "Parquet" not in kind.formats and kind.formats[0] not in _BOOKS:
        raise InputError("{name} is a zip archive: let its name end in .zip, or unpack it.", name=name)
    if packed:
        found = kind.formats[0]
    if found in kind.formats or found == "zip" or (found == "text" and _is_binary(path)):
        return _OPEN[kind.formats[0]](path, name, connection, folder, reading, judge)
    if found in _BOOKS:  # its reader looks at the name first
        link = folder / f"content{next(ending for ending, each in _KINDS.items() if found in each.formats)}"
        link.symlink_to(path.resolve())
        path = link
    opened = _OPEN[found](path, name, connection, folder, reading, judge)
    if found == "web page":  # says it itself
        return opened
    note = message("{name} is {kind} by its content, and was read as that.", name=name, kind=_NAMES[found])
    return replace(opened, notes=(note, *opened.notes), mend=_noted(opened, note))


#: What a kind is called in a sentence.
_NAMES: Mapping[Format, str] = {
    "text": noted("text"),
    "JSON": noted("JSON"),
    "Parquet": noted("Parquet"),
    "workbook": noted("a workbook"),
    "OpenDocument": noted("an OpenDocument workbook"),
    "old workbook": noted("a workbook of an old kind"),
}


def _noted(opened: Source, note: str) -> Callable[[], Source] | None:
    """How a source is mended that has a further note."""
    mend = opened.mend
    if mend is None:
        return None

    def mended() -> Source:
        source = mend()
        return replace(source, notes=(note, *source.notes))

    return mended


def _is_binary(path: Path) -> bool:
    """Whether there are bytes in it that no text in UTF-8 or one of the usual encodings has."""
    with path.open("rb") as file:
        start = file.read(_SEEN)
    wide = start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return not wide and b"\0" in start


def _open_folder(
    path: Path, connection: duckdb.DuckDBPyConnection, folder: Path, reading: Reading, judge: Judge
) -> Source:
    """A folder's files, without what begins with a dot or an underscore, as programs leave it beside their parts."""
    files = [each for each in sorted(path.iterdir()) if each.is_file() and each.name[0] not in "._"]
    readable = [each for each in files if each.name.lower().endswith(SUFFIXES)]
    if not readable:
        raise InputError(
            "{path} is a folder without a file that can be read; put {suffixes} in it.",
            path=path,
            suffixes=", ".join(SUFFIXES),
        )
    others = [each.name for each in files if each not in readable]
    notes = (message("Files of another kind were not read: {others}.", others=_listed(others)),) if others else ()
    name = path.resolve().name or str(path)
    return _open_all([(each, each.name) for each in readable], name, connection, folder, reading, judge, notes)


def _open_all(
    files: list[tuple[Path, str]],
    name: str,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    reading: Reading,
    judge: Judge,
    notes: tuple[str, ...] = (),
) -> Source:
    opened = []
    for number, (path, shown) in enumerate(files):
        own = folder / f"part-{number}"
        own.mkdir()
        opened.append(_open_file(path, shown, connection, own, reading, judge))
    return combined(name, opened, notes)


def _open_parquet(path: Path, name: str, connection: duckdb.DuckDBPyConnection, folder: Path) -> Source:
    link = folder / "lines.parquet"  # DuckDB takes *, ? and [ in the user's own path for wildcards
    link.symlink_to(path.resolve())
    location = str(link).replace("'", "''")
    relation = f"read_parquet('{location}', binary_as_string = true)"
    try:
        described = connection.execute(f"describe select * from {relation}").fetchall()  # noqa: S608 - our own folder
        lines = connection.execute(f"select count(*) from {relation}").fetchall()[0][0]  # noqa: S608 - from its footer
    except duckdb.Error as error:
        why = str(error).splitlines()[0].replace(str(link), name).removesuffix(".")
        raise InputError(
            "{name} is not a Parquet file that can be read: {why}. Write it again.", name=name, why=why
        ) from None
    if lines * _LEAST > ALWAYS + RATIO * path.stat().st_size:
        raise InputError(
            "{name} says that it has {lines:,} rows, and is only {size:,} bytes long: no sales are so alike. Write it "
            "again, or give them as CSV.",
            name=name,
            lines=lines,
            size=path.stat().st_size,
        )
    aliases = ", ".join(f"c{index}" for index in range(len(described)))
    return Source(
        name=name,
        columns=named([row[0] for row in described]),
        relation=f"(select * from {relation}) as lines({aliases})",  # noqa: S608
        fingerprint=sha256(path),
        locate=lambda line: f"row {line + 1}",
        typed=True,
        kind="Parquet",
        size=path.stat().st_size,
        lines=lines,
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
