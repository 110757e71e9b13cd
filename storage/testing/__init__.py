"""What every store must do, as tests: inherit :class:`StoreContract` and give it a store to try (needs pytest)."""

from storage.testing.customers import CustomerChecks
from storage.testing.desk import DeskChecks
from storage.testing.exports import ExportChecks
from storage.testing.jobs import JobChecks
from storage.testing.names import NameChecks
from storage.testing.orders import OrderChecks
from storage.testing.runs import RunChecks
from storage.testing.schedules import ScheduleChecks
from storage.testing.snapshots import SnapshotChecks
from storage.testing.uploads import UploadChecks
from storage.testing.watch import WatchChecks
from storage.testing.workspaces import WorkspaceChecks

__all__ = ["StoreContract"]


class StoreContract(
    SnapshotChecks,
    RunChecks,
    JobChecks,
    NameChecks,
    CustomerChecks,
    ScheduleChecks,
    UploadChecks,
    DeskChecks,
    ExportChecks,
    OrderChecks,
    WatchChecks,
    WorkspaceChecks,
):
    """Inherit it in a class named ``Test...`` that has three fixtures.

    ``store``: a store of an empty workspace. ``clock``: the :class:`~storage.testing.samples.Clock` it was opened with.
    ``elsewhere``: a store on the same database, with the same clock, of another empty workspace.
    """
