"""Receipts on CDNOW's sample and made-up customers: published figures, naive guesses, verdicts, and no look ahead."""

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from dashboard.config import load_config
from dashboard.pipeline.sales import SalesRequest, open_sales, past_tables
from engines.columns import MONETARY, REPEAT_PURCHASES
from engines.errors import InputError
from engines.value.appraisal import Settings, agenda, judge, usable_models
from engines.value.validation import baselines, golden, losses, metrics
from engines.value.validation.plan import plan_origins, training_cuts
from engines.value.validation.verdicts import judge_model

CUTOFF = golden.LAST_KNOWN_DAY + timedelta(days=1)


@pytest.fixture(scope="module")
def receipt():
    config, settings = load_config(environ={}), Settings()
    with open_sales(SalesRequest(golden.SOURCE), config) as opened:
        sales = opened.sales
        looked_at = agenda(sales.first_day, sales.as_of, settings, cutoff=CUTOFF)
        tables = past_tables(opened, looked_at)
    return judge(looked_at, tables, settings, usable_models())[1]


def test_every_published_figure_comes_out(receipt):
    rows = golden.compare_with_published(receipt)
    assert len(rows) > 60
    assert [row for row in rows if not row.holds] == []


def test_a_figure_that_is_off_does_not_hold(receipt):
    spoilt = json.loads(json.dumps(receipt))
    spoilt["models"]["bg_nbd"]["parameters"]["r"] *= 1.006
    spoilt["holdout"].pop("rate")
    missed = {(row.model, row.quantity) for row in golden.compare_with_published(spoilt) if not row.holds}
    assert ("bg_nbd", "r") in missed
    assert ("rate", "holdout rmse") in missed


def test_gates_of_the_holdout(receipt):
    ours = receipt["holdout"][receipt["chosen"]["purchases"]]
    assert ours["rmse"] <= 1.61
    assert ours["correlation"] >= 0.62
    assert abs(ours["bias"]) <= 0.13
    for name in baselines.BASELINES:
        assert ours["rmse"] < receipt["holdout"][name]["rmse"], name
        assert ours["msle"] < receipt["holdout"][name]["msle"], name
    assert max(item["roc_auc"] for item in receipt["churn"].values()) >= 0.77
    assert receipt["churn"]["bg_nbd"]["roc_auc"] > 0.7  # P(alive) would have 0.316


def test_shape(receipt):
    assert json.loads(json.dumps(receipt, allow_nan=False)) == receipt
    assert set(receipt) == {
        *("plan", "titles", "baselines", "chosen", "models", "holdout", "calibration", "churn", "reliability"),
        *(
            "unknown_churn",
            "ltv",
            "importances",
            "coverage",
            "verdicts",
            "notes",
            "by_origins",
            "origins",
            "last_origin",
            "forecast",
            "season",
        ),
    }
    assert receipt["plan"]["cutoff"] == "1997-09-30"
    assert receipt["plan"]["until"] == "1998-06-30"
    assert (receipt["plan"]["weeks"], receipt["plan"]["customers"]) == (39.0, 2357)
    assert receipt["plan"]["churn"] == {
        **{"cutoff": "1997-09-30", "until": "1998-06-30", "days": 273},
        **{"learned_days": 136, "lessons": 1},
    }
    foresight = {"mae", "rmse", "msle", "bias", "correlation", "top_decile_revenue"}
    assert all(set(item) == foresight for item in (*receipt["holdout"].values(), *receipt["ltv"].values()))
    loss = {"roc_auc", "pr_auc", "brier", "log_loss", "lift_at_10"}
    assert all(set(item) == loss for item in receipt["churn"].values())
    assert [item["question"] for item in receipt["verdicts"]] == ["purchases", "churn", "ltv"]
    assert set(receipt["titles"]) >= {*receipt["holdout"], *receipt["churn"], *receipt["ltv"], *receipt["models"]}
    for bins in receipt["calibration"].values():
        assert sum(item["customers"] for item in bins) == 2357
    for bins in receipt["reliability"].values():
        assert sum(item["customers"] for item in bins) == 2357
    coverage = receipt["coverage"]
    assert coverage["level"] == 0.8
    assert 0.7 < coverage["spend"] <= 1
    assert coverage["total"]["low"] < coverage["total"]["high"]
    assert coverage["total"]["actual"] == pytest.approx(70976, abs=1)


# --- the figures ----------------------------------------------------------------------------------------------------


