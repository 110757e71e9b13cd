"""Cleaning rules, each a small value: what it catches, why, and the condition on a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import ibis

from engines.columns import (
    AMOUNT,
    AMOUNT_UNITS,
    COST_UNITS,
    COUNTRY,
    CUSTOMER_ID,
    DESCRIPTION,
    DISCOUNT,
    ORDER_DATE,
    ORDER_ID,
    PRODUCT_ID,
    QUANTITY,
)
from engines.intake.cleaning.ledger import Reason
from engines.intake.cleaning.outliers import Bounds
from engines.intake.cleaning.returns import RETURN_PRICE, WITHOUT_PURCHASE
from engines.intake.schema.parsing import PRICE_UNITS, UNREADABLE
from engines.messages import noted
from engines.settings import CleaningRules

#: What is in the ledger beside lines that a rule drops.
SOLD, RETURNED, RETURN_SIGN, AFTER_AS_OF, ONLY_RETURNS, RETURNED_EVERYTHING = (
    *("sold", "returned", "return_sign", "after_as_of", "only_returns", "returned_everything"),
)
EXACT_DUPLICATE = "exact_duplicate"
MISSING_CUSTOMER_ID = "missing_customer_id"
#: Set by what became of the orders, which stands beside the lines: no sale; what went back by its own account.
NOT_A_SALE, RETURN_LINE = "not_a_sale", "return_line"
#: What follows from a column or a status and was no line of the source: a refund or a discount.
REFUNDED = "refunded"
#: Column of lines, where there are such: which of the two it is, null for lines of the source.
ADDED = "added"
#: Rules whose lines, with a customer and a value, are goods or money that went back.
RETURN_RULES = (RETURN_LINE, "cancellation", "non_positive_quantity", "negative_amount")

_CANCELLED = "^[CA][0-9]+$"  # not every id that starts so: CA-2016-152156 is an order like any other


#: Column of lines: whether an earlier one is equal in all columns of the source.
REPEATED = "repeated"


@dataclass(frozen=True)
class Asked:
    """What a condition may look at: the lines, the settings, the fields of the source and the bounds of outliers."""

    lines: ibis.Table
    rules: CleaningRules
    fields: Collection[str]
    bounds: Bounds | None = None


#: True for the lines that are caught; None where the rule is switched off or the source lacks the field.
Condition = Callable[[Asked], ibis.Value | None]


@dataclass(frozen=True)
class Rule(Reason):
    """A reason with its condition; None where no condition on a single line can say it.

    ``compares``: the condition compares the line with others, so that all lines must have been read before.
    """

    condition: Condition | None = None
    compares: bool = False


# --- conditions -------------------------------------------------------------------------------------------------------


def _listed(lines: ibis.Table, ids: Collection[str]) -> ibis.Value:
    return lines[CUSTOMER_ID].isin(ibis.memtable({"id": sorted(set(ids))}, schema={"id": "string"})["id"])


def _without(asked: Asked) -> ibis.Value | None:
    return _listed(asked.lines, asked.rules.without_customers) if asked.rules.without_customers else None


def _not_listed(asked: Asked) -> ibis.Value | None:
    return ~_listed(asked.lines, asked.rules.only_customers) if asked.rules.only_customers else None


def _outside_dates(asked: Asked) -> ibis.Value | None:
    when, bounds = asked.lines[ORDER_DATE], []
    if asked.rules.from_day:
        bounds.append(when < ibis.timestamp(asked.rules.from_day))
    if asked.rules.to_day:
        midnight = date.fromisoformat(asked.rules.to_day) + timedelta(days=1)
        bounds.append(when >= ibis.timestamp(midnight.isoformat()))
    return ibis.or_(*bounds) if bounds else None


def _fits(column: ibis.Value, patterns: Collection[str]) -> ibis.Value:
    """Whether a text is one of the patterns as a whole, whatever the case; * stands for anything."""
    text, each = column.lower(), [pattern.strip().lower() for pattern in patterns]
    whole = [pattern for pattern in each if "*" not in pattern]
    begins = [pattern[:-1] for pattern in each if pattern.endswith("*") and pattern.count("*") == 1]
    others = [pattern for pattern in each if pattern not in whole and pattern[:-1] not in begins]
    tests = [text.isin(whole)] if whole else []
    tests += [text.startswith(beginning) for beginning in begins]
    if others:  # slow, and hardly ever needed
        either = "|".join(re.escape(pattern).replace(r"\*", ".*") for pattern in others)
        tests.append(text.re_search(f"^({either})$"))
    return ibis.or_(*tests).fill_null(False)


def _trials(asked: Asked) -> ibis.Value | None:
    """Lines of trials, where orders or products are named."""
    known = [name for name in (ORDER_ID, PRODUCT_ID) if name in asked.fields]
    if not known or not asked.rules.test_orders:
        return None
    return ibis.or_(*(_fits(asked.lines[name], asked.rules.test_orders) for name in known))


def _non_products(asked: Asked) -> ibis.Value | None:
    """Lines whose product is none, where products are named."""
    if PRODUCT_ID not in asked.fields or not asked.rules.non_product_codes:
        return None
    return _fits(asked.lines[PRODUCT_ID], asked.rules.non_product_codes)


def _outliers(asked: Asked) -> ibis.Value | None:
    """Lines with an amount far from the usual; None while the usual is not known."""
    if asked.bounds is None:
        return None
    units = asked.lines[AMOUNT_UNITS]
    return (units > 0) & ((units > asked.bounds.high) | (units < asked.bounds.low))


def _repeated(asked: Asked) -> ibis.Value | None:
    """Lines that an earlier one equals, where they were looked for."""
    return asked.lines[REPEATED] if REPEATED in asked.lines.columns else None


def _unknown_country(asked: Asked) -> ibis.Value | None:
    if COUNTRY not in asked.fields:
        return None
    country, unknown = asked.lines[COUNTRY], {name.strip().lower() for name in asked.rules.unknown_countries} | {""}
    return country.isnull() | country.lower().isin(sorted(unknown))


def _no_cost(asked: Asked) -> ibis.Value | None:
    """Lines without a cost, where the source has a column for it."""
    return asked.lines[COST_UNITS].isnull() if COST_UNITS in asked.lines.columns else None


def _zero(asked: Asked) -> ibis.Value | None:
    return asked.lines[AMOUNT_UNITS] == 0 if AMOUNT in asked.fields else None


def _cancelled(asked: Asked) -> ibis.Value | None:
    if ORDER_ID not in asked.fields or not asked.rules.drop_cancellations:
        return None
    order = asked.lines[ORDER_ID]
    begins = order.startswith("C") | order.startswith("A")
    return begins.ifelse(order.re_search(_CANCELLED), begins)  # a search of every id would be slow


def _discounts(asked: Asked) -> ibis.Value:
    """Lines below zero of nothing that went back: what came off is a line of its own, as its product says."""
    words = [asked.lines[name] for name in (PRODUCT_ID, DESCRIPTION) if name in asked.fields]
    if not words or not asked.rules.discount_lines:
        return ibis.literal(False)
    below = (asked.lines[AMOUNT_UNITS] < 0) & (asked.lines[QUANTITY].fill_null(1) > 0)
    either = "|".join(_pattern(each) for each in asked.rules.discount_lines)
    said = ibis.or_(*(word.lower().re_search(either).fill_null(False) for word in words))
    return below.ifelse(said, False).fill_null(False)  # a search of every line would be slow


def _pattern(words: str) -> str:
    """A regular expression that finds words in small letters: as whole ones, or where a word begins with them (*)."""
    start, end = ("", "") if not words.isascii() else (r"(^|[^\pL])", "" if words.endswith("*") else r"($|[^\pL])")
    return start + re.escape(words.removesuffix("*").lower()) + end


def _no_quantity(asked: Asked) -> ibis.Value | None:
    wanted = QUANTITY in asked.fields and asked.rules.drop_non_positive_quantity
    return asked.lines[QUANTITY] <= 0 if wanted else None


def _no_price(asked: Asked) -> ibis.Value | None:
    wanted = AMOUNT not in asked.fields and asked.rules.drop_non_positive_price
    return (asked.lines[PRICE_UNITS] <= 0) & ~_discounts(asked) if wanted else None


def _below_zero(asked: Asked) -> ibis.Value | None:
    return (asked.lines[AMOUNT_UNITS] < 0) & ~_discounts(asked) if AMOUNT in asked.fields else None


def _when(setting: Callable[[CleaningRules], bool], condition: Condition) -> Condition:
    """The condition, where the setting says so."""
    return lambda asked: condition(asked) if setting(asked.rules) else None


# --- the rules --------------------------------------------------------------------------------------------------------

_RULES = (
    Rule(
        NOT_A_SALE,
        noted(
            "lines of which status, cancelled_at, is_test or line_type says that they are no sale (cancelled, failed, "
            "pending, test, payment), and rows that add up the others"
        ),
        noted("Nobody paid for them, or they count what other lines count as well."),
    ),
    Rule(
        "unreadable",
        noted("lines that do not fit the header, or with a date, quantity, price or amount that cannot be read"),
        noted(
            "Nobody knows what they were worth: their money counts as 0. Too many of them, and the source is refused."
        ),
        lambda asked: asked.lines[UNREADABLE].notnull(),
    ),
    Rule(
        MISSING_CUSTOMER_ID,
        noted("lines without a customer id, or with a text or an id that stands for nobody"),
        noted("A line that belongs to no one tells nothing about any customer; always dropped."),
        lambda asked: asked.lines[CUSTOMER_ID].isnull(),
    ),
    Rule(
        "excluded_customer",
        noted("lines of customers in without_customers"),
        noted("Staff, tills, test accounts and people who asked to be left out are no customers to segment."),
        _without,
    ),
    Rule(
        "customer_not_listed",
        noted("lines of customers who are not in only_customers, if it names any"),
        noted("Only these customers are to be looked at."),
        _not_listed,
    ),
    Rule(
        "outside_dates",
        noted("lines before from_day or after to_day, if they are given"),
        noted("Only these days are to be looked at; what came back outside them counts no more than what was sold."),
        _outside_dates,
    ),
    Rule(
        "test_order",
        noted("lines whose order id or product id fits test_orders, if drop_test_orders is on"),
        noted("Nobody bought anything: the shop was tried out."),
        _when(lambda rules: rules.drop_test_orders, _trials),
    ),
    Rule(
        "non_product",
        noted("lines whose product id fits non_product_codes, if drop_non_products is on"),
        noted("Postage, fees, discounts and manual entries are no goods; their returns are dropped with them."),
        _when(lambda rules: rules.drop_non_products, _non_products),
    ),
    Rule(
        RETURN_LINE,
        noted("lines that say by their line_type or status that they are a refund, a return or a credit memo"),
        noted("What went back was sold by another line; with a customer id it counts as a return."),
    ),
    Rule(
        "cancellation",
        noted("lines whose order id is C or A followed by digits (C536379, A563185)"),
        noted("A cancelled invoice or written-off debt is no sale; with a customer id it counts as a return."),
        _cancelled,
    ),
    Rule(
        "non_positive_quantity",
        noted("lines with a quantity of zero or less"),
        noted("Goods that came back or a stock correction; below zero and with a customer id it counts as a return."),
        _no_quantity,
    ),
    Rule(
        "non_positive_price",
        noted("lines with a unit price of zero or less (where quantity and unit_price are mapped)"),
        noted("Gifts, samples and book-keeping corrections are not what a customer chose to pay for."),
        _no_price,
    ),
    Rule(
        "negative_amount",
        noted("lines with an amount below zero (where amount is mapped)"),
        noted("Money that went back to the customer; with a customer id it counts as a return."),
        _below_zero,
    ),
    Rule(
        "zero_amount",
        noted("lines with an amount of exactly zero (where amount is mapped), if zero_amount is drop"),
        noted("A line worth nothing may be a gift; kept by default, because a purchase happened."),
        _when(lambda rules: rules.zero_amount == "drop", _zero),
    ),
    Rule(
        EXACT_DUPLICATE,
        noted(
            "every further line that equals an earlier one in all columns of the source, if drop_exact_duplicates is on"
        ),
        noted("Only for sources known to repeat lines: two equal lines are usually two units of one thing."),
        _when(lambda rules: rules.drop_exact_duplicates, _repeated),
        compares=True,
    ),
    Rule(
        "outlier",
        noted("lines whose amount has a robust z-score above outlier_z, if drop_outliers is on"),
        noted("One slip of the keyboard can outweigh a thousand customers; the revenue lost stands beside it."),
        _when(lambda rules: rules.drop_outliers, _outliers),
        compares=True,
    ),
    Rule(
        AFTER_AS_OF,
        noted("lines at or after midnight of the as-of date"),
        noted("Customers are described as they stood before that midnight; what came later must not leak in."),
    ),
    Rule(
        DISCOUNT,
        noted("no lines: money alone, which the column of discounts takes off what was sold"),
        noted("A customer is worth what was paid, and the amounts of this source do not have it taken off yet."),
    ),
    Rule(
        WITHOUT_PURCHASE,
        noted("returns, or what is left of them, that find no earlier purchase of the customer, if returns is net"),
        noted("What was bought before these sales begin, or is returned already, cannot be taken off them."),
    ),
    Rule(
        RETURN_PRICE,
        noted("no lines: money alone, by which goods that went back had cost more than was given back for them"),
        noted("The goods leave the order at the price that was paid for them; what the shop kept of it buys nothing."),
    ),
    Rule(
        RETURN_SIGN,
        noted("no lines: money alone, where returns take off and the source writes them with a positive amount"),
        noted(
            "Such a return came in as a plus and goes out as a minus; this is the difference, so that the ledger adds "
            "up."
        ),
    ),
)

_NOTES = (
    Rule(
        EXACT_DUPLICATE,
        noted("kept lines that equal an earlier kept line in all columns of the source"),
        noted("Shown so that a source which repeats lines by mistake is noticed before its revenue is believed."),
        _when(lambda rules: not rules.drop_exact_duplicates, _repeated),
        compares=True,
    ),
    Rule(
        "unknown_country",
        noted("kept lines whose country is blank or listed in unknown_countries"),
        noted("They count as country Unknown; a large share makes figures by country untrustworthy."),
        _unknown_country,
    ),
    Rule(
        "zero_amount",
        noted("kept lines with an amount of exactly zero (where amount is mapped)"),
        noted("They count as purchases worth nothing."),
        _when(lambda rules: rules.zero_amount == "keep", _zero),
    ),
    Rule(
        "test_order",
        noted("kept lines whose order id or product id fits test_orders"),
        noted("Look whether they are trials of the shop, and drop them with drop_test_orders."),
        _when(lambda rules: not rules.drop_test_orders, _trials),
    ),
    Rule(
        "non_product",
        noted("kept lines whose product id fits non_product_codes"),
        noted("They count as spend and as products; drop_non_products leaves them out."),
        _when(lambda rules: not rules.drop_non_products, _non_products),
    ),
    Rule(
        "outlier",
        noted("kept lines whose amount has a robust z-score above outlier_z"),
        noted("Shown so that slips are noticed; drop_outliers leaves them out, and this is the revenue it would cost."),
        _when(lambda rules: not rules.drop_outliers, _outliers),
        compares=True,
    ),
    Rule(
        "no_cost",
        noted("kept lines of which nothing says what the goods cost (where cost or unit_cost is mapped)"),
        noted("Their goods are taken to have cost as large a share of their price as those of all other lines."),
        _no_cost,
    ),
    Rule(
        REFUNDED,
        noted("kept lines of which the status or refunded_amount says that money went back, and how much"),
        noted("They were sold, and count as returns as well."),
    ),
    Rule(
        ONLY_RETURNS,
        noted("returns of customers of whom there is no sale, if returns is net"),
        noted("They are in the ledger and in no list: someone who never bought has no recency and no orders."),
    ),
    Rule(
        RETURNED_EVERYTHING,
        noted("what customers bought who returned all of it, if returns is net"),
        noted("An order with nothing left never happened; who has no other is in no list, and is found by search."),
    ),
)

#: Rules that drop lines, in the order in which they are asked: a line counts under the first that catches it.
RULES: Mapping[str, Rule] = {rule.name: rule for rule in _RULES}

#: What is noticed but kept.
NOTES: Mapping[str, Rule] = {note.name: note for note in _NOTES}


def conditions(asked: Asked, *, compares: bool) -> dict[str, ibis.Value]:
    """What each rule that applies asks of a line, in the order of the ledger; those that compare lines come last."""
    return _that_apply(RULES, asked, compares)


def note_conditions(asked: Asked, *, compares: bool) -> dict[str, ibis.Value]:
    """What each note that applies asks of a line that stays."""
    return _that_apply(NOTES, asked, compares)


def _that_apply(rules: Mapping[str, Rule], asked: Asked, compares: bool) -> dict[str, ibis.Value]:
    asks = {rule.name: rule.condition(asked) for rule in rules.values() if rule.condition and rule.compares == compares}
    return {name: condition for name, condition in asks.items() if condition is not None}
