"""Who is nobody, and who is one: words and ids for guests, rounded ids, one person in several spellings."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.errors import InputError
from engines.intake import Sales, read_sales
from engines.settings import CleaningRules


def written(folder: Path, header: str, *rows: str) -> str:
    path = folder / "sales.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return str(path)


def customers(sales: Sales) -> set[str]:
    return set(sales.table.customer_id.to_pyarrow().to_pylist())


def of(folder: Path, *ids: str) -> str:
    rows = [f'"{each}",{n},2024-01-{1 + n % 28:02},10.00' for n, each in enumerate(ids)]
    return written(folder, "customer_id,order_id,order_date,amount", *rows)


def test_words_for_nobody_are_no_customers(tmp_path: Path):
    nobody = ("guest", "Guest", "WALK-IN", "\\N", "<NA>", "-", "undefined", "Gast", "invité", "游客", "n.a.", "#REF!")
    with read_sales(of(tmp_path, "K1", *nobody, "K2")) as sales:
        assert customers(sales) == {"K1", "K2"}
        (missing,) = (rule for rule in sales.ledger.rules if rule.rule == "missing_customer_id")
        assert missing.lines == len(nobody)
    with read_sales(of(tmp_path, "K1", "guest", "bar"), rules=CleaningRules(nobody=("bar",))) as sales:
        assert customers(sales) == {"K1", "guest"}


def test_customers_whose_names_begin_like_such_words_stay(tmp_path: Path):
    names = ("Guesthouse Alba", "Totally Toys", "NA-100", "Nullmeyer", "Walk-in Wardrobes", "0042", "100")
    with read_sales(of(tmp_path, *names)) as sales:
        assert customers(sales) == {*names}


def test_one_person_in_several_spellings(tmp_path: Path):
    ids = (
        "Anna@Example.com",
        "anna@example.com ",
        "ANNA@EXAMPLE.COM",
        "Zoë",
        "Zoe\u0308",
        "Ann  Other",
        "Ann Other",
        "ann other",
    )
    with read_sales(of(tmp_path, *ids)) as sales:
        assert customers(sales) == {"anna@example.com", "Zoë", "Ann Other", "ann other"}


@pytest.mark.parametrize("rounded", ["1.23457E+12", "1,23457E+12", "9e+15"])
def test_ids_that_a_spreadsheet_has_rounded_are_refused(tmp_path: Path, rounded):
    with pytest.raises(InputError, match=r"customer_id.*digits a spreadsheet has rounded.*line 3.*--map customer_id="):
        read_sales(of(tmp_path, "1234567890123", rounded, rounded))
    with pytest.raises(InputError, match=r"order_id.*digits a spreadsheet has rounded"):
        read_sales(written(tmp_path, "customer_id,order_id,order_date,amount", f'A,"{rounded}",2024-01-01,10.00'))


HEADER = "order_id,customer_id,customer_name,order_date,amount"


def test_guests_behind_one_id_are_told_apart_by_their_addresses(tmp_path: Path):
    rows = [
        *("1,0,g1@shop.example,2024-01-01,10", "2,0,G2@shop.example,2024-01-02,20", "3,0,,2024-01-03,40"),
        *("4,17,r@shop.example,2024-01-04,80", "5,0,g2@shop.example,2024-01-05,160"),
    ]
    with read_sales(written(tmp_path, HEADER, *rows)) as sales:
        assert customers(sales) == {"g1@shop.example", "g2@shop.example", "17"}
        assert sales.totals()["gross"].units == 2_700_000
        assert any("'0'" in note and "4 orders were counted for 2 e-mail addresses" in note for note in sales.notes)


def test_guests_are_found_beside_many_customers_with_several_names(tmp_path: Path):
    rows = [f"{n},K{n % 10},{'Ann' if n % 20 < 10 else 'Anna'},2024-01-{1 + n % 28:02},10" for n in range(40)]
    rows += ["100,0,g@shop.example,2024-01-03,10", "101,0,h@shop.example,2024-01-04,20"]
    with read_sales(written(tmp_path, HEADER, *rows)) as sales:
        assert {"g@shop.example", "h@shop.example"} < customers(sales) and "0" not in customers(sales)


def test_an_id_of_nines_with_two_names_is_someone(tmp_path: Path):
    rows = ["1,9999,Ann,2024-01-01,10", "2,9999,Ann Other,2024-01-02,20", "3,17,Cem,2024-01-03,40"]
    with read_sales(written(tmp_path, HEADER, *rows)) as sales:
        assert customers(sales) == {"9999", "17"} and any("'9999'" in note for note in sales.notes)


def test_guests_without_addresses_are_nobody(tmp_path: Path):
    rows = ["1,0,Ann,2024-01-01,10", "2,0,Bob,2024-01-02,20", "3,17,Cem,2024-01-03,40", "4,18,Dan,2024-01-03,40"]
    with read_sales(written(tmp_path, HEADER, *rows)) as sales:
        assert customers(sales) == {"17", "18"}
        assert any("2 names" in note and "nobody" in note for note in sales.notes)


def test_a_customer_with_many_orders_and_several_names_is_noted(tmp_path: Path):
    rows = [f"{n},till,Guest {n},2024-01-{n:02},10" for n in range(1, 6)]
    rows += [f"{n},K{n},Someone,2024-01-{n:02},10" for n in range(6, 26)]
    with read_sales(written(tmp_path, HEADER, *rows)) as sales:
        assert "till" in customers(sales)
        (note,) = (note for note in sales.notes if "'till'" in note)
        assert "20% of all orders under 5 names" in note and "without_customers" in note


def test_an_id_for_everyone_without_names_is_noted_where_it_stands_out(tmp_path: Path):
    with read_sales(of(tmp_path, *["0"] * 9, "A", "B", "C")) as sales:
        assert any("'0'" in note and "75% of all orders" in note for note in sales.notes)
    with read_sales(of(tmp_path, *[str(n % 5) for n in range(20)])) as sales:
        assert not any("of all orders" in note for note in sales.notes)
