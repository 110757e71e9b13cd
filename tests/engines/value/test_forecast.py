"""One forecast: its parts agree for any time ahead, rolling origins choose its models, and it is kept as data."""

import json
from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.ensemble import HistGradientBoostingClassifier

from dashboard.config import load_config
from dashboard.pipeline.sales import SalesRequest, open_sales, past_tables
from engines.columns import (
    CHURN_RISK,
    CLV,
    CLV_HIGH,
    CLV_LOW,
    EXPECTED_PURCHASE_VALUE,
    EXPECTED_PURCHASES,
    P_ALIVE,
    P_PURCHASE,
    TENURE,
    VALUE_COLUMNS,
)
from engines.value.appraisal import Kept, Settings, agenda, appraise, judge, usable_models
from engines.value.learned.trees import TreeSum
from engines.value.lifetime.models import spend_intervals
from engines.value.registry import value_model
from engines.value.validation.baselines import BASELINES, CarryForward, Filled, Rate
from engines.value.validation.choice import AUTO, ModelChoice, OriginLosses, _winner, choose
from engines.value.validation.forecast import OneForecast
from engines.value.validation.new_customers import reappraise
from engines.value.validation.plan import DAYS_BEFORE, plan_origins
from tests.conftest import SHARED_DATA

ONLINE_RETAIL = SHARED_DATA / "online_retail.csv.gz"
SOURCES = [
    "cdnow-sample",
    pytest.param(
        str(ONLINE_RETAIL), marks=pytest.mark.skipif(not ONLINE_RETAIL.is_file(), reason="needs ../shared/data")
    ),
]


@cache
def valued(source, model=AUTO, **others):
    """The customers of a source with their tables of earlier dates, and what they are worth."""
    settings = Settings(model=model, **others)
    with open_sales(SalesRequest(source), load_config(environ={})) as opened:
        sales = opened.sales
        tables = past_tables(opened, agenda(sales.first_day, sales.as_of, settings), {sales.as_of})
        first_day, as_of = sales.first_day, sales.as_of
    customers = tables.pop(as_of)
    return customers, tables, first_day, as_of, appraise(customers, tables, first_day, as_of, settings)


def rebuilt(source):
    """The forecast of a source as it is restored from what was kept, through JSON."""
    customers, *_, found = valued(source)
    model = json.loads(json.dumps(found.model))
    return customers, reappraise(customers, model), found


# --- it does not contradict itself ------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_buying_again_and_churn_risk_never_contradict(source):
    """Before, 627 of 4,262 customers of Online Retail were likelier to buy within 90 days than within 182."""
    *_, found = valued(source)
    columns = found.columns
    known = columns[CHURN_RISK].notna()
    assert known.mean() > 0.9
    assert (1.0 - columns[CHURN_RISK][known] <= columns[P_PURCHASE][known] + 1e-12).all()
    assert (columns[P_PURCHASE] <= columns[P_ALIVE]).all()
    assert (columns[P_PURCHASE] <= columns[EXPECTED_PURCHASES] + 1e-12).all()
    assert (columns[CLV][columns[P_PURCHASE] > 0.1] > 0).mean() > 0.99
    assert (columns[CLV_LOW] <= columns[CLV_HIGH]).all()
    # nobody whose chance of buying is above one in ten has a range that ends at nothing, and nobody below it has more
    assert (columns[CLV_HIGH][columns[P_PURCHASE] < 0.099] == 0).all()
    sure = (columns[P_PURCHASE] > 0.12) & (columns[CLV] > 0)
    assert (columns[CLV_HIGH][sure] > 0).all()


@pytest.mark.parametrize("source", SOURCES)
def test_the_curve_never_falls_as_time_grows(source):
    customers, *_, found = valued(source)
    risks = []
    for days in (7, 30, 60, 90, 182, 365):
        model = json.loads(json.dumps({**found.model, "churn": {**found.model["churn"], "days": days}}))
        columns, without = reappraise(customers, model)
        assert without == {}
        risks.append(columns[CHURN_RISK].dropna().to_numpy())
    assert (np.diff(risks, axis=0) <= 1e-12).all()
    assert risks[0].mean() > risks[-1].mean() + 0.03


