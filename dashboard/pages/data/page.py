"""The Data page: uploading a file of sales, its way to a snapshot in three steps, and the snapshots that are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from flask import request

from dashboard.components.attributes import aria, data
from dashboard.components.cards import alert, new_run_button
from dashboard.components.computing import follow, ticker
from dashboard.components.fields import field, fields
from dashboard.components.panels import panel, step
from dashboard.i18n.numbers import day, written
from dashboard.i18n.texts import noted, say
from dashboard.pages.data import form, questions, reading
from dashboard.pages.data.report import (
    BUSY,
    DROPPED,
    DROPPED_PLACE,
    DROPPED_TICK,
    outcome,
    rename_id,
    same_as_words,
    snapshots_panel,
)
from dashboard.pipeline.receive import UPLOADABLE
from dashboard.pipeline.request import user_of
from dashboard.pipeline.series import newest_snapshot, published_among
from dashboard.pipeline.uploads import (
    UploadRequest,
    dropped_question,
    preview_question,
    remembered_mapping,
    remove_upload,
    request_task,
    twin_of,
)
from dashboard.queries.which_run import title_of
from dashboard.services import Services
from engines.columns import AMOUNT
from engines.errors import InputError
from engines.intake.schema.preview import Preview
from engines.intake.sources.files import TITLES
from engines.settings import currency_code
from storage.contract import ChangedError, Snapshot
from storage.contract.uploads import Upload

PATH = "/data"
TITLE = noted("Data")
ORDER = 10
AREA = "data"

UPLOAD, LEAVE, LEFT = "data-upload", "data-leave", "data-left"
FILE_QUESTIONS, QUESTIONS, ASKED = "data-file-questions", "data-questions", "data-asked"
LINES, NOTES, MAPPING, REFUSED = "data-first-lines", "data-notes", "data-mapping", "data-refused"
NAME, NAME_PLACE, EXISTING, EXISTING_PLACE = "data-name", "data-name-place", "data-existing", "data-existing-place"
HOW, HOW_WORDS, AS_OF = "data-how", "data-how-words", "data-as-of"
CHECK, CREATE, CANCEL, REMOVE = "data-check", "data-create", "data-cancel", "data-remove"
STEPS, LOOKING, PREVIEW_TICK = "data-steps", "data-looking", "data-preview-tick"
OUTCOME, STALE, TICK, SNAPSHOTS = "data-outcome", "data-stale", "data-tick", "data-snapshots-place"

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
    start = [new_run_button(query.get("run"))] if services.store.snapshots() else []
    title = html.Div([html.H1(say("Data")), *start], className="seg-title")
    return html.Div([title, *adding, html.Div(snapshots_panel(services), id=SNAPSHOTS)], className="data-page")


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
    upload_request = UploadRequest.model_validate(upload.draft or upload.asked)
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
    seen, trouble, saved, chosen = None, "", [], dict(upload_request.mapping)
    try:
        seen = _preview(services, upload, upload_request)
        if seen is None:
            return [step(1, say("The file"), file, _looking(), *stores)]
        known_from, earlier_mapping = remembered_mapping(
            upload, [column.name for column in seen.columns], services.store
        )
        if earlier_mapping and not chosen:
            chosen = earlier_mapping
            seen = _preview(services, upload, upload_request.model_copy(update={"mapping": chosen}))
            saved = [
                html.P(
                    say("Filled in as {earlier} was read before.", earlier=known_from),
                    className="seg-hint mb-2",
                    id="data-remembered",
                )
            ]
    except InputError as error:
        seen, trouble = None, questions.in_page_words(say(error.message))
    else:
        if seen is None:
            return [step(1, say("The file"), file, _looking(), *stores)]
    same = [] if upload.found.get("same_as") else same_as_words(twin_of(upload, services.store))
    currency = upload_request.currency or services.config.sales.currency
    asked = _asked(seen, trouble, None, form.selected_columns(seen, chosen) if seen else {}, upload_request.reading)
    values = _values(asked, upload_request.reading, currency, upload_request.as_of, upload_request.cleaning)
    about_file, about_columns = _question_parts(asked, values)
    return [
        *stores,
        dcc.Store(id=ASKED, data=asked),
        ticker(PREVIEW_TICK),
        step(
            1,
            say("The file"),
            file,
            *same,
            html.Div(about_file, id=FILE_QUESTIONS, **aria(live="polite")),
            reading.reading_part(seen, upload_request.reading, currency),
        ),
        step(
            2,
            say("The columns"),
            html.Div(about_columns, id=QUESTIONS, **aria(live="polite")),
            html.Div(form.lines_part(seen), id=LINES),
            *saved,
            html.Div(form.mapping_part(seen, chosen), id=MAPPING, className="mt-3"),
            html.Div(form.notes_part(seen), id=NOTES, **aria(live="polite")),
        ),
        step(3, say("Check and create"), *_form(services, upload, upload_request, seen), *_result(upload)),
    ]


def _asked(
    seen: Preview | None,
    trouble: str,
    before: dict[str, Any] | None,
    mapping: Mapping[str, str],
    said: Mapping[str, Any],
    values: Mapping[str, Any] = {},
) -> dict[str, Any]:
    """What is asked, JSON-ready, and of which columns read how; what was asked before stays where it was answered.

    ``trouble``: why the file cannot be read at all. ``mapping``, ``said``: columns and reading as the form has them.
    """
    structure = {name: said[name] for name in questions.STRUCTURE if name in said}
    columns = [column.name for column in seen.columns] if seen is not None else []
    now = questions.asked_questions(seen) if seen is not None else []
    if trouble:
        now = [{"control": "", "title": "", "words": trouble, "options": [], "needed": True, "guess": "", "file": True}]
    earlier: list[dict[str, Any]] = []
    if before and before["columns"] == columns and before["structure"] == structure:
        is_same = before["mapping"] == dict(mapping)
        earlier = [item for item in before["asked"] if is_same or item["control"].startswith("mapping.")]
    listed = questions.still_asked(earlier, now, values)
    had_amount = seen is not None and any(guess.field == AMOUNT for guess in seen.guesses)
    had_amount = had_amount or bool(before and before["structure"] == structure and before["had_amount"])
    return {
        "columns": columns,
        "structure": structure,
        "mapping": dict(mapping),
        "asked": listed,
        "had_amount": had_amount,
    }


def _values(
    asked: Mapping[str, Any],
    said: Mapping[str, Any],
    currency: str | None,
    as_of: Any,
    cleaning: Mapping[str, Any],
) -> dict[str, Any]:
    """What the form has for each setting that may be asked for."""
    rates = cleaning.get("rates") or ""
    if not isinstance(rates, str):
        rates = ", ".join(f"{code} = {rate:g}" for code, rate in rates.items())
    return {
        **{f"mapping.{name}": column for name, column in asked["mapping"].items()},
        **{f"reading.{name}": value for name, value in said.items()},
        "currency": currency,
        "as_of": str(as_of) if as_of else "",
        "cleaning.rates": rates,
    }


def _question_parts(asked: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[list[Component], list[Component]]:
    """The questions about the file, and those about its columns."""
    of_file = {f"reading.{name}" for name in questions.STRUCTURE}
    about_file = [item for item in asked["asked"] if item["control"] in of_file or item.get("file")]
    others = [item for item in asked["asked"] if item not in about_file]
    return questions.questions_part(about_file, values), questions.questions_part(others, values)


def _mapping_said(columns: Mapping[str, str], asked: Mapping[str, Any]) -> dict[str, str]:
    """The columns that somebody has chosen or left as found; what is only guessed stays a guess."""
    guessed = {item["control"]: item["guess"] for item in asked["asked"] if item["guess"]}
    return {name: column for name, column in columns.items() if guessed.get(f"mapping.{name}", "") != (column or " ")}


def _preview(services: Services, upload: Upload, upload_request: UploadRequest) -> Preview | None:
    """The first lines of an upload; None while a worker looks at them."""
    return follow(preview_question(upload, upload_request, services.config), services.store)[0]


def _looking() -> Component:
    """What stands in the place of the first lines until they are there; it has the page look again."""
    words = html.P(
        [say("The first lines are being read …"), " ", say("This needs a worker.")], className="seg-hint mb-0"
    )
    return html.Div([words, ticker(LOOKING, waiting=True)], role="status")


def _form(services: Services, upload: Upload, upload_request: UploadRequest, seen: Preview | None) -> list[Component]:
    return [
        *_where(services, upload, upload_request),
        html.Div(form.rules_part(services.config, upload_request.cleaning), className="mt-3"),
        html.Div(
            [
                dbc.Button(say("Check"), id=CHECK, color="primary", size="sm", disabled=not form.can_be_checked(seen)),
                html.Span(
                    say("Reads all of it and accounts for every line; nothing is stored."), className="seg-hint ms-2"
                ),
            ],
            className="mt-3 mb-3",
        ),
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
    files = [item for item in snapshots if item.info.get("source_kind") == "file"]
    latest = (newest_snapshot(files, name) for name in dict.fromkeys(item.dataset for item in files))
    return [item for item in latest if item is not None]


def _how_words(services: Services, how: str, name: str | None) -> str:
    """What an answer to how it is stored means for what is there."""
    earlier = newest_snapshot(services.store.snapshots(), name or "")
    if earlier is None or how != "replace":
        return form.effect_words(how, earlier, 0)
    runs = services.store.runs(snapshot_id=earlier.id)
    return form.effect_words(how, earlier, len(runs), published_among(services.store, runs))


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
    **{f"reading.{name}": (place, "value") for name, place in reading.CONTROLS.items()},
    "currency": (reading.MONEY, "value"),
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


#: What a look at the first lines depends on.
_SHAPING = {name: where for name, where in _FILLED.items() if name in ("columns", "currency") or "." in name}


def _request(
    services: Services, filled: dict[str, Any], named: dict[str, Any], asked: Mapping[str, Any]
) -> UploadRequest:
    def by_name(ids: str, values: str) -> dict[str, Any]:
        return dict(zip((item["name"] for item in named[ids]), filled[values], strict=True))

    return form.form_request(
        services.config,
        mapping=by_name("fields", "columns"),
        reading=_reading_said(filled),
        switches=by_name("rules", "switches"),
        texts=by_name("lists", "texts"),
        name=(filled["name"] if filled["how"] == "new" else filled["existing"]) or "",
        how=filled["how"],
        as_of=filled["as_of"],
        currency=filled["currency"],
        had_amount=asked["had_amount"],
    )


def _reading_said(filled: Mapping[str, Any]) -> dict[str, Any]:
    return reading.reading_request({name: filled[f"reading.{name}"] for name in reading.CONTROLS})


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
        output={
            "asked": Output(ASKED, "data"),
            "about_file": Output(FILE_QUESTIONS, "children"),
            "about_columns": Output(QUESTIONS, "children"),
            "lines": Output(LINES, "children"),
            "notes": Output(NOTES, "children"),
            "mapping": Output(MAPPING, "children"),
            "facts": Output(reading.FACTS, "children"),
            "sheets": Output(reading.CONTROLS["sheets"], "options"),
            "no_sheets": Output(reading.SHEETS_PLACE, "hidden"),
            "no_text": Output(reading.TEXT_PLACE, "hidden"),
            "unready": Output(CHECK, "disabled"),
            "idle": Output(PREVIEW_TICK, "disabled"),
        },
        inputs={
            "filled": {name: Input(*where) for name, where in _SHAPING.items()},
            "ticks": Input(PREVIEW_TICK, "n_intervals"),
            "as_of": State(AS_OF, "value"),
            "texts": State(form.text_id(ALL), "value"),
            "named": _NAMED,
            "asked": State(ASKED, "data"),
            "upload_id": State(UPLOAD, "data"),
        },
        prevent_initial_call=True,
    )
    def show_preview(
        filled: dict[str, Any],
        ticks: int | None,
        as_of: str | None,
        texts: list[str | None],
        named: dict[str, Any],
        asked: dict[str, Any],
        upload_id: int,
    ) -> dict[str, Any]:
        fields = [item["name"] for item in named["fields"]]
        selects = dict(zip(fields, filled["columns"], strict=True))
        columns = form.mapping_of(selects, had_amount=asked["had_amount"])
        said = _reading_said(filled)
        rates = dict(zip((item["name"] for item in named["lists"]), texts, strict=True)).get("rates")
        values = _values({"mapping": columns}, said, filled["currency"], as_of, {"rates": rates})
        seen, trouble, is_new = None, "", False
        try:
            code = currency_code(filled["currency"] or "") or None
            upload = services.store.upload(upload_id)
            wanted = UploadRequest(mapping=_mapping_said(columns, asked), reading=said, currency=code)
            if not asked["columns"] or asked["structure"] != {
                name: said[name] for name in questions.STRUCTURE if name in said
            }:
                # other columns may be there now: what was chosen of them counts only if they are the same
                seen = _preview(services, upload, wanted.model_copy(update={"mapping": {}}))
                is_new = seen is not None and [column.name for column in seen.columns] != asked["columns"]
            if not is_new:
                seen = _preview(services, upload, wanted)
        except InputError as error:
            trouble = questions.in_page_words(say(error.message))
        if seen is None and not trouble:
            waiting = html.P(say("The first lines are being read …"), className="seg-hint")
            same: dict[str, Any] = dict.fromkeys(
                ("asked", "about_file", "about_columns", "lines", "mapping", "facts"), no_update
            )
            same |= dict.fromkeys(("sheets", "no_sheets", "no_text"), no_update)
            return {**same, "notes": waiting, "unready": True, "idle": False}
        if is_new and seen is not None:
            columns = form.selected_columns(seen, {})
            values |= {f"mapping.{name}": column for name, column in columns.items()}
        now = _asked(seen, trouble, asked, columns, said, values)
        if seen is None:  # what is there to choose from stays
            now |= {"columns": asked["columns"], "mapping": asked["mapping"]}
        about_file, about_columns = _question_parts(now, values)
        return {
            "asked": now,
            "about_file": about_file,
            "about_columns": about_columns,
            "lines": form.lines_part(seen),
            "notes": form.notes_part(seen),
            "mapping": form.mapping_part(seen, {}) if is_new else no_update,
            "facts": reading.facts(seen),
            "sheets": reading.sheet_options(seen, said) if seen is not None else no_update,
            "no_sheets": not reading.has_sheets(seen) if seen is not None else no_update,
            "no_text": not reading.is_text(seen) if seen is not None else no_update,
            "unready": not form.can_be_checked(seen),
            "idle": True,
        }

    @app.callback(
        output={
            "columns": Output(form.field_id(ALL), "value"),
            "reading": {name: Output(place, "value") for name, place in reading.CONTROLS.items()},
            "currency": Output(reading.MONEY, "value"),
            "as_of": Output(AS_OF, "value"),
            "texts": Output(form.text_id(ALL), "value"),
        },
        inputs={
            "answers": Input(questions.answer_id(ALL), "value"),
            "filled": {name: State(*where) for name, where in _FILLED.items()},
            "named": _NAMED,
        },
        prevent_initial_call=True,
    )
    def answer(answers: list[Any], filled: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
        """An answer goes where the form keeps it; one that was only drawn changes nothing."""
        name = ctx.triggered_id["name"] if ctx.triggered_id else ""
        given = ctx.triggered[0]["value"] if name else None
        same: dict[str, Any] = {
            "columns": [no_update] * len(named["fields"]),
            "reading": dict.fromkeys(reading.CONTROLS, no_update),
            "currency": no_update,
            "as_of": no_update,
            "texts": [no_update] * len(named["lists"]),
        }
        if given in (None, ""):
            return same
        part, _, key = name.partition(".")
        if part in ("mapping", "cleaning"):
            ids, kind = ("fields", "columns") if part == "mapping" else ("lists", "texts")
            keys = [item["name"] for item in named[ids]]
            if key in keys and filled[kind][keys.index(key)] != given:
                same[kind] = [given if each == key else no_update for each in keys]
        elif part == "reading":
            value = [given] if key == "sheets" else given
            if filled[name] != value:
                same["reading"] = {**same["reading"], key: value}
        elif filled[part] != given:
            same[part] = given
        return same

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
            "asked": State(ASKED, "data"),
            "upload_id": State(UPLOAD, "data"),
        },
        prevent_initial_call=True,
    )
    def work(
        clicks: Any, ticks: Any, filled: dict[str, Any], named: dict[str, Any], asked: dict[str, Any], upload_id: int
    ) -> dict[str, Any]:
        store, refused = services.store, None
        # a button that has just been drawn calls as well, without having been clicked
        trigger = ctx.triggered_id if ctx.triggered[0]["value"] else None
        try:
            if trigger == CHECK:
                request_task(
                    upload_id, "inspect", _request(services, filled, named, asked), services.config, store, _user()
                )
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
            "asked": State(ASKED, "data"),
            "upload_id": State(UPLOAD, "data"),
        },
    )
    def compare(
        drawn: Any, filled: dict[str, Any], named: dict[str, Any], asked: dict[str, Any], upload_id: int
    ) -> dict[str, Any]:
        """Keep what was filled in for when the page is opened again, and say whether it is what was checked."""
        upload = services.store.upload(upload_id)
        try:
            wanted = _request(services, filled, named, asked)
        except InputError:
            wanted = None
        said = None if wanted is None else wanted.model_dump(mode="json")
        if wanted is not None and said != dict(upload.asked) and ctx.triggered_id not in (None, OUTCOME):
            draft = wanted.model_copy(update={"mapping": _mapping_said(wanted.mapping, asked)})
            services.store.draft_upload(upload_id, draft.model_dump(mode="json"))
        if not _is_checked(upload):
            return {"stale": "", "disabled": True}
        is_same = said == dict(upload.asked)
        return {"stale": "" if is_same else say("Something was changed since: check again."), "disabled": not is_same}

    @app.callback(
        Output(SNAPSHOTS, "children", allow_duplicate=True),
        Input(rename_id("save", ALL), "n_clicks"),
        State(rename_id("name", ALL), "value"),
        State(rename_id("name", ALL), "id"),
        prevent_initial_call=True,
    )
    def rename(clicks: list[int | None], names: list[str | None], ids: list[dict[str, Any]]) -> list[Component]:
        if not any(clicks) or not ctx.triggered_id:
            raise PreventUpdate
        number = ctx.triggered_id["snapshot"]
        name = next(value for value, item in zip(names, ids, strict=True) if item["snapshot"] == number)
        trouble = []
        try:
            services.store.rename_dataset(services.store.snapshot(number).dataset, name or "")
        except (InputError, ChangedError) as error:
            trouble = [alert(say(error.message))]
        return [*trouble, snapshots_panel(services)]

    @app.callback(
        Output(DROPPED_PLACE, "children"),
        Output(DROPPED_TICK, "disabled"),
        Output(LEAVE, "data", allow_duplicate=True),
        Input(DROPPED, "n_clicks"),
        Input(DROPPED_TICK, "n_intervals"),
        State(UPLOAD, "data"),
        prevent_initial_call=True,
    )
    def write_dropped(clicks: int | None, ticks: int | None, upload_id: int) -> tuple[Any, bool, Any]:
        if not clicks:
            raise PreventUpdate
        try:
            made = follow(dropped_question(services.store.upload(upload_id), services.config), services.store)[0]
        except InputError as error:
            return questions.in_page_words(say(error.message)), True, no_update
        if made is None:
            return say("The file is being written …"), False, no_update
        address = f"/api/v1/uploads/{upload_id}/dropped.csv"
        return html.A(say("CSV, {size}", size=_size(made.size)), href=address), True, address

    @app.callback(Output(LEAVE, "data"), Input(REMOVE, "n_clicks"), State(UPLOAD, "data"), prevent_initial_call=True)
    def forget(clicks: int | None, upload_id: int) -> str:
        if not clicks:
            raise PreventUpdate
        remove_upload(upload_id, services.config, services.store)
        return PATH
