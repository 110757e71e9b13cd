"""What a page says of sales that were read by earlier rules, and the button that reads them again under today's."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import MATCH, ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from flask import request

from dashboard.components.cards import alert
from dashboard.i18n.numbers import day, plural
from dashboard.i18n.texts import say
from dashboard.pipeline.read_again import is_outdated, outdated_words, queue_again, why_not_again
from dashboard.pipeline.request import user_of
from dashboard.queries.recent import recent_under_other_rules
from dashboard.services import Services
from engines.errors import InputError
from storage.contract import NotFoundError, Run, Snapshot, Starter

AGAIN, LEAVE, LEFT, REFUSED = (f"read-again-{name}" for name in ("button", "leave", "left", "refused"))
_SHOWN = 3  # links to other dates


def rules_notice(services: Services, run: Run, snapshot: Snapshot) -> list[Component]:
    """That a run's sales were read by earlier rules, or those of other dates of its data set; nothing where all agree.

    One that was read by earlier rules has a button that reads it again.
    """
    if is_outdated(snapshot.rules):
        return [_outdated(snapshot)]
    others = recent_under_other_rules(services, run)
    if not others:
        return []
    dates = {other.as_of: other for other in others}
    sentence = say(
        "{dates} of this data set were read by earlier rules, so nothing here is compared with them. Open one to read "
        "it again under today's rules:",
        dates=plural(len(dates), "{n} other date", "{n} other dates"),
    )
    newest = sorted(dates, reverse=True)[:_SHOWN]
    links = [dcc.Link(day(when), href=f"/run?run={dates[when].id}", className="ms-2") for when in newest]
    return [alert([sentence, *links], "secondary")]


def _outdated(snapshot: Snapshot) -> Component:
    name = {"snapshot": snapshot.id}
    why = why_not_again(snapshot)
    way: list[Component] = (
        [html.Div(say(why), className="mt-1")]
        if why
        else [
            html.Div(
                dbc.Button(
                    say("Read again under today's rules"), id={"type": AGAIN, **name}, size="sm", color="primary"
                ),
                className="mt-2",
            ),
            html.Div(id={"type": REFUSED, **name}),
            dcc.Store(id={"type": LEAVE, **name}),
            dcc.Store(id={"type": LEFT, **name}),
        ]
    )
    return alert([say(outdated_words(snapshot.rules)), *way], "warning")


def register(app: Dash, services: Services) -> None:
    """The button queues the snapshot's runs, to be done on its sales as they are read anew, and leads to them."""
    app.clientside_callback(
        ClientsideFunction("segmentryNewRun", "leave"),
        Output({"type": LEFT, "snapshot": MATCH}, "data"),
        Input({"type": LEAVE, "snapshot": MATCH}, "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output({"type": LEAVE, "snapshot": MATCH}, "data"),
        Output({"type": REFUSED, "snapshot": MATCH}, "children"),
        Input({"type": AGAIN, "snapshot": MATCH}, "n_clicks"),
        State({"type": AGAIN, "snapshot": MATCH}, "id"),
        prevent_initial_call=True,
    )
    def again(clicks: int | None, button: dict[str, Any]) -> tuple[Any, Any]:
        if not clicks:
            raise PreventUpdate
        starter = Starter("page", user_of(request.headers.get("Authorization", "")))
        try:
            runs = queue_again(int(button["snapshot"]), services.config, services.store, starter)
        except (InputError, NotFoundError) as error:
            return no_update, alert(say(error.message))
        return f"/new?started={','.join(str(run.id) for run in runs)}", None
