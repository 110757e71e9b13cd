"""The ledger for people: where every line, order, customer and unit of money went, one rule a row, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.tables import Head, number_heads, table, table_row
from dashboard.i18n.numbers import NOTHING, money, written
from dashboard.i18n.texts import noted, say
from engines.intake import NOTES, RULES

_COUNTED = ("lines", "orders", "customers")
_PARTS = {
    "sold": noted("sold"),
    "returned": noted("returned"),
    "returned_product": noted("taken off the same product"),
    "returned_amount": noted("taken off a line or order of that amount"),
    "returned_money": noted("taken off the latest orders"),
}
_TOTALS = {"gross": noted("Gross: sold"), "returned": noted("Returned"), "net": noted("Net of returns")}


def ledger_table(ledger: Mapping[str, Any], currency: str) -> Component:
    """In, what each rule dropped and why, and what is left; under it what was noticed and kept.

    Args:
        ledger: as a snapshot keeps it; an empty one says that there is none.
        currency: ISO 4217 of its money.
    """
    if not ledger.get("in") or not ledger.get("out"):
        return html.P(say("No ledger was kept of it."), className="seg-hint mb-0")
    heads = [Head(""), *number_heads(say("Lines"), say("Orders"), say("Customers"), say("Money"))]
    dropped = [rule for rule in ledger["rules"] if rule["lines"] or rule["revenue"]]
    noted = [note for note in ledger.get("notes", ()) if note["lines"]]
    rows = [
        _row(say("In"), say("All that was read."), ledger["in"], currency, "fw-semibold"),
        *[_row(f"− {_words(rule['rule'])}", _why(rule["rule"]), rule, currency) for rule in dropped],
        _row(say("Out"), say("What customers are built from."), ledger["out"], currency, "fw-semibold"),
        *[
            _row(say("of this {part}", part=say(_PARTS.get(part["rule"], part["rule"]))), "", part, currency)
            for part in ledger.get("parts", ())
        ],
        *[_row(say(_TOTALS[total["rule"]]), "", total, currency) for total in ledger.get("totals", ())],
        *[
            _row(say("Noticed: {rule}", rule=_words(note["rule"])), _why(note["rule"]), note, currency, "seg-noted")
            for note in noted
        ],
    ]
    return table(say("Where every line went"), heads, rows, "seg-ledger")


def _row(title: str, why: str, side: Mapping[str, Any], currency: str, style: str = "") -> Component:
    under = [html.Div(why, className="seg-hint fw-normal")] if why else []
    numbers = [written(side[name], ",") if side.get(name) is not None else NOTHING for name in _COUNTED]
    return table_row([title, *under], *numbers, money(side["revenue"], currency), style=style)


def _words(rule: str) -> str:
    return say(rule.replace("_", " "))


def _why(rule: str) -> str:
    entry = RULES.get(rule) or NOTES.get(rule)
    if entry is None:
        return ""
    catches = say(entry.catches)
    return f"{catches[0].upper()}{catches[1:]}. {say(entry.because)}"
