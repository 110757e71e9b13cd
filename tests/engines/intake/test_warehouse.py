"""Sales in a real PostgreSQL, SQLite and DuckDB: read as from a file, never written to, and no password in sight."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import psycopg
import pytest

from engines.errors import InputError
from engines.intake import Reading, read_sales
from engines.intake.sources import locations

ROWS = [
    (17850, "536365", "2010-12-01 08:26:00", 6, "2.55", "CAFÉ"),
    (17850, "536366", "2010-12-02 09:00:00", 2, "3.3333", None),
    (None, "536367", "2010-12-03 10:00:00", 1, "1.00", "x"),
    (7, "C536368", "2010-12-04 10:00:00", -1, "1.85", "it's"),
]
CREATE = (
    "create table sales (customer_id {integer}, order_id {text}, order_date {moment}, quantity {integer}, "
    "unit_price {money}, description {text})"
)
ANSI = {"integer": "integer", "text": "varchar(20)", "moment": "timestamp", "money": "numeric"}


def lines(source, **reading) -> list[tuple]:
    with read_sales(str(source), reading=Reading(**reading)) as sales:
        return sorted(tuple(row.values()) for row in sales.table.to_pyarrow().to_pylist())


@pytest.fixture
def plain(tmp_path) -> Path:
    path = tmp_path / "sales.csv"
    names = "customer_id,order_id,order_date,quantity,unit_price,description\n"
    path.write_text(names + "".join(",".join("" if v is None else str(v) for v in row) + "\n" for row in ROWS))
    return path


def in_sqlite(path: Path) -> str:
    connection = sqlite3.connect(path)
    connection.execute(CREATE.format(integer="integer", text="text", moment="timestamp", money="numeric"))
    connection.executemany("insert into sales values (?, ?, ?, ?, ?, ?)", ROWS)
    connection.execute("create table other (a, b)")
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def in_duckdb(path: Path) -> str:
    with duckdb.connect(str(path)) as connection:
        connection.execute(CREATE.format(**{**ANSI, "money": "decimal(18, 4)"}))
        connection.executemany("insert into sales values (?, ?, ?, ?, ?, ?)", ROWS)
        connection.execute("create table other (a integer)")
    return f"duckdb:///{path}"


def in_postgres(url: str) -> str:
    with psycopg.connect(url) as connection:
        connection.execute(CREATE.format(**ANSI))
        connection.cursor().executemany("insert into sales values (%s, %s, %s, %s, %s, %s)", ROWS)
        connection.execute("create table other (a integer)")
    return url


@pytest.fixture(params=["sqlite", "duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request, tmp_path) -> str:
    if request.param == "postgres":
        return in_postgres(request.getfixturevalue("postgres_url"))
    return {"sqlite": in_sqlite, "duckdb": in_duckdb}[request.param](tmp_path / f"shop.{request.param}")


def count(url: str) -> int:
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        found = connection.execute("select count(*) from sales").fetchone()[0]
        connection.close()
        return found
    if url.startswith("duckdb"):
        with duckdb.connect(url.removeprefix("duckdb:///")) as connection:
            return connection.execute("select count(*) from sales").fetchone()[0]
    with psycopg.connect(url) as connection:
        return connection.execute("select count(*) from sales").fetchone()[0]


def test_a_table_and_a_query_give_the_lines_of_the_file(url, plain):
    assert lines(url, table="sales") == lines(plain)
    assert lines(url, query="select * from sales order by order_id desc;") == lines(plain)
    assert lines(url, query="with x as (select * from sales) select * from x -- all of them\n") == lines(plain)


def test_the_fingerprint_is_of_what_is_read_and_not_of_its_order(url):
    def fingerprint(query: str) -> str:
        with read_sales(url, reading=Reading(query=query)) as sales:
            return sales.fingerprint

    every = fingerprint("select * from sales")
    assert fingerprint("select * from sales order by unit_price desc") == every
    assert fingerprint("select * from sales where unit_price > 1.5") != every
    assert fingerprint("select * from sales union all select * from sales where quantity = 6") != every


def test_what_to_read_is_asked_with_the_tables_that_are_there(url):
    with pytest.raises(
        InputError, match=r"say what to read, with --table NAME or --query SQL\. Its tables are .*other"
    ):
        lines(url)
    with pytest.raises(InputError, match=r"no table 'sale'\. Its tables are .*sales"):
        lines(url, table="sale")
    with pytest.raises(InputError, match="one of --table and --query"):
        lines(url, table="sales", query="select 1")
    with pytest.raises(InputError, match="cannot be read: ") as caught:
        lines(url, query="select nothing from nowhere")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="no column looks like customer_id"):
        lines(url, table="other")


@pytest.mark.parametrize(
    "query",
    [
        "delete from sales",
        "drop table sales",
        "insert into sales select * from sales",
        "update sales set quantity = 0",
        "select * from sales; delete from sales",
        "select 1); delete from sales; select * from (select 1",
        "select 1) to stdout; commit; set default_transaction_read_only = off; delete from sales; copy (select 1",
        "with gone as (delete from sales returning *) select * from gone",
        "create table more as select * from sales",
        "pragma query_only = off",
        "attach 'more.db' as more",
        "copy sales to 'more.csv'",
        "set default_transaction_read_only = off",
        "begin",
        "",
    ],
)
def test_a_query_cannot_write(url, query, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(InputError):
        lines(url, query=query)
    assert count(url) == len(ROWS)
    assert [name for name in sorted(path.name for path in tmp_path.iterdir()) if not name.startswith("shop")] == [
        name for name in before if not name.startswith("shop")
    ]


def test_a_query_of_a_duckdb_file_reads_no_other_files(tmp_path, plain):
    url = in_duckdb(tmp_path / "shop.duckdb")
    with pytest.raises(InputError, match="cannot be read"):
        lines(url, query=f"select * from read_csv('{plain}')")


@pytest.mark.postgres
def test_types_of_postgres(postgres_url, plain):
    with psycopg.connect(postgres_url) as connection:
        connection.execute("create type channel as enum ('web', 'store')")
        connection.execute("create schema shop")
        connection.execute(
            "create table shop.orders (customer_id uuid, order_id bigint, order_date timestamptz, "
            "amount numeric(12, 2), channel channel, code char(5), day date, "
            "share real, tags text[], about jsonb, price money, nothing text)"
        )
        connection.execute(
            "insert into shop.orders values ('00000000-0000-0000-0000-000000000001', 1, '2024-01-01 00:30+02', 12.30, "
            "'web', 'ab', '2024-01-01', 0.5, '{a}', '{}', 3, null)"
        )
    (line,) = lines(postgres_url, table="orders", query="")
    assert line[0] == "00000000-0000-0000-0000-000000000001"
    assert (line[1], line[2].isoformat(), line[4]) == ("1", "2023-12-31T22:30:00", 123000)
    assert lines(postgres_url, table="shop.orders") == [line]


def test_a_live_sqlite_is_read_while_it_is_written(tmp_path, plain):
    url = in_sqlite(tmp_path / "shop.db")
    writer = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
    writer.execute("pragma journal_mode = wal")
    writer.execute("begin immediate")
    writer.execute("delete from sales")
    assert lines(url, table="sales") == lines(plain)
    writer.execute("commit")
    writer.close()


def test_no_such_database(tmp_path):
    for url in ("sqlite:///nowhere.db", "duckdb:////nowhere/at.all"):
        with pytest.raises(InputError, match="There is no file"):
            lines(url, table="sales")
    with pytest.raises(InputError, match="names no file"):
        lines("sqlite://", table="sales")
    (tmp_path / "noise.db").write_bytes(b"noise" * 1000)
    for scheme in ("sqlite", "duckdb"):
        with pytest.raises(InputError, match="cannot be read"):
            lines(f"{scheme}:///{tmp_path}/noise.db", table="sales")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret-w0rd@127.0.0.1:1/shop",
        "postgres://me:s3cret-w0rd@127.0.0.1:1/shop?sslmode=disable",
        "postgresql+psycopg://me@127.0.0.1:1/shop?password=s3cret-w0rd",
        "postgresql://me:s3cret-w0rd@[broken/shop",
        "postgresql://me:s3cret-w0rd@127.0.0.1:notaport/shop",
        "postgresql://me:s3cret-w0rd%@127.0.0.1:1/shop",
    ],
)
def test_a_password_is_in_no_message(url):
    with pytest.raises(InputError) as caught:
        lines(url, table="sales")
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in locations.public(url)
    assert "s3cret" not in (locations.lasting(url) or "")


def test_what_is_kept_of_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert locations.lasting("postgresql://me:pw@host:5432/shop?sslmode=require") == (
        "postgresql://me@host:5432/shop?sslmode=require"
    )
    assert locations.lasting("sqlite:///shop.db") == f"sqlite:///{tmp_path}/shop.db"
    assert locations.lasting("cdnow") == "cdnow"
    assert locations.lasting("nowhere.csv") is None
    (tmp_path / "a.csv").write_text("x")
    assert locations.lasting("*.csv") == f"{tmp_path}/*.csv"
    assert locations.lasting("a.csv") == f"{tmp_path}/a.csv"
