"""New databases that have the tables already: the steps to them take longer than most tests of what is in them.

``test_migrations.py`` and ``test_opening.py`` of the store are about those steps, and begin with an empty database.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from storage.migrations import upgrade
from storage.objects import FOLDER
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


def copy_store(database: Path, target: Path) -> Path:
    """A copy of a SQLite file with the files that it refers to, as they lie beside it."""
    objects = database.with_name(FOLDER)
    if objects.exists():
        shutil.copytree(objects, target.with_name(FOLDER), dirs_exist_ok=True)
    return Path(shutil.copy(database, target))


def prepared(url: str) -> str:
    """The URL of a database; a SQLite file that does not exist yet is made with the tables in it."""
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not path.exists():
        path.write_bytes(_tables())
    return url
