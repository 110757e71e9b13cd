"""How far customers have changed: indices and effect sizes worked out by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.evaluation.stability_index import cliffs_delta, shifts, stability_index


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
    recency, frequency, clv = shifts(then, now)
    assert (recency.column, recency.before, recency.now) == ("recency_days", 2, 3)
    assert recency.effect == pytest.approx(5 / 9)
    assert recency.psi == pytest.approx(stability_index(of(1, 2, 3), of(2, 3, 4)))
    assert (frequency.column, frequency.psi, frequency.effect) == ("frequency", 0.0, 0.0)
    assert (clv.column, clv.before, clv.now, clv.effect) == ("clv", 20, 20, 0.0)
    assert shifts(then, now.assign(clv=np.nan)) == (recency, frequency)
    assert shifts(then, now, ["monetary"]) == ()
