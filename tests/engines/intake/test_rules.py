"""The rules that a retailer may switch on, each on lines that it catches; the ledger adds up in every mix."""

from __future__ import annotations

import random
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from engines.columns import GROSS_MONETARY, MONETARY, NET_MONETARY
from engines.errors import InputError
from engines.features import build_customers
from engines.intake import RULES, CleaningRules, read_sales

HEAD = "customer_id,order_id,date,quantity,unit_price,product_id\n"
LINES = (
    "1,100,2020-01-01,2,5,A\n"
    "1,101,2020-01-02,1,4,post\n"
    "1,C102,2020-01-03,-1,5,A\n"
    "1,C103,2020-01-04,-1,4,POST\n"
    "2,104,2020-01-05,3,6,X\n"
    "2,TEST-7,2020-01-06,1,9,X\n"
    "2,105,2020-01-07,1,9,test001\n"
    "3,106,2020-01-08,1,7,gift_0001_20\n"
    "4,C107,2020-01-09,-2,8,X\n"
    "5,C108,2020-01-10,2,3,X\n"  # a return that the source writes with a plus
    "5,109,2020-01-11,1,10,X\n"
    "5,110,2020-01-12,0,10,X\n"
)


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "sales.csv"
    path.write_text(HEAD + LINES)
    return str(path)


def ledger_of(source: str, **options) -> dict:
    rules = CleaningRules(**{"returns": "drop", **options.pop("rules", {})})
    with read_sales(source, rules=rules, **options) as sales:
        return sales.ledger.to_dict()


def dropped_by(ledger: dict, name: str) -> tuple[int, float]:
    return next((entry["lines"], entry["revenue"]) for entry in ledger["rules"] if entry["rule"] == name)


def noted(ledger: dict, name: str) -> tuple[int, float]:
    return next((entry["lines"], entry["revenue"]) for entry in ledger["notes"] if entry["rule"] == name)


def test_codes_and_trials_are_noted_and_dropped_when_asked(source):
    ledger = ledger_of(source)
    assert (noted(ledger, "non_product"), noted(ledger, "test_order")) == ((2, 11.0), (2, 18.0))
    rules = {"drop_non_products": True, "drop_test_orders": True}
    ledger = ledger_of(source, rules=rules)
    assert dropped_by(ledger, "test_order") == (2, 18.0)
    assert dropped_by(ledger, "non_product") == (3, 7.0)  # the cancelled postage as well
    assert not {"test_order", "non_product"} & {note["rule"] for note in ledger["notes"]}
    with read_sales(source, rules=CleaningRules(**rules)) as sales:
        assert sorted(set(sales.table.product_id.to_pyarrow().to_pylist())) == ["A", "X"]
    few = ledger_of(source, rules={**rules, "non_product_codes": ("A",), "test_orders": ("te?t",)})
    assert (dropped_by(few, "non_product"), dropped_by(few, "test_order")) == ((2, 5.0), (0, 0.0))


def test_only_some_days(source):
    ledger = ledger_of(source, rules={"from_day": "2020-01-02", "to_day": "2020-01-05"})
    assert dropped_by(ledger, "outside_dates")[0] == 8
    assert (ledger["out"]["lines"], ledger["out"]["revenue"]) == (2, 22.0)
    with read_sales(source, rules=CleaningRules(from_day="2020-01-04", to_day="2020-01-05")) as sales:
        assert sales.table.line_type.to_pyarrow().to_pylist().count("return") == 1  # not the one of the day before
        assert (sales.first_day, sales.as_of) == (date(2020, 1, 5), date(2020, 1, 6))
    with pytest.raises(InputError, match=r"cleaning leaves no line .*outside_dates 12"):
        read_sales(source, rules=CleaningRules(from_day="2021-01-01"))


