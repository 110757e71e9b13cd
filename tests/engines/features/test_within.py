"""Customers of windows: as if the lines outside had never been, whatever columns are wanted."""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engines.columns import FREQUENCY, MONETARY, RECENCY, REPEAT_PURCHASES
from engines.features import SalesWindow, build_customers, customers_within, first_days, lines_within

WINDOWS = [
    SalesWindow(date(2024, 1, 1), date(2024, 4, 1)),
    SalesWindow(date(2024, 2, 1), date(2024, 5, 1)),
    SalesWindow(date(2024, 1, 31), date(2024, 5, 1)),
    SalesWindow(date(2023, 1, 1), date(2023, 2, 1)),
]


@pytest.fixture(scope="module")
def sales():
    """Half a year; some orders last two days, some lines are returned, one customer only ever returns."""
    random, lines = np.random.default_rng(3), 3_000
    day, order = random.integers(0, 182, lines), random.integers(0, 900, lines)
    kind = np.where(random.random(lines) < 0.1, "return", "sale")
    units = random.integers(1_000, 900_000, lines) * np.where(kind == "sale", 1, -1)
    customer = np.array([f"Ä{number % 97}" for number in order])
    kind[customer == "Ä5"], units[customer == "Ä5"] = "return", -5_000
    table = pa.table(
        {
            "customer_id": customer,
            "order_id": [f"o{number}" for number in order],
            "order_date": np.datetime64("2024-01-01", "us") + (day * 86_400 + 43_200).astype("m8[s]").astype("m8[us]"),
            "quantity": random.integers(1, 9, lines).astype(np.float64),
            "amount_units": units,
            "product_id": [f"p{number}" for number in random.integers(0, 50, lines)],
            "description": ["TEA"] * lines,
            "country": ["France"] * lines,
            "line_type": kind,
        }
    )
    connection = ibis.duckdb.connect()
    yield connection.create_table("sales", table)
    connection.disconnect()


@pytest.mark.parametrize("columns", [(RECENCY, FREQUENCY, MONETARY, REPEAT_PURCHASES), None])
def test_a_window_has_the_customers_of_its_lines_alone(sales, columns):
    found = dict(customers_within(sales, WINDOWS, columns=columns))
    assert list(found) == sorted(WINDOWS, key=lambda window: (window.as_of, window.start))
    assert len(found[WINDOWS[3]]) == 0
    for window in WINDOWS[:3]:
        whole = build_customers(lines_within(sales, window), as_of=window.as_of)
        wanted = whole if columns is None else whole[[name for name in whole.columns if name in columns]]
        pd.testing.assert_frame_equal(found[window], wanted)
        assert len(wanted) > 50 and "Ä5" not in wanted.index
        assert wanted[RECENCY].max() <= (window.as_of - window.start).days
    assert list(customers_within(sales, [])) == []


def test_first_days_are_of_sales_whatever_came_back_before(sales):
    first = first_days(sales)
    assert "Ä5" not in first.index
    assert first.index.is_monotonic_increasing
    last = build_customers(sales, as_of=date(2024, 1, 1) + timedelta(days=200))
    pd.testing.assert_series_equal(first, last["first_purchase"], check_names=False)
