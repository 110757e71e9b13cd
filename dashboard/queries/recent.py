"""What the store said a moment ago: pages that ask for the same runs several times in one view read them once."""

from __future__ import annotations

from time import monotonic

from dashboard.queries.which_run import engine_titles
from dashboard.services import Services
from storage.contract import NotFoundError, Run

_MOMENT = 2.0  # seconds: a name that somebody else has given just now can wait so long
_WHILE = 60.0  # seconds: packages are seldom installed


def finished_runs(services: Services, snapshot_id: int) -> list[Run]:
    """The finished runs of a snapshot, the newest first, as of a moment ago at the latest."""

    def read() -> list[Run]:
        return [run for run in services.store.runs(snapshot_id=snapshot_id) if run.state == "done"]

    return services.finished.get((snapshot_id, int(monotonic() // _MOMENT)), read)


def recent_run(services: Services, run_id: int) -> Run:
    """A run as of a moment ago at the latest.

    Raises:
        NotFoundError: there is no such run.
    """
    return services.runs.get((run_id, int(monotonic() // _MOMENT)), lambda: services.store.run(run_id))


def recent_runs(services: Services, run_ids: list[int]) -> list[Run]:
    """Finished runs by number, in this order, as of a moment ago at the latest.

    Raises:
        NotFoundError: there is no such run, or it is not finished.
    """
    if not run_ids:
        return []
    known = {run.id: run for run in finished_runs(services, recent_run(services, run_ids[0]).snapshot_id)}
    found = [known.get(run_id) or recent_run(services, run_id) for run_id in run_ids]
    for run in found:
        if run.state != "done":
            raise NotFoundError(f"Run {run.id} is {run.state}; only a finished run has customers in segments.")
    return found


def titles(services: Services) -> dict[str, str]:
    """What every registered engine is called, by its name, as of a minute ago at the latest."""
    return services.titles.get(int(monotonic() // _WHILE), engine_titles)