@pytest.mark.parametrize("source", SOURCES)
def test_spend_is_purchases_times_their_value(source):
    *_, found = valued(source)
    columns, total = found.columns, found.model["total"]
    spend = columns[EXPECTED_PURCHASES] * columns[EXPECTED_PURCHASE_VALUE]
    assert spend.sum() == pytest.approx(total["spend"])
    assert columns[CLV].sum() == pytest.approx(total["clv"])
    assert (columns[CLV] <= spend + 1e-9).all()
    assert (columns[CLV] >= 0.9 * spend - 1e-9).all()  # discounted by half a year at 10 % at most
    assert total["clv_range"][0] < total["clv"] < total["clv_range"][1]


def test_what_was_kept_gives_the_same_figures():
    for source in ("cdnow-sample",):
        _, (columns, without), found = rebuilt(source)
        assert without == {}
        assert_frame_equal(columns[list(VALUE_COLUMNS)], found.columns, rtol=1e-9, atol=1e-12)


def test_what_could_not_be_kept_is_named_not_made_up():
    customers, *_, found = valued("cdnow-sample")
    assert found.model["forecast"]["churn"] == "logistic"
    columns, without = reappraise(customers, {**found.model, "records": {"logistic": None}})
    assert without[CHURN_RISK] == without[P_PURCHASE] == "Logistic regression"
    assert CLV in columns and CHURN_RISK not in columns


def test_a_configured_model_gives_everything():
    customers, *_, found = valued("cdnow-sample", "mbg_nbd")
    own = value_model("mbg_nbd").fit(customers, ())
    half_year, quarter = (own.predict(customers, weeks)["p_purchase"] for weeks in (26.0, 90 / 7))
    np.testing.assert_allclose(found.columns[P_PURCHASE], half_year, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        1.0 - found.columns[CHURN_RISK], quarter.mask(customers[TENURE] < 14), rtol=1e-9, atol=1e-12
    )
    assert set(found.model["forecast"].values()) == {"mbg_nbd"}


def test_a_margin_makes_clv_a_contribution_and_the_cost_of_a_customer_is_set_against_it():
    customers, *_, plain = valued("cdnow-sample", "bg_nbd")
    # all of CDNOW's customers came within a quarter, long ago: with so many days all of them are new
    *_, found = valued("cdnow-sample", "bg_nbd", margin=0.4, acquisition_cost=3.0, churn_days=600)
    for name in (CLV, CLV_LOW, CLV_HIGH):
        np.testing.assert_allclose(found.columns[name], 0.4 * plain.columns[name], rtol=1e-9)
    assert found.model["total"]["clv"] == pytest.approx(0.4 * plain.model["total"]["clv"])
    assert found.model["total"]["spend"] == pytest.approx(plain.model["total"]["spend"])
    assert any("contribution" in note for note in found.notes)
    again, _ = reappraise(customers, json.loads(json.dumps(found.model)))
    np.testing.assert_allclose(again[CLV], found.columns[CLV], rtol=1e-9)
    acquisition = found.model["acquisition"]
    assert acquisition["so_far"] == pytest.approx(0.4 * customers["monetary"].mean())
    assert acquisition["left"] == pytest.approx(acquisition["so_far"] + found.columns[CLV].mean() - 3.0)
    assert plain.model["acquisition"] is None and plain.model["margin"] == 1.0


def test_costs_make_clv_what_each_customer_leaves():
    customers, tables, first_day, as_of, plain = valued("cdnow-sample", "bg_nbd")
    kept = Kept(ModelChoice.of_one("bg_nbd"), as_of)

    def appraised(share_of_cost, margin=1.0):
        costs = customers.assign(cost=(share_of_cost * customers["monetary"]).round(2))
        return appraise(costs, tables, first_day, as_of, Settings(model="bg_nbd", margin=margin), kept)

    alike = appraised(0.6)
    np.testing.assert_allclose(alike.columns[CLV], 0.4 * plain.columns[CLV], rtol=1e-3)
    assert alike.model["margin"] == pytest.approx(0.4, abs=1e-4) and alike.model["margin_source"] == "cost"
    cheap = np.arange(len(customers)) % 2 == 0
    found = appraised(np.where(cheap, 0.2, 0.7))
    shares = found.columns[CLV] / plain.columns[CLV]
    of_shop = found.model["margin"]
    assert shares[cheap].min() > of_shop - 1e-9 and shares[~cheap].max() < of_shop + 1e-9  # who spent nothing has it
    assert shares[cheap].max() > of_shop + 0.1 and shares[~cheap].min() < of_shop - 0.1
    np.testing.assert_allclose(found.columns[CLV_HIGH], shares * plain.columns[CLV_HIGH], rtol=1e-9)
    total, before = found.model["total"], plain.model["total"]
    in_all = found.columns[CLV].sum() / plain.columns[CLV].sum()
    assert total["clv"] == pytest.approx(in_all * before["clv"]) and total["spend"] == pytest.approx(before["spend"])
    np.testing.assert_allclose(total["clv_range_of_model"], np.multiply(in_all, before["clv_range_of_model"]))
    assert any("after the cost of goods" in note and f"{found.model['margin']:.1%}" in note for note in found.notes)
    said = appraised(0.6, margin=0.5)
    np.testing.assert_allclose(said.columns[CLV], 0.5 * plain.columns[CLV], rtol=1e-9)
    assert any("cost of goods is not used" in note for note in said.notes)
    lost = appraised(1.2)
    np.testing.assert_allclose(lost.columns[CLV], plain.columns[CLV], rtol=1e-9)
    assert any("nothing is left" in note for note in lost.notes) and lost.model["margin"] == 1.0
    assert plain.model["margin_source"] == "" and not any("cost of goods" in note for note in plain.notes)


