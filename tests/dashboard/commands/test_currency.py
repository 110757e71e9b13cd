"""The currency on the command line: said by the source, by --currency or by nobody, and what follows from it later."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from dashboard.config import load_config
from dashboard.frames.cache import FrameCache
from dashboard.frames.filters import read_view
from dashboard.pages.segments.charts import CHARTS
from dashboard.pages.segments.view import draw_parts
from dashboard.services import Services
from storage.contract import Selection
from tests.dashboard import shop
from tests.dashboard.calling import SHOP
from tests.dashboard.headless import words

UNKNOWN = "Nothing says which currency the money is in"


def snapshots(folder) -> list[tuple[str | None, str | None]]:
    """The currency of each stored snapshot, and the one that was asked for."""
    with sqlite3.connect(folder / "segmentry.db") as connection:
        rows = connection.execute("select info, settings from snapshots order by id").fetchall()
    return [(json.loads(info)["currency"], json.loads(settings).get("currency")) for info, settings in rows]


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_other_money_is_not_put_into_the_segments_of_a_run(segmentry, tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    (tmp_path / "euros.csv").write_text(SHOP.replace("UnitPrice", "UnitPrice EUR"), encoding="utf-8")
    price = ("--map", "unit_price=UnitPrice EUR")
    segmentry("run", "shop.csv", "--engine", "rfm", "--currency", "USD")
    refused = segmentry("predict", "1", "--input", "euros.csv", *price, code=2)
    assert "its money is in EUR, that of run 1 in USD" in refused.stderr
    segmentry("predict", "1", "--input", "shop.csv")


@pytest.mark.slow
def test_runs_of_two_currencies_are_not_followed_from_one_to_the_other(segmentry, tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    early = ("--as-of", "2024-02-08", "--engine", "rfm")
    segmentry("run", "shop.csv", *early, "--currency", "USD")
    segmentry("run", "shop.csv", "--engine", "rfm", "--currency", "EUR")
    segmentry("run", "shop.csv", *early)
    refused = segmentry("migration", "2", "1", code=2)
    assert "run 2 is in EUR" in refused.stderr or "run 1 is in USD" in refused.stderr
    assert "in money they had spent" in segmentry("migration", "2", "3").stdout


@pytest.mark.slow
def test_a_snapshot_of_before_keeps_the_currency_it_was_given(segmentry, tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    segmentry("run", "shop.csv", "--engine", "rfm")
    with sqlite3.connect(tmp_path / "segmentry.db") as connection:  # as it was written when GBP was assumed
        connection.execute("update snapshots set info = json_set(info, '$.currency', 'GBP')")
    again = json.loads(segmentry("reproduce", "1", "--source", "shop.csv", "--json").stdout)
    assert again["identical"]
    assert snapshots(tmp_path) == [("GBP", None)]


def test_sales_without_money_say_none_and_take_no_currency(segmentry, tmp_path):
    days = [f"2024-{month:02d}-{day:02d}" for month in range(1, 7) for day in (3, 17)]
    rows = [f"C{place % 7},{day}" for place, day in enumerate(days)]
    (tmp_path / "log.csv").write_text("\n".join(["customer_id,order_date", *rows, ""]), encoding="utf-8")
    done = segmentry("run", "log.csv", "--engine", "rfm", "--currency", "GBP")
    assert "Revenue (none)" in done.stdout and "none" in done.stdout.split("rfm: run 1")[1]
    assert UNKNOWN not in done.stderr and "GBP" not in done.stdout
    assert snapshots(tmp_path)[0][0] == "XXX"  # ISO 4217: no currency is involved
    segmentry("predict", "1", "--input", "log.csv")

    settings = load_config(environ={}).replace(database={"url": f"sqlite:///{tmp_path / 'segmentry.db'}"})
    with closing(shop.opened(settings)) as store:
        services = Services(settings, store, FrameCache(store))
        parts = draw_parts(services, read_view("?run=1"), Selection(), "light", None, [item.name for item in CHARTS])
    assert parts["words"]["boxes"] == parts["words"]["value"] == "These sales hold no money, so this chart steps aside."
    assert "none" in words(parts["kpis"]) and "0.00" not in words(parts["kpis"])
