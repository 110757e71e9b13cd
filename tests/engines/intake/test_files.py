"""Every common way to write a file of sales gives the same clean lines; every broken one gives one clear sentence."""

from __future__ import annotations

import gzip
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from engines.errors import InputError
from engines.intake import CleaningRules, Reading, read_sales

HEADER = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
ROWS = [
    ["536365", "85123A", 'CREAM "HEART", LARGE', "6", "2010-12-01 08:26:00", "2.55", "17850.0", "United Kingdom"],
    ["536365", "71053", "CAFÉ MUG", "2", "2010-12-01 08:26:00", "3.39", "17850.0", "United Kingdom"],
    ["536366", "22633", "HAND WARMER; RED", "6", "2010-12-02 09:00:00", "1.85", "CS5295", "Côte d’Ivoire"],
    ["C536379", "22633", "HAND WARMER; RED", "-1", "2010-12-03 09:41:00", "1.85", "CS5295", "Côte d’Ivoire"],
    ["536370", "10002", "INFLATABLE|GLOBE", "48", "2010-12-03 08:45:00", "0.85", "0042", "France"],
    ["536371", "POST", "POSTAGE", "3", "2010-12-03 10:45:00", "18", "", "France"],
]


def as_text(separator: str = ",", end: str = "\n", rows: list[list[str]] = ROWS) -> str:
    def cell(value: str) -> str:
        quote = any(mark in value for mark in (separator, '"', "\n"))
        return '"' + value.replace('"', '""') + '"' if quote else value

    return "".join(separator.join(map(cell, row)) + end for row in [HEADER, *rows])


def lines(path: Path, **options) -> list[tuple]:
    options.setdefault("rules", CleaningRules(returns="drop"))  # every line as it was read
    with read_sales(str(path), **options) as sales:
        table = sales.table.to_pyarrow().to_pylist()
    return sorted(tuple(row.values()) for row in table)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(as_text(), encoding="utf-8")
    return path


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_plain_csv_is_read_to_the_unit(plain: Path):
    assert lines(plain) == [
        ("0042", "536370", datetime(2010, 12, 3, 8, 45), 48.0, 408000, "10002", "INFLATABLE|GLOBE", "France", "sale"),
        ("17850", "536365", datetime(2010, 12, 1, 8, 26), 2.0, 67800, "71053", "CAFÉ MUG", "United Kingdom", "sale"),
        (
            *("17850", "536365", datetime(2010, 12, 1, 8, 26), 6.0, 153000),
            *("85123A", 'CREAM "HEART", LARGE', "United Kingdom", "sale"),
        ),
        (
            *("CS5295", "536366", datetime(2010, 12, 2, 9, 0), 6.0, 111000),
            *("22633", "HAND WARMER; RED", "Côte d’Ivoire", "sale"),
        ),
        (
            *("CS5295", "C536379", datetime(2010, 12, 3, 9, 41), -1.0, -18500),
            *("22633", "HAND WARMER; RED", "Côte d’Ivoire", "return"),
        ),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_and_line_ends(tmp_path: Path, plain: Path, separator: str, end: str):
    other = write(tmp_path / "other.csv", as_text(separator, end))
    assert lines(other) == lines(plain)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le-bom", "cp1252"])
def test_encodings(tmp_path: Path, plain: Path, encoding: str):
    text = as_text()
    content = b"\xff\xfe" + text.encode("utf-16-le") if encoding == "utf-16-le-bom" else text.encode(encoding)
    assert lines(write(tmp_path / "other.csv", content)) == lines(plain)


def test_mixed_line_ends_blank_lines_and_no_last_line_end(tmp_path: Path, plain: Path):
    head, first, *rest = as_text().splitlines()
    text = f"\n\n{head}\r\n\n{first}\r\n" + "\n".join(rest) + "\n,,,,,,,\n" + rest[-1]
    assert len(lines(write(tmp_path / "other.csv", text))) == len(lines(plain))


def test_gzip_tsv_and_a_name_with_wildcards(tmp_path: Path, plain: Path):
    assert lines(write(tmp_path / "a[1]*'?.csv.gz", gzip.compress(as_text().encode()))) == lines(plain)
    assert lines(write(tmp_path / "b.TSV", as_text("\t"))) == lines(plain)


@pytest.mark.parametrize("typed", [True, False])
def test_parquet_typed_or_text(tmp_path: Path, plain: Path, typed: bool):
    columns = [list(column) for column in zip(*ROWS, strict=True)]
    table = pa.table(dict(zip(HEADER, columns, strict=True)))
    if typed:
        table = table.set_column(3, "Quantity", table["Quantity"].cast(pa.int32()))
        dates = pa.array([datetime.fromisoformat(row[4]) for row in ROWS], pa.timestamp("ns", tz="UTC"))
        table = table.set_column(4, "InvoiceDate", dates)
        table = table.set_column(5, "UnitPrice", table["UnitPrice"].cast(pa.float64()))
        table = table.set_column(7, "Country", table["Country"].dictionary_encode())
    path = tmp_path / "a[1].parquet"
    pq.write_table(table, path)
    assert lines(path) == lines(plain)


def test_numbers_as_ids_and_decimals_as_money_in_parquet(tmp_path: Path):
    path = tmp_path / "sales.parquet"
    table = {
        "customer_id": pa.array([17850.0, None, 7.0]),
        "order_id": pa.array([1, 2, 3], pa.int64()),
        "date": pa.array([20101201, 20101202, 20101203], pa.int32()),
        "amount": pa.array([Decimal("1.10"), Decimal("2.20"), Decimal("3.3333")], pa.decimal128(10, 4)),
    }
    pq.write_table(pa.table(table), path)
    assert [row[:5] for row in lines(path)] == [
        ("17850", "1", datetime(2010, 12, 1), None, 11000),
        ("7", "3", datetime(2010, 12, 3), None, 33333),
    ]


def test_xlsx_takes_all_sheets_of_one_shape_and_says_which_not(tmp_path: Path, plain: Path):
    path = tmp_path / "sales.xlsx"
    book = xlsxwriter.Workbook(path)
    dates = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for name, part in (("2010", ROWS[:3]), ("2011", ROWS[3:])):
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, HEADER)
        for number, row in enumerate(part, start=1):
            for place, value in enumerate(row):
                if place == 4:
                    sheet.write_datetime(number, place, datetime.fromisoformat(value), dates)
                elif place in (3, 5) or (place in (0, 6) and value.replace(".", "").isdigit() and value[0] != "0"):
                    sheet.write_number(number, place, float(value))
                else:
                    sheet.write_string(number, place, value)
    book.add_worksheet("Remarks").write_row(0, 0, ["remark"])
    book.add_worksheet("Empty")
    book.close()
    assert lines(path) == lines(plain)
    with read_sales(str(path)) as sales:
        assert sales.notes == ("Sheets with other columns were not read: Remarks.",)


