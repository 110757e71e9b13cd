"""The row of key figures: each with its share of all, its change against an earlier date, and its way up to now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from dashboard.components import html as plain
from dashboard.components.attributes import aria
from dashboard.frames.sums import Totals
from dashboard.i18n.numbers import NOTHING, change, count, day, missing, money, percent, plural, short_money
from dashboard.i18n.texts import explained, noted, say
from dashboard.queries.history import Moment
from engines.columns import CLV, MONETARY, describe

NO_CLV = noted("no value model ran on these customers")
AT_RISK = noted(
    "What each customer has spent so far times its churn risk, summed: the part of today's revenue that comes from "
    "customers who may not come back."
)
Read = Callable[[Totals], float | None]


class Figure(NamedTuple):
    """One key figure: how it is read off totals, written short and in full, what it means, and how it stands to all."""

    title: str
    read: Read
    short: Callable[[float | None], str]
    full: Callable[[float | None], str]
    help: str
    note: str


def kpi(
    title: str, value: str, note: str, *, exact: str = "", help: str = "", more: Sequence[Component] = ()
) -> Component:
    """One key figure: what it is, the figure (the exact one on hover), how it stands to the whole, and what follows."""
    shown = plain.Div(value, className="kpi-value", title=exact or value)
    return plain.Div(
        [plain.Div(title, className="kpi-title", title=help), shown, plain.Div(note, className="kpi-note"), *more],
        className="kpi seg-card",
    )


def kpi_skeleton() -> Component:
    """The place of a key figure that is still to come."""
    return html.Div(
        [html.Div("\u00a0", className=f"kpi-{part} skeleton") for part in ("title", "value", "note")],
        className="kpi seg-card",
        **aria(hidden="true"),
    )


def skeleton(lines: int, name: str = "") -> Component:
    """The place of a card or table of so many lines that is still to come: what stands below need not move then."""
    return html.Div(
        [html.Div("\u00a0", className="skeleton") for _ in range(lines)], className=name, **aria(hidden="true")
    )


def kpi_row(
    some: Totals,
    everyone: Totals,
    currency: str,
    horizon_weeks: int | None = None,
    before: Sequence[Moment] = (),
    interval: tuple[float, float] | None = None,
) -> list[Component]:
    """The key figures of the customers in view beside those of all customers of the run.

    ``before``: the same selection on earlier dates, the oldest first. ``interval``: of the total CLV in view, where it
    is known.
    """
    found = figures(some, everyone, currency, horizon_weeks, interval)
    return [
        kpi(
            item.title,
            item.short(item.read(some)),
            item.note,
            exact=item.full(item.read(some)),
            help=item.help,
            more=_way(item, some, before),
        )
        for item in found
    ]


def figures(
    some: Totals,
    everyone: Totals,
    currency: str,
    horizon_weeks: int | None = None,
    interval: tuple[float, float] | None = None,
) -> list[Figure]:
    """The key figures in the order of the row."""

    def short(value: float | None) -> str:
        return short_money(value, currency)

    def full(value: float | None) -> str:
        return money(value, currency)

    ahead = say("next {weeks} weeks", weeks=horizon_weeks) if horizon_weeks else say("in the horizon")
    same = some == everyone

    def share(read: Read) -> str:
        return _share(read(some), read(everyone), same)

    def beside(read: Read) -> str:
        return _beside(read(some), read(everyone), short, same)

    return [
        Figure(say("Customers"), _customers, count, count, say("Customers that meet the filters."), share(_customers)),
        Figure(say("Revenue"), _revenue, short, full, explained(describe(MONETARY)), share(_revenue)),
        Figure(
            say("Average order"),
            _average_order,
            short,
            full,
            say("Revenue divided by the number of orders: {orders}.", orders=plural(some.orders, "order")),
            beside(_average_order),
        ),
        Figure(
            say("Average CLV"),
            _average_clv,
            short,
            full,
            say("{meaning} Mean of the customers in view, {ahead}.", meaning=explained(describe(CLV)), ahead=ahead),
            say(NO_CLV) if some.clv is None else _ranged(interval, some.customers, short) or beside(_average_clv),
        ),
        Figure(
            say("Total CLV"),
            _clv,
            short,
            full,
            say("What these customers together are likely to spend, {ahead}, in today's money.", ahead=ahead),
            say(NO_CLV) if some.clv is None else _ranged(interval, 1, short) or f"{share(_clv)}, {ahead}",
        ),
        Figure(
            say("Revenue at risk"),
            _at_risk,
            short,
            full,
            f"{say(AT_RISK)} {_known_risk(some)}",
            say("no churn risk is known")
            if some.at_risk is None
            else say("{share} of revenue", share=percent(some.at_risk / some.revenue) if some.revenue > 0 else NOTHING),
        ),
    ]


def _customers(totals: Totals) -> float | None:
    return totals.customers


def _revenue(totals: Totals) -> float | None:
    return totals.revenue


def _average_order(totals: Totals) -> float | None:
    return totals.average_order_value


def _average_clv(totals: Totals) -> float | None:
    return totals.average_clv


def _clv(totals: Totals) -> float | None:
    return totals.clv


def _at_risk(totals: Totals) -> float | None:
    return totals.at_risk


def _known_risk(some: Totals) -> str:
    if some.risk_known >= some.customers:
        return ""
    unknown = plural(some.customers - some.risk_known, "customer")
    return say("The risk of {customers} is unknown; they are left out.", customers=unknown)


def _ranged(interval: tuple[float, float] | None, by: int, short: Callable[[float | None], str]) -> str:
    if interval is None or not by:
        return ""
    low, high = (value / by for value in interval)
    return say("{low} to {high}", low=short(low), high=short(high))


def _share(part: float | None, whole: float | None, is_all: bool) -> str:
    if is_all:
        return say("all customers")
    return NOTHING if missing(part) or not whole else say("{share} of all", share=percent(part / whole))


def _beside(part: float | None, whole: float | None, short: Callable[[float | None], str], is_all: bool) -> str:
    if is_all or missing(part) or missing(whole):
        return say("all customers")
    return say("{value} over all", value=short(whole))


# --- the way up to now ------------------------------------------------------------------------------------------------


def _way(item: Figure, now: Totals, before: Sequence[Moment]) -> list[Component]:
    """The change since the latest earlier date, and a bar for each date."""
    if not before:
        return []
    last, value = item.read(before[-1].totals), item.read(now)
    since = day(before[-1].as_of)
    against = say("Against {day}: {value}", day=since, value=item.full(last))
    told = plain.Div(change(last, value), className="kpi-change", title=against)
    line = [*((moment.as_of, item.read(moment.totals)) for moment in before), (None, value)]
    values = [0.0 if missing(number) else max(float(number), 0.0) for _, number in line]
    top = max(values)
    if top <= 0:
        return [told]
    words = ", ".join(f"{day(at) if at else say('now')}: {item.full(number)}" for at, number in line)
    bars = [
        plain.Span(
            style={"height": f"{max(100 * number / top, 2):.0f}%"}, className="now" if place == len(line) - 1 else ""
        )
        for place, number in enumerate(values)
    ]
    label = say("{title} by date: {values}", title=item.title, values=words)
    spark = plain.Div(bars, className="spark", title=words, role="img", **aria(label=label))
    return [plain.Div([told, spark], className="kpi-way")]


def clv_interval(info: Mapping[str, Any]) -> tuple[float, float] | None:
    """The interval around everyone's total CLV, where the snapshot's value model has left one."""
    value = info.get("value") or {}
    low, high = value.get("total_clv_low"), value.get("total_clv_high")
    return None if missing(low) or missing(high) else (float(low), float(high))
