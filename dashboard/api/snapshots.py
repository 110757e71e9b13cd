"""The part of the REST API that tells how well the value models foresaw a past that is over."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.responses import JSONResponse

from dashboard.pipeline.sales import RECEIPT
from dashboard.services import Services
from storage.contract import NotFoundError


def add_values(api: FastAPI, services: Services) -> None:
    """Add the route that answers with the receipt of a snapshot's value models."""

    @api.get("/snapshots/{snapshot_id}/validation")
    def validation(snapshot_id: int) -> JSONResponse:
        """The receipt of the value models: every model and naive guess on days it had not seen."""
        kept = services.store.validations(snapshot_id)
        receipt = next((item.receipt for item in kept if item.name == RECEIPT), None)
        if receipt is None:
            raise NotFoundError(
                f"Snapshot {snapshot_id} has no receipt: its sales were too short for a test, or it was made before "
                "there were receipts. Read longer sales, or read them again."
            )
        return JSONResponse(dict(receipt))
