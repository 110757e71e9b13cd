"""``segmentry inspect`` and the cleaning that is asked for on the command line, in config.toml and in old snapshots."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path

import pyarrow.parquet
import pytest

from engines.settings import CleaningRules
from tests.dashboard.calling import call

SHOP = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,A,RED BAG,2,2024-01-05 10:00:00,2.50,1.0,Germany
2,X,TEA MUG,1,2024-01-20 10:00:00,4.00,1.0,Germany
3,A,"=HYPERLINK(""x"")",3,2024-02-01 10:00:00,2.50,2.0,France
C4,A,"=HYPERLINK(""x"")",-1,2024-02-02 10:00:00,2.50,2.0,France
5,X,TEA MUG,1,2024-02-03 10:00:00,4.00,,France
6,POST,POSTAGE,1,2024-02-10 10:00:00,9.00,3.0,Germany
7,C,CARD,90,2024-02-11 10:00:00,1.00,4.0,Germany
"""


@pytest.fixture
def segmentry(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    return call


DROP = ("--returns", "drop")


def looked_at(segmentry, *words, **options) -> dict:
    return json.loads(segmentry("inspect", "shop.csv", "--json", *words, **options).stdout)


def rules(ledger: dict) -> dict[str, int]:
    return {entry["rule"]: entry["lines"] for entry in ledger["rules"] if entry["lines"]}


def test_everything_short_of_storing(segmentry, tmp_path):
    found = looked_at(segmentry, *DROP)
    assert (found["title"], found["currency"], found["synthetic"]) == ("shop.csv", None, False)
    assert found["mapping"]["customer_id"] == "CustomerID" and len(found["fingerprint"]) == 64
    assert (found["first_day"], found["last_day"], found["as_of"]) == ("2024-01-05", "2024-02-11", "2024-02-12")
    assert found["ledger"]["in"] == {"lines": 7, "orders": 7, "customers": 4, "revenue": 117.0}
    assert rules(found["ledger"]) == {"missing_customer_id": 1, "cancellation": 1}
    assert found["totals"] == {
        "gross": {"lines": 5, "orders": 5, "customers": 4, "revenue": 115.5},
        "returned": {"lines": 1, "orders": 1, "customers": 1, "revenue": -2.5},
        "net": {"lines": 6, "orders": 5, "customers": 4, "revenue": 113.0},
    }
    assert [path.name for path in tmp_path.iterdir()] == ["shop.csv"]  # no database, nothing
    stored = json.loads(segmentry("run", "shop.csv", *DROP, "--engine", "rfm", "--json").stdout)
    assert stored["snapshot"]["ledger"] == found["ledger"]


def test_for_people(segmentry):
    done = segmentry("inspect", "shop.csv", "--returns", "net")
    for text in ("CustomerID", "Ledger", "taken off the same product", "Control totals", "net of returns", "113.00"):
        assert text in done.stdout


def test_dropped_lines_as_csv_are_safe_for_spreadsheets(segmentry, tmp_path):
    found = looked_at(segmentry, *DROP, "--dropped", "dropped.csv")
    with (tmp_path / "dropped.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert found["dropped"] == len(rows) == 2
    assert list(rows[0])[:3] == ["line", "rule", "reason"]
    assert [(row["line"], row["rule"], row["order_id"]) for row in rows] == [
        ("5", "cancellation", "C4"),
        ("6", "missing_customer_id", "5"),
    ]
    assert rows[0]["description"] == '\'=HYPERLINK("x")' and rows[0]["quantity"] == "'-1"
    assert "with a customer id it counts as a return" in rows[0]["reason"]


def test_dropped_lines_as_parquet_are_as_they_were(segmentry, tmp_path):
    looked_at(segmentry, *DROP, "--dropped", "dropped.parquet")
    rows = pyarrow.parquet.read_table(tmp_path / "dropped.parquet").to_pylist()
    assert (rows[0]["description"], rows[0]["quantity"]) == ('=HYPERLINK("x")', "-1")
    assert rows[1]["customer_id"] is None and rows[0]["order_date"] == "2024-02-02 10:00:00"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.csv"], "no file nowhere.csv"),
        (["shop.csv", "--dropped", "dropped.xlsx"], "written as .csv or .parquet"),
        (["shop.csv", "--dropped", "dropped"], "must end in"),
        (["shop.csv", "--dropped", "no/folder/dropped.csv"], "cannot be written"),
        (["shop.csv", "--from", "2024-03-01", "--to", "2024-02-01"], "2024-03-01, is after the last, 2024-02-01"),
        (["shop.csv", "--from", "2025-01-01"], "cleaning leaves no line"),
    ],
)
def test_what_is_refused(segmentry, tmp_path, words, message):
    done = segmentry("inspect", *words, code=2)
    assert message in done.stderr and done.stderr.count("Error: ") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["shop.csv"]


