"""One web application from its parts: pages, REST API and a sign of life, behind one door."""

from __future__ import annotations

import atexit
import gc
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from a2wsgi import WSGIMiddleware
from fastapi import FastAPI
from starlette.responses import JSONResponse
from threadpoolctl import threadpool_limits

from dashboard.api.app import create_api
from dashboard.auth.access import PASSWORD_VARIABLE, Guard, access_notice, check_bind
from dashboard.auth.headers import content_security_policy
from dashboard.clock import now
from dashboard.config import Config, load_config
from dashboard.frames.cache import FrameCache
from dashboard.layout.shell import create_shell
from dashboard.memory import give_back_at_once
from dashboard.services import Services
from storage import Store, open_store

if TYPE_CHECKING:
    from starlette.types import ASGIApp

WSGI_THREADS = 10


def create_app(
    config: Config,
    store: Store,
    *,
    environ: Mapping[str, str] = os.environ,
    on_stop: Callable[[], None] | None = None,
) -> Guard:
    """The ASGI application: ``/health``, ``/api/v1`` and the pages, default-deny.

    The password comes from ``SEGMENTRY_PASSWORD`` in ``environ``; ``on_stop`` is called when the server stops.

    Raises:
        InputError: ``config.server.host`` can be reached from elsewhere and no password is set.
    """
    check_bind(config.server.host, environ)
    logging.getLogger("segmentry").info(access_notice(environ))
    services = Services(config, store, FrameCache(store))
    pages = create_shell(services)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        if on_stop is not None:
            on_stop()

    app = FastAPI(title="Segmentry", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Whether the process answers; says nothing about the data, since anyone may ask."""
        return {"status": "ok"}

    app.mount("/api/v1", create_api(services))

    @app.api_route("/api/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def unknown_api(rest: str) -> JSONResponse:
        """Addresses below /api that no version has."""
        return JSONResponse({"error": f"There is no /api/{rest}; the API is at /api/v1."}, status_code=404)

    # a2wsgi and Starlette write the types of ASGI differently
    app.mount("/", cast("ASGIApp", WSGIMiddleware(pages.server, workers=WSGI_THREADS)))
    policy = content_security_policy(pages.csp_hashes())
    return Guard(app, password=environ.get(PASSWORD_VARIABLE, ""), policy=policy)


def create_app_from_env() -> Guard:
    """The application from ``SEGMENTRY_CONFIG`` and the environment alone: what every web process starts with.

    Raises:
        InputError: a setting cannot be used, or the server would be open to the network without a password.
        StoreError: the database cannot be used.
    """
    path = os.environ.get("SEGMENTRY_CONFIG")
    config = load_config(Path(path) if path else None)
    check_bind(config.server.host, os.environ)
    store = open_store(config.database.url, clock=now, objects=config.objects.settings)
    app = create_app(config, store, on_stop=store.close)
    ready_to_serve()
    return app


def ready_to_serve() -> None:
    """What a web process does once everything is loaded, so that each request costs no more than its own work.

    Linear algebra takes one thread: requests, not parts of one, share the cores, and threads that wait for one another
    by spinning double the cost of a click. What is loaded by now stays, so that the garbage collector need not look
    through it: in the middle of a click that took as long as several clicks.
    """
    threadpool_limits(limits=1, user_api="blas")
    give_back_at_once()
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # or libraries complain at the end of what they have not let go
