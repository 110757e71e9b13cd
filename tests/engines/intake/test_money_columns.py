"""Quantity, price and amount are held against each other on the first lines."""

from __future__ import annotations

import pytest

from engines.intake.schema.money import MoneyCells, compare_money
from tests.engines.intake.seen_columns import fields, mapped


def decided(quantity: str, price: str, amount: str = "", order: str = "", product: str = "") -> str:
    cells = [column.split() or None for column in (amount, order, product)]
    return compare_money(MoneyCells(quantity.split(), price.split(), *cells)).kind


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("same", ("2 1 -3", "4.50 8.00 4.50", "9.00 8.00 -13.50")),
        ("same", ("40,5 22", "1,549 1,629", "62,73 35,84")),  # rounded to cents
        ("line_price", ("2 1 3", "9.00 8.00 4.50", "9.00 8.00 4.50")),
        ("line_price", ("2 1 3", "20.00 10.00 30.00", "", "", "S S S")),
        ("unknown", ("2 1 3", "10.00 10.00 10.00", "", "", "S S S")),
        ("amount", ("2 1 4", "50 50 50", "80 50 150")),  # discounts
        ("amount", ("10 20", "95.00 100.00", "950.00 2440.00")),  # a price that stops at 100
        ("price", ("2 1", "50.00 20.00", "105.00 21.00")),  # 5 % tax
        ("price", ("2 1 1", "50 20 20", "120 120 20", "a a b")),  # the total of the order
    ],
)
def test_first_lines_decide_what_the_money_is(kind, columns):
    assert decided(*columns) == kind


def test_what_differs_is_said_with_the_other_choice():
    header = "order|customer|date|quantity|price|Line Total"
    found = mapped(header, "1|A|2024-01-05|2|50.00|80.00", "2|B|2024-01-06|1|50.00|50.00")
    assert fields(found)["amount"] == "Line Total" and "unit_price" not in fields(found)
    assert found.notes == (
        "On 1 of the first 2 lines 'quantity' times 'price' is not 'Line Total'; 'Line Total' is taken for the money. "
        "For the other say --map amount= --map unit_price=price.",
    )
    other = mapped(header, "1|A|2024-01-05|2|50.00|80.00", amount="", unit_price="price")
    assert fields(other)["unit_price"] == "price"
