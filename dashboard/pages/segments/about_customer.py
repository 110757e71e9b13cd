"""The drawer about one customer: who they are, what they are worth, why they are where they are, what they bought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component
from pandas import DataFrame

from dashboard.components.attributes import aria
from dashboard.components.cards import swatch
from dashboard.components.tables import Head, number_heads, simple_table, table_row
from dashboard.figures.customer_orders import order_figure
from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import NOTHING, count, day, decimal, money, percent, plural, round_money, written
from dashboard.i18n.texts import column_title, say, segment_name
from dashboard.queries.customer import CustomerProfile, DatedSegment, orders_of, profile_of, segments_over_time
from dashboard.queries.explain import explain
from dashboard.services import Services
from engines.errors import InputError

ORDERS_SHOWN = 50  # orders that are listed at once
ORDERS_LISTED = 2_000  # and at most; whoever has more is no person, and the API has all
_FEATURES = 3


def about_customer(services: Services, run_id: int, customer_id: str, theme: str) -> list[Component]:
    """What the drawer shows of a customer of a finished run.

    Raises:
        NotFoundError: no such run or customer.
    """
    frame = services.frames.get(run_id)
    profile = profile_of(frame, customer_id)
    orders = orders_of(services, frame.run, customer_id)
    then = segments_over_time(services, frame.run, customer_id)
    return [
        _head(profile),
        _figures(profile),
        section(say("Why this segment"), _why(services, frame, customer_id)),
        section(say("Orders"), _orders(frame, orders, theme)),
        section(say("Segments over time"), [_over_time(then, run_id, customer_id)]),
    ]


def section(title: str, children: Sequence[Component]) -> Component:
    """A part of a drawer under a heading."""
    return html.Section([html.H3(title), *children], className="side-panel-part")


def _head(profile: CustomerProfile) -> Component:
    pairs = [html.Div([html.Dt(title), html.Dd(text)]) for title, text in profile.attributes]
    return html.Div(
        [
            html.P([swatch(profile.segment.colour), html.Strong(segment_name(profile.segment.name))]),
            html.P(say(profile.segment.action)),
        ]
        + ([html.Dl(pairs, className="side-panel-facts")] if pairs else []),
        className="side-panel-part",
    )


def _figures(profile: CustomerProfile) -> Component:
    lines = [
        html.Tr([html.Th(item.title, scope="row"), html.Td([html.Strong(item.value), html.Div(item.words)])])
        for item in profile.standings
    ]
    return html.Table(html.Tbody(lines), className="seg-table side-panel-figures")


# --- why --------------------------------------------------------------------------------------------------------------


def _why(services: Services, frame: RunFrame, customer_id: str) -> list[Component]:
    try:
        explanation = explain(frame.run.id, customer_id, services.frames, services.store)
    except InputError as error:
        return [html.P(say(error.message), className="seg-hint")]
    if "explanation" in explanation:
        sentences = [
            _engine_words(frame, explanation["explanation"]),
            *([_near_words(explanation)] if explanation["segments"] else []),
        ]
    else:
        sentences = [_rfm_words(frame, explanation["rfm"]) if explanation["rfm"] else _near_words(explanation)]
    apart = [_feature_words(frame, item) for item in explanation["features"][:_FEATURES]]
    return [*map(html.P, sentences), html.Ul([html.Li(text) for text in apart], className="side-panel-list")]


def _rfm_words(frame: RunFrame, rfm: dict[str, Any]) -> str:
    scores = {column_title(frame.describe(name)): score for name, score in rfm["scores"].items()}
    most = max(len(spans) for spans in rfm["cut_points"].values())
    sentence = say(
        "Scores of {most}: {scores}.",
        most=most,
        scores=", ".join(f"{title} {score}" for title, score in scores.items()),
    )
    way = rfm["exit"]
    if way is None:
        return f"{sentence} " + say("No change of a single score leads to another segment.")
    column = frame.describe(way["column"])
    value = money(way["value"], frame.currency) if column.kind == "money" else written(way["value"], ",g")
    turn = say(
        "The nearest way out: {segment}, where {title} passes {value}.",
        segment=segment_name(way["segment"]),
        title=column_title(column),
        value=value,
    )
    return f"{sentence} {turn}"


def _engine_words(frame: RunFrame, explanation: dict[str, Any]) -> str:
    """What a plug-in says of a customer: columns of the customer table by their title, others by their name."""
    parts = []
    for name, value in explanation.items():
        title = column_title(frame.describe(name)) if frame.has(name) else name.replace("_", " ")
        if isinstance(value, bool):
            text = say("yes") if value else say("no")
        elif isinstance(value, (int, float)):
            text = written(value, ",.6g")
        else:
            text = NOTHING if value is None else value
        parts.append(say("{title}: {value}", title=title, value=text))
    return "; ".join(parts)


def _near_words(explanation: dict[str, Any]) -> str:
    near = explanation["segments"]
    if not near:
        customer = explanation["customer_id"]
        return say("This engine does not say how near {customer} is to other segments.", customer=customer)
    if "probability" in near[0]:
        segments = ", ".join(
            f"{segment_name(item['segment'])} {percent(item['probability'])}" for item in near[:_FEATURES]
        )
        return say("How likely each segment is: {segments}.", segments=segments)
    segments = ", ".join(f"{segment_name(item['segment'])} {decimal(item['distance'], 2)}" for item in near[:_FEATURES])
    return say("The nearest segments, by distance: {segments}.", segments=segments)


def _feature_words(frame: RunFrame, item: dict[str, Any]) -> str:
    column = frame.describe(item["column"])
    kind = column.kind
    value, mean = (
        round_money(item[name], frame.currency)
        if kind == "money"
        else percent(item[name])
        if kind == "share"
        else decimal(item[name]).removesuffix(".0")
        for name in ("value", "mean")
    )
    parts = {"title": column_title(column), "value": value, "mean": mean, "away": decimal(abs(item["z"]))}
    if item["z"] > 0:
        return say("{title} {value} against {mean} on average: {away} standard deviations above.", **parts)
    return say("{title} {value} against {mean} on average: {away} standard deviations below.", **parts)


# --- orders -----------------------------------------------------------------------------------------------------------


def _orders(frame: RunFrame, orders: DataFrame | None, theme: str) -> list[Component]:
    if orders is None:
        return [
            html.P(
                say(
                    "This snapshot was made before orders were kept. Read the sales again as a new snapshot to see "
                    "them."
                ),
                className="seg-hint",
            )
        ]
    bought = orders[orders["amount"] >= 0]
    sums = {
        "orders": plural(len(bought), "{n} order", "{n} orders"),
        "spent": money(bought["amount"].sum(), frame.currency),
    }
    back = orders[orders["amount"] < 0]
    if len(back):
        returned = money(-back["amount"].sum(), frame.currency)
        sentence = say("{orders} for {spent}, less {returned} that came back.", returned=returned, **sums)
    else:
        sentence = say("{orders} for {spent}.", **sums)
    latest = orders.iloc[::-1]
    rows = [
        _order_line(moment, amount, items, frame.currency)
        for moment, amount, _, items in latest.iloc[:ORDERS_LISTED].itertuples(index=False)
    ]
    parts: list[Component] = [
        html.P(sentence),
        dcc.Graph(
            figure=order_figure(orders, frame.currency, theme),
            config={"displayModeBar": False, "responsive": True},
            style={"height": "190px"},
        ),
        _order_table(rows[:ORDERS_SHOWN], say("The latest orders")),
    ]
    if len(rows) > ORDERS_SHOWN:
        every = plural(len(orders), "{n} order", "{n} orders")
        more: list[Component] = [
            html.Summary(say("Show all {orders}", orders=every)),
            _order_table(rows[ORDERS_SHOWN:], say("Earlier orders")),
        ]
        if len(orders) > ORDERS_LISTED:
            rest = say("The latest {number} are listed; the API has all of them.", number=count(ORDERS_LISTED))
            more.append(html.P(rest, className="seg-hint"))
        parts.append(html.Details(more, className="side-panel-more"))
    return parts


def _order_line(moment: Any, amount: float, items: float, currency: str) -> Component:
    quantity = NOTHING if items != items else written(items, ",g")
    return table_row(day(moment), money(amount, currency), quantity, style="returned" if amount < 0 else "")


def _order_table(rows: Sequence[Component], label: str) -> Component:
    return simple_table([Head(say("Date")), *number_heads(say("Amount"), say("Items"))], rows, **aria(label=label))


# --- segments from date to date ---------------------------------------------------------------------------------------


def _over_time(then: Sequence[DatedSegment], run_id: int, customer_id: str) -> Component:
    lines = []
    for each in reversed(then):
        here = each.run.id == run_id
        date_words = day(each.run.as_of)
        address = dcc.Link(date_words, href=customer_address(each.run.id, customer_id))
        segment = each.segment
        what: Any = [swatch(segment.colour), segment_name(segment.name)] if segment else say("no customer yet")
        shown = html.Strong(date_words) if here or segment is None else address
        lines.append(html.Tr([html.Th(shown, scope="row"), html.Td(what)]))
    return html.Table(html.Tbody(lines), className="seg-table", **aria(label=say("Segment by date")))


def customer_address(run_id: int, customer_id: str) -> str:
    """The address that opens a customer's drawer on a run."""
    return "/?" + urlencode([("run", run_id), ("customer", customer_id)])
