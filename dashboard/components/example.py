"""The example one click away: where nothing has been read yet, a button has the sample shop read and segmented."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, ctx, dcc, html, no_update
from dash.development.base_component import Component
from flask import request

from dashboard.i18n.numbers import percent
from dashboard.i18n.texts import say
from dashboard.pipeline.request import user_of
from dashboard.pipeline.uploads import UploadRequest
from dashboard.services import Services
from engines.intake import EMBEDDED
from storage import Store
from storage.contract.uploads import NewUpload, Upload

SAMPLE = "sample-shop"
BUTTON, MESSAGE, TICK, OPEN, OPENED = "demo-load", "demo-progress", "demo-tick", "demo-open", "demo-opened"
_BUSY = ("queued", "running")


def offer() -> list[Component]:
    """The button, where it says how far it is, and what looks after it meanwhile."""
    button = html.Button(
        say("Load the example shop"), id=BUTTON, type="button", className="btn btn-outline-secondary btn-sm"
    )
    return [
        html.Div(button, className="mb-2"),
        html.P(
            say("A shop that is made up, segmented by every engine; it takes about a minute."),
            id=MESSAGE,
            role="status",
        ),
        dcc.Interval(id=TICK, interval=1500),
        dcc.Store(id=OPEN),
        dcc.Store(id=OPENED),
    ]


def load_example(store: Store, who: str | None = None) -> Upload:
    """Have a worker read and segment the sample shop, as it would an uploaded file; once is enough."""
    upload = latest_upload(store)
    if upload is not None and upload.state in _BUSY:
        return upload
    added = store.add_upload(NewUpload(SAMPLE, EMBEDDED[SAMPLE].title, 0, ""))
    return store.ask_upload(added.id, "store", UploadRequest().model_dump(mode="json"), who=who)


def latest_upload(store: Store) -> Upload | None:
    """When the sample shop was last asked for, and how that stands."""
    return next((item for item in store.uploads() if item.file == SAMPLE), None)


def progress_of(store: Store) -> tuple[str, bool, int | None]:
    """How far the sample shop is, in words; whether it is still being worked on; and the first run to look at."""
    upload = latest_upload(store)
    if upload is None:
        return "", False, None
    if upload.state == "queued":
        message = say("The example waits for a worker; `segmentry serve` has one, or start `segmentry worker`.")
        return message, True, None
    if upload.state == "running":
        return f"{say(upload.stage or 'Reading')}: {percent(upload.progress or 0.0, 0)}", True, None
    if upload.state != "done":
        return say(upload.error or "The example was not loaded."), False, None
    runs = [run for run in store.runs(snapshot_id=upload.snapshot_id) if run.id in upload.runs]
    done = next((run.id for run in runs if run.state == "done"), None)
    going = any(run.state in ("queued", "running") for run in runs)
    if done is not None:
        return say("The example is there."), False, done
    error = next((run.error for run in runs if run.error), None)
    failed = say(error) if error else say("No engine could segment the example.")
    return (say("Segmenting the example"), True, None) if going else (failed, False, None)


def register(app: Dash, services: Services) -> None:
    """Ask for the sample, say how far it is, and open it when its first run is done."""

    @app.callback(
        Output(MESSAGE, "children"),
        Output(BUTTON, "disabled"),
        Output(TICK, "disabled"),
        Output(OPEN, "data"),
        Input(BUTTON, "n_clicks"),
        Input(TICK, "n_intervals"),
    )
    def follow(clicks: int | None, ticks: int | None) -> Any:
        if clicks and ctx.triggered_id == BUTTON:
            load_example(services.store, user_of(request.headers.get("Authorization", "")))
        message, busy, run = progress_of(services.store)
        return message or no_update, busy, not busy, run if run is not None else no_update

    app.clientside_callback(
        ClientsideFunction("segmentry", "open"), Output(OPENED, "data"), Input(OPEN, "data"), prevent_initial_call=True
    )
