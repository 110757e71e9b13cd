"""Columns of windows of days equal plain Python, on every date and net of what came back, and only who asks pays."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from math import isclose
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from engines.columns import DICTIONARY, WINDOWED
from engines.features import (
    SalesWindow,
    aggregates,
    as_of,
    build_customers,
    customers_at,
    customers_within,
    lines_within,
    windows,
)
from engines.intake import read_sales
from engines.settings import CleaningRules
from tests.engines.features.lately import day_of, lately
from tests.engines.features.test_customers import table

OPENED = date(2021, 1, 4)
DATES = [OPENED + timedelta(days=days) for days in (3, 200, 396, 421, 500, 731, 820, 1_000)]


def check(made: pd.DataFrame, expected: dict[str, dict[str, object]]) -> int:
    """Whether the columns are those, and how many cells have a value."""
    assert list(made.index) == sorted(expected)
    filled = 0
    for customer, row in made[[*windows.COLUMNS]].to_dict("index").items():
        for name, cell in row.items():
            value, wanted = day_of(cell), expected[customer][name]
            if name in ("gap_trend", "silence_ratio") and wanted is not None:
                assert isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-12), (customer, name, value, wanted)
            else:
                assert value == wanted, (customer, name, value, wanted)
            filled += value is not None
    return filled


def goods(seed: int) -> list[tuple]:
    """Clean lines of three years: orders of several days, returns, lines without a quantity, and who never has one."""
    draw, lines = random.Random(seed), []
    for order in range(260):
        customer = f"c{draw.randint(0, 24)}"
        begun = OPENED + timedelta(days=draw.choice([0, 30, 365, draw.randint(0, 990)]))
        for _ in range(draw.randint(1, 3)):
            day = begun + timedelta(days=draw.choice([0, 0, 0, 1, 40]))
            moment = datetime(day.year, day.month, day.day, draw.choice([0, 23]), draw.choice([0, 59]))
            some = None if customer < "c13" or draw.random() < 0.2 else draw.choice([0.001, 1.0, 2.5, 12.0])
            back = draw.random() < 0.15
            money = draw.choice([0, 1, 3_333, 10**12]) * (-1 if back else 1)
            kind = "return" if back else "sale"
            lines.append((customer, f"o{order}", moment, some, money, "p", "tea", "Spain", kind))
    return lines


@pytest.mark.parametrize("seed", [1, 2])
def test_every_date_equals_plain_python(seed: int):
    lines = goods(seed)
    named = table(lines, f"windows_{seed}")
    rows = named.to_pyarrow().to_pylist()
    random.Random(seed).shuffle(rows)
    filled = [check(made, lately(rows, day)) for day, made in customers_at(named, DATES)]
    assert all(filled[1:]) and filled[-1] > filled[1]


def shop(folder: Path) -> str:
    """A shop of three years where much comes back, at once or after months: goods, whole orders, sums of money."""
    draw, lines = random.Random(5), []
    for number in range(900):
        moment = datetime(2021, 1, 4, 10) + timedelta(days=number * 990 // 900, minutes=number % 50)
        what, customer = draw.choice(["MUG", "LAMP", "CARD"]), f"c{draw.randint(0, 40)}"
        price, many = draw.choice([2.5, 4.0, 7.25]), draw.randint(1, 4)
        lines.append(f"{number},{what},{many},{moment:%Y-%m-%d %H:%M},{price},{customer}")
        if draw.random() < 0.5:  # of which nothing comes back as a rule: the day is seen by several rows then
            lines.append(f"{number},BOOK,1,{moment:%Y-%m-%d %H:%M},31,{customer}")
        if draw.random() < 0.35:
            later = moment + timedelta(days=draw.choice([0, 1, 25, 90, 400]), minutes=5)
            some = many if draw.random() < 0.7 else 1
            back, paid = (what, price) if draw.random() < 0.7 else ("MONEY", price * many)
            some = some if back == what else 1
            lines.append(f"C{number},{back},-{some},{later:%Y-%m-%d %H:%M},{paid},{customer}")
    draw.shuffle(lines)
    path = folder / "shop.csv"
    head = "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID"
    path.write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("returns", ["net", "drop"])
def test_figures_are_as_held_on_the_date(tmp_path: Path, returns: str):
    with read_sales(shop(tmp_path), rules=CleaningRules(returns=returns)) as sales:
        assert ("holds_until" in sales.table.columns) == (returns == "net")
        rows = sales.table.to_pyarrow().to_pylist()
        for day, made in customers_at(sales.table, DATES):
            check(made, lately(rows, day))
        alone = build_customers(sales.table, as_of=DATES[-1])
        pd.testing.assert_frame_equal(made, alone, check_exact=True)
        if returns == "net":  # what was seen of a window then is not what is left of it now
            day = DATES[-2]
            now = [row for row in rows if row["holds_until"] is None]
            assert lately(rows, day) != lately([row | {"holds_from": None} for row in now], day)


def test_what_came_back_is_in_no_window_from_that_day_on(tmp_path: Path):
    source = tmp_path / "sales.csv"
    source.write_text(
        "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
        "1,A,10,2024-01-05 10:00,2.00,1\n"
        "2,B,4,2024-03-01 10:00,5.00,1\n"
        "C3,B,-4,2024-03-20 10:00,5.00,1\n"
        "4,A,1,2024-03-25 10:00,2.00,2\n",
        encoding="utf-8",
    )
    names = ["spend_30_days", "orders_30_days", "items_30_days"]
    with read_sales(str(source), rules=CleaningRules(returns="net")) as sales:
        (_, before), (_, after) = customers_at(sales.table, [date(2024, 3, 10), date(2024, 4, 1)])
    assert before.loc["1", names].tolist() == [20.0, 1, 4.0]
    assert before.loc["1", "next_order"] == pd.Timestamp(2024, 4, 26)
    assert after.loc["1", names].tolist() == [0.0, 0, 0.0]
    assert after.loc["1", ["spend_90_days", "orders_90_days", "items_90_days"]].tolist() == [20.0, 1, 10.0]
    assert after.loc["1", ["gap_trend", "silence_ratio", "next_order"]].isna().all()


def test_a_window_begins_and_ends_at_midnight():
    end = date(2022, 6, 1)
    ages = {"today": 0, "first": 1, "last": 30, "gone": 31, "quarter": 90, "year": 365, "then": 366, "old": 395}
    days = {name: end - timedelta(days=age) for name, age in ages.items()}
    lines = [
        (name, name, datetime(day.year, day.month, day.day, 23, 59), 1.0, 10_000, "p", None, None, "sale")
        for name, day in (days | {"opening": end - timedelta(days=730)}).items()
    ]
    made = build_customers(table(lines, "midnight"), as_of=end)
    assert "today" not in made.index
    inside = {name: set(made.index[made[name] > 0]) for name in WINDOWED if name.startswith("orders")}
    assert inside == {
        "orders_30_days": {"first", "last"},
        "orders_90_days": {"first", "last", "gone", "quarter"},
        "orders_365_days": {"first", "last", "gone", "quarter", "year"},
        "orders_30_days_year_before": {"then", "old"},
        "orders_90_days_year_before": {"then", "old"},
        "orders_365_days_year_before": {"then", "old", "opening"},
    }
    later = build_customers(table([line for line in lines if line[0] != "opening"], "later"), as_of=end)
    known = {name for name in WINDOWED if later[name].notna().all()}
    assert {*WINDOWED} - known == {
        f"{what}_{days}_days_year_before" for what in ("spend", "orders", "items") for days in (90, 365)
    }


def test_few_columns_and_windows_of_time_have_the_same():
    named = table(goods(3), "few")
    wanted = ["recency_days", "spend_90_days", "next_order"]
    found = dict(customers_at(named, DATES, columns=wanted))
    for day, made in customers_at(named, DATES):
        pd.testing.assert_frame_equal(found[day], made[wanted], check_exact=True)
    window = SalesWindow(DATES[1], DATES[5])
    ((_, within),) = customers_within(named, [window], columns=wanted)
    whole = build_customers(lines_within(named, window), as_of=window.as_of)
    pd.testing.assert_frame_equal(within, whole[wanted], check_exact=True)


def test_only_dates_at_which_they_are_wanted_have_them(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    fetched = as_of._bought
    monkeypatch.setattr(as_of, "_bought", lambda *given: asked.append("days") or fetched(*given))
    named = table(goods(4), "wanted")
    some = dict(customers_at(named, DATES, windows_at=[DATES[-1]]))
    assert [len({*made.columns} & {*windows.COLUMNS}) for made in some.values()] == [0] * (len(DATES) - 1) + [21]
    pd.testing.assert_frame_equal(some[DATES[-1]], build_customers(named, as_of=DATES[-1]), check_exact=True)
    asked.clear()
    for wanted in ({"recency_days", "monetary"}, {"frequency", "unique_products"}):
        for _, made in customers_at(named, DATES, columns=wanted):
            assert {*made.columns} == wanted
    for _, made in customers_at(named, DATES, windows_at=()):
        assert {*made.columns}.isdisjoint(windows.COLUMNS)
    assert asked == []


def test_they_are_hidden_until_chosen_and_filter_by_number():
    assert len(windows.COLUMNS) == 21
    for name in windows.COLUMNS:
        column = DICTIONARY[name]
        assert not column.shown and column.exported
        assert column.filterable == (column.kind != "date")


def test_nothing_of_the_sum_is_a_float():
    days = aggregates.aggregate_sales(table(goods(1), "exact"), {}).days.to_pyarrow()
    assert days.schema.field("units").type in (pa.int64(), pa.decimal128(38, 0))
    huge = [("a", str(i), datetime(2022, 1, 1), 1.0, 2**54 // 9 + i, None, None, None, "sale") for i in range(9)]
    made = build_customers(table(huge, "huge"), as_of=date(2022, 1, 2))
    assert made.loc["a", "spend_30_days"] == sum(line[4] for line in huge) / 10_000
