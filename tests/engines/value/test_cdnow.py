"""Customer value on CDNOW's 1/10 sample: the figures of the literature, and how the forecast did on the holdout."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from engines.columns import (
    AGE,
    CHURN_RISK,
    CLV,
    EXPECTED_PURCHASE_VALUE,
    EXPECTED_PURCHASES,
    FIRST_TO_LAST,
    MEAN_REPEAT_VALUE,
    P_ALIVE,
    REPEAT_PURCHASES,
    VALUE_COLUMNS,
)
from engines.value import estimate
from engines.value.lifetime import gamma_gamma, lifetime
from engines.value.lifetime.bgnbd import BGNBD
from engines.value.lifetime.clv import WEEKS_PER_YEAR, discounted_purchases
from engines.value.lifetime.patterns import Histories
from tests.engines.value.cdnow import CALIBRATION_END, customer_table, load

HOLDOUT_WEEKS = 39
PUBLISHED = BGNBD(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259)


@pytest.fixture(scope="module")
def customers(days):
    table = customer_table(days, CALIBRATION_END)
    assert len(table) == 2357
    assert table[REPEAT_PURCHASES].sum() == 2457
    return table


@pytest.fixture(scope="module")
def valuation(customers):
    return estimate(customers, horizon_weeks=HOLDOUT_WEEKS)


@pytest.fixture(scope="module")
def fitted(valuation):
    return BGNBD(**valuation.model["bg_nbd"]["parameters"])


@pytest.fixture(scope="module")
def holdout(days, customers):
    """Purchases and revenue of each customer in weeks 40 to 78."""
    later = days[days["day"] > CALIBRATION_END].groupby("customer")["dollars"].agg(["size", "sum"])
    later = later.reindex(customers.index, fill_value=0)
    assert later["size"].sum() == 1882
    return later


def test_parameters_are_those_of_the_literature(valuation):
    fit = valuation.model["bg_nbd"]
    for name, published in PUBLISHED.parameters().items():
        assert fit["parameters"][name] == pytest.approx(published, rel=0.005), name
    assert fit["log_likelihood"] == pytest.approx(-9582.43, abs=0.01)
    assert (fit["converged"], fit["penalizer"], fit["method"]) == (True, 0.0, "maximum likelihood")
    spend = valuation.model["gamma_gamma"]
    assert spend["parameters"] == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.44}, rel=0.005)
    assert spend["log_likelihood"] == pytest.approx(-4055.92, abs=0.01)
    assert valuation.model["repeat_buyers"] == 946
    (note,) = valuation.notes
    assert "the correlation of their ranks is 0.21 (beyond 0.2)" in note


def test_model_can_be_stored_as_json(valuation):
    assert json.loads(json.dumps(valuation.model, allow_nan=False)) == valuation.model


@pytest.mark.parametrize(
    ("weeks", "purchases"), [(0.1429, 0.0078), (1, 0.0532), (3, 0.1506), (31.8571, 1.0405), (32, 1.0437), (78, 1.8576)]
)
def test_purchases_expected_of_a_newcomer(weeks, purchases):
    new = np.zeros(1)
    assert PUBLISHED.purchases_if_alive(new, new, weeks)[0] == pytest.approx(purchases, abs=0.001)


def test_purchases_expected_of_the_customer_worked_out_in_the_paper():
    x, t_x, age = np.array([2.0]), np.array([30.43]), np.array([38.86])
    expected = PUBLISHED.alive(x, t_x, age) * PUBLISHED.purchases_if_alive(x, age, 39)
    assert expected[0] == pytest.approx(1.226, abs=0.001)


def test_purchase_values_of_the_first_ten_customers(valuation):
    published = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    first_ten = [f"{number:04d}" for number in range(1, 11)]
    assert valuation.columns.loc[first_ten, EXPECTED_PURCHASE_VALUE].to_list() == pytest.approx(published, abs=0.1)


def test_everyone_has_every_figure(customers, valuation):
    columns = valuation.columns
    assert tuple(columns.columns) == VALUE_COLUMNS
    assert columns.index.equals(customers.index)
    assert np.isfinite(columns.to_numpy()).all()
    assert (columns[[EXPECTED_PURCHASES, CLV]] >= 0).all(axis=None)
    assert columns[[P_ALIVE, CHURN_RISK]].stack().between(0, 1).all()
    once = customers[REPEAT_PURCHASES] == 0
    assert columns.loc[once, EXPECTED_PURCHASE_VALUE].to_list() == pytest.approx([35.17] * once.sum(), abs=0.01)
    assert (columns.loc[once, P_ALIVE] == 1).all()
    assert (columns.loc[once, CHURN_RISK] > 0.5).all()


def test_holdout_forecast_holds_the_gates_and_beats_the_naive_ones(customers, valuation, holdout):
    bought = holdout["size"].to_numpy(dtype=float)
    x, age = customers[REPEAT_PURCHASES], customers[AGE]
    forecasts = {
        "bg_nbd": valuation.columns[EXPECTED_PURCHASES].to_numpy(),
        "carry": x.to_numpy(dtype=float),
        "rate": (x / age * HOLDOUT_WEEKS).to_numpy(),
        "zero": np.zeros(len(x)),
    }
    rmse = {name: np.sqrt(np.mean((guess - bought) ** 2)) for name, guess in forecasts.items()}
    msle = {name: np.mean((np.log1p(guess) - np.log1p(bought)) ** 2) for name, guess in forecasts.items()}
    ours = forecasts["bg_nbd"]
    assert rmse["bg_nbd"] == pytest.approx(1.608, abs=0.001)
    assert msle["bg_nbd"] == pytest.approx(0.234, abs=0.001)
    assert np.abs(ours - bought).mean() == pytest.approx(0.785, abs=0.001)
    assert ours.sum() / bought.sum() - 1 == pytest.approx(-0.121, abs=0.001)
    assert np.corrcoef(ours, bought)[0, 1] == pytest.approx(0.626, abs=0.001)
    assert min(rmse, key=rmse.get) == "bg_nbd"
    assert min(msle, key=msle.get) == "bg_nbd"


def test_highest_clv_captures_the_revenue_to_come(valuation, holdout):
    ranked = holdout["sum"].loc[valuation.columns[CLV].sort_values(ascending=False, kind="stable").index]
    share = ranked.cumsum() / ranked.sum()
    assert share.iloc[len(ranked) // 10 - 1] == pytest.approx(0.502, abs=0.005)
    assert share.iloc[len(ranked) // 5 - 1] == pytest.approx(0.663, abs=0.005)


def test_churn_risk_ranks_who_will_not_return_and_p_alive_does_not(valuation, holdout):
    from sklearn.metrics import roc_auc_score

    silent = holdout["size"] == 0
    assert roc_auc_score(silent, valuation.columns[CHURN_RISK]) >= 0.755
    assert roc_auc_score(~silent, valuation.columns[EXPECTED_PURCHASES]) == pytest.approx(0.773, abs=0.001)
    assert roc_auc_score(~silent, valuation.columns[P_ALIVE]) == pytest.approx(0.316, abs=0.005)
    # calibrated as well: within three points of how many did stay away
    assert valuation.columns[CHURN_RISK].mean() == pytest.approx(silent.mean(), abs=0.03)


def test_order_of_rows_changes_nothing(customers, valuation):
    shuffled = customers.sample(frac=1.0, random_state=7)
    again = estimate(shuffled, horizon_weeks=HOLDOUT_WEEKS)
    assert again.model == valuation.model
    pd.testing.assert_frame_equal(again.columns.loc[customers.index], valuation.columns, check_exact=True)


def test_unit_of_time_changes_only_alpha(customers, fitted):
    in_days = Histories.of(
        customers[REPEAT_PURCHASES].to_numpy(dtype=float),
        customers[FIRST_TO_LAST].to_numpy() * 7,
        customers[AGE].to_numpy() * 7,
    )
    by_day = lifetime.fit_lifetime(BGNBD, in_days).model
    assert by_day.alpha / 7 == pytest.approx(fitted.alpha, rel=1e-6)
    assert [by_day.r, by_day.a, by_day.b] == pytest.approx([fitted.r, fitted.a, fitted.b], rel=1e-6)
    assert by_day.purchases_if_alive(np.array([3.0]), np.array([210.0]), 182)[0] == pytest.approx(
        fitted.purchases_if_alive(np.array([3.0]), np.array([30.0]), 26)[0], rel=1e-6
    )


def test_fit_ends_where_lifetimes_ends(customers, fitted, valuation):
    import lifetimes

    x, t_x, age = (customers[name] for name in (REPEAT_PURCHASES, FIRST_TO_LAST, AGE))
    theirs = lifetimes.BetaGeoFitter().fit(x, t_x, age).params_
    assert fitted.parameters() == pytest.approx(theirs.to_dict(), rel=1e-6)
    buyers = customers[x > 0]
    theirs = lifetimes.GammaGammaFitter().fit(buyers[REPEAT_PURCHASES], buyers[MEAN_REPEAT_VALUE]).params_
    assert valuation.model["gamma_gamma"]["parameters"] == pytest.approx(theirs.to_dict(), rel=1e-6)


def test_figures_are_those_of_lifetimes(customers, fitted, valuation):
    import lifetimes

    x, t_x, age = (customers[name] for name in (REPEAT_PURCHASES, FIRST_TO_LAST, AGE))
    model, spend = lifetimes.BetaGeoFitter(), lifetimes.GammaGammaFitter()
    model.params_ = pd.Series(fitted.parameters())
    spend.params_ = pd.Series(valuation.model["gamma_gamma"]["parameters"])
    model.predict = model.conditional_expected_number_of_purchases_up_to_time
    columns = valuation.columns
    np.testing.assert_allclose(columns[EXPECTED_PURCHASES], model.predict(HOLDOUT_WEEKS, x, t_x, age), rtol=1e-8)
    np.testing.assert_allclose(columns[P_ALIVE], model.conditional_probability_alive(x, t_x, age), rtol=1e-12)

    monthly = 1.1 ** (1 / 12) - 1
    theirs = spend.customer_lifetime_value(
        model, x, t_x, age, customers[MEAN_REPEAT_VALUE], time=6, discount_rate=monthly, freq="W"
    )
    histories = Histories.of(x.to_numpy(dtype=float), t_x.to_numpy(), age.to_numpy())
    months = np.arange(1.0, 7.0)
    _, discounted = discounted_purchases(fitted, histories, 4.345 * months, (1 + monthly) ** -months)
    np.testing.assert_allclose(discounted[histories.positions] * columns[EXPECTED_PURCHASE_VALUE], theirs, rtol=1e-7)
    # Weekly steps over the same half year discount a little less: the difference that the docstring tells.
    by_week = estimate(customers, horizon_weeks=26).columns[CLV].sum()
    expected = theirs.sum() * 26 / (6 * 4.345)  # a shade less than proportional, as purchases thin out
    assert by_week / expected - 1 == pytest.approx(0.003, abs=0.001)


def test_discounting_is_by_weeks_of_the_yearly_rate(customers):
    plain = estimate(customers, horizon_weeks=1, discount_rate=0.0).columns
    np.testing.assert_allclose(plain[CLV], plain[EXPECTED_PURCHASES] * plain[EXPECTED_PURCHASE_VALUE], rtol=1e-12)
    dear = estimate(customers, horizon_weeks=1, discount_rate=0.5).columns
    np.testing.assert_allclose(dear[CLV], plain[CLV] * 1.5 ** (-1 / WEEKS_PER_YEAR), rtol=1e-12)
    np.testing.assert_allclose(dear[EXPECTED_PURCHASES], plain[EXPECTED_PURCHASES], rtol=0)
    long = estimate(customers, horizon_weeks=52, discount_rate=0.1).columns
    ratio = long[CLV] / (long[EXPECTED_PURCHASES] * long[EXPECTED_PURCHASE_VALUE])
    assert ratio.between(1.1 ** (-52 / WEEKS_PER_YEAR), 1).all()


def test_whole_cdnow_gets_values():
    """The master file: ten times as many customers, valued a year and a half in."""
    lines = pd.read_csv(
        load("CDNOW_master.txt"),
        sep=r"\s+",
        names=["customer", "day", "cds", "dollars"],
        header=0,
        dtype={"customer": str},
    )
    lines["day"] = pd.to_datetime(lines["day"].astype(str), format="%Y%m%d")
    per_day = lines.groupby(["customer", "day"], as_index=False)["dollars"].sum()
    everyone = customer_table(per_day, pd.Timestamp("1998-06-30"))
    valuation = estimate(everyone)
    assert len(valuation.columns) == 23_570
    assert np.isfinite(valuation.columns.to_numpy()).all()
    assert valuation.model["bg_nbd"]["converged"]
    assert valuation.model["gamma_gamma"]["converged"]


def test_gamma_gamma_likelihood_agrees_with_the_formula(customers):
    """Total log-likelihood by equation (1a), written out independently."""
    from scipy.special import gammaln

    buyers = customers[customers[REPEAT_PURCHASES] > 0]
    x, m = buyers[REPEAT_PURCHASES].to_numpy(dtype=float), buyers[MEAN_REPEAT_VALUE].to_numpy()
    p, q, v = 3.0, 2.5, 20.0
    by_hand = (
        gammaln(p * x + q)
        - gammaln(p * x)
        - gammaln(q)
        + q * np.log(v)
        + (p * x - 1) * np.log(m)
        + p * x * np.log(x)
        - (p * x + q) * np.log(x * m + v)
    ).sum()
    assert gamma_gamma.GammaGamma(p, q, v).log_likelihood(x, m) == pytest.approx(by_hand, rel=1e-12)
