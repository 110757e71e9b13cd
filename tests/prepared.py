"""New databases that have the tables already: the steps to them take longer than most tests of what is in them.

``test_migrations.py`` and ``test_opening.py`` of the store are about those steps, and begin with an empty database.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from storage.migrations import upgrade
from storage.sql.database import Database


def make_tables(url: str) -> None:
    """The tables of today, in an empty database, and nothing in them."""
    database = Database(url)
    upgrade(database)
    database.close()


@cache
def _tables() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        make_tables(f"sqlite:///{path}")
        return path.read_bytes()


def prepared(url: str) -> str:
    """The URL of a database; a SQLite file that does not exist yet is made with the tables in it."""
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not path.exists():
        path.write_bytes(_tables())
    return url