def test_an_interval_follows_the_forecast():
    """Twice the spend at the same chances is twice the interval; with no chance it is nothing."""
    customers, *_ = valued("cdnow-sample")
    own = value_model("bg_nbd").fit(customers, ())
    expected = own.predict(customers, 26.0)
    plain = spend_intervals(own, customers, 26.0)
    same = spend_intervals(own, customers, 26.0, expected=expected)
    assert_frame_equal(same.customers, plain.customers)
    moved = expected.assign(future_spend=2.0 * expected["future_spend"])
    twice = spend_intervals(own, customers, 26.0, expected=moved)
    high = plain.customers["spend_high"] > 0
    ratio = twice.customers["spend_high"][high] / plain.customers["spend_high"][high]
    assert ratio.median() == pytest.approx(2.0, rel=0.02)
    assert twice.spend.high == pytest.approx(2.0 * plain.spend.high)
    unlikely = spend_intervals(own, customers, 26.0, expected=expected.assign(p_purchase=0.05))
    assert (unlikely.customers[["spend_low", "spend_high"]] == 0).all(axis=None)


# --- how models are chosen --------------------------------------------------------------------------------------------


def origins(*losses, question="ltv"):
    found = []
    for each in losses:
        others = {name: {"bg_nbd": 1.0} for name in ("purchases", "churn", "ltv")}
        found.append(OriginLosses("2020-01-01", 90, 90, 100, {**others, question: each}))
    return found


@pytest.mark.parametrize(
    ("losses", "winner"),
    [
        ([{"bg_nbd": 1.0, "rate": 0.9}, {"bg_nbd": 1.0, "rate": 0.8}], "rate"),  # a naive guess that is better wins
        ([{"bg_nbd": 1.0, "rate": 0.2}, {"bg_nbd": 1.0, "rate": 1.1}], "bg_nbd"),  # better at one of two only
        ([{"bg_nbd": 1.0, "rate": 0.2}], "bg_nbd"),  # one origin chooses nothing
        ([{"bg_nbd": 1.0, "rate": 0.999}] * 3, "bg_nbd"),  # for next to nothing nothing changes
        ([{"bg_nbd": 1.0, "rate": 0.9, "tweedie": 0.7}, {"bg_nbd": 1.0, "rate": 0.9}], "rate"),
        ([{"bg_nbd": 1.0, "rate": 0.9, "tweedie": 0.7}] * 2, "tweedie"),
    ],
)
def test_a_model_must_be_better_at_most_origins(losses, winner):
    assert _winner("ltv", origins(*losses), "bg_nbd", ["rate", "tweedie"]) == winner


def test_one_origin_chooses_nothing_and_the_figures_say_so():
    as_of = date(2020, 1, 1)
    assert len(plan_origins(as_of - timedelta(days=150), as_of, 28, 28).earlier) < 2
    assert choose(usable_models(), (), AUTO, min_history_days=14) == ModelChoice.of_one("bg_nbd")


