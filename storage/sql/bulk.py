"""How millions of customers and labels go in and out: as Arrow, through ADBC.

On PostgreSQL, ADBC talks to the database itself; a save is one transaction on ADBC's connection. On SQLite it must not:
ADBC brings a SQLite library of its own, and two of them in one process ignore each other's locks on a file (closing the
one deletes the write-ahead log under the other: measured, a committed row was lost). So there ADBC writes and reads a
temporary file of its own, and the store's connection copies between that file and the database inside its transaction.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import adbc_driver_manager as adbc
import adbc_driver_sqlite
import adbc_driver_sqlite.dbapi
import pyarrow as pa
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Double,
    Executable,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    literal,
)
from sqlalchemy import insert as sql_insert
from sqlalchemy import select as sql_select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from engines.errors import InputError
from storage.sql.ahead import read_ahead
from storage.sql.database import JOIN_BIG, Database, SessionTransaction, Transaction, in_workspace

# "named" parameters, so that a percent sign is not doubled: the text goes to the server as it is
_POSTGRES = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
_WRITE_ROWS = 16_384
_SIDE = "side"  # the name under which the temporary file is attached


class Loading(Transaction):
    """A writing transaction that can also append the rows it was opened with."""

    def append(self, target: Table, constants: Mapping[str, int]) -> None:
        """Append the rows to ``target``, with these columns the same in every row."""
        self._append(target, {"workspace_id": self._workspace_id, **constants})

    def _append(self, target: Table, constants: Mapping[str, int]) -> None:
        raise NotImplementedError


class Rows(Protocol):
    """Rows to be appended: an Arrow table, or what makes its batches one by one."""

    @property
    def schema(self) -> pa.Schema:
        """The columns with their types."""

    @property
    def num_rows(self) -> int:
        """How many rows there are."""

    def to_batches(self, max_chunksize: int) -> Iterable[pa.RecordBatch]:
        """The rows in order, in batches of at most so many."""


@contextmanager
def loading(database: Database, workspace_id: int, rows: Rows) -> Iterator[Loading]:
    """A transaction that writes small things and, as a whole with them, these rows, in memory bounded by a batch."""
    opened = _sqlite_loading if database.is_sqlite else _postgres_loading
    with database.guarded(), opened(database, workspace_id, rows) as transaction:
        yield transaction


def read_batches(
    database: Database, workspace_id: int, statement: Select[Any], schema: pa.Schema, batch_size: int
) -> Iterator[pa.RecordBatch]:
    """The rows of a select in order, in batches; text, numbers and flags may come in SQLite's types for them.

    Memory is bounded by the size of a batch. Nothing is opened before the first batch is asked for.
    """
    return read_parts(database, workspace_id, [statement], schema, batch_size)


def read_parts(
    database: Database, workspace_id: int, statements: Sequence[Select[Any]], schema: pa.Schema, batch_size: int
) -> Iterator[pa.RecordBatch]:
    """The rows of several selects, one after the other. A thread goes ahead of those that are taken.

    Each sees the database at a moment of its own: whoever asks has to see to it that nothing was deleted in between.
    """
    mine: list[Select[Any]] = [in_workspace(statement, workspace_id) for statement in statements]
    with database.guarded():
        if database.is_sqlite:
            batches = _sqlite_read(database, mine, schema, batch_size)
        else:
            batches = itertools.chain.from_iterable(_postgres_read(database, statement) for statement in mine)
        for batch in batches:
            for start in range(0, batch.num_rows, batch_size):
                yield batch.slice(start, batch_size)


def _reader(rows: Rows, constants: Mapping[str, int]) -> pa.RecordBatchReader:
    """The rows with these columns the same in each."""
    schema = rows.schema
    for name in constants:
        schema = schema.append(pa.field(name, pa.int32()))

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in rows.to_batches(max_chunksize=_WRITE_ROWS):
            same = [pa.repeat(pa.scalar(value, pa.int32()), batch.num_rows) for value in constants.values()]
            yield pa.record_batch([*batch.columns, *same], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


# --- PostgreSQL ------------------------------------------------------------------------------------------------------
class _PostgresLoading(Loading):
    def __init__(self, cursor: Any, workspace_id: int, rows: Rows) -> None:
        super().__init__(workspace_id, "postgresql")
        self._cursor, self._rows = cursor, rows

    def _execute(self, statement: Executable) -> list[Any]:
        self._cursor.execute(_literal(statement))
        return list(self._cursor.fetchall()) if self._cursor.description else []

    def _append(self, target: Table, constants: Mapping[str, int]) -> None:
        if self._rows.num_rows:
            self._cursor.adbc_ingest(target.name, _reader(self._rows, constants), mode="append")


@contextmanager
def _postgres_loading(database: Database, workspace_id: int, rows: Rows) -> Iterator[Loading]:
    with _postgres_cursor(database) as cursor:
        yield _PostgresLoading(cursor, workspace_id, rows)
        cursor.connection.commit()


@contextmanager
def _postgres_cursor(database: Database) -> Iterator[Any]:
    """A cursor in a transaction of its own, which is rolled back unless somebody commits it."""
    connection = database.arrow_connection()
    try:
        with connection.cursor() as cursor:
            # what _literal writes is safe only where a backslash in quotes is a backslash
            cursor.execute("SET standard_conforming_strings = on")
            yield cursor
    finally:
        connection.close()


def _postgres_read(database: Database, statement: Executable) -> Iterator[pa.RecordBatch]:
    with _postgres_cursor(database) as cursor:
        cursor.execute(f"SET LOCAL {JOIN_BIG}")
        cursor.execute(_literal(statement))
        yield from cursor.fetch_record_batch()


def _literal(statement: Executable) -> str:
    """The statement with its values written into it, quoted by SQLAlchemy.

    ADBC streams a result in bounded memory only without parameters (it uses COPY, which has none).
    """
    text = str(statement.compile(dialect=_POSTGRES, compile_kwargs={"literal_binds": True}))  # type: ignore[attr-defined]
    if "\x00" in text:
        raise InputError("A text holds a NUL character, which no database keeps; remove it.")
    return text


# --- SQLite ----------------------------------------------------------------------------------------------------------
class _SqliteLoading(Loading, SessionTransaction):
    def __init__(self, session: Session, workspace_id: int, names: list[str]) -> None:
        SessionTransaction.__init__(self, session, workspace_id)
        self._names = names

    def _append(self, target: Table, constants: Mapping[str, int]) -> None:
        side = Table("rows", MetaData(), *(Column(name, target.c[name].type) for name in self._names), schema=_SIDE)
        fixed = [literal(value).label(name) for name, value in constants.items()]
        self.session.execute(sql_insert(target).from_select([*constants, *self._names], sql_select(*fixed, *side.c)))


@contextmanager
def _sqlite_loading(database: Database, workspace_id: int, rows: Rows) -> Iterator[Loading]:
    with TemporaryDirectory(prefix="segmentry-") as folder:
        side = Path(folder) / "side.db"
        # before the transaction, so that the database is not locked meanwhile
        with _sqlite_cursor(side) as cursor:
            try:
                cursor.adbc_ingest("rows", _reader(rows, {}), mode="create")
            except adbc.InternalError as error:
                # what it says is about its own clearing up; this file needs nothing but room
                raise database.error("a temporary file could not be written, no space") from error
        with (
            database.engine.connect() as connection,
            _attached(connection, side),
            database.begin(connection),
            Session(connection) as session,
        ):
            yield _SqliteLoading(session, workspace_id, rows.schema.names)


def _sqlite_read(
    database: Database, statements: Sequence[Select[Any]], schema: pa.Schema, batch_size: int
) -> Iterator[pa.RecordBatch]:
    with TemporaryDirectory(prefix="segmentry-") as folder:
        copies = _copies(database, statements, schema, Path(folder))
        with closing(copies if len(statements) == 1 else read_ahead(copies)) as sides:
            for side in sides:
                with _sqlite_cursor(side) as cursor:
                    cursor.adbc_statement.set_options(
                        **{adbc_driver_sqlite.StatementOptions.BATCH_ROWS.value: str(max(2, batch_size))}
                    )
                    cursor.execute("SELECT * FROM rows ORDER BY rowid")
                    for number, batch in enumerate(cursor.fetch_record_batch()):
                        yield batch if number else batch.slice(1)
                side.unlink()


def _copies(database: Database, statements: Iterable[Select[Any]], schema: pa.Schema, folder: Path) -> Generator[Path]:
    """A file for each statement with its rows, after one that is an example."""
    columns = [Column(field.name, _SQLITE_TYPES[str(field.type)]) for field in schema]
    table = Table("rows", MetaData(), *columns, schema=_SIDE)
    for number, statement in enumerate(statements):
        side = folder / f"{number}.db"
        with database.engine.connect() as connection, _attached(connection, side), connection.begin():
            table.create(connection)
            # ADBC takes a column's type from the first rows, whose values may all be null: so the first has none
            connection.exec_driver_sql(
                f"INSERT INTO {_SIDE}.rows VALUES ({', '.join(_EXAMPLES[str(field.type)] for field in schema)})"  # noqa: S608
            )
            connection.execute(sql_insert(table).from_select(schema.names, statement))
        yield side


_SQLITE_TYPES: dict[str, Any] = {
    "string": Text,
    "double": Double,
    "int32": Integer,
    "bool": Boolean,
    "timestamp[us]": DateTime,
}
_EXAMPLES = {"string": "''", "double": "0.5", "int32": "0", "bool": "0", "timestamp[us]": "'2000-01-01'"}


@contextmanager
def _attached(connection: Connection, side: Path) -> Iterator[None]:
    """Attach the temporary file, outside of the transaction: only there can it be let go of again."""
    raw: Any = connection.connection.driver_connection
    raw.execute(f"ATTACH DATABASE ? AS {_SIDE}", (str(side),))
    try:
        # the file is thrown away after a crash, so that it needs neither a journal nor a safe disk
        raw.execute(f"PRAGMA {_SIDE}.page_size = 65536")
        raw.execute(f"PRAGMA {_SIDE}.journal_mode = OFF")
        raw.execute(f"PRAGMA {_SIDE}.synchronous = OFF")
        yield
    finally:
        try:
            raw.execute(f"DETACH DATABASE {_SIDE}")
        except sqlite3.Error:
            connection.invalidate()  # after a lost disk, say: nobody shall be handed this connection again


@contextmanager
def _sqlite_cursor(side: Path) -> Iterator[Any]:
    with adbc_driver_sqlite.dbapi.connect(side.as_uri(), autocommit=True) as connection, connection.cursor() as cursor:
        # big pages save a sixth of the time that a load takes; they can be chosen only while the file is empty
        for pragma in ("page_size = 65536", "journal_mode = OFF", "synchronous = OFF"):
            cursor.execute(f"PRAGMA {pragma}").fetchall()
        yield cursor
