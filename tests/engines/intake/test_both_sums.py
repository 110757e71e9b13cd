"""Quantity times price and an amount of the line are held against each other, and both sums are said."""

from __future__ import annotations

from pathlib import Path

from engines.intake import read_sales

HEADER = "order_id,customer_id,order_date,quantity,unit_price,line_total"


def written(folder: Path, *rows: str) -> str:
    path = folder / "sales.csv"
    path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return str(path)


def about_money(source: str, **mapping: str) -> tuple[float, list[str]]:
    with read_sales(source, mapping=mapping) as sales:
        notes = [note for note in sales.notes if "line_total" in note]
        return sales.totals()["gross"].units / 10_000, notes


def test_an_amount_after_a_discount_is_taken_and_both_sums_are_said(tmp_path: Path):
    rows = ["1,A,2024-01-05,2,50.00,80.00", "2,B,2024-01-06,1,50.00,50.00", "3,A,2024-01-08,4,50.00,150.00"]
    gross, (note,) = about_money(written(tmp_path, *rows))
    assert gross == 280.0 and "On 2 of 3 lines" in note and "350.00" in note and "280.00" in note
    assert about_money(written(tmp_path, *rows), amount="", unit_price="unit_price")[0] == 350.0


def test_lines_that_differ_far_below_the_first_ones_are_found_as_well(tmp_path: Path):
    rows = [f"{n},C{n % 50},2024-01-{1 + n % 28:02},2,10.00,{15 if n > 1400 else 20}.00" for n in range(1500)]
    gross, (note,) = about_money(written(tmp_path, *rows))
    assert (
        gross == 30_000.0
        and "On 99 of 1,500 lines" in note
        and "29,505.00" in note
        and "--map amount=line_total" in note
    )


def test_cents_that_were_rounded_are_no_difference(tmp_path: Path):
    rows = [f"{n},C{n},2024-01-{n:02},3,0.333,1.00" for n in range(1, 20)]
    assert about_money(written(tmp_path, *rows))[1] == []
