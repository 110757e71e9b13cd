"""One run from all sides: what it was made of, what came of it, how good it is, and what its segments are called."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard.components import cards, ids, name_editor
from dashboard.components.panels import graph, panel
from dashboard.components.rules import rules_notice
from dashboard.figures import dendrogram
from dashboard.i18n.numbers import day, plural
from dashboard.i18n.texts import noted, say
from dashboard.pages.run import notes, sections
from dashboard.pipeline.series import published_among
from dashboard.queries.insights import insights_of, sentences_of
from dashboard.queries.progress import UNDER_WAY
from dashboard.queries.which_run import engine_titles, run_from, run_label, title_of
from dashboard.services import Services
from engines import registry
from storage.contract import Run, Snapshot

PATH = "/run"
TITLE = noted("Run")
ORDER = 6
AREA = "models"

PAGE = "run"
RUN = "run-shown"
INSIGHTS = "run-insights"
SEGMENTS = "run-segments"
TREE = "run-tree"


def layout(services: Services, **query: Any) -> Component:
    """The page for the run in the address, whatever state it is in."""
    run = run_from(services.store, query.get("run"))
    if run is None:
        return cards.empty_state(say("No runs yet"), cards.sales_first())
    snapshot = services.store.snapshot(run.snapshot_id)
    knobs = {item.name: item.knobs for item in registry.registered()}.get(run.engine, ())
    notice = rules_notice(services, run, snapshot)
    dialog = html.Div(
        [sections.setting_section(run, knobs), sections.data_section(snapshot)], className="seg-grid seg-top mt-3"
    )
    head = _head(run, snapshot, published_among(services.store, [run]) is not None)
    form = [html.Div(notes.note_form(run), className="mt-3"), dcc.Store(id=RUN, data=run.id)]
    if run.state != "done":
        return html.Div([*head, *notice, dialog, *form])
    return html.Div(
        [
            *head,
            *notice,
            html.Div(_insights(services, run), id=INSIGHTS, className="mb-3"),
            html.Div(sections.segment_section(run, snapshot, services.config.plays, PAGE), id=SEGMENTS),
            *_model(run),
            html.Div(sections.metric_section(run), className="mt-3"),
            dialog,
            html.Div([*sections.note_section(run), sections.machine_section(run)], className="seg-grid seg-top mt-3"),
            *form,
            name_editor.editor(PAGE),
        ]
    )


def _head(run: Run, snapshot: Snapshot, is_published: bool) -> list[Component]:
    finished = f", {run.finished_at:%Y-%m-%d %H:%M} UTC" if run.finished_at is not None else ""
    about = (
        f"{title_of(snapshot)}, {day(snapshot.as_of)}: {plural(snapshot.customers, '{n} customer', '{n} customers')}. "
    )
    ways = (
        ((say("Open its customers"), "/"), (say("Compare"), "/compare"), (say("Drift"), "/drift"))
        if run.state == "done"
        else ()
    )
    links = [dcc.Link(text, href=f"{path}?run={run.id}", className="me-3") for text, path in ways]
    if run.state in UNDER_WAY:
        links = [dcc.Link(say("Watch its progress"), href=f"/new?started={run.id}")]
    error = [html.P(say(run.error), className="seg-alarm")] if run.error else []
    badges: list[Component | str] = [" ", cards.published_badge()] if is_published else []
    return [
        html.H1(say("Run {number}: {title}", number=run.id, title=run_label(run, engine_titles()))),
        html.P([about, cards.state_badge(run.state), finished, *badges], className="seg-lead mb-1"),
        html.P(links, className="mb-3") if links else html.P(className="mb-2"),
        *error,
    ]


def _insights(services: Services, run: Run) -> Component | None:
    insights = insights_of(services.store, services.frames, run.id)
    return cards.insight_list(sentences_of(insights, services.frames.get(run.id).currency))


def _model(run: Run) -> list[Component]:
    """What can be shown of the fitted model: a tree, principal components, how sure a mixture is."""
    data = _tree(run)
    parts = [*sections.variance_section(run), *sections.certainty_section(run)]
    shown: list[Component] = [html.Div(parts, className="seg-grid seg-top mt-3")] if parts else []
    if data is not None:
        chart = graph(TREE, f"dendrogram-run-{run.id}", "460px")
        tree = panel(say("How the segments belong together"), chart, hint=dendrogram.dendrogram_words(data))
        shown.append(html.Div(tree, className="mt-3"))
    return shown


def _tree(run: Run) -> dendrogram.DendrogramData | None:
    return dendrogram.dendrogram_data(run.info.get("artifacts", {}), run.info.get("diagnostics", {}), run.segments)


def register(app: Dash, services: Services) -> None:
    """Names given by hand are shown at once; the tree is drawn in the theme that holds; notes are kept."""
    name_editor.register(app, services, PAGE)
    notes.register(app, services, RUN)

    @app.callback(
        Output(SEGMENTS, "children"),
        Output(INSIGHTS, "children"),
        Input(name_editor.edit_store_id(PAGE), "data"),
        State(RUN, "data"),
        prevent_initial_call=True,
    )
    def renamed(edit: dict[str, Any] | None, run_id: int) -> tuple[Any, ...]:
        if edit is None:
            return no_update, no_update
        run = services.store.run(run_id)
        snapshot = services.store.snapshot(run.snapshot_id)
        return sections.segment_section(run, snapshot, services.config.plays, PAGE), _insights(services, run)

    @app.callback(
        Output(TREE, "figure"),
        Input(ids.THEME, "data"),
        Input(name_editor.edit_store_id(PAGE), "data"),
        State(RUN, "data"),
    )
    def draw(theme: str | None, edit: dict[str, Any] | None, run_id: int) -> Any:
        data = _tree(services.store.run(run_id))
        return no_update if data is None else dendrogram.draw_dendrogram(data, theme or "light")