def test_options_go_before_the_configuration(segmentry, tmp_path):
    (tmp_path / "my.toml").write_text(
        '[cleaning]\nreturns = "net"\nfrom_day = "2024-02-01"\ndrop_non_products = true\n'
    )
    found = looked_at(segmentry, "--config", "my.toml", "--to", "2024-02-10", "--as-of", "2024-02-11")
    assert rules(found["ledger"]) == {"outside_dates": 3, "missing_customer_id": 1, "non_product": 1}
    assert [part["revenue"] for part in found["ledger"]["parts"]] == [7.5, -2.5, 0.0, 0.0]
    words = ("--returns", "net", "--from", "2024-02-01", "--to", "2024-02-10", "--engine", "rfm", "--json")
    run = json.loads(segmentry("run", "shop.csv", *words).stdout)
    assert run["snapshot"]["ledger"]["parts"][1]["revenue"] == -2.5


def test_customers_in_a_file_are_kept_with_the_snapshot(segmentry, tmp_path):
    (tmp_path / "staff.txt").write_text("4.0\n\n 99 \n", encoding="utf-8")
    (tmp_path / "my.toml").write_text('[cleaning]\nwithout_customers = "staff.txt"\n')
    assert rules(looked_at(segmentry, "--config", "my.toml")["ledger"])["excluded_customer"] == 1
    run = json.loads(segmentry("run", "shop.csv", "--engine", "rfm", "--config", "my.toml", "--json").stdout)
    with sqlite3.connect(tmp_path / "segmentry.db") as connection:
        (settings,) = connection.execute("select settings from snapshots").fetchone()
    assert json.loads(settings)["cleaning"]["without_customers"] == ["4", "99"]
    (tmp_path / "staff.txt").unlink()
    again = json.loads(segmentry("reproduce", run["runs"][0]["id"], "--json").stdout)
    assert again["identical"] and again["source"] is not None
    done = segmentry("inspect", "shop.csv", "--config", "my.toml", code=2)
    assert "without_customers: the file staff.txt does not exist" in done.stderr


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('returns = "maybe"', "cleaning.returns"),
        ('from_day = "1/2/2024"', 'write a day as "2011-01-31"'),
        ('from_day = "2024-02-02"\nto_day = "2024-02-01"', "from_day 2024-02-02 is after to_day 2024-02-01"),
        ("outlier_z = 0.0", "cleaning.outlier_z"),
        ('rates = {EUR = "much"}', "cleaning.rates"),
        ("only_products = []", "unknown key 'only_products'"),
    ],
)
def test_settings_that_cannot_be(segmentry, tmp_path, setting, message):
    (tmp_path / "my.toml").write_text(f"[cleaning]\n{setting}\n")
    assert message in segmentry("inspect", "shop.csv", "--config", "my.toml", code=2).stderr


def test_a_snapshot_made_before_the_newer_rules_can_still_be_reproduced(segmentry, tmp_path):
    run = json.loads(segmentry("run", "shop.csv", *DROP, "--engine", "rfm", "--json").stdout)["runs"][0]["id"]
    old = ("drop_cancellations", "drop_non_positive_quantity", "drop_non_positive_price", "zero_amount")
    old += ("drop_exact_duplicates", "unknown_countries")
    with sqlite3.connect(tmp_path / "segmentry.db") as connection:
        settings, ledger = map(json.loads, connection.execute("select settings, ledger from snapshots").fetchone())
        settings["cleaning"] = {name: settings["cleaning"][name] for name in old}
        for side in (ledger["in"], ledger["out"]):
            del side["orders"]
        for entry in (*ledger["rules"], *ledger["notes"]):
            del entry["orders"], entry["customers"]
        connection.execute("update snapshots set settings = ?, ledger = ?", (json.dumps(settings), json.dumps(ledger)))
    (tmp_path / "now.toml").write_text('[cleaning]\nreturns = "net"\nto_day = "2024-01-31"\n')
    again = json.loads(segmentry("reproduce", run, "--config", "now.toml", "--json").stdout)
    assert again["identical"] and again["source"]["differ"] == 0
    labelled = segmentry("predict", run, "--input", "shop.csv", "--config", "now.toml", "--json")
    assert len(json.loads(labelled.stdout)["customers"]) == 4
    assert CleaningRules.from_dict(settings["cleaning"]) == CleaningRules(
        test_orders=(), non_product_codes=(), nobody=(), discount_lines=(), returns="drop"
    )


def test_old_ledgers_are_printed(capsys):
    from dashboard.commands.printing import print_ledger

    side = {"lines": 3, "revenue": 2.5}
    print_ledger({"in": side, "rules": [{"rule": "cancellation", **side}], "notes": [], "out": side}, "GBP")
    assert "cancellation" in capsys.readouterr().out
