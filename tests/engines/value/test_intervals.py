"""Intervals: they hold what they promise whatever the order and the company, and parameters are as sure as that."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from engines.columns import CLV, CLV_HIGH, CLV_LOW, REPEAT_PURCHASES
from engines.errors import InputError
from engines.value import estimate, revalue
from engines.value.lifetime import intervals, lifetime
from engines.value.lifetime.bgnbd import BGNBD
from engines.value.lifetime.intervals import PURCHASES_HIGH, PURCHASES_LOW, SPEND_HIGH, SPEND_LOW
from engines.value.lifetime.models import LIFETIMES, spend_intervals
from engines.value.lifetime.patterns import Histories
from engines.value.registry import value_model
from engines.value.testing import ValueModelContract
from tests.engines.value.simulation import simulate

COLUMNS = [SPEND_LOW, SPEND_HIGH, PURCHASES_LOW, PURCHASES_HIGH]


@pytest.fixture(scope="module", params=LIFETIMES)
def fitted(request, customers):
    return value_model(request.param).fit(customers, ())


def test_they_are_in_order_and_wider_where_more_is_asked(fitted, customers):
    some, most = (spend_intervals(fitted, customers, 39.0, level) for level in (0.5, 0.95))
    assert list(some.customers.columns) == COLUMNS
    assert np.isfinite(most.customers.to_numpy()).all()
    for low, high in ((SPEND_LOW, SPEND_HIGH), (PURCHASES_LOW, PURCHASES_HIGH)):
        assert (most.customers[low] >= 0).all()
        assert (most.customers[low] <= some.customers[low]).all()
        assert (some.customers[low] <= some.customers[high]).all()
        assert (some.customers[high] <= most.customers[high]).all()
    expected = fitted.predict(customers, 39.0).sum()
    assert most.spend.low < some.spend.low < expected["future_spend"] < some.spend.high < most.spend.high
    assert some.purchases.low < expected["expected_purchases"] < some.purchases.high


def test_order_company_and_batches_change_nothing(fitted, customers, monkeypatch):
    whole = spend_intervals(fitted, customers, 26.0)
    shuffled = spend_intervals(fitted, customers.sample(frac=1.0, random_state=3), 26.0)
    pd.testing.assert_frame_equal(shuffled.customers.loc[customers.index], whole.customers, check_exact=True)
    assert (shuffled.spend, shuffled.purchases) == (whole.spend, whole.purchases)
    alone = spend_intervals(fitted, customers.iloc[[0]], 26.0)
    pd.testing.assert_frame_equal(alone.customers, whole.customers.iloc[[0]], rtol=1e-12)
    monkeypatch.setattr(intervals, "BATCH", 100)
    small = spend_intervals(fitted, customers, 26.0)
    pd.testing.assert_frame_equal(small.customers, whole.customers, rtol=1e-12)
    assert [*small.spend, *small.purchases] == pytest.approx([*whole.spend, *whole.purchases], rel=1e-4)


def test_another_seed_is_another_sample_of_the_same(customers):
    fitted = value_model("bg_nbd").fit(customers, ())
    one, other = (spend_intervals(fitted, customers, 39.0, seed=seed) for seed in (0, 1))
    assert not one.customers.equals(other.customers)
    assert [*one.spend] == pytest.approx([*other.spend], rel=0.01)
    assert one.customers[SPEND_HIGH].mean() == pytest.approx(other.customers[SPEND_HIGH].mean(), rel=0.05)


@pytest.mark.slow
def test_they_hold_so_many_of_the_customers_that_live_by_the_model():
    """Simulated shops: spend above the upper end in one case of ten, and the total within in eight of ten."""
    truth, random = BGNBD(0.8, 6.0, 0.7, 2.5), np.random.default_rng(8)
    totals, above = [], []
    for shop in range(40):
        ages = random.integers(20, 60, 1500).astype(float)
        x, t_x, later = simulate(truth, ages, 26.0, seed=100 + shop)
        rhythm = random.gamma(4.0, 1 / 15.0, len(x))
        mean, ahead = (
            np.where(n > 0, random.gamma(6.0 * np.maximum(n, 1)) / (rhythm * np.maximum(n, 1)), 0.0) for n in (x, later)
        )
        table = pd.DataFrame(
            {"repeat_purchases": x, "first_to_last": t_x, "age": ages, "mean_repeat_value": mean, "monetary": mean * x}
        )
        found = spend_intervals(value_model("bg_nbd").fit(table, ()), table, 26.0)
        spent = later * ahead
        totals.append(found.spend.low <= spent.sum() <= found.spend.high)
        likely = found.customers[SPEND_HIGH] > 0
        above.append((spent > found.customers[SPEND_HIGH])[likely].mean())
    assert 0.62 <= np.mean(totals) <= 0.95, "three standard errors around eight in ten"
    assert np.mean(above) == pytest.approx(0.10, abs=0.01)


@pytest.mark.parametrize("name", ["bg_nbd", "mbg_nbd"])
def test_parameters_are_as_sure_as_a_bootstrap_finds(customers, histories, name):
    fitted = value_model(name).fit(customers, ())
    claimed = np.sqrt(np.diag(fitted.uncertainty.lifetime))
    random = np.random.default_rng(1)
    drawn = []
    for _ in range(120):
        weights = random.multinomial(int(histories.customers), histories.weights / histories.customers).astype(float)
        some = weights > 0
        again = Histories(*(column[some] for column in (histories.x, histories.t_x, histories.age, weights)), some)
        drawn.append(np.log(list(lifetime.fit_lifetime(LIFETIMES[name], again).model.parameters().values())))
    middle = np.diff(np.quantile(drawn, [0.16, 0.84], axis=0), axis=0)[0] / 2
    np.testing.assert_allclose(claimed, middle, rtol=0.35)


@pytest.mark.parametrize("name", LIFETIMES)
def test_clv_has_the_interval_and_models_keep_it_through_json(customers, name):
    valuation = estimate(customers, horizon_weeks=39, model=name, interval=0.9, seed=4)
    columns, model = valuation.columns, json.loads(json.dumps(valuation.model, allow_nan=False))
    assert (columns[CLV_LOW] <= columns[CLV_HIGH]).all()
    often = customers[REPEAT_PURCHASES] >= 3
    assert ((columns[CLV_LOW] <= columns[CLV]) & (columns[CLV] <= columns[CLV_HIGH]))[often].mean() > 0.9
    pd.testing.assert_frame_equal(revalue(customers, model), columns, check_exact=True)
    pd.testing.assert_frame_equal(revalue(customers.iloc[[7]], model), columns.iloc[[7]], rtol=1e-9)
    low, high = model["total"]["clv_range"]
    assert low < model["total"]["clv"] < high
    assert model["total"]["clv"] == pytest.approx(columns[CLV].sum())


def test_a_model_of_an_old_snapshot_still_values(customers):
    model = {
        k: v for k, v in estimate(customers).model.items() if k not in ("model", "uncertainty", "interval", "seed")
    }
    assert np.isfinite(revalue(customers, model).to_numpy()).all()


@pytest.mark.parametrize("level", [0.0, 1.0, float("nan"), 80])
def test_a_level_that_is_no_share_is_refused(customers, level):
    with pytest.raises(InputError, match="interval"):
        estimate(customers, interval=level)


def test_a_customer_who_bought_very_often_has_an_interval():
    shop = ValueModelContract().customers()
    fitted = value_model("bg_nbd").fit(shop, ())
    often = shop.iloc[[0]].assign(repeat_purchases=600, first_to_last=100.0, age=100.0, mean_repeat_value=20.0)
    found = spend_intervals(fitted, often, 26.0).customers.iloc[0]
    # she comes six times a week, and leaves after one time in fifty
    assert 1 <= found[PURCHASES_LOW] < 50 < found[PURCHASES_HIGH] < 400
    assert 20 < found[SPEND_LOW] < 1000 < found[SPEND_HIGH]
