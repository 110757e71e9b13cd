"""Gaussian mixture: probabilities that add up, likelihoods no worse than scikit-learn's, and a warning about spikes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.mixture import GaussianMixture as Reference

from engines.clustering import mixture
from engines.columns import FREQUENCY
from engines.errors import InputError
from engines.features import build_customers
from engines.gmm import GaussianMixture
from engines.intake import read_sales
from engines.settings import CleaningRules
from tests.engines.cdnow import cdnow_customers


@pytest.mark.parametrize("k", [2, 4])
def test_the_likelihood_is_at_least_scikit_learns(k):
    customers = cdnow_customers().sort_index()
    fitted = GaussianMixture(k=k).fit(customers)
    matrix = fitted.space(customers)
    theirs = [Reference(k, random_state=seed).fit(matrix) for seed in range(3)]
    best = max(model.score(matrix) * len(matrix) for model in theirs)
    assert fitted.diagnostics["log_likelihood"] >= best - 0.5
    assert fitted.diagnostics["bic"] <= min(model.bic(matrix) for model in theirs) + 1


def test_likelihood_bic_and_labels_are_those_of_the_same_mixture_in_scikit_learn():
    customers = cdnow_customers()
    fitted = GaussianMixture(k=3, smallest_variance=0.01).fit(customers)
    same = Reference(3)
    same.weights_, same.means_ = fitted.mixture.weights, fitted.mixture.means
    same.covariances_ = fitted.mixture.covariances
    same.precisions_cholesky_ = np.stack(
        [np.linalg.inv(np.linalg.cholesky(covariance)).T for covariance in fitted.mixture.covariances]
    )
    matrix = fitted.space(customers)
    assert fitted.diagnostics["log_likelihood"] == pytest.approx(same.score(matrix) * len(matrix), rel=1e-9)
    assert fitted.diagnostics["bic"] == pytest.approx(same.bic(matrix), rel=1e-9)
    assert fitted.diagnostics["aic"] == pytest.approx(same.aic(matrix), rel=1e-9)
    np.testing.assert_allclose(fitted.membership(customers), same.predict_proba(matrix), atol=1e-9)
    np.testing.assert_array_equal(fitted.assign(customers), same.predict(matrix))


def test_membership_adds_up_and_agrees_with_the_label():
    customers = cdnow_customers()
    fitted = GaussianMixture().fit(customers)
    membership = fitted.membership(customers)
    assert list(membership.columns) == [item.key for item in fitted.segments]
    np.testing.assert_allclose(membership.sum(axis=1), 1)
    pd.testing.assert_series_equal(membership.idxmax(axis=1).astype("int64"), fitted.assign(customers))


@pytest.mark.parametrize("seed", range(4))
def test_seeds_agree(seed):
    customers = cdnow_customers()
    pd.testing.assert_series_equal(
        GaussianMixture(seed=seed).fit(customers).assign(customers),
        GaussianMixture(seed=9).fit(customers).assign(customers),
    )


def test_a_spike_is_told():
    fitted = GaussianMixture().fit(cdnow_customers())
    assert fitted.diagnostics["near_singular"] >= 1
    assert any("nearly flat" in note for note in fitted.notes)
    smooth = GaussianMixture(smallest_variance=0.05).fit(cdnow_customers())
    assert smooth.diagnostics["near_singular"] == 0
    assert smooth.notes == ()


def test_those_with_one_order_can_be_set_aside():
    customers = cdnow_customers()
    fitted = GaussianMixture(k=3, set_aside_one_order=True).fit(customers)
    labels = fitted.assign(customers)
    assert len(fitted.segments) == 4
    assert ((labels == 3) == (customers[FREQUENCY] == 1)).all()
    membership = fitted.membership(customers)
    np.testing.assert_allclose(membership.sum(axis=1), 1)
    pd.testing.assert_series_equal(membership.idxmax(axis=1).astype("int64"), labels)
    with pytest.raises(InputError, match="every customer has one order"):
        GaussianMixture(set_aside_one_order=True).fit(customers[customers[FREQUENCY] == 1])


def test_the_sample_and_the_polish_reach_the_likelihood_of_everyone(monkeypatch):
    generator = np.random.default_rng(0)
    matrix = generator.normal(size=(3, 3))[generator.integers(0, 3, 9_000)] * 3 + generator.normal(size=(9_000, 3))
    (everyone,) = mixture.fit_mixtures(matrix, [3], 0, 1e-6)
    monkeypatch.setattr(mixture, "SEARCHED", 1_000)
    (sampled,) = mixture.fit_mixtures(matrix, [3], 0, 1e-6)
    assert sampled.rounds > 0 and sampled.converged
    assert sampled.log_likelihood >= everyone.log_likelihood - 1


def check_the_likelihood_never_falls(customers):
    fits = list(GaussianMixture().fit_each(customers, range(2, 13)))
    likelihoods = [fitted.diagnostics["log_likelihood"] for fitted in fits]
    assert likelihoods == sorted(likelihoods)
    alone = GaussianMixture(k=6).fit(customers)
    assert alone.diagnostics == fits[4].diagnostics and alone.assign(customers).equals(fits[4].assign(customers))
    return likelihoods


def test_the_likelihood_never_falls_with_k():
    assert check_the_likelihood_never_falls(cdnow_customers())[3] > 6_000  # a search from random starts stops at 5,200


@pytest.mark.slow
def test_the_likelihood_never_falls_with_k_on_online_retail(shared_data):
    with read_sales(str(shared_data / "online_retail.csv.gz"), rules=CleaningRules(returns="drop")) as sales:
        customers = build_customers(sales.table, as_of=sales.as_of)
    found = check_the_likelihood_never_falls(customers)
    assert found[3] == pytest.approx(805, abs=5)  # k = 5: random starts alone stop at -1,543


def test_a_component_that_is_nobodys_likeliest_makes_no_segment():
    # two overlapping components, one of them tiny: everyone is likelier to come from the large one
    found = mixture.Mixture(np.array([0.999999, 0.000001]), np.zeros((2, 1)), np.ones((2, 1, 1)))
    from engines.gmm import _used

    assert _used(found, np.linspace(-3, 3, 50)[:, None]).tolist() == [0]


@pytest.mark.parametrize("aside", [False, True])
def test_a_refit_begins_with_the_earlier_components_and_keeps_their_keys(aside):
    customers = cdnow_customers()
    engine = GaussianMixture(k=3, set_aside_one_order=aside)
    start = engine.fit(customers)
    refit = engine.refit(customers, start)
    assert refit.segments == start.segments
    assert (refit.assign(customers) == start.assign(customers)).mean() > 0.98
    assert refit.diagnostics["log_likelihood"] >= start.diagnostics["log_likelihood"] - 1.0
    grown = customers.assign(monetary=customers["monetary"] * 1.1)
    assert (engine.refit(grown, start).assign(grown) == start.assign(grown)).mean() > 0.8
