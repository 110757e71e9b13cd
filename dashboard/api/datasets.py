"""Routes of data sets: publish a run, roll back, and stable addresses of whatever run is published."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query, Request

from dashboard.api.answers import PAGE_LIMIT, Answer, Body, user
from dashboard.api.customers import customers_answer
from dashboard.api.download import Download
from dashboard.api.exports import EXPORT_DOCS, export_answer
from dashboard.api.selection import SELECTION_DOCS
from dashboard.exports.files import Format
from dashboard.pipeline.publish import publish_run, roll_back
from dashboard.queries.published import history, live
from dashboard.services import Services
from engines.errors import InputError


class NewPublication(Body):
    """A run to be published, and the reason; ``expected``: the run that the caller believes to be published."""

    run: int
    why: str
    expected: int | None = None


class Rollback(Body):
    """Why the run that was published before is published again; ``expected`` as for a publication."""

    why: str
    expected: int | None = None


def add_datasets(api: FastAPI, services: Services) -> None:
    """Add the routes of data sets, whose names may hold slashes."""
    store, config = services.store, services.config

    @api.post("/datasets/{name:path}/publish")
    def publish(request: Request, name: str, new: NewPublication) -> Answer:
        """Publish a finished run of a data set, whatever its checks say; answers as ``live``, with the checks."""
        run = store.run(new.run)
        if run.dataset != name:
            raise InputError(
                "Run {run} is of the data set {dataset}, not of {name}; name a run of it.",
                run=run.id,
                dataset=run.dataset,
                name=name,
            )
        publish_run(run.id, config, store, who=user(request), via="api", why=new.why, expected=new.expected)
        return Answer(live(store, name).to_dict())

    @api.post("/datasets/{name:path}/rollback")
    def back(request: Request, name: str, how: Rollback) -> Answer:
        """Publish the run again that was published before; answers as ``live``."""
        roll_back(name, store, who=user(request), via="api", why=how.why, expected=how.expected)
        return Answer(live(store, name).to_dict())

    @api.get("/datasets/{name:path}/live")
    def published(name: str) -> Answer:
        """The published run of a data set: what everybody works with, since when, by whom and why."""
        return Answer(live(store, name).to_dict())

    @api.get("/datasets/{name:path}/publications")
    def publications(name: str) -> Answer:
        """What was published of a data set, the latest first; runs that were deleted since are still in it."""
        return Answer(history(store, name))

    @api.get("/datasets/{name:path}/live/customers", openapi_extra=SELECTION_DOCS)
    def customers(
        request: Request,
        name: str,
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
        days: Annotated[int | None, Query(ge=1, le=3660)] = None,
    ) -> Answer:
        """Customers of the published run, as those of a run."""
        return customers_answer(services, request, live(store, name).run.id, limit, offset, days)

    @api.get("/datasets/{name:path}/live/export.{kind}", openapi_extra=EXPORT_DOCS)
    def export(request: Request, name: str, kind: Format) -> Download:
        """Customers of the published run that meet a selection as a file: csv, xlsx or parquet."""
        return export_answer(services, request, live(store, name).run.id, kind)

    @api.get("/datasets/{name:path}/live/export", openapi_extra=EXPORT_DOCS)
    def export_csv(request: Request, name: str) -> Download:
        """The same as CSV."""
        return export_answer(services, request, live(store, name).run.id, "csv")
