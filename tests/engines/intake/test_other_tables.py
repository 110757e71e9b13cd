"""Tables that are no sales are told by their headings, with what to do."""

from __future__ import annotations

import pytest

from engines.errors import InputError
from tests.engines.intake.seen_columns import fields, mapped


@pytest.mark.parametrize(
    "header",
    [
        "customer_id|recency|frequency|monetary|T",
        "customer_id|revenue|most_recent_visit|number_of_orders|recency_days",
        "CustomerID|last_purchase_date|Total Orders|Total Spent|Segment",
    ],
)
def test_a_table_of_customers_is_told(header):
    lines = ["1|30.43|2023-01-05|2|22", "2|1.71|2023-02-05|1|12", "3|9.5|2023-03-05|1|12"]
    with pytest.raises(InputError, match=r"table of customers .one row per customer.*segmentry predict RUN --input"):
        mapped(header, *lines)


def test_sales_with_columns_about_their_customers_are_sales():
    lines = ["1|2024-01-05|5.0|VIP|3", "1|2024-01-06|6.0|VIP|3", "2|2024-01-07|7.0|New|1"]
    assert fields(mapped("customer_id|date|amount|segment|total_orders", *lines))["amount"] == "amount"


def test_who_maps_a_date_and_money_means_it():
    lines = ["1|2024-01-05|50.0|3", "2|2024-01-07|70.0|1"]
    header = "customer_id|last_purchase_date|total_spent|total_orders"
    found = mapped(header, *lines, order_date="last_purchase_date", amount="total_spent")
    assert fields(found)["order_date"] == "last_purchase_date"


def test_months_as_columns_are_told():
    with pytest.raises(InputError, match=r"a column for each month .Jan 2024, Feb 2024, Mar 2024"):
        mapped("customer|Jan 2024|Feb 2024|Mar 2024", "1|3.5|2|5", "2|3.5|3|5")
