"""The boxes of a page that are not charts: sentences, the table of segments, badges and empty states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components import html as plain
from dashboard.components.attributes import aria
from dashboard.frames.sums import SegmentTotals
from dashboard.i18n.numbers import NOTHING, count, days, decimal, money, percent, round_money, short_money
from dashboard.i18n.texts import explained, noted, say, segment_name, titled
from engines.columns import CHURN_RISK, CLV, DICTIONARY, FREQUENCY, MONETARY, RECENCY
from engines.contract import NamedSegment


def swatch(colour: str) -> Component:
    """A segment's colour, beside its name."""
    return plain.Span(className="seg-swatch", style={"backgroundColor": themed(colour)}, **aria(hidden="true"))


def themed(colour: str) -> str:
    """A segment's colour as CSS: as it is on light ground, mixed with white on dark, where dark blue would vanish."""
    return f"color-mix(in srgb, white var(--seg-mix, 0%), {colour})"


def synthetic_badge() -> Component:
    """The mark on customers that are made up."""
    return html.Span(
        say("synthetic"),
        className="seg-badge",
        title=say("These customers are made up by a generator; they show how Segmentry works, not how any shop does."),
    )


def insight_list(sentences: Sequence[str]) -> Component | None:
    """Sentences worth reading; nothing where there is none."""
    if not sentences:
        return None
    return html.Ul([plain.Li(sentence) for sentence in sentences], className="insights seg-card")


def warning(sentence: str) -> Component:
    """Something in the request that could not be used."""
    return dbc.Alert(sentence, color="warning")


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
) -> Component:
    """One line per segment in view. ``pick(name)`` is the id of the button that filters by it.

    ``beside`` makes what stands beside a segment's name.
    """
    head = plain.Thead(
        plain.Tr(
            [
                plain.Th(title, title=sentence, scope="col", className="seg-number" if place else "")
                for place, (title, sentence) in enumerate(_segment_columns())
            ]
        )
    )
    body = plain.Tbody(
        [
            _segment_line(
                row, currency, pick(row.segment.name), row.segment.name in chosen, beside and beside(row.segment)
            )
            for row in rows
        ]
    )
    return plain.Div(
        plain.Table([head, body], className="seg-table segment-table"),
        className="seg-scroll",
        tabIndex=0,
        role="region",
        **aria(label=say("Segments in view: size, revenue, means and recommended action")),
    )


def _segment_columns() -> list[tuple[str, str]]:
    """Title and sentence of each column of the table of segments."""
    found = [(say(title), say(sentence)) for title, sentence in _SEGMENT_COLUMNS]
    for name in _MEANS:
        column = DICTIONARY[name]
        sentence = noted("Mean, in days. {meaning}") if column.kind == "days" else noted("Mean. {meaning}")
        found.append((titled(column), say(sentence, meaning=explained(column))))
    return found


def _segment_line(
    row: SegmentTotals, currency: str, button_id: Any, chosen: bool, beside: Component | None
) -> Component:
    called = segment_name(row.segment.name)
    name = plain.Button(
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
        (_bar(row.share, row.segment.colour), None),
        (short_money(row.revenue, currency), money(row.revenue, currency)),
        (NOTHING if row.revenue_share is None else _bar(row.revenue_share, row.segment.colour), None),
        (decimal(row.recency), say("{days} since the last order", days=days(row.recency))),
        (decimal(row.frequency), None),
        (round_money(row.monetary, currency), money(row.monetary, currency)),
        (round_money(row.clv, currency), money(row.clv, currency) if row.clv is not None else say(_NO_VALUES)),
        (percent(row.churn_risk), None if row.churn_risk is not None else say(_NO_VALUES)),
    )
    cells = [plain.Td(shown, className="seg-number", title=exact) for shown, exact in numbers]
    return plain.Tr(
        [
            plain.Th([name, beside, plain.Div(say(row.segment.action), className="action")], scope="row"),
            *cells,
        ],
        className="chosen" if chosen else "",
    )


def _bar(share: float, colour: str) -> Component:
    """A share with a small bar beneath, so that sizes are seen before they are read."""
    fill = plain.Span(style={"width": f"{100 * share:.1f}%", "backgroundColor": themed(colour)})
    return plain.Span([percent(share), plain.Span(fill, className="share-bar")], className="share")


def sales_first(command: str = "segmentry run SALES.csv") -> list[str | Component]:
    """What to do where no sales have been read yet: two ways, in the browser and in a terminal."""
    way_in = dcc.Link(say("Add sales"), href="/data", className="btn btn-primary btn-sm")
    return [way_in, html.Span([say("or, in a terminal:") + " ", html.Code(command)])]


def empty_state(title: str, sentences: Sequence[str | Component], extra: Sequence[Component] = ()) -> Component:
    """What stands where there is nothing to show: why, and what to do about it."""
    return html.Div(
        [html.H2(title), *[html.P(sentence) for sentence in sentences], *extra], className="seg-empty seg-card"
    )
