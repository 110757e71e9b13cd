"""Routes about uploads: upload a file, preview it, inspect it, make a snapshot of it, delete it."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import FileResponse, Response

from dashboard.api.answers import Answer, answer_question, user
from dashboard.exports.files import MEDIA_TYPES
from dashboard.pipeline.receive import receive
from dashboard.pipeline.uploads import (
    UploadRequest,
    dropped_question,
    keep,
    limits_of,
    preview_question,
    remove_upload,
    request_task,
)
from dashboard.services import Services
from storage.contract.uploads import Upload, UploadTask

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


def upload_dict(upload: Upload) -> dict[str, Any]:
    """An upload as JSON-ready values; where its file lies is nobody's business."""
    values = asdict(upload)
    del values["file"]
    return values


def add_uploads(api: FastAPI, services: Services) -> None:
    """Add the routes of uploads."""
    store, config = services.store, services.config

    def queue_task(request: Request, upload_id: int, task: UploadTask, request_body: UploadRequest) -> Upload:
        return request_task(upload_id, task, request_body, config, store, user(request))

    @api.post("/uploads", status_code=201, openapi_extra=_FORM)
    async def add(request: Request) -> Answer:
        """Upload a file of sales in the field ``file``; answers with the upload, and what it equals if it was here."""
        received = await receive(request.headers.get("content-type", ""), request.stream(), limits_of(config))
        upload, twin = await keep(received, config, store)
        return Answer({**upload_dict(upload), "same_as": twin}, status_code=201)

    @api.get("/uploads")
    def uploads() -> Answer:
        """The uploads, the newest first."""
        return Answer([upload_dict(item) for item in store.uploads()])

    @api.get("/uploads/{upload_id}")
    def upload(upload_id: int) -> Answer:
        """One upload: how far its task is, and what was found."""
        return Answer(upload_dict(store.upload(upload_id)))

    @api.post("/uploads/{upload_id}/preview")
    async def preview(upload_id: int, request_body: UploadRequest) -> Answer:
        """Its columns and first lines, what they seem to hold, and what has to be said before it can be read."""
        seen = await answer_question(lambda: preview_question(store.upload(upload_id), request_body, config), services)
        return Answer(seen.to_dict())

    @api.post("/uploads/{upload_id}/inspect", status_code=202)
    def inspect(request: Request, upload_id: int, request_body: UploadRequest) -> Answer:
        """Have all of it read and accounted for by a worker; what was found is then in ``found``."""
        return Answer(upload_dict(queue_task(request, upload_id, "inspect", request_body)), status_code=202)

    @api.get("/uploads/{upload_id}/dropped.csv", response_class=FileResponse)
    async def dropped(upload_id: int) -> FileResponse:
        """The lines that its last check left out, each with the rule and the reason, as a CSV file."""
        made = await answer_question(lambda: dropped_question(store.upload(upload_id), config), services)
        stem = re.sub(r"[^A-Za-z0-9]+", "-", store.upload(upload_id).name.partition(".")[0]).strip("-") or "sales"
        path = limits_of(config).folder / made.file
        return FileResponse(path, media_type=MEDIA_TYPES["csv"], filename=f"{stem}-dropped.csv")

    @api.post("/uploads/{upload_id}/snapshot", status_code=202)
    def snapshot(request: Request, upload_id: int, request_body: UploadRequest) -> Answer:
        """Have a snapshot made of it by a worker, with a run per engine; both are then in the upload."""
        return Answer(upload_dict(queue_task(request, upload_id, "store", request_body)), status_code=202)

    @api.post("/uploads/{upload_id}/cancel")
    def cancel(upload_id: int) -> Answer:
        """Take back what was asked for."""
        return Answer(upload_dict(store.cancel_upload(upload_id)))

    @api.delete("/uploads/{upload_id}", status_code=204)
    def forget(upload_id: int) -> Response:
        """Remove an upload with its file, unless a snapshot is read from it again; snapshots stay."""
        remove_upload(upload_id, config, store)
        return Response(status_code=204)
