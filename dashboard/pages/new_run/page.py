"""Start runs in three steps on one page (data, engines, review), and watch them until they are done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from flask import request

from dashboard.components import cards
from dashboard.components.attributes import aria, data
from dashboard.components.cards import alert
from dashboard.components.fields import field, fields
from dashboard.components.panels import step
from dashboard.components.run_cards import BODY, CANCEL, HEAD, LOG, card_parts, run_card
from dashboard.i18n.numbers import day, plural
from dashboard.i18n.texts import noted, say
from dashboard.pages.new_run import form
from dashboard.pipeline.request import (
    RunRequest,
    Wish,
    check_date,
    fitting_settings,
    queue_runs,
    user_of,
    why_no_other_date,
)
from dashboard.pipeline.run import make_engine
from dashboard.pipeline.series import newest_snapshot
from dashboard.queries.progress import UNDER_WAY
from dashboard.queries.which_run import engine_titles, run_from, title_of
from dashboard.services import Services
from engines import registry
from engines.errors import InputError
from storage.contract import NotFoundError, Snapshot, Starter

PATH = "/new"
TITLE = noted("New run")
ORDER = 28
AREA = None

DATASET, WHEN, DATE, DATE_PLACE, ABOUT = (
    f"new-run-{name}" for name in ("dataset", "snapshot", "date", "date-place", "about")
)
SEED, REVIEW, REFUSED, START = (f"new-run-{name}" for name in ("seed", "review", "refused", "start"))
#: What stands for a date that no snapshot has.
OTHER = "other"
LEAVE, LEFT = "new-run-leave", "new-run-left"
WATCHED, TICK, PANELS, MESSAGE = "new-run-watched", "new-run-tick", "new-run-panels", "new-run-message"

_MOST_WATCHED = 20


# --- what is drawn ----------------------------------------------------------------------------------------------------


def layout(services: Services, **query: Any) -> Component:
    """The form, for the snapshot of the run in the address; or the runs that ``started`` names, as they stand."""
    if query.get("started"):
        return _watching(services, _numbers(query["started"]))
    snapshots = services.store.snapshots()
    if not snapshots:
        return cards.empty_state(say("No customers to run engines on yet"), cards.sales_first())
    current = run_from(services.store, query.get("run"))
    latest = max(snapshots, key=lambda item: (item.as_of, item.id))
    begin = next((item for item in snapshots if current and item.id == current.snapshot_id), latest)
    return html.Div(
        [
            html.H1(say("New run")),
            step(1, say("Data"), *_data(snapshots, begin)),
            step(2, say("Engines"), *_engines(services, begin)),
            step(3, say("Review and start"), *_review()),
            dcc.Store(id=LEAVE),
            dcc.Store(id=LEFT),
        ],
        className="data-page new-run-page",
    )


def _data(snapshots: list[Snapshot], begin: Snapshot) -> list[Component]:
    """The first step: which data set, and as of when."""
    names = {item.dataset: title_of(item) for item in reversed(snapshots)}
    datasets = [{"value": name, "label": title} for name, title in sorted(names.items(), key=lambda pair: pair[1])]
    options = _dates(snapshots, begin.dataset)
    cells = [
        field(say("Data set"), dbc.Select(id=DATASET, options=datasets, value=begin.dataset, size="sm")),
        field(say("Customers as of"), dbc.Select(id=WHEN, options=options, value=str(begin.id), size="sm")),
        field(
            say("Another date"),
            dbc.Input(id=DATE, type="date", value="", size="sm", debounce=True),
            id=DATE_PLACE,
            hidden=True,
        ),
    ]
    upload: list[Any] = [say("Other sales?"), " ", dcc.Link(say("Upload them on the Data page"), href="/data"), "."]
    return [
        fields(*cells),
        html.P("", id=ABOUT, className="seg-hint mt-2 mb-0", **aria(live="polite")),
        html.P(upload, className="seg-hint mb-0"),
    ]


def _dates(snapshots: list[Snapshot], dataset: str) -> list[dict[str, str]]:
    """The dates of a data set to choose from, the newest first, and another."""
    mine = [item for item in snapshots if item.dataset == dataset]
    mine.sort(key=lambda item: (item.as_of, item.id), reverse=True)
    days = [item.as_of for item in mine]
    dated = [
        {
            "value": str(item.id),
            "label": f"{day(item.as_of)}{'' if days.count(item.as_of) == 1 else f' #{item.id}'}"
            f" ({plural(item.customers, '{n} customer', '{n} customers')})",
        }
        for item in mine
    ]
    return [*dated, {"value": OTHER, "label": say("Another date …")}]


def _engines(services: Services, begin: Snapshot) -> list[Component]:
    """The second step: a card per engine that is installed, and the seed of them all."""
    columns = services.store.snapshot_columns(begin.id)
    shown = []
    for entry in registry.registered():
        values: Mapping[str, Any] = {}
        if entry.kind is not None:
            try:
                made = make_engine(entry.name, services.config)
            except InputError:  # settings of the configuration that it has no more: the form begins with its defaults
                made = entry.kind()
            values = {knob.name: getattr(made, knob.name) for knob in entry.knobs}
        shown.append(form.card(entry, values, entry.name in services.config.engines.use, columns))
    seed = dbc.Input(
        id=SEED, type="text", value=str(services.config.engines.seed), size="sm", debounce=True, inputmode="numeric"
    )
    return [
        html.Div(shown, className="new-run-cards"),
        field(
            say("Seed of everything random"),
            seed,
            title=say("The same seed gives the same segments."),
            className="new-run-seed new-run-bounds",
            **data(low="0", high="4294967295"),
        ),
    ]


def _review() -> list[Component]:
    """The third step: what is going to happen, in words, and the button that has it happen."""
    return [
        html.Div(id=REVIEW, **aria(live="polite")),
        html.Div(id=REFUSED, **aria(live="assertive")),
        dbc.Button(say("Start"), id=START, color="primary", size="sm", disabled=True),
        html.Span(say("A worker computes it; this page may be left and come back to."), className="seg-hint ms-2"),
    ]


# --- runs that were started -----------------------------------------------------------------------------------------


def _watching(services: Services, numbers: list[int]) -> Component:
    runs = [services.store.run(number) for number in numbers]
    states, shown = card_parts(services.store, numbers, services.clock())
    snapshots, titles = {item.id: item for item in services.store.snapshots()}, engine_titles()
    cards_of = [
        run_card(run, each, snapshots.get(run.snapshot_id), titles) for run, each in zip(runs, shown, strict=True)
    ]
    return html.Div(
        [
            html.H1(say("Started runs")),
            html.P(
                [
                    dcc.Link(say("Start others"), href=PATH, className="me-3"),
                    dcc.Link(say("All runs"), href="/runs", className="me-3"),
                ],
                className="mb-2",
            ),
            html.Div(id=MESSAGE, **aria(live="assertive")),
            html.Div(cards_of, id=PANELS),
            dcc.Store(id=WATCHED, data={"runs": numbers, "states": states}),
            dcc.Interval(id=TICK, interval=1000, disabled=not _is_busy(states)),
        ],
        className="data-page",
    )


def _is_busy(states: list[str]) -> bool:
    return any(state in UNDER_WAY for state in states)


def _numbers(text: Any) -> list[int]:
    parts = [part.strip() for part in str(text).split(",")]
    if not all(part.isdecimal() and len(part) <= 18 for part in parts) or len(parts) > _MOST_WATCHED:
        raise InputError(
            "started must be the numbers of at most {most_watched} runs, as 12,13, not {text!r}.",
            most_watched=_MOST_WATCHED,
            text=text,
        )
    return [int(part) for part in parts]


# --- what was filled in -----------------------------------------------------------------------------------------------


def _wishes(filled: dict[str, Any], named: dict[str, Any]) -> dict[str, Wish]:
    """What every ticked engine is asked for, by its name."""

    def by_engine(kind: str) -> dict[str, dict[str, Any]]:
        settings: dict[str, dict[str, Any]] = {}
        for item, value in zip(named[kind], filled[kind], strict=True):
            settings.setdefault(item["engine"], {})[item.get("knob", "")] = value
        return settings

    knobs, columns, autos, ticks = (by_engine(kind) for kind in ("knobs", "columns", "autos", "ticks"))
    return {
        entry.name: form.wish_of(
            entry,
            {**knobs.get(entry.name, {}), **columns.get(entry.name, {})},
            filled["seed"],
            bool(autos.get(entry.name, {}).get("")),
        )
        for entry in registry.registered()
        if entry.kind is not None and ticks.get(entry.name, {}).get("")
    }


def _base(services: Services, filled: dict[str, Any]) -> tuple[Snapshot, date | None]:
    """The snapshot that is meant, and the date if its customers are still to be built.

    Raises:
        InputError: another date is wanted, but none is given, or it is not one of the sales'.
    """
    if filled["when"] != OTHER:
        return services.store.snapshot(int(filled["when"])), None
    base = newest_snapshot(services.store.snapshots(), filled["dataset"])
    if base is None:
        raise InputError("Choose a data set.")
    if why := why_no_other_date(base):
        raise InputError(why)
    if not filled["date"]:
        raise InputError("Choose the date, or one of the dates that are there.")
    try:
        as_of = date.fromisoformat(filled["date"])
    except ValueError:
        raise InputError("{date} is no date; write it as 2011-12-09.", date=filled["date"]) from None
    check_date(base, as_of)
    return base, as_of


def _about(base: Snapshot, as_of: date | None) -> str:
    if as_of is None:
        return say(
            "{dataset} as of {day}: {customers}.",
            dataset=title_of(base),
            day=day(base.as_of),
            customers=plural(base.customers, "{n} customer", "{n} customers"),
        )
    return say(
        "{dataset} as of {day}: a new snapshot is made from the same sales first.",
        dataset=title_of(base),
        day=day(as_of),
    )


_FILLED: dict[str, tuple[str | dict[str, Any], str]] = {
    "ticks": (form.part_id(form.CHOSEN, ALL), "value"),
    "knobs": (form.part_id(form.KNOB, ALL, ALL), "value"),
    "columns": (form.part_id(form.COLUMNS, ALL, ALL), "value"),
    "autos": (form.part_id(form.AUTO_K, ALL), "value"),
    "seed": (SEED, "value"),
    "when": (WHEN, "value"),
    "date": (DATE, "value"),
    "dataset": (DATASET, "value"),
}
_NAMED = {name: State(_FILLED[name][0], "id") for name in ("ticks", "knobs", "columns", "autos")}


# --- what happens -----------------------------------------------------------------------------------------------------


def register(app: Dash, services: Services) -> None:
    """The form checks itself as it is filled in, starts runs, and what was started is followed from the store."""
    app.clientside_callback(
        ClientsideFunction("segmentryNewRun", "leave"),
        Output(LEFT, "data"),
        Input(LEAVE, "data"),
        prevent_initial_call=True,
    )

    @app.callback(Output(WHEN, "options"), Output(WHEN, "value"), Input(DATASET, "value"), prevent_initial_call=True)
    def other_dataset(dataset: str) -> tuple[Any, ...]:
        options = _dates(services.store.snapshots(), dataset)
        return options, options[0]["value"]

    @app.callback(
        Output(DATE_PLACE, "hidden"),
        Output(form.part_id(form.COLUMNS, ALL, ALL), "options"),
        Input(WHEN, "value"),
        State(form.part_id(form.COLUMNS, ALL, ALL), "value"),
        prevent_initial_call=True,
    )
    def other_snapshot(when: str, chosen: list[list[str]]) -> tuple[Any, ...]:
        if when == OTHER:
            return False, [no_update] * len(chosen)
        columns = services.store.snapshot_columns(int(when))
        return True, [form.column_options(columns, each) for each in chosen]

    @app.callback(
        output={
            "about": Output(ABOUT, "children"),
            "wrong": Output(form.part_id(form.WRONG, ALL), "children"),
            "review": Output(REVIEW, "children"),
            "disabled": Output(START, "disabled"),
        },
        inputs={
            "filled": {name: Input(*where) for name, where in _FILLED.items()},
            "named": {**_NAMED, "wrong": State(form.part_id(form.WRONG, ALL), "id")},
        },
    )
    def check(filled: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
        entries = {entry.name: entry for entry in registry.registered()}
        wishes, wrong, summaries = _wishes(filled, named), {}, []
        try:
            base, as_of = _base(services, filled)
            about, columns = _about(base, as_of), services.store.snapshot_columns(base.id)
            customers = None if as_of else base.customers
            refused = ""
        except InputError as error:
            about, columns, customers, refused = "", None, None, say(error.message)
        for name, wish in wishes.items():
            try:
                wish.made() if columns is None else fitting_settings(wish, columns, customers)
                summaries.append(form.in_words(entries[name], wish))
            except InputError as error:
                wrong[name] = say(error.message)
        if refused:
            review: Any = html.P(refused, className="seg-alarm")
        elif not wishes:
            review = html.P(say("Tick at least one engine."), className="seg-hint")
        else:
            total = plural(len(wishes), "{n} run", "{n} runs")
            review = [html.P(f"{about} {total}:", className="mb-1"), html.Ul([html.Li(text) for text in summaries])]
        return {
            "about": about,
            "wrong": [wrong.get(item["engine"], "") for item in named["wrong"]],
            "review": review,
            "disabled": bool(refused or wrong or not wishes),
        }

    @app.callback(
        output={"leave": Output(LEAVE, "data"), "refused": Output(REFUSED, "children")},
        inputs={
            "clicks": Input(START, "n_clicks"),
            "filled": {name: State(*where) for name, where in _FILLED.items()},
            "named": _NAMED,
        },
        prevent_initial_call=True,
        running=[(Output(START, "disabled"), True, False)],
    )
    def start(clicks: int | None, filled: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
        if not clicks:
            raise PreventUpdate
        starter = Starter("page", user_of(request.headers.get("Authorization", "")))
        try:
            base, as_of = _base(services, filled)
            run_request = RunRequest(base.id, tuple(_wishes(filled, named).values()), as_of)
            runs = queue_runs(run_request, services.store, starter)
        except (InputError, NotFoundError) as error:
            return {"leave": no_update, "refused": alert(say(error.message))}
        return {"leave": f"{PATH}?started={','.join(str(run.id) for run in runs)}", "refused": None}

    @app.callback(
        *(Output({"type": kind, "run": ALL}, "children") for kind in (HEAD, BODY, LOG)),
        Output(WATCHED, "data"),
        Output(TICK, "disabled"),
        Output(MESSAGE, "children"),
        Input(TICK, "n_intervals"),
        Input({"type": CANCEL, "run": ALL}, "n_clicks"),
        State(WATCHED, "data"),
        prevent_initial_call=True,
    )
    def follow(ticks: int | None, clicks: list[int | None], followed: dict[str, Any]) -> tuple[Any, ...]:
        message, trigger = None, ctx.triggered_id
        if isinstance(trigger, dict):
            if not any(clicks):  # the buttons were drawn, nobody pressed one
                raise PreventUpdate
            try:
                services.store.cancel_run(int(trigger["run"]))
            except (InputError, NotFoundError) as error:
                message = alert(say(error.message))
        states, shown = card_parts(services.store, followed["runs"], services.clock())
        # a button that is still right stays where it is, with the keyboard's focus on it
        heads = [
            no_update if now == before else each.head
            for now, before, each in zip(states, followed["states"], shown, strict=True)
        ]
        bodies, logs = [each.body for each in shown], [each.log for each in shown]
        return heads, bodies, logs, {**followed, "states": states}, not _is_busy(states), message
