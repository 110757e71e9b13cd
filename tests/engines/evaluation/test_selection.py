"""Choosing k: figures against references, planted groups found again, and nothing that depends on the order of rows."""

import json
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from engines.clustering.clusterers import k_knob
from engines.columns import MONETARY
from engines.contract import Engine, Segment
from engines.errors import InputError
from engines.evaluation import selection
from engines.evaluation.recommendation import KPoint, recommend
from engines.evaluation.selection import evaluate_ks
from engines.gmm import GaussianMixture
from engines.hierarchical import Hierarchical
from engines.kmeans import KMeans
from engines.rfm import RFM
from tests.engines.cdnow import cdnow_customers
from tests.engines.planted import FEATURES, planted


@pytest.fixture(scope="module")
def cdnow():
    return evaluate_ks("kmeans", KMeans(), cdnow_customers(), seed=42, bootstraps=3)


def test_silhouettes_of_cdnow_are_the_published_ones(cdnow):
    expected = {2: 0.579, 3: 0.491, 4: 0.414, 5: 0.419}
    found = {point.k: point.silhouette for point in cdnow.points}
    assert {k: found[k] for k in expected} == pytest.approx(expected, abs=0.002)
    assert [point.k for point in cdnow.points] == list(range(2, 13))


def test_every_figure_is_the_reference_one(cdnow):
    customers = cdnow_customers()
    for point in cdnow.points[:4]:
        fitted = KMeans(k=point.k, seed=42).fit(customers)
        matrix, codes = fitted.space(customers), fitted.assign(customers).to_numpy()
        widths = reference.silhouette_samples(matrix, codes)
        assert point.silhouette == pytest.approx(widths.mean(), abs=1e-6)
        assert point.calinski_harabasz == pytest.approx(reference.calinski_harabasz_score(matrix, codes))
        assert point.davies_bouldin == pytest.approx(reference.davies_bouldin_score(matrix, codes))
        assert point.inertia == pytest.approx(fitted.diagnostics["inertia"])
        assert point.smallest_share == pytest.approx(np.bincount(codes).min() / len(codes))
        strata = [widths[codes == code] for code in range(point.k)]
        variance = sum((len(part) / len(codes)) ** 2 * part.var(ddof=1) / len(part) for part in strata)
        assert point.silhouette_error == pytest.approx(np.sqrt(variance), rel=1e-4)
        assert point.segments == point.k
        assert point.bic is None
    assert (cdnow.customers, cdnow.evaluated_on, cdnow.silhouette_on, cdnow.refitted_on) == (2349,) * 4
    assert cdnow.space == "log recency_days, log frequency, log monetary"


def test_the_recommendation_follows_from_the_points(cdnow):
    assert cdnow.recommended == 2
    assert "k = 2 has the highest silhouette" in cdnow.reason
    assert f"elbow of the inertia is at k = {cdnow.elbow}" in cdnow.reason
    assert (cdnow.recommended, cdnow.reason) == recommend(cdnow.points, elbow=cdnow.elbow, lowest_bic=cdnow.lowest_bic)


@pytest.mark.parametrize("groups", [3, 5])
@pytest.mark.parametrize("kind", [KMeans, GaussianMixture, Hierarchical])
def test_planted_groups_are_found_again(kind, groups):
    engine = kind(scaling="standard")
    found = evaluate_ks(kind.__name__, engine, planted(groups, each=90), ks=range(2, 8), bootstraps=3)
    assert found.recommended == groups
    assert found.points[groups - 2].stability > 0.98
    assert found.points[groups - 2].smallest_share == pytest.approx(1 / groups, abs=0.02)
    if kind is KMeans:
        assert found.elbow == groups
    if kind is GaussianMixture:
        assert found.lowest_bic == groups
        assert f"k = {groups} has the lowest BIC" in found.reason


@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from([KMeans, GaussianMixture, Hierarchical]))
@settings(max_examples=4, deadline=None)
def test_the_order_of_rows_does_not_matter(seed, kind):
    customers = cdnow_customers().iloc[:250]
    shuffled = customers.iloc[np.random.default_rng(seed).permutation(len(customers))]
    one, other = (evaluate_ks("it", kind, table, ks=(2, 3, 4), bootstraps=2) for table in (customers, shuffled))
    assert one == other


def test_the_same_seed_gives_the_same_answer_and_another_seed_another():
    customers = cdnow_customers()
    one, again, other = (evaluate_ks("kmeans", KMeans, customers, ks=(2, 3), bootstraps=3, seed=s) for s in (1, 1, 2))
    assert one == again
    assert [point.stability for point in one.points] != [point.stability for point in other.points]


@pytest.mark.parametrize("kind", [KMeans, GaussianMixture, Hierarchical])
def test_it_is_json(kind):
    found = evaluate_ks("it", kind(k=40), cdnow_customers().iloc[:120], ks=(2, 5, 9), bootstraps=2)
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [point["k"] for point in read["points"]] == [2, 5, 9]
    assert "k" not in read["settings"] and read["settings"]["scaling"] == "log1p"


