"""Agreement between groupings, the dates of a timeline, and when a frozen model is said to have drifted."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from engines.columns import FREQUENCY, MONETARY, RECENCY
from engines.contract import Engine, Segment, knob
from engines.drift import adjusted_rand, cutoffs, timeline
from engines.errors import InputError


def by_scikit_learn(a, b):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "the number of unique classes is greater than 50 %"
        return adjusted_rand_score(a, b)


@dataclass(frozen=True)
class SpendBands:
    edges: tuple[float, ...]
    segments: tuple[Segment, ...]
    diagnostics: dict[str, float]

    def assign(self, customers):
        keys = np.searchsorted(self.edges, customers[MONETARY].to_numpy(), side="right")
        return pd.Series(keys.astype(np.int64), index=customers.index)


@dataclass(frozen=True)
class SpendQuantiles(Engine):
    """Equal parts of the customers by what they spent: honest, small, and easy to work out by hand."""

    title = "Spend quantiles"

    k: int = knob(2, low=2, high=20, help="How many bands.")

    def fit(self, customers):
        self.require(customers, (MONETARY,))
        if len(customers) < self.k:
            raise InputError(f"k = {self.k} needs at least {self.k} customers; this table has {len(customers)}.")
        edges = np.quantile(customers[MONETARY], np.arange(1, self.k) / self.k)
        return SpendBands(tuple(edges), tuple(Segment(key) for key in range(self.k)), {})


def table(spend, ids=None):
    spend = np.asarray(spend, dtype=float)
    index = pd.Index(ids if ids is not None else [f"c{number:05d}" for number in range(len(spend))], name="customer_id")
    return pd.DataFrame({RECENCY: 10.0, FREQUENCY: 2.0, MONETARY: spend}, index=index)


# --- adjusted Rand index ----------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 5), st.integers(-3, 4)), min_size=1, max_size=60))
def test_adjusted_rand_is_that_of_scikit_learn(pairs):
    a, b = np.array(pairs).T
    assert adjusted_rand(a, b) == pytest.approx(by_scikit_learn(a, b), abs=1e-12)
    assert adjusted_rand(a, b) == adjusted_rand(b, a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([], []),
        ([7], [3]),
        ([0, 0, 0], [1, 1, 1]),
        ([0, 1, 2], [5, 4, 3]),
        ([0, 0, 0], [0, 1, 2]),
        ([0, 0, 1, 1], [0, 1, 0, 1]),
        ([-(10**15), 10**15, 0], [1, 1, 2]),
    ],
)
def test_adjusted_rand_of_degenerate_groupings(a, b):
    a, b = np.array(a, dtype=np.int64), np.array(b, dtype=np.int64)
    expected = by_scikit_learn(a, b) if len(a) else 1.0
    assert adjusted_rand(a, b) == pytest.approx(expected, abs=1e-12)


def test_adjusted_rand_worked_out_by_hand():
    # 6 customers, 15 pairs: 2 together in both, 3 in each; expected 3 x 3 / 15 = 0.6
    a, b = np.array([0, 0, 0, 1, 2, 3]), np.array([0, 0, 1, 2, 3, 4])
    # a joins 3 pairs, b joins 1, both join 1: (1 - 3*1/15) / ((3+1)/2 - 3*1/15)
    assert adjusted_rand(a, b) == pytest.approx((1 - 0.2) / (2 - 0.2))


def test_adjusted_rand_of_many_customers_and_many_groups():
    random = np.random.default_rng(0)
    a = random.integers(0, 8, 1_000_000)
    b = np.where(random.random(len(a)) < 0.7, a, random.integers(0, 8, len(a)))
    assert adjusted_rand(a, b) == pytest.approx(by_scikit_learn(a, b), abs=1e-12)
    alone = random.permutation(200_000)  # nearly everyone alone: the table of all combinations would not fit
    pairs = alone // 2
    assert adjusted_rand(alone, pairs) == pytest.approx(by_scikit_learn(alone, pairs), abs=1e-12)


def test_adjusted_rand_refuses_what_cannot_be_compared():
    with pytest.raises(ValueError, match="same customers"):
        adjusted_rand(np.array([0, 1]), np.array([0, 1, 1]))
    with pytest.raises(ValueError, match="integers"):
        adjusted_rand(np.array([0.5, 1.0]), np.array([0, 1]))


# --- dates ------------------------------------------------------------------------------------------------------------


def test_timeline_of_cdnow_starts_after_ninety_days_and_ends_at_the_last():
    dates = cutoffs(date(1997, 1, 1), date(1998, 7, 1))
    assert dates[0] == date(1997, 4, 1)  # exactly 90 days after
    assert dates[1] == date(1997, 5, 1)
    assert dates[-1] == date(1998, 7, 1)
    assert len(dates) == 16


def test_as_of_inside_a_month_is_the_last_point():
    dates = cutoffs(date(2010, 12, 1), date(2011, 12, 10))
    assert dates[0] == date(2011, 3, 1)
    assert dates[-2:] == [date(2011, 12, 1), date(2011, 12, 10)]


@given(st.dates(date(1990, 1, 1), date(2030, 1, 1)), st.integers(0, 1500), st.integers(0, 200))
def test_dates_are_month_starts_in_order_with_enough_history(first_day, length, history):
    as_of = first_day + timedelta(days=length)
    dates = cutoffs(first_day, as_of, history_days=history)
    assert dates == sorted(set(dates))
    assert len(dates) != 1
    assert all(day.day == 1 for day in dates[:-1])
    if dates:
        assert dates[-1] == as_of
        assert (dates[0] - first_day).days >= history
    else:
        assert length < history + 62, "two month starts always fit into two months more"


def test_too_short_a_history_has_no_timeline():
    assert cutoffs(date(2024, 1, 1), date(2024, 4, 20)) == []


# --- timeline ---------------------------------------------------------------------------------------------------------


def test_nothing_changes_nothing_drifts():
    tables = [(date(2024, month, 1), table(range(100))) for month in (1, 2, 3)]
    points = timeline(SpendQuantiles(), tables, threshold=0.8)
    assert [point.as_of for point in points] == ["2024-02-01", "2024-03-01"]
    assert [(point.ari, point.alert, point.moved_share, point.noise_low) for point in points] == [
        (1.0, False, 0.0, None)
    ] * 2


def test_frozen_model_is_compared_with_a_refit_on_the_same_date():
    before = table(range(100))
    after = table(np.arange(100) + 25.0)  # everyone spends more: the frozen edge 49.5 now splits 25 : 75
    ((point),) = timeline(SpendQuantiles(), [(date(2024, 1, 1), before), (date(2024, 2, 1), after)], threshold=0.8)
    frozen, fresh = np.arange(100) + 25 > 49.5, np.arange(100) >= 50
    assert point.ari == pytest.approx(by_scikit_learn(frozen, fresh), abs=1e-12)
    assert point.alert
    assert point.customers == 100
    assert point.moved_share == pytest.approx(0.25)


def test_moved_share_is_over_customers_known_before():
    before = table([1, 2, 3, 4], ids=["a", "b", "c", "d"])
    after = table([1, 9, 3, 4, 9, 9], ids=["a", "b", "c", "d", "e", "f"])
    later = table([1, 9, 3, 4, 9, 9], ids=["a", "b", "c", "d", "e", "f"])
    strangers = table([1, 2, 3], ids=["x", "y", "z"])
    dated = [(date(2024, month, 1), t) for month, t in enumerate([before, after, later, strangers], start=1)]
    points = timeline(SpendQuantiles(), dated, threshold=0.0)
    assert [point.moved_share for point in points] == [0.25, 0.0, None]


def test_alert_needs_the_disagreement_to_be_more_than_chance():
    random = np.random.default_rng(3)
    few = [(date(2024, month, 1), table(random.lognormal(size=12))) for month in (1, 2)]
    quiet = timeline(SpendQuantiles(k=4), few, threshold=0.99, bootstraps=10)[0]
    assert quiet.ari < 0.99
    assert quiet.noise_low is not None
    assert quiet.alert == (quiet.ari < quiet.noise_low)

    many = random.lognormal(size=4_000)
    shifted = [(date(2024, 1, 1), table(many)), (date(2024, 2, 1), table(many * 10))]
    loud = timeline(SpendQuantiles(k=4), shifted, threshold=0.8, bootstraps=10)[0]
    assert loud.noise_low > 0.8
    assert loud.ari < 0.2
    assert loud.alert


def test_noise_alone_is_no_alert():
    """Below the threshold, but no further than two refits of the same customers are from each other."""
    random = np.random.default_rng(4)
    spend = random.lognormal(size=10)
    tables = [(date(2024, 1, 1), table(spend)), (date(2024, 2, 1), table(spend * 1.2))]
    noisy = timeline(SpendQuantiles(k=5), tables, threshold=0.999, bootstraps=12)[0]
    bare = timeline(SpendQuantiles(k=5), tables, threshold=0.999)[0]
    assert bare.ari == noisy.ari
    assert noisy.noise_low < noisy.ari < 0.999
    assert bare.alert
    assert not noisy.alert


def test_same_seed_same_points_whatever_the_order_of_rows():
    random = np.random.default_rng(5)
    tables = [(date(2024, month, 1), table(random.lognormal(size=200))) for month in (1, 2, 3)]
    shuffled = [(day, customers.sample(frac=1, random_state=9)) for day, customers in tables]
    points = timeline(SpendQuantiles(k=3), tables, threshold=0.8, bootstraps=5, seed=1)
    assert points == timeline(SpendQuantiles(k=3), shuffled, threshold=0.8, bootstraps=5, seed=1)
    other = timeline(SpendQuantiles(k=3), tables, threshold=0.8, bootstraps=5, seed=2)
    assert [point.noise_low for point in points] != [point.noise_low for point in other]


def test_tables_are_read_one_at_a_time():
    seen = []

    def reading():
        for month in (1, 2, 3):
            seen.append(month)
            yield date(2024, month, 1), table(range(10))

    assert len(timeline(SpendQuantiles(), reading(), threshold=0.8)) == 2
    assert seen == [1, 2, 3]
    assert timeline(SpendQuantiles(), [], threshold=0.8) == []
    assert timeline(SpendQuantiles(), [(date(2024, 1, 1), table(range(10)))], threshold=0.8) == []


def test_what_cannot_be_segmented_is_named_by_its_date():
    tables = [(date(2024, 1, 1), table(range(10))), (date(2024, 2, 1), table([5.0]))]
    with pytest.raises(InputError, match=r"2024-02-01.*k = 2 needs"):
        timeline(SpendQuantiles(), tables, threshold=0.8)


def test_dates_out_of_order_and_a_single_bootstrap_are_refused():
    tables = [(date(2024, 2, 1), table(range(10))), (date(2024, 1, 1), table(range(10)))]
    with pytest.raises(ValueError, match="forward in time"):
        timeline(SpendQuantiles(), tables, threshold=0.8)
    with pytest.raises(ValueError, match="at least 2"):
        timeline(SpendQuantiles(), tables[:1], threshold=0.8, bootstraps=1)
