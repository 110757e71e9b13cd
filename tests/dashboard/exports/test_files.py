"""Lists as files: everyone in them once, safe to open, typed, and never half written."""

import csv
import hashlib
import io
import resource
import threading
from datetime import date, datetime

import fastexcel
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from dashboard.exports import files as exporting
from dashboard.exports import workbook
from engines.columns import FIRST
from engines.errors import InputError
from engines.intake.schema.customers import read_customers

SCHEMA = pa.schema(
    [
        ("customer_id", pa.large_string()),
        ("segment", pa.string()),
        ("recency_days", pa.int64()),
        ("last_purchase", pa.timestamp("us")),
        ("country", pa.dictionary(pa.int32(), pa.string())),
        ("frequency", pa.int64()),
        ("monetary", pa.float64()),
        ("clv", pa.float64()),
        ("is_home_country", pa.bool_()),
    ]
)
ROWS = [
    ("=1+1", "Champions", 3, datetime(2011, 12, 6), "France", 5, 10.5, 4.25, True),
    ("0042", 'Can\'t, "Lose" Them', 9, datetime(2011, 11, 30), "Germany", 1, -3.0, None, False),
    ("@x", "+plus", 1, None, None, 2, 1e15, float("nan"), None),
    ("-5", "\ttab", 2, datetime(1899, 1, 1), "Åland", 7, 0.1, float("inf"), True),
]
ORDER = [*FIRST, "last_purchase", "is_home_country"]


def column(values, kind):
    return pa.array(values).dictionary_encode() if pa.types.is_dictionary(kind) else pa.array(values, kind)


