"""The drawer about one customer: who they are, what they are worth, why they are where they are, what they bought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component
from pandas import DataFrame

from dashboard.components import elements
from dashboard.components.attributes import aria
from dashboard.components.cards import alert, swatch
from dashboard.components.tables import Head, number_heads, simple_table, table_row
from dashboard.figures.customer_orders import order_figure
from dashboard.frames.run import RunFrame
from dashboard.i18n.numbers import NOTHING, count, day, decimal, money, percent, plural, round_money, written
from dashboard.i18n.texts import column_title, say, segment_name
from dashboard.queries.customer import (
    CustomerProfile,
    DatedSegment,
    ReturnedEverything,
    profile_of,
    purchases_of,
    segments_over_time,
)
from dashboard.queries.explain import explain
from dashboard.services import Services
from engines.columns import ITEMS, LINES, ORDER_DATE, ORDER_ID, QUANTITY
from engines.errors import InputError
from storage.contract import NotFoundError, Run, StoreError

ORDERS_SHOWN = 20  # orders that are listed at once
ORDERS_LISTED = 2_000  # and at most; whoever has more is no person, and the API has all
LINES_LISTED = 300  # lines of these orders; a browser takes seconds to draw thousands
_FEATURES = 3


def about_customer(services: Services, run_id: int, customer_id: str, theme: str) -> list[Component]:
    """What the drawer shows of a customer of a finished run.

    Raises:
        NotFoundError: no such run or customer.
    """
    frame = services.frames.get(run_id)
    profile = profile_of(frame, customer_id)
    then = segments_over_time(services, frame.run, customer_id)
    return [
        _head(profile),
        _figures(profile),
        section(say("Why this segment"), _why(services, frame, customer_id)),
        section(say("Orders"), _bought(services, frame, customer_id, theme)),
        section(say("Segments over time"), [_over_time(then, run_id, customer_id)]),
    ]


def section(title: str, children: Sequence[Component]) -> Component:
    """A part of a drawer under a heading."""
    return html.Section([html.H3(title), *children], className="side-panel-part")


def _head(profile: CustomerProfile) -> Component:
    pairs = [html.Div([html.Dt(title), html.Dd(text)]) for title, text in profile.attributes]
    return html.Div(
        [
            html.P(
                [
                    swatch(profile.segment.colour),
                    html.Strong(segment_name(profile.segment.name)),
                    *([_mark(profile.returned)] if profile.returned is not None else []),
                ]
            ),
            *([html.P(say(profile.segment.action))] if profile.segment.action else []),
        ]
        + ([html.Dl(pairs, className="side-panel-facts")] if pairs else []),
        className="side-panel-part",
    )


def _mark(returned: float) -> Component:
    """The badge of who returned half or more of what they bought."""
    return elements.Span(say("{share} returned", share=percent(returned)), className="seg-badge ms-2")


def about_returned(services: Services, run: Run, found: ReturnedEverything, theme: str) -> list[Component]:
    """What the drawer shows of somebody who returned everything, and so is no customer of the run."""
    frame = services.frames.of(run)
    return [
        alert(
            say(
                "Returned everything: {orders} for {gross}, and {returned} of it came back. Nothing is left, so this "
                "customer is in no segment.",
                orders=plural(found.orders, "{n} order", "{n} orders"),
                gross=money(found.gross, frame.currency),
                returned=money(found.returned, frame.currency),
            ),
            "info",
        ),
        section(say("Orders"), _bought(services, frame, found.customer_id, theme)),
    ]


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


# --- orders and what was in them --------------------------------------------------------------------------------------


def _bought(services: Services, frame: RunFrame, customer_id: str, theme: str) -> list[Component]:
    try:
        orders, lines, takes_off = purchases_of(
            services, frame.run, customer_id, most_orders=ORDERS_SHOWN, most_lines=LINES_LISTED
        )
    except (NotFoundError, StoreError) as error:
        return [html.P(say(error.message), className="seg-hint")]
    sold, back = orders[orders["sold"]], orders[~orders["sold"]]
    standing = sold[~_is_gone(sold)] if takes_off else sold
    sums = {
        "orders": plural(len(standing), "{n} order", "{n} orders"),
        "spent": money(standing["left"].sum(), frame.currency),
    }
    if takes_off and (undone := sold["amount"].sum() - sold["left"].sum()) > 0:
        sentence = say(
            "{orders} for {spent}, after {undone} that came back.", undone=money(undone, frame.currency), **sums
        )
    elif len(back) and not takes_off:
        returned = money(-back["amount"].sum(), frame.currency)
        sentence = say("{orders} for {spent}, less {returned} that came back.", returned=returned, **sums)
    else:
        sentence = say("{orders} for {spent}.", **sums)
    latest = orders.iloc[::-1].iloc[:ORDERS_LISTED]
    parts: list[Component] = [
        html.P(sentence),
        dcc.Graph(
            figure=order_figure(orders, frame.currency, theme),
            config={"displayModeBar": False, "responsive": True},
            style={"height": "190px"},
        ),
        _order_table(latest.iloc[:ORDERS_SHOWN], frame.currency, say("The latest orders"))
        if lines is None
        else _order_list(latest.iloc[:ORDERS_SHOWN], lines, frame.currency, say("The latest orders")),
    ]
    if len(orders) > ORDERS_SHOWN:
        every = plural(len(orders), "{n} order", "{n} orders")
        more: list[Component] = [
            html.Summary(say("Show all {orders}", orders=every)),
            _order_table(latest.iloc[ORDERS_SHOWN:], frame.currency, say("Earlier orders")),
        ]
        if len(orders) > ORDERS_LISTED:
            rest = say("The latest {number} are listed; the API has all of them.", number=count(ORDERS_LISTED))
            more.append(html.P(rest, className="seg-hint"))
        parts.append(html.Details(more, className="side-panel-more"))
    if lines is not None and orders[LINES].sum() > len(lines):
        rest = say("Products of older orders are not listed here; the API has all of them.")
        parts.append(html.P(rest, className="seg-hint"))
    return parts


def _is_gone(orders: Any) -> Any:
    """Of which orders nothing is left."""
    return (orders.left == 0) & (orders.amount != 0)


def _order_list(orders: DataFrame, lines: DataFrame, currency: str, label: str) -> Component:
    """Orders as a list whose entries open to what was in them."""
    groups = dict(iter(lines.groupby([ORDER_ID, "sold"], sort=False)))
    entries = [
        elements.Li(_order(order, groups.get((order.order_id, order.sold)), currency))
        for order in orders.itertuples(index=False)
    ]
    return html.Ul(entries, className="side-panel-orders", **aria(label=label))


def _order(order: Any, lines: DataFrame | None, currency: str) -> Component:
    """An order, or what came back of one, and its products where they are listed."""
    head = [elements.Span(day(order.order_date))]
    if not order.sold:
        head.append(elements.Span(say("Returned"), className="seg-badge"))
    elif _is_gone(order):
        head.append(elements.Span(say("All of it came back"), className="seg-badge"))
    elif order.left < order.amount:
        kept = money(order.left, currency)
        head.append(elements.Span(say("{left} left", left=kept), className="seg-badge"))
    if order.items == order.items:
        head.append(elements.Span(_items(abs(order.items)), className="side-panel-items"))
    head.append(elements.Span(money(order.amount, currency), className="side-panel-amount"))
    if lines is None:
        return elements.Div(head, className="side-panel-order")
    products = [
        elements.Li(
            [_product(product, quantity), elements.Span(money(amount, currency), className="side-panel-amount")]
        )
        for product, quantity, amount in lines[["product", QUANTITY, "amount"]].itertuples(index=False)
    ]
    if order.lines > len(lines):
        products.append(elements.Li(plural(order.lines - len(lines), "and {n} more line", "and {n} more lines")))
    return html.Details(
        [html.Summary(head, className="side-panel-order"), html.Ul(products, className="side-panel-products")]
    )


def _product(product: str | float | None, quantity: float) -> str:
    name = product if isinstance(product, str) else say("a product without a name")
    if quantity != quantity:
        return name
    return say("{number} × {product}", number=written(abs(quantity), ",g"), product=name)


def _order_table(orders: DataFrame, currency: str, label: str) -> Component:
    rows = [
        table_row(day(at), money(amount, currency), _number(items), style="" if sold else "returned")
        for sold, at, amount, items in orders[["sold", ORDER_DATE, "amount", ITEMS]].itertuples(index=False)
    ]
    return simple_table([Head(say("Date")), *number_heads(say("Amount"), say("Items"))], rows, **aria(label=label))


def _items(number: float) -> str:
    if number == int(number):
        return plural(number, "{n} item", "{n} items")
    return say("{number} items", number=written(number, ",g"))


def _number(quantity: float) -> str:
    return NOTHING if quantity != quantity else written(quantity, ",g")


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
