"""What is done for each kind of job, in the child process of a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dashboard.clock import now
from dashboard.config import Config
from dashboard.pipeline.answers import CHOOSE_K, DROPPED, GOLDEN, HISTORY, MIGRATION, PREVIEW
from dashboard.pipeline.choose_k import choose_k_for_job
from dashboard.pipeline.fit import PastCache
from dashboard.pipeline.migrate import migration_for_job
from dashboard.pipeline.publish import publish_scheduled
from dashboard.pipeline.run import work_run
from dashboard.pipeline.sales import Progress
from dashboard.pipeline.segments_then import history_for_job
from dashboard.pipeline.upload_task import dropped_for_job, work_upload
from dashboard.pipeline.uploads import preview_for_job
from dashboard.pipeline.validate import golden_for_job
from dashboard.worker.schedules import finish_refresh, refresh
from engines.errors import InputError
from storage import Store, open_store
from storage.contract import Job
from storage.contract.jobs import REFRESH, RUN, UPLOAD

#: What is computed for a job, as JSON-ready values.
Compute = Callable[[Job, Config, Store, Progress], Mapping[str, Any]]

_COMPUTED: Mapping[str, Compute] = {
    PREVIEW: preview_for_job,
    DROPPED: dropped_for_job,
    CHOOSE_K: choose_k_for_job,
    MIGRATION: migration_for_job,
    HISTORY: history_for_job,
    GOLDEN: golden_for_job,
}


class Tasks:
    """Does jobs that were claimed, each to its end in the store."""

    def __init__(self, config: Config, progress: Progress, store: Store | None = None) -> None:
        self._config, self._progress = config, progress
        self._store = store
        self._past = PastCache()

    def do(self, job: Job) -> None:
        """Do a job; what the user can mend is written down with it.

        Raises:
            LostError: the job was cancelled or taken over meanwhile; nothing is stored.
            NotFoundError: what it is about is gone.
            StoreError: the database cannot be used.
        """
        if self._store is None:
            self._store = open_store(
                self._config.database.url, clock=now, migrate=False, objects=self._config.objects.settings
            )
        config, store, progress = self._config, self._store, self._progress
        if job.kind == RUN and job.subject is not None:
            work_run(store.run(job.subject), config, store, progress, worker=job.worker, past=self._past)
            publish_scheduled(job.subject, config, store)
        elif job.kind == UPLOAD and job.subject is not None:
            done = work_upload(store.upload(job.subject), config, store, progress)
            if done.error is not None:
                store.fail_job(job.id, job.worker, done.error)
            else:
                report, snapshot, runs = done.report, done.snapshot_id, done.runs
                store.finish_upload(job.id, job.worker, report=report, snapshot_id=snapshot, runs=runs)
        elif job.kind == REFRESH:
            refresh(job, config, store, progress)
        else:
            try:
                result = _COMPUTED[job.kind](job, config, store, progress)
            except InputError as error:
                store.fail_job(job.id, job.worker, error.message)
            else:
                store.finish_job(job.id, job.worker, result)


def fail(job: Job, why: str, config: Config, store: Store) -> None:
    """Write down that a job failed for good."""
    if job.kind == REFRESH:
        finish_refresh(job, store, error=why)
    else:
        store.fail_job(job.id, job.worker, why)
        if job.kind == RUN and job.subject is not None:
            publish_scheduled(job.subject, config, store)
