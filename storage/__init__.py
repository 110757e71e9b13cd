"""Where snapshots, runs, labels and jobs are kept: SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from storage.contract.objects import BESIDE, ObjectSettings

if TYPE_CHECKING:
    from storage.sql.store import Store

__all__ = ["Store", "open_store"]


def open_store(
    url: str,
    *,
    clock: Callable[[], datetime],
    workspace: str = "default",
    migrate: bool = True,
    objects: ObjectSettings = BESIDE,
) -> Store:
    """The store at a database URL, for one workspace, which is made if it is new.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/DATABASE`` (``postgres://`` is the same).
        clock: gives the present moment, with its time zone.
        workspace: whose snapshots and runs these are.
        migrate: bring the tables up to date first; otherwise tables that are not are an error.
        objects: where sales and models are kept, beside the database.

    Raises:
        StoreError: the database cannot be reached or used; the message names it, without its password, and the remedy.
            Or the address of the object store cannot be used.
    """
    # here, so that importing the values (for --help, say) does not load SQLAlchemy and the database drivers
    from storage.migrations import check_schema, upgrade
    from storage.objects import ObjectStore
    from storage.sql.database import Database
    from storage.sql.shared import workspace_of
    from storage.sql.store import Store

    database = Database(url)
    try:
        with database.guarded():
            upgrade(database) if migrate else check_schema(database)
            number, folder = workspace_of(database, workspace, clock())
        kept = ObjectStore(objects, database.folder, folder)
    except BaseException:
        database.close()
        raise
    return Store(database, number, clock, kept)


def __getattr__(name: str) -> Any:
    """``storage.Store``, loaded when somebody asks for it."""
    if name == "Store":
        from storage.sql.store import Store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