def test_a_sample_is_measured_like_the_whole(monkeypatch):
    customers = cdnow_customers()
    whole = evaluate_ks("kmeans", KMeans, customers, ks=(2, 4), bootstraps=0)
    monkeypatch.setattr(selection, "SILHOUETTE_SAMPLE", 900)
    sampled = evaluate_ks("kmeans", KMeans, customers, ks=(2, 4), bootstraps=0)
    assert 850 < sampled.silhouette_on < 1000
    for one, other in zip(whole.points, sampled.points, strict=True):
        assert other.silhouette == pytest.approx(one.silhouette, abs=4 * other.silhouette_error)
        assert other.silhouette_error > 1.4 * one.silhouette_error
        assert other.inertia == one.inertia
    monkeypatch.setattr(selection, "LARGEST", 700)
    small = evaluate_ks("kmeans", KMeans, customers, ks=(2, 4), bootstraps=0)
    assert (small.customers, small.evaluated_on) == (2349, 700)


def test_numbers_that_the_table_does_not_allow_are_left_out_with_a_note():
    customers = cdnow_customers().iloc[:5]
    for kind in (KMeans, Hierarchical):
        found = evaluate_ks("it", kind, customers, ks=range(2, 9), bootstraps=2)
        assert [point.k for point in found.points] == [2, 3, 4, 5]
        assert "k = 6 and above could not be tried" in found.notes[0]
        assert found.recommended is not None


def test_one_clear_refusal():
    customers = cdnow_customers()
    with pytest.raises(InputError, match="RFM has no k to choose"):
        evaluate_ks("rfm", RFM, customers)
    for ks in ((), (1, 2), (0,)):
        with pytest.raises(InputError, match="at least 2"):
            evaluate_ks("kmeans", KMeans, customers, ks=ks)
    with pytest.raises(InputError, match="k = 99 is out of range"):
        evaluate_ks("kmeans", KMeans, customers, ks=(2, 99))
    with pytest.raises(InputError, match="no customers"):
        evaluate_ks("kmeans", KMeans, customers.iloc[:0])
    with pytest.raises(InputError, match="choose k at most 1"):
        evaluate_ks("kmeans", KMeans, customers.iloc[:1])
    equal = customers.iloc[:9].assign(**dict.fromkeys(FEATURES, 5))
    with pytest.raises(InputError, match="differ in"):
        evaluate_ks("kmeans", KMeans, equal)
    with pytest.raises(InputError, match="no monetary"):
        evaluate_ks("kmeans", KMeans, customers.drop(columns=MONETARY))


def test_one_tree_serves_every_k():
    customers = cdnow_customers().iloc[:400]
    ks = (2, 3, 7, 12)
    for k, fitted in zip(ks, Hierarchical().fit_each(customers, ks), strict=True):
        alone = Hierarchical(k=k).fit(customers)
        assert fitted.assign(customers).equals(alone.assign(customers))
        assert fitted.diagnostics == alone.diagnostics
        assert fitted.artifacts() == alone.artifacts()
        assert fitted.segments == alone.segments


@dataclass(frozen=True)
class Thirds:
    """Splits customers into k by spend, and has no feature space."""

    k: int

    @property
    def segments(self):
        return tuple(Segment(key) for key in range(self.k))

    diagnostics = MappingProxyType({})

    def assign(self, customers):
        return (customers[MONETARY].rank(pct=True) * self.k * 0.999).astype("int64")


@dataclass(frozen=True)
class BySpend(Engine):
    title = "By spend"
    k: int = k_knob()

    def fit(self, customers):
        return Thirds(self.k)


def test_an_engine_without_a_feature_space_is_told_apart_by_what_there_is():
    found = evaluate_ks("spend", BySpend, cdnow_customers(), ks=(2, 3), bootstraps=2)
    assert [point.silhouette for point in found.points] == [None, None]
    assert found.points[0].stability == 1
    assert found.recommended is None and "no k is recommended" in found.reason


# --- the rule, on points made by hand -------------------------------------------------------------------------------


def point(k, silhouette, stability=0.9, smallest=0.1, error=0.01):
    return KPoint(k, k, None, silhouette, error, None, None, None, None, stability, 0.01, smallest)


def test_fewest_segments_within_one_standard_error():
    points = [point(2, 0.40), point(3, 0.495), point(4, 0.50), point(5, 0.48)]
    k, reason = recommend(points)
    assert k == 3
    assert "within one standard error" in reason and "0.500 ± 0.010 at k = 4" in reason
    assert recommend([point(2, 0.40), point(3, 0.489), point(4, 0.50)])[0] == 4


def test_unstable_and_tiny_ones_are_passed_over():
    points = [point(2, 0.9, stability=0.74), point(3, 0.8, smallest=0.019), point(4, 0.5), point(5, 0.4)]
    k, reason = recommend(points, elbow=5)
    assert k == 4
    assert "stable and have no tiny segment" in reason
    assert reason.endswith("For comparison: the elbow of the inertia is at k = 5.")


def test_where_none_is_sound_the_reason_says_what_is_wrong():
    k, reason = recommend([point(2, 0.5, stability=0.6), point(3, 0.6, stability=0.7, smallest=0.01)])
    assert k == 3
    assert "only to 0.70" in reason and "only 1.0 %" in reason and "with care" in reason


def test_bic_goes_first_where_it_has_a_lowest_point_inside_the_range():
    points = [point(2, 0.6), point(3, 0.5), point(4, 0.4)]
    assert recommend(points, lowest_bic=3)[0] == 3
    assert recommend(points, lowest_bic=4)[0] == 2  # still falling at the end
    assert recommend([points[0], replace(points[1], stability=0.5), points[2]], lowest_bic=3)[0] == 2


def test_stability_that_was_not_measured_is_not_asked_for():
    k, reason = recommend([point(2, 0.6, stability=None), point(3, 0.5, stability=None)])
    assert k == 2 and "not measured" in reason
