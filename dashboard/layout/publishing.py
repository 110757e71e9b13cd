"""What the frame says of the run that is looked at: published, or a trial; dialogs to publish one and to roll back."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from flask import request

from dashboard.components import ids
from dashboard.components.dialogs import button, dialog
from dashboard.components.publishing import check_list, publish_button
from dashboard.components.tables import Head, table
from dashboard.i18n.numbers import day
from dashboard.i18n.texts import noted, say
from dashboard.pipeline.checks import checks
from dashboard.pipeline.publish import publish_run, published_of, roll_back
from dashboard.queries.which_run import engine_titles, run_from, run_label
from dashboard.services import Services
from engines.errors import InputError
from storage.contract import ChangedError, NotFoundError, Publication, Run
from storage.contract.publications import WHY_LENGTH

STANDING, BANNER = "shell-standing", "shell-banner"
WINDOW, HISTORY = "publish-window", "publish-history"
_SHOWN = 10  # publications that the history shows


def dialogs() -> Component:
    """The two dialogs, closed, and what they keep in mind."""
    publish = [
        html.P(id="publish-words"),
        html.Div(id="publish-checks"),
        *_reason("publish-why"),
        dbc.Alert(id="publish-refused", color="warning", is_open=False, class_name="mt-3 mb-0"),
    ]
    history = [
        html.Div(id="rollback-list"),
        *_reason("rollback-why"),
        dbc.Alert(id="rollback-refused", color="warning", is_open=False, class_name="mt-3 mb-0"),
    ]
    return html.Div(
        [
            dcc.Store(id="publish-run"),
            dcc.Store(id="rollback-run"),
            dcc.Store(id=ids.PUBLISHED),
            dialog(
                WINDOW,
                say("Publish this run"),
                publish,
                [button("publish-cancel", say("Cancel"), "secondary"), button("publish-confirm", say("Publish"))],
            ),
            dialog(
                HISTORY,
                say("Published runs"),
                history,
                [button("rollback-cancel", say("Close"), "secondary"), button("rollback-confirm", say("Roll back"))],
                is_wide=True,
            ),
        ]
    )


def _reason(name: str) -> list[Component]:
    return [
        html.Label(say("Why"), htmlFor=name, className="form-label mb-1"),
        dbc.Input(id=name, maxLength=WHY_LENGTH, autoComplete="off"),
    ]


def _standing(run: Run, publication: Publication | None) -> tuple[Component | None, Component | None]:
    """The word in the header, and the banner under it."""
    if publication is not None and publication.run_id == run.id:
        return (
            html.Button(
                say("Published {day}", day=day(publication.published_at.date())),
                id={"type": "rollback-open", "place": "header"},
                type="button",
                className="seg-badge seg-published",
                title=say("{who}: {why}", who=_publisher(publication), why=say(publication.why)),
            ),
            None,
        )
    if run.state != "done":
        return None, None
    if publication is None:
        words: list[Any] = [say("No run of this data set is published yet.")]
    else:
        title = engine_titles().get(publication.engine, publication.engine)
        link = dcc.Link(say("{run} of {day}", run=title, day=day(publication.as_of)), href=f"?run={publication.run_id}")
        words = [html.Strong(say("Trial: not what marketing uses.")), " ", say("Published is"), " ", link, "."]
    buttons = [publish_button(run.id, "banner")]
    if publication is not None:
        address, style = f"/compare?run={run.id}", "btn btn-sm btn-outline-secondary"
        buttons.append(dcc.Link(say("Compare"), href=address, className=style))
    inside = [html.Span(words), html.Div(buttons, className="d-flex gap-2")]
    return None, html.Div(inside, className="seg-trial", role="note")


def banner(services: Services, run_id: Any) -> Component | None:
    """What stands above a page about a run that is not the published one; nothing where that is not known."""
    try:
        run = run_from(services.store, run_id)
    except (InputError, NotFoundError):
        return None  # the page itself says so
    return None if run is None else _standing(run, services.store.published(run.dataset))[1]


#: By whom a run was published, where no name is known.
_WAYS = {
    "first": noted("by itself"),
    "schedule": noted("a schedule"),
    "browser": noted("the dashboard"),
    "api": noted("the API"),
    "command": noted("the command line"),
}


def _publisher(publication: Publication) -> str:
    return publication.published_by or say(_WAYS[publication.via])


def _shown_history(history: list[Publication]) -> Component:
    titles = engine_titles()
    lines = []
    for item in history[:_SHOWN]:
        run = say(
            "{engine} of {day} (run {run})",
            engine=titles.get(item.engine, item.engine),
            day=day(item.as_of),
            run=item.run_id,
        )
        cells = (day(item.published_at.date()), run, _publisher(item), say(item.why))
        lines.append(html.Tr([html.Td(cell) for cell in cells]))
    heads = [Head(title) for title in (say("Published"), say("Run"), say("By"), say("Why"))]
    return table(say("Published runs of this data set, the latest first"), heads, lines)


def _who() -> str | None:
    return request.authorization.username if request.authorization else None


def register(app: Dash, services: Services, shown_run: str) -> None:
    """One callback says how the run stands, one publishes, one shows the history and rolls back."""

    @app.callback(Output(STANDING, "children"), Input(shown_run, "data"), Input(ids.PUBLISHED, "data"))
    def stand(run_id: str | None, published: Any) -> Component | None:
        try:
            run = run_from(services.store, run_id)
        except NotFoundError:
            return None
        return None if run is None else _standing(run, services.store.published(run.dataset))[0]

    @app.callback(
        Output(BANNER, "children"), Input(ids.PUBLISHED, "data"), State(shown_run, "data"), prevent_initial_call=True
    )
    def go_over(published: Any, run_id: str | None) -> Component | None:
        return banner(services, run_id)

    @app.callback(
        output={
            "open": Output(WINDOW, "is_open"),
            "words": Output("publish-words", "children"),
            "checks": Output("publish-checks", "children"),
            "why": Output("publish-why", "value"),
            "run": Output("publish-run", "data"),
            "refused": Output("publish-refused", "children"),
            "is_refused": Output("publish-refused", "is_open"),
            "published": Output(ids.PUBLISHED, "data", allow_duplicate=True),
        },
        inputs={
            "clicks": Input({"type": "publish-open", "run": ALL, "place": ALL}, "n_clicks"),
            "cancel": Input("publish-cancel", "n_clicks"),
            "confirm": Input("publish-confirm", "n_clicks"),
            "entered": Input("publish-why", "n_submit"),
            "why": State("publish-why", "value"),
            "asked": State("publish-run", "data"),
        },
        prevent_initial_call=True,
    )
    def publish(
        clicks: Any, cancel: Any, confirm: Any, entered: Any, why: str | None, asked: dict[str, Any] | None
    ) -> dict[str, Any]:
        if not ctx.triggered[0]["value"]:  # a button has appeared without having been clicked
            raise PreventUpdate
        parts = dict.fromkeys(
            ("open", "words", "checks", "why", "run", "refused", "is_refused", "published"), no_update
        )
        if isinstance(ctx.triggered_id, dict):
            run = services.store.run(int(ctx.triggered_id["run"]))
            now = published_of(services.store, run.dataset)
            found = checks(services.store, services.config, run, now)
            words = say(
                "{run} of {day} becomes what marketing sees: the first page, audiences, exports and alerts follow it.",
                run=run_label(run, engine_titles()),
                day=day(run.as_of),
            )
            asked = {"run": run.id, "expected": None if now is None else now.id}
            opened = {"open": True, "words": words, "checks": check_list(found), "why": "", "run": asked}
            return {**parts, **opened, "is_refused": False}
        if ctx.triggered_id == "publish-cancel" or not asked:
            return {**parts, "open": False}
        try:
            publication = publish_run(
                asked["run"],
                services.config,
                services.store,
                who=_who(),
                via="browser",
                why=why or "",
                expected=asked["expected"],
            )
        except (InputError, ChangedError, NotFoundError) as error:
            return {**parts, "refused": say(error.message), "is_refused": True}
        return {**parts, "open": False, "published": publication.id}

    @app.callback(
        output={
            "open": Output(HISTORY, "is_open"),
            "list": Output("rollback-list", "children"),
            "why": Output("rollback-why", "value"),
            "run": Output("rollback-run", "data"),
            "refused": Output("rollback-refused", "children"),
            "is_refused": Output("rollback-refused", "is_open"),
            "published": Output(ids.PUBLISHED, "data", allow_duplicate=True),
        },
        inputs={
            "clicks": Input({"type": "rollback-open", "place": ALL}, "n_clicks"),
            "cancel": Input("rollback-cancel", "n_clicks"),
            "confirm": Input("rollback-confirm", "n_clicks"),
            "why": State("rollback-why", "value"),
            "shown": State(shown_run, "data"),
            "asked": State("rollback-run", "data"),
        },
        prevent_initial_call=True,
    )
    def history(
        clicks: Any, cancel: Any, confirm: Any, why: str | None, shown: str | None, asked: dict[str, Any] | None
    ) -> dict[str, Any]:
        if not ctx.triggered[0]["value"] or not shown:
            raise PreventUpdate
        parts = dict.fromkeys(("open", "list", "why", "run", "refused", "is_refused", "published"), no_update)
        if isinstance(ctx.triggered_id, dict):
            dataset = services.store.run(int(shown)).dataset
            found = services.store.publications(dataset)
            asked = {"dataset": dataset, "expected": found[0].run_id if found else None}
            opened = {"open": True, "list": _shown_history(found), "why": "", "run": asked, "is_refused": False}
            return {**parts, **opened}
        if ctx.triggered_id == "rollback-cancel" or not asked:
            return {**parts, "open": False}
        try:
            publication = roll_back(
                asked["dataset"],
                services.store,
                who=_who(),
                via="browser",
                why=why or "",
                expected=asked["expected"],
            )
        except (InputError, ChangedError, NotFoundError) as error:
            return {**parts, "refused": say(error.message), "is_refused": True}
        return {**parts, "open": False, "published": publication.id}
