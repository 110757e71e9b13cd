"""Models that learn from past windows: figures on CDNOW, planted signals found, nothing known of what came after."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from engines.errors import InputError
from engines.features import customers_at
from engines.intake import read_sales
from engines.value.contract import Window
from engines.value.learned import examples as training
from engines.value.learned.churn import Boosting, Logistic, Recency, ridge
from engines.value.learned.predictors import Forecast, predictors_of
from engines.value.learned.spend import Tweedie, TwoPart
from engines.value.lifetime.models import BGNBDModel
from engines.value.testing import ValueModelContract
from engines.value.validation.plan import plan_origins, window, windows
from tests.conftest import ROOT

CHURN = (Recency(), Logistic(), Boosting())
SPEND = (Tweedie(), TwoPart())


def named(model):
    return type(model).__name__


def backtest(source, days, cutoff=None):
    """Customers at the test's cut-off, the lessons before it, and the test."""
    with read_sales(source) as sales:
        first = sales.table.order_date.min().to_pyarrow().as_py().date()
        made = plan_origins(first, sales.as_of, days, days, cutoff=cutoff).shown
        tables = dict(customers_at(sales.table, sorted(made.dates)))
    return tables[made.test.as_of], windows(made.training, tables), window(made.test, tables)


@pytest.fixture(scope="module")
def cdnow():
    return backtest("cdnow-sample", 90, date(1997, 10, 1))


@pytest.fixture(scope="module")
def shop():
    """The contract's small shop: customers and two windows."""
    subject = ValueModelContract()
    return subject.customers(), subject.past()


def judged(model, customers, past, test):
    chance = model.fit(customers, past).predict(test.customers, test.weeks)["p_purchase"]
    bought = test.outcome["purchases_after"] > 0
    return roc_auc_score(bought, chance), brier_score_loss(bought, chance), log_loss(bought, chance)


def error(model, customers, past, test):
    foreseen = model.fit(customers, past).predict(test.customers, test.weeks)["future_spend"]
    return float(np.sqrt(np.mean((foreseen - test.outcome["spend_after"]) ** 2)))


# --- figures --------------------------------------------------------------------------------------------------------


def test_lessons_of_half_the_length_serve_for_39_weeks_of_cdnow(cdnow):
    customers, past, test = cdnow
    assert (len(past), past[0].weeks < 20, test.weeks) == (1, True, 39.0)
    auc, brier, loss = judged(Logistic(), *cdnow)
    _, bg_brier, bg_loss = judged(BGNBDModel(), *cdnow)
    assert auc >= 0.77
    assert (brier, loss) == pytest.approx((0.156, 0.486), abs=0.002)
    assert brier < bg_brier and loss < bg_loss
    # trees alone take 39 weeks for 19 and foresee a quarter too few; the forecast's odds carry them
    chance = Boosting().fit(customers, past).predict(customers, test.weeks)["p_purchase"]
    assert chance.mean() == pytest.approx((test.outcome["purchases_after"] > 0).mean(), abs=0.02)
    assert judged(Boosting(), *cdnow)[2] < bg_loss
    # recency alone knows nothing of the rhythm, but that twice the time is twice the hazard
    assert judged(Logistic(), *cdnow)[2] < judged(Recency(), *cdnow)[2] < 0.52


def test_spend_on_cdnow_is_foreseen_as_well_as_by_bg_nbd(cdnow):
    plain = error(BGNBDModel(), *cdnow)
    assert error(TwoPart(), *cdnow) < plain
    assert error(Tweedie(), *cdnow) < 1.05 * plain


@pytest.mark.slow
@pytest.mark.parametrize("source", ["sample-shop", "online_retail.csv.gz"])
def test_what_is_learned_beats_recency_and_for_spend_bg_nbd(source, request):
    if source.endswith(".gz"):
        source = str(request.getfixturevalue("shared_data") / source)
    found = backtest(source, 90)
    baseline = judged(Recency(), *found)[2]
    for model in (Logistic(), Boosting()):
        assert judged(model, *found)[2] < baseline - 0.01, named(model)
    for model in SPEND:
        assert error(model, *found) < error(BGNBDModel(), *found), named(model)


# --- what they know -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [*CHURN, *SPEND], ids=named)
def test_a_longer_window_never_has_less(shop, model):
    fitted = model.fit(*shop)
    answers = [fitted.predict(shop[0], weeks).to_numpy() for weeks in (1.0, 4.0, 13.0, 26.0, 104.0)]
    assert (np.diff(answers, axis=0) >= -1e-12).all()
    if not isinstance(model, Recency):
        # Tweedie has a least forecast that it multiplies, and who is below it at any length stays there
        assert (answers[-1] > answers[0]).mean() > 0.9


def test_nothing_of_the_outcome_is_among_the_measures(shop):
    customers, past = shop
    told = training.Lessons().examples(past, "Backtest")
    shuffled = [
        replace(each, outcome=each.outcome.sample(frac=1.0, random_state=3).set_axis(each.outcome.index))
        for each in past
    ]
    again = training.Lessons().examples(shuffled, "Backtest")
    pd.testing.assert_frame_equal(told.predictors, again.predictors, check_exact=True)
    assert (told.spend == again.spend).all() and (told.chance == again.chance).all()
    assert (told.bought != again.bought).any()
    columns = [*predictors_of(customers, Forecast.of(customers), 13.0).columns]
    assert {"average_order_value", "unique_products", "mean_days_between_orders", "purchase_span_days"} <= {*columns}
    assert not {"purchases_after", "spend_after", "tenure_days"} & {*columns}


