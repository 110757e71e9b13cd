"""A small shop's export as its owner has it: semicolons, decimal commas, dates that nothing decides."""

from __future__ import annotations

from typing import Any

HEAD = "Customer;Order;Date;Quantity;Price;Country"
MAPPING = {
    "customer_id": "Customer",
    "order_id": "Order",
    "order_date": "Date",
    "quantity": "Quantity",
    "unit_price": "Price",
    "country": "Country",
}
ASKED: dict[str, Any] = {"mapping": MAPPING, "reading": {"date_order": "day-first"}, "name": "Shop"}


def export(customers: int = 30, *, start: int = 1) -> bytes:
    """So many customers with one to four orders of one line at 1,50 to 9,50, and one line without a customer."""
    lines = [HEAD]
    for customer in range(start, start + customers):
        for order in range(1 + customer % 4):
            day, month = 1 + (customer + order) % 12, 1 + (customer * 5 + order * 3) % 12
            price = f"{1 + (customer + order) % 9},50"
            lines.append(f"K{customer:03};R{customer}-{order};{day:02}/{month:02}/2024;2;{price};DE")
    lines.append(";R0;01/02/2024;1;3,00;DE")
    return ("\r\n".join(lines) + "\r\n").encode()


def lines_of(content: bytes) -> int:
    """How many lines of sales an export has."""
    return len(content.splitlines()) - 1
