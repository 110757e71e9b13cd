"""The dates of a timeline, when a frozen model is said to have drifted, what moved, and how often to refresh."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from engines.columns import FREQUENCY, MONETARY, RECENCY
from engines.contract import Engine, Segment, knob
from engines.errors import InputError
from engines.evaluation.calendar import cutoffs, months_between, plan
from engines.evaluation.timeline import noise, noise_dates
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


@dataclass(frozen=True)
class Fickle(Engine):
    """Halves by spend on the first table, and ever after by the number in a customer's id."""

    title = "Fickle"

    def fit(self, customers):
        return SpendBands((float(customers[MONETARY].median()),), (Segment(0), Segment(1)), {})

    def refit(self, customers, start):
        return ByNumber()


@dataclass(frozen=True)
class ByNumber:
    segments: tuple[Segment, ...] = (Segment(0), Segment(1))
    diagnostics: dict = field(default_factory=dict)

    def assign(self, customers):
        return pd.Series([int(name[1:]) % 2 for name in customers.index], index=customers.index)


@dataclass(frozen=True)
class Ranks:
    segments: tuple[Segment, ...] = (Segment(0), Segment(1))
    diagnostics: dict = field(default_factory=dict)

    def assign(self, customers):
        return (customers[MONETARY].rank(pct=True) > 0.9).astype(np.int64)


@dataclass(frozen=True)
class ByRank(Engine):
    """The top tenth of whatever customers there are."""

    title = "By rank"

    def fit(self, customers):
        return Ranks()


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


def test_every_date_looks_back_over_the_window_and_the_model_is_frozen_when_it_is_full():
    two_years = plan(date(2022, 1, 1), date(2024, 1, 1))
    assert (two_years.dates[0], len(two_years.dates)) == (date(2023, 1, 1), 13)
    assert (two_years.window_days, two_years.recent_days) == (365, 91)
    half = plan(date(2022, 1, 1), date(2024, 1, 1), window_days=180)
    assert (half.dates[0], half.window_days, half.recent_days) == (date(2022, 7, 1), 180, 91)
    own = plan(date(2022, 1, 1), date(2024, 1, 1), freeze=date(2022, 12, 1))
    assert (own.dates[0], own.window_days, own.asked_days) == (date(2022, 12, 1), 334, 365)


def test_a_shop_younger_than_the_window_is_looked_at_over_ninety_days():
    young = plan(date(2010, 12, 1), date(2011, 12, 10))
    assert (young.dates[0], young.window_days, young.recent_days, young.asked_days) == (date(2011, 3, 1), 90, 90, 365)
    assert plan(date(2024, 1, 1), date(2024, 4, 20)).dates == []
    # long enough for a window and half a year after it
    assert plan(date(2022, 1, 1), date(2023, 7, 2)).window_days == 90
    assert plan(date(2022, 1, 1), date(2023, 7, 3)).window_days == 365


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
    tables = [(date(2024, 1, 1), table(spend)), (date(2024, 2, 1), table(spend * 9))]
    noisy = timeline(SpendQuantiles(k=5), tables, threshold=0.999, bootstraps=12)[0]
    bare = timeline(SpendQuantiles(k=5), tables, threshold=0.999)[0]
    assert bare.ari == noisy.ari < 0.999
    assert noisy.alert is (noisy.cause is not None)
    assert noisy.cause != "agreement" or noisy.ari < noisy.noise_low


def test_segments_that_differ_while_nobody_has_changed_are_no_alert():
    """Two groupings that are about equally good: a model that turns to the other says nothing about the customers."""
    customers = table(np.random.default_rng(2).lognormal(size=1_000))
    (point,) = timeline(Fickle(), [(date(2024, 1, 1), customers), (date(2024, 2, 1), customers)], bootstraps=4)
    assert point.ari < 0.1 < point.noise_low
    assert (point.alert, point.cause) == (False, None)
    (point,) = timeline(Fickle(), [(date(2024, 1, 1), customers), (date(2024, 2, 1), customers * 1.5)], bootstraps=4)
    assert (point.alert, point.cause) == (True, "agreement")


def test_a_large_change_of_the_customers_is_an_alert_whatever_the_segments():
    """Everyone spends three times as much, and the same tenth is still the top tenth: a model made anew agrees."""
    spend = np.random.default_rng(2).lognormal(size=1_000)
    tables = [(date(2024, 1, 1), table(spend)), (date(2024, 2, 1), table(spend * 3))]
    (point,) = timeline(ByRank(), tables, bootstraps=4)
    assert (point.ari, point.alert, point.cause) == (1.0, True, "population")
    (point,) = timeline(ByRank(), tables, bootstraps=4, shift=9.0)
    assert (point.alert, point.cause) == (False, None)
    # among twenty customers the index is as large by chance
    few = [(day, customers.iloc[:20]) for day, customers in tables]
    assert timeline(ByRank(), few)[0].shifts[2].psi > 0.15
    assert not timeline(ByRank(), few)[0].alert


