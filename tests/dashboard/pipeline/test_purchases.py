"""What customers bought, asked for after a run: from the kept sales alone, for as long as a snapshot has them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.config import load_config
from dashboard.pipeline.run import run_sales
from dashboard.pipeline.sales import SalesRequest
from engines.columns import AMOUNT_UNITS, CUSTOMER_ID, MONEY_SCALE
from engines.intake import CleaningRules, read_sales
from storage import open_store
from storage.contract.objects import ObjectSettings
from tests.prepared import prepared
from tests.quick import QUICK
from tests.storage.samples import Clock, unpublish

HEAD = "CustomerID,InvoiceNo,InvoiceDate,StockCode,Description,Quantity,UnitPrice,Country\n"
DAYS = [date(2024, 1, 1) + timedelta(days=number // 4) for number in range(480)]
LINES = "".join(
    f"c{number % 30},{'C' * (number % 11 == 0)}{number // 3},{day} 1{number % 10}:00,P{number % 7},THING {number % 7},"
    f"{-1 if number % 11 == 0 else 1 + number % 4},{1 + number % 9}.25,Italy\n"
    for number, day in enumerate(DAYS)
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_store_url")
    store = open_store(prepared(url), clock=Clock(), objects=ObjectSettings(str(tmp_path / "objects")))
    yield store
    store.close()


@pytest.mark.slow
def test_purchases_are_there_without_the_source_and_go_with_the_last_snapshot(store, tmp_path):
    source = tmp_path / "shop.csv"
    source.write_text(HEAD + LINES, encoding="utf-8")
    config, as_of = load_config(environ={}).replace(**QUICK), date(2024, 4, 1)
    with read_sales(str(source), as_of=as_of, rules=CleaningRules(returns="drop")) as sales:  # as they were sold
        clean = sales.table.to_pyarrow().to_pandas()
    outcome = run_sales(SalesRequest(str(source), engines=("rfm",), as_of=as_of), config, store)
    source.unlink()
    with TestClient(create_app(config, store, environ={}), base_url="http://127.0.0.1") as client:
        seen = 0
        for customer, lines in clean.groupby(CUSTOMER_ID):
            address = f"/api/v1/runs/{outcome.runs[0].id}/customers/{customer}"
            bought = client.get(f"{address}/purchases").json()["purchases"]
            amounts = sorted(line["amount"] for line in bought)
            assert amounts == sorted(units / MONEY_SCALE for units in lines[AMOUNT_UNITS])
            assert [line["order_date"] for line in bought] == sorted(line["order_date"] for line in bought)
            orders = client.get(f"{address}/orders").json()["orders"]
            assert sum(order["amount"] for order in orders) == pytest.approx(sum(amounts))
            seen += len(bought)
        assert seen == len(clean) > 300
        # a file that is gone is said; one that was altered as well
        (file,) = (path for path in (tmp_path / "objects").rglob("sales/*") if path.is_file())
        content = file.read_bytes()
        file.write_bytes(b"!" + content[1:])
        found = client.get(f"{address}/purchases")
        assert (found.status_code, "are altered in" in found.json()["error"]) == (503, True)
        file.write_bytes(content)
        unpublish(store)
        store.delete_snapshot(outcome.snapshot.id)
        assert not file.exists()
        assert client.get(f"{address}/purchases").status_code == 404
