"""The currency on the command line: said by the source, by --currency or by nobody, and what follows from it later."""

from __future__ import annotations

import json
import sqlite3

from tests.dashboard.calling import SHOP

UNKNOWN = "Nothing says which currency the money is in"


def snapshots(folder) -> list[tuple[str | None, str | None]]:
    """The currency of each stored snapshot, and the one that was asked for."""
    with sqlite3.connect(folder / "segmentry.db") as connection:
        rows = connection.execute("select info, settings from snapshots order by id").fetchall()
    return [(json.loads(info)["currency"], json.loads(settings).get("currency")) for info, settings in rows]


def test_it_is_null_where_nobody_says_it(segmentry, tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    assert json.loads(segmentry("inspect", "shop.csv", "--json").stdout)["currency"] is None
    shown = segmentry("inspect", "shop.csv")
    assert "Revenue GBP" not in shown.stdout and "Revenue None" not in shown.stdout and "Revenue" in shown.stdout
    assert UNKNOWN in shown.stderr and "--currency" in shown.stderr
    done = segmentry("run", "shop.csv", "--engine", "rfm", "--json")
    assert UNKNOWN in done.stderr
    assert "£" not in done.stdout and "GBP" not in done.stdout
    assert snapshots(tmp_path) == [(None, None)]


def test_it_may_be_said(segmentry, tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    segmentry("run", "shop.csv", "--engine", "rfm")
    done = segmentry("run", "shop.csv", "--engine", "rfm", "--currency", "eur")
    assert UNKNOWN not in done.stderr and "Revenue EUR" in done.stdout
    assert snapshots(tmp_path) == [(None, None), ("EUR", "EUR")]
    found = json.loads(segmentry("inspect", "shop.csv", "--json", SEGMENTRY_SALES_CURRENCY="CHF").stdout)
    assert found["currency"] == "CHF"
    assert "All money is taken to be in CHF, as --currency or [sales] currency says." in found["notes"]
    refused = segmentry("inspect", "shop.csv", "--currency", "Euros", code=2)
    assert "'Euros' is no currency; write its ISO 4217 code" in refused.stderr
    wrong = segmentry("inspect", "shop.csv", code=2, SEGMENTRY_SALES_CURRENCY="pounds")
    assert "sales.currency" in wrong.stderr and "ISO 4217" in wrong.stderr


def test_a_schedule_keeps_it(segmentry, tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    added = segmentry("schedule", "add", "shop.csv", "--every", "month", "--currency", "SEK", "--json")
    assert json.loads(added.stdout)["currency"] == "SEK"


def test_other_money_is_not_put_into_the_segments_of_a_run(segmentry, tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    (tmp_path / "euros.csv").write_text(SHOP.replace("UnitPrice", "UnitPrice EUR"), encoding="utf-8")
    price = ("--map", "unit_price=UnitPrice EUR")
    segmentry("run", "shop.csv", "--engine", "rfm", "--currency", "USD")
    refused = segmentry("predict", "1", "--input", "euros.csv", *price, code=2)
    assert "its money is in EUR, that of run 1 in USD" in refused.stderr
    segmentry("predict", "1", "--input", "shop.csv")


def test_runs_of_two_currencies_are_not_followed_from_one_to_the_other(segmentry, tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    early = ("--as-of", "2024-02-08", "--engine", "rfm")
    segmentry("run", "shop.csv", *early, "--currency", "USD")
    segmentry("run", "shop.csv", "--engine", "rfm", "--currency", "EUR")
    segmentry("run", "shop.csv", *early)
    refused = segmentry("migration", "2", "1", code=2)
    assert "run 2 is in EUR" in refused.stderr or "run 1 is in USD" in refused.stderr
    assert "in money they had spent" in segmentry("migration", "2", "3").stdout


def test_a_snapshot_of_before_keeps_the_currency_it_was_given(segmentry, tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    segmentry("run", "shop.csv", "--engine", "rfm")
    with sqlite3.connect(tmp_path / "segmentry.db") as connection:  # as it was written when GBP was assumed
        connection.execute("update snapshots set info = json_set(info, '$.currency', 'GBP')")
    again = json.loads(segmentry("reproduce", "1", "--source", "shop.csv", "--json").stdout)
    assert again["identical"]
    assert snapshots(tmp_path) == [("GBP", None)]
