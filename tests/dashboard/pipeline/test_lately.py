"""Columns of what customers did lately, from a source to lists: stored, filtered by, exported, hidden in the table."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.config import load_config
from dashboard.frames.cache import FrameCache
from dashboard.pages.segments.customers import column_definitions
from dashboard.pipeline.run import run_sales
from dashboard.pipeline.sales import SalesRequest, open_sales, past_tables, value_settings
from engines.features import windows
from engines.intake import read_sales
from engines.value.appraisal import agenda
from tests.dashboard import shop
from tests.engines.features.lately import lately
from tests.quick import QUICK

HEAD = "CustomerID,InvoiceDate,InvoiceNo,StockCode,Quantity,UnitPrice\n"
LINES = "".join(
    f"c{number * 7 % 23},{date(2023, 1, 2) + timedelta(days=number * 2)},{number},P{number % 7},{1 + number % 4},2.25\n"
    for number in range(240)
)
LONE = "lone,2023-02-01,lone,P1,1,5\n"


@pytest.mark.slow
def test_they_are_kept_filtered_by_exported_and_hidden(tmp_path):
    source = tmp_path / "shop.csv"
    source.write_text(HEAD + LINES + LONE, encoding="utf-8")
    with read_sales(str(source)) as sales:
        expected = lately(sales.table.to_pyarrow().to_pylist(), sales.as_of)
    config = shop.config(tmp_path)
    store = shop.opened(config)
    run = run_sales(SalesRequest(str(source), engines=("rfm",)), config, store).runs[0]
    with TestClient(create_app(config, store, environ={}), base_url="http://127.0.0.1/api/v1/") as client:
        everyone = client.get(f"runs/{run.id}/customers?limit=1000").json()["customers"]
        some = client.get(f"runs/{run.id}/customers?min_orders_90_days=2&max_silence_ratio=1.5").json()["customers"]
        listed = client.get(f"runs/{run.id}/export.csv?columns=customer_id,spend_30_days_year_before,next_order").text
        assert "next_order" in client.get(f"runs/{run.id}/export.csv").text.splitlines()[0].split(",")
    found = {row["customer_id"]: row for row in everyone}
    assert found.keys() == expected.keys() and len(found) == 24
    for name in ("spend_365_days", "orders_90_days_year_before", "items_30_days"):
        assert {customer: row[name] for customer, row in found.items()} == {c: e[name] for c, e in expected.items()}
    assert "orders_365_days_year_before" not in found["c1"]  # the sales do not reach back so far
    assert found["lone"]["next_order"] is None
    wanted = {
        customer
        for customer, row in expected.items()
        if row["orders_90_days"] >= 2 and row["silence_ratio"] is not None and row["silence_ratio"] <= 1.5
    }
    assert {row["customer_id"] for row in some} == wanted and 0 < len(wanted) < len(found)
    for row in csv.DictReader(io.StringIO(listed)):
        then = expected[row["customer_id"]]
        assert float(row["spend_30_days_year_before"]) == then["spend_30_days_year_before"]
        assert row["next_order"] == ("" if then["next_order"] is None else str(then["next_order"]))
    hidden = {each["field"] for each in column_definitions(FrameCache(store).get(run.id)) if each["hide"]}
    there = {*windows.COLUMNS} & {*found["c1"]}
    assert len(there) >= 18 and there <= hidden
    store.close()


def test_the_past_that_models_learn_from_does_not_pay_for_them(tmp_path):
    config = load_config(environ={}).replace(**QUICK)
    source = tmp_path / "shop.csv"
    source.write_text(HEAD + LINES, encoding="utf-8")
    with open_sales(SalesRequest(str(source)), config) as opened:
        sales = opened.sales
        looked_at = agenda(sales.first_day, sales.as_of, value_settings(config))
        tables = past_tables(opened, looked_at, {sales.as_of})
    has = {day: not {*windows.COLUMNS}.isdisjoint(table.columns) for day, table in tables.items()}
    assert len(has) > 3 and [day for day in has if has[day]] == [sales.as_of]
