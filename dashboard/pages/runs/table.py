"""The list of runs as a table: state, what it was asked, how that differs from the run before, who, and what to do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components import cards
from dashboard.components.attributes import aria
from dashboard.components.tables import Head, number_cell, number_heads, simple_table
from dashboard.i18n.numbers import NOTHING, day, percent, plural
from dashboard.i18n.texts import say
from dashboard.pipeline.request import Unresolved, starter_words
from dashboard.queries.progress import UNDER_WAY, duration, left_words, seconds_left, seconds_taken
from dashboard.queries.which_run import title_of
from storage.contract import Dependents, Run, Snapshot

PICK, RERUN, NEWEST, DELETE, CANCEL = (f"runs-{name}" for name in ("pick", "rerun", "newest", "delete", "cancel"))


@dataclass(frozen=True)
class Filter:
    """Which runs are listed; what is empty does not matter."""

    state: str = ""
    dataset: str = ""
    engine: str = ""

    def meets(self, run: Run) -> bool:
        """Whether a run is listed."""
        return all(
            not chosen or chosen == real
            for chosen, real in ((self.state, run.state), (self.dataset, run.dataset), (self.engine, run.engine))
        )


def previous_run(run: Run, runs: Sequence[Run]) -> Run | None:
    """The latest earlier run of the same engine and data set, of all runs there are."""
    mine = (item for item in runs if item.id < run.id and (item.engine, item.dataset) == (run.engine, run.dataset))
    return max(mine, key=lambda item: item.id, default=None)


def changes(run: Run, before: Run | None) -> list[str]:
    """What is set otherwise than in the run before, as ``k 4 → 5``."""
    if before is None:
        return []
    auto = say("chosen for you")
    was = dict(before.settings) | ({"k": auto} if Unresolved.of(before).choose_k else {})
    now = dict(run.settings) | ({"k": auto} if Unresolved.of(run).choose_k else {})
    names = [name for name in (*now, *(name for name in was if name not in now)) if was.get(name) != now.get(name)]
    return [f"{name} {_shown(was.get(name))} → {_shown(now.get(name))}" for name in names]


def _shown(value: Any) -> str:
    if value is None or value in ("", []):
        return NOTHING
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def runs_table(
    shown: Sequence[Run],
    runs: Sequence[Run],
    snapshots: Mapping[int, Snapshot],
    titles: Mapping[str, str],
    now: datetime,
    *,
    picked: Collection[int] = (),
    published: Collection[int] = (),
    current: str | None = None,
) -> Component:
    """A line for each run that is shown; ``runs`` are all there are, ``current`` is the run of the address."""
    customers = {number: item.customers for number, item in snapshots.items()}
    heads = [
        Head(""),
        *number_heads(say("Run")),
        *(Head(title) for title in (say("State"), say("Engine"), say("Settings"), say("Data set"), say("Started by"))),
        *number_heads(say("Took")),
        Head(""),
    ]
    lines = []
    for run in shown:
        left = left_words(seconds_left(run, now, runs, customers))
        engine = [titles.get(run.engine, run.engine), *_marks(run, run.id in published)]
        cells = _cells(run, snapshots.get(run.snapshot_id), previous_run(run, runs), engine, left, run.id in picked)
        lines.append(html.Tr(cells, className="seg-here" if str(run.id) == current else ""))
    return simple_table(heads, lines, "seg-wide runs-table")


def _cells(
    run: Run,
    snapshot: Snapshot | None,
    before: Run | None,
    engine: list[Any],
    left: str,
    picked: bool,
) -> list[Component]:
    details = [_hint(text) for text in (_stage(run, left), say(run.error) if run.error else "") if text]
    badge = cards.synthetic_badge() if snapshot and snapshot.info.get("synthetic") else None
    as_of = Unresolved.of(run).as_of
    size = f" · {plural(snapshot.customers, '{n} customer', '{n} customers')}" if snapshot and as_of is None else ""
    people, queued = f"{day(as_of or run.as_of)}{size}", f"{run.created_at:%Y-%m-%d %H:%M} UTC"
    unseen = html.Span(say("Choose run {run}", run=run.id), className="seg-unseen")
    pick = dbc.Checkbox(id={"type": PICK, "run": run.id}, value=picked, label=unseen)
    return [
        html.Td(pick if run.state == "done" else ""),
        number_cell(str(run.id)),
        html.Td([cards.state_badge(run.state), *details], className="runs-state"),
        html.Th(engine, scope="row"),
        html.Td(_settings(run, before), className="runs-settings"),
        html.Td([title_of(snapshot) if snapshot else run.dataset, " ", badge, _hint(people)], className="runs-name"),
        html.Td([starter_words(run.starter) or NOTHING, _hint(queued)], className="runs-name"),
        number_cell(duration(seconds_taken(run)) or NOTHING),
        html.Td(_ways(run)),
    ]


def _marks(run: Run, is_published: bool) -> list[Component]:
    """Whether a run is published, its tags, and its note on hover."""
    badges = [cards.published_badge()] if is_published else []
    badges += [html.Span(tag, className="seg-badge", title=run.note or None) for tag in run.tags]
    if run.note and not run.tags:
        badges.append(html.Span(say("note"), className="seg-badge", title=run.note))
    return [html.Div([part for badge in badges for part in (badge, " ")], className="fw-normal")] if badges else []


def _hint(text: str) -> Component:
    return html.Div(text, className="seg-hint")


def _settings(run: Run, before: Run | None) -> list[str | Component]:
    k = say("k chosen for you") if Unresolved.of(run).choose_k else "" if run.k is None else f"k = {run.k}"
    seed = "" if run.seed is None else say("seed {seed}", seed=run.seed)
    short = ", ".join(text for text in (k, seed) if text)
    changed = changes(run, before)
    against = "" if before is None else say("as before") if not changed else "; ".join(changed)
    title = (
        "" if before is None else say("Against run {run}, the one before with this engine and data set.", run=before.id)
    )
    return [short or NOTHING, html.Div(against, className="seg-hint", title=title)]


def _stage(run: Run, left: str) -> str:
    """What a running run is at, about how long still, and whether it had to be begun again."""
    if run.state != "running":
        return ""
    attempts = say("begun {times} times", times=run.attempts) if run.attempts > 1 else ""
    stage = f"{say(run.stage)}, {percent(run.progress or 0, 0)}" if run.stage else ""
    return " · ".join(text for text in (stage, left, attempts) if text)


def _ways(run: Run) -> Component:
    links = [(say("Details"), "/run")]
    if run.state == "done":
        links = [(say("Open"), "/"), *links, (say("Compare"), "/compare"), (say("Drift"), "/drift")]
    ways: list[Component] = [
        dcc.Link(text, href=f"{path}?run={run.id}", title=say("{way}: run {run}", way=text, run=run.id))
        for text, path in links
    ]
    if run.state in UNDER_WAY:
        ways += [dcc.Link(say("Watch"), href=f"/new?started={run.id}"), _button(say("Cancel"), CANCEL, run.id)]
    else:
        ways += [
            _button(say("Rerun"), RERUN, run.id),
            _button(say("Rerun on newest"), NEWEST, run.id, say("Rerun on the newest snapshot")),
        ]
    return html.Div([*ways, _button(say("Delete"), DELETE, run.id)], className="runs-ways")


def _button(text: str, kind: str, run_id: int, title: str = "") -> Component:
    label = say("{way}: run {run}", way=title or text, run=run_id)
    return html.Button(
        text,
        id={"type": kind, "run": run_id},
        type="button",
        className="link-button",
        title=label,
        **aria(label=label),
    )


def deletion(run: Run, gone: Dependents) -> list[Component]:
    """What is asked before a run is deleted: what goes with it, and what stays."""
    edited = plural(gone.edited_segments, "{n} segment edited by hand", "{n} segments edited by hand")
    parts = [
        words
        for number, words in (
            (gone.drift_points, plural(gone.drift_points, "{n} drift point", "{n} drift points")),
            (gone.edited_segments, edited),
            (gone.alerts, plural(gone.alerts, "{n} alert", "{n} alerts")),
        )
        if number
    ]
    labels = (
        say(
            "The labels of {customers} go with run {run} of {dataset}.",
            customers=plural(gone.labels, "{n} customer", "{n} customers"),
            run=run.id,
            dataset=run.dataset,
        )
        if gone.labels
        else say("Run {run} of {dataset} has no labels yet.", run=run.id, dataset=run.dataset)
    )
    lines = [labels, *([say("So do: {parts}.", parts=", ".join(parts))] if parts else [])]
    if gone.exports:
        lines.append(
            say("It was exported {times}; that stays on record.", times=plural(gone.exports, "{n} time", "{n} times"))
        )
    lines.append(say("This cannot be undone; the snapshot and other runs stay."))
    return [html.P(text) for text in lines]
