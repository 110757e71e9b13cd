"""The formulas of the lifetime model against simulated customers and numerical integration."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.value.lifetime import lifetime
from engines.value.lifetime.bgnbd import BGNBD
from engines.value.lifetime.patterns import Histories, distinct_rows
from tests.engines.value.simulation import simulate


@pytest.mark.parametrize("model", [BGNBD(0.8, 6.0, 0.7, 2.5), BGNBD(1.5, 10.0, 1.0, 3.0), BGNBD(0.5, 4.0, 2.5, 4.0)])
def test_expected_purchases_and_churn_risk_are_what_simulated_customers_do(model):
    ages = np.random.default_rng(1).integers(20, 60, 200_000).astype(float)
    x, t_x, later = simulate(model, ages, 26.0, seed=2)
    alive = model.alive(x, t_x, ages)
    expected = alive * model.purchases_if_alive(x, ages, 26.0)
    silent = 1 - alive * (1 - model.none_if_alive(x, ages, 26.0))
    frequent = np.digitize(x, [1, 2, 4, 8])
    lately = np.digitize(t_x / ages, [0.3, 0.6, 0.9])
    compared = 0
    for group in np.unique(frequent * 4 + lately):
        rows = frequent * 4 + lately == group
        if rows.sum() < 500:
            continue
        compared += 1
        off = 4.5 / np.sqrt(rows.sum())  # four and a half standard errors
        assert silent[rows].mean() == pytest.approx((later[rows] == 0).mean(), abs=off * 0.5), group
        assert expected[rows].mean() == pytest.approx(later[rows].mean(), abs=off * later[rows].std()), group
    assert compared >= 8


def test_fit_finds_the_parameters_that_made_the_customers():
    truth = BGNBD(0.8, 6.0, 0.7, 2.5)
    ages = np.random.default_rng(3).integers(20, 60, 60_000).astype(float)
    x, t_x, _ = simulate(truth, ages, 0.0, seed=4)
    fitted = lifetime.fit_lifetime(BGNBD, Histories.of(x, t_x, ages))
    assert fitted.converged
    assert fitted.model.parameters() == pytest.approx(truth.parameters(), rel=0.1)


@pytest.mark.parametrize(
    "model",
    [
        BGNBD(0.25, 4.4, 0.8, 2.4),
        BGNBD(0.7, 8.0, 0.03, 14.0),
        BGNBD(1.0, 104.0, 0.5, 0.5),
        BGNBD(0.8, 6.0, 30.0, 60.0),
        BGNBD(2.0, 6.0, 5_000.0, 8_000.0),
        BGNBD(0.7, 8.0, 0.0005, 9_000.0),
    ],
)
@pytest.mark.parametrize("weeks", [1.0, 26.0, 520.0])
def test_expected_purchases_by_numerical_integration(model, weeks):
    """E[Y(t) | alive] is the mean of (1 - (1 + p t / A)^-(r+x)) / p over p ~ Beta(a, b + x), by quantiles of p."""
    from scipy.special import betaincinv

    middle = (np.arange(20_000) + 0.5) / 20_000
    for x, age in [(0.0, 0.0), (0.0, 50.0), (1.0, 10.0), (12.0, 40.0), (300.0, 52.0)]:
        shape, passed = model.r + x, model.alpha + age
        leaving = np.maximum(betaincinv(model.a, model.b + x, middle), 1e-300)
        ahead = -np.expm1(-shape * np.log1p(leaving * weeks / passed)) / leaving
        ours = model.purchases_if_alive(np.array([x]), np.array([age]), weeks)[0]
        assert ours == pytest.approx(ahead.mean(), rel=1e-3), (x, age)


def test_expected_purchases_pass_smoothly_over_the_removable_poles():
    x, age = np.array([0.0, 3.0]), np.array([20.0, 20.0])
    for a, b in [(1.0, 2.0), (0.4, 0.6)]:  # a = 1, and a + b = 1 without a repeat purchase
        at = BGNBD(0.5, 5.0, a, b).purchases_if_alive(x, age, 26.0)
        beside = BGNBD(0.5, 5.0, a + 1e-4, b).purchases_if_alive(x, age, 26.0)
        np.testing.assert_allclose(at, beside, rtol=1e-3)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 1 / 7, 2 / 7])), min_size=1, max_size=30))
def test_distinct_rows_stand_for_all(rows):
    table = pd.DataFrame(rows, columns=["x", "t"])
    (x, t), positions, counts = distinct_rows(table["x"].to_numpy(), table["t"].to_numpy())
    assert list(zip(x, t, strict=True)) == sorted(set(rows))
    assert [(x[at], t[at]) for at in positions] == rows
    assert counts.tolist() == [rows.count(row) for row in sorted(set(rows))]


def test_histories_count_customers_and_purchases():
    histories = Histories.of(np.array([2.0, 0.0, 2.0]), np.array([3.0, 0.0, 3.0]), np.array([9.0, 5.0, 9.0]))
    assert (len(histories.x), histories.customers, histories.purchases) == (2, 3.0, 4.0)
