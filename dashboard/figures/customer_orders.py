"""The picture of one customer's orders: when, and for how much."""

from __future__ import annotations

from typing import Any

from pandas import DataFrame

from dashboard.figures import Drawing, drawing, ink
from dashboard.i18n.numbers import count, day, money
from dashboard.i18n.texts import say
from engines.columns import ITEMS, ORDER_DATE

MOST_DRAWN = 2_000  # the latest; more would be a solid wall


def order_figure(orders: DataFrame, currency: str, theme: str) -> Drawing:
    """A stem for each order up to its amount; what came back hangs below the line.

    ``orders``: order_date, amount and items, the oldest first.
    """
    shown = orders.iloc[-MOST_DRAWN:]
    colours = ink(theme)
    dates = [moment.isoformat() for moment in shown[ORDER_DATE]]
    amounts = shown["amount"].tolist()
    words = [
        _words(day(moment), money(amount, currency), items)
        for moment, amount, items in zip(shown[ORDER_DATE], amounts, shown[ITEMS], strict=True)
    ]
    stems: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "x": [x for at in dates for x in (at, at, None)],
        "y": [y for amount in amounts for y in (0, amount, None)],
        "line": {"color": colours.bar, "width": 2},
        "hoverinfo": "skip",
    }
    heads: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers",
        "x": dates,
        "y": amounts,
        "marker": {"color": ["#EE6677" if amount < 0 else "#4477AA" for amount in amounts], "size": 7},
        "hovertext": words,
        "hoverinfo": "text",
    }
    layout = {
        "height": 190,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "showlegend": False,
        "xaxis": {"type": "date", "nticks": 5},
        "yaxis": {"rangemode": "tozero", "nticks": 4, "title": {"text": currency or say("amount")}},
    }
    return drawing(theme, [stems, heads], layout, ((), ()))


def _words(date: str, amount: str, items: float) -> str:
    if items != items:
        return say("{date}: {amount}", date=date, amount=amount)
    return say("{date}: {amount}, {number} items", date=date, amount=amount, number=count(items))
