"""What the fields of sales and the rules of cleaning are called on the Data page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.i18n.texts import noted
from engines.columns import (
    AMOUNT,
    COUNTRY,
    CURRENCY,
    CUSTOMER_ID,
    DESCRIPTION,
    ORDER_DATE,
    ORDER_ID,
    ORDER_TOTAL,
    PRODUCT_ID,
    QUANTITY,
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
}
#: Rules that are on or off: the setting, what the switch says, and what on and off are called in the settings.
SWITCHES: Mapping[str, tuple[str, Any, Any]] = {
    "drop_cancellations": (noted("Drop cancelled invoices"), True, False),
    "drop_non_positive_quantity": (noted("Drop quantities of zero or less"), True, False),
    "drop_non_positive_price": (noted("Drop prices of zero or less"), True, False),
    "returns": (noted("Subtract returns from what customers spent"), "net", "drop"),
    "zero_amount": (noted("Drop amounts of exactly zero"), "drop", "keep"),
    "drop_exact_duplicates": (noted("Drop repeated lines"), True, False),
    "drop_outliers": (noted("Drop outliers"), True, False),
    "drop_test_orders": (noted("Drop test orders"), True, False),
    "drop_non_products": (noted("Drop postage, fees and the like"), True, False),
}
DAYS = {"from_day": noted("First day that counts"), "to_day": noted("Last day that counts")}
#: Rules that are lists, written with commas between.
LISTS = {
    "only_customers": noted("Only these customers"),
    "without_customers": noted("Without these customers"),
    "test_orders": noted("Test orders are"),
    "non_product_codes": noted("Postage, fees and the like are"),
}
RATES = "rates"
