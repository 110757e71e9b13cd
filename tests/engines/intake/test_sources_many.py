"""Many files as one source: whatever their order, and with the odd one named."""

from __future__ import annotations

import gzip
import os
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from engines.errors import InputError
from engines.intake import read_sales
from engines.intake.sources.files import open_source
from tests.engines.intake.sales_files import HEADER, ROWS, fingerprint, lines, text


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(text(), encoding="utf-8")
    return path


# --- many ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def parts(tmp_path) -> Path:
    """The lines in a folder of three files of different kinds, one with its columns in another order."""
    folder = tmp_path / "all sales"
    folder.mkdir()
    (folder / "2024-01.csv").write_text(text(ROWS[:10], ";"), encoding="cp1252")
    turned = [row[::-1] for row in ROWS[10:25]]
    (folder / "2024-02.csv.gz").write_bytes(gzip.compress(text(turned, header=HEADER[::-1]).encode()))
    book = xlsxwriter.Workbook(folder / "2024-03.xlsx")
    sheet = book.add_worksheet()
    for number, row in enumerate([HEADER, *ROWS[25:]]):
        sheet.write_row(number, 0, row)
    book.close()
    (folder / "_SUCCESS").write_text("")
    (folder / ".hidden.csv").write_text("x")
    (folder / "notes.docx").write_text("x")
    return folder


def test_a_folder_of_files_of_one_shape_is_one_source(parts, plain):
    assert lines(parts) == lines(plain)
    with read_sales(str(parts)) as sales:
        assert sales.name == "all sales"
        assert sales.notes[0] == "3 files were read as one."
        assert "2024-01.csv: Read as iso-8859-1, columns parted by semicolons." in sales.notes
        assert "Files of another kind were not read: notes.docx." in sales.notes


def test_the_first_lines_of_many_files_can_be_had_alone(parts, tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    with duckdb.connect() as connection:
        source = open_source(parts, connection, folder)
        replace(source, relation=f"(select * from {source.relation} limit 12)").load(connection, [0, 3])
        assert connection.execute("select count(*), min(c3) from raw").fetchone() == (12, "0.25")


def test_the_order_of_files_and_their_times_do_not_matter(parts, tmp_path):
    before = fingerprint(parts)
    (parts / "2024-01.csv").rename(parts / "2024-09.csv")
    os.utime(parts / "2024-02.csv.gz", (1, 1))
    assert fingerprint(parts) == before
    (parts / "2024-10.csv").write_bytes((parts / "2024-09.csv").read_bytes())
    assert fingerprint(parts) != before


def test_a_pattern_takes_the_files_that_fit(parts, plain, tmp_path):
    assert len(lines(f"{parts}/2024-0[12]*")) == 25
    assert len(lines(f"{tmp_path}/**/2024-01.csv")) == 10
    with pytest.raises(InputError, match=r"no file that fits .*2025-\*\.csv"):
        lines(f"{parts}/2025-*.csv")


def test_a_line_of_many_files_is_named_with_its_file(parts):
    path = parts / "2024-01.csv"
    path.write_bytes(path.read_bytes().replace(b"2.25", b"many"))
    with read_sales(str(parts)) as sales:
        assert "line 4 of 2024-01.csv ('many')" in " ".join(sales.notes)
    path.write_text("customer_id;order_id;date;amount;description\na;b\n", encoding="utf-8")
    with read_sales(str(parts)) as sales:
        assert "line 2 of 2024-01.csv (2 columns where the header has 5: 'a;b')" in " ".join(sales.notes)
    with pytest.raises(InputError, match=r"do not fit the header: line 2 of 2024-01\.csv"):
        lines(parts, unreadable_lines=0)


def test_an_odd_file_is_named_with_its_columns(parts):
    (parts / "2024-00.csv").write_text("customer_id,order_id,date,total,description\n1,2,2024-01-01,3,x\n")
    says = r"2024-00\.csv has other columns than 2024-01\.csv: it lacks amount and has also total\."
    with pytest.raises(InputError, match=says):
        lines(parts)


def test_a_folder_of_parquet_whose_types_differ(tmp_path, plain):
    table = pyarrow.csv.read_csv(plain)
    folder = tmp_path / "parquet"
    folder.mkdir()
    pq.write_table(table.slice(0, 20), folder / "part-0.parquet")
    other = table.slice(20).set_column(3, "amount", table["amount"].slice(20).cast(pa.decimal128(12, 2)))
    pq.write_table(other, folder / "part-1.parquet")
    assert lines(folder) == lines(plain)
