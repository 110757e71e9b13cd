"""Routes about drift, alerts, and migration between segments."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import FastAPI, Query, Request

from dashboard.api.answers import Answer, user
from dashboard.api.download import Download, send
from dashboard.exports.files import Format, Stream
from dashboard.pipeline.migrate import Between, between_dates, between_runs
from dashboard.services import Services
from engines.errors import InputError

Since = Annotated[int | None, Query(description="An earlier run of the same data set and engine.")]
Start = Annotated[date | None, Query(alias="from", description="A day, where no earlier run is named.")]
End = Annotated[date | None, Query(alias="to", description="A later day; by default that of the run.")]


def add_watch(api: FastAPI, services: Services) -> None:
    """Add the routes of drift, alerts and migration."""
    store = services.store

    @api.get("/runs/{run_id}/drift")
    def drift(run_id: int) -> Answer:
        """The drift timeline of a run, the advice, and runs of its kind against the runs before them."""
        run = store.run(run_id)
        kept = run.info.get("drift") or {}
        live = store.live_points(run.dataset, run.engine)
        answer = {
            "run": run_id,
            "threshold": services.config.drift.threshold,
            **{name: kept.get(name) for name in ("frozen_at", "refresh_months", "reason", "segments", "opening")},
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
    def migration(run_id: int, since: Since = None, start: Start = None, end: End = None) -> Answer:
        """Who went where since an earlier run, or between two days of the run's source."""
        return Answer(_between(run_id, since, start, end, services).to_dict())

    @api.get("/runs/{run_id}/movers.{kind}")
    def movers(
        request: Request,
        run_id: int,
        kind: Format,
        since: Since = None,
        start: Start = None,
        end: End = None,
    ) -> Download:
        """The customers who changed segment, with those who are new or gone, as a file: csv, xlsx or parquet."""
        found = _between(run_id, since, start, end, services)
        name = f"movers-{found.start}-{found.end}-run{run_id}.{kind}"
        stream = Stream(found.reader(), kind)
        about = {"list": "movers", "query": request.url.query}
        return send(stream, store, run_id, name, user=user(request), about=about)


def _between(run_id: int, since: int | None, start: date | None, end: date | None, services: Services) -> Between:
    if since is not None:
        return between_runs(since, run_id, services)
    if start is None:
        raise InputError("Name an earlier run with since=RUN, or a day with from=DAY.")
    return between_dates(run_id, start, end or services.store.run(run_id).as_of, services)
