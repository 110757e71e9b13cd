"""What is one order: numbers that are used again, and orders that go over midnight."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.features import build_customers
from engines.intake import read_sales

HEADER = "order_id,customer_id,order_date,sku,amount"


def written(folder: Path, *rows: str, header: str = HEADER) -> str:
    path = folder / "sales.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return str(path)


def orders_of(source: str) -> tuple[dict[str, tuple[int, int]], int, tuple[str, ...]]:
    """Orders and repeat purchases by customer; orders in all; notes."""
    with read_sales(source) as sales:
        customers = build_customers(sales.table, as_of=sales.as_of)
        counts = zip(customers.index, customers.frequency, customers.repeat_purchases, strict=True)
        return {who: (int(n), int(again)) for who, n, again in counts}, sales.totals()["gross"].orders, sales.notes


def test_numbers_that_start_again_every_day_are_orders_of_their_own(tmp_path: Path):
    rows = [
        f"{n},{who},2024-01-0{day},{sku},{10 + day}"
        for day in range(1, 5)
        for n, who in enumerate("AB", 1)
        for sku in "PQ"
    ]
    found, orders, notes = orders_of(written(tmp_path, *rows))
    assert found == {"A": (4, 3), "B": (4, 3)} and orders == 8
    assert any("'order_id'" in note and "2 of its numbers" in note and "8 orders" in note for note in notes)


def test_a_number_of_several_customers_is_several_orders(tmp_path: Path):
    found, orders, _ = orders_of(written(tmp_path, "1,A,2024-01-01,P,10", "1,B,2024-01-01,P,10", "2,B,2024-01-02,P,10"))
    assert found == {"A": (1, 0), "B": (2, 1)} and orders == 3


def test_an_order_over_midnight_is_one_purchase(tmp_path: Path):
    rows = ["1,A,2024-01-05 23:59:50,P,10", "1,A,2024-01-06 00:00:10,Q,5", "2,B,2024-01-06 10:00:00,P,5"]
    found, orders, notes = orders_of(written(tmp_path, *rows))
    assert found == {"A": (1, 0), "B": (1, 0)} and orders == 2 and not any("order_id" in note for note in notes)


def test_lines_of_a_day_are_one_order_and_the_next_day_is_not(tmp_path: Path):
    rows = ["1,A,2024-01-05 08:00,P,10", "1,A,2024-01-05 20:00,Q,5", "1,A,2024-01-06 09:00,P,5"]
    found, orders, _ = orders_of(written(tmp_path, *rows))
    assert found == {"A": (2, 1)} and orders == 2


def test_a_return_on_a_later_day_makes_no_order(tmp_path: Path):
    found, orders, notes = orders_of(
        written(tmp_path, "1,A,2024-01-05,P,10", "1,A,2024-01-09,P,-4", "2,B,2024-01-10,P,5")
    )
    assert found["A"] == (1, 0) and orders == 2 and not any("order_id" in note for note in notes)


@pytest.mark.parametrize("clock", ["", " 10:0{n}:00"])
def test_totals_on_each_line_count_once_although_numbers_start_again(tmp_path: Path, clock):
    rows = [
        f"{who},{n},2024-01-0{day}{clock.format(n=at)},P{at},{20 + n}.00"
        for day in range(1, 7)
        for n, who in enumerate("ABC", 1)
        for at in range(2)
    ]
    with read_sales(written(tmp_path, *rows, header="customer_id,receipt_no,order_date,sku,order_total")) as sales:
        gross = sales.totals()["gross"]
        assert (gross.units, gross.orders) == (6 * (21 + 22 + 23) * 10_000, 18)


def test_the_order_of_lines_does_not_matter(tmp_path: Path):
    rows = [f"{n},{who},2024-01-0{day} 2{n}:00,P,{day}" for day in range(1, 5) for n, who in enumerate("AB", 1)]
    assert orders_of(written(tmp_path, *rows))[:2] == orders_of(written(tmp_path, *reversed(rows)))[:2]
