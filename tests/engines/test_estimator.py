"""The engines as scikit-learn estimators pass scikit-learn's own checks, and agree with themselves as engines."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from engines.columns import FREQUENCY, MONETARY, RECENCY
from engines.errors import InputError
from engines.estimator import SegmentryClusterer
from engines.kmeans import KMeans
from tests.engines.cdnow import cdnow_customers

ENGINES = ("kmeans", "gmm", "hierarchical")


@parametrize_with_checks([SegmentryClusterer(name) for name in ENGINES])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", ENGINES)
def test_it_finds_blobs_in_a_pipeline(name):
    blobs, groups = make_blobs(600, n_features=4, centers=5, cluster_std=0.6, random_state=3)
    pipeline = make_pipeline(StandardScaler(), SegmentryClusterer(name, k=5, settings={"scaling": "none"}))
    found = pipeline.fit_predict(blobs)
    assert adjusted_rand_score(groups, found) > 0.99
    np.testing.assert_array_equal(pipeline.predict(blobs), found)


@pytest.mark.parametrize("name", ENGINES)
def test_the_order_of_rows_does_not_matter(name):
    blobs, _ = make_blobs(300, n_features=3, centers=4, cluster_std=2.0, random_state=1)
    order = np.random.default_rng(0).permutation(len(blobs))
    estimator = SegmentryClusterer(name, k=3)
    np.testing.assert_array_equal(estimator.fit_predict(blobs)[order], clone(estimator).fit_predict(blobs[order]))


def test_on_the_customer_table_it_is_the_engine():
    customers = cdnow_customers()[[RECENCY, FREQUENCY, MONETARY]]
    found = SegmentryClusterer("kmeans", k=3, seed=1).fit(customers)
    # both number their centres in ascending order, so the keys agree as well
    pd.testing.assert_series_equal(
        pd.Series(found.labels_, customers.index), KMeans(k=3, seed=1).fit(customers).assign(customers)
    )
    assert found.fitted_.artifacts()["space"] == "log recency_days, log frequency, log monetary"


def test_what_it_cannot_do_is_one_clear_error():
    rows = np.random.default_rng(0).normal(size=(20, 2))
    for estimator, message in [
        (SegmentryClusterer("rfm"), "'rfm' has no setting features"),
        (SegmentryClusterer("magic"), "no engine 'magic'"),
        (SegmentryClusterer(k=21), "k = 21 segments cannot be made of 20"),
        (SegmentryClusterer(settings={"colour": "red"}), "no setting 'colour'"),
    ]:
        with pytest.raises(InputError, match=message):
            estimator.fit(rows)
