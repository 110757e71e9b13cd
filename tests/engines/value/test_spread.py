"""Ranges of totals: the model's own, widened by what earlier cut-offs missed and by what other data sets did."""

import math
from datetime import timedelta

import numpy as np
import pytest

from engines.value.lifetime.history import correlation, rank_correlation
from engines.value.lifetime.intervals import Interval
from engines.value.validation.choice import ModelChoice, OriginLosses
from engines.value.validation.spread import TotalSpread, errors_of, prior, spread_of
from tests.engines.value.test_forecast import valued

ONE = ModelChoice.of_one("bg_nbd")


def origin(error, days=90, number=0):
    """One at which so much more came than was expected, as a logarithm."""
    came = [100.0 * math.exp(error)] + [20.0 * math.exp(error)] * 5
    sums = {"purchases": came, "ltv": came}
    said = {name: {"bg_nbd": [100.0] + [20.0] * 5} for name in sums}
    return OriginLosses(f"2020-0{number + 1}-01", days, days, 100, {}, sums, said)


def test_what_origins_missed_widens_the_range():
    own = Interval(95.0, 105.0)
    calm = spread_of(ONE, [origin(0.01, number=number) for number in range(3)], 90)
    rough = spread_of(ONE, [origin(error, number=number) for number, error in enumerate((0.5, -0.4, 0.6))], 90)
    narrow, wide = (each.widened(100.0, own, 0.8) for each in (calm, rough))
    assert wide.low < narrow.low < own.low < own.high < narrow.high < wide.high
    assert rough.origins == ("2020-01-01", "2020-02-01", "2020-03-01")
    assert calm.of_part(20.0, 0.8).low < 20.0 < calm.of_part(20.0, 0.8).high


def test_a_shorter_look_ahead_is_scaled_up():
    errors = errors_of(origin(0.1, days=45), ONE, "ltv", 180)
    assert errors == pytest.approx([0.2])
    short = spread_of(ONE, [origin(0.4, days=45)], 180)
    assert short.ltv > spread_of(ONE, [origin(0.4, days=180)], 180).ltv


def test_without_any_origin_there_is_a_range_all_the_same():
    found = spread_of(ONE, (), 182)
    assert found.origins == () and len(found.data_sets) >= 3
    low, high = found.widened(100.0, Interval(99.0, 101.0), 0.8)
    assert 50 < low < 90 and 110 < high < 200


def test_the_prior_of_a_data_set_leaves_it_out():
    known = {each.data_set for each in prior()}
    assert {"cdnow-sample", "online_retail", "retail_transactions", "sample-shop"} == known
    assert len(prior()) >= 20
    assert set(spread_of(ONE, (), 182, "online_retail.csv.gz").data_sets) == known - {"online_retail"}
    assert set(spread_of(ONE, (), 182, "my shop").data_sets) == known


def test_a_degenerate_total_keeps_its_range():
    spread = TotalSpread(0.1, 0.1, 0.1, 90, 6.0, (), ())
    assert spread.widened(0.0, Interval(0.0, 0.0), 0.8) == Interval(0.0, 0.0)
    low, high = spread.widened(100.0, Interval(0.0, 100.0), 0.8)
    assert np.isfinite([low, high]).all() and low < 100.0 < high


def test_the_stored_total_carries_the_verdict_and_its_origins():
    """Nothing after the cut-off is in the range that is held against it; today's range has the last origin too."""
    _, _, _, as_of, found = valued("cdnow-sample")
    receipt, total = found.receipt, found.model["total"]
    held = receipt["coverage"]["total"]
    assert total["verdict"] == held and {"low", "high", "actual", "inside"} <= set(held)
    assert held["inside"] is True
    assert max(held["origins"]) < receipt["plan"]["cutoff"]
    assert found.model["spread"]["origins"] == [receipt["plan"]["cutoff"], *held["origins"]]
    assert (as_of - timedelta(days=1)).isoformat() > max(found.model["spread"]["origins"])
    for name in ("clv", "spend", "purchases"):
        low, high = total[f"{name}_range"]
        own_low, own_high = total[f"{name}_range_of_model"]
        assert low < own_low < total[name] < own_high < high
    coverage = receipt["coverage"]
    assert 0 < coverage["spend_of_buyers"] < coverage["spend"]
    assert sum(each["customers"] for each in coverage["deciles"]) == receipt["plan"]["customers"]
    assert len(coverage["groups"]) == 5


def test_one_large_customer_does_not_hide_that_frequency_and_value_go_together():
    """On Online Retail Pearson's correlation is .02 and Spearman's .21: one customer hides it."""
    random = np.random.default_rng(0)
    x = random.geometric(0.3, 500).astype(float)
    mean = 10.0 * x**0.5 * random.lognormal(0, 0.5, 500)
    x, mean = np.append(x, 1.0), np.append(mean, 1e6)
    assert abs(correlation(x, mean)) < 0.1 and rank_correlation(x, mean) > 0.4
    assert rank_correlation(x[:2], mean[:2]) is None
    order = random.permutation(len(x))
    assert rank_correlation(x[order], mean[order]) == rank_correlation(x, mean)