def test_the_workbook_of_online_retail_two(shared_data: Path):
    with read_sales(str(shared_data / "online_retail_II_sample.xlsx")) as sales:
        ledger = sales.ledger.to_dict()
    assert ledger["in"]["lines"] == 14_269 + 20_497
    assert sales.mapping["customer_id"] == "Customer ID"


def test_dates_with_month_names_and_no_order_number(shared_data: Path):
    with read_sales(str(shared_data / "retail_transactions_dd-Mon-yy.csv.gz")) as sales:
        first = sales.table.filter(sales.table.customer_id == "CS1112").order_by("order_date").limit(1)
        (line,) = first.to_pyarrow().to_pylist()
    assert (sales.first_day.isoformat(), sales.last_day.isoformat()) == ("2011-05-16", "2015-03-16")
    assert sales.ledger.to_dict()["out"] == {"lines": 125_000, "customers": 6_889, "revenue": 8_123_989.0}
    assert line["order_id"] == f"CS1112/{line['order_date']:%Y-%m-%d}"


def _bad(folder: Path) -> dict[str, tuple[Path, str]]:
    good = as_text()
    head = good.splitlines()[0]
    whole = gzip.compress(good.encode() * 50)
    noise = bytes(range(256)) * 20
    files = {
        "empty": ("a.csv", b"", "a.csv is empty"),
        "only blank lines": ("a.csv", b"\n\n\r\n", "a.csv is empty"),
        "header only": ("a.csv", head + "\n", "a.csv has a header but no lines"),
        "blank lines only": ("a.csv", head + "\n,,,,,,,\n", "a.csv has a header but no lines"),
        "binary": ("a.csv", noise, "not text"),
        "no encoding": ("a.csv", as_text(rows=ROWS[:1]).encode() + b"\x81\x8d\xff", "unknown encoding"),
        "two encodings": ("a.csv", good.encode() + b"\x81", "mixes encodings"),
        "odd utf-16": ("a.csv", good.encode("utf-16") + b"x", "unknown encoding"),
        "cut gzip": ("a.csv.gz", whole[: len(whole) // 2], "not a whole gzip file"),
        "no gzip": ("a.csv.gz", good, "not a whole gzip file"),
        "no workbook": ("a.xlsx", noise, "not a workbook"),
        "empty workbook": ("a.xlsx", b"", "a.xlsx is empty"),
        "no parquet": ("a.parquet", noise, "not a Parquet file"),
        "unknown kind": ("a.docx", good, "files of this kind"),
        "short line": ("a.csv", good + "1,2\n", "line 8 .2 columns where the header has 8"),
        "long line": ("a.csv", good + "1,2,3,4,5,6,7,8,9\n", "line 8 .9 columns where the header has 8"),
        "open quote": ("a.csv", good + '1,"2,3,4,5,6,7,8\n', "quotation mark"),
        "one column": ("a.csv", "customer_id\n1\n", "no column looks like order_date.*--map order_date=COLUMN"),
        "text in quantity": ("a.csv", good.replace(",48,", ",many,"), r"'Quantity' .*line 6 \('many'\)"),
        "text in price": ("a.csv", good.replace(",0.85,", ",0;85,"), r"'UnitPrice' .*line 6 \('0;85'\)"),
        "infinite price": ("a.csv", good.replace(",0.85,", ",inf,"), r"'UnitPrice' .*line 6 \('inf'\)"),
        "no price": ("a.csv", good.replace(",0.85,", ",,"), r"'UnitPrice' .*line 6 \(blank\)"),
        "no date": ("a.csv", good.replace("2010-12-02 09:00:00", "soon"), r"'InvoiceDate' .*line 4 \('soon'\)"),
        "30 February": ("a.csv", good.replace("2010-12-02", "2010-02-30"), r"line 4 \('2010-02-30 09:00:00'\)"),
        "year 9999": ("a.csv", good.replace("2010-12-02", "9999-12-02"), r"line 4 \('9999-12-02 09:00:00'\)"),
        "year 10": ("a.csv", good.replace("2010-12-02", "0010-12-02"), r"line 4 \('0010-12-02 09:00:00'\)"),
        "too much": (
            "a.csv",
            good.replace(",48,", ",999999999999,").replace(",0.85,", ",99999999999999,"),
            "too large",
        ),
        "nobody": (
            "a.csv",
            head + "\n1,2,3,4,2010-12-01,6,,8\n",
            "cleaning leaves no line .dropped: missing_customer_id 1",
        ),
    }
    return {name: (write(folder / f"{name}-{file}", content), says) for name, (file, content, says) in files.items()}


BAD = [
    *(
        "empty",
        "only blank lines",
        "header only",
        "blank lines only",
        "binary",
        "no encoding",
        "two encodings",
        "odd utf-16",
        "cut gzip",
    ),
    *(
        "no gzip",
        "no workbook",
        "empty workbook",
        "no parquet",
        "unknown kind",
        "short line",
        "long line",
        "open quote",
    ),
    *("one column", "text in quantity", "text in price", "infinite price", "no price", "no date", "30 February"),
    *("year 9999", "year 10", "too much", "nobody"),
]


@pytest.mark.parametrize("name", BAD)
def test_bad_files_give_one_clear_sentence(tmp_path: Path, name: str):
    bad = _bad(tmp_path)
    assert set(bad) == set(BAD)
    path, says = bad[name]
    with pytest.raises(InputError, match=says) as caught:
        read_sales(str(path), reading=Reading(unreadable_lines=0))
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message


def test_line_numbers_count_quoted_line_ends_and_blank_lines(tmp_path: Path):
    text = 'customer_id,date,amount,description\n1,2020-01-01,5,"two\nlines"\n\n2,2020-01-02,x,"three"\n'
    with read_sales(str(write(tmp_path / "sales.csv", text + "3,2020-01-03,5,four\n"))) as sales:
        assert "line 5 ('x')" in " ".join(sales.notes)


def test_a_workbook_names_sheet_and_row(tmp_path: Path):
    book = xlsxwriter.Workbook(tmp_path / "sales.xlsx")
    for name, amount in (("May", "5"), ("June", "lots")):
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, ["customer_id", "date", "amount"])
        sheet.write_row(1, 0, ["1", "2020-01-01", amount])
    book.close()
    with pytest.raises(InputError, match=r"row 2 of sheet 'June' \('lots'\)"):
        read_sales(str(tmp_path / "sales.xlsx"))


def test_parquet_of_other_things_is_refused(tmp_path: Path):
    path = tmp_path / "sales.parquet"
    table = {"customer_id": [[1], [2]], "date": ["2020-01-01"] * 2, "amount": [1.0, 2.0]}
    pq.write_table(pa.table(table), path)
    with pytest.raises(InputError, match="column 'customer_id' holds"):
        read_sales(str(path))
    pq.write_table(pa.table({**table, "customer_id": ["1", "2"], "amount": [float("nan"), 1.0]}), path)
    with pytest.raises(InputError, match=r"'amount' .*row 1 \('nan'\)"):
        read_sales(str(path))
    dates = pa.array([datetime(2020, 1, 1)] * 2, pa.timestamp("us"))
    pq.write_table(pa.table({"customer_id": ["1", "2"], "date": dates, "amount": dates}), path)
    with pytest.raises(InputError, match=r"'amount' .* cannot be read as a number"):
        read_sales(str(path))


def test_no_such_path_and_a_folder(tmp_path: Path):
    with pytest.raises(InputError, match=r"There is no file .*nowhere\.csv"):
        read_sales(str(tmp_path / "nowhere.csv"))
    with pytest.raises(InputError, match="is a folder without a file that can be read"):
        read_sales(str(tmp_path))


def test_fingerprint_is_of_the_content_alone(tmp_path: Path, plain: Path):
    same = write(tmp_path / "renamed.csv", plain.read_bytes())
    other = write(tmp_path / "other.csv", plain.read_bytes().replace(b"2.55", b"2.56"))
    prints = []
    for path in (plain, same, other):
        with read_sales(str(path)) as sales:
            prints.append(sales.fingerprint)
    assert prints[0] == prints[1] != prints[2]
    assert len(prints[0]) == 64
