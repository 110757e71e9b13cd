"""Routes about the customers of a run: all that meet a selection, and everything about one of them."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, Query, Request

from dashboard.api.answers import PAGE_LIMIT, Answer
from dashboard.api.selection import SELECTION_DOCS, query_selection
from dashboard.frames.run import RunFrame
from dashboard.queries.chance import buys_within
from dashboard.queries.customer import orders_dict, purchases_dict, returned_everything, segments_dict
from dashboard.queries.explain import explain
from dashboard.services import Services
from engines.columns import COUNTRY, CUSTOMER_ID, SEGMENT, describe, in_order
from storage.contract.selection import NO_FUTURE_SPEND

_EPOCH = np.datetime64("1970-01-01")


def add_customers(api: FastAPI, services: Services) -> None:
    """Add the routes of customers."""

    @api.get("/runs/{run_id}/customers", openapi_extra=SELECTION_DOCS)
    def customers(
        request: Request,
        run_id: int,
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
        days: Annotated[int | None, Query(ge=1, le=3660)] = None,
    ) -> Answer:
        """Customers that meet a selection, by customer id, ``limit`` at a time from ``offset`` on.

        With ``days`` each has ``buys_within``: the chance of a purchase within so many days of the snapshot.
        Where nobody does and ``q`` is the id of somebody who returned everything, ``returned_everything`` has them.
        """
        return customers_answer(services, request, run_id, limit, offset, days)

    @api.get("/runs/{run_id}/customers/{customer_id:path}/explain")
    def why(run_id: int, customer_id: str) -> Answer:
        """Why a customer is in its segment."""
        return Answer(explain(run_id, customer_id, services.frames, services.store))

    @api.get("/runs/{run_id}/customers/{customer_id:path}/orders")
    def orders(run_id: int, customer_id: str) -> Answer:
        """The orders of a customer up to the date of a run, the oldest first; what came back is below zero."""
        return Answer(orders_dict(services, run_id, customer_id))

    @api.get("/runs/{run_id}/customers/{customer_id:path}/purchases")
    def purchases(
        run_id: int,
        customer_id: str,
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> Answer:
        """What a customer bought and returned up to the date of a run, line by line, the oldest first.

        ``limit`` at a time from ``offset`` on. Quantity and amount of what came back are below zero; ``price`` is the
        amount of one.
        """
        return Answer(purchases_dict(services, run_id, customer_id, offset, limit))

    @api.get("/runs/{run_id}/customers/{customer_id:path}/segments")
    def segments_of_customer(run_id: int, customer_id: str) -> Answer:
        """The segments a customer was in, date by date, in the runs of the same data set and engine."""
        return Answer(segments_dict(services, run_id, customer_id))


def customers_answer(
    services: Services, request: Request, run_id: int, limit: int, offset: int, days: int | None
) -> Answer:
    """The customers of a run that meet the selection of a request, ``limit`` at a time from ``offset`` on."""
    selection = query_selection(request)
    frame = services.frames.get(run_id)
    mask = frame.mask(selection)
    positions = frame.page(mask, CUSTOMER_ID, False, offset, offset + limit)
    rows = _rows(frame, positions)
    if days is not None:
        run = services.store.run(run_id)
        chances = buys_within(frame, services.store.snapshot(run.snapshot_id).info.get("value") or {}, days)
        for row, chance in zip(rows, chances[positions], strict=True):
            row["buys_within"] = None if math.isnan(chance) else float(chance)
    total = int(np.count_nonzero(mask))
    following = offset + limit if offset + limit < total else None
    old = any(name.endswith("_future_spend") for name in request.query_params)
    note = {"note": NO_FUTURE_SPEND} if old else {}
    answer = {"total": total, "offset": offset, "next_offset": following, "customers": rows, **note}
    if not total and selection.q and (found := returned_everything(services, frame.run, selection.q.strip())):
        answer["returned_everything"] = [found._asdict()]
    return Answer(answer)


def _rows(frame: RunFrame, positions: np.ndarray) -> list[dict[str, Any]]:
    """The customers at some positions of a frame, with every column in the order of an export."""
    columns = {CUSTOMER_ID: frame.customers.ids.take(positions).to_pylist()}
    columns[SEGMENT] = [frame.segments[code].name for code in frame.segment_codes[positions]]
    for name, values in frame.customers.columns.items():
        columns[name] = _listed(name, values[positions])
    columns |= {name: values.take(positions).to_pylist() for name, values in frame.texts.items()}
    if frame.countries:
        columns[COUNTRY] = [frame.countries[code] if code >= 0 else None for code in frame.country_codes[positions]]
    names = in_order(list(columns))
    return [dict(zip(names, row, strict=True)) for row in zip(*(columns[name] for name in names), strict=True)]


def _listed(name: str, values: np.ndarray) -> list[Any]:
    """A column of a frame as JSON-ready values; frames keep dates as days since 1970 and yes as 1."""
    kind = describe(name).kind
    listed: list[Any] = (values.astype(bool) if kind == "flag" and values.dtype.kind == "i" else values).tolist()
    if kind != "date":
        return listed
    return [None if math.isnan(day) else str(_EPOCH + np.timedelta64(int(day), "D")) for day in listed]
