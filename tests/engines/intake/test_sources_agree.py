"""Online Retail, written in every way there is: the same customers, cell for cell, from all of them."""

from __future__ import annotations

import csv
import gzip
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import psycopg
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from pandas import DataFrame
from pandas.testing import assert_frame_equal

from engines import features
from engines.intake import Reading, read_sales
from tests.conftest import SHARED_DATA

FEW = 20_000


@pytest.fixture(scope="module", params=[FEW, pytest.param(0, marks=pytest.mark.slow)], ids=["few", "all"])
def rows(request) -> list[list[str]]:
    """Online Retail with its header: some lines of the whole year, or all; without it, sales of the sample shop."""
    real = SHARED_DATA / "online_retail.csv.gz"
    if not real.is_file():
        return made_up(request.param or 4 * FEW)
    with gzip.open(real, "rt", encoding="utf-8", newline="") as file:
        every = list(csv.reader(file))
    return [every[0], *every[1 :: len(every) // request.param]] if request.param else every


def made_up(number: int) -> list[list[str]]:
    with read_sales("sample-shop") as sales:
        lines = sales.table.filter(sales.table.line_type == "sale").order_by("order_id", "product_id").limit(number)
        every = lines.to_pyarrow().to_pylist()
    head = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
    found = [head]
    for line in every:
        price = f"{line['amount_units'] / 10_000 / line['quantity']:.2f}"
        texts = [line[name] for name in ("order_id", "product_id", "description")]
        when = f"{line['order_date']:%Y-%m-%d %H:%M}:00"
        found.append([*texts, f"{line['quantity']:g}", when, price, line["customer_id"], line["country"]])
    return found


def customers(source: str | Path, **reading) -> DataFrame:
    with read_sales(str(source), reading=Reading(**reading)) as sales:
        return features.build_customers(sales.table, as_of=sales.as_of).sort_index()


@pytest.fixture(scope="module")
def wanted(rows, tmp_path_factory) -> DataFrame:
    return customers(plain(rows, tmp_path_factory.mktemp("plain"))[0])


def written(
    path: Path, rows: list[list[str]], *, encoding: str = "utf-8", end: str = "\n", separator: str = ","
) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=separator, lineterminator=end).writerows(rows)
    return path


def plain(rows: list[list[str]], folder: Path) -> tuple[Path, dict]:
    return written(folder / "sales.csv", rows), {}


def american(rows: list[list[str]], folder: Path) -> tuple[Path, dict]:
    def date(text: str) -> str:
        moment = datetime.fromisoformat(text)
        return f"{moment.month}/{moment.day}/{moment.year} {moment.hour}:{moment.minute:02d}"

    lines = [rows[0], *([*row[:4], date(row[4]), *row[5:]] for row in rows[1:])]
    return written(folder / "sales.csv", lines, encoding="iso-8859-1", end="\r\n"), {}


def utf16(rows: list[list[str]], folder: Path) -> tuple[Path, dict]:
    return written(folder / "sales.txt", rows, encoding="utf-16", separator="\t"), {}


def decimal_commas(rows: list[list[str]], folder: Path) -> tuple[Path, dict]:
    lines = [rows[0], *([*row[:5], row[5].replace(".", ","), *row[6:]] for row in rows[1:])]
    return written(folder / "sales.csv", lines, separator=";"), {}


def workbook(rows: list[list[str]], folder: Path) -> tuple[Path, dict]:
    path = folder / "sales.xlsx"
    middle = len(rows) // 2
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": str(folder)}) as book:
        dates = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for name, part in (("2010", rows[1:middle]), ("2011", rows[middle:])):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, rows[0])
            for number, row in enumerate(part, start=1):
                for place, cell in enumerate(row):
                    if place == 4:
                        sheet.write_datetime(number, place, datetime.fromisoformat(cell), dates)
                    elif place in (3, 5, 6) and cell:
                        sheet.write_number(number, place, float(cell))
                    else:
                        sheet.write_string(number, place, cell)
    return path, {}


def table_of(rows: list[list[str]], folder: Path) -> pyarrow.Table:
    return pyarrow.csv.read_csv(plain(rows, folder)[0])


def parquet(rows: list[list[str]], folder: Path) -> tuple[Path, dict]:
    pq.write_table(table_of(rows, folder), folder / "sales.parquet")
    return folder / "sales.parquet", {}


def parquet_folder(rows: list[list[str]], folder: Path) -> tuple[Path, dict]:
    table, parts = table_of(rows, folder), folder / "parts"
    parts.mkdir()
    for number in range(3):
        pq.write_table(
            table.slice(number * len(rows) // 3, (number + 1) * len(rows) // 3 - number * len(rows) // 3),
            parts / f"part-{2 - number}.parquet",
        )
    return parts, {}


def csv_folder(rows: list[list[str]], folder: Path) -> tuple[str, dict]:
    for number in range(3):
        part = rows[1:][number::3]
        (folder / f"sales-{number}.csv.gz").write_bytes(
            gzip.compress(written(folder / "part.txt", [rows[0], *part]).read_bytes(), 1)
        )
    return f"{folder}/sales-*.csv.gz", {}


def sqlite(rows: list[list[str]], folder: Path) -> tuple[str, dict]:
    connection = sqlite3.connect(folder / "shop.db")
    connection.execute(
        "create table sales (InvoiceNo text, StockCode text, Description text, Quantity integer, "
        "InvoiceDate timestamp, UnitPrice real, CustomerID real, Country text)"
    )
    connection.executemany("insert into sales values (?, ?, ?, ?, ?, ?, nullif(?, ''), ?)", rows[1:])
    connection.commit()
    connection.close()
    return f"sqlite:///{folder}/shop.db", {"table": "sales"}


def duck(rows: list[list[str]], folder: Path) -> tuple[str, dict]:
    bought = table_of(rows, folder)  # noqa: F841 - DuckDB finds it by its name
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.execute("create table sales as select * from bought")
    return f"duckdb:///{folder}/shop.duckdb", {"query": "select * from sales"}


WAYS: dict[str, Callable[[list[list[str]], Path], tuple[str | Path, dict]]] = {
    way.__name__: way
    for way in (american, utf16, decimal_commas, workbook, parquet, parquet_folder, csv_folder, sqlite, duck)
}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_customers_from_every_kind_of_source(rows, wanted, tmp_path, way):
    source, reading = WAYS[way](rows, tmp_path)
    assert_frame_equal(customers(source, **reading), wanted, obj=way)


@pytest.mark.postgres
def test_the_same_customers_from_postgres(rows, wanted, postgres_url):
    with psycopg.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "create table sales (InvoiceNo text, StockCode text, Description text, Quantity integer, "
            "InvoiceDate timestamp, UnitPrice numeric, CustomerID numeric, Country text)"
        )
        with cursor.copy("copy sales from stdin") as copy:
            for row in rows[1:]:
                copy.write_row([*row[:6], row[6] or None, row[7]])
    assert_frame_equal(customers(postgres_url, table="sales"), wanted, obj="postgres")
