"""Who went where between two dates: ribbons, net flows with money, the list of movers, and segments over time."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboard import cards, ids
from dashboard.context import engine_titles, run_from, run_label, title_of
from dashboard.figures import graph_config
from dashboard.figures import migration as figures
from dashboard.migrating import Between, between_dates, between_runs, earlier_runs
from dashboard.numbers import count, day, percent, plural, short_money
from dashboard.services import Services
from engines.errors import InputError
from engines.migration import Migration
from storage.contract import Run

PATH = "/migration"
TITLE = "Migration"
ORDER = 21
AREA = "operations"

START = "migration-from"
END = "migration-to"
FOUND = "migration-found"
SIZES = "migration-sizes"
SHOWN = "migration-run"


def layout(services: Services, **query: Any) -> Component:
    """The page for the run in the address; two pickers say between which dates."""
    run = run_from(services.store, query.get("run"))
    if run is None:
        return cards.empty_state("Nobody to follow yet", cards.sales_first())
    snapshot = services.store.snapshot(run.snapshot_id)
    label = run_label(run, engine_titles())
    starts, ends = _options(run, services)
    if run.state != "done" or not starts:
        return cards.empty_state(
            f"{label} on {title_of(snapshot)} has no earlier date",
            ["Customers are followed between two runs of the same engine, or along a run's drift timeline."],
        )
    chosen = [starts[0]["value"], ends[-1]["value"]]
    return html.Div(
        [
            html.H1(f"Who went where: {label}"),
            html.P(
                f"{title_of(snapshot)}. Segments keep their names as long as their customers stay together.",
                className="seg-lead mb-2",
            ),
            html.Div(
                [_picker(START, "From", starts, chosen[0]), _picker(END, "to", ends, chosen[1])],
                className="d-flex flex-wrap align-items-center gap-2 mb-2",
            ),
            dcc.Loading(html.Div(id=FOUND, **{"aria-live": "polite"}), delay_show=300),
            html.Div(id=SIZES),
            dcc.Store(id=SHOWN, data=run.id),
        ]
    )


def _picker(name: str, label: str, options: list[dict[str, str]], value: str) -> Component:
    select = dbc.Select(id=name, size="sm", options=options, value=value, className="w-auto")
    return html.Div([html.Label(label, htmlFor=name), select], className="d-flex align-items-center gap-2")


def _options(run: Run, services: Services) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Where one can begin (dates of the timeline, then earlier runs) and end."""
    kept = run.info.get("drift") or {}
    dates = [str(kept["frozen_at"])] if "frozen_at" in kept else []
    dates += [point.as_of for point in services.store.drift(run.id)] if dates else []
    starts = [{"value": text, "label": day(date.fromisoformat(text))} for text in dates[:-1]]
    runs = [
        {"value": f"run-{item.id}", "label": f"run {item.id}, {day(item.as_of)}"}
        for item in earlier_runs(run, services)
    ]
    ends = [{"value": text, "label": day(date.fromisoformat(text))} for text in dates[1:]]
    if not ends:
        ends = [{"value": run.as_of.isoformat(), "label": day(run.as_of)}]
    return [*runs, *starts], ends


def register(app: Dash, services: Services) -> None:
    """One callback works out who went where, one draws the segments over time."""

    @app.callback(
        Output(FOUND, "children"),
        Input(START, "value"),
        Input(END, "value"),
        Input(ids.THEME, "data"),
        State(SHOWN, "data"),
    )
    def draw(start: str, end: str, theme: str | None, run_id: int) -> list[Component]:
        currency = str(services.store.snapshot(services.store.run(run_id).snapshot_id).info.get("currency") or "")
        try:
            if start.startswith("run-"):
                found = between_runs(int(start.removeprefix("run-")), run_id, services)
                asked = {"since": start.removeprefix("run-")}
            else:
                found = between_dates(run_id, date.fromisoformat(start), date.fromisoformat(end), services)
                asked = {"from": start, "to": end}
        except InputError as error:
            return [cards.warning(str(error))]
        return _shown(found, asked, currency, theme or "light")

    @app.callback(Output(SIZES, "children"), Input(ids.THEME, "data"), State(SHOWN, "data"))
    def over_time(theme: str | None, run_id: int) -> list[Component]:
        points = services.store.drift(run_id)
        kept = services.store.run(run_id).info.get("drift") or {}
        if not any(point.sizes for point in points):
            return []
        data = figures.sizes_data(points, kept.get("segments") or ())
        panels = (
            ("customers", "Customers by segment", data.customers),
            ("revenue", "Spent so far by segment", data.revenue),
        )
        return [
            html.Div(
                [
                    html.Section(
                        [
                            html.H2(title),
                            dcc.Graph(
                                id=f"migration-{name}",
                                config=graph_config(f"segments-{name}-run-{run_id}"),
                                figure=figures.draw_sizes(data, values, name, theme or "light"),
                                style={"height": "320px"},
                            ),
                        ],
                        className="seg-card",
                    )
                    for name, title, values in panels
                ],
                className="seg-grid mt-3",
            )
        ]


