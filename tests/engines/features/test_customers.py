"""Customers as of a date: worked out by hand on a few lines, and the same whatever the order of lines."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from math import isnan

import ibis
import pandas as pd
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.columns import FEATURE_COLUMNS
from engines.features import build_customers, customers_at
from tests.engines.features.one_date import but_windows, customers_of_one_date

COLUMNS = (
    *("customer_id", "order_id", "order_date", "quantity", "amount_units"),
    *("product_id", "description", "country", "line_type"),
)
SCHEMA = ibis.schema(
    dict.fromkeys(COLUMNS, "string") | {"order_date": "timestamp", "quantity": "float64", "amount_units": "int64"}
)
CATEGORIES = {"bags": ["bag"], "mugs": ["MUG", "tea"], "none": []}
LINES = [
    ("b", "1", datetime(2020, 1, 1, 9), 2.0, 20_000, "p", "Red BAG", "France", "sale"),
    ("b", "1", datetime(2020, 1, 1, 9), 1.0, 10_000, "q", "Mug in a bag", "France", "sale"),
    ("b", "2", datetime(2020, 1, 1, 23, 59), 1.0, 5_000, "p", "TEAPOT", "Spain", "sale"),
    ("b", "3", datetime(2020, 1, 11), 0.5, 25_000, None, None, "Spain", "sale"),
    ("b", "C4", datetime(2020, 1, 12), -2.0, -15_000, "p", "Red BAG", "Italy", "return"),
    ("a", "5", datetime(2020, 1, 5), 1.0, 0, "p", "Clock", "Spain", "sale"),
    ("Z", "C6", datetime(2020, 1, 6), -1.0, -9_000, "p", "Clock", "Spain", "return"),
    ("é", "7", datetime(2020, 1, 14, 23, 59, 59), 1.0, 10_000, "p", "Clock", "Unknown", "sale"),
    ("late", "8", datetime(2020, 1, 15), 1.0, 90_000_000, "p", "Clock", "Unknown", "sale"),
    ("a", "C9", datetime(2020, 1, 15), -1.0, -10_000, "p", "Clock", "Spain", "return"),
]


@cache
def database():
    return ibis.duckdb.connect()


def table(lines: list[tuple], name: str = "sales") -> ibis.Table:
    columns = [list(column) for column in zip(*lines, strict=True)]
    arrow = pa.table(dict(zip(COLUMNS, columns, strict=True)), schema=SCHEMA.to_pyarrow())
    return database().create_table(name, arrow, overwrite=True)


#: What customer b did in any of the windows; nobody knows what was a year before.
LATELY = {"spend": 6.0, "orders": 3, "items": 4.5}
LONG_AGO = {f"{what}_{days}_days_year_before" for what in LATELY for days in (30, 90, 365)}


def test_by_hand():
    made = build_customers(table(LINES), as_of=date(2020, 1, 15), categories=CATEGORIES)
    assert list(made.columns) == [*FEATURE_COLUMNS, "share_bags", "share_mugs", "share_none"]
    assert list(made.index) == ["a", "b", "é"]  # code points; neither who only returned nor who came on the day itself
    assert made.index.name == "customer_id"
    expected = {
        "country": "France",  # 3.0 in France, 3.0 in Spain: ties by name
        "recency_days": 4,
        "frequency": 3,
        "monetary": 6.0,
        "gross_monetary": 6.0,
        "net_monetary": 4.5,
        "average_order_value": 2.0,
        "items_per_order": 1.5,
        "unique_products": 2,
        "mean_days_between_orders": 10.0,
        "purchase_span_days": 10,
        "tenure_days": 14,
        "first_purchase": pd.Timestamp(2020, 1, 1),
        "last_purchase": pd.Timestamp(2020, 1, 11),
        "return_rate": 0.25,
        "is_home_country": True,  # France and Spain earn 3.0 each: ties by name
        **{f"{what}_{days}_days": value for what, value in LATELY.items() for days in (30, 90, 365)},
        "silence_ratio": 0.4,
        "next_order": pd.Timestamp(2020, 1, 21),
        "repeat_purchases": 1,
        "first_to_last": 10 / 7,
        "age": 13 / 7,
        "mean_repeat_value": 2.5,
        "share_bags": 0.5,
        "share_mugs": 5 / 60,
        "share_none": 0.0,
    }
    assert made.loc["b"].dropna().to_dict() == expected
    assert {name for name in made if pd.isna(made.loc["b", name])} == {*LONG_AGO, "gap_trend"}
    nothing_paid = made.loc["a"]
    assert (nothing_paid.monetary, nothing_paid.return_rate, nothing_paid.frequency) == (0.0, 0.0, 1)
    assert isnan(nothing_paid.share_bags)
    assert isnan(nothing_paid.mean_days_between_orders)
    assert nothing_paid.mean_repeat_value == 0.0
    assert made.loc["é"].recency_days == 1
    assert made.loc["é"].country == "Unknown"


def test_types():
    types = build_customers(table(LINES), as_of=date(2020, 1, 15), categories=CATEGORIES).dtypes
    whole = {
        *("recency_days", "frequency", "unique_products", "purchase_span_days", "tenure_days", "repeat_purchases"),
        *("orders_30_days", "orders_90_days", "orders_365_days"),
    }
    other = {"country", "is_home_country", "first_purchase", "last_purchase", "next_order"}
    assert {name for name, kind in types.items() if kind == "int64"} == whole
    assert {name for name, kind in types.items() if kind == "float64"} == set(types.index) - whole - other
    assert [str(types[name]) for name in sorted(other)] == [
        *("str", "datetime64[us]", "bool", "datetime64[us]", "datetime64[us]"),
    ]


def test_returns_count_only_before_the_date():
    after = build_customers(table(LINES), as_of=date(2020, 1, 16))
    assert after.loc["a", "return_rate"] == 1.0  # something came back for nothing paid
    assert after.loc["a", "net_monetary"] == -1.0
    assert "late" in after.index
    assert not after.loc["é", "is_home_country"]  # Unknown earns most, and is no country


def test_what_the_source_does_not_tell_is_missing_not_zero():
    bare = [(*line[:3], None, line[4], None, None, None, line[8]) for line in LINES]
    made = build_customers(table(bare), as_of=date(2020, 1, 15), categories=CATEGORIES)
    unknown = [
        "country",
        "items_per_order",
        "unique_products",
        "is_home_country",
        "share_bags",
        "share_mugs",
        "share_none",
        *(f"items_{days}_days" for days in (30, 90, 365)),
        *LONG_AGO,
    ]
    assert made[unknown].isna().all().all()
    rhythm = ["mean_days_between_orders", "gap_trend", "silence_ratio", "next_order"]
    assert made.drop(columns=[*unknown, *rhythm]).notna().all().all()


def test_nobody_yet():
    made = build_customers(table(LINES), as_of=date(2019, 1, 1), categories=CATEGORIES)
    assert made.empty
    assert list(made.columns) == [*FEATURE_COLUMNS, "share_bags", "share_mugs", "share_none"]


def test_expressions_also_compile_for_postgres():
    from engines.features import aggregates as room
    from engines.features import lifetime, rfm

    facts = room.aggregate_sales(table(LINES), CATEGORIES)
    each = facts.days.group_by("customer_id").aggregate(**rfm.aggregates(facts.days), **lifetime.aggregates(facts.days))
    for expression in (each, facts.orders, facts.products, facts.countries):
        assert " / " not in ibis.to_sql(expression, dialect="postgres")


line = st.tuples(
    st.sampled_from(["a", "B", "é", "10", "9"]),
    st.sampled_from(["1", "2", "3"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2020, 1, 20)),
    st.one_of(st.none(), st.floats(0.001, 100).map(lambda value: round(value, 3))),
    st.integers(0, 10**12),
    st.sampled_from([None, "p", "q"]),
    st.sampled_from([None, "bag", "MUG bag", "tea", "clock"]),
    st.sampled_from(["France", "Spain", "Unknown"]),
    st.just("sale"),
)
returned = line.map(lambda row: (*row[:4], -row[4], *row[5:8], "return"))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(line, returned), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_lines_never_matters_and_cut_offs_agree(lines, random):
    shuffled = list(lines)
    random.shuffle(shuffled)
    cutoffs = [date(2020, 1, 8), date(2020, 1, 21)]
    at_once = list(customers_at(table(shuffled, "shuffled"), cutoffs, CATEGORIES))
    assert [cutoff for cutoff, _ in at_once] == cutoffs
    for cutoff, customers in at_once:
        alone = customers_of_one_date(table(lines), cutoff, CATEGORIES)
        pd.testing.assert_frame_equal(but_windows(customers), alone, check_exact=True)
        built = build_customers(table(lines), as_of=cutoff, categories=CATEGORIES)
        pd.testing.assert_frame_equal(built, customers, check_exact=True)


def test_a_look_at_few_columns_finds_the_same():
    days = [date(2020, 1, 2), date(2020, 1, 8), date(2020, 1, 12), date(2020, 1, 21)]
    for wanted in (["recency_days", "monetary"], ["frequency", "country", "share_bags", "unique_products"]):
        found = list(customers_at(table(LINES), days[::-1], CATEGORIES, columns=wanted))
        assert [day for day, _ in found] == days, "in the order of time"
        for day, customers in found:
            whole = build_customers(table(LINES), as_of=day, categories=CATEGORIES)
            expected = whole[[name for name in whole.columns if name in wanted]]
            pd.testing.assert_frame_equal(customers, expected, check_exact=True)
    assert list(customers_at(table(LINES), [])) == []
