"""Every run there is: what it was made of, how it went, and the way into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, dcc, html
from dash.development.base_component import Component

from dashboard import cards
from dashboard.context import engine_titles, title_of
from dashboard.numbers import NOTHING, count, day, plural, written
from dashboard.services import Services
from storage.contract import Run, Snapshot

PATH = "/runs"
TITLE = "Runs"
ORDER = 30
AREA = "operations"

SHOWN = 200


def layout(services: Services, **query: Any) -> Component:
    """The runs, the newest first."""
    runs = services.store.runs()
    if not runs:
        return cards.empty_state("No runs yet", cards.sales_first())
    snapshots = {item.id: item for item in services.store.snapshots()}
    titles = engine_titles()
    states = [run.state for run in runs]
    told = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    more = f" The latest {SHOWN} are shown." if len(runs) > SHOWN else ""
    heads = ("Run", "State", "Engine", "k", "Seed", "Data set", "Date", "Customers", "Finished (UTC)", "Took", "")
    right = ("Run", "k", "Seed", "Customers", "Took")
    head = html.Tr([html.Th(text, scope="col", className="seg-number" if text in right else "") for text in heads])
    lines = [_line(run, snapshots[run.snapshot_id], titles, query.get("run")) for run in runs[:SHOWN]]
    table = html.Table([html.Thead(head), html.Tbody(lines)], className="seg-table seg-wide")
    return html.Div(
        [
            html.H1("Runs"),
            html.P(f"{plural(len(runs), 'run')}: {told}.{more}", className="seg-lead"),
            html.Section(table, className="seg-card seg-scroll", tabIndex=0, **{"aria-label": "Runs"}),
        ]
    )


def _line(run: Run, snapshot: Snapshot, titles: Mapping[str, str], current: str | None) -> Component:
    finished = run.finished_at.strftime("%Y-%m-%d %H:%M") if run.finished_at is not None else NOTHING
    told = [html.Div(text, className="seg-hint") for text in (_progress(run), run.error) if text]
    synthetic = [" ", cards.synthetic_badge()] if snapshot.info.get("synthetic") else []
    cells = [
        html.Td(str(run.id), className="seg-number"),
        html.Td([html.Span(run.state, className=f"seg-state seg-state-{run.state}"), *told]),
        html.Th(titles.get(run.engine, run.engine), scope="row"),
        html.Td(NOTHING if run.k is None else str(run.k), className="seg-number"),
        html.Td(NOTHING if run.seed is None else str(run.seed), className="seg-number"),
        html.Td([title_of(snapshot), *synthetic]),
        html.Td(day(run.as_of), className="text-nowrap"),
        html.Td(count(snapshot.customers), className="seg-number"),
        html.Td(finished, className="text-nowrap"),
        html.Td(NOTHING if run.seconds is None else f"{written(run.seconds, '.2f')} s", className="seg-number"),
        html.Td(_ways(run), className="text-nowrap"),
    ]
    return html.Tr(cells, className="seg-here" if str(run.id) == current else "")


def _progress(run: Run) -> str:
    """What a running run is at, and whether it had to be begun again."""
    if run.state != "running":
        return ""
    again = f"begun {run.attempts} times" if run.attempts > 1 else ""
    stage = f"{run.stage}, {run.progress or 0:.0%}" if run.stage else ""
    return " · ".join(text for text in (stage, again) if text)


def _ways(run: Run) -> list[Any]:
    ways = [("Details", "/run")]
    if run.state == "done":
        ways = [("Open", "/"), *ways, ("Compare", "/compare"), ("Drift", "/drift")]
    links = [dcc.Link(text, href=f"{path}?run={run.id}", title=f"{text}: run {run.id}") for text, path in ways]
    return [part for link in links for part in (" · ", link)][1:]


def register(app: Dash, services: Services) -> None:
    """Nothing happens on this page that is not a link."""
