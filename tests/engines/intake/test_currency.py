"""Money in several currencies, at fixed rates, exact to 1/10,000 of the unit."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.errors import InputError
from engines.intake import CleaningRules, read_sales

ASSUMED = "All money is taken to be in GBP, as --currency or [sales] currency says."
HEAD = "customer,date,amount,currency\n"


def units(folder: Path, lines: str, rates: dict[str, float], base: str = "GBP"):
    path = folder / "sales.csv"
    path.write_text(HEAD + lines, encoding="utf-8")
    with read_sales(str(path), rules=CleaningRules(rates=rates), currency=base) as sales:
        rows = sales.table.to_pyarrow().to_pylist()
        return {row["customer_id"]: row["amount_units"] for row in rows}, sales.currency, sales.notes, sales.ledger


def test_rates_are_exact_and_halves_go_away_from_zero(tmp_path):
    lines = "1,2020-01-01,10,GBP\n2,2020-01-01,10,eur \n3,2020-01-01,0.0001,USD\n4,2020-01-01,-0.0001,USD\n"
    lines += "5,2020-01-01,70000000000.0001,EUR\n"
    found, currency, notes, ledger = units(tmp_path, lines, {"EUR": 0.85, "usd": 0.5})
    assert found == {"1": 100_000, "2": 85_000, "3": 1, "4": -1, "5": 595_000_000_000_001}
    assert (currency, ledger.came_in.units) == ("GBP", 595_000_000_185_001)
    assert notes == ("Converted at fixed rates: 1 EUR = 0.85 GBP, 1 USD = 0.5 GBP.",)


def test_one_currency_alone_needs_no_rate(tmp_path):
    found, currency, notes, _ = units(tmp_path, "1,2020-01-01,10,EUR\n2,2020-01-01,1,\n", {})
    assert (found, currency) == ({"1": 100_000, "2": 10_000}, "EUR")
    assert notes == ("All money is in EUR, as column 'currency' says.",)
    assert units(tmp_path, "1,2020-01-01,10,EUR\n2,2020-01-01,1,\n", {"EUR": 2})[:2] == (
        {"1": 200_000, "2": 20_000},
        "GBP",
    )
    assert units(tmp_path, "1,2020-01-01,10,GBP\n", {"EUR": 2})[:3] == ({"1": 100_000}, "GBP", ())
    assert units(tmp_path, "1,2020-01-01,10,\n", {"EUR": 2}, base="")[:3] == ({"1": 100_000}, None, ())
    assert units(tmp_path, "1,2020-01-01,10,\n", {"EUR": 2})[1:3] == ("GBP", (ASSUMED,))


def test_a_column_may_hold_signs_and_words(tmp_path):
    found, currency, notes, _ = units(tmp_path, "1,2020-01-01,10,€\n2,2020-01-01,1,Euro\n", {}, base="")
    assert (found, currency) == ({"1": 100_000, "2": 10_000}, "EUR")
    assert notes == ("All money is in EUR, as '€' in column 'currency' says.",)
    both = "1,2020-01-01,10,€\n2,2020-01-01,1,£\n"
    assert units(tmp_path, both, {"EUR": 0.5})[:2] == ({"1": 50_000, "2": 10_000}, "GBP")
    with pytest.raises(InputError, match=r"EUR, GBP .*--currency"):
        units(tmp_path, both, {"EUR": 0.5, "GBP": 1}, base="")


@pytest.mark.parametrize(
    ("lines", "rates", "message"),
    [
        ("1,2020-01-01,1,GBP\n2,2020-01-01,1,CHF\n3,2020-01-01,1,CHF\n", {}, "line 3 and 1 more is in CHF .*no rate"),
        ("1,2020-01-01,1,GBP\n2,2020-01-01,1,EUR\n3,2020-01-01,1,\n", {"EUR": 2}, "blank on line 4.*EUR, GBP"),
        ("1,2020-01-01,1,GBP\n2,2020-01-01,1,US'$\n", {}, r"US'\$"),
        ("1,2020-01-01,1,GBP\n2,2020-01-01,1,EUR\n", {"EUR": 0.0}, "EUR = 0.0: give a number above 0"),
        ("1,2020-01-01,1,GBP\n2,2020-01-01,1,EUR\n", {"EUR": float("nan")}, "EUR = nan: give a number"),
        ("1,2020-01-01,1,GBP\n2,2020-01-01,1,EUR\n", {"EUR": 0.123456789012}, "at most 10 decimals"),
        ("1,2020-01-01,1,GBP\n2,2020-01-01,90000000000000,EUR\n", {"EUR": 99.0}, "more than can be counted exactly"),
    ],
)
def test_what_cannot_be_converted_is_refused(tmp_path, lines, rates, message):
    with pytest.raises(InputError, match=message):
        units(tmp_path, lines, rates)
