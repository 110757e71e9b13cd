"""Runs that are under way, one card each: stage, how far, about how long still, what the worker says, and a way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.attributes import aria
from dashboard.components.cards import progress, state_badge
from dashboard.i18n.numbers import day
from dashboard.i18n.texts import say
from dashboard.pipeline.request import Unresolved, starter_words
from dashboard.queries.progress import UNDER_WAY, LogEntry, duration, left_words, log_of, seconds_left
from dashboard.queries.which_run import run_label, title_of
from storage import Store
from storage.contract import NotFoundError, Run, Snapshot

CANCEL, HEAD, BODY, LOG = "watch-cancel", "watch-head", "watch-body", "watch-log"


class CardParts(NamedTuple):
    """What changes of a run's card while it is watched: its state with the ways on, how far it is, and its log."""

    head: list[Component]
    body: list[Component]
    log: list[Component]


def card_parts(store: Store, numbers: Sequence[int], now: datetime) -> tuple[list[str], list[CardParts]]:
    """The states of the runs of these numbers, in their order, and what their cards say; of one that is gone, that."""
    runs = [_run_if_any(store, number) for number in numbers]
    busy = any(run is not None and run.state == "running" for run in runs)
    customers = {item.id: item.customers for item in store.snapshots()} if busy else {}
    every = store.runs() if busy else []
    shown = [
        _gone()
        if run is None
        else CardParts(
            _head(run),
            _body(run, seconds_left(run, now, every, customers)),
            _log(log_of(run, store.job_log(run.job_id))),
        )
        for run in runs
    ]
    return ["gone" if run is None else run.state for run in runs], shown


def _run_if_any(store: Store, number: int) -> Run | None:
    try:
        return store.run(number)
    except NotFoundError:
        return None


def _gone() -> CardParts:
    return CardParts([html.Span(say("deleted"), className="seg-state")], [], [])


def run_card(run: Run, shown: CardParts, snapshot: Snapshot | None, titles: Mapping[str, str]) -> Component:
    """The card of a run; its parts that change have ids of their own, so that the rest stays where it is."""
    as_of = Unresolved.of(run).as_of or run.as_of
    about = f"{title_of(snapshot) if snapshot else run.dataset}, {day(as_of)}"
    who = starter_words(run.starter)
    return html.Section(
        [
            html.H2(say("Run {number}: {title}", number=run.id, title=run_label(run, titles)), className="mb-1"),
            html.P(
                say("{about}. Started by {starter}.", about=about, starter=who) if who else f"{about}.",
                className="seg-hint mb-1",
            ),
            html.Div(shown.head, id={"type": HEAD, "run": run.id}, className="watch-head"),
            html.Div(shown.body, id={"type": BODY, "run": run.id}),
            html.Details(
                [
                    html.Summary(say("Log (UTC)")),
                    html.Ol(shown.log, id={"type": LOG, "run": run.id}, className="watch-log"),
                ],
                open=True,
            ),
        ],
        className="seg-card watch-run",
    )


def _head(run: Run) -> list[Component]:
    return [state_badge(run.state), html.Div(_ways(run))]


def _body(run: Run, left: float | None) -> list[Component]:
    error = [html.P(say(run.error), className="seg-alarm mb-2")] if run.error else []
    return [*_bar(run, left), *error]


def _bar(run: Run, left: float | None) -> list[Component]:
    if run.state == "queued":
        text = say("Waiting for a worker. It begins as soon as one is free.")
        return [html.P(text, className="mb-2")]
    if run.state != "running":
        return []
    stage = say(run.stage) if run.stage else say("Beginning")
    share = run.progress or 0.0
    about = " · ".join(text for text in (stage, f"{round(100 * share)} %", left_words(left)) if text)
    return progress(about, share, say("Progress of run {run}", run=run.id))


def _ways(run: Run) -> list[Component]:
    if run.state in UNDER_WAY:
        return [
            html.Button(
                say("Cancel"),
                id={"type": CANCEL, "run": run.id},
                type="button",
                className="btn btn-outline-secondary btn-sm",
                **aria(label=say("Cancel run {run}", run=run.id)),
            )
        ]
    links = [(say("Details"), f"/run?run={run.id}")]
    if run.state == "done":
        links = [(say("Open its customers"), f"/?run={run.id}"), *links]
    return [dcc.Link(text, href=href, className="ms-3") for text, href in links]


def _log(log: Sequence[LogEntry]) -> list[Component]:
    lines: list[Component] = []
    for moment in log:
        span = f" ({duration(moment.seconds)})" if moment.seconds is not None and moment.seconds >= 0.1 else ""
        lines.append(html.Li([html.Time(f"{moment.at:%H:%M:%S}"), f" {say(moment.text)}{span}"]))
    return lines
