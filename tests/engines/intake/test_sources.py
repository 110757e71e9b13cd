"""A source in any letters, with or without a header: the same lines; and one clear sentence where that cannot be."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import xlsxwriter

from engines.errors import InputError
from engines.intake import Reading, read_sales
from tests.engines.intake.sales_files import HEADER, ROWS, lines, opened, text


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(text(), encoding="utf-8")
    return path


# --- letters and separators ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("encoding", "prefix", "found"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8-sig"),
        ("utf-16-le", b"\xff\xfe", "utf-16"),
        ("utf-16-be", b"\xfe\xff", "utf-16"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("iso-8859-1", b"", "iso-8859-1"),
    ],
)
def test_the_encoding_is_found_out_and_reported(tmp_path, plain, encoding, prefix, found):
    path = tmp_path / "other.csv"
    path.write_bytes(prefix + text(separator=";").encode(encoding))
    source = opened(path, tmp_path)
    assert (source.encoding, source.separator) == (found, ";")
    assert source.notes == (f"Read as {found}, columns parted by semicolons.",)
    assert lines(path) == lines(plain)
    assert lines(path, encoding=found, separator=";") == lines(plain)


def test_cp1252_is_told_from_iso_8859_1_by_letters_only_it_has(tmp_path):
    path = tmp_path / "other.csv"
    path.write_bytes(text([["c1", "o1", "2024-01-11", "5", "10 € “off”"]]).encode("cp1252"))
    assert opened(path, tmp_path).encoding == "cp1252"
    assert lines(path)[0][6] == "10 € “off”"
    assert lines(path, encoding="iso-8859-1")[0][6] == "10 \x80 \x93off\x94"


def test_what_is_said_of_the_encoding_must_be_true(tmp_path, plain):
    path = tmp_path / "other.csv"
    path.write_bytes(text().encode("iso-8859-1"))
    with pytest.raises(InputError, match=r"other\.csv is not in utf-8: line 2 cannot"):
        lines(path, encoding="utf-8")
    with pytest.raises(InputError, match="no encoding 'klingon'"):
        lines(path, encoding="klingon")
    with pytest.raises(InputError, match="no encoding 'base64'"):
        lines(path, encoding="base64")
    path.write_bytes(text().encode() + "c1,o9,2024-01-01,5,é\n".encode("cp1252"))
    with pytest.raises(InputError, match=r"mixes encodings: it is UTF-8 up to line 42.*--encoding cp1252"):
        lines(path)
    assert len(lines(path, encoding="cp1252")) == 41


def test_decimal_commas_do_not_hide_the_separator(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("customer_id;date;amount, EUR\n1;2024-01-01;5,20\n2;2024-01-02;6,30\n", encoding="utf-8")
    assert opened(path, tmp_path).separator == ";"
    path.write_text("1;2024-01-01;5,20\n2;2024-01-02;6,30\n", encoding="utf-8")
    assert opened(path, tmp_path, columns=("customer_id", "date", "amount")).separator == ";"


def test_line_numbers_count_blank_lines_above_the_header(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("\n\n" + text() + "1,2\n", encoding="utf-8")
    with read_sales(str(path)) as sales:
        assert "line 44 (2 columns where the header has 5: '1,2')" in " ".join(sales.notes)


# --- no header -------------------------------------------------------------------------------------------------------
def test_a_file_without_a_header_gets_names_by_position(tmp_path, plain):
    path = tmp_path / "bare.csv"
    path.write_text(text(header=None), encoding="utf-8")
    with pytest.raises(InputError, match=r"bare\.csv: its first line looks like data .*5 columns.*--columns"):
        lines(path)
    assert lines(path, columns=tuple(HEADER)) == lines(plain)
    with pytest.raises(InputError, match="has 5 columns, and 2 names"):
        lines(path, columns=("customer_id", "date"))
    book = xlsxwriter.Workbook(tmp_path / "bare.xlsx")
    sheet = book.add_worksheet()
    for number, row in enumerate(ROWS):
        sheet.write_row(number, 0, row)
    book.close()
    with pytest.raises(InputError, match="first line looks like data"):
        lines(tmp_path / "bare.xlsx")
    assert lines(tmp_path / "bare.xlsx", columns=tuple(HEADER)) == lines(plain)


@pytest.mark.parametrize(
    ("file", "columns", "embedded"),
    [
        ("CDNOW_master.txt", (), "cdnow"),
        ("CDNOW_sample.txt", ("master_id", "customer_id", "date", "number_of_cds", "dollar_value"), "cdnow-sample"),
    ],
)
def test_cdnow_is_read_as_it_was_published(file, columns, embedded):
    path = Path(find_spec("lifetimes").origin).parent / "datasets" / file
    mapping = {"amount": "dollar_value", "quantity": "number_of_cds"}
    with (
        read_sales(embedded) as wanted,
        read_sales(str(path), mapping=mapping, reading=Reading(columns=columns)) as found,
    ):
        assert found.ledger.to_dict() == wanted.ledger.to_dict()
        first, second = (sales.table.order_by(sales.table.columns).to_pyarrow() for sales in (wanted, found))
        assert first.equals(second)
        assert any("parted by blanks" in note for note in found.notes)


# --- workbooks -------------------------------------------------------------------------------------------------------
def test_sheets_by_name(tmp_path, plain):
    path = tmp_path / "sales.xlsx"
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    for name, header, rows in (("Old", HEADER, ROWS[:9]), ("New", HEADER, ROWS[9:]), ("Sums", ["sum"], [["1"]])):
        sheet = book.add_worksheet(name)
        for number, row in enumerate([header, *rows]):
            sheet.write_row(number, 0, row)
    book.close()
    assert lines(path) == lines(plain)
    assert len(lines(path, sheets=("New",))) == len(ROWS) - 9
    assert lines(path, sheets=("New", "Old")) == lines(plain)
    with pytest.raises(InputError, match="no sheet 'May'; its sheets are Old, New, Sums"):
        lines(path, sheets=("May",))
    with pytest.raises(InputError, match="'Old' and 'Sums' have other columns"):
        lines(path, sheets=("Old", "Sums"))


# --- real exports ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("file", "mapping", "lines_in"),
    [
        ("online_retail_II_sample.xlsx", {}, 14_269 + 20_497),
        ("retail_transactions_dd-Mon-yy.csv.gz", {}, 125_000),
    ],
)
def test_real_exports_need_no_more_than_a_mapping(shared_data, file, mapping, lines_in):
    with read_sales(str(shared_data / file), mapping=mapping) as sales:
        assert sales.ledger.to_dict()["in"]["lines"] == lines_in


def test_order_lines_of_olist_are_opened(shared_data, tmp_path):
    source = opened(shared_data / "olist_transactions.csv.gz", tmp_path)
    assert source.columns[:3] == ("order_id", "customer_unique_id", "order_purchase_timestamp")
    assert (source.encoding, source.separator) == ("utf-8", ",")
