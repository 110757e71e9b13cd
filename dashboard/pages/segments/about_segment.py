"""The drawer about one segment: who they are, what to do about them, what they buy, who came and who left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components import name_editor
from dashboard.components.cards import themed
from dashboard.components.tables import Head, number_cell, number_heads, plain_table, share_bar, table_row
from dashboard.frames import filters
from dashboard.i18n.numbers import count, day, percent, plural, round_money, short_money
from dashboard.i18n.texts import say, segment_name
from dashboard.pages.segments.about_customer import section
from dashboard.queries.segment import GONE, NEW, Part, SegmentProfile, movement_words, segment_profile
from dashboard.services import Services
from storage.contract import Selection

_LISTED = 6  # segments that customers came from or went to


def about_segment(services: Services, run_id: int, key: int) -> tuple[str, list[Component]]:
    """The segment's name, and what the drawer shows of it.

    Raises:
        NotFoundError: no such run or segment.
    """
    found = segment_profile(services, run_id, key)
    frame = services.frames.get(run_id)
    parts: list[Component | None] = [
        _head(found),
        _actions(found, run_id),
        _figures(found, frame.currency),
        section(say("Rule"), [html.P(found.rule or say("This engine has no rule that could be said in words."))]),
        *(
            section(title, [_shares(parts, what, found)])
            for title, what, parts in (
                (say("Top countries"), say("Country"), found.countries),
                (say("Top categories, by spend"), say("Category"), found.categories),
            )
            if parts
        ),
        section(say("Since the date before"), _moved(found)),
    ]
    return segment_name(found.segment.name), [part for part in parts if part is not None]


def _head(found: SegmentProfile) -> Component:
    return html.Div(
        [
            html.P(" ".join(found.sentences)),
            html.P([html.Strong(say("What to do:") + " "), say(found.segment.action)])
            if found.segment.action
            else None,
        ],
        className="aside-part",
    )


def _actions(found: SegmentProfile, run_id: int) -> Component:
    alone = replace(Selection(), segments=(found.segment.name,))
    query = filters.write_view(None, alone)
    customers = found.figures.customers if found.figures else 0
    return html.Div(
        [
            dcc.Link(
                say("Filter to this segment"), href="/" + filters.write_view(run_id, alone), className="btn btn-primary"
            ),
            html.A(
                say("Export {customers}", customers=plural(customers, "{n} customer", "{n} customers")),
                href=f"/api/v1/runs/{run_id}/export.csv{query}",
                className="btn btn-outline-secondary",
            ),
            name_editor.rename_button("segments", run_id, found.segment),
        ],
        className="aside-actions",
    )


def _figures(found: SegmentProfile, currency: str) -> Component | None:
    row, whole = found.figures, found.all_of_them
    if row is None:
        return None
    facts: list[tuple[str, str]] = [
        (say("Customers"), _of_all(count(row.customers), row.share)),
        (say("Revenue"), _of_all(short_money(row.revenue, currency), row.revenue_share)),
    ]
    if row.clv is not None:
        mean, every = round_money(row.clv, currency), round_money(whole.average_clv, currency)
        facts.append((say("CLV, mean"), say("{value} (all: {all})", value=mean, all=every)))
    if row.churn_risk is not None:
        facts.append((say("Churn risk, mean"), percent(row.churn_risk)))
    return html.Dl([html.Div([html.Dt(title), html.Dd(text)]) for title, text in facts], className="aside-facts")


def _of_all(value: str, share: float | None) -> str:
    return say("{value} ({share} of all)", value=value, share=percent(share))


def _shares(parts: Sequence[Part], what: str, found: SegmentProfile) -> Component:
    colour = themed(found.segment.colour)
    lines = [
        table_row(part.name, number_cell(share_bar(percent(part.share), part.share, colour)), percent(part.of_all))
        for part in parts
    ]
    return plain_table([Head(what), *number_heads(say("This segment"), say("All customers"))], lines)


def _moved(found: SegmentProfile) -> list[Component]:
    moved = found.movement
    if moved is None:
        sentence = say("There is no earlier run of this engine and data set to compare with.")
        return [html.P(sentence, className="seg-hint")]
    now = found.figures.customers if found.figures else 0
    sentence = say("Since {day}: {sentence}", day=day(moved.since), sentence=movement_words(moved, now))
    parts: list[Component] = [html.P(sentence)]
    lists: list[tuple[str, Any]] = [(say("Came from"), moved.came), (say("Went to"), moved.left)]
    parts.append(html.Div([_list(title, pairs) for title, pairs in lists if pairs], className="aside-two"))
    return parts


def _list(title: str, pairs: Sequence[tuple[str, int]]) -> Component:
    named = {NEW: say("new customers"), GONE: say("customers no more")}
    lines = [table_row(named.get(name, segment_name(name)), count(n)) for name, n in pairs]
    listed = _LISTED if len(pairs) > _LISTED + 1 else len(pairs)
    shown, rest = lines[:listed], sum(n for _, n in pairs[listed:])
    if rest:
        shown.append(table_row(say("others"), count(rest)))
    return html.Div([html.H4(title), html.Table(html.Tbody(shown), className="seg-table")])
