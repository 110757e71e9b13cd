"""The data there is, and the way in for more: a file is uploaded, looked at, accounted for and made into a snapshot."""

from __future__ import annotations

from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from flask import request

from dashboard.components.cards import alert
from dashboard.i18n.texts import noted, say
from dashboard.pages.data import form
from dashboard.pages.data.report import BUSY, outcome
from dashboard.pages.data.snapshots import snapshots_panel
from dashboard.pages.data.steps import (
    AS_OF,
    CANCEL,
    CHECK,
    CREATE,
    DECIMAL,
    DECIMAL_PLACE,
    EXISTING,
    EXISTING_PLACE,
    HOW,
    HOW_WORDS,
    LEAVE,
    LEFT,
    LINES,
    LOOK_AGAIN,
    LOOKING,
    NAME,
    NAME_PLACE,
    ORDER_OF_DATES,
    ORDER_PLACE,
    OUTCOME,
    PATH,
    REFUSED,
    REMARKS,
    REMOVE,
    STALE,
    STEPS,
    THERE,
    TICK,
    UPLOAD,
    choosing,
    how_words,
    is_checked,
    preview_now,
    shown,
    steps,
)
from dashboard.pipeline.request import user_of
from dashboard.pipeline.uploads import UploadRequest, remove, request_task
from dashboard.services import Services
from engines.errors import InputError
from storage.contract import ChangedError
from storage.contract.uploads import Upload

TITLE = noted("Data")
ORDER = 40
AREA = "operations"


# --- what is drawn ----------------------------------------------------------------------------------------------------


def layout(services: Services, **query: Any) -> Component:
    """Adding sales first, for the upload in the address if there is one; then what is there."""
    upload = _upload_of(services, query.get("upload"))
    adding = [choosing(services)] if upload is None else [html.Div(steps(services, upload), id=STEPS)]
    return html.Div(
        [html.H1(say("Data")), *adding, html.Div(snapshots_panel(services), id=THERE)], className="data-page"
    )


def _upload_of(services: Services, text: Any) -> Upload | None:
    """The upload that an address names.

    Raises:
        InputError: what it names is not a number.
        NotFoundError: there is no such upload.
    """
    if not text:
        return None
    if not isinstance(text, str) or not text.isdecimal() or len(text) > 18:
        raise InputError("upload must be the number of an upload, not {text!r}.", text=text)
    return services.store.upload(int(text))


# --- what happens -----------------------------------------------------------------------------------------------------

_FILLED: dict[str, tuple[str | dict[str, Any], str]] = {
    "columns": (form.field_id(ALL), "value"),
    "order": (ORDER_OF_DATES, "value"),
    "decimal": (DECIMAL, "value"),
    "switches": (form.switch_id(ALL), "value"),
    "texts": (form.text_id(ALL), "value"),
    "name": (NAME, "value"),
    "existing": (EXISTING, "value"),
    "how": (HOW, "value"),
    "as_of": (AS_OF, "value"),
}
_NAMED = {
    kind: State(maker(ALL), "id")
    for kind, maker in (("fields", form.field_id), ("rules", form.switch_id), ("lists", form.text_id))
}


def _asked(services: Services, filled: dict[str, Any], named: dict[str, Any]) -> UploadRequest:
    def by_name(ids: str, values: str) -> dict[str, Any]:
        return dict(zip((item["name"] for item in named[ids]), filled[values], strict=True))

    return form.asked_of(
        services.config,
        mapping=by_name("fields", "columns"),
        reading={"date_order": filled["order"], "decimal": filled["decimal"]},
        switches=by_name("rules", "switches"),
        texts=by_name("lists", "texts"),
        name=(filled["name"] if filled["how"] == "new" else filled["existing"]) or "",
        how=filled["how"],
        as_of=filled["as_of"],
    )


def _user() -> str | None:
    return user_of(request.headers.get("Authorization", ""))


