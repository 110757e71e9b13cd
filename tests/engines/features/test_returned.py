"""Customers as of many dates where returns take off what they undo: each as if the sales ended there."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from engines.columns import FREQUENCY, MONETARY, Column
from engines.features import (
    SalesWindow,
    build_customers,
    cohorts,
    customer_orders,
    customers_at,
    customers_within,
    extended,
    holding,
    lines_within,
)
from engines.features.plugins import RegisteredFeature
from engines.intake import CleaningRules, read_sales
from tests.engines.features.one_date import but_windows, customers_of_one_date

NET = CleaningRules(returns="net")
CATEGORIES = {"mugs": ["mug"], "lamps": ["lamp"]}
CUTOFFS = [date(2024, month, day) for month in range(1, 9) for day in (9, 25)]


def shop(folder: Path) -> str:
    """A shop where much comes back, days later or months: whole orders, single goods, sums of money."""
    draw, lines = random.Random(8), []
    for number in range(1_600):
        month, day = 1 + number * 7 // 1_600, 1 + number % 28
        moment = f"2024-{month:02d}-{day:02d} {9 + number % 9:02d}:30"
        what, customer = draw.choice(["MUG", "LAMP", "CARD"]), f"c{draw.randint(0, 50)}"
        price, many = draw.choice([2.5, 4.0, 7.25]), draw.randint(1, 4)
        country, channel = draw.choice(["Italy", "Spain", "Malta"]), draw.choice(["web", "shop", ""])
        lines.append(f"{number},{what},{what} x,{many},{moment},{price},{customer},{country},{channel}")
        if draw.random() < 0.3:
            later = f"2024-{min(8, month + draw.choice([0, 0, 1, 3])):02d}-28 {10 + number % 9:02d}:45"
            back = what if draw.random() < 0.7 else "MONEY"
            some = many if draw.random() < 0.6 else 1
            paid = price if back == what else draw.choice([price * many, 9.0])
            lines.append(
                f"C{number},{back},back,-{some if back == what else 1},{later},{paid},{customer},{country},web"
            )
    lines += [
        "z1,MUG,MUG x,2,2024-01-15 10:00,5,zoe,Malta,web",
        "Cz2,MUG,MUG x,-2,2024-02-15 10:00,5,zoe,Malta,web",
        "z3,LAMP,LAMP x,1,2024-05-15 10:00,9,zoe,Italy,shop",
    ]
    draw.shuffle(lines)
    path = folder / "shop.csv"
    head = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country,Channel"
    path.write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return shop(tmp_path_factory.mktemp("returned"))


@pytest.mark.slow
def test_many_dates_are_each_as_if_the_sales_ended_there(source: str):
    mapping = {"attribute.channel": "Channel"}
    with read_sales(source, rules=NET, mapping=mapping, as_of=CUTOFFS[-1]) as sales:
        at_once = dict(customers_at(sales.table, CUTOFFS, CATEGORIES))
        basic = dict(customers_at(sales.table, CUTOFFS, columns={MONETARY, FREQUENCY, "recency_days"}))
        for day, customers in [*at_once.items()][1::3]:
            alone = customers_of_one_date(holding(sales.table, day), day, CATEGORIES)
            money = ["gross_monetary", "net_monetary", "return_rate"]  # what came off is no line as of the day
            stood = but_windows(customers).drop(columns=money)
            pd.testing.assert_frame_equal(stood, alone.drop(columns=money), check_exact=True)
            pd.testing.assert_frame_equal(basic[day], customers[basic[day].columns], check_exact=True)
    gone = 0
    for day in CUTOFFS[3::6]:
        with read_sales(source, rules=NET, mapping=mapping, as_of=day) as early:
            built = build_customers(early.table, as_of=day, categories=CATEGORIES)
            gone += early.ledger.to_dict()["notes"][-1]["customers"]
            assert round(built[MONETARY].sum() * 10_000) == early.ledger.left.units
            assert len(built) == early.ledger.left.customers
            assert built[FREQUENCY].sum() == early.ledger.left.orders
        pd.testing.assert_frame_equal(at_once[day], built, check_exact=True)
    assert gone > 0
    here = ["zoe" in at_once[date(2024, month, 25)].index for month in (1, 2, 4, 5)]
    assert here == [True, False, False, True]  # who had returned everything was no customer, and is one again
    assert at_once[CUTOFFS[-1]].loc["zoe", ["country", FREQUENCY, "unique_products"]].tolist() == ["Italy", 1, 1]
    last, before = at_once[CUTOFFS[-2]], at_once[CUTOFFS[-3]]
    assert (last[MONETARY].reindex(before.index) < before[MONETARY]).any()


def test_windows_have_what_was_left_at_their_end(source: str):
    windows = [SalesWindow(date(2024, month, 1), date(2024, month + 2, 1)) for month in (1, 2, 4, 5)]
    columns = {MONETARY, FREQUENCY, "recency_days", "repeat_purchases", "mean_repeat_value"}
    with read_sales(source, rules=NET) as sales:
        together = dict(customers_within(sales.table, windows, columns=columns))
        for window, customers in together.items():
            alone = build_customers(lines_within(sales.table, window), as_of=window.as_of)
            pd.testing.assert_frame_equal(customers, alone[customers.columns], check_exact=True)
            everything = build_customers(sales.table, as_of=window.as_of)
            assert (customers[MONETARY] <= everything[MONETARY].reindex(customers.index) + 1e-9).all()
        assert "zoe" in together[windows[3]].index and "zoe" not in together[windows[0]].index


def test_cohorts_and_plug_ins_see_what_was_left_on_the_day(source: str):
    day = CUTOFFS[9]
    with read_sales(source, rules=NET, as_of=CUTOFFS[-1]) as sales, read_sales(source, rules=NET, as_of=day) as early:
        assert cohorts(sales.table, as_of=day) == cohorts(early.table, as_of=day)
        customers = build_customers(early.table, as_of=day)
        seen = []

        class Spend:
            """What a plug-in would make of the lines that it is given."""

            def build(self, lines, *, as_of):
                seen.append(set(lines.columns))
                sums = lines.group_by("customer_id").aggregate(spent=lines.amount_units.sum()).to_pyarrow().to_pandas()
                return sums.set_index("customer_id").spent / 10_000

        column = Column("own_spend", "Own", "money", "-", "-", "-")
        plugin = RegisteredFeature("own", column, "test", feature=Spend())
        found = extended(customers, sales.table, as_of=day, plugins=[plugin])
    assert not found.notes and found.customers["own_spend"].equals(customers[MONETARY].rename("own_spend"))
    assert not {"holds_from", "holds_until", "offset_units"} & seen[0]


def test_orders_of_a_customer_say_what_is_left_of_them(source: str):
    with read_sales(source, rules=NET) as sales:
        customers = build_customers(sales.table, as_of=sales.as_of)
        undone = 0
        for customer in customers.index[:20]:
            orders = customer_orders(sales.table.filter(sales.table.customer_id == customer))
            sold = orders[orders.sold]
            assert sold.left.sum() / 10_000 == pytest.approx(customers.loc[customer, MONETARY])
            assert sold.amount_units.sum() / 10_000 == pytest.approx(customers.loc[customer, "gross_monetary"])
            assert (sold.left > 0).sum() == customers.loc[customer, FREQUENCY]
            assert orders[~orders.sold].left.isna().all()
            undone += int((sold.left == 0).sum())
    assert undone > 5
