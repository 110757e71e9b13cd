"""Engines side by side on the same customers: sizes, metrics, and how far they agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, dcc, html, no_update, set_props
from dash.development.base_component import Component

from dashboard import cards, ids
from dashboard.comparison import (
    BETTER,
    FEWEST,
    MOST,
    Comparison,
    MetricRow,
    compare,
    cross_table,
    differing_settings,
    metric_rows,
    metric_text,
    space_words,
)
from dashboard.context import engine_titles, run_from, run_labels, title_of
from dashboard.figures import compare as figures
from dashboard.figures import empty, graph_config
from dashboard.numbers import NOTHING, count, day, plural, written
from dashboard.services import Services
from storage.contract import Run

PATH = "/compare"
TITLE = "Compare"
ORDER = 10
AREA = "operations"

CHOSEN = "compare-runs"
LEAD = "compare-lead"
TABLE = "compare-table"
SIZES = "compare-sizes"
REVENUE = "compare-revenue"
AGREEMENT = "compare-agreement"
CROSS = "compare-cross"
ONE = "compare-one"
OTHER = "compare-other"
REMEMBERED = "compare-remembered"

_HEIGHT = "400px"


def layout(services: Services, **query: Any) -> Component:
    """The page for the snapshot of the run in the address; ``with`` names the runs to compare."""
    current = run_from(services.store, query.get("run"))
    if current is None:
        return cards.empty_state("No runs to compare yet", cards.sales_first())
    done = _finished(services, current)
    snapshot = services.store.snapshot(current.snapshot_id)
    place = f"{title_of(snapshot)}, {day(snapshot.as_of)}"
    if len(done) < FEWEST:
        return cards.empty_state(
            "A comparison needs two finished runs",
            [f"{place} has {len(done)}. Run another engine on the same sales, or choose another date above."],
        )
    labels = run_labels(done, engine_titles())
    picked = dbc.Checklist(
        id=CHOSEN,
        options=[{"label": text, "value": run.id} for run, text in zip(done, labels, strict=True)],
        value=_picked(query.get("with"), done, current),
        inline=True,
    )
    return html.Div(
        [
            html.H1("Compare engines"),
            html.P(f"{place}: {plural(snapshot.customers, 'customer')}.", className="seg-lead mb-2"),
            html.Fieldset([html.Legend("Runs", className="seg-unseen"), picked], className="mb-2"),
            html.P(id=LEAD, className="seg-lead", **{"aria-live": "polite"}),
            html.Div(
                [
                    _panel(SIZES, "Segments by customers", "How many customers each run puts under each name."),
                    _panel(REVENUE, "Segments by revenue", "Whose money it is."),
                ],
                className="seg-grid mb-3",
            ),
            html.Section([html.H2("Metrics and settings"), _scrolled(TABLE)], className="seg-card"),
            html.Div([_agreement(), _cross()], className="seg-grid mt-3"),
            dcc.Store(id=REMEMBERED),
        ]
    )


def _scrolled(name: str) -> Component:
    label = {"aria-label": "Metrics and settings of the runs"}
    return html.Div(id=name, className="seg-scroll", tabIndex=0, role="region", **label)


def _finished(services: Services, current: Run) -> list[Run]:
    """The finished runs on the same customers, in the engines' usual order, the latest of each first."""
    done = [run for run in services.store.runs(snapshot_id=current.snapshot_id) if run.state == "done"]
    order = services.config.engines.use
    return sorted(done, key=lambda run: (order.index(run.engine) if run.engine in order else len(order), -run.id))


def _panel(name: str, title: str, hint: str) -> Component:
    graph = dcc.Graph(id=name, config=graph_config(name), figure=empty("", "light"), style={"height": _HEIGHT})
    return html.Section([html.H2(title), html.P(hint, className="seg-hint mb-1"), graph], className="seg-card")


def _agreement() -> Component:
    hint = "Adjusted Rand index of each pair: 1 is the same grouping, 0 what chance alone gives."
    return _panel(AGREEMENT, "How far they agree", hint)


def _cross() -> Component:
    pickers = [
        html.Span(
            [
                html.Label(label, htmlFor=name, className="seg-unseen"),
                dbc.Select(id=name, size="sm", options=[], className="w-auto"),
            ]
        )
        for name, label in ((ONE, "Run in the rows"), (OTHER, "Run in the columns"))
    ]
    graph = dcc.Graph(id=CROSS, config=graph_config(CROSS), figure=empty("", "light"), style={"height": _HEIGHT})
    row = html.Div([pickers[0], "against", pickers[1]], className="d-flex flex-wrap align-items-center gap-2")
    hint = html.P("Customers by segment of one run (rows) and of another (columns).", className="seg-hint mb-2")
    return html.Section([html.H2("Where the same customers are"), hint, row, graph], className="seg-card")


