"""The data sets that come along: CDNOW as published, and a made-up shop that is the same everywhere and looks alive."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from engines.intake import EMBEDDED, CleaningRules, read_sales
from engines.intake.sources.shop import SEED, make_shop
from tests.conftest import ROOT


@pytest.mark.parametrize(("name", "lines", "customers"), [("cdnow", 69_659, 23_570), ("cdnow-sample", 6_919, 2_357)])
def test_cdnow_is_whole(name, lines, customers):
    with read_sales(name) as sales:
        ledger = sales.ledger.to_dict()
        assert (sales.title, sales.name) == (EMBEDDED[name].title,) * 2
        assert not sales.synthetic
        assert sales.currency == "USD"
    assert (ledger["out"]["lines"], ledger["out"]["customers"]) == (lines, customers)
    assert ledger["in"] == ledger["out"]
    assert (sales.first_day, sales.last_day, sales.as_of) == (date(1997, 1, 1), date(1998, 6, 30), date(1998, 7, 1))
    assert "country" not in sales.fields


def test_cdnow_is_read_without_importing_lifetimes():
    code = (
        "import sys; from engines.intake import read_sales; read_sales('cdnow-sample').close(); "
        "sys.exit('lifetimes' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.fixture(scope="module")
def shop():
    with read_sales("sample-shop", rules=CleaningRules(returns="drop")) as sales:
        yield sales


def test_the_made_up_shop_says_so_and_is_the_same_every_time(shop):
    assert shop.title == "Sample shop (synthetic)"
    assert shop.synthetic
    assert make_shop(SEED).equals(make_shop(SEED))
    assert not make_shop(SEED).equals(make_shop(SEED + 1))


def test_the_made_up_shop_has_what_real_ones_have(shop):
    ledger = shop.ledger.to_dict()
    rules = {rule["rule"]: rule["lines"] for rule in ledger["rules"]}
    notes = {note["rule"]: note["lines"] for note in ledger["notes"]}
    lines = ledger["in"]["lines"]
    assert 60_000 <= lines <= 120_000
    assert 4_000 <= ledger["out"]["customers"] <= 5_000
    assert 0.06 <= rules["missing_customer_id"] / lines <= 0.10
    assert min(rules["cancellation"], rules["non_positive_price"]) > 100
    assert min(notes["exact_duplicate"], notes["unknown_country"]) > 100
    assert (shop.first_day, shop.as_of) == (date(2023, 1, 1), date(2026, 1, 1))
    table = shop.table.to_pyarrow().to_pandas()
    sold = table[table.line_type == "sale"]
    assert 0.70 <= (sold.country == "United Kingdom").mean() <= 0.80
    assert sold.country.nunique() == 12
    assert 250 <= sold.product_id.nunique() <= 350
    orders = sold.groupby("customer_id").order_id.nunique()
    assert 0.15 <= (orders == 1).mean() <= 0.6
    assert orders.quantile(0.99) >= 15
    spend = sold.groupby("customer_id").amount_units.sum().sort_values(ascending=False)
    assert spend.head(len(spend) // 5).sum() / spend.sum() > 0.5
    months = sold.groupby(sold.order_date.dt.month).order_id.nunique()
    assert months[[11, 12]].mean() > 1.2 * months[[1, 2]].mean()
