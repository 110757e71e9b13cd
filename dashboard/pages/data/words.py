"""Words of the Data page: what it calls the fields of sales, the settings of reading, and marks in a text."""

from __future__ import annotations

from dashboard.i18n.texts import noted
from engines.columns import (
    AMOUNT,
    CANCELLED_AT,
    COST,
    COUNTRY,
    CURRENCY,
    CUSTOMER_ID,
    CUSTOMER_NAME,
    DESCRIPTION,
    DISCOUNT,
    IS_TEST,
    LINE_TYPE,
    ORDER_DATE,
    ORDER_ID,
    ORDER_TOTAL,
    PRODUCT_ID,
    QUANTITY,
    REFUNDED_AMOUNT,
    STATUS,
    UNIT_COST,
    UNIT_PRICE,
)

FIELD_WORDS = {
    CUSTOMER_ID: noted("Customer"),
    ORDER_ID: noted("Order"),
    ORDER_DATE: noted("Date"),
    QUANTITY: noted("Quantity"),
    UNIT_PRICE: noted("Price of one"),
    AMOUNT: noted("Amount of the line"),
    ORDER_TOTAL: noted("Total of the order"),
    PRODUCT_ID: noted("Product"),
    DESCRIPTION: noted("Description or category"),
    COUNTRY: noted("Country"),
    CURRENCY: noted("Currency"),
    STATUS: noted("Status"),
    CANCELLED_AT: noted("Cancelled at"),
    IS_TEST: noted("Test order"),
    LINE_TYPE: noted("Kind of line or document"),
    REFUNDED_AMOUNT: noted("Refunded amount"),
    DISCOUNT: noted("Discount"),
    UNIT_COST: noted("What one item cost the shop"),
    COST: noted("What the goods of the line cost the shop"),
    CUSTOMER_NAME: noted("Name of the customer"),
}
#: What a select says where no column holds the field: a name that no column can have.
ABSENT = " "
#: What the select of the amount says where there is no money at all, so that orders alone are counted.
NO_MONEY = "  "

READING_LABELS = {
    "sheets": noted("Sheets"),
    "header_row": noted("Row with the column names"),
    "skip": noted("Rows to pass over at the start"),
    "columns": noted("Column names, where the file has none"),
    "separator": noted("Between the columns"),
    "encoding": noted("Encoding"),
    "quote": noted("Mark around text"),
    "escape": noted("Before a mark inside text"),
    "decimal": noted("Decimal sign"),
    "date_order": noted("Order of day and month"),
    "time_zone": noted("Time zone of the shop"),
    "unreadable_lines": noted("Unreadable lines that may be set aside"),
    "unreadable_share": noted("Share of lines that may be set aside"),
}
#: Marks in a text, in words.
MARKS = {
    ",": noted("comma"),
    ";": noted("semicolon"),
    "\t": noted("tab"),
    "|": noted("bar"),
    " ": noted("blanks"),
    '"': noted("double quotation mark"),
    "'": noted("apostrophe"),
    "\\": noted("backslash"),
}
