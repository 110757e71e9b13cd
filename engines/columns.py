"""Data dictionary: every column of the product by name, with its unit, formula and meaning.

Names stand once, here. Code elsewhere imports them; pages, exports and ``docs/data-dictionary.md`` take titles, units and
sentences from :data:`DICTIONARY`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engines.messages import noted as _

# --- sales lines: the canonical fields a user maps ------------------------------------------------------------------
CUSTOMER_ID = "customer_id"
ORDER_ID = "order_id"
ORDER_DATE = "order_date"
QUANTITY = "quantity"
UNIT_PRICE = "unit_price"
AMOUNT = "amount"
ORDER_TOTAL = "order_total"  # of the whole order: repeated on its lines, or on its first line only
PRODUCT_ID = "product_id"
DESCRIPTION = "description"
COUNTRY = "country"
CURRENCY = "currency"
STATUS = "status"  # of the order or line, in words: completed, cancelled, refunded
CANCELLED_AT = "cancelled_at"  # filled (a date, yes, 1) where the order was cancelled
IS_TEST = "is_test"  # yes, true or 1 where the order is a trial
LINE_TYPE = "line_type"  # what kind of document or line it is, in words: invoice, credit memo, payment, total
REFUNDED_AMOUNT = "refunded_amount"  # what went back of the order or line
DISCOUNT = "discount"  # what comes off the order or line and is not in its amounts yet
UNIT_COST = "unit_cost"  # what one item cost the shop
COST = "cost"  # what the goods of the line cost the shop; customers have a column of this name too
CUSTOMER_NAME = "customer_name"  # a name or e-mail beside the id, to see whether one id is several people

CANONICAL_FIELDS = (
    CUSTOMER_ID,
    ORDER_ID,
    ORDER_DATE,
    QUANTITY,
    UNIT_PRICE,
    AMOUNT,
    ORDER_TOTAL,
    PRODUCT_ID,
    DESCRIPTION,
    COUNTRY,
    CURRENCY,
    STATUS,
    CANCELLED_AT,
    IS_TEST,
    LINE_TYPE,
    REFUNDED_AMOUNT,
    DISCOUNT,
    UNIT_COST,
    COST,
    CUSTOMER_NAME,
)
ATTRIBUTE_FIELD = "attribute."  # prefix: attribute.<name> is mapped to any further column ...

# --- clean sales: what intake hands to features ---------------------------------------------------------------------
AMOUNT_UNITS = "amount_units"  # int64, 1/10,000 of the currency unit: money is never floating point while it is summed
COST_UNITS = "cost_units"  # int64, the same of what the goods cost; only where the source says so
#: Clean sales have a column of this name too: whether the line is a sale or a return.
SALE = "sale"
RETURN = "return"
#: Where returns take off what they undo: between which moments a line was as this row says. Null: since it was sold,
#: and to this day. A line of which something came back is several rows, and as of any date one of them holds, or none.
HOLDS_FROM, HOLDS_UNTIL = "holds_from", "holds_until"
OFFSET_UNITS = "offset_units"  # of a return: the money that it took off what was bought before
MONEY_SCALE = 10_000
WITHOUT_MONEY = "XXX"  # ISO 4217: no currency is involved, as there is no money
UNKNOWN_COUNTRY = "Unknown"

# --- orders: what a customer's history is made of (with customer_id, order_date and amount_units) --------------------
LINES = "lines"
ITEMS = "items"
LEFT = "left"  # of an order's money, what returns have not taken off

# --- purchases by day -------------------------------------------------------------------------------------------------
NEWCOMERS = "newcomers"  # customers whose first purchase day it is
REPEATS = "repeats"  # customers who bought and had bought before

# --- customers: one row each, as of a date --------------------------------------------------------------------------
RECENCY = "recency_days"
FREQUENCY = "frequency"
MONETARY = "monetary"
GROSS_MONETARY = "gross_monetary"
NET_MONETARY = "net_monetary"
AVERAGE_ORDER_VALUE = "average_order_value"
ITEMS_PER_ORDER = "items_per_order"
UNIQUE_PRODUCTS = "unique_products"
MEAN_DAYS_BETWEEN_ORDERS = "mean_days_between_orders"
PURCHASE_SPAN = "purchase_span_days"
TENURE = "tenure_days"
FIRST_PURCHASE = "first_purchase"
LAST_PURCHASE = "last_purchase"
RETURN_RATE = "return_rate"
IS_HOME_COUNTRY = "is_home_country"
GAP_TREND = "gap_trend"
SILENCE_RATIO = "silence_ratio"
NEXT_ORDER = "next_order"
CATEGORY_SHARE = "share_"  # prefix: share_<category>
ATTRIBUTE = "attribute_"  # prefix: ... and becomes attribute_<name>

# --- customers: what the lifetime models read (purchases are distinct days; time in weeks) --------------------------
REPEAT_PURCHASES = "repeat_purchases"
FIRST_TO_LAST = "first_to_last"
AGE = "age"
MEAN_REPEAT_VALUE = "mean_repeat_value"

# --- customers: the estimated future --------------------------------------------------------------------------------
EXPECTED_PURCHASES = "expected_purchases"
EXPECTED_PURCHASE_VALUE = "expected_purchase_value"
CLV = "clv"
CLV_LOW = "clv_low"
CLV_HIGH = "clv_high"
P_ALIVE = "p_alive"
P_PURCHASE = "p_purchase"
CHURN_RISK = "churn_risk"
FUTURE_SPEND = "future_spend"  # an old name, which answers for one version: only snapshots of before have it

# --- labels ---------------------------------------------------------------------------------------------------------
SEGMENT = "segment"
SEGMENT_KEY = "segment_key"
DISTANCE = "distance"  # to what decided the segment, in the engine's own space
PROBABILITY = "probability"  # of the segment, where the engine knows one
CONTROL_GROUP = "control_group"  # in exported lists: drawn to get nothing, so that a campaign's effect can be told

Kind = Literal["text", "date", "count", "days", "weeks", "money", "share", "flag", "number"]


@dataclass(frozen=True)
class Column:
    """One column of the customer table: what it is, how it is made, and where it is seen.

    ``kind`` is the type of its values and says how they are written; ``unit``, ``formula`` and ``meaning`` are words
    for people. The table of customers has all columns; those that are not ``shown`` are hidden until they are chosen. A
    column that is ``filterable`` has bounds in the address, the API and the filters of the page, called ``min_`` and
    ``max_`` with its ``parameter`` behind (its name where that is empty); the page calls it ``filter_label``. What is
    ``exported`` is in lists and in the API.
    """

    name: str
    title: str
    kind: Kind
    unit: str
    formula: str
    meaning: str
    shown: bool = True
    filterable: bool = False
    exported: bool = True
    parameter: str = ""
    filter_label: str = ""

    @property
    def bounds(self) -> tuple[str, str]:
        """The query parameters of its least and its greatest value."""
        name = self.parameter or self.name
        return f"min_{name}", f"max_{name}"


#: The windows before a date of which spend, orders and items are columns, in days.
WINDOW_DAYS = (30, 90, 365)


def windowed(what: str, days: int, before: bool = False) -> str:
    """Name of the column of a window: ``spend_30_days``, ``spend_30_days_year_before``.

    Args:
        what: ``spend``, ``orders`` or ``items``.
        days: one of :data:`WINDOW_DAYS`.
        before: of the window that ends 365 days earlier.
    """
    return f"{what}_{days}_days{'_year_before' if before else ''}"


#: The columns of windows, in order.
WINDOWED = tuple(
    windowed(what, days, before)
    for what in ("spend", "orders", "items")
    for before in (False, True)
    for days in WINDOW_DAYS
)

_CUSTOMER_COLUMNS = (
    Column(CUSTOMER_ID, _("Customer"), "text", "-", "as in the sales, trimmed; 17850.0 becomes 17850", _("Who the customer is in the retailer's own system.")),
    Column(COUNTRY, _("Country"), "text", "-", "the country with the highest spend, ties by name", _("Where most of the customer's money was spent.")),
    Column(RECENCY, _("Recency"), "days", _("days"), "as_of - day of the last order", _("Days since the last order: small is good."), filterable=True, parameter="recency", filter_label=_("Days since last order")),
    Column(FREQUENCY, _("Frequency"), "count", _("orders"), "count of distinct orders", _("How many orders the customer has placed."), filterable=True, filter_label=_("Orders")),
    Column(MONETARY, _("Monetary"), "money", _("currency"), "sum of the cleaned sales lines, less what returns took off them", _("What the customer has spent and not sent back; before returns where these are dropped."), filterable=True, filter_label=_("Spent so far")),
    Column(GROSS_MONETARY, _("Gross monetary"), "money", _("currency"), "sum of the cleaned sales lines", _("What the customer has bought, before returns."), shown=False, filterable=True),
    Column(NET_MONETARY, _("Net monetary"), "money", _("currency"), "gross_monetary - value of returned lines", _("What the customer has bought less all that came back, whatever it was bought for and when."), shown=False, filterable=True),
    Column(COST, _("Cost of goods"), "money", _("currency"), "sum of what the goods of the sales lines cost, less the part that came back; of lines that do not say so, at the cost share of all that do", _("What the goods cost the shop that the customer has bought and not sent back; only where the sales say it."), shown=False),
    Column(AVERAGE_ORDER_VALUE, _("Average order value"), "money", _("currency per order"), "monetary / frequency", _("What one order is worth on average."), shown=False, filterable=True),
    Column(ITEMS_PER_ORDER, _("Items per order"), "number", _("items per order"), "sum of quantity / frequency", _("How many items one order holds on average."), shown=False, filterable=True),
    Column(UNIQUE_PRODUCTS, _("Unique products"), "count", _("products"), "count of distinct product ids", _("How many different products the customer has bought."), shown=False, filterable=True),
    Column(MEAN_DAYS_BETWEEN_ORDERS, _("Days between orders"), "days", _("days"), "purchase_span_days / (distinct purchase days - 1); empty with one purchase day", _("The customer's usual rhythm."), shown=False, filterable=True),
    Column(PURCHASE_SPAN, _("Purchase span"), "days", _("days"), "day of the last order - day of the first", _("How long the customer has been buying."), shown=False, filterable=True),
    Column(TENURE, _("Tenure"), "days", _("days"), "as_of - day of the first order", _("How long ago the customer came."), shown=False, filterable=True),
    Column(FIRST_PURCHASE, _("First purchase"), "date", _("date"), "day of the first order", _("When the customer came."), shown=False),
    Column(LAST_PURCHASE, _("Last purchase"), "date", _("date"), "day of the last order", _("When the customer was last seen.")),
    Column(RETURN_RATE, _("Return rate"), "share", _("share of gross_monetary"), "what returns took off / gross_monetary; where returns are dropped, value of returned lines / monetary, at most 1", _("How much of what was bought came back."), shown=False, filterable=True),
    Column(IS_HOME_COUNTRY, _("Home country"), "flag", _("yes/no"), "primary country = the country with most revenue in the data", _("Whether the customer buys from the shop's home market."), shown=False),
    Column(REPEAT_PURCHASES, _("Repeat purchases"), "count", _("purchase days"), "distinct purchase days - 1", _("Purchase days after the first (x in BG/NBD)."), shown=False, filterable=True),
    Column(FIRST_TO_LAST, _("First to last purchase"), "weeks", _("weeks"), "(last purchase day - first) / 7", _("Time from first to last purchase (t_x in BG/NBD)."), shown=False),
    Column(AGE, _("Age"), "weeks", _("weeks"), "((as_of - 1 day) - first purchase day) / 7", _("Time since the first purchase (T in BG/NBD)."), shown=False),
    Column(MEAN_REPEAT_VALUE, _("Mean repeat value"), "money", _("currency per purchase day"), "spend on repeat purchase days / repeat_purchases; 0 without any", _("What a repeat purchase is worth (Gamma-Gamma)."), shown=False),
    Column(EXPECTED_PURCHASES, _("Expected purchases"), "number", _("purchases in the horizon"), "expected purchase days within the horizon, by the model that did best on the past; never fewer than p_purchase", _("How many purchases to expect in the horizon."), shown=False, filterable=True),
    Column(EXPECTED_PURCHASE_VALUE, _("Expected purchase value"), "money", _("currency per purchase"), "expected spend within the horizon / expected_purchases; with a lifetime model alone the Gamma-Gamma conditional mean", _("What such a purchase is likely to be worth."), shown=False, filterable=True),
    Column(CLV, _("CLV"), "money", _("currency"), "expected spend within the horizon (expected_purchases x expected_purchase_value), discounted to the day of the snapshot", _("What the customer is likely to spend in the horizon, in today's money."), filterable=True),
    Column(CLV_LOW, _("CLV, low end"), "money", _("currency"), "lower end of the interval of clv: parameters and chance", _("What the customer will spend at least, save in one case of ten."), shown=False),
    Column(CLV_HIGH, _("CLV, high end"), "money", _("currency"), "upper end of the interval of clv: parameters and chance", _("What the customer will spend at most, save in one case of ten."), shown=False),
    Column(P_ALIVE, _("P(alive)"), "share", _("probability"), "P(alive | x, t_x, T) of the lifetime model; never below p_purchase", _("Whether the customer is still a customer; 1 by construction for one-time buyers, so not a churn score."), shown=False, filterable=True),
    Column(P_PURCHASE, _("Buys again"), "share", _("probability"), "probability of at least one purchase within the horizon, on the same curve as churn_risk", _("The chance that the customer buys in the horizon."), filterable=True, parameter="buys_again"),
    Column(CHURN_RISK, _("Churn risk"), "share", _("probability"), "probability of no purchase within the churn days, on the same curve as p_purchase; empty where it is unknown", _("The chance that the customer buys nothing in the days ahead."), filterable=True, parameter="churn"),
    Column(windowed("spend", 30), _("Spend, last 30 days"), "money", _("currency"), "sum of the sales lines with as_of - 30 <= day < as_of, less what returns took off them", _("What the customer has spent in the last 30 days."), shown=False, filterable=True),
    Column(windowed("spend", 90), _("Spend, last 90 days"), "money", _("currency"), "sum of the sales lines with as_of - 90 <= day < as_of, less what returns took off them", _("What the customer has spent in the last 90 days."), shown=False, filterable=True),
    Column(windowed("spend", 365), _("Spend, last 365 days"), "money", _("currency"), "sum of the sales lines with as_of - 365 <= day < as_of, less what returns took off them", _("What the customer has spent in the last 365 days."), shown=False, filterable=True),
    Column(windowed("spend", 30, before=True), _("Spend, 30 days a year before"), "money", _("currency"), "sum of the sales lines with as_of - 395 <= day < as_of - 365, less what returns took off them", _("What the customer had spent in the same 30 days a year before; empty where the sales do not reach back so far."), shown=False, filterable=True),
    Column(windowed("spend", 90, before=True), _("Spend, 90 days a year before"), "money", _("currency"), "sum of the sales lines with as_of - 455 <= day < as_of - 365, less what returns took off them", _("What the customer had spent in the same 90 days a year before; empty where the sales do not reach back so far."), shown=False, filterable=True),
    Column(windowed("spend", 365, before=True), _("Spend, 365 days a year before"), "money", _("currency"), "sum of the sales lines with as_of - 730 <= day < as_of - 365, less what returns took off them", _("What the customer had spent in the same 365 days a year before; empty where the sales do not reach back so far."), shown=False, filterable=True),
    Column(windowed("orders", 30), _("Orders, last 30 days"), "count", _("orders"), "count of distinct orders with as_of - 30 <= first day < as_of", _("How many orders the customer has placed in the last 30 days."), shown=False, filterable=True),
    Column(windowed("orders", 90), _("Orders, last 90 days"), "count", _("orders"), "count of distinct orders with as_of - 90 <= first day < as_of", _("How many orders the customer has placed in the last 90 days."), shown=False, filterable=True),
    Column(windowed("orders", 365), _("Orders, last 365 days"), "count", _("orders"), "count of distinct orders with as_of - 365 <= first day < as_of", _("How many orders the customer has placed in the last 365 days."), shown=False, filterable=True),
    Column(windowed("orders", 30, before=True), _("Orders, 30 days a year before"), "count", _("orders"), "count of distinct orders with as_of - 395 <= first day < as_of - 365", _("How many orders the customer had placed in the same 30 days a year before; empty where the sales do not reach back so far."), shown=False, filterable=True),
    Column(windowed("orders", 90, before=True), _("Orders, 90 days a year before"), "count", _("orders"), "count of distinct orders with as_of - 455 <= first day < as_of - 365", _("How many orders the customer had placed in the same 90 days a year before; empty where the sales do not reach back so far."), shown=False, filterable=True),
    Column(windowed("orders", 365, before=True), _("Orders, 365 days a year before"), "count", _("orders"), "count of distinct orders with as_of - 730 <= first day < as_of - 365", _("How many orders the customer had placed in the same 365 days a year before; empty where the sales do not reach back so far."), shown=False, filterable=True),
    Column(windowed("items", 30), _("Items, last 30 days"), "number", _("items"), "sum of quantity with as_of - 30 <= day < as_of", _("How many items the customer has bought in the last 30 days."), shown=False, filterable=True),
    Column(windowed("items", 90), _("Items, last 90 days"), "number", _("items"), "sum of quantity with as_of - 90 <= day < as_of", _("How many items the customer has bought in the last 90 days."), shown=False, filterable=True),
    Column(windowed("items", 365), _("Items, last 365 days"), "number", _("items"), "sum of quantity with as_of - 365 <= day < as_of", _("How many items the customer has bought in the last 365 days."), shown=False, filterable=True),
    Column(windowed("items", 30, before=True), _("Items, 30 days a year before"), "number", _("items"), "sum of quantity with as_of - 395 <= day < as_of - 365", _("How many items the customer had bought in the same 30 days a year before; empty where the sales do not reach back so far."), shown=False, filterable=True),
    Column(windowed("items", 90, before=True), _("Items, 90 days a year before"), "number", _("items"), "sum of quantity with as_of - 455 <= day < as_of - 365", _("How many items the customer had bought in the same 90 days a year before; empty where the sales do not reach back so far."), shown=False, filterable=True),
    Column(windowed("items", 365, before=True), _("Items, 365 days a year before"), "number", _("items"), "sum of quantity with as_of - 730 <= day < as_of - 365", _("How many items the customer had bought in the same 365 days a year before; empty where the sales do not reach back so far."), shown=False, filterable=True),
    Column(GAP_TREND, _("Trend of gaps"), "number", _("share of the mean gap, per gap"), "least-squares slope of the gaps between purchase days on their numbers / mean_days_between_orders; empty with fewer than three purchase days", _("Above 0 the customer comes more and more seldom, below 0 more and more often; 0.1: each gap is a tenth of the mean gap longer than the one before."), shown=False, filterable=True),
    Column(SILENCE_RATIO, _("Silence against rhythm"), "number", _("usual gaps"), "recency_days / mean_days_between_orders; empty with one purchase day", _("How many of the customer's usual gaps have passed since the last order; above 1 the customer is late."), shown=False, filterable=True),
    Column(NEXT_ORDER, _("Next order"), "date", _("date"), "last_purchase + mean_days_between_orders, to the day; empty with one purchase day", _("When the next order would come if the customer kept to the usual rhythm; in the past where the customer is late."), shown=False),
    Column(FUTURE_SPEND, _("Future spend (old)"), "money", _("currency"), "expected spend within the horizon, by a model other than that of clv; not discounted", _("What older snapshots expected beside CLV; CLV is the one answer now."), shown=False, exported=False),
)  # fmt: skip

#: Customer columns by name, in the order in which pages and exports show them.
DICTIONARY: dict[str, Column] = {column.name: column for column in _CUSTOMER_COLUMNS}

#: Lists of customers, in files and in the API, begin with these columns; so does the table. The others follow in the
#: order of the dictionary.
FIRST = (CUSTOMER_ID, SEGMENT, RECENCY, FREQUENCY, MONETARY, CLV, COUNTRY)

_FIRST_FILTERS = (CLV, MONETARY, FREQUENCY, RECENCY, CHURN_RISK, P_PURCHASE)
#: The columns that customers are filtered by, in the order of the filters.
FILTERS: tuple[Column, ...] = tuple(
    column
    for column in (DICTIONARY[name] for name in dict.fromkeys((*_FIRST_FILTERS, *DICTIONARY)))
    if column.filterable
)

#: What the lifetime models add to the customer table.
VALUE_COLUMNS = (
    *(EXPECTED_PURCHASES, EXPECTED_PURCHASE_VALUE, CLV, CLV_LOW, CLV_HIGH, P_ALIVE, P_PURCHASE, CHURN_RISK),
)

#: What the feature builders add to the customer table, in order; with COST behind where the sales say what goods cost.
FEATURE_COLUMNS = tuple(name for name in DICTIONARY if name not in (CUSTOMER_ID, COST, FUTURE_SPEND, *VALUE_COLUMNS))


def is_attribute(field: str) -> bool:
    """Whether a field to map is an attribute: ``attribute.`` with a name in small letters, digits and _."""
    return re.fullmatch(r"attribute\.[a-z][a-z0-9_]{0,39}", field) is not None


def is_field(field: str) -> bool:
    """Whether there is such a field to map: a canonical one or an attribute."""
    return field in CANONICAL_FIELDS or is_attribute(field)


def attribute_column(field: str) -> str:
    """The column of clean sales and customers in which an attribute is carried: attribute.email in attribute_email."""
    return ATTRIBUTE + field.removeprefix(ATTRIBUTE_FIELD)


#: The fields to map in words, for errors.
FIELDS_IN_WORDS = f"{', '.join(CANONICAL_FIELDS)}, or {ATTRIBUTE_FIELD}NAME for any further column"


def describe(name: str, known: Mapping[str, Column] = {}) -> Column:
    """The dictionary's entry for a customer column.

    Args:
        name: of the column. Category shares, attributes, and features of plug-ins that ``known`` does not have, get an
            entry made from the name.
        known: entries beyond the dictionary: a snapshot keeps those of its plug-in features (see ``columns_of``).
    """
    entry = DICTIONARY.get(name) or known.get(name)
    if entry is not None:
        return entry
    if name.startswith(CATEGORY_SHARE):
        category = name.removeprefix(CATEGORY_SHARE).replace("_", " ")
        return Column(
            name,
            f"Share of {category}",
            "share",
            _("share of monetary"),
            f"spend on lines of category {category} / monetary",
            f"How much of the spend goes to {category}.",
            shown=False,
        )
    if name.startswith(ATTRIBUTE):
        attribute = name.removeprefix(ATTRIBUTE)
        return Column(
            name,
            attribute.replace("_", " ").capitalize(),
            "text",
            "-",
            f"{ATTRIBUTE_FIELD}{attribute} of the latest line that has one, ties by value",
            f"The customer's {attribute.replace('_', ' ')}, as in the sales.",
        )
    return Column(
        name, name.replace("_", " ").capitalize(), "number", "-", "made by a plug-in", _("Made by a plug-in.")
    )


def columns_of(entries: Iterable[Mapping[str, Any]]) -> dict[str, Column]:
    """Columns by name from entries written down with ``dataclasses.asdict``: what ``describe`` takes as ``known``."""
    columns = [Column(**entry) for entry in entries]
    return {column.name: column for column in columns}


def in_order(names: Iterable[str]) -> list[str]:
    """Columns in the order of lists and tables: the important ones first, then the others as they come."""
    given = list(names)
    first = (*FIRST[:2], CONTROL_GROUP, SEGMENT_KEY, DISTANCE, PROBABILITY, *FIRST[2:])
    return [name for name in first if name in given] + [name for name in given if name not in first]
