"""Routes about runs: start, list, follow, cancel, repeat and delete them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any, Literal

from fastapi import FastAPI, Request
from pydantic import Field

from dashboard.api.answers import Answer, Body, user
from dashboard.pipeline.request import AUTO, RunRequest, Wish, queue_runs, repeat_run, snapshot_on
from dashboard.pipeline.run import run_dict
from dashboard.pipeline.series import published_ids
from dashboard.queries.progress import log_of, seconds_left
from dashboard.services import Services
from engines import registry
from engines.errors import InputError
from storage.contract import Run, Starter


class AskedEngine(Body):
    """An engine with its settings; ``k`` may be "auto"."""

    engine: str
    settings: dict[str, Any] = Field(default_factory=dict)


class NewRun(Body):
    """Runs to be queued: one engine or several, on a snapshot or on a data set as of a date.

    ``k`` ("auto" for one that the worker chooses) and ``seed`` are for every engine that has such a setting.
    """

    snapshot: int | None = None
    dataset: str | None = None
    as_of: date | None = Field(default=None, strict=False)
    engine: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    engines: list[str | AskedEngine] = Field(default_factory=list)
    k: int | Literal["auto"] | None = None
    seed: int | None = None

    def request(self, services: Services) -> RunRequest:
        """What is asked for.

        Raises:
            InputError: it says too little or contradicts itself, or there is no such engine or data set.
        """
        if (self.engine is None) == (not self.engines):
            raise InputError('Name one "engine" with its "settings", or a list of "engines".')
        if self.settings and self.engine is None:
            raise InputError('"settings" go with "engine"; in a list each engine has its own.')
        if (self.snapshot is None) == (self.dataset is None):
            raise InputError('Name a "snapshot" by its number, or a "dataset" (with "as_of" for a date).')
        snapshot, as_of = self.snapshot, self.as_of
        if snapshot is None:
            snapshot, as_of = snapshot_on(str(self.dataset), as_of, services.store)
        one = [AskedEngine(engine=self.engine, settings=self.settings)] if self.engine is not None else []
        listed = [AskedEngine(engine=item) if isinstance(item, str) else item for item in self.engines]
        return RunRequest(snapshot, tuple(self._wish(item) for item in one + listed), as_of)

    def _wish(self, requested: AskedEngine) -> Wish:
        defaults = registry.engine(requested.engine, {}).settings()
        common = {"k": self.k, "seed": self.seed}
        given = {name: value for name, value in common.items() if value is not None and name in defaults}
        if self.k == AUTO and "k" not in defaults and self.engine is not None:
            given = {"k": AUTO}  # asked of this engine alone, so that it has to say that it cannot
        return Wish(requested.engine, {**given, **requested.settings})


class RunNote(Body):
    """A note on a run, of at most 500 characters, and its tags; what is null or left out stays."""

    note: str | None = None
    tags: list[str] | None = None


class Again(Body):
    """How a run is repeated: on its own snapshot, or on that of the latest date of its data set."""

    newest: bool = False


def full_run(run: Run) -> dict[str, Any]:
    """A run with its moments, as JSON-ready values but for the dates."""
    return {**run_dict(run), **{name: getattr(run, name) for name in ("created_at", "finished_at", "fitted_on")}}


def add_runs(api: FastAPI, services: Services) -> None:
    """Add the routes of runs."""
    store = services.store

    def queued(runs: tuple[Run, ...]) -> Answer:
        headers = {"Location": f"/api/v1/runs/{runs[0].id}"}
        return Answer(full_run(runs[0]), status_code=202, headers=headers)

    def starter(request: Request) -> Starter:
        return Starter("api", user(request))

    @api.get("/runs")
    def runs(snapshot: int | None = None) -> Answer:
        """Runs, those made last first; of one snapshot where it is named."""
        published = published_ids(store)
        listed = store.runs(snapshot_id=snapshot)
        return Answer([{**full_run(item), "published": item.id in published} for item in listed])

    @api.post("/runs", status_code=202)
    def new_run(request: Request, new: NewRun) -> Answer:
        """Queue a run, or one per engine, for a worker."""
        made = queue_runs(new.request(services), store, starter(request))
        if new.engine is not None:
            return queued(made)
        return Answer({"runs": [full_run(item) for item in made]}, status_code=202)

    @api.get("/runs/{run_id}")
    def run(run_id: int) -> Answer:
        """One run with its state, progress, log, about how long it still takes, metrics and segments."""
        stored = store.run(run_id)
        customers = {item.id: item.customers for item in store.snapshots()} if stored.state == "running" else {}
        earlier = store.runs(engine=stored.engine, state="done") if stored.state == "running" else []
        left = seconds_left(stored, services.clock(), earlier, customers)
        log = [moment._asdict() for moment in log_of(stored, store.job_log(stored.job_id))]
        more = {"started_at": stored.started_at, "seconds_left": left, "log": log}
        more["published"] = run_id in published_ids(store)
        return Answer({**full_run(stored), **more})

    @api.patch("/runs/{run_id}")
    def write_note(run_id: int, edit: RunNote) -> Answer:
        """Write a note on a run and give it tags; answers with the run."""
        return Answer(full_run(store.set_run_note(run_id, note=edit.note, tags=edit.tags)))

    @api.get("/runs/{run_id}/dependents")
    def dependents(run_id: int) -> Answer:
        """What would go with a run if it were deleted, in numbers; exports stay on record."""
        return Answer(asdict(store.dependents(run_id)))

    @api.post("/runs/{run_id}/cancel")
    def cancel(run_id: int) -> Answer:
        """Cancel a queued or running run; answers with the run."""
        return Answer(run_dict(store.cancel_run(run_id)))

    @api.post("/runs/{run_id}/rerun", status_code=202)
    def rerun(request: Request, run_id: int, how: Again | None = None) -> Answer:
        """Queue a run with the same settings, on the same snapshot or on that of the latest date of its data set."""
        newest = how is not None and how.newest
        return queued((repeat_run(store.run(run_id), store, starter(request), newest=newest),))

    @api.delete("/runs/{run_id}")
    def delete(run_id: int) -> Answer:
        """Delete a run with its labels, drift points, names and alerts; answers with how many of each went.

        The published run of a data set is refused with 409.
        """
        gone = store.dependents(run_id)
        store.delete_run(run_id)
        return Answer({"deleted": run_id, **asdict(gone)})
