"""The table of segments in view: size, revenue, means and recommended action."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dash.development.base_component import Component

from dashboard.components import elements
from dashboard.components.attributes import aria
from dashboard.components.cards import swatch, theme_colour
from dashboard.components.tables import share_bar
from dashboard.frames.aggregates import SegmentTotals
from dashboard.i18n.numbers import NOTHING, count, days, decimal, money, percent, round_money, short_money
from dashboard.i18n.texts import column_meaning, column_title, noted, say, segment_name
from engines.columns import CHURN_RISK, CLV, DICTIONARY, FREQUENCY, MONETARY, RECENCY
from engines.contract import NamedSegment

_SEGMENT_COLUMNS = (  # title, its sentence on hover
    (
        noted("Segment and what to do"),
        noted("Name and recommended action from the playbook; click a name to see it alone."),
    ),
    (noted("Customers"), noted("Customers in view.")),
    (noted("Share"), noted("Share of the customers in view.")),
    (noted("Revenue"), noted("What they have spent, before returns.")),
    (noted("Share"), noted("Share of the revenue of the customers in view.")),
)
_MEANS = (RECENCY, FREQUENCY, MONETARY, CLV, CHURN_RISK)
_NO_VALUES = noted("No value model ran.")


def segment_table(
    rows: Sequence[SegmentTotals],
    currency: str,
    pick: Callable[[str], Any],
    chosen: Sequence[str] = (),
    beside: Callable[[NamedSegment], Component] | None = None,
    why: Callable[[NamedSegment], str] | None = None,
) -> Component:
    """One line per segment in view. ``pick(name)`` is the id of the button that filters by it.

    ``beside`` makes what stands beside a segment's name, ``why`` says why its advice is given or is not.
    """
    head = elements.Thead(
        elements.Tr(
            [
                elements.Th(title, title=sentence, scope="col", className="seg-number" if place else "")
                for place, (title, sentence) in enumerate(_segment_columns())
            ]
        )
    )
    body = elements.Tbody(
        [
            _segment_line(
                row,
                currency,
                pick(row.segment.known_by),
                row.segment.known_by in chosen,
                [beside and beside(row.segment), *_in_short(row.segment, why(row.segment) if why else "")],
            )
            for row in rows
        ]
    )
    return elements.Div(
        elements.Table([head, body], className="seg-table segment-table"),
        className="seg-scroll",
        tabIndex=0,
        role="region",
        **aria(label=say("Segments in view: size, revenue, means and recommended action")),
    )


def what_to_do(segment: NamedSegment, why: str) -> list[Component]:
    """The action recommended for a segment, where there is one, and in a line why it is, or why there is none."""
    lines = [(say(segment.action), "action"), (why, "action why")]
    return [elements.Div(text, className=style) for text, style in lines if text]


def _in_short(segment: NamedSegment, why: str) -> list[Component]:
    """The same in a narrow table: why is said on hover, and aloud; the drawer about the segment has it in full."""
    if not segment.action:
        return [elements.Div(why, className="action why", title=why)] if why else []
    aloud = [elements.Span(f" {why}", className="visually-hidden")] if why else []
    return [elements.Div([say(segment.action), *aloud], className="action seg-help" if why else "action", title=why)]


def _segment_columns() -> list[tuple[str, str]]:
    """Title and sentence of each column of the table of segments."""
    columns = [(say(title), say(sentence)) for title, sentence in _SEGMENT_COLUMNS]
    for name in _MEANS:
        column = DICTIONARY[name]
        sentence = noted("Mean, in days. {meaning}") if column.kind == "days" else noted("Mean. {meaning}")
        columns.append((column_title(column), say(sentence, meaning=column_meaning(column))))
    return columns


def _segment_line(
    row: SegmentTotals, currency: str, button_id: Any, chosen: bool, beside: Sequence[Component | None]
) -> Component:
    called = segment_name(row.segment.name)
    name = elements.Button(
        [swatch(row.segment.colour), called],
        id=button_id,
        className="link-button",
        title=say("Stop filtering by {segment}", segment=called)
        if chosen
        else say("Show only {segment}", segment=called),
        **aria(pressed="true" if chosen else "false"),
    )
    numbers = (
        (count(row.customers), None),
        (_bar(row.share, row), None),
        (short_money(row.revenue, currency), money(row.revenue, currency)),
        (
            NOTHING
            if row.revenue_share is None
            else share_bar(percent(row.revenue_share), row.revenue_share, theme_colour(row.segment.colour)),
            None,
        ),
        (decimal(row.recency), say("{days} since the last order", days=days(row.recency))),
        (decimal(row.frequency), None),
        (round_money(row.monetary, currency), money(row.monetary, currency)),
        (_clv(row, currency), money(row.clv, currency) if row.clv is not None else say(_NO_VALUES)),
        (percent(row.churn_risk), None if row.churn_risk is not None else say(_NO_VALUES)),
    )
    cells = [elements.Td(shown, className="seg-number", title=exact) for shown, exact in numbers]
    return elements.Tr(
        [
            elements.Th([name, *beside], scope="row"),
            *cells,
        ],
        className="chosen" if chosen else "",
    )


def _clv(row: SegmentTotals, currency: str) -> list[Component | str] | str:
    """The mean CLV of a segment; under it that of all of them together with its range, where one is known."""
    mean = round_money(row.clv, currency)
    if row.clv_range is None or row.total_clv is None:
        return mean
    low, high = (round_money(end, currency) for end in row.clv_range)
    total = round_money(row.total_clv, currency)
    meant = say("All of them together: {total}, likely between {low} and {high}", total=total, low=low, high=high)
    return [
        mean,
        elements.Div(say("in all {total}", total=total), className="in-all", title=meant),
        elements.Div(f"{low}\N{EN DASH}{high}", className="in-all", title=meant),
    ]


def _bar(share: float, row: SegmentTotals) -> Component:
    return share_bar(percent(share), share, theme_colour(row.segment.colour))
