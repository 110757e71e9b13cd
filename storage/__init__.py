"""Where snapshots, runs, labels and jobs are kept: SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storage.sql.store import Store

__all__ = ["Store", "open_store"]


def open_store(url: str, *, clock: Callable[[], datetime], workspace: str = "default", migrate: bool = True) -> Store:
    """The store at a database URL, for one workspace, which is made if it is new.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/DATABASE`` (``postgres://`` is the same).
        clock: gives the present moment, with its time zone.
        workspace: whose snapshots and runs these are.
        migrate: bring the tables up to date first; otherwise tables that are not are an error.

    Raises:
        StoreError: the database cannot be reached or used; the message names it, without its password, and the remedy.
    """
    # here, so that importing the values (for --help, say) does not load SQLAlchemy and the database drivers
    from storage.migrations import check_schema, upgrade
    from storage.sql.database import Database
    from storage.sql.shared import workspace_id
    from storage.sql.store import Store

    database = Database(url)
    try:
        with database.guarded():
            upgrade(database) if migrate else check_schema(database)
            number = workspace_id(database, workspace, clock())
    except BaseException:
        database.close()
        raise
    return Store(database, number, clock)


def __getattr__(name: str) -> Any:
    """``storage.Store``, loaded when somebody asks for it."""
    if name == "Store":
        from storage.sql.store import Store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
