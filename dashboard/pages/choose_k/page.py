"""How many segments to make: every number tried on the customers of a snapshot, curve by curve, and what follows."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update, set_props
from dash.development.base_component import Component

from dashboard.components import cards, ids
from dashboard.components.attributes import aria
from dashboard.components.computing import follow, progress_card, ticker
from dashboard.components.fields import picker, pickers
from dashboard.components.panels import panel
from dashboard.components.tables import Head, table, table_row
from dashboard.figures import choose_k as figures
from dashboard.figures import graph_config
from dashboard.i18n.numbers import count, day, plural
from dashboard.i18n.texts import noted, say
from dashboard.pipeline.choose_k import KRange, choosable_engines, k_question
from dashboard.queries.which_run import run_from, title_of
from dashboard.services import Services
from engines.errors import InputError
from engines.evaluation.selection import KSelection
from storage.contract import Job, Run

PATH = "/choose-k"
TITLE = noted("Choose k")
ORDER = 15
AREA = "operations"

ENGINE = "choose-k-engine"
TRY = "choose-k-try"
TICK = "choose-k-tick"
JOB = "choose-k-job"
RESULT = "choose-k-result"
SNAPSHOT = "choose-k-snapshot"
REMEMBERED = "choose-k-remembered"

#: Up to so many customers the curves are drawn without being asked for.
SMALL = 5_000
_PANELS = 6
_HEIGHT = "220px"
_GRID = {"gridTemplateColumns": "repeat(auto-fit, minmax(min(100%, 380px), 1fr))"}
_BETTER = {"higher": noted("Higher is better."), "lower": noted("Lower is better."), "": ""}


def layout(services: Services, **query: Any) -> Component:
    """The page for the snapshot of the run in the address; ``engine`` says what to begin with."""
    current = run_from(services.store, query.get("run"))
    if current is None:
        return cards.empty_state(say("No customers to try on yet"), cards.sales_first())
    snapshot = services.store.snapshot(current.snapshot_id)
    engine = _begun(query.get("engine"), current)
    return html.Div(
        [
            html.H1(say("Choose the number of segments")),
            html.P(
                f"{title_of(snapshot)}, {day(snapshot.as_of)}: "
                f"{plural(snapshot.customers, '{n} customer', '{n} customers')}.",
                className="seg-lead mb-2",
            ),
            _controls(KRange(engine)),
            html.Div(id=RESULT, **aria(live="polite")),
            ticker(TICK),
            dcc.Store(id=JOB),
            dcc.Store(id=SNAPSHOT, data=snapshot.id),
            dcc.Store(id=REMEMBERED),
        ]
    )


def _begun(engine_name: Any, current: Run) -> str:
    """The engine to begin with: the one the address names, else the run's own, else the first that has a k."""
    engines = choosable_engines()
    return next((name for name in (engine_name, current.engine) if name in engines), next(iter(engines)))


def _controls(question: KRange) -> Component:
    engines = [{"value": name, "label": title} for name, title in choosable_engines().items()]
    engine = picker(ENGINE, say("Engine"), engines, question.engine, hidden_label=True)
    label = say("Try k = {low} to {high}", low=question.low, high=question.high)
    return pickers(engine, dbc.Button(label, id=TRY, size="sm", color="primary"))


def _busy(job: Job, ticks: int | None) -> list[Component]:
    """What stands in the place of the curves while they are worked out."""
    blank = html.Section(
        [html.Div("\u00a0", className="skeleton"), html.Div(style={"height": _HEIGHT})], className="seg-card"
    )
    hint = say("Every k is fitted, refitted on customers drawn anew, and measured.")
    trying = progress_card(say("Trying …"), job, ticks, hint)
    return [trying, html.Div([blank] * _PANELS, className="seg-grid mt-3", style=_GRID, **aria(hidden="true"))]


# --- what happens ---------------------------------------------------------------------------------------------------


def register(app: Dash, services: Services) -> None:
    """One callback tries every k and draws what was found, two keep the engine in the address."""

    @app.callback(
        Output(RESULT, "children"),
        Output(TICK, "disabled"),
        Output(JOB, "data"),
        Output(TRY, "disabled"),
        Input(TRY, "n_clicks"),
        Input(ENGINE, "value"),
        Input(ids.THEME, "data"),
        Input(TICK, "n_intervals"),
        State(JOB, "data"),
        State(SNAPSHOT, "data"),
    )
    def draw(
        clicks: int | None, engine: str, theme: str | None, ticks: int | None, job_id: int | None, snapshot_id: int
    ) -> tuple[list[Component], bool, int | None, bool]:
        store, snapshot = services.store, services.store.snapshot(snapshot_id)
        question = k_question(KRange(engine), snapshot, services.config)
        followed = job_id if ctx.triggered_id == TICK else None
        if snapshot.customers > SMALL and ctx.triggered_id not in (TRY, TICK) and question.job(store) is None:
            return [_not_yet(snapshot.customers, KRange(engine))], True, None, False
        try:
            selection, job = follow(question, store, followed)
        except InputError as error:
            return [cards.alert(say(error.message), "warning")], True, None, False
        if selection is None:
            return _busy(job, ticks), False, job.id, True
        return _shown(selection, choosable_engines()[engine], theme or "light"), True, None, False

    @app.callback(
        Output(REMEMBERED, "data"),
        Input(ENGINE, "value"),
        State(ids.LOCATION, "search"),
        prevent_initial_call=True,
    )
    def remember(engine: str, search: str | None) -> str | None:
        current = _run_in(services, search)
        if current is None or _begun(_query(search).get("engine"), current) == engine:
            return None
        pairs = [pair for pair in parse_qsl((search or "").removeprefix("?")) if pair[0] != "engine"]
        chosen = [] if engine == _begun(None, current) else [("engine", engine)]
        address = "?" + urlencode([*pairs, *chosen])
        set_props(ids.LOCATION, {"search": address})  # not as an output: with the next callback it would close a circle
        return address

    @app.callback(
        Output(ENGINE, "value"),
        Input(ids.LOCATION, "search"),
        State(ENGINE, "value"),
        prevent_initial_call=True,
    )
    def recall(search: str | None, engine: str) -> Any:
        current = _run_in(services, search)
        name = engine if current is None else _begun(_query(search).get("engine"), current)
        return no_update if name == engine else name


