"""The plane on which customers differ most."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from engines.clustering.projection import principal_plane
from engines.naming.alignment import aligned


def columns(seed=0, number=500):
    random = np.random.default_rng(seed)
    frequency = random.geometric(0.3, number)
    return [random.integers(0, 365, number), frequency, frequency * random.lognormal(3, 0.7, number)]


def test_it_is_the_pca_of_scaled_logarithms():
    given = columns()
    found = principal_plane(given)
    logs = np.log1p(np.stack(given, axis=1))
    scaled = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    pca = PCA(2).fit(scaled)
    np.testing.assert_allclose(found.explained_variance, pca.explained_variance_ratio_, rtol=1e-9)
    np.testing.assert_allclose(np.abs(found.places(given)), np.abs(pca.transform(scaled)), atol=1e-9)


def test_signs_do_not_depend_on_the_order_of_rows():
    given = columns(3)
    order = np.random.default_rng(1).permutation(len(given[0]))
    found = principal_plane(given)
    np.testing.assert_allclose(found.axes, principal_plane([column[order] for column in given]).axes, atol=1e-9)
    assert (found.axes[np.arange(2), np.abs(found.axes).argmax(axis=1)] > 0).all()


@pytest.mark.parametrize("given", [[np.ones(5), np.arange(5.0), np.full(5, np.nan)], [np.zeros(3)] * 3])
def test_columns_without_differences(given):
    found = principal_plane(given)
    assert np.isfinite(found.places(given)).all()
    assert np.isfinite(found.explained_variance).all()


def test_segments_are_paired_by_the_customers_they_share():
    table = np.array([[5, 0, 9], [8, 0, 7]])
    assert aligned(table) == [(0, 2), (1, 0)]
    assert aligned(np.array([[3, 0], [0, 0]])) == [(0, 0)]  # what shares nobody is no pair
