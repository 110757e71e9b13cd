"""Every line and every unit of money is accounted for, on Online Retail to the last penny."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from engines.columns import FREQUENCY, MONETARY, NET_MONETARY
from engines.errors import InputError
from engines.features import build_customers
from engines.intake import RULES, CleaningRules, Ledger, LedgerEntry, Sales, read_sales

HEAD = "customer_id,order_id,date,quantity,unit_price,country\n"
LINES = HEAD + (
    "1,100,2020-01-01,2,1.25,France\n"
    "1,100,2020-01-01,2,1.25,France\n"  # an exact duplicate
    "2,101,2020-01-02,1.5,0.3333,\n"  # a fraction of a blank country: 0.49995 is 0.5 to the unit
    "3,102,2020-01-03,1,7,unspecified\n"
    ",C103,2020-01-03,-1,5,France\n"  # missing id comes before cancellation
    "1,C104,2020-01-04,-1,1.25,France\n"
    "1,A105,2020-01-04,1,-11062.06,France\n"  # bad debt comes before the price
    "2,106,2020-01-05,-3,2,France\n"
    "2,107,2020-01-05,0,2,France\n"
    "3,108,2020-01-06,4,0,France\n"
    "3,CA-109,2020-01-07,1,9,France\n"  # starts with C, but is an order like any other
)


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "sales.csv"
    path.write_text(LINES)
    return str(path)


#: Returns are set apart, and take nothing off; test_returns.py is about the others.
DROP = CleaningRules(returns="drop")


def ledger_of(source: str, **options) -> dict:
    with read_sales(source, **{"rules": DROP, **options}) as sales:
        return sales.ledger.to_dict()


def by_rule(ledger: dict, part: str = "rules") -> dict[str, tuple[int, float]]:
    return {entry["rule"]: (entry["lines"], entry["revenue"]) for entry in ledger[part]}


def test_each_line_counts_under_the_first_rule_that_catches_it(source):
    ledger = ledger_of(source)
    assert ledger["in"] == {"lines": 11, "orders": 10, "customers": 3, "revenue": -11052.81}
    assert by_rule(ledger) == {
        "unreadable": (0, 0.0),
        "missing_customer_id": (1, -5.0),
        "cancellation": (2, -11063.31),
        "non_positive_quantity": (2, -6.0),
        "non_positive_price": (1, 0.0),
        "after_as_of": (0, 0.0),
    }
    noticed = {"exact_duplicate": (1, 2.5), "unknown_country": (2, 7.5), "test_order": (0, 0), "outlier": (0, 0)}
    assert by_rule(ledger, "notes") == noticed
    assert ledger["out"] == {"lines": 5, "orders": 4, "customers": 3, "revenue": 21.5}
    cancelled = next(rule for rule in ledger["rules"] if rule["rule"] == "cancellation")
    assert (cancelled["orders"], cancelled["customers"]) == (2, 1)
    assert json.loads(json.dumps(ledger, allow_nan=False)) == ledger


def test_rules_can_be_switched(source):
    kept = by_rule(
        ledger_of(source, rules=CleaningRules(returns="drop", drop_cancellations=False, drop_non_positive_price=False))
    )
    assert kept == {
        "unreadable": (0, 0.0),
        "missing_customer_id": (1, -5.0),
        "non_positive_quantity": (3, -7.25),
        "after_as_of": (0, 0.0),
    }
    ledger = ledger_of(source, rules=CleaningRules(returns="drop", drop_exact_duplicates=True))
    assert by_rule(ledger)["exact_duplicate"] == (1, 2.5)
    assert "exact_duplicate" not in by_rule(ledger, "notes")
    assert ledger["out"]["lines"] == 4


def test_returns_are_kept_apart_with_negative_amounts(source):
    with read_sales(source, rules=DROP) as sales:
        rows = sales.table.filter(sales.table.line_type == "return").to_pyarrow().to_pylist()
        countries = set(sales.table.country.to_pyarrow().to_pylist())
    found = sorted((row["customer_id"], row["order_id"], row["amount_units"]) for row in rows)
    assert found == [("1", "A105", -110620600), ("1", "C104", -12500), ("2", "106", -60000)]
    assert countries == {"France", "Unknown"}


def test_the_as_of_date_is_exclusive(source):
    ledger = ledger_of(source, as_of=date(2020, 1, 3))
    assert by_rule(ledger)["after_as_of"] == (2, 16.0)
    assert by_rule(ledger)["cancellation"][0] == 2  # an earlier rule keeps its lines
    with read_sales(source, rules=DROP, as_of=date(2020, 1, 3)) as sales:
        assert (sales.first_day, sales.last_day) == (date(2020, 1, 1), date(2020, 1, 2))
        assert sales.table.count().to_pyarrow().as_py() == 3  # returns from later days are gone as well
    with read_sales(source, rules=DROP) as sales:
        assert sales.as_of == date(2020, 1, 8)
    with pytest.raises(InputError, match="no sale before 2020-01-01; the first is on 2020-01-01"):
        read_sales(source, as_of=date(2020, 1, 1))


def test_amounts_alone(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("customer,date,amount\n1,2020-01-01,5\n1,2020-01-02,0\n2,2020-01-02,-3.5\n2,2020-01-03,4\n")
    ledger = ledger_of(str(path))
    assert by_rule(ledger) == {
        "unreadable": (0, 0),
        "missing_customer_id": (0, 0),
        "negative_amount": (1, -3.5),
        "after_as_of": (0, 0),
    }
    assert by_rule(ledger, "notes") == {"exact_duplicate": (0, 0), "zero_amount": (1, 0)}
    with read_sales(str(path), rules=DROP) as sales:
        (returned,) = sales.table.filter(sales.table.line_type == "return").to_pyarrow().to_pylist()
    assert (returned["customer_id"], returned["amount_units"]) == ("2", -35_000)
    dropped = ledger_of(str(path), rules=CleaningRules(returns="drop", zero_amount="drop"))
    assert by_rule(dropped)["zero_amount"] == (1, 0)
    assert dropped["out"] == {"lines": 2, "customers": 2, "revenue": 9.0}


def test_an_empty_as_of_or_nothing_left_says_why(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text(HEAD + "1,C1,2020-01-01,-1,5,France\n,2,2020-01-01,1,5,France\n")
    with pytest.raises(InputError, match="cleaning leaves no line"):
        read_sales(str(path))


def test_customer_ids_are_text(tmp_path):
    path = tmp_path / "sales.csv"
    ids = ["17850.0", "17850", "CS5295", "0042", "\t7 ", "12.50", "nan", "NULL", " ", "-1"]
    path.write_text("customer_id,date,amount\n" + "".join(f"{text},2020-01-01,1\n" for text in ids))
    with read_sales(str(path)) as sales:
        found = sales.table.customer_id.to_pyarrow().to_pylist()
    assert sorted(found) == sorted(["17850", "17850", "CS5295", "0042", "7", "12.50", "-1"])


def test_a_ledger_that_does_not_add_up_cannot_be_made():
    came_in, left = LedgerEntry("in", 10, 100, 3), LedgerEntry("out", 8, 90, 3)
    Ledger(came_in, (LedgerEntry("cancellation", 2, 10),), (), left)
    for wrong in (LedgerEntry("cancellation", 1, 10), LedgerEntry("cancellation", 2, 11)):
        with pytest.raises(AssertionError, match="does not add up"):
            Ledger(came_in, (wrong,), (), left)


def test_money_is_exact_beyond_what_floating_point_holds(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("customer_id,date,quantity,price\n1,2020-01-01,99,99999999999.9999\n1,2020-01-01,0.125,0.0004\n")
    with read_sales(str(path)) as sales:
        assert sorted(sales.table.amount_units.to_pyarrow().to_pylist()) == [1, 99 * 999_999_999_999_999]


def test_money_too_large_to_count_is_refused(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("customer_id,date,amount\n" + "1,2020-01-01,90000000000000\n" * 20)
    with pytest.raises(InputError, match="more than can be counted exactly"):
        read_sales(str(path))


@pytest.fixture(scope="module")
def online_retail(shared_data: Path):
    with read_sales(str(shared_data / "online_retail.csv.gz"), rules=DROP) as sales:
        yield sales


def test_control_totals_of_online_retail(online_retail: Sales):
    ledger = online_retail.ledger.to_dict()
    assert ledger["in"] == {"lines": 541_909, "orders": 25_900, "customers": 4_372, "revenue": 9_747_747.934}
    assert ledger["out"] == {"lines": 397_884, "orders": 18_532, "customers": 4_338, "revenue": 8_911_407.904}
    assert by_rule(ledger)["missing_customer_id"][0] == 135_080
    assert list(by_rule(ledger)) == [rule for rule in RULES if rule in by_rule(ledger)]
    assert online_retail.as_of == date(2011, 12, 10)
    assert (online_retail.first_day, online_retail.last_day) == (date(2010, 12, 1), date(2011, 12, 9))
    assert not online_retail.synthetic


def test_online_retail_net_of_returns(online_retail: Sales):
    table = online_retail.table
    assert table.amount_units.sum().to_pyarrow().as_py() == 83_000_658_140
    assert table.customer_id.nunique().to_pyarrow().as_py() == 4_372 - 1  # one has nothing but lines at no price


def test_control_totals_beside_the_ledger(online_retail: Sales):
    totals = online_retail.totals()
    assert (totals["gross"].units, totals["gross"].customers) == (89_114_079_040, 4_338)
    assert (totals["returned"].lines, totals["returned"].units) == (8_905, -6_113_420_900)


def test_net_of_returns_by_the_documented_settings(shared_data: Path):
    rules = CleaningRules(returns="net", drop_non_positive_price=False)
    with read_sales(str(shared_data / "online_retail.csv.gz"), rules=rules) as sales:
        ledger, totals = sales.ledger.to_dict(), sales.totals()
        customers = build_customers(sales.table, as_of=sales.as_of)
    parts = {part["rule"]: part for part in ledger["parts"]}
    assert (parts["sold"]["customers"], parts["sold"]["revenue"]) == (4_339, 8_911_407.904)
    assert parts["returned_product"]["revenue"] == -478_501.01
    assert {name: (total.customers, total.units) for name, total in totals.items()} == {
        "gross": (4_339, 89_114_079_040),
        "returned": (1_589, -6_113_420_900),
        "net": (4_372, 83_000_658_140),
    }
    (alone,) = (note for note in ledger["notes"] if note["rule"] == "only_returns")
    assert (len(customers), alone["customers"], ledger["out"]["customers"]) == (4_324, 33, 4_324)
    assert customers[MONETARY].sum() == pytest.approx(8_314_071.194) == ledger["out"]["revenue"]
    assert customers.loc["16446", [MONETARY, FREQUENCY]].tolist() == [2.9, 1] and "12346" not in customers.index


def test_gross_of_returns_the_same_two_customers(online_retail: Sales):
    customers = build_customers(online_retail.table, as_of=online_retail.as_of)
    assert customers.loc[["12346", "16446"], MONETARY].tolist() == [77_183.6, 168_472.5]
    assert customers.loc[["12346", "16446"], NET_MONETARY].tolist() == [0.0, 2.9]
    assert customers.loc[["12346", "16446"], FREQUENCY].tolist() == [1, 2]
