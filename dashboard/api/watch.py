"""Routes about drift, alerts, and migration between segments."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import FastAPI, Query, Request

from dashboard.api.answers import Answer, answer_question, user
from dashboard.api.download import Download, send
from dashboard.exports.files import Format, Stream
from dashboard.pipeline.answers import Question
from dashboard.pipeline.migrate import Between, between_dates, between_runs
from dashboard.pipeline.series import live_points_of
from dashboard.services import Services
from engines.errors import InputError

Since = Annotated[int | None, Query(description="An earlier run of the same data set and engine.")]
Start = Annotated[date | None, Query(alias="from", description="A day, where no earlier run is named.")]
End = Annotated[date | None, Query(alias="to", description="A later day; by default that of the run.")]

_DRIFT = (
    *("frozen_at", "refresh_months", "reason", "ages", "window_days", "recent_days", "asked_days", "segments"),
    "opening",
)


def add_watch(api: FastAPI, services: Services) -> None:
    """Add the routes of drift, alerts and migration."""
    store = services.store

    @api.get("/runs/{run_id}/drift")
    def drift(run_id: int) -> Answer:
        """The drift timeline of a run, the advice, and runs of its kind against the runs before them."""
        run = store.run(run_id)
        drift_info = run.info.get("drift") or {}
        live = live_points_of(store, run)
        answer = {
            "run": run_id,
            "threshold": services.config.drift.threshold,
            "shift": services.config.drift.shift,
            **{name: drift_info.get(name) for name in _DRIFT},
            "points": [asdict(item) for item in store.drift(run_id)],
            "live": [{"run": number, **asdict(item)} for number, item in live.items()],
        }
        return Answer(answer)

    @api.get("/alerts")
    def alerts(open: bool = False) -> Answer:
        """Alerts, the newest first; with ``open`` those that nobody has acknowledged."""
        return Answer([asdict(item) for item in store.alerts(open_only=open)])

    @api.post("/alerts/{alert_id}/acknowledge")
    def acknowledge(request: Request, alert_id: int) -> Answer:
        """Write down that an alert was seen; answers with the alert."""
        return Answer(asdict(store.acknowledge_alert(alert_id, who=user(request))))

    @api.get("/runs/{run_id}/migration")
    async def migration(run_id: int, since: Since = None, start: Start = None, end: End = None) -> Answer:
        """Who went where since an earlier run, or between two days of the run's source."""
        return Answer((await between(run_id, since, start, end)).to_dict())

    @api.get("/runs/{run_id}/movers.{kind}")
    async def movers(
        request: Request,
        run_id: int,
        kind: Format,
        since: Since = None,
        start: Start = None,
        end: End = None,
    ) -> Download:
        """The customers who changed segment, with those who are new or gone, as a file: csv, xlsx or parquet."""
        migration = await between(run_id, since, start, end)
        name = f"movers-{migration.start}-{migration.end}-run{run_id}.{kind}"
        about = {"list": "movers", "query": request.url.query}
        return await run_sync(
            lambda: send(Stream(migration.reader(), kind), store, run_id, name, user=user(request), about=about)
        )

    async def between(run_id: int, since: int | None, start: date | None, end: date | None) -> Between:
        def question() -> Question[Between]:
            if since is not None:
                return between_runs(since, run_id, store).question(services.config)
            if start is None:
                raise InputError("Name an earlier run with since=RUN, or a day with from=DAY.")
            last = end or store.run(run_id).as_of
            return between_dates(run_id, start, last, store).question(services.config)

        return await answer_question(question, services)
