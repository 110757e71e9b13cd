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
from engines.evaluation.holdout import TOP, LaterSales, captured_shares, holdout_curve, holdout_cutoff
from engines.evaluation.recommendation import KPoint, recommend
from engines.evaluation.selection import evaluate_ks
from engines.features import customers_at
from engines.gmm import GaussianMixture
from engines.hierarchical import Hierarchical
from engines.intake import read_sales
from engines.kmeans import KMeans
from engines.rfm import RFM
from engines.settings import CleaningRules
from tests.engines.cdnow import cdnow_customers
from tests.engines.planted import FEATURES, planted


@pytest.fixture(scope="module")
def cdnow():
    return evaluate_ks("kmeans", KMeans(), cdnow_customers(), ks=range(2, 13), seed=42, bootstraps=3)


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


def test_without_later_months_the_most_stable_is_named_and_the_usual_measures_with_their_runners_up(cdnow):
    assert "There are no later months" in cdnow.reason and f"k = {cdnow.recommended} is the most stable" in cdnow.reason
    again = recommend(cdnow.points, elbow=cdnow.elbow, lowest_bic=cdnow.lowest_bic)
    assert (cdnow.recommended, cdnow.reason, cdnow.runners_up) == again
    assert [other.k for other in cdnow.runners_up] != [] and cdnow.recommended not in [o.k for o in cdnow.runners_up]
    by_measure = {choice.measure: choice for choice in cdnow.measures}
    assert (by_measure["silhouette"].k, by_measure["silhouette"].next_k) == (2, 3)
    assert by_measure["elbow"].k == cdnow.elbow
    assert by_measure["davies_bouldin"].k == 2
    assert f"silhouette k = 2 (then 3), elbow of the inertia k = {cdnow.elbow}, Davies-Bouldin k = 2" in cdnow.reason


@pytest.fixture(scope="module")
def online_retail(shared_data):
    path = str(shared_data / "online_retail.csv.gz")
    with read_sales(path, rules=CleaningRules(returns="drop")) as sales:
        cutoff = holdout_cutoff(sales.first_day, sales.as_of)
        tables = dict(customers_at(sales.table, [cutoff, sales.as_of]))
        customers, before = tables[sales.as_of], tables[cutoff]
    after = customers[MONETARY] - before[MONETARY].reindex(customers.index).fillna(0.0)
    return customers, LaterSales(before, after, cutoff)


@pytest.mark.slow
def test_on_online_retail_the_fewest_stable_segments_that_catch_as_much_later_revenue_win(online_retail):
    customers, later = online_retail
    found = evaluate_ks("kmeans", KMeans(), customers, later=later)
    by_k = {point.k: point for point in found.points}
    assert list(by_k) == [3, 4, 5, 6, 7, 8]  # as many campaigns as can be run
    assert found.recommended == 3 and "fewest segments" in found.reason
    for k in by_k:  # as the metric of a run has it
        assert by_k[k].captured == pytest.approx(holdout_curve(KMeans(k=k), later.before, later.spend_after).at(TOP))
        assert by_k[k].captured_low < by_k[k].captured < by_k[k].captured_high
    sound = [point for point in found.points if point.stability >= 0.8 and point.smallest_share >= 0.02]
    best = max(sound, key=lambda point: point.captured)
    equal = [point.k for point in sound if point.captured >= best.captured_low]
    assert min(equal) == found.recommended and len(equal) > 2
    assert [other.k for other in found.runners_up][: len(equal) - 1] == equal[1:]
    assert (found.later_from, found.later_customers) == ("2011-09-08", 3357)
    # two segments are as stable, and catch less of what comes later
    wider = evaluate_ks("kmeans", KMeans(), customers, ks=(2, 3), later=later, bootstraps=2)
    assert wider.recommended == 3 and wider.points[0].captured < wider.points[1].captured_low


