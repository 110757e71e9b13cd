"""What clustering engines share: one space fitted once, nearest points, samples, and scikit-learn's own clusterers."""

import numpy as np
import pandas as pd
import pytest
import sklearn.cluster
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.clustering.centres import micro_centres, nearest
from engines.clustering.clusterers import FittedEstimator, NearestGroup, wrap
from engines.clustering.sampling import count_distinct, encode_keys, sample_rows, stratified_rows
from engines.clustering.scaling import fit_space, signed_log
from engines.columns import FREQUENCY, MONETARY, RECENCY
from engines.errors import InputError
from engines.evaluation.drift import adjusted_rand
from tests.engines.cdnow import cdnow_customers

RFM_COLUMNS = (RECENCY, FREQUENCY, MONETARY)


def test_the_space_is_log_and_one_scale():
    customers = cdnow_customers()
    space, matrix = fit_space(customers, RFM_COLUMNS, "Test")
    logs = np.log1p(customers.to_numpy(dtype=float))
    np.testing.assert_allclose(matrix, (logs - logs.mean(axis=0)) / logs.std(axis=0))
    np.testing.assert_array_equal(space.transform(customers), matrix)
    assert space.title == "log recency_days, log frequency, log monetary"


def test_new_customers_are_measured_with_the_old_scale():
    customers = cdnow_customers()
    space, matrix = fit_space(customers, RFM_COLUMNS, "Test", components=2)
    np.testing.assert_array_equal(space.transform(customers.iloc[5:6]), matrix[5:6])


def test_shares_are_not_logarithms_and_negative_spend_has_one():
    table = pd.DataFrame({"share_bags": [0.0, 0.5, 1.0], "net_monetary": [-10.0, 0.0, 10.0]})
    space, matrix = fit_space(table, ("share_bags", "net_monetary"), "Test")
    assert space.logged == (False, True)
    of_plug_ins = pd.DataFrame({"weekend_share": [0.0, 0.5, 1.0], "visits": [0.0, 3.0, 9.0]})
    assert fit_space(of_plug_ins, ("weekend_share", "visits"), "Test")[0].logged == (False, True)
    np.testing.assert_allclose(matrix[:, 0], matrix[:, 1])
    assert signed_log(np.array([-1.0])) == -np.log(2)


def test_nothing_varies_is_one_place():
    table = pd.DataFrame(3, index=range(2), columns=list(RFM_COLUMNS))
    space, matrix = fit_space(table, RFM_COLUMNS, "Test")
    assert matrix.tolist() == [[0.0], [0.0]]
    assert space.constant == RFM_COLUMNS


@given(seed=st.integers(0, 1000), points=st.sampled_from([1, 5, 32, 33, 200]), dimensions=st.integers(1, 8))
@settings(max_examples=25, deadline=None)
def test_nearest_is_nearest_alone_and_in_the_crowd(seed, points, dimensions):
    generator = np.random.default_rng(seed)
    rows, places = (
        generator.integers(-3, 4, (300, dimensions)) * 0.1,
        generator.integers(-3, 4, (points, dimensions)) * 0.1,
    )
    found = nearest(rows, places)
    squared = ((rows[:, None, :] - places[None, :, :]) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared[np.arange(300), found], squared.min(axis=1), atol=1e-12)
    alone = [int(nearest(rows[i : i + 1], places)[0]) for i in range(0, 300, 29)]
    assert alone == found[::29].tolist()


@pytest.mark.parametrize(("scale", "offset"), [(0.1, 0.0), (1e-5, 1.0), (1e4, 1e6), (1e25, 0.0), (1e160, 0.0)])
def test_a_shortlist_decides_as_the_customer_alone(scale, offset):
    generator = np.random.default_rng(0)
    places = generator.integers(-3, 4, (200, 3)) * scale + offset
    rows = generator.integers(-6, 7, (1500, 3)) * scale / 2 + offset
    rows[0] *= 1e9
    with np.errstate(over="ignore"):
        alone = np.concatenate([nearest(rows[i : i + 1], places) for i in range(len(rows))])
        np.testing.assert_array_equal(nearest(np.asfortranarray(rows), places), alone)


