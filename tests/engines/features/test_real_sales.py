"""Customers of real sales: equal to the published summary of CDNOW and to an independent script on Online Retail."""

from __future__ import annotations

import tomllib
from datetime import date
from math import nan

import numpy as np
import pandas as pd
import pytest
from lifetimes.datasets import load_cdnow_summary

from engines.features import build_customers, customers_at
from engines.intake import CleaningRules, read_sales
from tests.conftest import ROOT
from tests.engines.features.one_date import but_windows, customers_of_one_date


def test_lifetime_columns_equal_the_published_summary_of_cdnow():
    with read_sales("cdnow-sample", as_of=date(1997, 10, 1)) as sales:
        made = build_customers(sales.table, as_of=sales.as_of)
    published = load_cdnow_summary(index_col=[0])  # rounded to two decimals
    assert [int(name) for name in made.index] == list(published.index)
    assert len(made) == 2_357
    assert (made.repeat_purchases.to_numpy() == published.frequency.to_numpy()).all()
    assert np.abs(made.first_to_last.to_numpy() - published.recency.to_numpy()).max() <= 0.005
    assert np.abs(made.age.to_numpy() - published["T"].to_numpy()).max() <= 0.005
    assert made.repeat_purchases.sum() == 2_457


@pytest.fixture(scope="module")
def online_retail(shared_data):
    with read_sales(str(shared_data / "online_retail.csv.gz"), rules=CleaningRules(returns="drop")) as sales:
        yield sales


@pytest.mark.slow
def test_online_retail_equals_an_independent_recomputation(online_retail, shared_data):
    categories = tomllib.loads((ROOT / "config.toml").read_text(encoding="utf-8"))["categories"]
    made = but_windows(build_customers(online_retail.table, as_of=date(2011, 12, 10), categories=categories))
    again = _recomputed(shared_data / "online_retail.csv.gz", pd.Timestamp("2011-12-10"), categories)
    assert set(again.columns) == set(made.columns)
    for name in made.columns:
        left, right = made[name], again[name]
        if name in ("country", "is_home_country", "first_purchase", "last_purchase"):
            assert (left == right).all(), name
        else:
            np.testing.assert_allclose(left.astype(float), right.astype(float), rtol=1e-9, atol=1e-7, err_msg=name)
    assert made.monetary.sum() == pytest.approx(8_911_407.904, abs=1e-6)
    assert made.loc[["12346", "16446"], ["monetary", "net_monetary"]].to_numpy().tolist() == [
        [77_183.60, 0.0],
        [168_472.50, 2.90],
    ]


def test_online_retail_month_by_month_equals_single_builds(online_retail):
    cutoffs = [date(2011, 1, 1), date(2011, 6, 1), date(2011, 12, 10)]
    for cutoff, customers in customers_at(online_retail.table, cutoffs):
        alone = customers_of_one_date(online_retail.table, cutoff, {})
        pd.testing.assert_frame_equal(but_windows(customers), alone, check_exact=True)


def _recomputed(path, as_of: pd.Timestamp, categories: dict[str, list[str]]) -> pd.DataFrame:
    """The same customers by another road: pandas from the raw file, customer by customer where that is plainest."""
    raw = pd.read_csv(path, dtype={"InvoiceNo": str, "StockCode": str}, parse_dates=["InvoiceDate"])
    raw = raw[raw.CustomerID.notna()].assign(
        id=lambda t: t.CustomerID.astype(int).astype(str),
        value=lambda t: t.Quantity * t.UnitPrice,
        day=lambda t: t.InvoiceDate.dt.normalize(),
        land=lambda t: t.Country.replace("Unspecified", "Unknown"),
    )
    sold = raw[~raw.InvoiceNo.str.startswith("C") & (raw.Quantity > 0) & (raw.UnitPrice > 0)]
    back = raw[raw.Quantity < 0]
    by = sold.groupby("id")
    value, orders, days = by.value.sum(), by.InvoiceNo.nunique(), by.day.nunique()
    first, last = by.day.min(), by.day.max()
    returned = -back.groupby("id").value.sum().reindex(value.index).fillna(0.0)
    first_value = sold[sold.day == sold.id.map(first)].groupby("id").value.sum()
    lands = (
        sold.groupby(["id", "land"]).value.sum().reset_index().sort_values(["value", "land"], ascending=[False, True])
    )
    country = lands.groupby("id").land.first()
    repeats, span = days - 1, (last - first).dt.days
    made = pd.DataFrame(
        {
            "country": country,
            "recency_days": (as_of - last).dt.days,
            "frequency": orders,
            "monetary": value,
            "gross_monetary": value,
            "net_monetary": value - returned,
            "average_order_value": value / orders,
            "items_per_order": by.Quantity.sum() / orders,
            "unique_products": by.StockCode.nunique(),
            "mean_days_between_orders": span / repeats.replace(0, nan),
            "purchase_span_days": span,
            "tenure_days": (as_of - first).dt.days,
            "first_purchase": first,
            "last_purchase": last,
            "return_rate": (returned / value).clip(upper=1),
            "is_home_country": country == sold.groupby("land").value.sum().idxmax(),
            "repeat_purchases": repeats,
            "first_to_last": span / 7,
            "age": ((as_of - first).dt.days - 1) / 7,
            "mean_repeat_value": ((value - first_value) / repeats.replace(0, nan)).fillna(0.0),
        }
    )
    text, taken = sold.Description.str.upper(), pd.Series(False, index=sold.index)
    for name, words in categories.items():
        fits = text.map(lambda description, words=words: any(word in description for word in words)) & ~taken
        taken |= fits
        made[f"share_{name}"] = sold[fits].groupby("id").value.sum().reindex(value.index).fillna(0.0) / value
    return made.sort_index()
