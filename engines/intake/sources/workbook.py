"""Opening of a workbook: the sheets that are named, or those whose columns look most like sales, as one source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import fastexcel
import pyarrow as pa

from engines.errors import InputError
from engines.intake.sources.archives import refuse_bomb
from engines.intake.sources.layout import Judge, TableStart, table_start, unjudged
from engines.intake.sources.source import OptionError, Source, arrow_source, header_of, named, sha256
from engines.intake.sources.workbook_parts import (
    filled,
    listed_columns,
    merged_cells,
    refuse_spanned,
    shown_currencies,
    with_currencies,
)
from engines.messages import message, message_number
from engines.settings import Reading

_LOOK = 50  # rows that say where the table begins
_LISTED = 12


@dataclass(frozen=True)
class _Sheet:
    """A sheet with something on it: ``columns`` by name, ``table`` of the data, which is below ``above`` rows."""

    name: str
    columns: tuple[str, ...]
    table: pa.Table
    above: int
    header: tuple[str, ...]
    notes: tuple[str, ...]


def open_workbook(path: Path, name: str, reading: Reading, judge: Judge = unjudged, kind: str = "workbook") -> Source:
    """Open a workbook of any kind; cells are text, so that sheets and columns of mixed kinds agree.

    Args:
        path: the file.
        name: as it is called.
        reading: which sheets, and where their tables begin, where the user says so.
        judge: how much names of columns look like those of sales; the sheets that do most are read.
        kind: what it is: ``workbook``, ``OpenDocument`` or ``old workbook``.

    Raises:
        InputError: no workbook, no such sheet, nothing in it, or named sheets that differ in their columns.
    """
    refuse_bomb(path, name)
    if kind != "workbook":
        refuse_spanned(path, name, kind)
    try:
        book = fastexcel.read_excel(path)
        wanted = _wanted(book.sheet_names, reading, name)
        tables = [(sheet, pa.table(_load(book, sheet))) for sheet in wanted]
    except fastexcel.FastExcelError:
        raise InputError(
            "{name} is not a workbook that can be read: it is damaged, was cut off, or is protected with a password. "
            "Save it again as XLSX, or as CSV.",
            name=name,
        ) from None
    widths = {sheet: table.num_columns for sheet, table in tables} if kind == "workbook" else {}
    merged, shown = merged_cells(path, widths), shown_currencies(path, widths)
    sheets = []
    for sheet, table in tables:
        if table.num_rows and table.num_columns:
            table = with_currencies(table, shown.get(sheet, {}))
            opened = _opened(sheet, table, reading, judge)
            if sheet in merged:
                opened = _without_merged(opened, *filled(opened.table, merged[sheet], opened.above))
            sheets += [opened] if opened.columns else []
    if not sheets and (reading.skip or reading.header_row):
        raise OptionError(
            "header_row",
            InputError("{name}: no sheet has so many rows. Say another one with --header-row or --skip.", name=name),
        )
    if not sheets:
        raise InputError("{name} is empty: no sheet has a header.", name=name)
    best = sheets[0].columns if reading.sheets else max((sheet.columns for sheet in sheets), key=judge)
    same = [sheet for sheet in sheets if sheet.columns == best]
    others = [sheet for sheet in sheets if sheet.columns != best]
    if others and reading.sheets:
        raise OptionError(
            "sheets",
            InputError(
                "{name}: the sheets {sheets!r} and {others!r} have other columns ({shapes}; "
                "{column_names}). Name sheets of one shape with --sheet.",
                name=name,
                sheets=same[0].name,
                others=others[0].name,
                shapes=", ".join(best[:_LISTED]),
                column_names=", ".join(others[0].columns[:_LISTED]),
            ),
            book.sheet_names,
        )
    columns = header_of(best, reading.columns, f"{name}, sheet {same[0].name!r}", sure=reading.header_row > 0)

    def locate(line: int) -> str:
        for sheet in same:
            if line < sheet.table.num_rows:
                return f"row {line + 1 + sheet.above} of sheet {sheet.name!r}"
            line -= sheet.table.num_rows
        return "the last row"

    every = {sheet: next((each.columns for each in sheets if each.name == sheet), ()) for sheet in book.sheet_names}
    places = [f"c{index}" for index in range(len(best))]
    table = pa.concat_tables(sheet.table.rename_columns(places) for sheet in same)
    notes = [note for sheet in same for note in sheet.notes]
    if same[0] is not sheets[0]:
        notes.append(
            message(
                "Sheet {sheet!r} was read, as its columns look most like sales.", sheet=", ".join(s.name for s in same)
            )
        )
    if others:
        notes.append(
            message("Sheets with other columns were not read: {others}.", others=", ".join(s.name for s in others))
        )
    return replace(
        arrow_source(name, table, sha256(path)),
        columns=columns,
        locate=locate,
        notes=tuple(notes),
        sheets=tuple(sheet.name for sheet in same),
        kind=kind,
        header_row=0 if reading.columns else same[0].above,
        header=same[0].header,
        all_sheets=tuple(every.items()),
        elsewhere=_elsewhere(every),
    )


def _opened(sheet: str, table: pa.Table, reading: Reading, judge: Judge) -> _Sheet:
    """The table of a sheet, which begins where its first rows look like it, or where the user says.

    It has no columns where no row is left.
    """
    over = max(reading.skip, reading.header_row - 1)
    rows = [list(row.values()) for row in table.slice(over, _LOOK).to_pylist()]
    first = next((number for number, row in enumerate(rows) if any(row)), 0)
    if not any(map(any, rows)):
        return _Sheet(sheet, (), table.slice(table.num_rows), table.num_rows, (), ())
    header = not reading.columns or reading.header_row > 0
    if reading.header_row or not header:
        place = TableStart(first, tuple(cell or "" for cell in rows[first]))
    else:
        place = table_start(rows, judge)
    above = over + place.row + header
    data = table.slice(above).cast(pa.schema([(column, pa.string()) for column in table.column_names]))
    width = len(place.names)
    while header and width > 1 and not place.names[width - 1] and data.column(width - 1).null_count == data.num_rows:
        width -= 1
    found = place.names[:width]
    columns = named(found if header and not reading.columns else [""] * width)
    passed = sum(any(row) for row in rows[: place.row - place.joined]) if header and not reading.header_row else 0
    notes = []
    if place.joined:
        notes.append(
            message(
                "The header of sheet {sheet!r} stands on two rows, down to row {row}, which were put together: "
                "{names}.",
                sheet=sheet,
                row=above,
                names=", ".join(columns[:_LISTED]),
            )
        )
    if passed:
        notes.append(
            message_number(
                "The header of sheet {sheet!r} is on row {row}; {passed} row above it was passed over. "
                "If that is wrong, say --header-row.",
                "The header of sheet {sheet!r} is on row {row}; {passed} rows above it were passed "
                "over. If that is wrong, say --header-row.",
                passed,
                sheet=sheet,
                row=above,
                passed=passed,
            )
        )
    written = tuple(cell or "" for cell in rows[place.row][:width]) if header else ()
    return _Sheet(sheet, columns, data.select(range(width)), above, written, tuple(notes))


def _without_merged(sheet: _Sheet, table: pa.Table, counts: dict[int, int], sums: set[int]) -> _Sheet:
    """The sheet with what merged cells cover filled in, which it notes."""
    notes = []
    if counts:
        notes.append(
            message(
                "Cells of sheet {sheet!r} that are merged were filled with their value, in the columns {columns}.",
                sheet=sheet.name,
                columns=listed_columns(sheet.columns, counts),
            )
        )
    if sums:
        notes.append(
            message(
                "Merged cells of sheet {sheet!r} in the columns {columns} hold numbers with a fraction; these count "
                "once, and the cells below them are blank.",
                sheet=sheet.name,
                columns=", ".join(repr(sheet.columns[column]) for column in sorted(sums)),
            )
        )
    return replace(sheet, table=table, notes=(*sheet.notes, *notes))


def _elsewhere(sheets: Mapping[str, Sequence[str]]) -> str:
    """All sheets, with their columns where they were looked at, for a user to choose from; empty where there is one."""
    if len(sheets) < 2:
        return ""
    listed = "; ".join(
        f"{sheet!r} ({', '.join(map(_short, columns[:_LISTED]))})" if columns else repr(sheet)
        for sheet, columns in list(sheets.items())[:_LISTED]
    )
    return message("Name another sheet with --sheet: {listed}.", listed=listed)


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:40]}…"


def _wanted(there: list[str], reading: Reading, name: str) -> list[str]:
    for sheet in reading.sheets:
        if sheet not in there:
            raise OptionError(
                "sheets",
                InputError(
                    "{name} has no sheet {sheet!r}; its sheets are {there}. Name one with --sheet.",
                    name=name,
                    sheet=sheet,
                    there=", ".join(there),
                ),
                there,
            )
    return [sheet for sheet in there if sheet in reading.sheets or not reading.sheets]


def _load(book: fastexcel.ExcelReader, sheet: str) -> fastexcel.ExcelSheet:
    return book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