def batch(rows=ROWS):
    columns = [column(list(values), field.type) for values, field in zip(zip(*rows, strict=True), SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def reader(*batches):
    return pa.RecordBatchReader.from_batches(SCHEMA, batches or [batch()])


def test_csv_reads_back():
    text = b"".join(exporting.Stream(reader(), "csv")).decode()
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ORDER
    assert text.startswith("customer_id,segment,")
    assert rows == [
        ["'=1+1", "Champions", "3", "5", "10.5", "4.25", "France", "2011-12-06", "true"],
        ["0042", 'Can\'t, "Lose" Them', "9", "1", "-3", "", "Germany", "2011-11-30", "false"],
        ["'@x", "'+plus", "1", "2", "1e+15", "", "", "", ""],
        ["'-5", "'\ttab", "2", "7", "0.1", "", "Åland", "1899-01-01", "true"],
    ]


def test_xlsx_reads_back():
    data = b"".join(exporting.Stream(reader(), "xlsx"))
    book = fastexcel.read_excel(data)
    assert book.sheet_names == ["Customers"]
    table = book.load_sheet(0, dtypes={"customer_id": "string"}).to_arrow().to_pydict()
    assert list(table) == ORDER
    assert table["customer_id"] == ["'=1+1", "0042", "'@x", "'-5"]
    assert table["frequency"] == [5, 1, 2, 7]
    assert table["monetary"] == [10.5, -3.0, 1e15, 0.1]
    assert table["clv"] == [4.25, None, None, None]
    assert table["country"] == ["France", "Germany", None, "Åland"]
    assert str(table["last_purchase"][0]).startswith("2011-12-06")


def test_parquet_keeps_types_and_text():
    table = pq.read_table(io.BytesIO(b"".join(exporting.Stream(reader(), "parquet"))))
    assert table.column_names == ORDER
    assert table["customer_id"].to_pylist() == [row[0] for row in ROWS]
    assert table["last_purchase"].to_pylist()[0] == datetime(2011, 12, 6)
    assert table.schema.field("monetary").type == pa.float64()


@pytest.mark.parametrize("kind", exporting.FORMATS)
def test_nobody_gives_a_file_with_a_header(kind):
    data = b"".join(exporting.Stream(pa.RecordBatchReader.from_batches(SCHEMA, []), kind))
    if kind == "csv":
        assert data.decode() == ",".join(ORDER) + "\n"
    elif kind == "xlsx":
        assert fastexcel.read_excel(data).load_sheet(0).available_columns()[0].name == "customer_id"
    else:
        assert pq.read_table(io.BytesIO(data)).num_rows == 0


@pytest.mark.parametrize("kind", exporting.FORMATS)
def test_write_counts_and_leaves_nothing_else(tmp_path, kind):
    target = tmp_path / f"list.{kind}"
    assert exporting.format_of(target) == kind
    assert exporting.write(reader(batch(), batch()), target, kind).rows == 8
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    sink = io.BytesIO()
    assert exporting.write(reader(batch(), batch()), sink, kind).rows == 8
    assert len(sink.getvalue()) > 0


def test_a_list_that_breaks_off_leaves_the_old_one(tmp_path):
    target = tmp_path / "list.csv"
    target.write_text("old")

    def breaking():
        yield batch()
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError, match="went away"):
        exporting.write(pa.RecordBatchReader.from_batches(SCHEMA, breaking()), target, "csv")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_bad_names_and_places(tmp_path):
    with pytest.raises(InputError, match=r"list\.txt.*\.csv, \.xlsx or \.parquet"):
        exporting.format_of(tmp_path / "list.txt")
    with pytest.raises(InputError, match="cannot be written: No such file or directory"):
        exporting.write(reader(), tmp_path / "nowhere" / "list.csv", "csv")


def test_streams_batch_by_batch():
    taken = []

    def batches():
        for number in range(50):
            taken.append(number)
            yield batch()

    pieces = exporting.Stream(pa.RecordBatchReader.from_batches(SCHEMA, batches()), "csv")
    next(pieces)
    next(pieces)
    pieces.close()
    assert 1 <= len(taken) <= 5, "one that is taken, and a few that are read ahead"
    assert pieces.sha256 is None and not pieces.whole
    assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_xlsx_goes_on_to_a_further_sheet(tmp_path, monkeypatch):
    path = tmp_path / "list.xlsx"
    monkeypatch.setattr(workbook, "ROWS_PER_SHEET", 3)
    exporting.write(reader(batch(), batch()), path, "xlsx")
    book = fastexcel.read_excel(path)
    assert book.sheet_names == ["Customers", "Customers 2", "Customers 3"]
    sheets = [book.load_sheet(name, dtypes={"customer_id": "string"}).to_arrow() for name in book.sheet_names]
    assert [sheet.num_rows for sheet in sheets] == [3, 3, 2]
    ids = [text for sheet in sheets for text in sheet["customer_id"].to_pylist()]
    assert ids == ["'=1+1", "0042", "'@x", "'-5"] * 2


def test_xlsx_is_sent_while_it_is_built_and_keeps_any_text_and_day():
    texts = ["R&D <x>", " lead", "trail ", "_x0041_", "a\x01b", "n\nl", "<r>rich</r>", "x" * 40_000, "]]>", None]
    days = [date(1899, 12, 31), date(1900, 1, 1), date(1900, 2, 28), date(1900, 3, 1), None, *[date(2024, 2, 29)] * 5]
    columns = {"text": pa.array(texts), "day": pa.array(days), **{f"c{n}": pa.array([n / 3] * 10) for n in range(30)}}
    taken = []

    def batches():
        for _ in range(9):
            taken.append(pa.record_batch(columns))
            yield taken[-1]

    schema = pa.record_batch(columns).schema
    stream = exporting.Stream(pa.RecordBatchReader.from_batches(schema, batches()), "xlsx", order=list)
    first = next(stream)
    assert len(first) > 0 and len(taken) < 9
    sheet = fastexcel.read_excel(first + b"".join(stream)).load_sheet(0).to_arrow()
    assert sheet["text"].to_pylist() == [*texts[:7], None, "]]>", None] * 9
    assert [day and day[:10] for day in sheet["day"].to_pylist()] == [day and day.isoformat() for day in days] * 9
    assert [sheet[f"c{number}"][-1].as_py() for number in range(30)] == [number / 3 for number in range(30)]


@pytest.mark.slow
def test_a_million_customers_go_on_to_a_second_sheet(tmp_path):
    """One more than a sheet holds, for real; memory does not grow with the rows."""
    number, step = workbook.ROWS_PER_SHEET + 1, 65_536
    schema = pa.schema([("customer_id", pa.string())])

    def batches():
        for start in range(0, number, step):
            names = [f"C{place:07d}" for place in range(start, min(start + step, number))]
            yield pa.RecordBatch.from_arrays([pa.array(names)], schema=schema)

    path = tmp_path / "list.xlsx"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert exporting.write(pa.RecordBatchReader.from_batches(schema, batches()), path, "xlsx").rows == number
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 60_000, f"{grown:,} kB more"
    book = fastexcel.read_excel(path)
    first, second = (book.load_sheet(name).to_arrow()["customer_id"] for name in book.sheet_names)
    assert (len(first), second.to_pylist()) == (number - 1, [f"C{number - 1:07d}"])


@pytest.mark.parametrize("kind", exporting.FORMATS)
def test_the_same_list_is_the_same_file(kind):
    streams = [exporting.Stream(reader(), kind) for _ in range(2)]
    first, second = (b"".join(stream) for stream in streams)
    assert first == second
    assert {stream.sha256 for stream in streams} == {hashlib.sha256(first).hexdigest()}
    assert {(stream.rows, stream.size, stream.whole) for stream in streams} == {(len(ROWS), len(first), True)}


def test_a_sheet_holds_what_excel_holds():
    assert xlsxwriter.worksheet.Worksheet().xls_rowmax - 1 == workbook.ROWS_PER_SHEET


def test_a_column_may_be_called_anything():
    schema = pa.schema([("customer_id", pa.string()), ("=cmd()", pa.int64()), ("added", pa.date32())])
    rows = pa.RecordBatch.from_arrays([pa.array(["a"]), pa.array([1]), pa.array([date(2011, 1, 2)])], schema=schema)
    text = b"".join(exporting.Stream(pa.RecordBatchReader.from_batches(schema, [rows]), "csv")).decode()
    assert text == 'customer_id,\'=cmd(),added\n"a",1,2011-01-02\n'


IDS = [
    "=1+1",
    "-5",
    "@x",
    "+49",
    "'quoted",
    "''=twice",
    "'=already",
    "0042",
    "17850",
    "a,b",
    'say "hi"',
    "ünï",
    "x;y",
    "1e5",
]


@pytest.mark.parametrize("kind", exporting.FORMATS)
def test_a_list_is_read_back_as_it_was(tmp_path, kind):
    values = [1.37 * place - 0.31 for place in range(len(IDS))]
    table = pa.table(
        {
            "customer_id": pa.array(IDS, pa.large_string()),
            "segment": ["Champions"] * len(IDS),
            "recency_days": pa.array(range(len(IDS)), pa.int64()),
            "monetary": values,
            "clv": [None, *values[1:]],
            "is_home_country": [place % 2 == 0 for place in range(len(IDS))],
        }
    )
    path = tmp_path / f"list.{kind}"
    exporting.write(table.to_reader(5), path, kind)
    found = read_customers(str(path), ["recency_days", "monetary", "clv", "is_home_country"])
    assert list(found.index) == IDS
    assert found["recency_days"].tolist() == list(range(len(IDS)))
    digits = 1e-15 if kind == "xlsx" else 0  # a workbook is read to sixteen digits of a number
    assert found["monetary"].tolist() == pytest.approx(values, rel=digits, abs=0)
    assert found["clv"].isna().tolist() == [True] + [False] * (len(IDS) - 1)
    assert found["clv"].tolist()[1:] == pytest.approx(values[1:], rel=digits, abs=0)
    assert found["is_home_country"].tolist() == [float(place % 2 == 0) for place in range(len(IDS))]
