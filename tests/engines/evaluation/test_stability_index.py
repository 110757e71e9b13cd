"""How far customers have changed: indices and effect sizes worked out by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.evaluation.stability_index import cliffs_delta, same_age_weights, shifts, stability_index


def of(*values):
    return np.array(values, dtype=float)


def test_customers_who_have_not_changed_have_an_index_of_zero():
    assert stability_index(of(*range(1, 11)), of(*range(1, 11))) == 0.0
    assert stability_index(of(5, 5, 5), of(5, 5)) == pytest.approx(0.0)
    assert stability_index(of(3), of(3)) == 0.0


def test_everyone_in_the_last_tenth():
    # ten bins of one customer each; now all ten are in the last: half a customer more in each, of fifteen
    expected = 9 * (0.5 / 15 - 1.5 / 15) * log(0.5 / 1.5) + (10.5 / 15 - 1.5 / 15) * log(10.5 / 1.5)
    assert stability_index(of(*range(1, 11)), of(*[99] * 10)) == pytest.approx(expected)


def test_equal_tenths_are_one_bin():
    # eight of ten ordered once: three bins, up to 1, up to 2 and above
    then, now = of(*[1] * 8, 2, 3), of(*[1] * 5, 2, 2, 2, 3, 3)
    shares = [(8.5 / 11.5, 5.5 / 11.5), (1.5 / 11.5, 3.5 / 11.5), (1.5 / 11.5, 2.5 / 11.5)]
    assert stability_index(then, now) == pytest.approx(sum((q - p) * log(q / p) for p, q in shares))


def test_cliffs_delta_counts_pairs():
    # of nine pairs now is larger in 1 + 2 + 3, smaller in one, and equal in two
    assert cliffs_delta(of(1, 2, 3), of(2, 3, 4)) == pytest.approx((6 - 1) / 9)
    assert cliffs_delta(of(1, 1), of(2)) == 1.0
    assert cliffs_delta(of(2), of(1, 1)) == -1.0
    assert cliffs_delta(of(7, 7), of(7)) == 0.0


some = st.lists(st.integers(-5, 5), min_size=1, max_size=20).map(lambda values: np.array(values, dtype=float))


@given(some, some)
def test_what_holds_of_every_pair_of_populations(then, now):
    pairs = np.sign(now[None, :] - then[:, None])
    assert cliffs_delta(then, now) == pytest.approx(pairs.mean())
    assert cliffs_delta(now, then) == pytest.approx(-pairs.mean())
    index = stability_index(then, now)
    assert 0.0 <= index < np.inf
    assert index == pytest.approx(stability_index(then[::-1], np.sort(now)))
    assert index == pytest.approx(stability_index(3 * then + 1, 3 * now + 1))  # whatever the unit


def test_each_watched_column_has_its_shift_and_unknown_values_are_left_out():
    then = pd.DataFrame({"recency_days": [1, 2, 3], "frequency": [1, 1, 1], "clv": [10.0, None, 30.0], "other": 0})
    now = pd.DataFrame({"recency_days": [2, 3, 4], "frequency": [1, 1, 1], "clv": [None, 20.0, 20.0]})
    recency, frequency = shifts(then, now)
    assert (recency.column, recency.before, recency.now) == ("recency_days", 2, 3)
    assert recency.effect == pytest.approx(5 / 9)
    assert recency.psi == pytest.approx(stability_index(of(1, 2, 3), of(2, 3, 4)))
    assert (frequency.column, frequency.psi, frequency.effect) == ("frequency", 0.0, 0.0)
    (clv,) = shifts(then, now, ["clv"])
    assert (clv.column, clv.before, clv.now, clv.effect) == ("clv", 20, 20, 0.0)
    assert shifts(then, now.assign(clv=np.nan), ["clv"]) == ()
    assert shifts(then, now, ["monetary"]) == ()


def test_customers_of_now_are_weighted_so_that_they_are_as_old_as_those_of_then():
    then, now = np.repeat([0, 1, 2], [30, 10, 9]), np.repeat([0, 1, 2, 3], [10, 40, 50, 20])
    before, after = same_age_weights(then, now)
    assert before.tolist() == [1.0] * 40 + [0.0] * 9  # nine are too few
    assert after.tolist() == [3.0] * 10 + [0.25] * 40 + [0.0] * 70
    assert same_age_weights(np.zeros(20, int), np.ones(20, int))[1].tolist() == [0.0] * 20


def test_among_few_customers_a_large_index_is_chance_and_among_many_a_small_one_is_not():
    random = np.random.default_rng(0)
    few, many = ([pd.DataFrame({"monetary": random.lognormal(size=size)}) for _ in range(2)] for size in (40, 40_000))
    (chance,) = shifts(*few)
    assert chance.psi > 0.2
    assert (chance.beyond_chance, chance.size) == (False, 0.0)
    (moved,) = shifts(many[0], many[1] * 1.1)
    assert 0.005 < moved.psi < 0.05
    assert (moved.beyond_chance, moved.size) == (True, moved.psi)


def test_chance_rarely_goes_as_far_as_the_bound():
    random = np.random.default_rng(1)
    beyond = sum(
        shifts(*(pd.DataFrame({"frequency": random.geometric(0.5, size)}) for size in (300, 500)))[0].beyond_chance
        for _ in range(400)
    )
    assert beyond <= 12
