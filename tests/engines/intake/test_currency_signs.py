"""Signs and codes of currencies in cells and headings: one is the data set's, several are refused or converted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from engines.errors import InputError
from engines.intake import CleaningRules, Sales, read_sales
from engines.intake.schema.signs import in_heading, meanings, without_currency


def shop(
    folder: Path, amounts: Sequence[str], *, heading: str = "amount", separator: str = ";", **more: object
) -> Sales:
    """The sales of a file with these amounts, one line each."""
    path = folder / "shop.csv"
    lines = [f"{place},2024-01-{place:02d},{amount}" for place, amount in enumerate(amounts, 1)]
    text = "\n".join([f"customer,date,{heading}", *lines]).replace(",", separator)
    path.write_text(text.replace("|", ","), encoding="utf-8")
    mapping = more.pop("mapping", {"amount": heading})
    return read_sales(str(path), mapping=mapping, **more)


def amounts(sales: Sales) -> list[int]:
    """The money by customer, in 1/10,000 of the unit."""
    rows = sorted(sales.table.to_pyarrow().to_pylist(), key=lambda row: row["customer_id"])
    return [row["amount_units"] for row in rows]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (["€10.00", "€ 12.50"], "EUR"),
        (["10|00 €", "1.200|50€"], "EUR"),
        (["EUR 10.00", "12.00 eur"], "EUR"),
        (["10.00 Euro", "EUR12.00"], "EUR"),
        (["£10.00", "11.00"], "GBP"),
        (["R$ 1.234|50", "R$ 7|25"], "BRL"),
        (["12|00 zł", "1 200|00 zł"], "PLN"),
        (["CHF 1'200.50", "Fr. 12.00"], "CHF"),
        (["US$ 10.00", "USD 12.00", "$5.00 USD"], "USD"),
        (["A$10.00", "AU$12.00"], "AUD"),
        (["₹1|00|000.00", "₹ 5.00"], "INR"),
        (["(€10.00)", "-€5.00", "€20.00"], "EUR"),
    ],
)
def test_one_currency_in_the_cells_is_that_of_the_data_set(tmp_path, cells, code):
    with shop(tmp_path, cells) as sales:
        assert sales.currency == code
        assert any(code in note for note in sales.notes)


@pytest.mark.parametrize(
    ("heading", "code"),
    [
        ("Net Amount (EUR)", "EUR"),
        ("Total €", "EUR"),
        ("price_usd", "USD"),
        ("TotalGBP", "GBP"),
        ("Umsatz in Euro", "EUR"),
        ("Price (CA$)", "CAD"),
        ("Total (TRY)", "TRY"),
        ("TRY TOTAL ALL", None),
        ("try_all", None),
        ("top amount", None),
        ("Amount", None),
        ("Euroshop total", None),
    ],
)
def test_a_heading_says_the_currency_or_not(tmp_path, heading, code):
    with shop(tmp_path, ["10.00", "12.50"], heading=heading) as sales:
        assert sales.currency == code
        assert (f"the heading {heading!r} says" in " ".join(sales.notes)) == (code is not None)


@pytest.mark.parametrize(
    "cells",
    [
        ["$10.00", "€10.00", "£5.00"],
        ["10.00 EUR", "10.00 CHF"],
        ["$10.00", "A$10.00"],
        ["$10.00", "CAD 10.00"],
        ["¥100", "$100"],
        ["kr 100", "100 SEK"],
        ["₿1.00", "€1.00"],
    ],
)
def test_several_currencies_are_refused_with_the_lines_and_the_remedy(tmp_path, cells):
    with pytest.raises(InputError, match=r"line 2 .*line 3.*\[cleaning.rates\].*--currency"):
        shop(tmp_path, cells)


def test_a_late_second_currency_is_refused(tmp_path):
    lines = [f"{place};2024-01-01;€1.00" for place in range(30_000)] + ["x;2024-01-01;$1.00"]
    (tmp_path / "late.csv").write_text("\n".join(["customer;date;amount", *lines]), encoding="utf-8")
    with pytest.raises(InputError, match=r"line 2 and 29,999 more \('€'\), line 30002 \('\$'\)"):
        read_sales(str(tmp_path / "late.csv"))


def test_signs_are_converted_at_fixed_rates(tmp_path):
    rules = CleaningRules(rates={"USD": 0.5, "EUR": 0.85})
    with shop(tmp_path, ["£10.00", "€10.00", "$10.00", "10.00"][:3], rules=rules, currency="GBP") as sales:
        assert amounts(sales) == [100_000, 85_000, 50_000]
        assert sales.currency == "GBP"
        assert "Converted at fixed rates: 1 EUR = 0.85 GBP, 1 USD = 0.5 GBP." in sales.notes
    with shop(tmp_path, ["10.00", "20.00"], heading="amount_eur", rules=rules, currency="GBP") as sales:
        assert (amounts(sales), sales.currency) == ([85_000, 170_000], "GBP")
    with pytest.raises(InputError, match="blank on line 5"):
        shop(tmp_path, ["£10.00", "€10.00", "$10.00", "10.00"], rules=rules, currency="GBP")
    with pytest.raises(InputError, match=r"line 3 is in CHF \(column 'amount'\), which has no rate"):
        shop(tmp_path, ["£10.00", "CHF 10.00"], rules=rules, currency="GBP")


def test_totals_of_orders_are_converted_by_the_sign_on_their_first_line(tmp_path):
    rows = ["A;1;2024-01-01;€10.00", "A;1;2024-01-01;", "B;2;2024-01-02;£8.00", "B;2;2024-01-02;"]
    (tmp_path / "orders.csv").write_text("\n".join(["customer;order;date;order total", *rows]), encoding="utf-8")
    rules = CleaningRules(rates={"EUR": 0.5})
    with read_sales(str(tmp_path / "orders.csv"), rules=rules, currency="GBP") as sales:
        assert sorted(amounts(sales)) == [25_000, 25_000, 40_000, 40_000]
    with pytest.raises(InputError, match="several currencies"):
        read_sales(str(tmp_path / "orders.csv"))


def test_a_lone_dollar_is_usd_with_a_note_unless_something_says_otherwise(tmp_path):
    with shop(tmp_path, ["$10.00", "$12.00"]) as sales:
        assert sales.currency == "USD"
        assert (
            "'$' in column 'amount' was taken for USD. Say --currency if it is another, such as --currency CAD."
            in sales.notes[-1]
        )
    with shop(tmp_path, ["$10.00", "$12.00"], currency="CAD") as sales:
        assert sales.currency == "CAD"
    with shop(tmp_path, ["$10.00"], heading="Total (CAD)", currency="EUR") as sales:
        assert sales.currency == "CAD"
    with shop(tmp_path, ["$10.00"], currency="EUR") as sales:
        assert sales.currency == "USD"
        assert "'$' in column 'amount' was taken for USD." in sales.notes[-1]


@pytest.mark.parametrize(("cells", "stated"), [(["¥100", "¥250"], "CNY"), (["100 kr", "kr. 25"], "SEK")])
def test_a_sign_of_several_countries_is_asked_for(tmp_path, cells, stated):
    with shop(tmp_path, cells) as sales:
        assert sales.currency is None
        assert stated in sales.notes[-1] and "--currency" in sales.notes[-1]
    with shop(tmp_path, cells, currency=stated) as sales:
        assert sales.currency == stated


def test_a_heading_and_a_column_must_agree_with_the_cells(tmp_path):
    with pytest.raises(InputError, match=r"heading 'amount_eur' says eur, but the money on line 2 is written with '£'"):
        shop(tmp_path, ["£10.00"], heading="amount_eur")
    head, line = "customer;date;amount;currency\n", "1;2024-01-01;{};{}\n"
    path = tmp_path / "column.csv"
    path.write_text(head + line.format("$10.00", "CAD") + line.format("12.00", "CAD"), encoding="utf-8")
    with read_sales(str(path)) as sales:
        assert (sales.currency, sales.notes[-1]) == ("CAD", "All money is in CAD, as column 'currency' says.")
    path.write_text(head + line.format("$10.00", "CAD") + line.format("€12.00", "CAD"), encoding="utf-8")
    with pytest.raises(InputError, match=r"on line 3 column 'currency' .*says CAD, but column 'amount' says '€'"):
        read_sales(str(path))
    path.write_text(head.replace("amount", "amount_usd") + line.format("10.00", "EUR"), encoding="utf-8")
    with pytest.raises(InputError, match="--map currency= "):
        read_sales(str(path), mapping={"amount": "amount_usd"})
    with read_sales(str(path), mapping={"amount": "amount_usd", "currency": ""}) as sales:
        assert sales.currency == "USD"


def test_nothing_says_the_currency(tmp_path):
    with shop(tmp_path, ["10.00", "12.50"]) as sales:
        assert sales.currency is None
    with shop(tmp_path, ["10.00"], currency="eur") as sales:
        assert (sales.currency, sales.notes[-1]) == (
            "EUR",
            "All money is taken to be in EUR, as --currency or [sales] currency says.",
        )
    with pytest.raises(InputError, match="'EURO' is no currency; write its ISO 4217 code"):
        shop(tmp_path, ["10.00"], currency="EURO")


def test_words_that_are_no_currency():
    assert [meanings(text) for text in ("free", "", "e", "n a")] == [None] * 4
    assert meanings("€ USD") == () == meanings("XY$")
    assert in_heading("Catalogue price") == ("", ())


def test_what_comes_off_is_converted_as_well(tmp_path):
    rows = ["A,1,2024-01-01,€10.00,€4.00", "B,2,2024-01-02,£8.00,0"]
    (tmp_path / "back.csv").write_text(
        "\n".join(["customer,order,date,amount,refunded_amount", *rows]), encoding="utf-8"
    )
    with read_sales(str(tmp_path / "back.csv"), rules=CleaningRules(rates={"EUR": 0.5}), currency="GBP") as sales:
        assert {name: total.units for name, total in sales.totals().items()} == {
            "gross": 130_000,
            "returned": -20_000,
            "net": 110_000,
        }


@pytest.mark.parametrize(
    ("columns", "first", "second", "code"),
    [
        ("unit_price,Total (EUR)", "3.50,7.00", "4.00,4.00", "EUR"),
        ("unit_price,line_total", "3.50,€7.00", "4.00,€4.00", "EUR"),
        ("unit_price,line_total_cad", "$3.50,7.00", "$4.00,4.00", "CAD"),
        ("unit_price,fee_eur,fee_usd", "3.50,7.00,8.00", "4.00,4.00,5.00", None),
        ("unit_price,exchange rate EUR", "3.50,1.17", "4.00,1.16", None),
        ("unit_price (GBP),fee_eur", "3.50,1.00", "4.00,2.00", "GBP"),
    ],
)
def test_other_columns_of_money_say_what_that_which_is_read_leaves_open(tmp_path, columns, first, second, code):
    text = f"customer_id,order_id,order_date,quantity,{columns}\nA,1,2024-01-01,2,{first}\nB,2,2024-01-02,1,{second}\n"
    (tmp_path / "beside.csv").write_text(text, encoding="utf-8")
    with read_sales(str(tmp_path / "beside.csv")) as sales:
        assert (sales.currency, sales.totals()["gross"].units) == (code, 110_000)


@pytest.mark.parametrize(
    ("heading", "without"),
    [
        ("Betrag in CHF", "Betrag"),
        ("TotalUSD", "Total"),
        ("amount_in_usd", "amount"),
        ("EUR amount", "amount"),
        ("EUR", "EUR"),
        ("Currency", "Currency"),
        ("total", "total"),
    ],
)
def test_a_heading_is_found_whatever_currency_it_names(heading, without):
    assert without_currency(heading) == without


def test_columns_are_found_by_headings_with_a_currency(tmp_path):
    text = "Kunde;Beleg;Datum;Betrag in CHF\nA;1;2024-01-01;2,50\nB;2;2024-01-02;1 200,00 CHF\n"
    (tmp_path / "swiss.csv").write_text(text, encoding="utf-8")
    with read_sales(str(tmp_path / "swiss.csv")) as sales:
        assert (sales.mapping["amount"], sales.currency) == ("Betrag in CHF", "CHF")
