"""The parts of the Data page: where a file goes in, its way to a snapshot in three steps, and what is there."""

from __future__ import annotations

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.attributes import aria, data
from dashboard.components.cards import alert
from dashboard.components.computing import follow, ticker
from dashboard.components.fields import field, fields
from dashboard.components.panels import panel, step
from dashboard.i18n.numbers import day, written
from dashboard.i18n.texts import noted, say
from dashboard.pages.data import form
from dashboard.pages.data.report import BUSY, outcome, same_as_words
from dashboard.pipeline.receive import UPLOADABLE
from dashboard.pipeline.uploads import UploadRequest, known_mapping, preview_question, twin_of
from dashboard.queries.which_run import title_of
from dashboard.services import Services
from engines.errors import InputError
from engines.intake.schema.preview import Preview
from storage.contract import Snapshot
from storage.contract.uploads import Upload

PATH = "/data"
UPLOAD, LEAVE, LEFT = "data-upload", "data-leave", "data-left"
ORDER_OF_DATES, ORDER_PLACE = "data-date-order", "data-date-order-place"
DECIMAL, DECIMAL_PLACE = "data-decimal", "data-decimal-place"
LINES, REMARKS, REFUSED = "data-first-lines", "data-told", "data-refused"
NAME, NAME_PLACE, EXISTING, EXISTING_PLACE = "data-name", "data-name-place", "data-existing", "data-existing-place"
HOW, HOW_WORDS, AS_OF = "data-how", "data-how-told", "data-as-of"
CHECK, CREATE, CANCEL, REMOVE = "data-check", "data-create", "data-cancel", "data-remove"
STEPS, LOOKING, LOOK_AGAIN = "data-steps", "data-looking", "data-look-again"
OUTCOME, STALE, TICK, THERE = "data-outcome", "data-stale", "data-tick", "data-there-place"