def test_only_some_customers(source):
    ledger = ledger_of(source, rules={"without_customers": ("1", "9")})
    assert dropped_by(ledger, "excluded_customer") == (4, 5.0)
    ledger = ledger_of(source, rules={"only_customers": ("2", "1"), "without_customers": ("1",)})
    assert (dropped_by(ledger, "excluded_customer")[0], dropped_by(ledger, "customer_not_listed")[0]) == (4, 5)
    assert ledger["out"]["customers"] == 1
    with pytest.raises(InputError, match="customer_not_listed 12"):
        read_sales(source, rules=CleaningRules(only_customers=("nobody",)))


def test_returns_take_off_what_they_undo(source):
    ledger = ledger_of(source, rules={"returns": "net"})
    parts = {part["rule"]: (part["lines"], part["revenue"]) for part in ledger["parts"]}
    assert parts == {
        "sold": (7, 67.0),
        "returned_product": (1, -5.0),
        "returned_amount": (1, -4.0),  # product post was bought, and POST went back
        "returned_money": (0, 0.0),
    }
    assert ledger["out"]["revenue"] == 58.0
    assert dropped_by(ledger, "without_purchase") == (2, -22.0)  # never bought, or the day after
    assert dropped_by(ledger, "return_sign") == (0, 12.0)
    assert dropped_by(ledger, "non_positive_quantity") == (1, 0.0)
    assert noted(ledger, "only_returns") == (1, -16.0)
    assert [total["revenue"] for total in ledger["totals"]] == [67.0, -31.0, 36.0]
    assert [total["revenue"] for total in ledger_of(source)["totals"]] == [67.0, -31.0, 36.0]
    with read_sales(source, rules=CleaningRules(returns="net")) as sales:
        net = build_customers(sales.table, as_of=sales.as_of)
    with read_sales(source, rules=CleaningRules(returns="drop")) as sales:
        gross = build_customers(sales.table, as_of=sales.as_of)
    assert net[MONETARY].to_dict() == {"1": 5.0, "2": 36.0, "3": 7.0, "5": 10.0}
    assert gross[MONETARY].to_dict() == {"1": 14.0, "2": 36.0, "3": 7.0, "5": 10.0}
    assert net["frequency"].to_dict() == {"1": 1, "2": 3, "3": 1, "5": 1} and gross.loc["1", "frequency"] == 2
    for customers in (net, gross):
        assert customers[GROSS_MONETARY].to_dict() == {"1": 14.0, "2": 36.0, "3": 7.0, "5": 10.0}
        assert customers[NET_MONETARY].to_dict() == {"1": 5.0, "2": 36.0, "3": 7.0, "5": 4.0}


def test_a_return_after_the_as_of_date_is_not_subtracted(source):
    ledger = ledger_of(source, rules={"returns": "net"}, as_of=date(2020, 1, 4))
    assert (ledger["out"]["lines"], ledger["out"]["revenue"]) == (3, 9.0)
    assert dropped_by(ledger, "after_as_of")[0] == 8


def test_outliers_are_noted_and_dropped_when_asked(tmp_path):
    path = tmp_path / "sales.csv"
    amounts = [*range(8, 14)] * 5 + [9_000, 0.02]
    path.write_text("customer_id,date,amount\n" + "".join(f"{n},2020-01-01,{a}\n" for n, a in enumerate(amounts)))
    assert noted(ledger_of(str(path)), "outlier") == (2, 9_000.02)
    ledger = ledger_of(str(path), rules={"drop_outliers": True})
    assert dropped_by(ledger, "outlier") == (2, 9_000.02)
    assert ledger["out"]["lines"] == 30
    assert noted(ledger_of(str(path), rules={"outlier_z": 40.0}), "outlier") == (0, 0.0)


