"""The dates of a timeline, when a frozen model is said to have drifted, what moved, and how often to refresh."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from engines.columns import FREQUENCY, MONETARY, RECENCY
from engines.contract import DriftPoint, Engine, Segment, knob
from engines.errors import InputError
from engines.evaluation.calendar import cutoffs, months_between
from engines.evaluation.timeline import noise, noise_dates, refresh_interval
from engines.evaluation.timeline import timeline as full_timeline


def timeline(engine, tables, **more):
    """The points alone; noise only where it is asked for."""
    found = full_timeline(engine, tables, **{"bootstraps": 0, **more})
    return [] if found is None else list(found.points)


@dataclass(frozen=True)
class SpendBands:
    edges: tuple[float, ...]
    segments: tuple[Segment, ...]
    diagnostics: dict[str, float]

    def assign(self, customers):
        keys = np.searchsorted(self.edges, customers[MONETARY].to_numpy(), side="right")
        return pd.Series(keys.astype(np.int64), index=customers.index)


@dataclass(frozen=True)
class SpendQuantiles(Engine):
    """Equal parts of the customers by what they spent: honest, small, and easy to work out by hand."""

    title = "Spend quantiles"

    k: int = knob(2, low=2, high=20, help="How many bands.")

    def fit(self, customers):
        self.require(customers, (MONETARY,))
        if len(customers) < self.k:
            raise InputError(f"k = {self.k} needs at least {self.k} customers; this table has {len(customers)}.")
        edges = np.quantile(customers[MONETARY], np.arange(1, self.k) / self.k)
        return SpendBands(tuple(edges), tuple(Segment(key) for key in range(self.k)), {})


def table(spend, ids=None):
    spend = np.asarray(spend, dtype=float)
    index = pd.Index(ids if ids is not None else [f"c{number:05d}" for number in range(len(spend))], name="customer_id")
    return pd.DataFrame({RECENCY: 10.0, FREQUENCY: 2.0, MONETARY: spend}, index=index)


# --- dates ------------------------------------------------------------------------------------------------------------


def test_timeline_of_cdnow_starts_after_ninety_days_and_ends_at_the_last():
    dates = cutoffs(date(1997, 1, 1), date(1998, 7, 1))
    assert dates[0] == date(1997, 4, 1)  # exactly 90 days after
    assert dates[1] == date(1997, 5, 1)
    assert dates[-1] == date(1998, 7, 1)
    assert len(dates) == 16


def test_as_of_inside_a_month_is_the_last_point():
    dates = cutoffs(date(2010, 12, 1), date(2011, 12, 10))
    assert dates[0] == date(2011, 3, 1)
    assert dates[-2:] == [date(2011, 12, 1), date(2011, 12, 10)]


@given(st.dates(date(1990, 1, 1), date(2030, 1, 1)), st.integers(0, 1500), st.integers(0, 200))
def test_dates_are_month_starts_in_order_with_enough_history(first_day, length, history):
    as_of = first_day + timedelta(days=length)
    dates = cutoffs(first_day, as_of, history_days=history)
    assert dates == sorted(set(dates))
    assert len(dates) != 1
    assert all(day.day == 1 for day in dates[:-1])
    if dates:
        assert dates[-1] == as_of
        assert (dates[0] - first_day).days >= history
    else:
        assert length < history + 62, "two month starts always fit into two months more"


def test_too_short_a_history_has_no_timeline():
    assert cutoffs(date(2024, 1, 1), date(2024, 4, 20)) == []


# --- timeline ---------------------------------------------------------------------------------------------------------


def test_nothing_changes_nothing_drifts():
    tables = [(date(2024, month, 1), table(range(100))) for month in (1, 2, 3)]
    points = timeline(SpendQuantiles(), tables, threshold=0.8)
    assert [point.as_of for point in points] == ["2024-02-01", "2024-03-01"]
    assert [(point.ari, point.alert, point.moved_share, point.noise_low) for point in points] == [
        (1.0, False, 0.0, None)
    ] * 2


def test_frozen_model_is_compared_with_a_refit_on_the_same_date():
    before = table(range(100))
    after = table(np.arange(100) + 25.0)  # everyone spends more: the frozen edge 49.5 now splits 25 : 75
    ((point),) = timeline(SpendQuantiles(), [(date(2024, 1, 1), before), (date(2024, 2, 1), after)], threshold=0.8)
    frozen, fresh = np.arange(100) + 25 > 49.5, np.arange(100) >= 50
    assert point.ari == pytest.approx(adjusted_rand_score(frozen, fresh), abs=1e-12)
    assert point.alert
    assert point.customers == 100
    assert point.moved_share == pytest.approx(0.25)


def test_moved_share_is_over_customers_known_before():
    before = table([1, 2, 3, 4], ids=["a", "b", "c", "d"])
    after = table([1, 9, 3, 4, 9, 9], ids=["a", "b", "c", "d", "e", "f"])
    later = table([1, 9, 3, 4, 9, 9], ids=["a", "b", "c", "d", "e", "f"])
    strangers = table([1, 2, 3], ids=["x", "y", "z"])
    dated = [(date(2024, month, 1), t) for month, t in enumerate([before, after, later, strangers], start=1)]
    points = timeline(SpendQuantiles(), dated, threshold=0.0)
    assert [point.moved_share for point in points] == [0.25, 0.0, None]


def test_alert_needs_the_disagreement_to_be_more_than_chance():
    random = np.random.default_rng(3)
    few = [(date(2024, month, 1), table(random.lognormal(size=12))) for month in (1, 2)]
    quiet = timeline(SpendQuantiles(k=4), few, threshold=0.99, bootstraps=10)[0]
    assert quiet.ari < 0.99
    assert quiet.noise_low is not None
    assert quiet.alert == (quiet.ari < quiet.noise_low)

    many = random.lognormal(size=4_000)
    shifted = [(date(2024, 1, 1), table(many)), (date(2024, 2, 1), table(many * 10))]
    loud = timeline(SpendQuantiles(k=4), shifted, threshold=0.8, bootstraps=10)[0]
    assert loud.noise_low > 0.8
    assert loud.ari < 0.2
    assert loud.alert


def test_noise_alone_is_no_alert():
    """Below the threshold, but no further than two refits of the same customers are from each other."""
    random = np.random.default_rng(4)
    spend = random.lognormal(size=10)
    tables = [(date(2024, 1, 1), table(spend)), (date(2024, 2, 1), table(spend * 1.2))]
    noisy = timeline(SpendQuantiles(k=5), tables, threshold=0.999, bootstraps=12)[0]
    bare = timeline(SpendQuantiles(k=5), tables, threshold=0.999)[0]
    assert bare.ari == noisy.ari
    assert noisy.noise_low < noisy.ari < 0.999
    assert bare.alert
    assert not noisy.alert


def test_same_seed_same_points_whatever_the_order_of_rows():
    random = np.random.default_rng(5)
    tables = [(date(2024, month, 1), table(random.lognormal(size=200))) for month in (1, 2, 3)]
    shuffled = [(day, customers.sample(frac=1, random_state=9)) for day, customers in tables]
    points = timeline(SpendQuantiles(k=3), tables, threshold=0.8, bootstraps=5, seed=1)
    assert points == timeline(SpendQuantiles(k=3), shuffled, threshold=0.8, bootstraps=5, seed=1)
    other = timeline(SpendQuantiles(k=3), tables, threshold=0.8, bootstraps=5, seed=2)
    assert [point.noise_low for point in points] != [point.noise_low for point in other]


def test_tables_are_read_one_at_a_time():
    seen = []

    def reading():
        for month in (1, 2, 3):
            seen.append(month)
            yield date(2024, month, 1), table(range(10))

    assert len(timeline(SpendQuantiles(), reading(), threshold=0.8)) == 2
    assert seen == [1, 2, 3]
    assert timeline(SpendQuantiles(), [], threshold=0.8) == []
    assert timeline(SpendQuantiles(), [(date(2024, 1, 1), table(range(10)))], threshold=0.8) == []


def test_what_cannot_be_segmented_is_named_by_its_date():
    tables = [(date(2024, 1, 1), table(range(10))), (date(2024, 2, 1), table([5.0]))]
    with pytest.raises(InputError, match=r"2024-02-01.*k = 2 needs"):
        timeline(SpendQuantiles(), tables, threshold=0.8)


def test_dates_out_of_order_and_a_single_bootstrap_are_refused():
    tables = [(date(2024, 2, 1), table(range(10))), (date(2024, 1, 1), table(range(10)))]
    with pytest.raises(ValueError, match="forward in time"):
        timeline(SpendQuantiles(), tables, threshold=0.8)
    with pytest.raises(ValueError, match="0 or more"):
        timeline(SpendQuantiles(), tables[:1], threshold=0.8, bootstraps=-1)


# --- weeks, and a day of one's own --------------------------------------------------------------------------------


def test_weeks_begin_a_month_after_the_freezing():
    dates = cutoffs(date(2011, 1, 1), date(2011, 6, 1), every="week")
    assert dates[:3] == [date(2011, 4, 1), date(2011, 5, 1), date(2011, 5, 8)]
    assert dates[-2:] == [date(2011, 5, 29), date(2011, 6, 1)]


def test_the_model_is_frozen_on_the_day_that_is_named():
    dates = cutoffs(date(2011, 1, 1), date(2011, 12, 10), freeze=date(2011, 6, 15))
    assert dates[:2] == [date(2011, 6, 15), date(2011, 8, 1)]
    assert dates[-1] == date(2011, 12, 10)
    assert cutoffs(date(2011, 1, 1), date(2011, 8, 1), freeze=date(2011, 6, 1))[1:] == [
        date(2011, 7, 1),
        date(2011, 8, 1),
    ]
    for day in (date(2011, 1, 1), date(2011, 11, 30)):
        with pytest.raises(InputError, match=f"--freeze {day}"):
            cutoffs(date(2011, 1, 1), date(2011, 12, 10), freeze=day)


def test_months_between_dates():
    assert months_between(date(2011, 3, 1), date(2012, 4, 1)) == 13
    assert months_between(date(2011, 3, 1), date(2011, 3, 16)) == 0.5


# --- noise, what moved, and advice ----------------------------------------------------------------------------------


def test_noise_is_the_fifth_percentile_of_bootstrap_refits_against_the_refit():
    customers = table(np.random.default_rng(0).lognormal(size=300))
    engine = SpendQuantiles(k=4)
    reference = engine.fit(customers).assign(customers).to_numpy()
    random = np.random.default_rng([7, 1])
    expected = []
    for _ in range(20):
        drawn = customers.iloc[random.integers(300, size=300)].reset_index(drop=True)
        expected.append(adjusted_rand_score(reference, engine.fit(drawn).assign(customers)))
    low, drawn_on = noise(engine, customers, reference, seed=7)
    assert low == pytest.approx(np.percentile(expected, 5), abs=1e-12)
    assert drawn_on == 300


def test_between_measured_dates_noise_is_interpolated():
    random = np.random.default_rng(6)
    days = [date(2024, 1, 1) + timedelta(days=30 * place) for place in range(6)]
    tables = [(day, table(random.lognormal(size=100))) for day in days]
    points = timeline(SpendQuantiles(k=4), tables, threshold=0.8, bootstraps=5, noise_at=noise_dates(days[1:], 2))
    assert [point.noise_measured for point in points] == [True, False, False, False, True]
    lows = [point.noise_low for point in points]
    assert np.allclose(lows, np.linspace(lows[0], lows[-1], 5))
    assert noise_dates(days, 0) == noise_dates(days, 9) == days
    assert noise_dates(days, 1) == [days[-1]]


def test_a_point_keeps_the_noise_that_was_measured_when_it_was_added():
    """A month later all points but the last are the same again; one whose sales were corrected is not."""
    random = np.random.default_rng(6)
    days = [date(2024, 1, 1) + timedelta(days=30 * place) for place in range(5)]
    tables = [(day, table(random.lognormal(size=100))) for day in days]
    engine, added = SpendQuantiles(k=4), []
    for last in (3, 4, 5):
        known, more = added[-1] if added else (), {"bootstraps": 5, "noise_at": [days[last - 1]]}
        added.append(timeline(engine, tables[:last], earlier_points=known, **more))
    everywhere = timeline(engine, tables, bootstraps=5)
    assert [point.noise_measured for point in added[-1]] == [False, True, True, True]
    assert added[-1][1:] == everywhere[1:], "as if it had been measured at once"
    assert added[-1][0].noise_low == added[-1][1].noise_low, "before the first there is only the line from it"
    corrected = [(day, table(random.lognormal(size=100)) if day == days[2] else then) for day, then in tables]
    again = timeline(engine, corrected, earlier_points=added[1], bootstraps=5, noise_at=[days[4]])
    assert [point.noise_measured for point in again] == [False, False, True, True]
    assert not any(point.noise_low for point in timeline(engine, tables, earlier_points=added[-1])), (
        "none was asked for"
    )


def test_customers_moved_is_told_from_the_model_moved():
    """One spends more and moves; then nobody does, and yet a new model would divide otherwise."""
    first, second = table([1, 2, 3, 4, 5, 6]), table([9, 2, 3, 4, 5, 6])
    third = table([9, 2, 3, 4, 5, 6, 50, 60, 70, 80], ids=[f"c{n:05d}" for n in range(6)] + ["x", "y", "z", "zz"])
    dated = [(date(2024, month, 1), t) for month, t in enumerate([first, second, third], start=1)]
    points = timeline(SpendQuantiles(), dated, threshold=0.8)
    assert points[0].moved_share == pytest.approx(1 / 6)
    assert points[1].moved_share == 0.0
    assert points[1].model_moved > 0
    found = {shift.column: shift for shift in points[1].shifts}
    assert found[MONETARY].effect > 0.3
    assert found[RECENCY].psi == pytest.approx(0.0, abs=0.05)
    assert [(size.customers, size.revenue) for size in points[0].sizes] == [(2, 5.0), (4, 24.0)]


def advice(*alerts):
    points = [
        DriftPoint(f"2024-{month:02d}-01", 10, 0.5 if alert else 0.9, alert) for month, alert in enumerate(alerts, 2)
    ]
    return refresh_interval(date(2024, 1, 1), points)


def test_how_often_to_refresh_is_how_long_the_model_held():
    assert advice(False, False, True, True)[0] == 2
    assert advice(True, True)[0] == 1
    months, reason = advice(False, True, False, False)
    assert months == 4
    assert "No refresh was needed in the 4 months watched since 2024-01-01. 1 of 4 dates is an alert" in reason
    assert "look again" in advice(False, False, True)[1]
    assert "by more than chance" in advice(False, False)[1]
    assert refresh_interval(date(2024, 1, 1), []) == (None, "There is no date to judge by yet.")


def test_a_seed_is_a_part_of_the_noise_and_points_are_finite():
    from engines.kmeans import KMeans

    random = np.random.default_rng(8)
    made = [table(random.lognormal(size=150)) for _ in range(3)]
    for customers in made:
        customers[RECENCY] = random.integers(1, 90, len(customers))
        customers[FREQUENCY] = random.geometric(0.4, len(customers))
    dated = [(date(2024, month, 1), customers) for month, customers in enumerate(made, start=1)]
    points = timeline(KMeans(), dated, threshold=0.8, bootstraps=5)
    for point in points:
        values = (point.ari, point.noise_low, point.moved_share, point.model_moved)
        assert np.isfinite(values).all()
        assert (point.refit_on, point.noise_on, point.noise_measured) == (150, 150, True)
    shuffled = [(day, customers.sample(frac=1, random_state=1)) for day, customers in dated]
    assert points == timeline(KMeans(), shuffled, threshold=0.8, bootstraps=5)
    assert replace(points[0], ari=0.0) != points[0]
