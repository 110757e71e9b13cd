"""How the tables come to be and change: each revision is a step up, and a step back down.

The steps are found from the installed package; no ``alembic.ini`` is needed.
"""

from __future__ import annotations

from functools import cache

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from storage.contract import StoreError
from storage.sql.database import Database
from storage.sql.tables import Base

# held while tables change, so that of two programs that start at once one waits; the number says "Segm"
_LOCK = 0x5365676D


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the tables up to a revision.

    Raises:
        StoreError: the tables were made by a later version of Segmentry, or are someone else's.
    """
    if revision == "head":
        with database.engine.connect() as connection:
            if not _behind(connection, database):
                return
    with database.begin() as connection:
        _alone(connection)
        if _behind(connection, database) or revision != "head":
            _refuse_strangers(connection, database)
            command.upgrade(_config(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the tables back to a revision, ``base`` being none at all."""
    with database.begin() as connection:
        _alone(connection)
        command.downgrade(_config(connection), revision)


def check_schema(database: Database) -> None:
    """Make sure that the tables are up to date.

    Raises:
        StoreError: they are not.
    """
    with database.engine.connect() as connection:
        if _behind(connection, database):
            raise StoreError(
                "The database {shown} has no tables of this version of Segmentry; run `segmentry serve`, "
                "or any other command that may change them, once.",
                shown=database.shown,
            )


def _behind(connection: Connection, database: Database) -> bool:
    current = set(MigrationContext.configure(connection).get_current_heads())
    revisions, heads = _revisions()
    if not current <= revisions:
        raise StoreError(
            "The database {shown} was made by a later version of Segmentry; install that.", shown=database.shown
        )
    return current != heads


@cache
def _revisions() -> tuple[frozenset[str], frozenset[str]]:
    """All revisions and the newest, as installed: reading the files takes longer than asking the database."""
    script = ScriptDirectory.from_config(_settings())
    return frozenset(step.revision for step in script.walk_revisions()), frozenset(script.get_heads())


def _refuse_strangers(connection: Connection, database: Database) -> None:
    """A retailer's own database may well have a table of customers: it is left alone."""
    if not MigrationContext.configure(connection).get_current_heads():
        theirs = sorted(set(inspect(connection).get_table_names()) & set(Base.metadata.tables))
        if theirs:
            raise StoreError(
                "The database {shown} has a table {theirs} that is not Segmentry's; give Segmentry a "
                "database (or a schema, by search_path) of its own.",
                shown=database.shown,
                theirs=theirs[0],
            )


def _alone(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # SQLite's writing transaction is alone already
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _settings() -> Config:
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _config(connection: Connection) -> Config:
    config = _settings()
    config.attributes["connection"] = connection
    return config