def test_captured_shares_of_draws_are_those_of_customers_counted_so_often():
    codes, worth = np.array([0, 0, 1, 1, 1]), np.array([9.0, 7.0, 1.0, 2.0, 3.0])
    after = np.array([40.0, 20.0, 10.0, 20.0, 10.0])
    shares = captured_shares([codes, np.arange(5)], worth, after, 50, seed=3)
    assert shares[0] == pytest.approx([0.3, 0.4])  # half of the first segment; the one who spent most
    random = np.random.default_rng(3)
    for row in shares[1:]:
        drawn = random.integers(5, size=5)
        each = np.lexsort((drawn, -worth[drawn]))[0]  # a fifth of five is one customer
        assert row[1] == pytest.approx(after[drawn][each] / after[drawn].sum())


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
        assert f"BIC k = {groups} (then" in found.reason


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
    assert found.recommended == 2 and "k = 2 is the most stable" in found.reason
    unknown = evaluate_ks("spend", BySpend, cdnow_customers(), ks=(2, 3), bootstraps=0)
    assert unknown.recommended is None and "no k is recommended" in unknown.reason


# --- the rule, on points made by hand -------------------------------------------------------------------------------


def point(k, captured=None, stability=0.9, smallest=0.1, width=0.02, silhouette=0.3):
    ends = () if captured is None else (captured, captured - width, captured + width)
    return KPoint(k, k, None, silhouette, 0.01, None, None, None, None, stability, 0.01, smallest, *ends)


def test_the_smallest_k_within_the_interval_of_the_best_wins():
    points = [point(3, 0.50), point(4, 0.58), point(5, 0.60), point(6, 0.59)]
    k, reason, runners_up = recommend(points)
    assert k == 4
    assert (
        "counts as equal to the highest: k = 5 with 60.0 % (58.0 to 62.0 %)." in reason and "fewest segments" in reason
    )
    assert [other.k for other in runners_up] == [5, 6, 3]
    assert "counts as equal" in runners_up[0].why and "less than the interval" in runners_up[2].why
    alone = recommend([point(3, 0.50), point(4, 0.57), point(5, 0.60)])
    assert alone.k == 5 and "the most of all k" in alone.reason and "fewest" not in alone.reason


def test_unstable_and_tiny_ones_are_passed_over():
    points = [point(3, 0.9, stability=0.79), point(4, 0.8, smallest=0.019), point(5, 0.5), point(6, 0.2)]
    k, _, runners_up = recommend(points)
    assert k == 5
    assert [other.k for other in runners_up] == [6, 4, 3]
    assert "only 1.9 %" in runners_up[1].why and "only to 0.790" in runners_up[2].why


def test_where_none_is_sound_the_most_stable_is_named_with_what_is_wrong():
    k, reason, _ = recommend([point(2, 0.9, stability=0.6), point(3, 0.5, stability=0.7), point(4, 0.5, 0.75, 0.01)])
    assert k == 3
    assert "No k is both stable (at least 0.8)" in reason and "with care" in reason and "to 0.70" in reason


def test_bic_decides_among_equals_where_it_has_a_lowest_point_inside_the_range():
    points = [replace(point(k, 0.5), bic=bic) for k, bic in ((3, 10.0), (4, 9.0), (5, 8.0), (6, 9.0))]
    found = recommend(points, lowest_bic=5)
    assert found.k == 5 and "lowest BIC" in found.reason and "BIC k = 5 (then 4)" in found.reason
    falling = [replace(point(k, 0.5), bic=-float(k)) for k in (3, 4, 5)]
    assert recommend(falling, lowest_bic=5).k == 3  # still falling at the end
    assert "BIC" not in recommend(falling, lowest_bic=5).reason
    assert recommend([points[0], points[1], replace(points[2], stability=0.5), points[3]], lowest_bic=5).k == 3


def test_stability_that_was_not_measured_is_not_asked_for():
    k, reason, _ = recommend([point(2, 0.4, stability=None), point(3, 0.6, stability=None)])
    assert k == 3 and "not measured" in reason