def register(app: Dash, services: Services) -> None:
    """Look again when a choice changes, have it checked and stored, and follow how far that is."""
    app.clientside_callback(
        ClientsideFunction("segmentryUpload", "leave"),
        Output(LEFT, "data"),
        Input(LEAVE, "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(LINES, "children"),
        Output(REMARKS, "children"),
        Output(CHECK, "disabled"),
        Output(ORDER_OF_DATES, "options"),
        Output(f"{ORDER_OF_DATES}-question", "children"),
        Output(ORDER_PLACE, "hidden"),
        Output(DECIMAL, "options"),
        Output(f"{DECIMAL}-question", "children"),
        Output(DECIMAL_PLACE, "hidden"),
        Output(LOOK_AGAIN, "disabled"),
        Input(form.field_id(ALL), "value"),
        Input(ORDER_OF_DATES, "value"),
        Input(DECIMAL, "value"),
        Input(LOOK_AGAIN, "n_intervals"),
        State(form.field_id(ALL), "id"),
        State(UPLOAD, "data"),
        prevent_initial_call=True,
    )
    def look_again(
        columns: list[str | None],
        order: str | None,
        decimal: str | None,
        ticks: int | None,
        fields: list[dict[str, str]],
        upload_id: int,
    ) -> tuple[Any, ...]:
        mapping = form.mapping_of({item["name"]: value for item, value in zip(fields, columns, strict=True)})
        reading = {name: value for name, value in (("date_order", order), ("decimal", decimal)) if value}
        try:
            asked = UploadRequest(mapping=mapping, reading=reading)
            seen = preview_now(services, services.store.upload(upload_id), asked)
        except InputError as error:
            return (no_update, alert(say(error.message)), True, *[no_update] * 6, True)
        if seen is None:
            waiting = html.P(say("The first lines are being read by a worker …"), className="seg-hint")
            return (no_update, waiting, True, *[no_update] * 6, False)
        questions: list[Any] = []
        for kind, value in (("date_order", order), ("decimal", decimal)):
            choice = form.problem_of(seen, kind)
            if choice is None:  # decided, or nothing to decide: what was asked stays where it was answered
                questions += [no_update, no_update, not value]
            else:
                questions += [form.choice_options(choice, value or "", ()), form.question_words(choice), False]
        return (form.first_lines(seen), form.remarks(seen), not seen.usable, *questions, True)

    @app.callback(
        Output(STEPS, "children"), Input(LOOKING, "n_intervals"), State(UPLOAD, "data"), prevent_initial_call=True
    )
    def draw_when_read(ticks: int | None, upload_id: int) -> Any:
        return steps(services, services.store.upload(upload_id))

    @app.callback(
        Output(NAME_PLACE, "hidden"),
        Output(EXISTING_PLACE, "hidden"),
        Output(HOW_WORDS, "children"),
        Input(HOW, "value"),
        Input(EXISTING, "value"),
        prevent_initial_call=True,
    )
    def say_how(how: str, existing: str | None) -> tuple[bool, bool, str]:
        return how != "new", how == "new", how_words(services, how, existing)

    @app.callback(
        output={
            "outcome": Output(OUTCOME, "children"),
            "refused": Output(REFUSED, "children"),
            "idle": Output(TICK, "disabled"),
            "create": Output(CREATE, "style"),
            "cancel": Output(CANCEL, "style"),
            "there": Output(THERE, "children"),
        },
        inputs={
            "clicks": [Input(name, "n_clicks") for name in (CHECK, CREATE, CANCEL)],
            "ticks": Input(TICK, "n_intervals"),
            "filled": {name: State(*where) for name, where in _FILLED.items()},
            "named": _NAMED,
            "upload_id": State(UPLOAD, "data"),
        },
        prevent_initial_call=True,
    )
    def work(clicks: Any, ticks: Any, filled: dict[str, Any], named: dict[str, Any], upload_id: int) -> dict[str, Any]:
        store, refused = services.store, None
        try:
            if ctx.triggered_id == CHECK:
                request_task(upload_id, "inspect", _asked(services, filled, named), services.config, store, _user())
            elif ctx.triggered_id == CREATE:
                checked = UploadRequest.model_validate(store.upload(upload_id).asked)
                request_task(upload_id, "store", checked, services.config, store, _user())
            elif ctx.triggered_id == CANCEL:
                store.cancel_upload(upload_id)
        except (InputError, ChangedError) as error:
            refused = alert(say(error.message))
        upload = store.upload(upload_id)
        is_busy = upload.state in BUSY
        return {
            "outcome": outcome(upload),
            "refused": refused,
            "idle": not is_busy,
            "create": shown(is_checked(upload)),
            "cancel": shown(is_busy),
            "there": snapshots_panel(services) if upload.task == "store" and upload.state == "done" else no_update,
        }

    @app.callback(
        output={"told": Output(STALE, "children"), "disabled": Output(CREATE, "disabled")},
        inputs={
            "drawn": Input(OUTCOME, "children"),
            "filled": {name: Input(*where) for name, where in _FILLED.items()},
            "named": _NAMED,
            "upload_id": State(UPLOAD, "data"),
        },
    )
    def compare(drawn: Any, filled: dict[str, Any], named: dict[str, Any], upload_id: int) -> dict[str, Any]:
        upload = services.store.upload(upload_id)
        if not is_checked(upload):
            return {"told": "", "disabled": True}
        try:
            is_same = _asked(services, filled, named).model_dump(mode="json") == dict(upload.asked)
        except InputError:
            is_same = False
        return {"told": "" if is_same else say("Something was changed since: check again."), "disabled": not is_same}

    @app.callback(Output(LEAVE, "data"), Input(REMOVE, "n_clicks"), State(UPLOAD, "data"), prevent_initial_call=True)
    def forget(clicks: int | None, upload_id: int) -> str:
        if not clicks:
            raise PreventUpdate
        remove(upload_id, services.config, services.store)
        return PATH