def test_codes_are_those_of_unique():
    for keys in ([3, -1, 3, 7], [5], [], [0, 10**12, -4]):
        different, codes = encode_keys(np.array(keys, dtype=np.int64))
        expected = np.unique(np.array(keys, dtype=np.int64), return_inverse=True)
        assert (different.tolist(), codes.tolist()) == (expected[0].tolist(), expected[1].tolist())


def test_micro_centres_are_distinct_and_few():
    matrix = np.random.default_rng(0).integers(0, 5, (5000, 2)).astype(float)
    assert micro_centres(matrix, 100, 0).tolist() == np.unique(matrix, axis=0).tolist()
    spread = np.random.default_rng(0).normal(size=(5000, 2))
    assert 50 < len(micro_centres(spread, 100, 0)) <= 100


def test_count_distinct_stops_where_it_is_told():
    matrix = np.zeros((10_000, 2))
    matrix[-3:] = [[1, 0], [0, 1], [1, 0]]
    assert count_distinct(matrix, 2) == 2
    assert count_distinct(matrix, 9) == 3


def test_samples_are_seeded_and_fair():
    assert sample_rows(10, 20, 0).tolist() == list(range(10))
    first = sample_rows(1000, 100, 3)
    assert first.tolist() == sample_rows(1000, 100, 3).tolist() != sample_rows(1000, 100, 4).tolist()
    assert len(set(first.tolist())) == 100 and (np.diff(first) > 0).all()
    codes = np.repeat([0, 1, 2], [9000, 990, 10])
    drawn = np.bincount(codes[stratified_rows(codes, 1000, 0)])
    assert drawn.tolist() == [900, 99, 10]


# --- scikit-learn's clusterers as engines ----------------------------------------------------------------------------


def test_without_predict_the_nearest_fitted_customer_decides():
    customers = cdnow_customers()
    engine = wrap("hdbscan", sklearn.cluster.HDBSCAN)(min_cluster_size=40)
    fitted = engine.fit(customers)
    assert isinstance(fitted, NearestGroup)
    _, matrix = fit_space(customers, RFM_COLUMNS, "Test")
    theirs = sklearn.cluster.HDBSCAN(min_cluster_size=40, copy=True).fit(matrix).labels_
    np.testing.assert_array_equal(fitted.assign(customers), theirs)
    assert {item.key: item.name for item in fitted.segments}[-1] == "Outliers"


def test_with_predict_the_estimator_decides():
    customers = cdnow_customers()
    fitted = wrap("birch", sklearn.cluster.Birch)(k=3).fit(customers)
    assert isinstance(fitted, FittedEstimator)
    _, matrix = fit_space(customers, RFM_COLUMNS, "Test")
    theirs = sklearn.cluster.Birch(n_clusters=3).fit(matrix)
    assert adjusted_rand(fitted.assign(customers).to_numpy(), theirs.predict(matrix).astype(int)) == 1


def test_a_setting_that_the_estimator_refuses_is_an_input_error():
    engine = wrap("agglomerative", sklearn.cluster.AgglomerativeClustering)(linkage="nearest")
    with pytest.raises(InputError, match=r"AgglomerativeClustering cannot be fitted so.*linkage"):
        engine.fit(cdnow_customers())


def test_what_an_estimator_warns_of_becomes_a_note():
    engine = wrap("affinity", sklearn.cluster.AffinityPropagation)(max_iter=2)
    fitted = engine.fit(cdnow_customers().iloc[:100])
    assert any("converge" in note for note in fitted.notes)


@pytest.mark.parametrize("name", ["KMeans", "SpectralClustering", "OPTICS", "MiniBatchKMeans", "FeatureAgglomeration"])
def test_knobs_of_a_wrapped_clusterer_are_json_ready(name):
    import json

    made = wrap(name.lower(), getattr(sklearn.cluster, name))
    json.dumps([item.to_dict() for item in made.knobs()], allow_nan=False)
    assert [item.name for item in made.knobs()][-3:] == ["features", "scaling", "components"]
