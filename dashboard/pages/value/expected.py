"""What is expected of all customers, in cards, and one sentence on how far such a forecast was off before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.i18n.numbers import change_percent, count, day, decimal, is_number, percent, short_money
from dashboard.i18n.texts import say
from engines.columns import WITHOUT_MONEY
from storage.contract import Snapshot

#: From this share on a forecast of everyone's spend was off by enough to be said loudly.
_FAR_OFF = 0.2


def expected_cards(snapshot: Snapshot) -> Component | None:
    """A card each for what all customers are likely to spend and how often they are likely to buy."""
    value: Mapping[str, Any] = snapshot.info.get("value") or {}
    total, weeks = value.get("total"), value.get("horizon_weeks")
    if not total or not weeks:
        return None
    currency = snapshot.currency
    purchases = (
        say("Expected purchases, {weeks} weeks", weeks=weeks),
        count(total["purchases"]),
        _range(*(count(end) for end in total["purchases_range"])),
    )
    if currency == WITHOUT_MONEY:
        return html.Div([_card(*purchases)], className="kpis value-expected")
    cards = [
        (
            say("Expected spend, {weeks} weeks", weeks=weeks),
            short_money(total["spend"], currency),
            _range(*(short_money(end, currency) for end in total["spend_range"])),
        ),
        _clv(value, total, weeks, currency),
        purchases,
        (
            say("Expected spend per customer"),
            short_money(total["spend"] / max(snapshot.customers, 1), currency),
            say("over {customers} customers", customers=count(snapshot.customers)),
        ),
    ]
    if acquisition := value.get("acquisition"):
        cards.append(_acquisition(acquisition, currency))
    return html.Div([_card(*each) for each in cards], className="kpis value-expected")


def season_words(snapshot: Snapshot) -> str:
    """What season and trend do to the figures; empty where they are not used."""
    season = (snapshot.info.get("value") or {}).get("season") or {}
    if not season.get("used_for"):
        return ""
    titles = {"purchases": say("purchases"), "ltv": say("spend")}
    changes = [
        say("{what} {change}", what=titles[question], change=change_percent(season["factors"][question] - 1.0))
        for question in season["used_for"]
    ]
    return say(
        "These figures allow for the season and the trend: {changes} compared with a steady rate. At earlier cut-offs "
        "the totals were closer with them.",
        changes=", ".join(changes),
    )


def _clv(value: Mapping[str, Any], total: Mapping[str, Any], weeks: int, currency: str) -> tuple[str, str, str]:
    margin, rate = float(value.get("margin") or 1.0), percent(value.get("discount_rate"))
    figure = short_money(total["clv"], currency)
    if value.get("margin_source") == "cost":
        return (
            say("CLV (contribution), {weeks} weeks", weeks=weeks),
            figure,
            say("left after the cost of goods, in today's money; {margin} of all sales so far", margin=percent(margin)),
        )
    if margin == 1.0:
        return (
            say("CLV, {weeks} weeks", weeks=weeks),
            figure,
            say("the same in today's money, {rate} a year", rate=rate),
        )
    return (
        say("CLV (contribution), {weeks} weeks", weeks=weeks),
        figure,
        say("{margin} of it in today's money, {rate} a year", margin=percent(margin), rate=rate),
    )


def _acquisition(found: Mapping[str, Any], currency: str) -> tuple[str, str, str]:
    """What is left of a new customer after the cost of winning one."""
    words = say(
        "{so_far} so far and {ahead} ahead of each of {customers} who came within {days} days, less {cost}",
        so_far=short_money(found["so_far"], currency),
        ahead=short_money(found["ahead"], currency),
        customers=count(found["customers"]),
        days=count(found["days"]),
        cost=short_money(found["cost"], currency),
    )
    return say("Left of a new customer"), short_money(found["left"], currency), words


def _range(low: str, high: str) -> str:
    return say("range {low} to {high}", low=low, high=high)


def _card(title: str, figure: str, note: str) -> Component:
    return html.Div(
        [
            html.Div(title, className="kpi-title"),
            html.Div(figure, className="kpi-value"),
            html.Div(note, className="kpi-note"),
        ],
        className="kpi seg-card",
    )


def trust_words(receipt: Mapping[str, Any], currency: str) -> str:
    """One sentence on how far the forecast of everyone's spend was off, over days that took no part in any choice."""
    plan, coverage = receipt["plan"], receipt.get("coverage") or {}
    total, whole = coverage.get("total"), receipt.get("forecast") or {}
    bias = (whole.get("ltv") or {}).get("bias")
    if not total or not is_number(bias):
        return say("Nothing shows yet how good these figures are: take them as rough.")
    actual = float(total["actual"])
    off = (
        say("about right ({share} off)", share=percent(abs(bias)))
        if abs(bias) < 0.05
        else say("{share} too much", share=percent(bias))
        if bias > 0
        else say("{share} too little", share=percent(-bias))
    )
    words = say(
        "Tested on the {weeks} weeks after {cutoff}, which no model had seen or was chosen by: customers spent "
        "{actual}, {expected} had been expected, {off}.",
        weeks=decimal(plan["weeks"], 1).removesuffix(".0"),
        cutoff=day(date.fromisoformat(plan["cutoff"])),
        actual=short_money(actual, currency),
        expected=short_money((1.0 + bias) * actual, currency),
        off=off,
    )
    if abs(bias) >= _FAR_OFF:
        return " ".join((words, say("Trust the order of customers more than the sums.")))
    return words
