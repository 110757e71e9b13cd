"""Opening of a web page that holds one plain table, as some shops call CSV or a workbook."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa

from engines.errors import InputError
from engines.intake.sources.encodings import rewrite
from engines.intake.sources.layout import Judge, table_start, unjudged
from engines.intake.sources.source import OptionError, Source, arrow_source, header_of
from engines.messages import message
from engines.settings import Reading

_MOST = 256 << 20  # bytes


def open_page(path: Path, name: str, folder: Path, reading: Reading, judge: Judge = unjudged) -> Source:
    """Open the table of a web page.

    Raises:
        InputError: it has no plain table, or several.
    """
    written = rewrite(path, folder / "page.html", reading.encoding, name)
    if written.path.stat().st_size > _MOST:
        raise _not_plain(name)
    page = _Tables()
    page.feed(written.path.read_text(encoding="utf-8-sig"))
    page.close()
    tables = [table for table in page.tables if len(table) > 1 and max(map(len, table)) > 1]
    if len(tables) != 1 or page.spanned:
        raise _not_plain(name)
    rows = [[" ".join(cell.split()) for cell in row] for row in tables[0]][reading.skip :]
    place = table_start(rows, judge)
    start = (reading.header_row - 1 - reading.skip) if reading.header_row else place.row
    if not 0 <= start < len(rows):
        raise OptionError(
            "header_row",
            InputError("{name} has no row {row}. Give another --header-row or --skip.", name=name, row=start + 1),
        )
    header = not reading.columns
    names = header_of(
        place.names if start == place.row else rows[start], reading.columns, name, sure=reading.header_row > 0
    )
    below = rows[start + header :]
    if any(len(row) > len(names) and any(row[len(names) :]) for row in below):
        raise _not_plain(name)
    columns = [[row[at] if at < len(row) else None for row in below] for at in range(len(names))]
    table = pa.table([pa.array(column, pa.string()) for column in columns], names=[str(at) for at in range(len(names))])
    first = start + header + reading.skip + 1
    source = arrow_source(name, table, written.fingerprint, unit="row", first=first)
    return replace(
        source,
        columns=names,
        notes=(message("{name} is a web page (HTML), of which the table was read.", name=name),),
        encoding=written.encoding,
        kind="web page",
        header_row=start + reading.skip + 1 if header else 0,
        header=tuple(rows[start]) if header else (),
    )


def _not_plain(name: str) -> InputError:
    return InputError(
        "{name} is a web page (HTML), not a table of text. Open it in a spreadsheet program and save it as CSV or "
        "XLSX.",
        name=name,
    )


class _Tables(HTMLParser):
    """The rows of all tables, as texts; ``spanned``: cells span several rows or columns, or tables hold tables."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self.spanned = False
        self._depth, self._cell, self._hidden = 0, False, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row or a cell."""
        if tag == "table":
            self._depth += 1
            self.spanned = self.spanned or self._depth > 1
            self.tables.append([])
        elif tag in ("script", "style"):
            self._hidden += 1
        elif tag == "br" and self._cell:
            self.tables[-1][-1][-1] += " "
        if not self._depth:
            return
        if tag == "tr":
            self.tables[-1].append([])
            self._cell = False
        elif tag in ("td", "th"):
            if not self.tables[-1]:
                self.tables[-1].append([])
            self.tables[-1][-1].append("")
            self._cell = True
            self.spanned = self.spanned or any(
                name in ("rowspan", "colspan") and (value or "1").strip() not in ("1", "") for name, value in attrs
            )

    def handle_endtag(self, tag: str) -> None:
        """End them."""
        if tag == "table":
            self._depth = max(self._depth - 1, 0)
            self._cell = False
        elif tag in ("td", "th", "tr"):
            self._cell = False
        elif tag in ("script", "style"):
            self._hidden = max(self._hidden - 1, 0)

    def handle_data(self, data: str) -> None:
        """Add to the cell that is open."""
        if self._cell and not self._hidden:
            self.tables[-1][-1][-1] += data
