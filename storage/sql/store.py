"""The store of one workspace, on SQLite or PostgreSQL."""

from __future__ import annotations

from storage.sql.audiences import AudienceVerbs
from storage.sql.customers import CustomerVerbs
from storage.sql.edits import EditVerbs
from storage.sql.exports import ExportVerbs
from storage.sql.publications import PublicationVerbs
from storage.sql.schedules import ScheduleVerbs
from storage.sql.uploads import UploadVerbs
from storage.sql.watch import WatchVerbs


class Store(
    CustomerVerbs,
    EditVerbs,
    WatchVerbs,
    UploadVerbs,
    ScheduleVerbs,
    AudienceVerbs,
    ExportVerbs,
    PublicationVerbs,
):
    """The store of one workspace, which sees nothing of another; made by :func:`storage.open_store`.

    Every method is one transaction, or invisible until it is complete. A finished run never changes. Methods may be
    called from many threads and processes. What is not there raises ``NotFoundError``, a database that cannot be used
    ``StoreError``. A published run, and its snapshot, cannot be deleted: ``PublishedError``.
    """

    def close(self) -> None:
        """Give back what the store holds open."""
        self._database.close()
