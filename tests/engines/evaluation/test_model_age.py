"""Agreement of models by their age, worked out by hand, and the refresh interval that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from engines.contract import AgeAgreement, DriftPoint, Segment
from engines.evaluation.model_age import Agreements, age_in_months, refresh_interval


@dataclass(frozen=True)
class Above:
    edge: float
    segments: tuple[Segment, ...] = (Segment(0), Segment(1))
    diagnostics: dict = field(default_factory=dict)

    def assign(self, customers):
        return (customers["monetary"] > self.edge).astype(np.int64)


def test_models_are_compared_with_each_later_one_on_its_customers():
    customers = pd.DataFrame({"monetary": np.arange(100.0)}, index=[f"c{number:03d}" for number in range(100)])
    edges = {1: 20.0, 2: 30.0, 3: 60.0, 4: 65.0}
    agreements, models = Agreements("Edges"), {month: Above(edge) for month, edge in edges.items()}

    def agreement(one, other):
        return adjusted_rand_score(*(models[month].assign(customers) for month in (one, other)))

    for month, model in models.items():
        agreements.compare(date(2024, month, 1), customers, model.assign(customers).to_numpy())
        agreements.add(date(2024, month, 1), model)
    agreements.compare(date(2024, 4, 17), customers, models[4].assign(customers).to_numpy())  # half a month is no age
    by_age = agreements.by_age()
    assert [(age.months, age.pairs) for age in by_age] == [(1, 3), (2, 2), (3, 1)]
    expected = [agreement(1, 2), agreement(2, 3), agreement(3, 4)]
    assert by_age[0].ari == pytest.approx(np.mean(expected))
    assert (by_age[0].low, by_age[0].high) == pytest.approx((min(expected), max(expected)))
    assert by_age[2].ari == pytest.approx(agreement(1, 4))


@pytest.mark.parametrize(
    ("made_at", "months"),
    [
        (date(2024, 2, 1), 1),
        (date(2024, 1, 1), 2),
        (date(2023, 3, 1), 12),
        (date(2023, 2, 1), None),  # older than a year
        (date(2024, 2, 15), None),
        (date(2024, 1, 31), 1),  # some weeks are a month
        (date(2024, 2, 29), None),
    ],
)
def test_age_is_a_whole_number_of_months(made_at, months):
    assert age_in_months(made_at, date(2024, 3, 1)) == months


FROZEN = date(2024, 1, 1)


def advice(*means, alerts=(), noise=None, cause="agreement"):
    ages = [AgeAgreement(month, mean, mean - 0.1, mean + 0.1, 5) for month, mean in enumerate(means, 1)]
    points = [
        DriftPoint(f"2024-{month:02d}-01", 10, 0.9, alert, noise, cause=cause if alert else None)
        for month, alert in enumerate(alerts or [False] * max(1, len(means)), 2)
    ]
    return refresh_interval(FROZEN, points, ages, 0.8)


def test_a_model_is_made_anew_when_models_of_its_age_no_longer_agree():
    months, reason = advice(0.95, 0.85, 0.75, 0.7)
    assert months == 2
    assert "Refresh every 2 months" in reason and "no longer at 3 months (ARI 0.75, below 0.80)" in reason
    assert str(FROZEN) in reason
    assert advice(0.95, 0.7, 0.7)[0] == 1
    assert advice(0.95, 0.85, 0.7)[0] == 2, "the oldest has no next"
    assert advice(0.95, 0.7, 0.9, 0.9)[0] == 4, "one age alone may be chance"
    months, reason = advice(0.9, 0.9, 0.82)
    assert months == 3
    assert reason.startswith("No refresh was needed. Models made since 2024-01-01 agree")
    assert "after 3 months look again" in reason


def test_where_young_models_disagree_as_well_age_is_not_the_reason():
    months, reason = advice(0.77, 0.73, 0.78, 0.73, 0.74)
    assert months == 5
    assert "about as well at every age up to 5 months" in reason
    assert "Even models 1 month old agree only to ARI 0.77" in reason and "higher stability" in reason
    assert advice(0.77, 0.75, 0.6, 0.6)[0] == 2


def test_what_chance_makes_of_one_date_is_no_age():
    assert advice(0.85, 0.75, 0.72, 0.6, noise=0.7)[0] == 3
    assert advice(0.85, 0.75, 0.72, 0.6, noise=0.95)[0] == 1


def test_alerts_are_counted_and_the_latest_says_what_to_do():
    assert "1 of 3 dates is an alert." in advice(0.9, 0.9, 0.9, alerts=(False, True, False))[1]
    reason = advice(0.9, 0.9, 0.9, alerts=(False, True, True), cause="population")[1]
    assert "No refresh was needed" not in reason
    assert "2 of 3 dates are alerts. At the latest the customers themselves have changed: make the model anew" in reason
    assert "the segments no longer fit" in advice(0.9, alerts=(True,))[1]


def test_without_dates_or_whole_months_there_is_little_to_say():
    assert refresh_interval(FROZEN, [], [], 0.8) == (None, "There is no date to judge by yet.")
    months, reason = advice()
    assert months == 1
    assert "too few dates since 2024-01-01" in reason
