"""Nothing after the cut-off reaches a feature or a prediction; hours, order and unit of money change nothing."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from engines import features
from engines.columns import (
    AGE,
    AMOUNT_UNITS,
    AVERAGE_ORDER_VALUE,
    CUSTOMER_ID,
    GROSS_MONETARY,
    MEAN_REPEAT_VALUE,
    MONETARY,
    NET_MONETARY,
    ORDER_DATE,
)
from engines.value.appraisal import Settings, usable_models
from engines.value.validation.backtests import Backtest, run_backtest
from engines.value.validation.plan import BacktestPlan, Cut

AS_OF, END = date(2023, 1, 1), date(2023, 4, 2)
PLAN = BacktestPlan(Cut(AS_OF, 91), (Cut(date(2022, 10, 2), 91), Cut(date(2022, 8, 18), 91)), 45)
MONEY = [MONETARY, GROSS_MONETARY, NET_MONETARY, AVERAGE_ORDER_VALUE, MEAN_REPEAT_VALUE]


def shop():
    """Clean sales lines of 400 customers over two and a half years, about a third of them after the cut-off."""
    random = np.random.default_rng(4)
    rows = []
    for number in range(400):
        day, rhythm, level = random.integers(0, 700), random.exponential(60) + 8, random.lognormal(3, 0.5)
        for order in range(1 + min(random.poisson(random.exponential(4)), 40)):
            if day < 820:
                rows.append((f"C{number:04d}", f"{number}-{order}", day, level * random.gamma(6, 1 / 6)))
            day += 1 + random.exponential(rhythm)
    lines = pd.DataFrame(rows, columns=[CUSTOMER_ID, "order_id", "day", "paid"])
    days = lines["day"].astype(int)
    return pd.DataFrame(
        {
            CUSTOMER_ID: lines[CUSTOMER_ID],
            "order_id": lines["order_id"],
            ORDER_DATE: pd.Timestamp("2021-01-01") + pd.to_timedelta(days, unit="D") + pd.Timedelta(hours=9),
            "quantity": 1.0 + days % 3,
            AMOUNT_UNITS: (lines["paid"] * 100).round().astype("int64") * 100,
            "product_id": "P" + (days % 17).astype(str),
            "description": "thing",
            "country": np.where(days % 2, "Germany", "France"),
            "line_type": "sale",
        }
    )


def backtest(lines):
    tables = dict(
        features.customers_at(ibis.memtable(pa.Table.from_pandas(lines, preserve_index=False)), sorted(PLAN.dates))
    )
    return Backtest.of(PLAN, tables)


def answers(found):
    said = run_backtest(usable_models(), found)
    assert said.notes == ()  # all of them learned
    assert set(said.answers) == set(usable_models())
    return said.answers


@pytest.fixture(scope="module")
def lines():
    return shop()


@pytest.fixture(scope="module")
def known(lines):
    return backtest(lines)


@pytest.fixture(scope="module")
def foreseen(known):
    return answers(known)


def after(lines):
    return lines[ORDER_DATE] >= pd.Timestamp(AS_OF)


def shuffled_after(lines):
    lines, later = lines.copy(), after(lines)
    order = np.random.default_rng(1).permutation(int(later.sum()))
    lines.loc[later, CUSTOMER_ID] = lines.loc[later, CUSTOMER_ID].to_numpy()[order]
    return lines


def altered_after(lines):
    lines, later = lines.copy(), after(lines)
    lines.loc[later, AMOUNT_UNITS] = lines.loc[later, AMOUNT_UNITS] * 7
    lines.loc[later, "country"] = "Peru"
    lines.loc[later, "product_id"] = [f"new-{number}" for number in range(int(later.sum()))]
    more = lines[later].sample(frac=2, replace=True, random_state=3).assign(order_id=lambda t: t["order_id"] + "x")
    return pd.concat([lines, more], ignore_index=True)


def dropped_after(lines):
    return lines[~after(lines)]


@pytest.mark.parametrize("change", [shuffled_after, altered_after, dropped_after])
def test_nothing_after_the_cutoff_reaches_a_feature_or_a_prediction(lines, known, foreseen, change):
    changed = backtest(change(lines))
    assert not changed.test.outcome.equals(known.test.outcome)  # the change is a change
    assert_frame_equal(changed.test.customers, known.test.customers, check_exact=True)
    for ours, theirs in zip(known.past, changed.past, strict=True):
        assert_frame_equal(theirs.customers, ours.customers, check_exact=True)
        assert_frame_equal(theirs.outcome, ours.outcome, check_exact=True)
    for name, found in answers(changed).items():
        assert_frame_equal(found, foreseen[name], check_exact=True, obj=name)


def test_the_hour_of_a_sale_changes_nothing(lines, known, foreseen):
    random = np.random.default_rng(2)
    seconds = pd.to_timedelta(random.integers(0, 86_400, len(lines)), unit="s")
    moved = backtest(lines.assign(**{ORDER_DATE: lines[ORDER_DATE].dt.normalize() + seconds}))
    whole = backtest(lines.assign(**{ORDER_DATE: lines[ORDER_DATE].dt.normalize()}))
    for other in (moved, whole):
        assert_frame_equal(other.test.customers, known.test.customers, check_exact=True)
        assert_frame_equal(other.test.outcome, known.test.outcome, check_exact=True)
    for name, found in answers(moved).items():
        assert_frame_equal(found, foreseen[name], check_exact=True, obj=name)


def test_the_last_moment_before_the_cutoff_is_known_and_midnight_is_not(lines):
    moment = pd.Timestamp(AS_OF)
    late = lines.iloc[[0, 0]].assign(
        **{CUSTOMER_ID: ["before", "after"], ORDER_DATE: [moment - pd.Timedelta(seconds=1), moment]}
    )
    found = backtest(pd.concat([lines, late], ignore_index=True)).test.customers
    assert "before" in found.index and "after" not in found.index
    assert found.loc["before", AGE] == 0


def test_the_order_of_rows_changes_nothing(lines, known, foreseen):
    mixed = backtest(lines.sample(frac=1, random_state=9))
    assert_frame_equal(mixed.test.customers, known.test.customers, check_exact=True)
    for name, found in answers(mixed).items():
        assert_frame_equal(found, foreseen[name], check_exact=True, obj=name)


def test_the_unit_of_money_scales_money_and_nothing_else(lines, known, foreseen):
    cents = backtest(lines.assign(**{AMOUNT_UNITS: lines[AMOUNT_UNITS] * 100}))
    ours, theirs = known.test.customers, cents.test.customers
    money = [*MONEY, *(name for name in ours.columns if name.startswith("spend_"))]
    assert_frame_equal(theirs[money] / 100, ours[money], rtol=1e-12)
    assert_frame_equal(theirs.drop(columns=money), ours.drop(columns=money), check_exact=True)
    for name, found in answers(cents).items():
        expected = foreseen[name].copy()
        if "future_spend" in expected:
            found = found.assign(future_spend=found["future_spend"] / 100)
        assert_frame_equal(found, expected, rtol=1e-4, atol=1e-6, obj=name)


def test_settings_are_those_of_the_configuration():
    from dashboard.config import load_config
    from dashboard.pipeline.sales import value_settings

    assert value_settings(load_config(environ={})) == Settings()
