"""One file or many, packed or not, in any letters: the same lines; and one clear sentence where that cannot be."""

from __future__ import annotations

import csv
import gzip
import io
import os
import zipfile
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from engines.errors import InputError
from engines.intake import Reading, archives, read_sales
from engines.intake.files import open_source

HEADER = ["customer_id", "order_id", "date", "amount", "description"]
ROWS = [[f"c{n % 7}", f"o{n // 2}", f"2024-0{1 + n % 9}-11", f"{n}.25", f"Café «{n}»"] for n in range(40)]


def text(rows=ROWS, separator=",", header=HEADER) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows([header, *rows] if header else rows)
    return out.getvalue()


def lines(source, mapping=(), **reading) -> list[tuple]:
    with read_sales(str(source), reading=Reading(**reading), mapping=dict(mapping)) as sales:
        return sorted(tuple(row.values()) for row in sales.table.to_pyarrow().to_pylist())


def opened(source, tmp_path, **reading):
    folder = tmp_path / f"work-{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    with duckdb.connect() as connection:
        return open_source(source, connection, folder, Reading(**reading))


def fingerprint(source, **reading) -> str:
    with read_sales(str(source), reading=Reading(**reading)) as sales:
        return sales.fingerprint


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(content)
    return sink.getvalue().to_pybytes()


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


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
    with pytest.raises(InputError, match="line 44 has 2 columns"):
        lines(path)


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


# --- packed ----------------------------------------------------------------------------------------------------------
def test_packed_files_are_the_same_source(tmp_path, plain):
    content = plain.read_bytes()
    for name, packed in {
        "a.csv.gz": gzip.compress(content),
        "b.csv.gz": gzip.compress(content[:900], mtime=1) + gzip.compress(content[900:]),  # two members, as logs have
        "c.csv.zst": zstd(content),
        "d.txt.zst": zstd(content[:900]) + zstd(content[900:]),
    }.items():
        (tmp_path / name).write_bytes(packed)
        assert lines(tmp_path / name) == lines(plain), name
        assert fingerprint(tmp_path / name) == fingerprint(plain), name
    archive = zipped(tmp_path / "e.zip", {"x/sales.csv": content})
    assert lines(archive) == lines(plain)
    assert fingerprint(archive) == fingerprint(plain)


def test_a_zip_of_several_files_of_one_shape(tmp_path, plain):
    first, second = (text(part).encode() for part in (ROWS[:15], ROWS[15:]))
    archive = zipped(
        tmp_path / "sales.zip",
        {"2.csv": second, "1.csv": first, "read me.pdf": b"%PDF", "__MACOSX/._1.csv": b"\0", "folder/.DS_Store": b""},
    )
    assert lines(archive) == lines(plain)
    with read_sales(str(archive)) as sales:
        assert sales.notes[0] == "2 files were read as one."
        assert "read me.pdf" in sales.notes[1]
    zipped(archive, {"1.csv": first, "2.csv": second.replace(b"2024-01-11", b"soon")})
    with pytest.raises(InputError, match=r"line \d+ of sales\.zip/2\.csv"):
        lines(archive)


def test_an_archive_never_chooses_where_it_is_unpacked(tmp_path, plain):
    names = ["../../evil.csv", "/tmp/evil-segmentry.csv", "..\\evil.csv", "a/../../../evil.csv", "line\nend.csv"]
    archive = zipped(tmp_path / "sales.zip", {name: text([ROWS[n]]).encode() for n, name in enumerate(names)})
    before = set(tmp_path.parent.rglob("*"))
    assert len(lines(archive)) == len(names)
    assert set(tmp_path.parent.rglob("*")) == before
    assert not Path("/tmp/evil-segmentry.csv").exists()


def encrypted(content: bytes) -> bytes:
    """A zip whose only member says that it is encrypted."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", content)
    data = bytearray(out.getvalue())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def test_bad_archives_give_one_clear_sentence(tmp_path, monkeypatch, plain):
    content = plain.read_bytes() * 20
    whole = zipped(tmp_path / "whole.zip", {"a.csv": content}).read_bytes()
    broken = bytearray(whole)
    broken[60] ^= 0xFF
    bomb = text().encode() + b"1,2,3,4,5\n" * 2_000_000
    monkeypatch.setattr(archives, "ALWAYS", 1 << 20)
    bad = {
        "cut.zip": (whole[:-40], "not a whole zip file"),
        "broken.zip": (bytes(broken), "not a whole zip file"),
        "noise.zip": (b"noise" * 100, "not a whole zip file"),
        "secret.zip": (encrypted(content), "protected with a password"),
        "cut.csv.zst": (zstd(content)[:-10], "not a whole Zstandard file"),
        "noise.csv.zst": (content, "not a whole Zstandard file"),
        "cut.csv.gz": (gzip.compress(content)[:-9], "not a whole gzip file"),
        "tar.tar.gz": (gzip.compress(content), "archive within an archive"),
        "a.csv.zip.gz": (gzip.compress(whole), "archive within an archive"),
        "a.7z": (content, "files of this kind"),
        "bomb.csv.gz": (gzip.compress(bomb, 9), "unpacks to far more than sales would"),
        "bomb.csv.zst": (zstd(bomb), "unpacks to far more than sales would"),
    }
    for name, (data, says) in bad.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=says) as caught:
            lines(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    for name, files, says in (
        ("nested.zip", {"inner.zip": whole}, r"archive within the archive \(inner\.zip\)"),
        ("nested2.zip", {"a.csv.gz": b"x"}, r"archive within the archive \(a\.csv\.gz\)"),
        ("nothing.zip", {"a.pdf": b"x"}, "holds no file that can be read"),
        ("bomb.zip", {"a.csv": bomb}, "unpacks to far more than sales would"),
        ("bomb.xlsx", {"xl/worksheets/sheet1.xml": b" " * 10_000_000}, "unpacks to far more than sales would"),
    ):
        with pytest.raises(InputError, match=says):
            lines(zipped(tmp_path / name, files))
    monkeypatch.setattr(archives, "MEMBERS", 3)
    with pytest.raises(InputError, match="at most 3"):
        lines(zipped(tmp_path / "many.zip", {f"{n}.csv": content for n in range(4)}))


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
    with pytest.raises(InputError, match=r"line 4 of 2024-01\.csv"):
        lines(parts)
    path.write_text("customer_id;order_id;date;amount;description\na;b\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"2024-01\.csv: line 2 has 2 columns"):
        lines(parts)


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
