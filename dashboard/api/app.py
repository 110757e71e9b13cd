"""The REST API: what the pages show and do, for programs. Numbers are JSON numbers, what is not there is null."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

import numpy as np
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse

from dashboard.api.audiences import add_audiences
from dashboard.api.compare import add_compare
from dashboard.api.explain import add_drawers
from dashboard.api.exports import add_exports
from dashboard.api.runs import add_runs, full_run
from dashboard.api.segments import add_names
from dashboard.api.selection import SELECTION_DOCS, SELECTION_PARAMETERS, selection_of
from dashboard.api.snapshots import add_values
from dashboard.api.uploads import add_uploads
from dashboard.api.watch import add_watch
from dashboard.exports.files import column_order
from dashboard.frames.cache import finished
from dashboard.i18n.locales import speaking
from dashboard.i18n.retelling import retold
from dashboard.pipeline.choose_k import HIGH, LOW, Question, choose_k_of_snapshot
from dashboard.pipeline.request import user_of
from dashboard.pipeline.run import snapshot_dict
from dashboard.queries.insights import insight_dicts, insights_of
from dashboard.services import Services
from engines import registry
from engines.columns import COUNTRY, CUSTOMER_ID, SEGMENT, describe
from engines.errors import InputError
from storage.contract import NotFoundError, Snapshot, StoreError
from storage.contract.selection import REMOVED

__all__ = ["SELECTION_PARAMETERS", "create_api", "plain"]

PAGE_LIMIT = 10_000
_EPOCH = np.datetime64("1970-01-01")


def plain(value: Any) -> Any:
    """Values as JSON has them: dates as text, numpy's numbers as numbers, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, date | datetime) else value


def known_parameters(request: Request) -> None:
    """Refuse a query parameter that the route does not have: a filter that is misspelt must not select everyone."""
    route = request.scope["route"]
    known = {item.alias for item in route.dependant.query_params}
    known |= {item["name"] for item in (route.openapi_extra or {}).get("parameters", ())}
    for name in request.query_params:
        if name in REMOVED:
            raise HTTPException(400, REMOVED[name])
        if name not in known:
            allowed = f"it has {', '.join(sorted(known))}" if known else "it has none"
            raise HTTPException(400, f"There is no query parameter {name!r} here; {allowed}.")


def create_api(services: Services) -> FastAPI:
    """The API, to be mounted at ``/api/v1``."""
    api = FastAPI(
        title="Segmentry",
        description="Customer segments: engines, snapshots, runs, customers, exports, comparison and drift.",
        version="1",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
        dependencies=[Depends(known_parameters)],
    )
    _answer_errors(api, services.config.locale.language)
    _add_things(api, services)
    _add_customers(api, services)
    _add_findings(api, services)
    add_drawers(api, services, plain)
    add_audiences(api, services)
    add_names(api, services)
    add_runs(api, services, plain)
    add_values(api, services)
    add_exports(api, services, plain, _user)
    add_watch(api, services, plain, _user)
    add_compare(api, services, plain, _user, full_run)
    add_uploads(api, services)
    return api


def _answer_errors(api: FastAPI, language: str) -> None:
    """A sentence for people, in the language of the settings; programs go by the status."""

    def sentence(status: int, text: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
        with speaking(language):
            told = retold(text)
        return JSONResponse({"error": told}, status_code=status, headers=dict(headers or {}))

    @api.exception_handler(InputError)
    async def refused(request: Request, error: InputError) -> JSONResponse:
        return sentence(422, str(error))

    @api.exception_handler(NotFoundError)
    async def missing(request: Request, error: NotFoundError) -> JSONResponse:
        return sentence(404, str(error.args[0]) if error.args else "There is no such thing here.")

    @api.exception_handler(StoreError)
    async def unreachable(request: Request, error: StoreError) -> JSONResponse:
        return sentence(503, str(error))

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("query", "path", "body"))
        return sentence(422, f"{where or 'The request'}: {first['msg']}.")

    @api.exception_handler(StarletteHTTPException)
    async def other(request: Request, error: StarletteHTTPException) -> JSONResponse:
        return sentence(error.status_code, str(error.detail), error.headers)


