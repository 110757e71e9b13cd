"""Season and trend: what was planted is found, it makes the forecast better where it is there, and is off elsewhere."""

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from engines.features import customers_at, purchase_days
from engines.intake import read_sales
from engines.value.appraisal import Settings, agenda, appraise, judge
from engines.value.lifetime.bgnbd import BGNBD
from engines.value.registry import value_model
from engines.value.validation.new_customers import reappraise
from engines.value.validation.season import LEAST_MONTHS, Season, helps, season_of

FIRST, DAYS = date(2020, 1, 1), 1_370
AS_OF = FIRST + timedelta(days=DAYS)
MODEL = BGNBD(r=0.8, alpha=8.0, a=0.001, b=5.0)  # so gently do they leave
SETTINGS = Settings(model="bg_nbd")


def index_of(day, strength):
    """What is planted: most in December, least in June; 1 on average."""
    return 1 + strength * np.cos(2 * np.pi * (pd.DatetimeIndex(day).day_of_year - 350) / 365.25)


def shop(folder, strength, number=700):
    """A made-up shop in which customers buy at a steady rate but for the season."""
    random = np.random.default_rng(8)
    days = pd.date_range(FIRST, periods=DAYS)
    came = random.integers(0, 900, number)
    rate = random.gamma(1.5, 1 / 60, number)
    chance = np.minimum(rate[:, None] * np.asarray(index_of(days, strength))[None, :], 1)
    bought = random.random((number, DAYS)) < chance
    bought &= np.arange(DAYS)[None, :] > came[:, None]
    bought[np.arange(number), came] = True
    who, when = np.nonzero(bought)
    frame = pd.DataFrame(
        {
            "customer_id": who,
            "order_date": days[when].strftime("%Y-%m-%d"),
            "amount": random.lognormal(3, 0.3, len(who)),
        }
    )
    path = folder / "sales.csv"
    frame.round(2).to_csv(path, index=False)
    return str(path)


def looked_back(source, as_of=AS_OF):
    with read_sales(source) as sales:
        plan = agenda(sales.first_day, as_of, SETTINGS)
        tables = dict(customers_at(sales.table, sorted({*plan.dates, as_of})))
        return plan, tables, sales.first_day, purchase_days(sales.table)


@pytest.fixture(scope="module")
def seasonal(tmp_path_factory):
    return looked_back(shop(tmp_path_factory.mktemp("seasonal"), 0.7))


def test_purchase_days_are_counted_as_sold(tmp_path):
    lines = ["A,1,2024-01-01,10", "A,2,2024-01-03,5", "B,3,2024-01-03,7", "A,4,2024-01-03,-5", "B,5,2024-01-09,7"]
    path = tmp_path / "sales.csv"
    path.write_text("\n".join(["customer_id,order_id,order_date,amount", *lines, ""]))
    with read_sales(str(path)) as sales:
        found = purchase_days(sales.table)
    assert found.index.strftime("%d").tolist() == ["01", "03", "09"]
    assert found.newcomers.tolist() == [1, 1, 0] and found.repeats.tolist() == [0, 1, 1]


def test_the_planted_season_is_found_and_nothing_after_the_day_is_looked_at(seasonal):
    _, tables, _, activity = seasonal
    fitted = value_model("bg_nbd").fit(tables[AS_OF], ()).lifetime.model
    found = season_of(activity, AS_OF, fitted, {"bg_nbd": []})
    planted = np.log(index_of([f"2021-{month:02d}-15" for month in range(1, 13)], 0.7))
    assert found is not None
    assert np.corrcoef(found.months, planted)[0, 1] > 0.97
    assert np.ptp(found.months) == pytest.approx(np.ptp(planted), rel=0.25)
    early = AS_OF - timedelta(days=400)
    cut = activity[activity.index < np.datetime64(early)]
    assert season_of(activity, early, fitted, {"x": []}) == season_of(cut, early, fitted, {"x": []})


def test_fewer_than_thirteen_months_have_none(seasonal):
    _, _, first_day, activity = seasonal
    assert (first_day.month, LEAST_MONTHS) == (1, 13) and first_day.day > 1  # so February is the first whole month
    assert season_of(activity, date(first_day.year + 1, 3, 1), MODEL, {"x": []}) is not None
    assert season_of(activity, date(first_day.year + 1, 2, 28), MODEL, {"x": []}) is None


def test_a_steady_shop_has_nearly_none_and_it_is_off(tmp_path):
    plan, tables, _, activity = looked_back(shop(tmp_path, 0.0, 400))
    choice, receipt = judge(plan, tables, SETTINGS, {"bg_nbd": value_model("bg_nbd")}, activity=activity)
    assert receipt["season"]["used_for"] == [] and receipt["season"]["factors"] == {} and choice.season == ()
    assert np.abs(receipt["season"]["months"]).max() < 0.15


def test_where_it_is_there_the_sum_comes_nearer(seasonal):
    plan, tables, _, activity = seasonal
    models = {"bg_nbd": value_model("bg_nbd")}
    choice, receipt = judge(plan, tables, SETTINGS, models, activity=activity)
    assert choice.season == ("purchases", "ltv") and receipt["season"]["used_for"] == ["purchases", "ltv"]
    _, without = judge(plan, tables, SETTINGS, models)
    assert without["season"] is None
    errors = [
        abs(np.log(each["total"]["actual"] / each["total"]["expected"]))
        for each in (receipt["coverage"], without["coverage"])
    ]
    assert errors[0] < 0.5 * errors[1]


def test_customers_told_alone_have_the_season_of_the_crowd(seasonal):
    _, tables, first_day, activity = seasonal
    customers = tables.pop(AS_OF)
    found = appraise(customers, tables, first_day, AS_OF, SETTINGS, activity=activity)
    tables[AS_OF] = customers
    factor = found.model["season"]["factors"]["ltv"]
    assert abs(np.log(factor)) > 0.05
    assert any(f"spend {factor - 1:+.0%}" in str(note) for note in found.notes)
    again, without = reappraise(customers, json.loads(json.dumps(found.model)))
    assert without == {}
    pd.testing.assert_frame_equal(again, found.columns, check_exact=False, rtol=1e-9)
    plain = appraise(customers, tables, first_day, AS_OF, SETTINGS)
    ratio = found.columns["clv"].sum() / plain.columns["clv"].sum()
    assert ratio == pytest.approx(factor, rel=1e-6)
    assert found.columns["churn_risk"].equals(plain.columns["churn_risk"])


def test_it_must_help_at_most_origins_and_by_a_tenth():
    assert helps([(100, 80, 1.2), (100, 85, 1.2), (100, 90, 1.1)], 2)
    assert not helps([(100, 80, 1.2)], 2)  # too few to say
    assert not helps([(100, 100, 1.2), (100, 99, 1.2), (100, 60, 1.3)], 2)  # one lucky window
    assert not helps([(100, 80, 1.001), (100, 80, 1.001)], 2)  # next to nothing


def test_factors_are_bounded_and_a_trend_is_damped():
    season = Season((0.0,) * 12, 0.3, date(2024, 1, 1), {"x": 1.0, "y": 0.1})
    assert 1.0 < season.factor("x", 26) < 1 + 0.15
    assert season.factor("y", 26) == pytest.approx(np.exp(0.7))
    assert season.factor("unknown", 26) == 1.0
    assert Season.from_record(json.loads(json.dumps(season.to_record()))) == season
    assert replace(season, trend=0.0).factor("x", 26) == 1.0
