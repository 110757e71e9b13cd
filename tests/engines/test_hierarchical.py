"""Hierarchical: exactly Ward on thousands, Ward of small weighted groups above."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, is_valid_linkage
from scipy.cluster.hierarchy import ward as scipy_ward

from engines import hierarchical
from engines.clustering.linkage import ward
from engines.evaluation.drift import adjusted_rand
from engines.hierarchical import Hierarchical
from tests.engines.cdnow import cdnow_customers


def test_cdnow_is_cut_as_scipy_cuts_it():
    customers = cdnow_customers()
    fitted = Hierarchical(k=4).fit(customers)
    theirs = fcluster(scipy_ward(fitted.space(customers)), 4, "maxclust")
    assert adjusted_rand(fitted.assign(customers).to_numpy(), theirs) > 0.99
    assert fitted.diagnostics["exact"] == 1
    assert fitted.diagnostics["cut_height"] < fitted.diagnostics["next_height"]


@given(seed=st.integers(0, 10_000), rows=st.integers(2, 60), dimensions=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_the_tree_is_scipys(seed, rows, dimensions):
    points = np.random.default_rng(seed).normal(size=(rows, dimensions))
    np.testing.assert_allclose(ward(points, np.ones(rows)).merges, scipy_ward(points), atol=1e-9)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_a_weight_is_so_many_equal_customers(seed):
    generator = np.random.default_rng(seed)
    points, weights = generator.normal(size=(30, 2)), generator.integers(1, 6, 30)
    ours, theirs = ward(points, weights.astype(float)), scipy_ward(np.repeat(points, weights, axis=0))
    np.testing.assert_allclose(ours.merges[:, 2:], theirs[-29:, 2:], atol=1e-7)
    for k in (2, 5, 30):
        spread = fcluster(theirs, theirs[-(k - 1), 2] - 1e-9 if k < 30 else 1e-9, "distance")
        assert adjusted_rand(np.repeat(ours.cut(k), weights), spread) == pytest.approx(1)


def test_points_on_a_grid_where_every_distance_ties():
    points = np.array([[x, y] for x in range(12) for y in range(12)], dtype=float)
    tree = ward(points, np.ones(len(points)))
    assert is_valid_linkage(tree.merges)
    assert (np.diff(tree.merges[:, 2]) >= 0).all()
    for k in range(1, 145):
        assert len(np.unique(tree.cut(k))) == k


def test_the_top_of_the_tree_is_a_tree():
    points = np.random.default_rng(0).normal(size=(200, 3))
    tree = ward(points, np.ones(200))
    top = tree.top(12)
    assert top.merges.shape == (11, 4)
    assert is_valid_linkage(top.merges)
    np.testing.assert_array_equal(top.merges[:, 2], tree.merges[-11:, 2])
    assert sorted(top.customers) == sorted(np.bincount(tree.cut(12)))
    assert sorted(tree.cut(12)[top.inside]) == list(range(12))
    assert tree.top(500).merges.shape == (199, 4)


def test_artifacts_hold_the_top_of_the_tree():
    customers = cdnow_customers()
    fitted = Hierarchical().fit(customers)
    artifacts = fitted.artifacts()
    linkage = np.array(artifacts["linkage"])
    assert is_valid_linkage(linkage) and len(linkage) == 29
    by_key = pd.Series(artifacts["leaf_customers"]).groupby(artifacts["leaf_keys"]).sum()
    assert by_key.to_dict() == fitted.assign(customers).value_counts().to_dict()


def planted(count, seed=0):
    generator = np.random.default_rng(seed)
    group = generator.integers(0, 4, count)
    values = np.exp(generator.normal(size=(4, 8))[group] * 1.8 + generator.normal(size=(count, 8)))
    names = [f"f{number}" for number in range(8)]
    return pd.DataFrame(values, columns=names, index=[f"c{n:07d}" for n in range(count)]), group


def test_small_groups_find_what_was_planted():
    customers, group = planted(30_000)
    fitted = Hierarchical(features=tuple(customers.columns)).fit(customers)
    assert fitted.diagnostics["exact"] == 0
    assert fitted.diagnostics["leaves"] <= hierarchical.MICRO
    assert adjusted_rand(fitted.assign(customers).to_numpy(), group) > 0.9
    assert any("small groups" in note for note in fitted.notes)


def test_small_groups_come_near_the_exact_tree(monkeypatch):
    customers, group = planted(6_000, seed=3)
    exact = Hierarchical(features=tuple(customers.columns)).fit(customers).assign(customers)
    monkeypatch.setattr(hierarchical, "EXACT", 1_000)
    rough = Hierarchical(features=tuple(customers.columns)).fit(customers).assign(customers)
    assert adjusted_rand(rough.to_numpy(), group) > adjusted_rand(exact.to_numpy(), group) - 0.05