def _query(search: str | None) -> dict[str, str]:
    return dict(parse_qsl((search or "").removeprefix("?")))


def _run_in(services: Services, search: str | None) -> Run | None:
    return run_from(services.store, _query(search).get("run"))


def _not_yet(customers: int, question: KRange) -> Component:
    return cards.empty_state(
        say("Not tried yet"),
        [
            say(
                "Fitting every k from {low} to {high} on {customers} customers, and refitting it on customers "
                "drawn anew, takes from some seconds to a minute. Press the button above to begin.",
                low=question.low,
                high=question.high,
                customers=count(customers),
            )
        ],
    )


def _shown(selection: KSelection, title: str, theme: str) -> list[Component]:
    curves = figures.curves(selection)
    return [
        _recommendation(selection, title),
        html.Div([_panel(curve, theme) for curve in curves], className="seg-grid mt-3 mb-3", style=_GRID),
        panel(say("The figures"), _table(selection, curves)),
    ]


def _recommendation(selection: KSelection, title: str) -> Component:
    head = (
        say("No recommendation")
        if selection.recommended is None
        else say("{engine}: k = {k}", engine=title, k=selection.recommended)
    )
    parts: list[Component] = [
        html.P(say(selection.reason), className="mb-2"),
        html.P(_measured(selection), className="seg-hint mb-0"),
    ]
    parts += [html.P(say(note), className="seg-hint mb-0 mt-2") for note in selection.notes]
    if selection.recommended is not None:
        command = f"segmentry run SALES --engine {selection.engine} --k {selection.recommended}"
        parts.append(html.P([say("To segment with it:"), " ", html.Code(command)], className="seg-hint mb-0 mt-2"))
    return panel(head, *parts)


def _measured(selection: KSelection) -> str:
    """What the figures are measured in and on."""
    fitted = (
        say("everyone")
        if selection.evaluated_on == selection.customers
        else say("a sample of {customers}", customers=count(selection.evaluated_on))
    )
    drawn = (
        say("all of them")
        if selection.silhouette_on == selection.evaluated_on
        else say("{customers} of them", customers=count(selection.silhouette_on))
    )
    return say(
        "Distances are measured in {space}: compare these figures with one another, never with those of "
        "another feature space. Fitted on {fitted}; silhouettes on {drawn}; stability is the mean of "
        "{bootstraps} refits on {customers} customers each. ± and the bars are one standard error: a "
        "smaller step says nothing.",
        space=selection.space,
        fitted=fitted,
        drawn=drawn,
        bootstraps=selection.bootstraps,
        customers=count(selection.refitted_on),
    )


def _panel(curve: figures.Curve, theme: str) -> Component:
    name = f"choose-k-{curve.name}"
    config: Any = {**graph_config(name), "modeBarButtons": [["toImage"]]}
    chart = dcc.Graph(
        id=name, config=config, figure=figures.draw_curve(curve, theme), style={"height": _HEIGHT}, className="mt-auto"
    )
    hint = html.P(_meaning(curve), className="seg-hint mb-1")
    return panel(say(curve.title), hint, chart, style="d-flex flex-column")


def _meaning(curve: figures.Curve) -> str:
    """What a curve says, and which way is better."""
    way = _BETTER[curve.better]
    return f"{say(curve.meaning)} {say(way)}" if way else say(curve.meaning)


def _table(selection: KSelection, curves: tuple[figures.Curve, ...]) -> Component:
    heads = [
        Head("k"),
        Head(say("Segments"), True),
        *(Head(say(curve.title), True, _meaning(curve)) for curve in curves),
    ]
    lines = []
    for place, point in enumerate(selection.points):
        chosen = point.k == selection.recommended
        mark = html.Span(" ★", **aria(label=say("recommended"))) if chosen else None
        name = html.Span([str(point.k), mark], className="text-nowrap")
        cells = [_cell(curve, place) for curve in curves]
        lines.append(table_row(name, count(point.segments), *cells, style="seg-here" if chosen else ""))
    return table(say("Every k in figures"), heads, lines)


def _cell(curve: figures.Curve, place: int) -> str:
    value, error = curve.values[place], curve.errors[place]
    return curve.format_value(value) + ("" if error != error else f" ± {curve.format_value(error)}")
