"""The part of the REST API that tells all about one customer or one segment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.responses import JSONResponse

from dashboard.queries.customer import orders_dict, segments_dict
from dashboard.queries.explain import explain
from dashboard.queries.segment import story
from dashboard.services import Services


def add_drawers(api: FastAPI, services: Services, plain: Callable[[Any], Any]) -> None:
    """Add the routes of why, orders, segments over time, and one segment."""

    @api.get("/runs/{run_id}/customers/{customer_id:path}/explain")
    def why(run_id: int, customer_id: str) -> JSONResponse:
        """Why a customer is in its segment."""
        return JSONResponse(plain(explain(run_id, customer_id, services.frames, services.store)))

    @api.get("/runs/{run_id}/customers/{customer_id:path}/orders")
    def orders(run_id: int, customer_id: str) -> JSONResponse:
        """The orders of a customer up to the date of a run, the oldest first; what came back is below zero."""
        return JSONResponse(plain(orders_dict(services, run_id, customer_id)))

    @api.get("/runs/{run_id}/customers/{customer_id:path}/segments")
    def segments_of_customer(run_id: int, customer_id: str) -> JSONResponse:
        """The segments a customer was in, date by date, in the runs of the same data set and engine."""
        return JSONResponse(plain(segments_dict(services, run_id, customer_id)))

    @api.get("/runs/{run_id}/segments/{key}")
    def segment(run_id: int, key: int) -> JSONResponse:
        """One segment: who they are, rule in words, figures, countries, categories, who came and who left."""
        return JSONResponse(plain(story(services, run_id, key).to_dict()))