def test_recency_alone_follows_the_calendar_and_is_no_alert():
    customers = table(np.random.default_rng(2).lognormal(size=1_000))
    customers[RECENCY] = np.arange(1_000) % 90
    holiday = customers.assign(**{RECENCY: customers[RECENCY] + 15})
    (point,) = timeline(ByRank(), [(date(2024, 1, 1), customers), (date(2024, 2, 1), holiday)])
    assert {shift.column: shift.size > 0.15 for shift in point.shifts}[RECENCY]
    assert not point.alert


def test_customers_who_grew_older_are_no_change_and_those_of_the_same_age_alone_are_none_either():
    """Spend grows with how long a customer is known; elsewhere ages are wrong, as a file begins in the middle."""
    days = [date(2024, 1, 1), date(2025, 1, 1)]

    def known(ages):
        first = [day - timedelta(days=int(age)) for day, each in zip(days, ages, strict=True) for age in each]
        ids = [f"{place}-{number:04d}" for place, each in enumerate(ages) for number in range(len(each))]
        return pd.Series(pd.to_datetime(first), index=ids)

    def alerts(ages, spend):
        seen = known(ages)
        tables = [
            (day, table(money, ids=[f"{place}-{number:04d}" for number in range(len(money))]))
            for place, (day, money) in enumerate(zip(days, spend, strict=True))
        ]
        (point,) = timeline(ByRank(), tables, first_seen=seen)
        (bare,) = timeline(ByRank(), tables)
        shift = {item.column: item for item in point.shifts}[MONETARY]
        assert shift.psi == {item.column: item for item in bare.shifts}[MONETARY].psi
        return shift, point.cause, bare.cause

    random = np.random.default_rng(1)
    then, now = random.integers(1, 365, 2_000), random.integers(1, 730, 2_000)
    shift, cause, bare = alerts([then, now], [50 + then, 50 + now])
    assert (shift.psi > 0.5, shift.same_age_psi < 0.05, cause, bare) == (True, True, None, "population")
    # all of them spend as ever, whatever age they seem to have
    spend = [random.lognormal(size=2_000) for _ in range(2)]
    ranks = [np.argsort(np.argsort(money)) for money in spend]
    then, now = ranks[0] // 6 + 1, ranks[1] // 3 + 1  # whoever spends much has been known for long
    shift, cause, _ = alerts([then, now], spend)
    assert (shift.psi < 0.05, shift.same_age_psi > 0.5, cause) == (True, True, None)
    # everybody has doubled: both show it
    shift, cause, _ = alerts([then, then], [spend[0], spend[0] * 3])
    assert (min(shift.psi, shift.same_age_psi) > 0.15, cause) == (True, "population")
    # nobody is as long known as those of then
    shift, cause, _ = alerts([then, then + 400], [spend[0], spend[0] * 3])
    assert (shift.same_age_psi, shift.beyond_chance, cause) == (None, False, None)


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


def test_noise_is_the_fifth_percentile_of_pairs_of_bootstrap_refits():
    customers = table(np.random.default_rng(0).lognormal(size=300))
    engine = SpendQuantiles(k=4)
    random = np.random.default_rng([7, 1])
    labels = []
    for _ in range(6):
        drawn = customers.iloc[np.sort(random.integers(300, size=300))].reset_index(drop=True)
        labels.append(engine.fit(drawn).assign(customers))
    expected = [adjusted_rand_score(one, other) for one, other in combinations(labels, 2)]
    low, drawn_on = noise(engine, customers, bootstraps=6, seed=7)
    assert low == pytest.approx(np.percentile(expected, 5), abs=1e-12)
    assert drawn_on == 300


def test_refits_begin_with_the_frozen_model_and_draws_with_the_refit():
    customers = table(np.random.default_rng(0).lognormal(size=300))
    begun = []

    @dataclass(frozen=True)
    class Begun(SpendQuantiles):
        def refit(self, customers, start):
            begun.append(start)
            return self.fit(customers)

    found = full_timeline(Begun(), [(date(2024, month, 1), customers) for month in (1, 2)], bootstraps=2)
    assert begun[0] is found.frozen
    assert len(begun) == 3
    assert begun[1] is begun[2] is not found.frozen


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