_DATE_ORDERS = (
    ("", noted("as the column itself decides")),
    ("day-first", noted("day first")),
    ("month-first", noted("month first")),
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


def choosing(services: Services) -> Component:
    """Where a file is dropped or chosen, and what was uploaded and not used yet."""
    limit = services.config.uploads.limit_mb
    drop = html.Div(
        [
            html.P(say("Drop a file of sales here"), className="data-drop-head mb-1"),
            html.P(
                [say("CSV, TSV, Excel, Parquet; also .gz, .zst or .zip; up to {size} MB", size=written(limit, ","))],
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


def steps(services: Services, upload: Upload) -> list[Component]:
    """The three steps from an uploaded file to a snapshot."""
    asked = UploadRequest.model_validate(upload.asked)
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
        seen = preview_now(services, upload, asked)
        if seen is None:
            return [step(1, say("The file"), file, _looking(), *stores)]
        known_from, known = known_mapping(upload, [column.name for column in seen.columns], services.store)
        chosen = dict(asked.mapping) or known
        if chosen and not asked.mapping:
            seen = preview_now(services, upload, asked.model_copy(update={"mapping": chosen}))
    except InputError as error:
        return [step(1, say("The file"), file, alert(say(error.message)), *stores)]
    if seen is None:
        return [step(1, say("The file"), file, _looking(), *stores)]
    saved = (
        [
            html.P(
                say("Filled in as {earlier} was read before.", earlier=known_from),
                className="seg-hint mb-2",
                id="data-known",
            )
        ]
        if known and not asked.mapping
        else []
    )
    same = [] if upload.found.get("same_as") else same_as_words(twin_of(upload, services.store))
    return [
        *stores,
        step(1, say("The file"), file, *same, html.Div(form.first_lines(seen), id=LINES)),
        step(2, say("How it is read, and what counts"), *saved, *_form(services, upload, asked, seen, chosen)),
        step(3, say("What it comes to"), *_result(upload)),
    ]


def preview_now(services: Services, upload: Upload, asked: UploadRequest) -> Preview | None:
    """The first lines of an upload; None while a worker looks at them."""
    return follow(preview_question(upload, asked, services.config), services.store)[0]


def _looking() -> Component:
    """What stands in the place of the first lines until they are there; it has the page look again."""
    words = html.P(
        [say("The first lines are being read …"), " ", say("This needs a worker.")], className="seg-hint mb-0"
    )
    return html.Div([words, ticker(LOOKING, waiting=True)], role="status")


def _form(
    services: Services, upload: Upload, asked: UploadRequest, seen: Preview, chosen: dict[str, str]
) -> list[Component]:
    orders = form.choice_part(
        ORDER_OF_DATES,
        ORDER_PLACE,
        say("Which comes first in the dates?"),
        form.problem_of(seen, "date_order"),
        asked.reading.get("date_order", ""),
        _DATE_ORDERS,
    )
    decimals = form.choice_part(
        DECIMAL,
        DECIMAL_PLACE,
        say("What is the decimal sign?"),
        form.problem_of(seen, "decimal"),
        asked.reading.get("decimal", ""),
        _DECIMALS,
    )
    return [
        html.H3(say("Columns"), className="data-head"),
        form.mapping_part(seen, chosen),
        orders,
        decimals,
        html.Div(form.remarks(seen), id=REMARKS, **aria(live="polite")),
        ticker(LOOK_AGAIN),
        html.H3(say("What counts"), className="data-head"),
        form.rules_part(services.config, asked.cleaning),
        html.H3(say("What is made of it"), className="data-head"),
        *_where(services, upload, asked),
        dbc.Button(say("Check"), id=CHECK, color="primary", size="sm", class_name="mt-3", disabled=not seen.usable),
        html.Span(say("Reads all of it and accounts for every line; nothing is stored."), className="seg-hint ms-2"),
    ]


def _where(services: Services, upload: Upload, asked: UploadRequest) -> list[Component]:
    snapshots = _latest(services.store.snapshots())
    names = [{"value": item.dataset, "label": title_of(item)} for item in snapshots]
    existing = asked.name if asked.how != "new" else (names[0]["value"] if names else "")
    stem = upload.name.partition(".")[0] or upload.name
    return [
        dbc.RadioItems(id=HOW, options=form.how_options(snapshots), value=asked.how),
        fields(
            field(
                say("Name of the data set"),
                dbc.Input(id=NAME, value=asked.name or stem, size="sm", maxlength=200, debounce=True),
                id=NAME_PLACE,
                hidden=asked.how != "new",
            ),
            field(
                say("Data set"),
                dbc.Select(id=EXISTING, options=names, value=existing, size="sm"),
                id=EXISTING_PLACE,
                hidden=asked.how == "new",
            ),
            field(
                say("As of (optional)"),
                dbc.Input(
                    id=AS_OF,
                    type="date",
                    value=asked.as_of.isoformat() if asked.as_of else "",
                    size="sm",
                    debounce=True,
                ),
                say("The day after the last sale, unless said."),
            ),
            style="mt-2",
        ),
        html.P(how_words(services, asked.how, existing), id=HOW_WORDS, className="seg-hint mb-0"),
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
                    say("Create snapshot"), id=CREATE, color="primary", size="sm", style=shown(is_checked(upload))
                ),
                dbc.Button(say("Cancel"), id=CANCEL, color="secondary", outline=True, size="sm", style=shown(is_busy)),
            ],
            className="mt-2",
        ),
        dcc.Interval(id=TICK, interval=1000, disabled=not is_busy),
    ]


def _latest(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """The newest snapshot of each data set that was read from files."""
    found: dict[str, Snapshot] = {}
    for item in snapshots:
        if item.info.get("source_kind") == "file":
            found.setdefault(item.dataset, item)
    return list(found.values())


def how_words(services: Services, how: str, name: str | None) -> str:
    """What an answer to how it is stored means for what is there."""
    earlier = next((item for item in services.store.snapshots() if item.dataset == name), None)
    runs = len(services.store.runs(snapshot_id=earlier.id)) if earlier is not None and how == "replace" else 0
    return form.effect_words(how, earlier, runs)


def _size(size: float) -> str:
    return f"{written(size / 2**20, ',.1f')} MB" if size >= 2**20 else f"{written(max(1, round(size / 1024)), ',')} KB"


def shown(is_there: bool) -> dict[str, str]:
    """The style of what is there or not."""
    return {} if is_there else {"display": "none"}


def is_checked(upload: Upload) -> bool:
    """Whether what was asked for last was a check, and it is done."""
    return upload.state == "done" and upload.task == "inspect"