def _add_things(api: FastAPI, services: Services) -> None:
    store = services.store

    @api.get("/engines")
    def engines() -> JSONResponse:
        """The engines with their settings, and plug-ins that could not be loaded."""
        names = ("name", "title", "summary", "origin", "error")
        return JSONResponse(
            plain(
                [
                    {**{name: getattr(item, name) for name in names}, "knobs": [knob.to_dict() for knob in item.knobs]}
                    for item in registry.registered()
                ]
            )
        )

    @api.get("/models")
    def models() -> JSONResponse:
        """The value models with what they answer and their settings, and plug-ins that could not be loaded."""
        from engines.value.registry import registered_models

        return JSONResponse(plain([item.to_dict() for item in registered_models()]))

    @api.get("/snapshots")
    def snapshots() -> JSONResponse:
        """Snapshots (customers as of a date), the newest first."""
        return JSONResponse(plain([_snapshot(item) for item in store.snapshots()]))

    @api.get("/snapshots/{snapshot_id}")
    def snapshot(snapshot_id: int) -> JSONResponse:
        """One snapshot with its ledger."""
        return JSONResponse(plain(_snapshot(store.snapshot(snapshot_id))))

    @api.get("/snapshots/{snapshot_id}/evaluate")
    def evaluation(
        snapshot_id: int,
        engine: str = "kmeans",
        low: Annotated[int, Query(alias="from")] = LOW,
        high: Annotated[int, Query(alias="to")] = HIGH,
        seed: Annotated[int | None, Query(ge=0)] = None,
        gap: bool = False,
    ) -> JSONResponse:
        """What speaks for each number of segments on the customers of a snapshot, and a recommendation."""
        question = Question(engine, low, high, seed, gap)
        return JSONResponse(plain(choose_k_of_snapshot(question, store.snapshot(snapshot_id), services).to_dict()))


def _add_customers(api: FastAPI, services: Services) -> None:
    store, frames = services.store, services.frames

    @api.get("/runs/{run_id}/segments")
    def segments(run_id: int) -> JSONResponse:
        """The segments of a finished run."""
        return JSONResponse(plain([asdict(item) for item in finished(store.run(run_id)).segments]))

    @api.get("/runs/{run_id}/customers", openapi_extra=SELECTION_DOCS)
    def customers(
        request: Request,
        run_id: int,
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> JSONResponse:
        """Customers that meet a selection, by customer id, ``limit`` at a time from ``offset`` on."""
        selection = selection_of(request)
        frame = frames.get(run_id)
        mask = frame.mask(selection)
        chosen = frame.page(mask, CUSTOMER_ID, False, offset, offset + limit)
        columns = {CUSTOMER_ID: frame.customers.ids.take(chosen).to_pylist()}
        columns[SEGMENT] = [frame.segments[code].name for code in frame.segment_codes[chosen]]
        for name, values in frame.customers.columns.items():
            columns[name] = _listed(name, values[chosen])
        columns |= {name: values.take(chosen).to_pylist() for name, values in frame.texts.items()}
        if frame.countries:
            columns[COUNTRY] = [frame.countries[code] if code >= 0 else None for code in frame.country_codes[chosen]]
        names = column_order(list(columns))
        rows = [dict(zip(names, row, strict=True)) for row in zip(*(columns[name] for name in names), strict=True)]
        total = int(np.count_nonzero(mask))
        following = offset + limit if offset + limit < total else None
        return JSONResponse({"total": total, "offset": offset, "next_offset": following, "customers": plain(rows)})


def _add_findings(api: FastAPI, services: Services) -> None:
    store = services.store

    @api.get("/runs/{run_id}/insights", openapi_extra=SELECTION_DOCS)
    def what_stands_out(request: Request, run_id: int) -> JSONResponse:
        """What stands out in a finished run, or among its customers that meet a selection."""
        found = insights_of(store, services.frames, run_id, selection_of(request))
        currency = services.frames.get(run_id).currency
        return JSONResponse(plain({"run": run_id, "insights": insight_dicts(found, currency)}))


# --- parts ----------------------------------------------------------------------------------------------------------


def _user(request: Request) -> str | None:
    return user_of(request.headers.get("authorization", ""))


def _snapshot(snapshot: Snapshot) -> dict[str, Any]:
    more = {name: getattr(snapshot, name) for name in ("source", "created_at", "info")}
    more["info"] = {name: item for name, item in more["info"].items() if name != "location"}  # the server's own affair
    return {**snapshot_dict(snapshot), **more}


def _listed(name: str, values: np.ndarray) -> list[Any]:
    """A column of a frame as JSON-ready values; frames keep dates as days since 1970 and yes as 1."""
    kind = describe(name).kind
    if kind == "flag" and values.dtype.kind == "i":
        return values.astype(bool).tolist()
    if kind != "date":
        return values.tolist()
    return [None if math.isnan(day) else str(_EPOCH + np.timedelta64(int(day), "D")) for day in values.tolist()]
