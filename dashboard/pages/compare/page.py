"""Engines side by side on the same customers: which to work with, how far they agree, and about whom they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, dcc, html, no_update, set_props
from dash.development.base_component import Component

from dashboard.components import cards, ids
from dashboard.components.attributes import aria
from dashboard.components.fields import picker, pickers
from dashboard.components.panels import panel
from dashboard.components.publishing import decision_card
from dashboard.i18n.numbers import day, plural
from dashboard.i18n.texts import noted, say
from dashboard.pages.compare import panels
from dashboard.queries.comparison import FEWEST, MOST, compare_runs
from dashboard.queries.decision import decision_on
from dashboard.queries.disagreement import default_segments, disagreement_of
from dashboard.queries.recent import finished_runs, recent_run, recent_runs, titles
from dashboard.queries.which_run import first_run, run_from, run_labels, title_of
from dashboard.services import Services
from engines.contract import segments_meant
from storage.contract import Run

PATH = "/compare"
TITLE = noted("Compare")
ORDER = 10
AREA = "models"

CHOSEN = "compare-runs"
LEAD = "compare-lead"
BODY = "compare-body"
DECISION = "compare-decision"
PAIR = "compare-pair"
ONE = "compare-one"
OTHER = "compare-other"
FROM = "compare-from"
TO = "compare-to"
ROWS = "compare-rows"
REMEMBERED = "compare-remembered"

#: What the address calls each picker, beside ``with`` for the runs.
_KEYS = {"rows": ONE, "columns": OTHER, "from": FROM, "to": TO}


def layout(services: Services, **query: Any) -> Component:
    """The page for the snapshot of the run in the address.

    ``with`` names the runs to compare, ``rows`` and ``columns`` two of them, ``from`` and ``to`` a segment of each.
    """
    current = run_from(services.store, query.get("run"))
    if current is None:
        return cards.empty_state(say("No runs to compare yet"), cards.sales_first())
    done = _finished(services, current)
    snapshot = services.store.snapshot(current.snapshot_id)
    place = f"{title_of(snapshot)}, {day(snapshot.as_of)}"
    if len(done) < FEWEST:
        empty = cards.empty_state(
            say("A comparison needs two finished runs"),
            [
                say(
                    "{place} has {number}. Run another engine on the same sales, or choose another date above.",
                    place=place,
                    number=len(done),
                )
            ],
        )
        return html.Div([_decision_place(), empty])
    labels = run_labels(done, titles(services))
    choice = _choice(services, query, current)
    picked = dbc.Checklist(
        id=CHOSEN,
        options=[{"label": text, "value": run.id} for run, text in zip(done, labels, strict=True)],
        value=list(choice.runs),
        inline=True,
    )
    return html.Div(
        [
            html.H1(say("Compare engines")),
            html.P(
                f"{place}: {plural(snapshot.customers, '{n} customer', '{n} customers')}.", className="seg-lead mb-2"
            ),
            html.Fieldset([html.Legend(say("Runs"), className="seg-unseen"), picked], className="mb-2"),
            _decision_place(),
            html.P(id=LEAD, className="seg-lead", **aria(live="polite")),
            dcc.Loading(html.Div(id=BODY, className="seg-tall"), delay_show=300),
            _pair(choice),
            dcc.Store(id=REMEMBERED),
        ]
    )


def _decision_place() -> Component:
    """Where the card stands that publishes the run, once it is worked out."""
    return html.Div(id=DECISION, className="mb-3", **aria(live="polite"))


def _pair(choice: ComparedRuns) -> Component:
    runs = pickers(_picker(ONE, say("Rows"), str(choice.one)), _picker(OTHER, say("Columns"), str(choice.other)))
    segments = pickers(
        _picker(FROM, say("In the first run"), choice.segment), _picker(TO, say("In the second"), choice.elsewhere)
    )
    hint = say("Customers whom the first run puts into one segment and the second into another.")
    return html.Div(
        [
            panel(
                say("Two runs against one another"),
                runs,
                hint=say("Where the same customers are in one run and in another."),
                style="mt-3",
            ),
            dcc.Loading(html.Div(id=PAIR, className="seg-grid mt-3"), delay_show=300),
            panel(
                say("About whom they disagree"),
                segments,
                html.Div(id=ROWS, className="mt-2", **aria(live="polite")),
                hint=hint,
                style="mt-3",
            ),
        ]
    )


def _picker(name: str, label: str, value: str) -> Component:
    return picker(name, label, [{"label": value, "value": value}], value)


def _finished(services: Services, current: Run) -> list[Run]:
    """The finished runs on the same customers, in the engines' usual order, the latest of each first."""
    done = finished_runs(services, current.snapshot_id)
    order = services.config.engines.use
    return sorted(done, key=lambda run: (order.index(run.engine) if run.engine in order else len(order), -run.id))


