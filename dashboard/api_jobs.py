"""The part of the REST API that stops runs which are not finished yet."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.responses import JSONResponse

from dashboard.runner import run_dict
from dashboard.services import Services


def add_jobs(api: FastAPI, services: Services) -> None:
    """Add the route that cancels a run."""

    @api.post("/runs/{run_id}/cancel")
    def cancel(run_id: int) -> JSONResponse:
        """Cancel a queued or running run; answers with the run."""
        return JSONResponse(run_dict(services.store.cancel_run(run_id)))
