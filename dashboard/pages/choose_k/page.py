"""How many segments to make: every number tried on the customers of a snapshot, curve by curve, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update, set_props
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from flask import request

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
from dashboard.pipeline.choose_k import LEAST, KRange, choosable_engines, k_question, k_range_of
from dashboard.pipeline.request import RunRequest, Wish, queue_runs, user_of
from dashboard.pipeline.run import make_engine
from dashboard.queries.which_run import run_from, title_of
from dashboard.services import Services
from engines.errors import InputError
from engines.evaluation.selection import HIGH, LOW, KSelection
from storage.contract import Job, NotFoundError, Run, Starter

PATH = "/choose-k"
TITLE = noted("Choose k")
ORDER = 15
AREA = "models"

ENGINE = "choose-k-engine"
TRY = "choose-k-try"
TICK = "choose-k-tick"
JOB = "choose-k-job"
RESULT = "choose-k-result"
FEWEST, MOST = "choose-k-from", "choose-k-to"
RUN_WITH = "choose-k-run"
REFUSED = "choose-k-refused"
LEAVE, LEFT = "choose-k-leave", "choose-k-left"
SNAPSHOT = "choose-k-snapshot"
REMEMBERED = "choose-k-remembered"

#: Up to so many customers the curves are drawn without being asked for.
SMALL = 5_000
_PANELS = 6
_HEIGHT = "220px"
_GRID = {"gridTemplateColumns": "repeat(auto-fit, minmax(min(100%, 380px), 1fr))"}
_BETTER = {"higher": noted("Higher is better."), "lower": noted("Lower is better."), "": ""}


class ChosenRange(NamedTuple):
    """What the page is about: the engine, and the fewest and most segments to try."""

    engine: str
    low: int = LOW
    high: int = HIGH


#: What the address calls each part of it.
_KEYS = ("engine", "k-min", "k-max")


def layout(services: Services, **query: Any) -> Component:
    """The page for the snapshot of the run in the address; ``engine``, ``k-min``, ``k-max`` say what to begin with."""
    current = run_from(services.store, query.get("run"))
    if current is None:
        return cards.empty_state(say("No customers to try on yet"), cards.sales_first())
    snapshot = services.store.snapshot(current.snapshot_id)
    return html.Div(
        [
            html.H1(say("Choose the number of segments")),
            html.P(
                f"{title_of(snapshot)}, {day(snapshot.as_of)}: "
                f"{plural(snapshot.customers, '{n} customer', '{n} customers')}.",
                className="seg-lead mb-2",
            ),
            _controls(_begun(query, current)),
            html.Div(id=REFUSED, **aria(live="polite")),
            html.Div(id=RESULT, **aria(live="polite")),
            ticker(TICK),
            dcc.Store(id=JOB),
            dcc.Store(id=SNAPSHOT, data=snapshot.id),
            dcc.Store(id=REMEMBERED),
            dcc.Store(id=LEAVE),
            dcc.Store(id=LEFT),
        ]
    )


def _begun(query: Mapping[str, Any], current: Run) -> ChosenRange:
    """What to begin with: what the address says, else the run's own engine (or the first with a k), the usual range."""
    engines = choosable_engines()
    engine = next((name for name in (query.get("engine"), current.engine) if name in engines), next(iter(engines)))
    low, high = (
        int(text) if isinstance(text := query.get(name), str) and text.isdecimal() and len(text) <= 3 else usual
        for name, usual in zip(_KEYS[1:], (LOW, HIGH), strict=True)
    )
    return ChosenRange(engine, low, high)


def _controls(asked: ChosenRange) -> Component:
    engines = [{"value": name, "label": title} for name, title in choosable_engines().items()]
    engine = picker(ENGINE, say("Engine"), engines, asked.engine, hidden_label=True)
    ends = [
        html.Div([html.Label(label, htmlFor=name), _number(name, value)], className="seg-picker")
        for name, label, value in ((FEWEST, say("from"), asked.low), (MOST, say("to"), asked.high))
    ]
    hint = say("How many segments can you serve with campaigns of their own? Only numbers in this range are tried.")
    button = dbc.Button(say("Try every k"), id=TRY, size="sm", color="primary")
    return html.Div([html.P(hint, className="seg-hint mb-1"), pickers(engine, *ends, button)])