class ComparedRuns(NamedTuple):
    """What the page shows: the runs, two of them, and a segment of each."""

    runs: tuple[int, ...]
    one: int
    other: int
    segment: str
    elsewhere: str

    @property
    def values(self) -> tuple[Any, ...]:
        """As the pickers hold it."""
        return list(self.runs), str(self.one), str(self.other), self.segment, self.elsewhere


def _choice(services: Services, query: Mapping[str, Any], current: Run) -> ComparedRuns:
    """What an address asks for; what it leaves out or cannot be had is as usual."""
    done = _finished(services, current)
    runs = _picked(query.get("with"), done, current)
    rows, columns = (_number(query.get(name)) for name in ("rows", "columns"))
    one = rows if rows in runs else next(run for run in runs if run != columns)
    other = columns if columns in runs and columns != one else next(run for run in runs if run != one)
    compared = compare_runs(services.frames, recent_runs(services, [one, other]))
    segment_from = query.get("from")
    first, second = compared.frames
    segment, elsewhere = default_segments(first, second, segment_from if isinstance(segment_from, str) else None)
    asked = segments_meant(second.segments, [str(query.get("to"))])
    meant = [item.known_by for item, is_meant in zip(second.segments, asked, strict=True) if is_meant]
    return ComparedRuns(tuple(runs), one, other, segment, meant[0] if meant else elsewhere)


def _number(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) <= 18 else None


def _current(services: Services, search: str | None) -> Run | None:
    """The run that an address names, as of a moment ago."""
    number = _number(_parameters(search).get("run"))
    return None if number is None else recent_run(services, number)


def _parameters(search: str | None) -> dict[str, Any]:
    """The query of an address, ``with`` as a list."""
    pairs = parse_qsl((search or "").removeprefix("?"), keep_blank_values=True)
    return {**dict(pairs), "with": [value for name, value in pairs if name == "with"]}


def _address(services: Services, search: str | None, current: Run, choice: ComparedRuns) -> str:
    """The query string of what is shown; what is as usual is not spelt out, so that going back goes back."""
    left_out = ("with", *_KEYS)
    pairs = parse_qsl((search or "").removeprefix("?"), keep_blank_values=True)
    pairs = [pair for pair in pairs if pair[0] not in left_out]
    if set(choice.runs) != set(_picked(None, _finished(services, current), current)):
        pairs += [("with", str(run_id)) for run_id in sorted(choice.runs)]
    parameters: dict[str, Any] = {"with": [str(run_id) for run_id in choice.runs]}
    for name, value in zip(_KEYS, choice.values[1:], strict=True):
        if value != dict(zip(_KEYS, _choice(services, parameters, current).values[1:], strict=True))[name]:
            pairs.append((name, value))
            parameters[name] = value
    return "?" + urlencode(pairs)


def _picked(given: Any, done: Sequence[Run], current: Run) -> list[int]:
    """The runs that the address names; without any, the latest of each engine, and the current one in any case."""
    run_ids = [given] if isinstance(given, str) else list(given or ())
    named = [run.id for run in done if str(run.id) in run_ids]
    if len(named) >= FEWEST:
        return named[:MOST]
    latest: dict[str, int] = {}
    for run in done:
        latest.setdefault(run.engine, run.id)
    if current.state == "done":
        latest[current.engine] = current.id
    picked = list(latest.values())[:MOST]
    return picked if len(picked) >= FEWEST else [run.id for run in done][:FEWEST]


# --- what happens ---------------------------------------------------------------------------------------------------


