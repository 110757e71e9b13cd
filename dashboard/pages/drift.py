"""Whether segments made some time ago still fit: the timeline of a frozen model against one fitted anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboard import cards, ids
from dashboard.context import engine_titles, run_from, run_label, title_of
from dashboard.figures import drift as figures
from dashboard.figures import empty, graph_config
from dashboard.numbers import NOTHING, count, day, percent, plural
from dashboard.services import Services
from engines.contract import DriftPoint
from engines.drift import HISTORY_DAYS, cutoffs
from storage.contract import Run, Snapshot

PATH = "/drift"
TITLE = "Drift"
ORDER = 20
AREA = "operations"

TIMELINE = "drift-timeline"
SHOWN = "drift-run"


def layout(services: Services, **query: Any) -> Component:
    """The page for the run in the address."""
    run = run_from(services.store, query.get("run"))
    if run is None:
        return cards.empty_state("No timeline yet", cards.sales_first())
    snapshot = services.store.snapshot(run.snapshot_id)
    label = run_label(run, engine_titles())
    points = services.store.drift(run.id)
    if not points:
        return cards.empty_state(
            f"{label} on {title_of(snapshot)} has no timeline",
            [
                f"A timeline needs {HISTORY_DAYS} days of sales before the model is frozen and a month after; "
                "it is drawn when sales are read with segmentry run. Choose another data set above.",
            ],
        )
    threshold = services.config.drift.threshold
    return html.Div(
        [
            html.H1(f"Drift of {label}"),
            html.P(_verdict(points, threshold), className="seg-lead mb-1"),
            html.P(_explained(run, snapshot, points, threshold), className="seg-lead"),
            html.Section(
                [
                    html.H2("Agreement month by month"),
                    dcc.Graph(
                        id=TIMELINE,
                        config=graph_config(f"drift-run-{run.id}"),
                        figure=empty("", "light"),
                        style={"height": "460px"},
                    ),
                ],
                className="seg-card",
            ),
            html.Section([html.H2("The figures"), _table(points)], className="seg-card"),
            dcc.Store(id=SHOWN, data=run.id),
        ]
    )


def frozen_on(snapshot: Snapshot) -> date | None:
    """The day the model was frozen, where the snapshot says when its sales begin."""
    first = snapshot.info.get("first_day")
    dates = cutoffs(date.fromisoformat(first), snapshot.as_of) if isinstance(first, str) else []
    return dates[0] if dates else None


def _verdict(points: Sequence[DriftPoint], threshold: float) -> list[Any]:
    alerts = [point for point in points if point.alert]
    if not alerts:
        return [f"No alert at {plural(len(points), 'date')}: the segments of then still are the segments of now."]
    latest = alerts[-1]
    told = f"{plural(len(alerts), 'alert')} at {plural(len(points), 'date')}, "
    told += f"the latest on {_day(latest)} (ARI {latest.ari:.2f})."
    return [html.Span(f"▲ {told}", className="seg-alarm")]


def _explained(run: Run, snapshot: Snapshot, points: Sequence[DriftPoint], threshold: float) -> str:
    frozen = frozen_on(snapshot)
    when = f" frozen on {day(frozen)}, with the sales before that day" if frozen is not None else " frozen at the start"
    noise = (
        "The band is what refitting alone makes of it; an alert is below the line and below the band."
        if any(point.noise_low is not None for point in points)
        else f"An alert is below {threshold:g}; how far refitting alone moves it was not measured, so it may be chance."
    )
    return (
        f"A model with these settings,{when}, labels the customers of each later date, and so does one fitted anew. "
        f"The adjusted Rand index says how far the two agree: 1 is the same segments, 0 what chance gives. {noise}"
    )


def _table(points: Sequence[DriftPoint]) -> Component:
    titles = ("Customers", "ARI", "Noise reaches to", "Changed segment")
    numbers = [html.Th(text, scope="col", className="seg-number") for text in titles]
    head = [html.Th("Date", scope="col"), *numbers, html.Th("Alert", scope="col")]
    lines = [
        html.Tr(
            [
                html.Th(_day(point), scope="row", className="seg-nowrap"),
                html.Td(count(point.customers), className="seg-number"),
                html.Td(f"{point.ari:.3f}", className="seg-number"),
                html.Td(NOTHING if point.noise_low is None else f"{point.noise_low:.3f}", className="seg-number"),
                html.Td(percent(point.moved_share), className="seg-number"),
                html.Td("▲ alert" if point.alert else "", className="seg-alarm"),
            ]
        )
        for point in reversed(points)
    ]
    table = html.Table([html.Thead(html.Tr(head)), html.Tbody(lines)], className="seg-table")
    return html.Div(
        table, className="seg-scroll", tabIndex=0, role="region", **{"aria-label": "Points of the timeline"}
    )


def _day(point: DriftPoint) -> str:
    return day(date.fromisoformat(point.as_of))


def register(app: Dash, services: Services) -> None:
    """One callback draws the timeline in the theme that holds."""

    @app.callback(Output(TIMELINE, "figure"), Input(ids.THEME, "data"), State(SHOWN, "data"))
    def draw(theme: str | None, run_id: int) -> Any:
        points = services.store.drift(run_id)
        return figures.draw_timeline(figures.timeline_data(points, services.config.drift.threshold), theme or "light")
