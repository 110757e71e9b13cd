"""Numbers as other scripts, spreadsheets and shops write them, and money that means two things."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from engines.errors import InputError
from engines.intake import Reading, read_sales
from engines.intake.schema.numbers import find_decimal_sign, number
from engines.intake.schema.preview import preview


def numbers_in(values: list[str], *, pieces: bool = False) -> list[Decimal | None]:
    with duckdb.connect() as connection:
        connection.execute("create table source (place integer, value varchar)")
        connection.executemany("insert into source values (?, ?)", list(enumerate(values)))
        sign = find_decimal_sign(connection, ["value"], "source", Reading()).sign
        asked = f"select {number('value', 4, sign, pieces=pieces)} from source order by place"
        return [row[0] for row in connection.execute(asked).fetchall()]


def money_file(folder: Path, amounts: list[str]) -> str:
    rows = (f"c{place},2024-01-0{1 + place},1,{amount}" for place, amount in enumerate(amounts))
    (folder / "a.csv").write_text("\n".join(["customer_id;order_date;quantity;unit_price", *rows]).replace(",", ";"))
    return str(folder / "a.csv")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["7,50\u00a0€", "€\u202f7,50", "-\u00a07,50\u2009EUR", "1\u2009234,50"], ["7.5", "7.5", "-7.5", "1234.5"]),
        (["'-7.50", "'+7.50", "'=7.50", '="7.50"', "'7", "’-7.50"], ["-7.5", "7.5", "7.5", "7.5", "7", "-7.5"]),
        (["７．５０", "٧٫٥٠", "۷", "1٬234٫5", "－７"], ["7.5", "7.5", "7", "1234.5", "-7"]),
        (["€ 7,-", "7,– €", "1.234,--", "7,50", "7,50-"], ["7", "7", "1234", "7.5", "-7.5"]),
        (["CHF 7.–", "500/-", "7.00-"], ["7", "500", "-7"]),
        (["7.50 CR", "Free", "'", "=", "'seven"], [None] * 5),
    ],
)
def test_numbers_of_many_writers(values, expected):
    assert numbers_in(values) == [None if text is None else Decimal(text) for text in expected]


def test_words_for_pieces_are_left_out_of_quantities_alone():
    values = ["2 pcs", "2 Stk.", "2x", "x 2", "2 szt.", "2 個", "2 kg", "2 dozen"]
    assert numbers_in(values, pieces=True) == [*[Decimal(2)] * 6, None, None]
    assert numbers_in(["2 pcs"]) == [None]


def test_quantities_with_words_are_noted(tmp_path):
    (tmp_path / "a.csv").write_text(
        "customer_id,order_date,quantity,unit_price\na,2024-01-05,2 pcs,1.50\nb,2024-01-06,1,2.25\n"
    )
    with read_sales(str(tmp_path / "a.csv")) as sales:
        assert sales.totals()["gross"].units / 10_000 == 5.25
        assert any("'2 pcs'" in note for note in sales.notes)


def test_three_digits_after_every_point_of_money_are_asked_about(tmp_path):
    path = money_file(tmp_path, ["1.950", "2.500", "3"])
    with pytest.raises(InputError, match=r"a\.csv: .*'1\.950'.*--decimal ,.*--decimal \."):
        read_sales(path)
    (asked,) = (each for each in preview(path).problems if each.kind == "decimal")
    assert asked.needed
    assert [option.example for option in asked.options] == ["1.950 = 1.950", "1.950 = 1950"]
    for reading, revenue in (
        (Reading(decimal="."), 7.45),
        (Reading(decimal=","), 4453),
        (Reading(trust_guesses=True), 4453),
    ):
        with read_sales(path, reading=reading) as sales:
            assert sales.totals()["gross"].units / 10_000 == revenue


@pytest.mark.parametrize("amounts", [["1.950", "2.5"], ["1.950", "3"], ["1.950", "12.345.678"]])
def test_what_decides_is_not_asked_about(tmp_path, amounts):
    with read_sales(money_file(tmp_path, amounts)) as sales:
        assert sales.totals()["gross"].units / 10_000


def test_money_decides_what_the_point_means_in_weights(tmp_path):
    text = "customer_id,order_date,quantity,unit_price\na,2024-01-05,1.250,4.00\nb,2024-01-06,2.500,4.00\n"
    (tmp_path / "a.csv").write_text(text)
    with read_sales(str(tmp_path / "a.csv")) as sales:
        assert sales.totals()["gross"].units / 10_000 == 15


def test_credit_in_words_is_refused_with_what_to_write(tmp_path):
    (tmp_path / "a.csv").write_text("customer_id,order_date,amount\na,2024-01-05,7.50 CR\nb,2024-01-06,2.25\n")
    with pytest.raises(InputError, match=r"'7\.50 CR'.*write a minus"):
        read_sales(str(tmp_path / "a.csv"))
