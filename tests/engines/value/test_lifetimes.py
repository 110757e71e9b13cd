"""MBG/NBD and Pareto/NBD: the figures of the literature, where lifetimes ends, and what simulated customers do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.columns import AGE, CHURN_RISK, EXPECTED_PURCHASES, FIRST_TO_LAST, P_PURCHASE, REPEAT_PURCHASES
from engines.errors import InputError
from engines.value import estimate
from engines.value.lifetime import lifetime
from engines.value.lifetime.bgnbd import BGNBD
from engines.value.lifetime.mbgnbd import MBGNBD
from engines.value.lifetime.models import LIFETIMES
from engines.value.lifetime.paretonbd import ParetoNBD

MODELS = [BGNBD(0.25, 4.4, 0.8, 2.4), MBGNBD(0.53, 6.2, 0.9, 1.6), ParetoNBD(0.55, 10.6, 0.6, 11.7)]
PUBLISHED = {
    "mbg_nbd": ({"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}, -9582.14),
    "pareto_nbd": ({"r": 0.5532, "alpha": 10.576, "s": 0.6063, "beta": 11.672}, -9594.98),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_those_of_the_literature(customers, name):
    parameters, likelihood = PUBLISHED[name]
    valuation = estimate(customers, horizon_weeks=39, model=name)
    assert valuation.model["model"] == name
    assert valuation.model[name]["parameters"] == pytest.approx(parameters, rel=0.005)
    assert valuation.model[name]["log_likelihood"] == pytest.approx(likelihood, abs=0.01)
    assert valuation.model[name]["converged"]
    assert (valuation.columns[CHURN_RISK] == 1 - valuation.columns[P_PURCHASE]).all()
    total = {"mbg_nbd": 1882 * (1 - 0.162), "pareto_nbd": 1882 * (1 - 0.115)}[name]
    assert valuation.columns[EXPECTED_PURCHASES].sum() == pytest.approx(total, rel=0.001)


def test_mbg_nbd_ends_where_lifetimes_ends(customers, histories):
    import lifetimes

    columns = [customers[name] for name in (REPEAT_PURCHASES, FIRST_TO_LAST, AGE)]
    theirs = lifetimes.ModifiedBetaGeoFitter().fit(*columns).params_
    assert lifetime.fit_lifetime(MBGNBD, histories).model.parameters() == pytest.approx(theirs.to_dict(), rel=1e-6)


@pytest.mark.slow
def test_pareto_nbd_ends_where_lifetimes_ends(histories):
    """Its search without a gradient takes a minute to come so close, from near the optimum or from afar."""
    import lifetimes

    np.random.seed(0)
    theirs = lifetimes.ParetoNBDFitter().fit(
        histories.x, histories.t_x, histories.age, weights=histories.weights, tol=1e-13, maxiter=20_000, maxfev=40_000
    )
    assert lifetime.fit_lifetime(ParetoNBD, histories).model.parameters() == pytest.approx(
        theirs.params_.to_dict(), rel=1e-6
    )


def test_figures_are_those_of_lifetimes(histories):
    import lifetimes

    history = histories.x, histories.t_x, histories.age
    for model, fitter in ((MODELS[1], "ModifiedBetaGeoFitter"), (MODELS[2], "ParetoNBDFitter")):
        theirs = getattr(lifetimes, fitter)()
        theirs.params_ = pd.Series(model.parameters())
        alive = model.alive(*history)
        np.testing.assert_allclose(alive, theirs.conditional_probability_alive(*history), rtol=1e-10)
        expected = theirs.conditional_expected_number_of_purchases_up_to_time(39.0, *history)
        np.testing.assert_allclose(alive * model.purchases_if_alive(history[0], history[2], 39.0), expected, rtol=1e-9)
    none = theirs.conditional_probability_of_n_purchases_up_to_time(0, 39.0, *history)
    silent = 1 - alive + alive * model.none_if_alive(history[0], history[2], 39.0)
    np.testing.assert_allclose(silent, none, rtol=1e-10)
    by_theirs = theirs._conditional_log_likelihood(list(model.parameters().values()), *history) @ histories.weights
    assert model.log_likelihood(histories) == pytest.approx(by_theirs, rel=1e-12)


@pytest.mark.parametrize("kind", LIFETIMES.values(), ids=lambda kind: kind.name)
@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-4, 4), min_size=4, max_size=4))
def test_gradients_are_those_of_the_likelihood(histories, kind, logs):
    objective = kind.objective(histories, 1 / 38.86)
    at = np.array(logs)
    value, gradient = objective(at)
    steps = 1e-5 * np.eye(4)
    numeric = [(objective(at + step)[0] - objective(at - step)[0]) / 2e-5 for step in steps]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-6 * max(1.0, abs(value)))


@pytest.mark.parametrize(
    "model",
    [ParetoNBD(0.5, 8.0, 0.6, 8.0), ParetoNBD(0.5, 8.0, 1.0, 8.0 + 1e-9), ParetoNBD(2.0, 0.3, 3.0, 200.0)],
    ids=["equal", "nearly", "far"],
)
def test_pareto_nbd_is_stable_for_frequent_buyers_and_equal_scales(model):
    """Against the integral over the moment of leaving, by many small steps in the logarithm."""
    for x, t_x, age in [(0.0, 0.0, 30.0), (3.0, 10.0, 30.0), (400.0, 29.0, 30.0), (5000.0, 700.0, 704.0)]:
        moments = t_x + (age - t_x) * np.linspace(0, 1, 400_001) ** 4
        log_f = -(model.r + x) * np.log((model.alpha + moments) / (model.alpha + age))
        log_f -= (model.s + 1) * np.log(model.beta + moments) - model.s * np.log(model.beta + age)
        left = model.s * np.trapezoid(np.exp(log_f - log_f.max()), moments)
        expected = 1 / (1 + np.exp(np.minimum(np.log(left) + log_f.max(), 700.0)))
        ours = model.alive(np.array([x]), np.array([t_x]), np.array([age]))[0]
        assert ours == pytest.approx(expected, rel=1e-4, abs=1e-12), (x, t_x, age)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_distribution_ahead_has_the_mean_and_the_chance_of_none(model):
    x, age = np.array([0.0, 1.0, 7.0, 350.0]), np.array([0.0, 20.0, 38.0, 400.0])
    tail = model.at_least_if_alive(x, age, 26.0, 3000)
    np.testing.assert_allclose(tail.sum(axis=1), model.purchases_if_alive(x, age, 26.0), rtol=1e-5)
    np.testing.assert_allclose(1 - tail[:, 0], model.none_if_alive(x, age, 26.0), atol=1e-9)
    assert (np.diff(tail, axis=1) <= 1e-12).all()


def test_pareto_nbd_is_what_simulated_customers_do():
    model, random, size = ParetoNBD(0.8, 6.0, 0.9, 20.0), np.random.default_rng(5), 200_000
    ages, ahead = random.integers(20, 60, size).astype(float), 26.0
    rate, gone = (
        random.gamma(model.r, 1 / model.alpha, size),
        random.exponential(1 / random.gamma(model.s, 1 / model.beta, size)),
    )
    x, later = random.poisson(rate * np.minimum(ages, gone)), random.poisson(rate * np.clip(gone - ages, 0, ahead))
    t_x = np.where(x > 0, np.minimum(ages, gone) * random.random(size) ** (1 / np.maximum(x, 1)), 0.0)
    alive = model.alive(x.astype(float), t_x, ages)
    some = alive * (1 - model.none_if_alive(x.astype(float), ages, ahead))
    expected = alive * model.purchases_if_alive(x.astype(float), ages, ahead)
    groups = np.digitize(x, [1, 2, 4, 8]) * 4 + np.digitize(t_x / ages, [0.3, 0.6, 0.9])
    for group in np.unique(groups):
        rows = groups == group
        if rows.sum() >= 500:
            off = 4.5 / np.sqrt(rows.sum())
            assert alive[rows].mean() == pytest.approx((gone > ages)[rows].mean(), abs=off * 0.5), group
            assert some[rows].mean() == pytest.approx((later[rows] > 0).mean(), abs=off * 0.5), group
            assert expected[rows].mean() == pytest.approx(later[rows].mean(), abs=off * later[rows].std() + 0.01), group


@pytest.mark.parametrize("name", LIFETIMES)
def test_without_repeat_purchases_every_model_is_pooled_and_says_so(customers, name):
    once = customers[customers[REPEAT_PURCHASES] == 0]
    valuation = estimate(once, model=name)
    assert valuation.model[name]["method"] == "empirical Bayes"
    assert any("empirical-Bayes" in note for note in valuation.notes)
    assert np.isfinite(valuation.columns.to_numpy()).all()


def test_a_horizon_may_end_with_a_day_and_a_model_must_be_known(customers):
    half_year, whole = estimate(customers, horizon_weeks=184 / 7), estimate(customers, horizon_weeks=26)
    more = half_year.columns[EXPECTED_PURCHASES].sum() / whole.columns[EXPECTED_PURCHASES].sum()
    assert 1.0 < more < 184 / 182
    with pytest.raises(InputError, match=r"clv model = 'auto' .* bg_nbd, mbg_nbd, pareto_nbd"):
        estimate(customers, model="auto")
