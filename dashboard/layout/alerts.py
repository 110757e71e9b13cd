"""Alerts in the header of every page: how many nobody has acknowledged, which they are, and a button to do so."""

from __future__ import annotations

from typing import Any

from dash import ALL, Dash, Input, Output, ctx, dcc, html, no_update
from dash.development.base_component import Component
from flask import request

from dashboard.components import ids
from dashboard.components.attributes import aria
from dashboard.i18n.numbers import day, plural, written
from dashboard.i18n.texts import say
from dashboard.queries.which_run import engine_titles
from dashboard.services import Services
from storage.contract.watch import Alert

BELL = "shell-bell"
SEEN = "shell-alert-seen"
_SHOWN = 8


def bell() -> Component:
    """An empty place that is filled on every page."""
    return html.Div(id=BELL, className="seg-bell")


def _content(services: Services) -> list[Component]:
    """The sign with its number, and the list behind it; without alerts a quiet sign alone."""
    number = services.store.open_alerts()
    alerts = services.store.alerts(open_only=True, limit=_SHOWN)
    titles = engine_titles()
    label = (
        say("{alerts} not acknowledged", alerts=plural(number, "{n} alert", "{n} alerts"))
        if number
        else say("No open alerts")
    )
    sign = html.Summary(
        [html.Span("▲ " if number else "△ ", **aria(hidden="true")), str(number) if number else ""],
        className="seg-icon seg-bell-sign" + (" seg-alarm" if number else ""),
        title=label,
        **aria(label=label),
    )
    lines = [html.Li(_line(alert, titles.get(alert.engine, alert.engine))) for alert in alerts]
    body: list[Component] = [html.P(label, className="seg-hint mb-2")]
    body += [html.Ul(lines, className="list-unstyled mb-0")] if lines else []
    if number > len(alerts):
        body.append(html.P(say("and {number} more", number=number - len(alerts)), className="seg-hint mb-0"))
    return [html.Details([sign, html.Div(body, className="seg-bell-list")])]


def _line(alert: Alert, engine: str) -> list[Component]:
    if alert.cause == "population":
        about = say(
            "{dataset}, {day}: the customers buy much otherwise than when the model of {engine} was frozen.",
            dataset=alert.dataset,
            day=day(alert.as_of),
            engine=engine,
        )
    else:
        about = say(
            "{dataset}, {day}: {engine} agrees only to ARI {ari}.",
            dataset=alert.dataset,
            day=day(alert.as_of),
            engine=engine,
            ari=written(alert.ari, ".2f"),
        )
    button = html.Button(
        say("Acknowledge"),
        id={"type": SEEN, "alert": alert.id},
        type="button",
        className="btn btn-sm btn-outline-secondary ms-2",
        **aria(label=say("Acknowledge: {alert}", alert=about)),
    )
    return [dcc.Link(about, href=f"/drift?run={alert.run_id}"), button]


def register(app: Dash, services: Services, run: str) -> None:
    """Fill the bell whenever another page or run is shown, and when an alert is acknowledged."""

    @app.callback(
        Output(BELL, "children"),
        Input(ids.LOCATION, "pathname"),
        Input(run, "data"),
        Input({"type": SEEN, "alert": ALL}, "n_clicks"),
    )
    def fill(path: str | None, shown: Any, clicks: list[int | None]) -> Any:
        trigger = ctx.triggered_id
        if isinstance(trigger, dict):
            if not any(clicks):  # the buttons were drawn, nobody pressed one
                return no_update
            user = request.authorization.username if request.authorization else None
            services.store.acknowledge_alert(int(trigger["alert"]), who=user)
        return _content(services)
