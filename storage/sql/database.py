"""The database: its address, its transactions, and errors that say what to do."""

from __future__ import annotations

import hashlib
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode

import adbc_driver_manager as adbc
import adbc_driver_postgresql.dbapi
from sqlalchemy import (
    Connection,
    Delete,
    Executable,
    FromClause,
    Select,
    Update,
    create_engine,
    event,
    exc,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.util import find_tables

from storage.contract import StoreError
from storage.sql.messages import read_json, written_json

BUSY_SECONDS = 30
CONNECT_SECONDS = 10
#: Messages within JSON are kept as template and parts.
_JSON: dict[str, Any] = {"json_serializer": written_json, "json_deserializer": read_json}
#: Until PostgreSQL has counted the rows of a new run it believes that there is one, and would look through all
#: customers again for each label: minutes instead of a second. Without nested loops it goes once through both.
JOIN_BIG = "enable_nestloop = off"
_EXAMPLES = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"


def in_workspace(statement: Executable, workspace_id: int) -> Any:
    """The statement limited to one workspace, in every table it reads, changes or deletes from.

    This is the one place where workspaces are kept apart: all statements of a store pass through it.
    """
    if isinstance(statement, Select):
        tables = [table for clause in statement.get_final_froms() for table in _tables(clause)]
    elif isinstance(statement, (Update, Delete)):
        tables = _tables(statement.table)
    else:
        raise TypeError(f"{type(statement).__name__} cannot be limited to a workspace")
    if not tables:
        raise TypeError("a statement without a table cannot be limited to a workspace")
    for table in tables:
        statement = statement.where(table.c.workspace_id == workspace_id)
    return statement


def _tables(clause: Any) -> list[FromClause]:
    return list(find_tables(clause, include_joins=False))


def insert_on(dialect: str) -> Any:
    """The INSERT that knows ON CONFLICT, which both databases have and write alike."""
    return sqlite.insert if dialect == "sqlite" else postgresql.insert


class Transaction(ABC):
    """One transaction of one workspace: everything in it happens, or nothing."""

    def __init__(self, workspace_id: int, dialect: str) -> None:
        self._workspace_id = workspace_id
        self._dialect = dialect
        self._insert = insert_on(dialect)

    def rows(self, statement: Executable) -> list[Any]:
        """The rows that a select (or an update or delete with RETURNING) gives, in this workspace alone."""
        return self._execute(in_workspace(statement, self._workspace_id))

    def add(self, table: type[DeclarativeBase], values: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows into this workspace."""
        if values:
            self._execute(self._insert(table).values([{**row, "workspace_id": self._workspace_id} for row in values]))

    def add_one(self, table: Any, values: Mapping[str, Any]) -> int | None:
        """Insert a row into this workspace and give its number; None if an equal one is there already.

        While another transaction is inserting an equal row, this one waits to see whether that succeeds.
        """
        statement = self._insert(table).values(**values, workspace_id=self._workspace_id)
        inserted = self._execute(statement.on_conflict_do_nothing().returning(table.id))
        return int(inserted[0][0]) if inserted else None

    def hold(self, table: type[DeclarativeBase], values: Mapping[str, Any]) -> None:
        """Insert a row into this workspace, or hold the one with the same key: nobody else changes it until the end."""
        key = [column.name for column in table.__mapper__.primary_key]
        row = {**values, "workspace_id": self._workspace_id}
        kept = {key[0]: table.__mapper__.primary_key[0]}
        self._execute(self._insert(table).values(row).on_conflict_do_update(index_elements=key, set_=kept))

    def alone(self, name: str) -> None:
        """Be the only one of this workspace that is alone under this name, until the end of the transaction.

        Whoever comes second waits, and then sees what the first has written. It has to be the last thing that a
        transaction waits for, so that no two wait for one another. On SQLite whoever writes is alone already.
        """
        if self._dialect == "postgresql":
            digest = hashlib.sha256(f"{self._workspace_id} {name}".encode()).digest()
            number = int.from_bytes(digest[:8], "big", signed=True)
            # in FROM, since what the function gives has no type that can be handed on
            self._execute(select(literal(1)).select_from(func.pg_advisory_xact_lock(number)))

    @abstractmethod
    def _execute(self, statement: Executable) -> list[Any]: ...


class SessionTransaction(Transaction):
    """A transaction on a SQLAlchemy session."""

    def __init__(self, session: Session, workspace_id: int) -> None:
        super().__init__(workspace_id, session.get_bind().dialect.name)
        self.session = session

    def _execute(self, statement: Executable) -> list[Any]:
        result = self.session.execute(statement)
        # only results of inserts, updates and deletes can be without rows, and only they know
        return list(result.all()) if getattr(result, "returns_rows", True) else []


class Database:
    """A SQLite file or a PostgreSQL database, with pooled connections that any thread may use."""

    def __init__(self, url: str) -> None:
        """Read the address; nothing is connected yet.

        Raises:
            StoreError: not an address, or not one of a database that can be used.
        """
        self._url = _checked(url)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.engine = create_engine(
                self._url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True, **_JSON
            )
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = create_engine(_with_timeout(self._url), pool_pre_ping=True, hide_parameters=True, **_JSON)
        self._writing = self.engine.execution_options(segmentry_writes=True)
        self._arrow: Any = None
        self._arrow_lock = Lock()

    @property
    def shown(self) -> str:
        """The address as people may see it: without a password."""
        secret = [name for name in self._url.query if "password" in name.lower()]
        without_secrets = self._url.set(drivername=self._url.get_backend_name()).difference_update_query(secret)
        return without_secrets.render_as_string(hide_password=True)

    @property
    def folder(self) -> Path:
        """The folder of the SQLite file, or the working folder."""
        name = str(self._url.database).removeprefix("file:") if self.is_sqlite else ""
        return Path(name).absolute().parent if name else Path.cwd()

    @property
    def libpq_uri(self) -> str:
        """The address as PostgreSQL's own library reads it, with the password."""
        url = _with_timeout(self._url)
        user = quote(url.username or "", safe="") + (f":{quote(str(url.password), safe='')}" if url.password else "")
        host = f"[{url.host}]" if url.host and ":" in url.host else url.host or ""
        where = f"{user}@{host}" if user else host
        port = f":{url.port}" if url.port else ""
        query = urlencode(list(url.query.items()), doseq=True, quote_via=quote)
        return f"postgresql://{where}{port}/{quote(url.database or '', safe='')}?{query}"

    @contextmanager
    def reading(self, workspace_id: int, *, joins_big: bool = False) -> Iterator[SessionTransaction]:
        """A transaction that only reads; ``joins_big`` says that it joins labels and customers."""
        with self.guarded(), Session(self.engine) as session:
            if joins_big and not self.is_sqlite:
                session.execute(text(f"SET LOCAL {JOIN_BIG}"))
            yield SessionTransaction(session, workspace_id)

    @contextmanager
    def writing(self, workspace_id: int) -> Iterator[SessionTransaction]:
        """A transaction that writes; on SQLite it takes the write lock at once, so that it cannot lose it halfway."""
        with self.guarded(), Session(self._writing) as session, session.begin():
            yield SessionTransaction(session, workspace_id)

    @contextmanager
    def begin(self, connection: Connection | None = None) -> Iterator[Connection]:
        """A writing transaction on a connection (a new one, if none is given), committed at the end."""
        if connection is None:
            with self._writing.begin() as opened:
                yield opened
        else:
            with connection.execution_options(segmentry_writes=True).begin():
                yield connection

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn what only the outside can cause (no server, a full disk, a strange file) into a StoreError."""
        try:
            yield
        except (exc.IntegrityError, exc.ProgrammingError, exc.DataError):
            raise  # a defect of ours, not a state of the outside
        except (exc.DBAPIError, exc.TimeoutError) as error:
            raise self.error(str(error.orig) if isinstance(error, exc.DBAPIError) else str(error)) from error
        except (adbc.IntegrityError, adbc.ProgrammingError, adbc.DataError):
            raise
        except (adbc.Error, sqlite3.Error, OSError) as error:  # OSError: what Arrow makes of a stream that breaks off
            raise self.error(str(error)) from error

    def error(self, reason: str) -> StoreError:
        """What to tell people about a database that cannot be used."""
        reason = " ".join(reason.split())
        if self._url.password:
            reason = reason.replace(str(self._url.password), "***")
        remedy = next((remedy for word, remedy in _REMEDIES if word in reason.lower()), None)
        if remedy is None:
            remedy = (
                "Check the file and its folder."
                if self.is_sqlite
                else "Check that the server runs and that DATABASE_URL ([database] url) names the right host and user."
            )
        return StoreError(
            "The database {shown} cannot be used: {reason}. {remedy}",
            shown=self.shown,
            reason=reason.rstrip("."),
            remedy=remedy,
        )

    def arrow_connection(self) -> Any:
        """A new ADBC connection to PostgreSQL, in a transaction of its own; the caller closes it."""
        with self._arrow_lock:
            if self._arrow is None:
                # kept, because only the first connection asks the server for its types, which takes 50 ms
                self._arrow = adbc_driver_postgresql.dbapi.connect(self.libpq_uri, autocommit=True)
        return self._arrow.adbc_clone()

    def close(self) -> None:
        """Give back all connections."""
        with self._arrow_lock:
            if self._arrow is not None:
                self._arrow.close()
                self._arrow = None
        self.engine.dispose()


_REMEDIES = (
    ("not a database", "Name another file in DATABASE_URL ([database] url); this one holds something else."),
    (
        "unable to open",
        "Make its folder exist and writable, or name another file in DATABASE_URL ([database] url).",
    ),
    ("readonly", "Make the file and its folder writable for this user."),
    ("is locked", "Another program has kept it locked; close that program and try again."),
    ("full", "Free some disk space there and in the folder for temporary files (TMPDIR) and try again."),
    ("could not extend", "Free some disk space on the server and try again."),
    ("too large", "Free some disk space on the server and try again."),
    ("no space", "Free some disk space there and in the folder for temporary files (TMPDIR) and try again."),
    (
        "disk i/o",
        "Check the disk, and the space in the file's folder and that of temporary files (TMPDIR).",
    ),
    ("does not exist", "Create it, or correct DATABASE_URL ([database] url)."),
    ("authentication", "Correct the user and password in DATABASE_URL ([database] url)."),
)


def _checked(given: str) -> URL:
    try:
        url = make_url(given)
    except (exc.ArgumentError, ValueError):
        # the text is not repeated: what cannot be read may still hold a password
        raise StoreError("The database address cannot be read; write it as {examples}.", examples=_EXAMPLES) from None
    kind = url.drivername.partition("+")[0]
    if kind in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise StoreError(
            "A database of the kind {kind!r} cannot be used; give {examples}.", kind=kind, examples=_EXAMPLES
        )
    if not url.database or ":memory:" in url.database or url.query.get("mode") == "memory":
        raise StoreError(
            "A SQLite database in memory is lost when it is needed; name a file, as in sqlite:///segmentry.db."
        )
    return url.set(drivername="sqlite+pysqlite")


def _with_timeout(url: URL) -> URL:
    has_timeout = "connect_timeout" in url.query
    return url if has_timeout else url.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say (see _begin_sqlite), not where pysqlite guesses
    connection.execute("PRAGMA foreign_keys = ON")
    # Readers then never wait for a writer. The file remembers it, so this asks first: changing it needs the file alone.
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("segmentry_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
