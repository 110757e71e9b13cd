"""The drawer about one segment: who they are, what to do about them, what they buy, who came and who left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components import name_editor
from dashboard.components.cards import theme_colour
from dashboard.components.tables import Head, number_cell, number_heads, share_bar, simple_table, table_row
from dashboard.frames import filters
from dashboard.i18n.numbers import count, day, percent, plural, round_money, short_money
from dashboard.i18n.texts import say, segment_name
from dashboard.pages.segments.about_customer import section
from dashboard.queries.segment import GONE, NEW, SegmentProfile, ShareOfSegment, movement_words, segment_profile
from dashboard.services import Services
from storage.contract import Selection

_LISTED = 6  # segments that customers came from or went to


def about_segment(services: Services, run_id: int, key: int) -> tuple[str, list[Component]]:
    """The segment's name, and what the drawer shows of it.

    Raises:
        NotFoundError: no such run or segment.
    """
    profile = segment_profile(services, run_id, key)
    frame = services.frames.get(run_id)
    parts: list[Component | None] = [
        _head(profile),
        _actions(profile, run_id),
        _figures(profile, frame.currency),
        section(say("Rule"), [html.P(profile.rule or say("This engine has no rule that could be said in words."))]),
        *(
            section(title, [_shares(parts, what, profile)])
            for title, what, parts in (
                (say("Top countries"), say("Country"), profile.countries),
                (say("Top categories, by spend"), say("Category"), profile.categories),
            )
            if parts
        ),
        section(say("Since the date before"), _movement(profile)),
    ]
    return segment_name(profile.segment.name), [part for part in parts if part is not None]


def _head(profile: SegmentProfile) -> Component:
    return html.Div(
        [
            html.P(" ".join(profile.sentences)),
            html.P([html.Strong(say("What to do:") + " "), say(profile.segment.action)])
            if profile.segment.action
            else None,
            html.P(profile.why, className="seg-hint") if profile.why else None,
        ],
        className="side-panel-part",
    )


def _actions(profile: SegmentProfile, run_id: int) -> Component:
    alone = replace(Selection(), segments=(profile.segment.known_by,))
    query = filters.write_view(None, alone)
    customers = profile.figures.customers if profile.figures else 0
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
            name_editor.rename_button("segments", run_id, profile.segment),
        ],
        className="side-panel-actions",
    )


def _figures(profile: SegmentProfile, currency: str) -> Component | None:
    row, whole = profile.figures, profile.all_of_them
    if row is None:
        return None
    facts: list[tuple[str, str]] = [
        (say("Customers"), _of_all(count(row.customers), row.share)),
        (say("Revenue"), _of_all(short_money(row.revenue, currency), row.revenue_share)),
    ]
    if row.clv is not None:
        mean, every = round_money(row.clv, currency), round_money(whole.average_clv, currency)
        facts.append((say("CLV, mean"), say("{value} (all: {all})", value=mean, all=every)))
    if row.total_clv is not None and row.clv_range is not None:
        low, high = (round_money(end, currency) for end in row.clv_range)
        total = round_money(row.total_clv, currency)
        facts.append((say("CLV, in all"), say("{total} (range {low} to {high})", total=total, low=low, high=high)))
    if row.churn_risk is not None:
        facts.append((say("Churn risk, mean"), percent(row.churn_risk)))
    return html.Dl([html.Div([html.Dt(title), html.Dd(text)]) for title, text in facts], className="side-panel-facts")


def _of_all(value: str, share: float | None) -> str:
    return say("{value} ({share} of all)", value=value, share=percent(share))


def _shares(parts: Sequence[ShareOfSegment], what: str, profile: SegmentProfile) -> Component:
    colour = theme_colour(profile.segment.colour)
    lines = [
        table_row(part.name, number_cell(share_bar(percent(part.share), part.share, colour)), percent(part.of_all))
        for part in parts
    ]
    return simple_table([Head(what), *number_heads(say("This segment"), say("All customers"))], lines)


def _movement(profile: SegmentProfile) -> list[Component]:
    movement = profile.movement
    if movement is None:
        sentence = say("There is no earlier run of this engine and data set to compare with.")
        return [html.P(sentence, className="seg-hint")]
    now = profile.figures.customers if profile.figures else 0
    sentence = say("Since {day}: {sentence}", day=day(movement.since), sentence=movement_words(movement, now))
    parts: list[Component] = [html.P(sentence)]
    lists: list[tuple[str, Any]] = [(say("Came from"), movement.came), (say("Went to"), movement.left)]
    parts.append(html.Div([_list(title, pairs) for title, pairs in lists if pairs], className="side-panel-two"))
    return parts


def _list(title: str, pairs: Sequence[tuple[str, int]]) -> Component:
    named = {NEW: say("new customers"), GONE: say("customers no more")}
    lines = [table_row(named.get(name, segment_name(name)), count(n)) for name, n in pairs]
    listed = _LISTED if len(pairs) > _LISTED + 1 else len(pairs)
    shown, rest = lines[:listed], sum(n for _, n in pairs[listed:])
    if rest:
        shown.append(table_row(say("others"), count(rest)))
    return html.Div([html.H4(title), html.Table(html.Tbody(shown), className="seg-table")])