def register(app: Dash, services: Services) -> None:
    """One callback draws what publishing changes, one the chosen runs, one a pair, one a list; two keep the address."""

    @app.callback(Output(DECISION, "children"), Input(ids.LOCATION, "search"), Input(ids.PUBLISHED, "data"))
    def decide(search: str | None, published: Any) -> Component | None:
        current = _current(services, search) or first_run(services.store, services.config)
        decision = None if current is None else decision_on(services, current)
        if decision is None or current is None:
            return None
        return decision_card(decision, services.store.snapshot(current.snapshot_id).currency)

    @app.callback(
        Output(LEAD, "children"),
        Output(BODY, "children"),
        Output(ONE, "options"),
        Output(ONE, "value"),
        Output(OTHER, "options"),
        Output(OTHER, "value"),
        Input(CHOSEN, "value"),
        Input(ids.THEME, "data"),
        State(ONE, "value"),
        State(OTHER, "value"),
    )
    def draw(chosen: list[int], theme: str | None, one: str | None, other: str | None) -> tuple[Any, ...]:
        if not FEWEST <= len(chosen) <= MOST:
            return (say("Choose {fewest} to {most} runs to compare.", fewest=FEWEST, most=MOST), *[no_update] * 5)
        current = recent_run(services, chosen[0])
        compared = compare_runs(services.frames, [run for run in _finished(services, current) if run.id in chosen])
        labels = run_labels(compared.runs, titles(services))
        options = [{"label": text, "value": str(run.id)} for run, text in zip(compared.runs, labels, strict=True)]
        values = [option["value"] for option in options]
        one = one if one in values else next(value for value in values if value != other)
        other = other if other in values and other != one else next(value for value in values if value != one)
        names = [play.name for play in services.config.plays]
        return (
            panels.agreement_words(compared, labels),
            panels.run_panels(compared, labels, names, theme or "light"),
            options,
            one,
            options,
            other,
        )

    @app.callback(
        Output(PAIR, "children"),
        Output(FROM, "options"),
        Output(FROM, "value"),
        Output(TO, "options"),
        Output(TO, "value"),
        Input(ONE, "value"),
        Input(OTHER, "value"),
        Input(ids.THEME, "data"),
        State(FROM, "value"),
        State(TO, "value"),
    )
    def pair(one: str, other: str, theme: str | None, segment: str | None, elsewhere: str | None) -> tuple[Any, ...]:
        if one == other:
            return ([html.P(say("Choose two different runs."), className="seg-card mb-0")], *[no_update] * 4)
        compared = compare_runs(services.frames, recent_runs(services, [int(one), int(other)]))
        rows, columns = compared.frames
        first, second = default_segments(rows, columns, segment)
        second = elsewhere if elsewhere in {item.known_by for item in columns.segments} else second
        drawn = panels.pair_panels(compared, run_labels(compared.runs, titles(services)), theme or "light")
        return drawn, panels.segment_choices(rows.segments), first, panels.segment_choices(columns.segments), second

    @app.callback(
        Output(ROWS, "children"),
        Input(FROM, "value"),
        Input(TO, "value"),
        State(ONE, "value"),
        State(OTHER, "value"),
    )
    def rows(segment: str, elsewhere: str, one: str, other: str) -> Any:
        if one == other:
            return no_update
        runs = recent_runs(services, [int(one), int(other)])
        disagreeing = disagreement_of(compare_runs(services.frames, runs), segment, elsewhere)
        first, second = run_labels(runs, titles(services))
        return panels.disagreements(disagreeing, (first, second))

    pickers = [Input(CHOSEN, "value"), *(Input(name, "value") for name in _KEYS.values())]

    @app.callback(Output(REMEMBERED, "data"), *pickers, State(ids.LOCATION, "search"), prevent_initial_call=True)
    def remember(chosen: list[int], one: str, other: str, segment: str, elsewhere: str, search: str | None) -> Any:
        current = _current(services, search)
        if current is None or not FEWEST <= len(chosen) <= MOST or one == other:
            return no_update
        address = _address(
            services, search, current, ComparedRuns(tuple(chosen), int(one), int(other), segment, elsewhere)
        )
        if address != search:  # not as an output: with the next callback it would close a circle
            set_props(ids.LOCATION, {"search": address})
        return address

    shown = [(CHOSEN, "value"), *((name, "value") for name in _KEYS.values())]

    @app.callback(
        *(Output(*part, allow_duplicate=True) for part in shown),
        Input(ids.LOCATION, "search"),
        *(State(*part) for part in shown),
        prevent_initial_call=True,
    )
    def recall(search: str | None, *now: Any) -> list[Any]:
        current = _current(services, search)
        if current is None:
            return [no_update] * len(now)
        values = _choice(services, _parameters(search), current).values
        same = [set(values[0]) == set(now[0]), *(a == b for a, b in zip(values[1:], now[1:], strict=True))]
        return [no_update if equal else value for equal, value in zip(same, values, strict=True)]
