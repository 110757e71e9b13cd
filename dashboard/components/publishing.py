"""The button that opens the dialog to publish a run, what its checks say, and the card with what it would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.panels import panel
from dashboard.components.tables import Head, number_heads, table, table_row
from dashboard.i18n.numbers import NOTHING, count, day, decimal, percent, plural, short_money
from dashboard.i18n.texts import say
from dashboard.queries.decision import Decision
from dashboard.queries.which_run import engine_titles, run_label


def publish_button(run_id: int, place: str) -> Component:
    """Opens the dialog for a run; ``place``: where on the page the button stands."""
    which = {"type": "publish-open", "run": run_id, "place": place}
    return html.Button(say("Publish"), id=which, type="button", className="btn btn-sm btn-primary")


def check_list(found: Sequence[Mapping[str, Any]]) -> Component:
    """What was checked, each with a sign and its sentence."""
    items = []
    for check in found:
        sign, word = ("✓", say("passed")) if check["passed"] else ("⚠", say("failed"))
        line = [html.Span(sign, title=word, className="me-2"), html.Span(f"{word}: ", className="seg-unseen")]
        items.append(html.Li([*line, say(check["text"])], className="" if check["passed"] else "seg-failed"))
    return html.Ul(items, className="list-unstyled seg-checks")


def decision_card(decision: Decision, currency: str) -> Component:
    """The two runs, who and what changes, how good both are, and the button."""
    titles = engine_titles()
    now, then = (run_label(run, titles) for run in (decision.candidate, decision.published))
    changed = say(
        "{customers} of {known} ({share}) would be in another segment; they have spent {money}.",
        customers=plural(decision.changed, "{n} customer", "{n} customers"),
        known=count(decision.known),
        share=percent(decision.changed / decision.known if decision.known else None),
        money=short_money(decision.money, currency),
    )
    both = say("{new} are new, {gone} are no longer among them.", new=count(decision.new), gone=count(decision.gone))
    heads = [Head(""), *number_heads(say("Stability"), say("Later revenue"), say("Agreement with a refit"))]
    lines = [
        table_row(name, *(_figure(value) for value in figures))
        for name, figures in (
            (say("This run: {run}, {day}", run=now, day=day(decision.candidate.as_of)), decision.now),
            (say("Published: {run}, {day}", run=then, day=day(decision.published.as_of)), decision.then),
        )
    ]
    return panel(
        say("Publish this run?"),
        html.P([changed, *([" ", both] if decision.new or decision.gone else [])], className="mb-2"),
        html.P(_audiences(decision), className="mb-2"),
        table(say("How good the two runs are"), heads, lines),
        check_list(decision.checks),
        html.Div(publish_button(decision.candidate.id, "decision")),
    )


def _figure(value: float | None) -> str:
    return NOTHING if value is None else decimal(value, 2)


def _audiences(decision: Decision) -> list[Component | str]:
    if not decision.audiences:
        return [say("No saved audience changes its size.")]
    said = [
        say(
            "{audience}: {before} → {after}",
            audience=item.name,
            before=NOTHING if item.before is None else count(item.before),
            after=say("not in this run") if item.after is None else count(item.after),
        )
        for item in decision.audiences
    ]
    return [
        plural(len(said), "{n} audience changes: ", "{n} audiences change: "),
        " · ".join(said),
        " ",
        dcc.Link(say("See audiences"), href="/audiences"),
    ]
