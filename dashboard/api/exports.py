"""Routes that export lists of customers, and the record of exports."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, Query, Request

from dashboard.api.answers import PAGE_LIMIT, Answer, user
from dashboard.api.download import Download, send
from dashboard.api.selection import SELECTION_PARAMETERS, openapi_parameters, query_selection
from dashboard.exports.choices import CHOICE_PARAMETERS, Choices, customer_list
from dashboard.exports.files import Format
from dashboard.exports.manifest import file_name, manifest
from dashboard.frames.cache import require_finished
from dashboard.services import Services
from storage.contract import Run, Selection

EXPORT_DOCS = openapi_parameters({**SELECTION_PARAMETERS, **CHOICE_PARAMETERS})


def add_exports(api: FastAPI, services: Services) -> None:
    """Add the routes of lists, and of the record of exports."""
    store = services.store

    @api.get("/runs/{run_id}/export.{kind}", openapi_extra=EXPORT_DOCS)
    def export(request: Request, run_id: int, kind: Format) -> Download:
        """All customers that meet a selection as a file: csv, xlsx or parquet."""
        return export_answer(services, request, run_id, kind)

    @api.get("/exports")
    def exports(
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100, before: Annotated[int | None, Query(ge=1)] = None
    ) -> Answer:
        """Lists that were exported, the newest first, those before export ``before``; they outlast their runs."""
        return Answer([asdict(item) for item in store.exports(limit=limit, before=before)])

    @api.get("/exports/{export_id}")
    def one(export_id: int) -> Answer:
        """One list that was exported."""
        return Answer(asdict(store.export(export_id)))

    @api.get("/exports/{export_id}/manifest")
    def its_manifest(export_id: int) -> Answer:
        """What is in an exported file and how to know it again, to be kept beside it."""
        export = store.export(export_id)
        headers = {"Content-Disposition": f'attachment; filename="{file_name(export)}.manifest.json"'}
        return Answer(manifest(export), headers=headers)


def export_answer(services: Services, request: Request, run_id: int, kind: Format) -> Download:
    """The customers of a run that meet the selection of a request as a file; it is on record from here on."""
    store = services.store
    selection, choices = query_selection(request), Choices.from_query(request.query_params.multi_items())
    run = require_finished(store.run(run_id))
    return send(
        customer_list(store, run_id, selection, kind, choices),
        store,
        run_id,
        _list_name(run, selection, choices, kind),
        selection=selection,
        user=user(request),
        control=choices.control,
        about={"list": "customers", "query": urlencode(choices.to_query())},
    )


def _list_name(run: Run, selection: Selection, choices: Choices, kind: str) -> str:
    """A name that says what is inside, in ASCII whatever the data set is called."""
    dataset = re.sub(r"[^a-z0-9]+", "-", run.dataset.lower()).strip("-")[:60] or "customers"
    part = "" if selection.is_everyone else "-selection"
    if choices.control is not None:
        part += {"all": "", "campaign": "-campaign", "control": "-control-group"}[choices.control.part]
    return f"{dataset}-{run.as_of.isoformat()}-{run.engine}-run{run.id}{part}.{kind}"
