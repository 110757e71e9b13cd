"""Runs that are under way, one card each: stage, how far, about how long still, what the worker says, and a way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.context import run_label, title_of
from dashboard.numbers import day
from dashboard.orders import Open
from dashboard.run_progress import UNDER_WAY, Moment, duration, left_words, log_of, seconds_left
from dashboard.starters import starter_words
from storage.contract import NotFoundError, Run, Snapshot, Store

CANCEL = "watch-cancel"


def watched(store: Store, numbers: Sequence[int]) -> list[Run]:
    """The runs of these numbers, in their order; those that are not there any more are left out."""
    found = []
    for number in numbers:
        try:
            found.append(store.run(number))
        except NotFoundError:
            continue
    return found


def panels(store: Store, runs: Sequence[Run], now: datetime, titles: Mapping[str, str]) -> list[Component]:
    """A card for each of these runs."""
    busy = any(run.state == "running" for run in runs)
    snapshots = {item.id: item for item in store.snapshots()}
    customers = {number: item.customers for number, item in snapshots.items()}
    every = store.runs() if busy else []
    return [
        _panel(
            run,
            snapshots.get(run.snapshot_id),
            seconds_left(run, now, every, customers),
            log_of(run, store.run_log(run.id)),
            titles,
        )
        for run in runs
    ]


def _panel(
    run: Run, snapshot: Snapshot | None, left: float | None, log: Sequence[Moment], titles: Mapping[str, str]
) -> Component:
    wanted = Open.of(run).as_of or run.as_of
    about = f"{title_of(snapshot) if snapshot else run.dataset}, {day(wanted)}"
    who = starter_words(run.starter)
    head = html.Div(
        [
            html.H2(f"Run {run.id}: {run_label(run, titles)}", className="mb-0"),
            html.Span(run.state, className=f"seg-state seg-state-{run.state}"),
            html.Div(_ways(run), className="watch-ways"),
        ],
        className="watch-head",
    )
    told = [html.P(f"{about}. Started by {who}." if who else f"{about}.", className="seg-hint mb-2")]
    error = [html.P(run.error, className="seg-alarm mb-2")] if run.error else []
    return html.Section([head, *told, *_bar(run, left), *error, _log(log)], className="seg-card watch-run")


def _bar(run: Run, left: float | None) -> list[Component]:
    if run.state == "queued":
        text = "Waiting for a worker. It begins as soon as one is free."
        return [html.P(text, className="mb-2")]
    if run.state != "running":
        return []
    percent = round(100 * (run.progress or 0.0))
    said = " · ".join(text for text in (run.stage or "Beginning", f"{percent} %", left_words(left)) if text)
    label = {"aria-label": f"Progress of run {run.id}"}
    return [
        html.P(said, className="mb-1 watch-said"),
        html.Progress(value=str(percent), max="100", className="watch-bar mb-2", **label),
    ]


def _ways(run: Run) -> list[Component]:
    if run.state in UNDER_WAY:
        label = {"aria-label": f"Cancel run {run.id}"}
        return [
            html.Button(
                "Cancel",
                id={"type": CANCEL, "run": run.id},
                type="button",
                className="btn btn-outline-secondary btn-sm",
                **label,
            )
        ]
    links = [("Details", f"/run?run={run.id}")]
    if run.state == "done":
        links = [("Open its customers", f"/?run={run.id}"), *links]
    return [dcc.Link(text, href=href, className="ms-3") for text, href in links]


def _log(log: Sequence[Moment]) -> Component:
    lines: list[Any] = []
    for moment in log:
        span = f" ({duration(moment.seconds)})" if moment.seconds is not None and moment.seconds >= 0.1 else ""
        lines.append(html.Li([html.Time(f"{moment.at:%H:%M:%S}"), f" {moment.text}{span}"]))
    return html.Details([html.Summary("Log (UTC)"), html.Ol(lines, className="watch-log")], open=True)


def alert(sentence: str) -> Component:
    """A sentence that is not to be overlooked."""
    return dbc.Alert(sentence, color="danger", class_name="py-2 mb-2")
