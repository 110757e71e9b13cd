"""The REST API: what the pages show and do, for programs. Numbers are JSON numbers, what is not there is null."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse

from dashboard.api.audiences import add_audiences
from dashboard.api.compare import add_compare
from dashboard.api.customers import add_customers
from dashboard.api.datasets import add_datasets
from dashboard.api.exports import add_exports
from dashboard.api.runs import add_runs
from dashboard.api.segments import add_segments
from dashboard.api.snapshots import add_snapshots
from dashboard.api.uploads import add_uploads
from dashboard.api.watch import add_watch
from dashboard.i18n.texts import say_in
from dashboard.pipeline.answers import NO_WORKER, PendingError
from dashboard.pipeline.receive import NoRoomError, TooLargeError
from dashboard.services import Services
from engines.errors import InputError, MessageError
from engines.messages import message
from storage.contract import ChangedError, NotFoundError, PublishedError, StoreError
from storage.contract.selection import OLD_BOUNDS, REMOVED


def refuse_unknown_parameters(request: Request) -> None:
    """Refuse a query parameter that the route does not have: a filter that is misspelt must not select everyone."""
    route = request.scope["route"]
    parameters = {item.alias for item in route.dependant.query_params}
    parameters |= {item["name"] for item in (route.openapi_extra or {}).get("parameters", ())}
    for name in request.query_params:
        if name in REMOVED:
            raise HTTPException(400, REMOVED[name])
        if name in OLD_BOUNDS and f"min_{OLD_BOUNDS[name].column}" in parameters:
            continue
        if name not in parameters:
            allowed = f"it has {', '.join(sorted(parameters))}" if parameters else "it has none"
            raise HTTPException(
                400, message("There is no query parameter {name!r} here; {allowed}.", name=name, allowed=allowed)
            )


def create_api(services: Services) -> FastAPI:
    """The API, to be mounted at ``/api/v1``."""
    api = FastAPI(
        title="Segmentry",
        description="Customer segments: engines, snapshots, runs, customers, exports, comparison and drift.",
        version="1",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
        dependencies=[Depends(refuse_unknown_parameters)],
    )
    _answer_errors(api, services.config.locale.language)
    for add in (
        add_snapshots,
        add_datasets,
        add_segments,
        add_customers,
        add_audiences,
        add_runs,
        add_exports,
        add_watch,
        add_compare,
        add_uploads,
    ):
        add(api, services)
    return api


#: The status of each error; what is not listed is a defect.
_STATUS: Mapping[type[MessageError], int] = {
    InputError: 422,
    NotFoundError: 404,
    ChangedError: 409,
    PublishedError: 409,
    TooLargeError: 413,
    StoreError: 503,
    NoRoomError: 507,
}


def _answer_errors(api: FastAPI, language: str) -> None:
    """A sentence for people, in the language of the settings; programs go by the status."""

    def sentence(status: int, text: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
        return JSONResponse({"error": say_in(language, text)}, status_code=status, headers=dict(headers or {}))

    def add(kind: type[MessageError], status: int) -> None:
        @api.exception_handler(kind)
        async def refused(request: Request, error: MessageError) -> JSONResponse:
            # the rest of a file that is too large is not read, so that the connection cannot be used again
            headers = {"connection": "close"} if kind is TooLargeError else {}
            return sentence(status, error.message, headers)

    for kind, status in _STATUS.items():
        add(kind, status)

    @api.exception_handler(PendingError)
    async def pending(request: Request, error: PendingError) -> JSONResponse:
        job = error.job
        content = {"job": job.id, "state": job.state, "stage": job.stage, "progress": job.progress}
        if job.state == "queued":
            content["error"] = say_in(language, NO_WORKER)
        return JSONResponse(content, status_code=503 if job.state == "queued" else 202, headers={"retry-after": "2"})

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("query", "path", "body"))
        return sentence(422, f"{where or 'The request'}: {first['msg']}.")

    @api.exception_handler(StarletteHTTPException)
    async def other(request: Request, error: StarletteHTTPException) -> JSONResponse:
        return sentence(error.status_code, error.detail, error.headers)
