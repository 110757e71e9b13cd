"""Opening of a workbook: the sheets that are named, or every sheet with the columns of the first, as one source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import fastexcel
import pyarrow as pa

from engines.errors import InputError
from engines.intake.sources.archives import refuse_bomb
from engines.intake.sources.source import Source, arrow_source, header_of, sha256
from engines.messages import message
from engines.settings import Reading


def open_workbook(path: Path, name: str, reading: Reading) -> Source:
    """Open an XLSX; cells are text, so that sheets and columns of mixed kinds agree.

    Raises:
        InputError: no workbook, no such sheet, nothing in it, or named sheets that differ in their columns.
    """
    refuse_bomb(path, name)
    header = not reading.columns
    try:
        book = fastexcel.read_excel(path)
        wanted = _wanted(book.sheet_names, reading, name)
        found = [(sheet, pa.table(_load(book, sheet, header))) for sheet in wanted]
    except fastexcel.FastExcelError as error:
        raise InputError(
            "{name} is not a workbook that can be read: {error}.", name=name, error=str(error).splitlines()[0]
        ) from None
    sheets = [(sheet, table) for sheet, table in found if table.num_columns]
    if not sheets:
        raise InputError("{name} is empty: no sheet has a header.", name=name)
    shapes = [table.column_names for _, table in sheets]
    same = [sheet for sheet, shape in zip(sheets, shapes, strict=True) if shape == shapes[0]]
    others = [sheet for (sheet, _), shape in zip(sheets, shapes, strict=True) if shape != shapes[0]]
    if others and reading.sheets:
        raise InputError(
            "{name}: the sheets {sheets!r} and {others!r} have other columns ({shapes}; "
            "{column_names}). Name sheets of one shape with --sheet.",
            name=name,
            sheets=sheets[0][0],
            others=others[0],
            shapes=", ".join(shapes[0][:12]),
            column_names=", ".join(dict(sheets)[others[0]].column_names[:12]),
        )
    columns = header_of(shapes[0], reading.columns, f"{name}, sheet {sheets[0][0]!r}")

    def locate(line: int) -> str:
        for sheet, table in same:
            if line < table.num_rows:
                return f"row {line + 1 + header} of sheet {sheet!r}"
            line -= table.num_rows
        return "the last row"

    texts = pa.schema([(column, pa.string()) for column in shapes[0]])
    table = pa.concat_tables(part.cast(texts) for _, part in same)
    notes = (message("Sheets with other columns were not read: {others}.", others=", ".join(others)),) if others else ()
    read = tuple(sheet for sheet, _ in same)
    return replace(arrow_source(name, table, sha256(path)), columns=columns, locate=locate, notes=notes, sheets=read)


def _wanted(there: list[str], reading: Reading, name: str) -> list[str]:
    for sheet in reading.sheets:
        if sheet not in there:
            raise InputError(
                "{name} has no sheet {sheet!r}; its sheets are {there}. Name one with --sheet.",
                name=name,
                sheet=sheet,
                there=", ".join(there),
            )
    return [sheet for sheet in there if sheet in reading.sheets or not reading.sheets]


def _load(book: fastexcel.ExcelReader, sheet: str, header: bool) -> fastexcel.ExcelSheet:
    return book.load_sheet(sheet, header_row=0 if header else None, dtypes="string")
