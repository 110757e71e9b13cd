"""Orders of one customer: exact money, the same in any order of lines, and in step with the customer's row."""

import ibis
import pandas as pd
import pyarrow as pa

from engines import features, intake
from engines.columns import AMOUNT_UNITS, CUSTOMER_ID, FREQUENCY, ITEMS, LINES, MONETARY, MONEY_SCALE, ORDER_DATE

LINES_OF_SALES = pd.DataFrame(
    [
        ("1", "2020-01-02 09:00", "TEA", 2.0, 100_000, "sale"),
        ("1", "2020-01-02 08:00", "MUG", 1.5, 50_001, "sale"),
        ("1", "2020-01-02 09:00", "MUG", -1.0, -20_000, "return"),
        ("2", "2020-01-01 09:00", None, None, 7, "sale"),
        ("Ä", "2020-01-03 10:00", "TEA", 1.0, 30, "sale"),
        ("Z", "2020-01-03 10:00", "TEA", 3.0, -40, "netted"),
    ],
    columns=["order_id", "order_date", "product_id", "quantity", "amount_units", "line_type"],
).astype({"order_date": "datetime64[us]"})


def table(lines: pd.DataFrame) -> ibis.Table:
    return ibis.memtable(pa.Table.from_pandas(lines.assign(description=None), preserve_index=False))


def test_an_order_is_a_row_and_what_came_back_is_below_zero():
    found = features.customer_orders(table(LINES_OF_SALES))
    assert found[ORDER_DATE].astype(str).tolist() == [
        *("2020-01-01 09:00:00", "2020-01-02 08:00:00", "2020-01-02 09:00:00"),
        *("2020-01-03 10:00:00", "2020-01-03 10:00:00"),
    ]
    assert found["order_id"].tolist() == ["2", "1", "1", "Z", "Ä"]
    assert found["sold"].tolist() == [True, True, False, False, True]
    assert found[AMOUNT_UNITS].tolist() == [7, 150_001, -20_000, -40, 30]
    assert found[LINES].tolist() == [1, 2, 1, 1, 1]
    assert found[ITEMS].fillna(0).tolist() == [0, 3.5, -1, -3, 1]


def test_the_order_of_lines_does_not_matter():
    orders = features.customer_orders(table(LINES_OF_SALES))
    lines = features.oldest_first(table(LINES_OF_SALES)).to_pyarrow().to_pandas()
    assert lines["product_id"].fillna("").tolist() == ["", "MUG", "TEA", "MUG", "TEA", "TEA"]
    for seed in range(3):
        shuffled = table(LINES_OF_SALES.sample(frac=1, random_state=seed))
        pd.testing.assert_frame_equal(features.customer_orders(shuffled), orders)
        pd.testing.assert_frame_equal(features.oldest_first(shuffled).to_pyarrow().to_pandas(), lines)


def test_orders_add_up_to_the_customer():
    with intake.read_sales("cdnow-sample") as sales:
        customers = features.build_customers(sales.table, as_of=sales.as_of)
        for customer in customers.index[::200]:
            orders = features.customer_orders(sales.table.filter(sales.table[CUSTOMER_ID] == customer))
            sold = orders[orders["sold"]]
            assert len(sold) == customers.loc[customer, FREQUENCY]
            assert sold[AMOUNT_UNITS].sum() / MONEY_SCALE == customers.loc[customer, MONETARY]