def _number(name: str, value: int) -> Component:
    shown: Component = dbc.Input(
        id=name, type="number", min=LEAST, max=50, step=1, value=value, size="sm", debounce=True
    )
    return shown


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
    """One callback tries every k and draws what was found, one starts a run, two keep what is asked in the address."""
    app.clientside_callback(
        ClientsideFunction("segmentryNewRun", "leave"),
        Output(LEFT, "data"),
        Input(LEAVE, "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(RESULT, "children"),
        Output(TICK, "disabled"),
        Output(JOB, "data"),
        Output(TRY, "disabled"),
        Input(TRY, "n_clicks"),
        Input(ENGINE, "value"),
        Input(FEWEST, "value"),
        Input(MOST, "value"),
        Input(ids.THEME, "data"),
        Input(TICK, "n_intervals"),
        State(JOB, "data"),
        State(SNAPSHOT, "data"),
    )
    def draw(
        clicks: int | None,
        engine: str,
        low: int | None,
        high: int | None,
        theme: str | None,
        ticks: int | None,
        job_id: int | None,
        snapshot_id: int,
    ) -> tuple[list[Component], bool, int | None, bool]:
        store, snapshot = services.store, services.store.snapshot(snapshot_id)
        followed = job_id if ctx.triggered_id == TICK else None
        try:
            k_range = k_range_of(engine, low, high)
            question = k_question(k_range, snapshot, services.config)
            if snapshot.customers > SMALL and ctx.triggered_id not in (TRY, TICK) and question.job(store) is None:
                return [_not_yet(snapshot.customers, k_range)], True, None, False
            selection, job = follow(question, store, followed)
        except InputError as error:
            return [cards.alert(say(error.message), "warning")], True, None, False
        if selection is None:
            return _busy(job, ticks), False, job.id, True
        return _shown(selection, choosable_engines()[engine], theme or "light"), True, None, False

    @app.callback(
        Output(LEAVE, "data"),
        Output(REFUSED, "children"),
        Input({"type": RUN_WITH, "k": ALL}, "n_clicks"),
        State(ENGINE, "value"),
        State(SNAPSHOT, "data"),
        prevent_initial_call=True,
    )
    def start(clicks: list[int | None], engine: str, snapshot_id: int) -> tuple[Any, Any]:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            raise PreventUpdate  # the buttons were drawn, nobody pressed one
        starter = Starter("page", user_of(request.headers.get("Authorization", "")))
        try:
            made = make_engine(engine, services.config, k=int(ctx.triggered_id["k"]))
            wishes = (Wish(engine, made.settings()),)
            (run,) = queue_runs(RunRequest(snapshot_id, wishes), services.store, starter)
        except (InputError, NotFoundError) as error:
            return no_update, cards.alert(say(error.message))
        return f"/new?started={run.id}", None

    @app.callback(
        Output(REMEMBERED, "data"),
        Input(ENGINE, "value"),
        Input(FEWEST, "value"),
        Input(MOST, "value"),
        State(ids.LOCATION, "search"),
        prevent_initial_call=True,
    )
    def remember(engine: str, low: int | None, high: int | None, search: str | None) -> str | None:
        current, now = _run_in(services, search), ChosenRange(engine, low or LOW, high or HIGH)
        if current is None or _begun(_query(search), current) == now:
            return None
        pairs = [pair for pair in parse_qsl((search or "").removeprefix("?")) if pair[0] not in _KEYS]
        usual = _begun({}, current)
        pairs += [
            (name, str(value)) for name, value, as_usual in zip(_KEYS, now, usual, strict=True) if value != as_usual
        ]
        address = "?" + urlencode(pairs)
        set_props(ids.LOCATION, {"search": address})  # not as an output: with the next callback it would close a circle
        return address

    @app.callback(
        Output(ENGINE, "value"),
        Output(FEWEST, "value"),
        Output(MOST, "value"),
        Input(ids.LOCATION, "search"),
        State(ENGINE, "value"),
        State(FEWEST, "value"),
        State(MOST, "value"),
        prevent_initial_call=True,
    )
    def recall(search: str | None, *shown: Any) -> list[Any]:
        current = _run_in(services, search)
        if current is None:
            return [no_update] * len(shown)
        named = _begun(_query(search), current)
        return [no_update if value == now else value for value, now in zip(named, shown, strict=True)]


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
    parts: list[Component] = [html.P(say(selection.reason), className="mb-2")]
    if selection.recommended is not None:
        parts.append(html.P(_run_button(selection.recommended, "primary"), className="mb-2"))
    parts += [_runners_up(selection)] if selection.runners_up else []
    parts.append(html.P(_measured(selection), className="seg-hint mb-0 mt-2"))
    parts += [html.P(say(note), className="seg-hint mb-0 mt-2") for note in selection.notes]
    return panel(head, *parts)


def _run_button(k: int, colour: str) -> Component:
    name = {"type": RUN_WITH, "k": k}
    label = say("Run with k = {k}", k=k)
    outline = colour != "primary"
    button: Component = dbc.Button(label, id=name, size="sm", color=colour, outline=outline, class_name="text-nowrap")
    return button


def _runners_up(selection: KSelection) -> Component:
    """The other k in order, each with why it comes after the recommended one and a button."""
    heads = [Head("k"), Head(say("Why not this one")), Head(say("Start"))]
    lines = [
        html.Tr(
            [
                html.Th(str(other.k), scope="row"),
                html.Td(say(other.why), className="text-wrap"),
                html.Td(_run_button(other.k, "secondary")),
            ]
        )
        for other in selection.runners_up
    ]
    return html.Details(
        [html.Summary(say("Runners-up")), table(say("Runners-up, the best first"), heads, lines)], open=True
    )


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
        "{bootstraps} refits on {customers} customers each. ± and the bars are one standard error, those of later "
        "revenue the 80 % interval of customers drawn anew: a smaller step says nothing.",
        space=selection.space,
        fitted=fitted,
        drawn=drawn,
        bootstraps=selection.bootstraps,
        customers=count(selection.refitted_on),
    ) + _later_words(selection)


def _later_words(selection: KSelection) -> str:
    """From when later revenue was measured, and on whom."""
    if selection.later_from is None:
        return ""
    return " " + say(
        "Later revenue is that from {day} on, by segments of the {customers} who were customers before.",
        day=day(date.fromisoformat(selection.later_from)),
        customers=count(selection.later_customers),
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
        cells = [curve.words_at(place) for curve in curves]
        lines.append(table_row(name, count(point.segments), *cells, style="seg-here" if chosen else ""))
    return table(say("Every k in figures"), heads, lines)