@pytest.mark.parametrize("model", [Logistic(), Boosting(), TwoPart(), Tweedie()], ids=named)
def test_a_planted_signal_is_found(shop, model):
    """Who returns goods comes back, which no history of purchases can tell."""
    customers, past = shop

    def planted(table, seed):
        return table.assign(return_rate=np.random.default_rng(seed).choice([0.0, 0.5], len(table)))

    def told(each, seed):
        table = planted(each.customers, seed)
        keen = (table["return_rate"] > 0).to_numpy()
        outcome = pd.DataFrame({"purchases_after": keen.astype(np.int64), "spend_after": keen * 30.0}, table.index)
        return Window(each.as_of, each.weeks, table, outcome)

    now = planted(customers, 9)
    found = model.fit(now, [told(each, seed) for seed, each in enumerate(past)]).predict(now, past[0].weeks)
    assert roc_auc_score(now["return_rate"] > 0, found[model.answers[0]]) > 0.9


def test_ridge_without_examples_to_the_contrary_leaves_the_forecast_as_it_is():
    random = np.random.default_rng(5)
    odds = random.normal(-1.0, 1.5, 4_000)
    column = random.normal(size=4_000)
    bought = (random.random(4_000) < 1 / (1 + np.exp(-odds))).astype(float)
    assert ridge([column], odds, bought, 1e6) == pytest.approx([0.0, 1.0, 0.0], abs=0.1)
    against = (random.random(4_000) < 1 / (1 + np.exp(odds))).astype(float)
    assert ridge([column], odds, against, 1e-3)[1] == 0.0  # never below


def test_ridge_without_a_forecast_is_scikit_learns_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(6)
    matrix = random.normal(size=(500, 3))
    bought = (random.random(500) < 1 / (1 + np.exp(-matrix @ [1.0, -0.5, 0.0]))).astype(float)
    theirs = LogisticRegression(C=1 / 7.0, tol=1e-10, max_iter=1_000).fit(matrix, bought)
    ours = ridge(list(matrix.T), None, bought, 7.0)
    assert ours == pytest.approx([theirs.intercept_[0], *theirs.coef_[0]], abs=1e-5)


# --- the same whatever does not matter ------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [*CHURN, *SPEND], ids=named)
def test_order_of_rows_and_crowd_do_not_matter_to_the_last_digit(shop, model, monkeypatch):
    monkeypatch.setattr(training, "MOST", 700)  # so that a sample is drawn
    customers, past = shop
    shuffled = [
        replace(each, customers=each.customers.sample(frac=1.0, random_state=seed)) for seed, each in enumerate(past)
    ]
    plain = model.fit(customers, past).predict(customers, 13.0)
    fitted = model.fit(customers.sample(frac=1.0, random_state=8), shuffled)
    pd.testing.assert_frame_equal(fitted.predict(customers, 13.0), plain, check_exact=True)
    pd.testing.assert_frame_equal(fitted.predict(customers.iloc[[7]], 13.0), plain.iloc[[7]], check_exact=True)


THREADS = """
from engines.value.learned.churn import Boosting, Logistic
from engines.value.learned.spend import Tweedie, TwoPart
from engines.value.testing import ValueModelContract
shop = ValueModelContract()
for model in (Logistic(), Boosting(), Tweedie(), TwoPart()):
    print(model.fit(shop.customers(), shop.past()).predict(shop.customers(), 13.0).iloc[:, 0].map(float.hex).to_list())
"""


@pytest.mark.slow
def test_number_of_threads_does_not_matter_to_the_last_digit():
    found = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", THREADS],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    ]
    assert found[0] == found[1] and len(found[0]) > 1_000


def test_importing_the_room_loads_no_scikit_learn():
    code = "import sys, engines.value; assert not {'sklearn', 'lifetimes'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


# --- what they refuse -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [*CHURN, *SPEND], ids=named)
def test_says_what_is_missing(shop, model):
    customers, past = shop
    with pytest.raises(InputError, match="too short"):
        model.fit(customers, ())
    nobody = [replace(each, outcome=each.outcome * 0) for each in past]
    with pytest.raises(InputError, match="at least 20 customers that bought again and 20 that did not"):
        model.fit(customers, nobody)
    with pytest.raises(InputError, match="recency_days"):
        model.fit(customers, [replace(each, customers=each.customers.drop(columns="recency_days")) for each in past])


@pytest.mark.parametrize("model", SPEND, ids=named)
def test_purchases_for_nothing_are_not_enough_to_learn_spend_from(shop, model):
    free = [replace(each, outcome=each.outcome.assign(spend_after=0.0)) for each in shop[1]]
    with pytest.raises(InputError, match="at least 20 customers that spent something"):
        model.fit(shop[0], free)


def test_xgboost_is_listed_and_works_or_says_how_to_get_it(shop):
    from engines.value.registry import registered_models

    (entry,) = (entry for entry in registered_models() if entry.name == "xgboost")
    if entry.kind is None:
        assert "segmentry[xgboost]" in entry.error
    else:
        chance = entry.kind().fit(*shop).predict(shop[0], 13.0)["p_purchase"]
        assert chance.between(0, 1).all() and chance.nunique() > 10
