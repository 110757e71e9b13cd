"""How well two groupings of the same customers agree, and how many customers are elsewhere."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score
from sklearn.metrics.cluster import expected_mutual_information as expected_by_scikit_learn

from engines.evaluation.drift import (
    Contingency,
    adjusted_mutual_information,
    adjusted_rand,
    expected_mutual_information,
    moved_between,
)


def by_scikit_learn(a, b):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "the number of unique classes is greater than 50 %"
        return adjusted_rand_score(a, b)


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


def test_moved_between_counts_customers_not_names():
    a = np.array([0, 0, 0, 1, 1, 1])
    assert moved_between(a, a + 5) == moved_between(np.array([], dtype=int), np.array([], dtype=int)) == 0.0
    assert moved_between(a, np.array([1, 1, 0, 0, 0, 0])) == pytest.approx(1 / 6)
    assert moved_between(a, np.array([2, 2, 2, 2, 2, 2])) == pytest.approx(1 / 2)


# --- adjusted mutual information --------------------------------------------------------------------------------------


def mutual_by_scikit_learn(a, b):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return adjusted_mutual_info_score(a, b)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 5), st.integers(-3, 4)), min_size=1, max_size=60))
def test_adjusted_mutual_information_is_that_of_scikit_learn(pairs):
    a, b = np.array(pairs).T
    found = adjusted_mutual_information(a, b)
    assert found == pytest.approx(adjusted_mutual_information(b, a), abs=1e-9)
    if Contingency.of(a, b).same:  # there scikit-learn divides one rounding error by another
        assert found == 1.0
    else:
        assert found == pytest.approx(mutual_by_scikit_learn(a, b), abs=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [([], [], 1), ([7], [3], 1), ([0, 0, 0], [1, 1, 1], 1), ([0, 1, 2], [5, 4, 3], 1), ([0, 0, 0], [0, 1, 1], 0)],
)
def test_adjusted_mutual_information_of_degenerate_groupings(a, b, expected):
    assert adjusted_mutual_information(np.array(a, dtype=np.int64), np.array(b, dtype=np.int64)) == expected


def test_agreement_of_many_customers_from_the_table_of_their_counts_alone():
    random = np.random.default_rng(1)
    a = random.integers(0, 7, 200_000)
    b = np.where(random.random(len(a)) < 0.6, a, random.integers(0, 11, len(a)))
    table = np.bincount(a * 12 + b, minlength=7 * 12).reshape(7, 12)  # with a column that nobody is in
    met = Contingency.of_table(table)
    assert met.adjusted_rand() == adjusted_rand(a, b)
    assert met.adjusted_mutual_information() == adjusted_mutual_information(a, b)
    assert met.adjusted_mutual_information() == pytest.approx(mutual_by_scikit_learn(a, b), abs=1e-9)


def test_expected_mutual_information_of_many_small_and_a_few_huge_groups():
    sizes_a = np.array([1] * 40 + [2] * 30 + [49_900])
    sizes_b = np.array([3, 7, 20_000, 29_990])
    rows = np.repeat(np.arange(len(sizes_a)), sizes_a)
    columns = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes_b)), sizes_b))
    table = np.bincount(rows * 4 + columns, minlength=len(sizes_a) * 4).reshape(-1, 4)
    from scipy.sparse import csr_matrix

    expected = expected_by_scikit_learn(csr_matrix(table), 50_000)
    assert expected_mutual_information(sizes_a, sizes_b) == pytest.approx(expected, rel=1e-6, abs=1e-12)