@pytest.mark.parametrize("days", [126, 150, 200, 373, 546, 1400])
@pytest.mark.parametrize(("ahead", "risk"), [(182, 90), (28, 90), (364, 30), (7, 7)])
def test_what_is_shown_took_no_part_in_choosing(days, ahead, risk):
    first_day = date(2020, 1, 1)
    as_of = first_day + timedelta(days=days)
    plan = plan_origins(first_day, as_of, ahead, risk)
    if plan is None:
        assert days < 200
        return
    shown = plan.shown
    assert max(shown.test.end, shown.risk.end) == as_of
    for each in plan.earlier:
        assert max(each.test.end, each.risk.end) <= shown.test.as_of
    for each in plan.plans:
        assert (each.test.as_of - first_day).days >= DAYS_BEFORE
        assert each.before >= first_day
        for lesson in each.training:
            assert lesson.end <= each.test.as_of
    if days >= 373:
        assert len(plan.earlier) == 3 and all(each.training for each in plan.earlier)


def test_the_choice_does_not_look_at_what_is_shown():
    """Everything after the last cut-off changed: the same models are chosen, by the same losses."""
    customers, tables, first_day, as_of, found = valued("cdnow-sample")
    looked_at = agenda(first_day, as_of, Settings())
    cutoff = looked_at.origins.shown.test.as_of
    changed = {
        day: table.assign(monetary=table["monetary"] * 7, repeat_purchases=table["repeat_purchases"] * 3)
        if day > cutoff
        else table
        for day, table in {**tables, as_of: customers}.items()
    }
    choice, receipt = judge(looked_at, changed, Settings(), usable_models())
    assert json.loads(json.dumps(choice.to_dict())) == json.loads(json.dumps(found.model["choice"]))
    assert receipt["holdout"] != found.receipt["holdout"]


def test_a_choice_that_was_kept_stands():
    customers, _, first_day, as_of, _ = valued("cdnow-sample")
    kept = Kept(ModelChoice("mbg_nbd", "rate", "recency", "tweedie", True), as_of - timedelta(days=7), None)
    needed = agenda(first_day, as_of, Settings(), kept=kept).dates
    assert len(needed) < len(agenda(first_day, as_of, Settings()).dates)
    with open_sales(SalesRequest("cdnow-sample"), load_config(environ={})) as opened:
        some = past_tables(opened, agenda(first_day, as_of, Settings(), kept=kept))
    found = appraise(customers, some, first_day, as_of, Settings(), kept)
    assert list(found.model["forecast"].values()) == ["mbg_nbd", "rate", "recency", "tweedie"]
    assert found.model["chosen_as_of"] == (as_of - timedelta(days=7)).isoformat()
    assert any("choose_again_days" in note for note in found.notes)


# --- baselines and trees ----------------------------------------------------------------------------------------------


def test_a_naive_guess_that_expects_nothing_leaves_the_customer_to_the_lifetime_model():
    customers, *_ = valued("cdnow-sample")
    own = value_model("bg_nbd").fit(customers, ())
    forecast = OneForecast.of(ModelChoice("bg_nbd", "bg_nbd", "bg_nbd", "rate"), {"bg_nbd": own, "rate": Rate()})
    expected, plain = forecast.predict(customers, 26.0), own.predict(customers, 26.0)
    once = customers["repeat_purchases"] == 0
    assert (expected["future_spend"][once] == plain["future_spend"][once]).all()
    again = ~once & (customers["mean_repeat_value"] > 0)
    guess = Rate().predict(customers, 26.0)["future_spend"]
    assert (expected["future_spend"][again] == guess[again]).all()
    assert isinstance(forecast.spend, Filled) and "rate" in BASELINES


def test_as_much_as_last_time_is_never_below_nothing():
    """Where returns are taken off, a customer may have less than before."""
    now = pd.DataFrame({"repeat_purchases": [1], "monetary": [5.0], "mean_repeat_value": [2.0]}, index=["a"])
    before = pd.DataFrame({"repeat_purchases": [2], "monetary": [9.0]}, index=["a"])
    assert (CarryForward(before, 26.0).predict(now, 13.0) == 0).all(axis=None)


def test_trees_as_plain_data_say_what_scikit_learn_says():
    random = np.random.default_rng(0)
    matrix = random.normal(size=(2_000, 6))
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    bought = np.nansum(matrix[:, :3], axis=1) > 0
    model = HistGradientBoostingClassifier(max_iter=50, max_depth=3, early_stopping=False).fit(matrix, bought)
    trees = TreeSum.from_dict(json.loads(json.dumps(TreeSum.of(model).to_dict())))
    np.testing.assert_array_equal(trees.values(matrix), model._raw_predict(matrix).ravel())
