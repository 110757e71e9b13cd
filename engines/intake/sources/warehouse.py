"""Sales in a database: a table or the result of a query from PostgreSQL, SQLite or DuckDB, read only."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import adbc_driver_manager
import adbc_driver_postgresql.dbapi
import duckdb
import pyarrow as pa

from engines.errors import InputError
from engines.intake.sources.fetched import fetch, fetched_source
from engines.intake.sources.locations import is_file_database, public, secrets_of
from engines.intake.sources.source import Source
from engines.settings import Reading

_CONNECT_SECONDS = 10
_BATCH = 65_536
_EXAMPLES = "postgresql://USER@HOST/DATABASE, sqlite:///FILE or duckdb:///FILE"


class Table(NamedTuple):
    """A table or view of a database."""

    schema: str
    name: str

    @property
    def sql(self) -> str:
        """Both names, quoted."""
        return ".".join('"' + part.replace('"', '""') + '"' for part in self if part)

    @property
    def shown(self) -> str:
        """Both names, as they are said on the command line."""
        return ".".join(part for part in self if part)


class _Database(ABC):
    """A database that is open for reading."""

    @abstractmethod
    def tables(self) -> list[Table]:
        """Its tables and views."""

    @abstractmethod
    def batches(self, query: str) -> AbstractContextManager[pa.RecordBatchReader]:
        """The result of one query, a piece at a time."""


def open_database(url: str, connection: duckdb.DuckDBPyConnection, folder: Path, reading: Reading) -> Source:
    """Read a table or a query of a database into the temporary folder; nothing is ever written to the database.

    A password is better given to libpq by PGPASSWORD or ~/.pgpass than in the address; it is in no message either way.

    Raises:
        InputError: no such database, table or query, or neither was said; the tables that are there are listed.
    """
    shown, fetched = public(url), folder / "fetched.parquet"
    try:
        with _opened(url) as database:
            what, query = _asked(database, reading, shown)
            with database.batches(query) as reader:
                numbers = fetch(reader, fetched, shown)
    except (adbc_driver_manager.Error, sqlite3.Error, duckdb.Error, pa.ArrowException, UnicodeError) as error:
        raise InputError("{shown} cannot be read: {error}.", shown=shown, error=_told(error, secrets_of(url))) from None
    name = Path(unquote(urlsplit(shown).path)).name or "database"
    return fetched_source(f"{name}/{what}", fetched, numbers, connection)


def _asked(database: _Database, reading: Reading, shown: str) -> tuple[str, str]:
    """What is read, in a word and as a query."""
    if reading.table and reading.query:
        raise InputError("{shown}: a table and a query are both named; give one of --table and --query.", shown=shown)
    if reading.query:
        return "query", reading.query.strip().rstrip(";").strip()
    tables = sorted(database.tables())
    listed = ", ".join(table.shown for table in tables[:30]) + (" …" if len(tables) > 30 else "")
    there = f"Its tables are {listed}" if tables else "It has no tables"
    if not reading.table:
        raise InputError(
            "{shown}: say what to read, with --table NAME or --query SQL. {there}.", shown=shown, there=there
        )
    found = [table for table in tables if reading.table in (table.shown, table.name)]
    if not found:
        raise InputError(
            "{shown} has no table {table!r}. {there}; name one with --table.",
            shown=shown,
            table=reading.table,
            there=there,
        )
    if len(found) > 1:
        both = ", ".join(table.shown for table in found)
        raise InputError(
            "{shown} has more than one table {table!r}; name one of {both} with --table.",
            shown=shown,
            table=reading.table,
            both=both,
        )
    return found[0].shown, f"select * from {found[0].sql}"  # noqa: S608 - quoted


def _told(error: BaseException, secrets: tuple[str, ...]) -> str:
    """What a driver says, on one line and without a password."""
    text = " ".join(str(error).split())
    for secret in secrets:
        text = text.replace(secret, "***").replace(quote(secret), "***").replace(unquote(secret), "***")
    return (text if len(text) <= 300 else f"{text[:300]}…").rstrip(".")


# --- the three databases ---------------------------------------------------------------------------------------------
@contextmanager
def _opened(url: str) -> Iterator[_Database]:
    if not is_file_database(url):
        with _postgres(url) as database:
            yield database
        return
    scheme, _, rest = url.partition("://")
    path = Path(unquote(urlsplit(url).path).removeprefix("/"))
    if not rest.startswith("/") or not path.name:
        raise InputError("{url} names no file; write {examples}.", url=public(url), examples=_EXAMPLES)
    if not path.is_file():
        raise InputError("There is no file {path}.", path=path)
    with (_sqlite if scheme.lower().startswith("sqlite") else _duckdb)(path) as database:
        yield database


class _Postgres(_Database):
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def tables(self) -> list[Table]:
        query = (
            "select table_schema, table_name from information_schema.tables "
            "where table_schema not in ('pg_catalog', 'information_schema')"
        )
        with self.batches(query) as reader:
            return [Table(*row.values()) for row in reader.read_all().to_pylist()]

    @contextmanager
    def batches(self, query: str) -> Iterator[pa.RecordBatchReader]:
        with self._connection.cursor() as cursor:
            cursor.execute(f"{query}\n")  # the driver puts it within brackets, which a comment at its end would hide
            yield cursor.fetch_record_batch()


@contextmanager
def _postgres(url: str) -> Iterator[_Database]:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InputError(
            "The address of the database cannot be understood; write {examples}.", examples=_EXAMPLES
        ) from None
    asked = dict(parse_qsl(parts.query))
    options = f"{asked.pop('options', '')} -c default_transaction_read_only=on".strip()
    query = urlencode({"connect_timeout": _CONNECT_SECONDS, **asked, "options": options}, quote_via=quote)
    uri = parts._replace(scheme="postgresql", query=query).geturl()
    with closing(adbc_driver_postgresql.dbapi.connect(uri)) as connection:
        yield _Postgres(connection)
        connection.rollback()


class _Sqlite(_Database):
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def tables(self) -> list[Table]:
        found = self._connection.execute("select name from sqlite_schema where type in ('table', 'view')").fetchall()
        return [Table("", name) for (name,) in found if not name.startswith("sqlite_")]

    def batches(self, query: str) -> pa.RecordBatchReader:
        # within brackets only a query can stand, and the driver takes one statement at a time
        self._connection.execute("begin")
        width = [about[0] for about in self._connection.execute(f"select * from ({query}\n) limit 0").description]  # noqa: S608
        places = ", ".join(f"c{index}" for index in range(len(width)))
        lines = f"with lines({places}) as (select * from ({query}\n))"  # noqa: S608
        kinds = ", ".join(f"group_concat(distinct typeof(c{index}))" for index in range(len(width)))
        held = self._connection.execute(f"{lines} select {kinds} from lines").fetchone()  # noqa: S608
        types = [_type_of(set((kind or "").split(","))) for kind in held]
        schema = pa.schema([pa.field(name, kind) for name, kind in zip(width, types, strict=True)])
        rows = self._connection.execute(f"{lines} select * from lines")  # noqa: S608

        def pieces() -> Iterator[pa.RecordBatch]:
            while piece := rows.fetchmany(_BATCH):
                columns = [
                    pa.array(
                        [None if cell is None else str(cell) for cell in cells] if pa.types.is_string(kind) else cells,
                        kind,
                    )
                    for cells, kind in zip(zip(*piece, strict=True), types, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

        return pa.RecordBatchReader.from_batches(schema, pieces())


def _type_of(held: set[str]) -> pa.DataType:
    """The one type that holds what SQLite has in a column, where every cell has a type of its own."""
    if "blob" in held:
        return pa.binary() if held <= {"blob", "null"} else pa.string()
    if "text" in held:
        return pa.string()
    return pa.float64() if "real" in held else pa.int64() if "integer" in held else pa.string()


@contextmanager
def _sqlite(path: Path) -> Iterator[_Database]:
    """By Python's own driver, which shares its locks with whatever else in this process has the file open."""
    uri = f"file:{quote(str(path.resolve()))}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        yield _Sqlite(connection)


class _DuckDB(_Database):
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def tables(self) -> list[Table]:
        query = (
            "select table_schema, table_name from information_schema.tables where table_catalog = current_database()"
        )
        found = self._connection.execute(query).fetchall()
        return [Table("" if schema == "main" else schema, name) for schema, name in found]

    def batches(self, query: str) -> pa.RecordBatchReader:
        statements = duckdb.extract_statements(query)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise InputError("--query takes one SELECT and nothing else; it is only read.")
        return self._connection.sql(query).to_arrow_reader(_BATCH)


@contextmanager
def _duckdb(path: Path) -> Iterator[_Database]:
    settings: dict[str, Any] = {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "lock_configuration": "true",
    }
    with closing(duckdb.connect(str(path), read_only=True, config=settings)) as connection:
        yield _DuckDB(connection)
