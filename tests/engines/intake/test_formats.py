"""A file is read as what it is, whatever its name says: JSON, web pages, workbooks of any kind, and texts."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import xlsxwriter

from engines.errors import InputError
from engines.intake import Reading, read_sales
from engines.intake.schema.preview import preview
from tests.engines.intake.sales_files import HEADER, ROWS, lines, text

OBJECTS = [dict(zip(HEADER, row, strict=True)) | {"amount": float(row[3])} for row in ROWS]
NAMES = ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"' + "".join(
    f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("table", "text")
)


def page(rows: Sequence[Sequence[str]], cell: str = "td") -> str:
    table = "".join("<tr>" + "".join(f"<{cell}>{each}</{cell}>" for each in row) + "</tr>\n" for row in rows)
    head = "<!DOCTYPE html><html><head><style>td {}</style></head>"
    return f"{head}<body><p>Sales</p><table>{table}</table></body></html>"


def workbook(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return path


def open_document(path: Path, rows: Sequence[Sequence[str]], span: str = "") -> Path:
    cell = '<table:table-cell office:value-type="string"{}><text:p>{}</text:p></table:table-cell>'
    table = "".join(
        f"<table:table-row>{''.join(cell.format(span, each) for each in row)}</table:table-row>" for row in rows
    )
    sheet = f'<office:spreadsheet><table:table table:name="S">{table}</table:table></office:spreadsheet>'
    body = f"<office:body>{sheet}</office:body>"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr(
            "content.xml", f'<office:document-content{NAMES} office:version="1.2">{body}</office:document-content>'
        )
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>',
        )
    return path


@pytest.fixture
def plain(tmp_path: Path) -> list[tuple]:
    path = tmp_path / "plain.csv"
    path.write_text(text(), encoding="utf-8")
    return lines(path)


WRITTEN = {
    ("a.jsonl", "JSON"): "\n".join(map(json.dumps, OBJECTS)),
    ("a.ndjson", "JSON"): "\n\n".join(json.dumps(each, ensure_ascii=False) for each in OBJECTS),
    ("a.json", "JSON"): json.dumps(OBJECTS, indent=2),
    ("b.json", "JSON"): json.dumps({"orders": OBJECTS, "count": 40}),
    ("a.txt", "JSON"): json.dumps(OBJECTS),
    ("page.csv", "web page"): page([HEADER, *ROWS]),
    ("page.xls", "web page"): page([HEADER, *ROWS], "th"),
    ("titled.xlsx", "web page"): page([["Sales of 2024"], HEADER, *ROWS]),
    ("text.xlsx", "text"): text(),
    ("text.json", "text"): text(),
    ("text.parquet", "text"): text(separator=";"),
}


@pytest.mark.parametrize(("name", "kind"), WRITTEN)
def test_what_is_written_in_another_form_is_read_alike(tmp_path, plain, name, kind):
    path = tmp_path / name
    path.write_text(WRITTEN[name, kind], encoding="utf-8")
    assert lines(path) == plain
    seen = preview(str(path))
    assert (seen.source.kind, seen.usable) == (kind, True)
    with read_sales(str(path)) as sales:
        notes = " ".join(sales.notes)
    assert kind in notes or kind == "web page"


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv", "a.xls", "a.ods"])
@pytest.mark.parametrize("make", [workbook, open_document])
def test_a_workbook_under_any_name(tmp_path, plain, make, name):
    path = make(tmp_path / name, [["Sales"], [], HEADER, *ROWS])
    assert lines(path) == plain
    seen = preview(str(path))
    assert (seen.source.kind, seen.source.header_row) == ("workbook" if make is workbook else "OpenDocument", 3)


def test_packed_json_and_its_broken_lines(tmp_path, plain):
    path = tmp_path / "a.jsonl.gz"
    content = "\n".join([*map(json.dumps, OBJECTS[:20]), '{"customer_id": ', "[1, 2]", *map(json.dumps, OBJECTS[20:])])
    path.write_bytes(gzip.compress(content.encode()))
    assert lines(path) == plain
    with read_sales(str(path)) as sales:
        notes = " ".join(sales.notes)
        assert sales.ledger.to_dict()["in"]["lines"] == 42
    assert "line 21 (it is no JSON object: '{\"customer_id\":')" in notes and "line 22 (" in notes


def test_objects_within_objects_are_columns_and_numbers_stay_as_they_are_written(tmp_path):
    path = tmp_path / "a.jsonl"
    each = '{{"buyer": {{"id": {0}}}, "date": "2024-01-0{1}", "amount": {1}.10, "late": {2}, "tags": ["x"]}}'
    path.write_text("\n".join(each.format(90071992547409931, day, "true") for day in (1, 2)), encoding="utf-8")
    found = preview(str(path))
    assert [column.name for column in found.columns] == ["buyer.id", "date", "amount", "late", "tags"]
    assert found.lines[0] == ("90071992547409931", "2024-01-01", "1.10", "true", '["x"]')
    assert "Columns tags hold lists" in " ".join(found.notes)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", '[{"a": 1}, 2]', "no list of objects"),
        ("a.json", '[{"a": 1}', "no list of objects"),
        ("a.json", '{"orders": [{"a": 1}], "lines": [{"b": 2}]}', "no list of objects"),
        ("a.csv", page([HEADER, *ROWS]) + page([HEADER, *ROWS]), "web page .HTML., not a table.*save it as CSV"),
        ("a.csv", page([HEADER, *ROWS]).replace("<td>", '<td rowspan="2">', 1), "web page .HTML."),
        ("a.xls", "<html><body>Please log in</body></html>", "web page .HTML."),
        (
            "a.xls",
            '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
            "old form of XML",
        ),
        ("a.csv", gzip.compress(text().encode()), r"is packed: let its name end in \.gz"),
        ("a.xlsx", b"PK\x03\x04" + bytes(300), "not a workbook .*Save it again"),
        ("a.xls", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(300), "not a workbook .*Save it again"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError, match=says):
        lines(path)


def test_merged_rows_that_are_not_seen_refuse_the_file(tmp_path):
    path = open_document(tmp_path / "a.ods", [HEADER, *ROWS], ' table:number-rows-spanned="2"')
    with pytest.raises(InputError, match=r"has merged cells.*save it as XLSX"):
        lines(path)
    across = open_document(tmp_path / "b.ods", [HEADER, *ROWS], ' table:number-rows-spanned="1"')
    assert len(lines(across)) == 40
    old = tmp_path / "a.xls"
    record = bytes.fromhex("e500 1200 0200 0000 0000 0000 0300 0100 0300 0000 0000".replace(" ", ""))
    old.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(99) + record + bytes(99))
    with pytest.raises(InputError, match="has merged cells"):
        lines(old)
    old.write_bytes(
        old.read_bytes().replace(record, record.replace(bytes.fromhex("01000300"), bytes.fromhex("01000100")))
    )
    with pytest.raises(InputError, match="not a workbook"):
        lines(old)


def test_a_header_row_of_json_or_a_page_is_counted_from_its_first_row(tmp_path, plain):
    path = tmp_path / "page.csv"
    path.write_text(page([["x", "y"], ["1", "2"], HEADER, *ROWS]), encoding="utf-8")
    assert lines(path, header_row=3) == lines(path, skip=2) == plain
    with pytest.raises(InputError, match="no row 99"):
        lines(path, header_row=99)
    assert preview(str(path), reading=Reading(header_row=99)).problems[0].setting == "reading.header_row"
