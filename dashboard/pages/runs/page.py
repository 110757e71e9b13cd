"""Every run there is: what it was made of, how it went, who started it, and what can be done with it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update, set_props
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from flask import request

from dashboard.components import cards, ids
from dashboard.components.attributes import aria
from dashboard.components.cards import alert
from dashboard.components.dialogs import button, dialog
from dashboard.components.fields import picker
from dashboard.i18n.numbers import plural
from dashboard.i18n.texts import noted, say
from dashboard.pages.runs.table import CANCEL, DELETE, NEWEST, PICK, RERUN, Filter, deletion, runs_table
from dashboard.pipeline.request import repeat_run, user_of
from dashboard.pipeline.series import published_ids
from dashboard.queries.progress import UNDER_WAY
from dashboard.queries.which_run import engine_titles, title_of
from dashboard.services import Services
from engines.errors import InputError
from storage.contract import NotFoundError, Run, Starter

PATH = "/runs"
TITLE = noted("Runs")
ORDER = 5
AREA = "models"

MOST_LISTED = 200
MOST_COMPARED = 6

STATE, DATASET, ENGINE = "runs-state", "runs-dataset", "runs-engine"
LIST, TICK, MESSAGE, COMPARE, CURRENT = "runs-list", "runs-tick", "runs-message", "runs-compare", "runs-current"
SEEN = "runs-seen"  # how the runs stood when the list was drawn
SURE, SURE_TEXT, SURE_RUN, YES, NO = "runs-sure", "runs-sure-text", "runs-sure-run", "runs-yes", "runs-no"
ALL_OF_THEM = "*"  # an empty value would leave the picker blank
_STATES = (noted("queued"), noted("running"), noted("done"), noted("failed"), noted("cancelled"))


def layout(services: Services, **query: Any) -> Component:
    """The runs, those made last first, that the filters of the address let through."""
    runs = services.store.runs()
    if not runs:
        return cards.empty_state(say("No runs yet"), cards.sales_first())
    filters = Filter(*(str(query.get(name) or "") for name in ("state", "dataset", "engine")))
    titles = {item.dataset: title_of(item) for item in services.store.snapshots()}
    engines = engine_titles()
    pickers = [
        _picker(STATE, say("State"), {name: say(name) for name in _STATES}, filters.state),
        _picker(
            DATASET,
            say("Data set"),
            {name: titles.get(name, name) for name in {run.dataset for run in runs}},
            filters.dataset,
        ),
        _picker(
            ENGINE,
            say("Engine"),
            {name: engines.get(name, name) for name in {run.engine for run in runs}},
            filters.engine,
        ),
    ]
    start = cards.new_run_button(query.get("run"))
    return html.Div(
        [
            html.H1(say("Runs")),
            html.Div([start, *pickers, html.Div(id=COMPARE, **aria(live="polite"))], className="runs-bar"),
            html.Div(id=MESSAGE, **aria(live="assertive")),
            html.Div(_listed(services, filters, (), query.get("run")), id=LIST),
            dcc.Store(id=CURRENT, data=query.get("run")),
            dcc.Store(id=SEEN, data=_seen(runs)),
            dcc.Interval(id=TICK, interval=2000, disabled=not any(run.state in UNDER_WAY for run in runs)),
            _deletion_dialog(),
        ],
        className="runs-page",
    )


def _picker(name: str, label: str, options: dict[str, str], value: str) -> Component:
    ordered = sorted(options.items(), key=lambda pair: pair[1].lower())
    every = {"value": ALL_OF_THEM, "label": say("{filter}: all", filter=label)}
    listed = [every, *({"value": item, "label": text} for item, text in ordered)]
    return picker(name, label, listed, value or ALL_OF_THEM, hidden_label=True)


def _listed(services: Services, filters: Filter, picked: Any, current: str | None) -> list[Component]:
    runs = services.store.runs()
    listed = [run for run in runs if filters.meets(run)]
    snapshots = {item.id: item for item in services.store.snapshots()}
    states = [run.state for run in listed]
    counted = ", ".join(f"{states.count(state)} {say(state)}" for state in dict.fromkeys(states))
    lead = f"{plural(len(listed), '{n} run', '{n} runs')}: {counted}."
    if len(listed) > MOST_LISTED:
        latest = say("The latest {shown} are shown.", shown=MOST_LISTED)
        lead = f"{lead} {latest}"
    if not listed:
        none = say("No run meets these filters; choose “all” in one of them.")
        return [html.P(none if runs else say("No runs are left."), className="seg-empty")]
    drawn = runs_table(
        listed[:MOST_LISTED],
        runs,
        snapshots,
        engine_titles(),
        services.clock(),
        picked=picked,
        published=published_ids(services.store),
        current=current,
    )
    return [
        html.P(lead, className="seg-lead"),
        html.Section(drawn, className="seg-card seg-scroll", tabIndex=0, **aria(label=say("Runs"))),
    ]


def _seen(runs: list[Run]) -> list[str]:
    """How the runs that are under way stand, roughly, and which there are."""
    stages = [f"{run.id} {run.state} {run.stage} {round(10 * (run.progress or 0))}" for run in runs[:MOST_LISTED]]
    return [*stages, str(len(runs))]


def _deletion_dialog() -> Component:
    return dialog(
        SURE,
        say("Delete this run?"),
        [html.Div(id=SURE_TEXT), dcc.Store(id=SURE_RUN)],
        [button(NO, say("Keep it"), "secondary"), button(YES, say("Delete"), "danger")],
    )


def compare_link(services: Services, picked: list[int]) -> Any:
    """The way to the comparison of the chosen runs, or why there is none."""
    if len(picked) < 2:
        return html.Span(say("Choose 2 to 6 runs of one snapshot to compare them."), className="seg-hint")
    if len(picked) > MOST_COMPARED:
        return html.Span(say("At most {most} runs can be compared.", most=MOST_COMPARED), className="seg-hint")
    try:
        runs = [services.store.run(number) for number in picked]
    except NotFoundError as error:
        return html.Span(say(error.message), className="seg-hint")
    if len({run.snapshot_id for run in runs}) > 1:
        return html.Span(say("Runs are compared on one snapshot; these are of several."), className="seg-hint")
    address = urlencode([("run", str(picked[0])), *(("with", str(number)) for number in sorted(picked))])
    return dcc.Link(
        say("Compare {number} runs", number=len(picked)), href=f"/compare?{address}", className="btn btn-primary btn-sm"
    )


# --- what happens -----------------------------------------------------------------------------------------------------


def register(app: Dash, services: Services) -> None:
    """The list follows its filters, what is under way, and what is done with a run."""
    store = services.store

    @app.callback(
        Output(LIST, "children"),
        Output(TICK, "disabled"),
        Output(MESSAGE, "children"),
        Output(SURE, "is_open"),
        Output(SEEN, "data"),
        Input(TICK, "n_intervals"),
        Input(STATE, "value"),
        Input(DATASET, "value"),
        Input(ENGINE, "value"),
        *(Input({"type": kind, "run": ALL}, "n_clicks") for kind in (CANCEL, RERUN, NEWEST)),
        Input(YES, "n_clicks"),
        State(SURE_RUN, "data"),
        State({"type": PICK, "run": ALL}, "value"),
        State({"type": PICK, "run": ALL}, "id"),
        State(CURRENT, "data"),
        State(SEEN, "data"),
        prevent_initial_call=True,
    )
    def act(*given: Any) -> tuple[Any, ...]:
        _, state, dataset, engine, *_, yes, sure, values, names, current, seen = given
        trigger: Any = ctx.triggered_id
        message: Component | None = None
        is_open: Any = no_update
        filters = Filter(*("" if not text or text == ALL_OF_THEM else text for text in (state, dataset, engine)))
        try:
            if isinstance(trigger, dict):
                if not ctx.triggered[0]["value"]:  # the buttons were drawn, nobody pressed one
                    raise PreventUpdate
                message = _done(services, str(trigger["type"]), int(trigger["run"]))
            elif trigger == YES and yes and sure:
                is_open = False
                store.delete_run(int(sure))
                message = alert(say("Run {run} is deleted.", run=sure), "info")
        except (InputError, NotFoundError) as error:
            message = alert(say(error.message))
        if trigger in (STATE, DATASET, ENGINE):
            pairs = [(name, text) for name, text in vars(filters).items() if text]
            pairs += [("run", current)] if current else []
            set_props(ids.LOCATION, {"search": "?" + urlencode(pairs)})  # as an output it would close a circle
        runs = store.runs()
        if trigger == TICK and _seen(runs) == seen:  # so that the keyboard's focus stays where it is
            raise PreventUpdate
        busy = any(run.state in UNDER_WAY for run in runs)
        shown_message = no_update if trigger == TICK else message
        return (
            _listed(services, filters, _picked(values, names), current),
            not busy,
            shown_message,
            is_open,
            _seen(runs),
        )

    @app.callback(
        Output(SURE, "is_open", allow_duplicate=True),
        Output(SURE_TEXT, "children"),
        Output(SURE_RUN, "data"),
        Input({"type": DELETE, "run": ALL}, "n_clicks"),
        Input(NO, "n_clicks"),
        prevent_initial_call=True,
    )
    def ask(clicks: list[int | None], no: int | None) -> tuple[Any, ...]:
        trigger = ctx.triggered_id
        if trigger == NO:
            return False, no_update, None
        if not isinstance(trigger, dict) or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        run = store.run(int(trigger["run"]))
        return True, deletion(run, store.dependents(run.id)), run.id

    @app.callback(
        Output(COMPARE, "children"),
        Input({"type": PICK, "run": ALL}, "value"),
        State({"type": PICK, "run": ALL}, "id"),
    )
    def compared(values: list[bool], names: list[dict[str, Any]]) -> Any:
        return compare_link(services, _picked(values, names))


def _picked(values: list[bool], names: list[dict[str, Any]]) -> list[int]:
    return [item["run"] for item, value in zip(names, values, strict=True) if value]


def _done(services: Services, kind: str, run_id: int) -> Component:
    """Do what a button of a run's line says; what to tell about it."""
    if kind == CANCEL:
        services.store.cancel_run(run_id)
        return alert(say("Run {run} is cancelled.", run=run_id), "info")
    starter = Starter("page", user_of(request.headers.get("Authorization", "")))
    made = repeat_run(services.store.run(run_id), services.store, starter, newest=kind == NEWEST)
    watch = dcc.Link(say("Watch run {run}", run=made.id), href=f"/new?started={made.id}")
    sentence = say("Run {run} repeats run {earlier} and waits for a worker.", run=made.id, earlier=run_id)
    return alert([sentence, " ", watch], "info")
