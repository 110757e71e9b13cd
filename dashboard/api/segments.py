"""The part of the REST API that changes names, actions and pins of segments by hand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse

from dashboard.i18n.retelling import reason_of
from dashboard.pipeline.rename import rename
from dashboard.services import Services
from storage.contract import ChangedError


class SegmentEdit(BaseModel):
    """An edit of a segment; what is null or left out stays as it is. ``revision`` is that of the segment as seen."""

    model_config = ConfigDict(extra="forbid", strict=True)

    revision: int
    name: str | None = None
    action: str | None = None
    pinned: bool | None = None


def add_names(api: FastAPI, services: Services) -> None:
    """Add the route that edits a segment, and the answer to an edit that comes too late."""

    @api.exception_handler(ChangedError)
    async def too_late(request: Request, error: ChangedError) -> JSONResponse:
        return JSONResponse({"error": reason_of(error, services.config.locale.language)}, status_code=409)

    @api.patch("/runs/{run_id}/segments/{key}")
    def edit_segment(run_id: int, key: int, edit: SegmentEdit) -> JSONResponse:
        """Give a segment a name and an action by hand, and pin them; answers with the segment."""
        values: dict[str, Any] = edit.model_dump()
        run = rename(services, run_id, key, **values)
        found = next(item for item in run.segments if item.key == key)
        # means can be unknown, which JSON writes as null
        return JSONResponse({name: None if item != item else item for name, item in asdict(found).items()})