def _picked(asked: Any, done: Sequence[Run], current: Run) -> list[int]:
    """The runs that the address names; without any, the latest of each engine, and the current one in any case."""
    wanted = [asked] if isinstance(asked, str) else list(asked or ())
    named = [run.id for run in done if str(run.id) in wanted]
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
    """One callback draws the chosen runs, one the cross-table of two; two keep choice and address alike."""

    @app.callback(
        Output(LEAD, "children"),
        Output(TABLE, "children"),
        Output(SIZES, "figure"),
        Output(REVENUE, "figure"),
        Output(AGREEMENT, "figure"),
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
            return (f"Choose {FEWEST} to {MOST} runs to compare.", *[no_update] * 8)
        current = services.store.run(chosen[0])
        found = compare(services.frames, [run.id for run in _finished(services, current) if run.id in chosen])
        runs = [frame.run for frame in found.frames]
        labels = run_labels(runs, engine_titles())
        names = [play.name for play in services.config.plays]
        agreement = figures.AgreementData(tuple(labels), found.agreement)
        options = [{"label": text, "value": str(run.id)} for run, text in zip(runs, labels, strict=True)]
        values = [option["value"] for option in options]
        one = one if one in values else values[0]
        other = other if other in values and other != one else next(value for value in values if value != one)
        theme = theme or "light"
        return (
            _told(agreement),
            _table(runs, labels, metric_rows(runs)),
            figures.draw_sizes(figures.size_data(found.frames, labels, names, "customers"), theme),
            figures.draw_sizes(figures.size_data(found.frames, labels, names, "revenue"), theme),
            figures.draw_agreement(agreement, theme),
            options,
            one,
            options,
            other,
        )

    @app.callback(
        Output(REMEMBERED, "data"), Input(CHOSEN, "value"), State(ids.LOCATION, "search"), prevent_initial_call=True
    )
    def remember(chosen: list[int], search: str | None) -> Any:
        address = _address(services, search, chosen)
        if address != search:  # not as an output: with the next callback it would close a circle
            set_props(ids.LOCATION, {"search": address})
        return address

    @app.callback(
        Output(CHOSEN, "value"), Input(ids.LOCATION, "search"), State(CHOSEN, "value"), prevent_initial_call=True
    )
    def recall(search: str | None, chosen: list[int]) -> Any:
        query = parse_qs((search or "").removeprefix("?"))
        current = run_from(services.store, query.get("run", [""])[0])
        if current is None or _address(services, search, chosen) == search:
            return no_update
        return _picked(query.get("with"), _finished(services, current), current)

    @app.callback(
        Output(CROSS, "figure"),
        Input(ONE, "value"),
        Input(OTHER, "value"),
        Input(ids.THEME, "data"),
        prevent_initial_call=True,
    )
    def cross(one: str | None, other: str | None, theme: str | None) -> Any:
        if not one or not other:
            return no_update
        if one == other:
            return empty("Choose two different runs.", theme or "light")
        found: Comparison = compare(services.frames, [int(one), int(other)])
        rows, columns = found.frames
        labels = run_labels([rows.run, columns.run], engine_titles())
        data = figures.CrossData(
            labels[0],
            labels[1],
            tuple(segment.name for segment in rows.segments),
            tuple(segment.name for segment in columns.segments),
            cross_table(rows, columns),
        )
        return figures.draw_cross(data, theme or "light")


def _address(services: Services, search: str | None, chosen: Sequence[int]) -> str:
    """The query string with the chosen runs; the usual choice is not spelt out, so that going back goes back."""
    pairs = [pair for pair in parse_qsl((search or "").removeprefix("?"), keep_blank_values=True) if pair[0] != "with"]
    current = run_from(services.store, dict(pairs).get("run"))
    if current is not None and set(chosen) != set(_picked(None, _finished(services, current), current)):
        pairs += [("with", str(run_id)) for run_id in sorted(chosen)]
    return "?" + urlencode(pairs)


# --- words and figures ----------------------------------------------------------------------------------------------


def _told(data: figures.AgreementData) -> str:
    most, least = data.extremes
    if len(data.runs) == FEWEST:
        return f"{most[0]} and {most[1]} agree with an adjusted Rand index of {written(most[2], '.2f')}."
    return (
        f"{most[0]} and {most[1]} agree most (adjusted Rand index {written(most[2], '.2f')}), "
        f"{least[0]} and {least[1]} least ({written(least[2], '.2f')})."
    )


def _table(runs: Sequence[Run], labels: Sequence[str], rows: Sequence[MetricRow]) -> Component:
    head = [html.Th("", scope="col"), *(html.Th(text, scope="col", className="seg-number") for text in labels)]
    body = [
        _line("Segments", "How many segments there are.", [count(len(run.segments)) for run in runs]),
        *(_metric_line(row) for row in rows),
        _line("Feature space", "What distances are measured in.", [space_words(run) for run in runs], wrap=True),
        _line("Fitted on", "Customers the model was fitted on; everyone is labelled all the same.",
              [NOTHING if run.fitted_on is None else count(run.fitted_on) for run in runs]),
        _line("Fit time", "Seconds from the customer table to the finished segments.",
              [NOTHING if run.seconds is None else f"{written(run.seconds, '.2f')} s" for run in runs]),
        *(_line(f"Setting: {name}", "Settings that are equal are not shown.", [_setting(value) for value in values])
          for name, values in differing_settings(runs)),
    ]  # fmt: skip
    return html.Table([html.Thead(html.Tr(head)), html.Tbody(body)], className="seg-table seg-equal")


def _line(title: str, meaning: str, shown: Sequence[str], *, wrap: bool = False) -> Component:
    style = "seg-number text-wrap" if wrap else "seg-number"
    cells = [html.Td(text, className=style, title=f"{title}: {meaning}") for text in shown]
    return html.Tr([html.Th(title, scope="row", title=meaning), *cells])


def _metric_line(row: MetricRow) -> Component:
    way = BETTER[row.better] if row.one_space else f"{BETTER[row.better]}, within one feature space only"
    title = html.Th([row.title, html.Div(way, className="seg-hint fw-normal")], scope="row", title=row.meaning)
    cells = []
    for place, value in enumerate(row.values):
        best = place in row.best
        text = metric_text(row.name, value)
        shown = [text, html.Span(" ★", **{"aria-label": "best"})] if best else text
        cells.append(html.Td(shown, className=f"seg-number{' seg-best' if best else ''}", title=row.meaning))
    return html.Tr([title, *cells])


def _setting(value: Any) -> str:
    if value is None:
        return NOTHING
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
