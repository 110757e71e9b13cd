"""The columns of windows in plain Python, customer by customer, line by line: the product is checked against it."""

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise


def lately(lines, as_of):
    """Of each customer with a sale before the date the columns by name; None where they are missing.

    Args:
        lines: dictionaries of clean sales and returns, in any order.
        as_of: exclusive.
    """
    midnight = datetime.combine(as_of, time())
    sold = [line for line in lines if line["line_type"] == "sale" and _holds(line, midnight)]
    bought = defaultdict(list)
    for line in sold:
        bought[line["customer_id"]].append(line)
    opened = min((line["order_date"].date() for line in sold), default=as_of)
    return {customer: _windows(own, as_of, opened) | _rhythm(own, as_of) for customer, own in bought.items()}


def _holds(line, midnight):
    since, until = line.get("holds_from"), line.get("holds_until")
    begun = line["order_date"] < midnight and (since is None or since < midnight)
    return begun and (until is None or until >= midnight)


def _windows(own, as_of, opened):
    made = {}
    begun = {}
    for line in own:
        order, day = line["order_id"], line["order_date"].date()
        begun[order] = min(begun.get(order, day), day)
    items_known = any(line["quantity"] is not None for line in own)
    for days in (30, 90, 365):
        for end, suffix in ((as_of, ""), (as_of - timedelta(days=365), "_year_before")):
            start = end - timedelta(days=days)
            inside = [line for line in own if start <= line["order_date"].date() < end]
            known = not suffix or opened <= start
            items = sum(Fraction(str(line["quantity"])) for line in inside if line["quantity"] is not None)
            made |= {
                f"spend_{days}_days{suffix}": sum(line["amount_units"] for line in inside) / 10_000 if known else None,
                f"orders_{days}_days{suffix}": sum(start <= day < end for day in begun.values()) if known else None,
                f"items_{days}_days{suffix}": float(items) if known and items_known else None,
            }
    return made


def _rhythm(own, as_of):
    days = sorted({line["order_date"].date() for line in own})
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    if not gaps:
        return dict.fromkeys(("gap_trend", "silence_ratio", "next_order"))
    usual, middle = Fraction(sum(gaps), len(gaps)), Fraction(len(gaps) - 1, 2)
    spread = sum((number - middle) ** 2 for number in range(len(gaps)))
    slope = sum((number - middle) * (gap - usual) for number, gap in enumerate(gaps)) / spread if spread else None
    return {
        "gap_trend": None if slope is None else float(slope / usual),
        "silence_ratio": float((as_of - days[-1]).days / usual),
        "next_order": days[-1] + timedelta(days=round(usual)),
    }


def day_of(value):
    """A cell of the customer table as the oracle has it: a day, a number, or None."""
    if value != value:
        return None
    return value.date() if isinstance(value, date) else value
