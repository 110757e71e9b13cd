"""Sales that say what goods cost, from the file to the snapshot: CLV is what is left, today and at earlier dates."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from dashboard.pipeline.run import run_sales
from dashboard.pipeline.sales import (
    SalesRequest,
    as_read,
    customers_then,
    new_snapshot,
    open_sales,
    sales_of,
    valued_customers,
)
from engines.columns import CLV, COST, MONETARY
from engines.value.margins import margin_of
from tests.dashboard import shop
from tests.quick import QUICK

THEN = date(2023, 7, 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A shop whose even customers leave 80 % of what they pay and whose odd ones 30 %, with its costs and without."""
    folder = tmp_path_factory.mktemp("costs")
    lines = ["customer_id,order_id,order_date,product_id,quantity,unit_price,Unit Cost"]
    for number in range(900):
        customer, price = number * 7 % 60 + 60 * (number >= 860), 10 + number % 9
        cost = price * (0.2 if customer % 2 == 0 else 0.7)
        day = date.fromordinal(date(2023, 1, 1).toordinal() + number * 340 // 900 + number % 11)
        lines.append(f"c{customer:03d},o{number},{day},P,{1 + number % 3},{price},{cost:.2f}")
    path = folder / "shop.csv"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    config = shop.config(folder).replace(**{**QUICK, "clv": {**QUICK["clv"], "acquisition_cost": 3.0}})
    store = shop.opened(config)
    requests = [SalesRequest(str(path), ("rfm",), mapping=mapping) for mapping in ({}, {"unit_cost": ""})]
    with open_sales(requests[1], config) as opened:
        without = valued_customers(opened, new_snapshot(opened))
    yield config, store, requests, (run_sales(requests[0], config, store).snapshot, without)
    store.close()


def test_a_snapshot_keeps_the_costs_and_what_they_leave(made):
    _, store, _, (with_costs, without) = made
    found, plain = store.snapshot_customers(with_costs.id), without.customers
    assert COST in found and COST not in plain
    value = with_costs.info["value"]
    spent = found[MONETARY].sum()
    assert value["margin"] == pytest.approx((spent - found[COST].sum()) / spent) and value["margin_source"] == "cost"
    np.testing.assert_allclose(found[CLV], plain[CLV] * margin_of(found).shares, rtol=1e-9)
    assert sum("after the cost of goods" in str(note) for note in with_costs.info["value_notes"]) == 1
    assert sum("what one item cost the shop" in str(note) for note in with_costs.info["notes"]) == 1
    new = found[found["tenure_days"] <= 90]
    assert value["acquisition"]["so_far"] == pytest.approx((new[MONETARY] - new[COST]).mean())
    assert without.new.info["value"]["margin"] == 1.0


@pytest.mark.slow
def test_earlier_dates_are_valued_by_the_costs_known_then(made):
    config, store, requests, (with_costs, _) = made
    tables = []
    for request in requests:
        with open_sales(request, config) as opened:
            tables.append(customers_then(opened, [THEN], [CLV])[THEN])
    with open_sales(requests[0], config) as opened:
        known = customers_then(opened, [THEN], [MONETARY, COST, "frequency"])[THEN]
    with_then, without_then = tables
    assert list(with_then.columns) == [CLV]
    np.testing.assert_allclose(with_then[CLV], without_then[CLV] * margin_of(known).shares, rtol=1e-9)
    with sales_of(with_costs, config, store) as again:  # from the sales that are kept
        assert customers_then(again, [THEN], [CLV])[THEN].equals(with_then)


def test_a_snapshot_from_before_is_read_without_costs(made):
    config, *_, (with_costs, _) = made
    older = with_costs.settings["mapping"].copy()
    del older["unit_cost"]
    snapshot = type("Older", (), {"settings": {**with_costs.settings, "mapping": older}})()
    assert as_read(snapshot, config).mapping["unit_cost"] == ""