def test_metrics_by_hand():
    expected, actual, spent = (np.array(each, dtype=float) for each in ([1, 3, 0, 2], [2, 2, 0, 4], [10, 30, 0, 60]))
    found = metrics.foresight(expected, actual, score=expected, revenue=spent)
    assert found["mae"] == 1.0
    assert found["rmse"] == pytest.approx(np.sqrt(6 / 4))
    assert found["bias"] == pytest.approx(-0.25)
    assert found["top_decile_revenue"] == pytest.approx(0.4 * 30 / 100)


def test_what_does_not_exist_is_none():
    nothing = np.zeros(5)
    found = metrics.foresight(nothing, nothing, score=nothing, revenue=nothing)
    assert (found["bias"], found["correlation"], found["top_decile_revenue"]) == (None, None, None)
    found = losses.loss(np.ones(5, dtype=bool), np.full(5, 0.9))
    assert (found["roc_auc"], found["pr_auc"]) == (None, None)
    assert found["lift_at_10"] == pytest.approx(1.0)


def test_a_score_that_says_nothing_captures_as_much_as_it_holds():
    revenue = np.random.default_rng(0).lognormal(size=1000)
    assert metrics.captured_share(np.zeros(1000), revenue) == pytest.approx(0.1)
    assert metrics.captured_share(revenue, revenue) == pytest.approx(np.sort(revenue)[-100:].sum() / revenue.sum())


def test_bins_keep_equal_expectations_together():
    expected = np.array([0.5] * 70 + list(np.linspace(1, 2, 30)))
    codes = metrics.bins(expected)
    assert len(set(codes[:70])) == 1
    assert (np.diff(codes) >= 0).all()


@pytest.mark.parametrize("ours", [1.0, 2.0, 3.0])
def test_a_verdict_says_plainly_whether_the_model_is_better(ours):
    figures = {"m": {"rmse": ours, "msle": 0.1}, "zero": {"rmse": 2.0, "msle": 0.2}}
    found = judge_model("purchases", "m", figures, {"m": "Mine", "zero": "Nothing"})
    assert found["beats"] is (ours < 2.0)
    assert ("Mine does not beat its baselines on purchases" in found["words"]) is (ours >= 2.0)
    assert judge_model("purchases", None, figures, {})["beats"] is False


# --- plans and what goes wrong --------------------------------------------------------------------------------------


def test_a_cutoff_that_leaves_too_little_is_refused_with_the_remedy():
    with pytest.raises(InputError, match="90 days before it and 28 after"):
        plan_origins(date(1997, 1, 1), date(1998, 7, 1), 90, 90, cutoff=date(1997, 2, 1))


def test_lessons_are_over_by_the_cutoff():
    for cut in training_cuts(date(2020, 1, 1), date(2021, 1, 1), 90):
        assert cut.end <= date(2021, 1, 1)


class Broken:
    title, answers, learns = "Broken", ("expected_purchases",), True

    def fit(self, customers, past):
        raise RuntimeError("no luck")


class Nonsense:
    title, answers, learns = "Nonsense", ("future_spend",), True

    def fit(self, customers, past):
        return self

    def predict(self, customers, weeks):
        return pd.DataFrame({"future_spend": np.nan}, index=customers.index)


def test_a_model_that_fails_is_left_out_with_a_note():
    config, settings = load_config(environ={}), Settings()
    with open_sales(SalesRequest(golden.SOURCE), config) as opened:
        sales = opened.sales
        looked_at = agenda(sales.first_day, sales.as_of, settings, cutoff=CUTOFF)
        tables = past_tables(opened, looked_at)
    models = {"bg_nbd": usable_models()["bg_nbd"], "broken": Broken(), "nonsense": Nonsense()}
    _, found = judge(looked_at, tables, settings, models)
    assert set(found["holdout"]) == {"bg_nbd", *baselines.BASELINES}
    assert any("Broken is left out, for it failed: RuntimeError: no luck" in note for note in found["notes"])
    assert any("Nonsense is left out" in note for note in found["notes"])


def test_what_is_kept_of_a_date_is_all_that_is_looked_at():
    settings = Settings(horizon_weeks=26, churn_days=90)
    looked_at = agenda(date(2020, 1, 1), date(2022, 1, 1), settings)
    table = pd.DataFrame({REPEAT_PURCHASES: [0, 1], MONETARY: [1.0, 2.0], "tenure_days": [1, 2]}, index=["a", "b"])
    kept = {day: set(looked_at.kept(day, table).columns) for day in looked_at.dates}
    for plan in looked_at.origins.plans:
        for cut in (plan.test, *plan.training, *looked_at.training):
            assert "tenure_days" in kept[cut.as_of]
    assert {REPEAT_PURCHASES, MONETARY} in kept.values()
