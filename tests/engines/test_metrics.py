"""Each metric against scikit-learn's or a value worked out by hand, and never NaN."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from engines.columns import CLV, FREQUENCY, MONETARY, RECENCY
from engines.kmeans import KMeans
from engines.metrics import METRICS, MetricInput, measure, silhouettes
from tests.engines.cdnow import cdnow_customers


def outcome_of(k=4):
    customers = cdnow_customers()
    fitted = KMeans(k=k).fit(customers)
    codes = fitted.assign(customers).to_numpy()
    everyone = np.ones(len(codes), dtype=bool)
    return MetricInput(customers, codes, everyone, fitted.space(customers), fitted.diagnostics)


def by_hand(codes, monetary=None, matrix=None, inside=None, **columns):
    codes = np.array(codes)
    count = len(codes)
    monetary = np.ones(count) if monetary is None else np.array(monetary, dtype=float)
    table = pd.DataFrame({RECENCY: 1.0, FREQUENCY: 1.0, MONETARY: monetary, **columns})
    inside = np.ones(count, dtype=bool) if inside is None else np.array(inside)
    return MetricInput(table, codes, inside, matrix, {})


@pytest.mark.parametrize("k", [2, 4, 7])
def test_geometry_is_scikit_learns(k):
    outcome = outcome_of(k)
    found = measure(outcome)
    assert found["silhouette"] == pytest.approx(reference.silhouette_score(outcome.matrix, outcome.codes), abs=1e-6)
    assert found["calinski_harabasz"] == pytest.approx(reference.calinski_harabasz_score(outcome.matrix, outcome.codes))
    assert found["davies_bouldin"] == pytest.approx(reference.davies_bouldin_score(outcome.matrix, outcome.codes))
    assert found["inertia"] == outcome.diagnostics["inertia"]


def test_silhouettes_of_several_codings_in_one_pass():
    outcomes = [outcome_of(k) for k in (2, 3, 5)]
    found = silhouettes(outcomes[0].matrix, [outcome.codes for outcome in outcomes])
    for values, outcome in zip(found, outcomes, strict=True):
        expected = reference.silhouette_samples(outcome.matrix, outcome.codes)
        np.testing.assert_allclose(values, expected, atol=1e-5)


def test_a_silhouette_on_a_sample_is_near_the_whole():
    generator = np.random.default_rng(0)
    codes = np.concatenate([generator.integers(0, 3, 12_000), np.full(60, 3)])
    matrix = np.array([[0, 0], [4, 0], [0, 4], [9, 9]])[codes] + generator.normal(size=(len(codes), 2))
    sampled = METRICS["silhouette"].compute(by_hand(codes, matrix=matrix))
    assert sampled == pytest.approx(reference.silhouette_score(matrix, codes), abs=0.01)


def test_single_precision_is_precise_enough():
    generator = np.random.default_rng(1)
    codes = generator.integers(0, 3, 5_000)
    # a spike of equal customers far from the origin is the hardest case
    matrix = np.where(codes[:, None] == 0, 30.0, generator.normal(size=(5_000, 3)) + 31)
    values = silhouettes(matrix, [codes])[0]
    assert values.mean() == pytest.approx(reference.silhouette_score(matrix, codes), abs=1e-3)


def test_outliers_stay_out_of_what_is_measured_by_distance():
    outcome = outcome_of()
    outlying = outcome.codes == 0
    without = MetricInput(outcome.customers, outcome.codes, ~outlying, outcome.matrix, {})
    expected = reference.silhouette_score(outcome.matrix[~outlying], outcome.codes[~outlying])
    assert measure(without)["silhouette"] == pytest.approx(expected, abs=1e-6)


def test_balance():
    assert METRICS["balance"].compute(by_hand([0, 0, 1, 1])) == pytest.approx(1)
    skewed = METRICS["balance"].compute(by_hand([0] * 99 + [1]))
    assert skewed == pytest.approx(-(0.99 * np.log2(0.99) + 0.01 * np.log2(0.01)))


def test_smallest_share():
    assert METRICS["smallest_share"].compute(by_hand([0, 0, 0, 1])) == 0.25


def test_revenue_concentration():
    gini = METRICS["revenue_concentration"].compute
    assert gini(by_hand([0, 0, 1, 1])) == pytest.approx(0)
    # a tenth of the customers with all the revenue: 1 - 0.1
    assert gini(by_hand([0] * 9 + [1], monetary=[0] * 9 + [50])) == pytest.approx(0.9)
    # a quarter with half the revenue: the Lorenz curve passes (0.75, 0.5)
    assert gini(by_hand([0, 0, 0, 1], monetary=[1, 1, 1, 3])) == pytest.approx(0.25)
    assert gini(by_hand([0, 1], monetary=[0, 0])) is None


def test_separation_is_eta_squared():
    eta = METRICS["separation_monetary"].compute
    assert eta(by_hand([0, 0, 1, 1], monetary=[1, 1, 5, 5])) == pytest.approx(1)
    assert eta(by_hand([0, 1, 0, 1], monetary=[1, 1, 5, 5])) == pytest.approx(0)
    # between: 4 x 1^2 = 4; total: 1 + 9 + 9 + 1 = 20 around the mean of 4
    assert eta(by_hand([0, 0, 1, 1], monetary=[3, 7, 1, 5])) == pytest.approx(4 / 20)
    assert eta(by_hand([0, 1])) is None
    assert METRICS["separation_clv"].compute(by_hand([0, 1])) is None
    assert METRICS["separation_clv"].compute(by_hand([0, 1], **{CLV: [1.0, 2.0]})) == pytest.approx(1)


@pytest.mark.parametrize(
    "outcome",
    [
        by_hand([0], matrix=np.zeros((1, 1))),
        by_hand([0, 0, 0], matrix=np.zeros((3, 1))),
        by_hand([0, 1], matrix=np.array([[0.0], [1.0]])),
        by_hand([0, 1, 1], matrix=np.zeros((3, 2))),
        by_hand([0, 1, 2]),
        by_hand([0, 1, 1], matrix=np.zeros((3, 2)), inside=[False, True, True]),
    ],
    ids=["one customer", "one segment", "all alone", "all in one place", "no space", "one group and outliers"],
)
def test_what_cannot_be_had_is_none_and_never_nan(outcome):
    found = measure(outcome)
    assert set(found) == set(METRICS)
    json.dumps(found, allow_nan=False)


def test_every_metric_says_what_it_means():
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.title and metric.meaning.endswith(".")
        assert metric.better in ("higher", "lower", "")