def test_outliers_are_those_of_the_formula_in_any_order(tmp_path):
    random_numbers = np.random.default_rng(1)
    units = np.unique((random_numbers.lognormal(2, 1.5, 5_001) * 100).round().astype(int))
    units = units[: units.size - (units.size + 1) % 2]  # an odd number, so that there is one in the middle
    logs = np.log(units)
    middle = np.median(logs)
    z = 0.6745 * np.abs(logs - middle) / np.median(np.abs(logs - middle))
    expected = (int((z > 2.5).sum()), units[z > 2.5].sum() / 100)
    lines = [f"{n},2020-01-01,{u / 100:.2f}\n" for n, u in enumerate(units)]
    for _ in range(2):
        path = tmp_path / "sales.csv"
        path.write_text("customer_id,date,amount\n" + "".join(lines))
        assert noted(ledger_of(str(path), rules={"outlier_z": 2.5}), "outlier") == expected
        random.Random(3).shuffle(lines)
    assert expected[0] > 10


def test_what_is_usual_is_not_learnt_from_later_lines(tmp_path):
    path = tmp_path / "sales.csv"
    early = [f"{n},2020-01-01,{10 + n % 5}\n" for n in range(20)] + ["77,2020-01-02,400\n"]
    late = [f"{n},2020-02-01,{400 + n % 50}\n" for n in range(200)]
    path.write_text("customer_id,date,amount\n" + "".join(early + late))
    assert noted(ledger_of(str(path), as_of=date(2020, 1, 3)), "outlier") == (1, 400.0)
    path.write_text("customer_id,date,amount\n" + "".join(early))
    assert noted(ledger_of(str(path)), "outlier") == (1, 400.0)


@pytest.mark.parametrize("returns", [pytest.param("drop", marks=pytest.mark.slow), "net"])
def test_the_ledger_adds_up_in_every_mix_of_switches(source, returns):
    names = ("drop_cancellations", "drop_non_positive_quantity", "drop_outliers")
    for number, switches in enumerate(product([True, False], repeat=len(names))):
        rules = {**dict(zip(names, switches, strict=True)), "returns": returns, "drop_non_products": switches[0]}
        as_of = date(2020, 1, 6) if number % 2 else None
        with read_sales(source, rules=CleaningRules(**rules), as_of=as_of, keep_dropped=True) as sales:
            ledger = sales.ledger.to_dict()
            rows = sum(batch.num_rows for batch in sales.dropped())
            held = sales.table.line_type == "sale"
            if returns == "net":
                held &= sales.table.holds_until.isnull()
            left = sales.table.filter(held)
            customers, units = (
                measure.to_pyarrow().as_py() for measure in (left.customer_id.nunique(), left.amount_units.sum())
            )
        assert rows == sum(entry["lines"] for entry in ledger["rules"])
        assert (customers, units / 10_000) == (ledger["out"]["customers"], ledger["out"]["revenue"])
        lines = ledger["out"]["lines"] + sum(entry["lines"] for entry in ledger["rules"])
        money = ledger["out"]["revenue"] + sum(entry["revenue"] for entry in ledger["rules"])
        assert (lines, money) == (ledger["in"]["lines"], ledger["in"]["revenue"])


def test_dropped_lines_are_as_the_source_has_them(source):
    with read_sales(source, rules=CleaningRules(returns="drop", drop_test_orders=True), keep_dropped=True) as sales:
        table = sales.dropped().read_all()
        rows = table.to_pylist()
    assert [row["line"] for row in rows] == [4, 5, 7, 8, 10, 11, 13]
    assert rows[0] == {
        "line": 4,
        "rule": "cancellation",
        "reason": f"{RULES['cancellation'].catches}: {RULES['cancellation'].because}",
        "customer_id": "1",
        "order_id": "C102",
        "order_date": "2020-01-03",
        "quantity": "-1",
        "unit_price": "5",
        "product_id": "A",
    }
    assert {row["rule"] for row in rows} == {"cancellation", "test_order", "non_positive_quantity"}
    with read_sales(source) as sales, pytest.raises(ValueError, match="keep_dropped"):
        sales.dropped()
