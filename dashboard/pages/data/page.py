"""The Data page: uploading a file of sales, its way to a snapshot in three steps, and the snapshots that are stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from flask import request

from dashboard.components.attributes import aria, data
from dashboard.components.cards import alert
from dashboard.components.computing import follow, ticker
from dashboard.components.fields import field, fields
from dashboard.components.panels import panel, step
from dashboard.i18n.numbers import day, written
from dashboard.i18n.texts import noted, say
from dashboard.pages.data import form
from dashboard.pages.data.report import BUSY, outcome, same_as_words, snapshots_panel
from dashboard.pipeline.receive import UPLOADABLE
from dashboard.pipeline.request import user_of
from dashboard.pipeline.uploads import (
    UploadRequest,
    preview_question,
    remembered_mapping,
    remove_upload,
    request_task,
    twin_of,
)
from dashboard.queries.which_run import title_of
from dashboard.services import Services
from engines.errors import InputError
from engines.intake.schema.preview import Preview
from engines.intake.sources.files import TITLES
from engines.settings import currency_code
from storage.contract import ChangedError, Snapshot
from storage.contract.uploads import Upload

PATH = "/data"
TITLE = noted("Data")
ORDER = 40
AREA = "operations"

UPLOAD, LEAVE, LEFT = "data-upload", "data-leave", "data-left"
ORDER_OF_DATES, ORDER_PLACE = "data-date-order", "data-date-order-place"
DECIMAL, DECIMAL_PLACE = "data-decimal", "data-decimal-place"
MONEY, MONEY_PLACE = "data-currency", "data-currency-place"
LINES, REMARKS, REFUSED = "data-first-lines", "data-remarks", "data-refused"
NAME, NAME_PLACE, EXISTING, EXISTING_PLACE = "data-name", "data-name-place", "data-existing", "data-existing-place"
HOW, HOW_WORDS, AS_OF = "data-how", "data-how-words", "data-as-of"
CHECK, CREATE, CANCEL, REMOVE = "data-check", "data-create", "data-cancel", "data-remove"
STEPS, LOOKING, PREVIEW_TICK = "data-steps", "data-looking", "data-preview-tick"
OUTCOME, STALE, TICK, SNAPSHOTS = "data-outcome", "data-stale", "data-tick", "data-snapshots-place"

_DATE_ORDERS = (
    ("", noted("as the column itself decides")),
    ("day-first", noted("day first")),
    ("month-first", noted("month first")),
    ("year-first", noted("a year of two digits first")),
)
_DECIMALS = (("", noted("as the numbers decide")), (".", noted("decimal point")), (",", noted("decimal comma")))
_STATES = {
    "received": noted("received"),
    "queued": noted("queued"),
    "running": noted("running"),
    "done": noted("done"),
    "failed": noted("failed"),
    "cancelled": noted("cancelled"),
}
_RECENT = 5


# --- what is drawn ----------------------------------------------------------------------------------------------------


def layout(services: Services, **query: Any) -> Component:
    """Adding sales first, for the upload in the address if there is one; then what is there."""
    upload = _upload_of(services, query.get("upload"))
    adding = [_add_sales(services)] if upload is None else [html.Div(_steps(services, upload), id=STEPS)]
    return html.Div(
        [html.H1(say("Data")), *adding, html.Div(snapshots_panel(services), id=SNAPSHOTS)], className="data-page"
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


def _add_sales(services: Services) -> Component:
    """Where a file is dropped or chosen, and what was uploaded and not used yet."""
    limit = services.config.uploads.limit_mb
    drop = html.Div(
        [
            html.P(say("Drop a file of sales here"), className="data-drop-head mb-1"),
            html.P(
                say(
                    "{kinds}; also .gz, .zst or .zip; up to {size} MB",
                    kinds=", ".join(TITLES),
                    size=written(limit, ","),
                ),
                className="seg-hint mb-2",
            ),
            html.Button(say("Choose a file"), id="data-choose", className="btn btn-primary btn-sm", type="button"),
            html.Div(
                [
                    html.P("", id="data-sent", className="mb-1", role="status"),
                    html.Progress(id="data-bar", max="100", value="0", **aria(label=say("Uploaded"))),
                    html.Button(
                        say("Cancel"), id="data-abort", className="btn btn-outline-secondary btn-sm ms-2", type="button"
                    ),
                ],
                id="data-sending",
                className="mt-3",
                hidden=True,
            ),
            html.P("", id="data-trouble", className="seg-alarm mt-2 mb-0", role="alert"),
        ],
        id="data-drop",
        className="data-drop",
        **data(limit=str(limit * 2**20), kinds=" ".join(UPLOADABLE)),
    )
    waiting = [item for item in services.store.uploads() if item.snapshot_id is None][:_RECENT]
    links = [
        html.Li(
            [dcc.Link(item.name, href=f"{PATH}?upload={item.id}"), f" ({_size(item.size)}, {say(_STATES[item.state])})"]
        )
        for item in waiting
    ]
    days = services.config.uploads.keep_days
    begun = [
        html.P(
            say("Uploaded and not used yet (removed after {days} days):", days=days), className="mt-3 mb-1 seg-hint"
        ),
        html.Ul(links, className="seg-notes mt-0"),
    ]
    return panel(say("Add sales"), drop, *(begun if waiting else []))


def _steps(services: Services, upload: Upload) -> list[Component]:
    """The three steps from an uploaded file to a snapshot."""
    upload_request = UploadRequest.model_validate(upload.asked)
    uploaded = f", {day(upload.created_at.date())}" if upload.created_at is not None else ""
    file = html.P(
        [
            html.Strong(upload.name),
            f" ({_size(upload.size)}{uploaded})",
            html.Span(
                [
                    dcc.Link(say("Upload another"), href=PATH, className="btn btn-outline-secondary btn-sm me-2"),
                    html.Button(
                        say("Remove it"), id=REMOVE, className="btn btn-outline-secondary btn-sm", type="button"
                    ),
                ],
                className="data-right",
            ),
        ],
        className="data-file mb-2",
    )
    stores = [dcc.Store(id=UPLOAD, data=upload.id), dcc.Store(id=LEAVE), dcc.Store(id=LEFT)]
    try:
        seen = _preview(services, upload, upload_request)
        if seen is None:
            return [step(1, say("The file"), file, _looking(), *stores)]
        known_from, earlier_mapping = remembered_mapping(
            upload, [column.name for column in seen.columns], services.store
        )
        chosen = dict(upload_request.mapping) or earlier_mapping
        if chosen and not upload_request.mapping:
            seen = _preview(services, upload, upload_request.model_copy(update={"mapping": chosen}))
    except InputError as error:
        return [step(1, say("The file"), file, alert(say(error.message)), *stores)]
    if seen is None:
        return [step(1, say("The file"), file, _looking(), *stores)]
    saved = (
        [
            html.P(
                say("Filled in as {earlier} was read before.", earlier=known_from),
                className="seg-hint mb-2",
                id="data-remembered",
            )
        ]
        if earlier_mapping and not upload_request.mapping
        else []
    )
    same = [] if upload.found.get("same_as") else same_as_words(twin_of(upload, services.store))
    return [
        *stores,
        step(1, say("The file"), file, *same, html.Div(form.first_lines(seen), id=LINES)),
        step(2, say("How it is read, and what counts"), *saved, *_form(services, upload, upload_request, seen, chosen)),
        step(3, say("What it comes to"), *_result(upload)),
    ]


def _preview(services: Services, upload: Upload, upload_request: UploadRequest) -> Preview | None:
    """The first lines of an upload; None while a worker looks at them."""
    return follow(preview_question(upload, upload_request, services.config), services.store)[0]


def _looking() -> Component:
    """What stands in the place of the first lines until they are there; it has the page look again."""
    words = html.P(
        [say("The first lines are being read …"), " ", say("This needs a worker.")], className="seg-hint mb-0"
    )
    return html.Div([words, ticker(LOOKING, waiting=True)], role="status")


def _form(
    services: Services, upload: Upload, upload_request: UploadRequest, seen: Preview, chosen: dict[str, str]
) -> list[Component]:
    orders = form.choice_part(
        ORDER_OF_DATES,
        ORDER_PLACE,
        say("Which comes first in the dates?"),
        form.problem_of(seen, "date_order"),
        upload_request.reading.get("date_order", ""),
        _DATE_ORDERS,
    )
    decimals = form.choice_part(
        DECIMAL,
        DECIMAL_PLACE,
        say("What is the decimal sign?"),
        form.problem_of(seen, "decimal"),
        upload_request.reading.get("decimal", ""),
        _DECIMALS,
    )
    return [
        html.H3(say("Columns"), className="data-head"),
        form.mapping_part(seen, chosen),
        orders,
        decimals,
        form.currency_part(
            MONEY,
            MONEY_PLACE,
            form.problem_of(seen, "currency"),
            upload_request.currency or services.config.sales.currency,
        ),
        html.Div(form.remarks(seen), id=REMARKS, **aria(live="polite")),
        ticker(PREVIEW_TICK),
        html.H3(say("What counts"), className="data-head"),
        form.rules_part(services.config, upload_request.cleaning),
        html.H3(say("What is made of it"), className="data-head"),
        *_where(services, upload, upload_request),
        dbc.Button(
            say("Check"),
            id=CHECK,
            color="primary",
            size="sm",
            class_name="mt-3",
            disabled=not form.can_be_checked(seen),
        ),
        html.Span(say("Reads all of it and accounts for every line; nothing is stored."), className="seg-hint ms-2"),
    ]


def _where(services: Services, upload: Upload, upload_request: UploadRequest) -> list[Component]:
    snapshots = _latest(services.store.snapshots())
    names = [{"value": item.dataset, "label": title_of(item)} for item in snapshots]
    existing = upload_request.name if upload_request.how != "new" else (names[0]["value"] if names else "")
    stem = upload.name.partition(".")[0] or upload.name
    return [
        dbc.RadioItems(id=HOW, options=form.how_options(snapshots), value=upload_request.how),
        fields(
            field(
                say("Name of the data set"),
                dbc.Input(id=NAME, value=upload_request.name or stem, size="sm", maxlength=200, debounce=True),
                id=NAME_PLACE,
                hidden=upload_request.how != "new",
            ),
            field(
                say("Data set"),
                dbc.Select(id=EXISTING, options=names, value=existing, size="sm"),
                id=EXISTING_PLACE,
                hidden=upload_request.how == "new",
            ),
            field(
                say("As of (optional)"),
                dbc.Input(
                    id=AS_OF,
                    type="date",
                    value=upload_request.as_of.isoformat() if upload_request.as_of else "",
                    size="sm",
                    debounce=True,
                ),
                say("The day after the last sale, unless said."),
            ),
            style="mt-2",
        ),
        html.P(_how_words(services, upload_request.how, existing), id=HOW_WORDS, className="seg-hint mb-0"),
    ]


def _result(upload: Upload) -> list[Component]:
    is_busy = upload.state in BUSY
    return [
        html.Div(id=REFUSED, **aria(live="polite")),
        html.Div(outcome(upload), id=OUTCOME, **aria(live="polite")),
        html.P("", id=STALE, className="seg-hint mt-2 mb-0"),
        html.Div(
            [
                dbc.Button(
                    say("Create snapshot"), id=CREATE, color="primary", size="sm", style=_style(_is_checked(upload))
                ),
                dbc.Button(say("Cancel"), id=CANCEL, color="secondary", outline=True, size="sm", style=_style(is_busy)),
            ],
            className="mt-2",
        ),
        dcc.Interval(id=TICK, interval=1000, disabled=not is_busy),
    ]


def _latest(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """The newest snapshot of each data set that was read from files."""
    latest: dict[str, Snapshot] = {}
    for item in snapshots:
        if item.info.get("source_kind") == "file":
            latest.setdefault(item.dataset, item)
    return list(latest.values())


def _how_words(services: Services, how: str, name: str | None) -> str:
    """What an answer to how it is stored means for what is there."""
    earlier = next((item for item in services.store.snapshots() if item.dataset == name), None)
    runs = len(services.store.runs(snapshot_id=earlier.id)) if earlier is not None and how == "replace" else 0
    return form.effect_words(how, earlier, runs)


def _size(size: float) -> str:
    return f"{written(size / 2**20, ',.1f')} MB" if size >= 2**20 else f"{written(max(1, round(size / 1024)), ',')} KB"


def _style(is_there: bool) -> dict[str, str]:
    """The style of what is there or not."""
    return {} if is_there else {"display": "none"}


def _is_checked(upload: Upload) -> bool:
    """Whether what was asked for last was a check, and it is done."""
    return upload.state == "done" and upload.task == "inspect"


# --- what happens -----------------------------------------------------------------------------------------------------

_FILLED: dict[str, tuple[str | dict[str, Any], str]] = {
    "columns": (form.field_id(ALL), "value"),
    "order": (ORDER_OF_DATES, "value"),
    "decimal": (DECIMAL, "value"),
    "currency": (MONEY, "value"),
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


def _request(services: Services, filled: dict[str, Any], named: dict[str, Any]) -> UploadRequest:
    def by_name(ids: str, values: str) -> dict[str, Any]:
        return dict(zip((item["name"] for item in named[ids]), filled[values], strict=True))

    return form.form_request(
        services.config,
        mapping=by_name("fields", "columns"),
        reading={"date_order": filled["order"], "decimal": filled["decimal"]},
        switches=by_name("rules", "switches"),
        texts=by_name("lists", "texts"),
        name=(filled["name"] if filled["how"] == "new" else filled["existing"]) or "",
        how=filled["how"],
        as_of=filled["as_of"],
        currency=filled["currency"],
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
        Output(f"{MONEY}-question", "children"),
        Output(MONEY_PLACE, "hidden"),
        Output(PREVIEW_TICK, "disabled"),
        Input(form.field_id(ALL), "value"),
        Input(ORDER_OF_DATES, "value"),
        Input(DECIMAL, "value"),
        Input(MONEY, "value"),
        Input(PREVIEW_TICK, "n_intervals"),
        State(form.field_id(ALL), "id"),
        State(UPLOAD, "data"),
        prevent_initial_call=True,
    )
    def show_preview(
        columns: list[str | None],
        order: str | None,
        decimal: str | None,
        currency: str | None,
        ticks: int | None,
        fields: list[dict[str, str]],
        upload_id: int,
    ) -> tuple[Any, ...]:
        mapping = form.mapping_of({item["name"]: value for item, value in zip(fields, columns, strict=True)})
        reading = {name: value for name, value in (("date_order", order), ("decimal", decimal)) if value}
        try:
            code = currency_code(currency or "") or None
            upload_request = UploadRequest(mapping=mapping, reading=reading, currency=code)
            seen = _preview(services, services.store.upload(upload_id), upload_request)
        except InputError as error:
            return (no_update, alert(say(error.message)), True, *[no_update] * 8, True)
        if seen is None:
            waiting = html.P(say("The first lines are being read by a worker …"), className="seg-hint")
            return (no_update, waiting, True, *[no_update] * 8, False)
        questions: list[Any] = []
        for kind, value in (("date_order", order), ("decimal", decimal)):
            choice = form.problem_of(seen, kind)
            if choice is None:  # decided, or nothing to decide: what was asked stays where it was answered
                questions += [no_update, no_update, not value]
            else:
                questions += [form.choice_options(choice, value or "", ()), form.question_words(choice), False]
        unknown = form.problem_of(seen, "currency")
        questions += [form.question_words(unknown), unknown is None and not currency]
        return (form.first_lines(seen), form.remarks(seen), not form.can_be_checked(seen), *questions, True)

    @app.callback(
        Output(STEPS, "children"), Input(LOOKING, "n_intervals"), State(UPLOAD, "data"), prevent_initial_call=True
    )
    def draw_when_read(ticks: int | None, upload_id: int) -> Any:
        return _steps(services, services.store.upload(upload_id))

    @app.callback(
        Output(NAME_PLACE, "hidden"),
        Output(EXISTING_PLACE, "hidden"),
        Output(HOW_WORDS, "children"),
        Input(HOW, "value"),
        Input(EXISTING, "value"),
        prevent_initial_call=True,
    )
    def describe_how(how: str, existing: str | None) -> tuple[bool, bool, str]:
        return how != "new", how == "new", _how_words(services, how, existing)

    @app.callback(
        output={
            "outcome": Output(OUTCOME, "children"),
            "refused": Output(REFUSED, "children"),
            "idle": Output(TICK, "disabled"),
            "create": Output(CREATE, "style"),
            "cancel": Output(CANCEL, "style"),
            "snapshots": Output(SNAPSHOTS, "children"),
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
        # a button that has just been drawn calls as well, without having been clicked
        trigger = ctx.triggered_id if ctx.triggered[0]["value"] else None
        try:
            if trigger == CHECK:
                request_task(upload_id, "inspect", _request(services, filled, named), services.config, store, _user())
            elif trigger == CREATE:
                checked = UploadRequest.model_validate(store.upload(upload_id).asked)
                request_task(upload_id, "store", checked, services.config, store, _user())
            elif trigger == CANCEL:
                store.cancel_upload(upload_id)
        except (InputError, ChangedError) as error:
            refused = alert(say(error.message))
        upload = store.upload(upload_id)
        is_busy = upload.state in BUSY
        return {
            "outcome": outcome(upload),
            "refused": refused,
            "idle": not is_busy,
            "create": _style(_is_checked(upload)),
            "cancel": _style(is_busy),
            "snapshots": snapshots_panel(services) if upload.task == "store" and upload.state == "done" else no_update,
        }

    @app.callback(
        output={"stale": Output(STALE, "children"), "disabled": Output(CREATE, "disabled")},
        inputs={
            "drawn": Input(OUTCOME, "children"),
            "filled": {name: Input(*where) for name, where in _FILLED.items()},
            "named": _NAMED,
            "upload_id": State(UPLOAD, "data"),
        },
    )
    def compare(drawn: Any, filled: dict[str, Any], named: dict[str, Any], upload_id: int) -> dict[str, Any]:
        upload = services.store.upload(upload_id)
        if not _is_checked(upload):
            return {"stale": "", "disabled": True}
        try:
            is_same = _request(services, filled, named).model_dump(mode="json") == dict(upload.asked)
        except InputError:
            is_same = False
        return {"stale": "" if is_same else say("Something was changed since: check again."), "disabled": not is_same}

    @app.callback(Output(LEAVE, "data"), Input(REMOVE, "n_clicks"), State(UPLOAD, "data"), prevent_initial_call=True)
    def forget(clicks: int | None, upload_id: int) -> str:
        if not clicks:
            raise PreventUpdate
        remove_upload(upload_id, services.config, services.store)
        return PATH
