"""What the store said a moment ago: pages that ask for the same runs several times in one view read them once."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.frames.cache import require_finished
from dashboard.pipeline.series import earlier_runs, run_per_date, under_other_rules
from dashboard.queries.which_run import engine_titles
from dashboard.services import Services
from storage.contract import Run


def finished_runs(services: Services, snapshot_id: int) -> list[Run]:
    """The finished runs of a snapshot, the newest first."""
    return services.finished.get(snapshot_id, lambda: services.store.runs(snapshot_id=snapshot_id, state="done"))


def recent_run(services: Services, run_id: int) -> Run:
    """A run.

    Raises:
        NotFoundError: there is no such run.
    """
    return services.runs.get(run_id, lambda: services.store.run(run_id))


def recent_runs(services: Services, run_ids: Sequence[int]) -> list[Run]:
    """Finished runs by number, in this order.

    Raises:
        NotFoundError: there is no such run, or it is not finished.
    """
    if not run_ids:
        return []
    by_id = {run.id: run for run in finished_runs(services, recent_run(services, run_ids[0]).snapshot_id)}
    return [require_finished(by_id.get(run_id) or recent_run(services, run_id)) for run_id in run_ids]


def recent_earlier_runs(services: Services, run: Run) -> list[Run]:
    """The runs that a run's key figures are compared with, as :func:`~dashboard.pipeline.series.earlier_runs`."""
    return services.earlier.get(run.id, lambda: earlier_runs(services.store, run))


def recent_under_other_rules(services: Services, run: Run) -> list[Run]:
    """The runs of other dates that were read by other rules, as ``under_other_rules`` of ``pipeline.series``."""
    return services.other_rules.get(run.id, lambda: under_other_rules(services.store, run))


def recent_run_per_date(services: Services, run: Run) -> list[Run]:
    """A run of the same series for each date, as :func:`~dashboard.pipeline.series.run_per_date`."""
    return services.per_date.get(run.id, lambda: run_per_date(services.store, run))


def titles(services: Services) -> dict[str, str]:
    """What every registered engine is called, by its name."""
    return services.titles.get(None, engine_titles)