def _shown(found: Between, asked: dict[str, str], currency: str, theme: str) -> list[Component]:
    moves = found.found
    changed = moves.known - moves.stayed
    new = int(moves.customers[-1].sum())
    gone = int(moves.customers[:, -1].sum())
    told = (
        f"From {day(found.start)} to {day(found.end)}, {plural(changed, 'customer')} of {count(moves.known)} "
        f"({percent(changed / moves.known if moves.known else None)}) changed segment; {count(new)} are new, "
        f"{count(gone)} gone."
    )
    links = [
        html.A(kind.upper(), href=f"/api/v1/runs/{found.run.id}/movers.{kind}?{urlencode(asked)}", className="ms-2")
        for kind in ("csv", "xlsx", "parquet")
    ]
    return [
        html.Section(
            [
                html.H2("From segment to segment"),
                html.P(told, className="mb-1"),
                html.P([f"{plural(len(moves.movers), 'mover')} as a list:", *links], className="seg-hint mb-1"),
                dcc.Graph(
                    id="migration-sankey",
                    config=graph_config(f"migration-run-{found.run.id}"),
                    figure=figures.draw_sankey(figures.sankey_data(moves), theme),
                    style={"height": "420px"},
                ),
            ],
            className="seg-card",
        ),
        html.Section([html.H2("Net flows"), _flows(moves, currency)], className="seg-card"),
        html.Section([html.H2("Customers from (rows) to (columns)"), _matrix(moves, currency)], className="seg-card"),
    ]


def _flows(moves: Migration, currency: str) -> Component:
    titles = ("Before", "After", "Came", "Left", "Net", "Net, in what they had spent")
    head = [html.Th("Segment", scope="col"), *(html.Th(t, scope="col", className="seg-number") for t in titles)]
    lines = []
    for flow in moves.net_flows():
        sign = "+" if flow.net > 0 else ""
        cells = [count(flow.before), count(flow.after), count(flow.came), count(flow.left), f"{sign}{count(flow.net)}"]
        cells.append(f"{'+' if flow.money_net > 0 else ''}{short_money(flow.money_net, currency)}")
        name = html.Th([cards.swatch(moves.colours.get(flow.segment, "#999999")), flow.segment], scope="row")
        lines.append(html.Tr([name, *(html.Td(text, className="seg-number") for text in cells)]))
    return _scrolling(html.Table([html.Thead(html.Tr(head)), html.Tbody(lines)], className="seg-table"), "Net flows")


def _matrix(moves: Migration, currency: str) -> Component:
    heads = [html.Th(name, scope="col", className="seg-number") for name in moves.columns]
    lines = []
    for row, name in enumerate(moves.rows):
        cells = [
            html.Td(
                count(int(moves.customers[row, column])),
                className="seg-number seg-best" if name == moves.columns[column] else "seg-number",
                title=f"{short_money(float(moves.money[row, column]), currency)} spent so far",
            )
            for column in range(len(moves.columns))
        ]
        lines.append(html.Tr([html.Th(name, scope="row", className="seg-nowrap"), *cells]))
    table = html.Table([html.Thead(html.Tr([html.Th("From"), *heads])), html.Tbody(lines)], className="seg-table")
    return _scrolling(table, "Customers from segment to segment")


def _scrolling(table: Component, label: str) -> Component:
    return html.Div(table, className="seg-scroll", tabIndex=0, role="region", **{"aria-label": label})
