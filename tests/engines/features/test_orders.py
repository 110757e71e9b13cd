"""Order histories: exact money, the same in any order of lines, and in step with the customers they belong to."""

from datetime import date

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from engines import features, intake
from engines.columns import AMOUNT_UNITS, CUSTOMER_ID, FREQUENCY, ITEMS, LINES, MONETARY, MONEY_SCALE, ORDER_DATE
from engines.features import orders

LINES_OF_SALES = pd.DataFrame(
    [
        ("b", "1", "2020-01-02 09:00", 2.0, 100_000, "sale"),
        ("b", "1", "2020-01-02 08:00", 1.5, 50_001, "sale"),
        ("b", "1", "2020-01-02 09:00", -1.0, -20_000, "return"),
        ("b", "2", "2020-01-01 09:00", None, 7, "sale"),
        ("Ä", "3", "2020-01-03 10:00", 1.0, 30, "sale"),
        ("a", "4", "2020-01-03 10:00", 3.0, -40, "return"),  # only ever brought something back
        ("b", "5", "2020-02-01 00:00", 1.0, 60, "sale"),  # at the as-of date
    ],
    columns=["customer_id", "order_id", "order_date", "quantity", "amount_units", "line_type"],
).astype({"order_date": "datetime64[us]"})
FEBRUARY = date(2020, 2, 1)


def history(lines: pd.DataFrame, customers: list[str]) -> pd.DataFrame:
    sales = ibis.memtable(pa.Table.from_pandas(lines, preserve_index=False))
    found = list(features.order_histories(sales, pd.Index(customers), as_of=FEBRUARY))
    assert all(batch.schema == features.HISTORY for batch in found)
    return pa.Table.from_batches(found, features.HISTORY).to_pandas()


def test_an_order_is_a_row_and_what_came_back_is_below_zero():
    found = history(LINES_OF_SALES, ["b", "Ä"])
    assert found[CUSTOMER_ID].tolist() == ["b", "b", "b", "Ä"]
    assert found[ORDER_DATE].astype(str).tolist() == [
        *("2020-01-01 09:00:00", "2020-01-02 08:00:00", "2020-01-02 09:00:00", "2020-01-03 10:00:00")
    ]
    assert found[AMOUNT_UNITS].tolist() == [7, 150_001, -20_000, 30]
    assert found[LINES].tolist() == [1, 2, 1, 1]
    assert found[ITEMS].fillna(0).tolist() == [0, 3.5, -1, 1]


def test_neither_the_order_of_lines_nor_the_hands_they_are_read_in_matter(monkeypatch: pytest.MonkeyPatch):
    whole = history(LINES_OF_SALES, ["b", "Ä"])
    monkeypatch.setattr(orders, "_AT_ONCE", 1)
    for seed in range(3):
        pd.testing.assert_frame_equal(history(LINES_OF_SALES.sample(frac=1, random_state=seed), ["b", "Ä"]), whole)


def test_histories_add_up_to_the_customers():
    with intake.read_sales("cdnow-sample") as sales:
        customers = features.build_customers(sales.table, as_of=sales.as_of)
        every = features.order_histories(sales.table, customers.index, as_of=sales.as_of)
        table = pa.Table.from_batches(list(every)).to_pandas()
    sold = table[table[AMOUNT_UNITS] >= 0].groupby(CUSTOMER_ID)
    assert (sold.size() == customers[FREQUENCY]).all()
    assert (sold[AMOUNT_UNITS].sum() / MONEY_SCALE == customers[MONETARY]).all()
