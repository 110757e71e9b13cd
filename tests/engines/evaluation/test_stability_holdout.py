"""Whether a run would come back, and what its top segments brought in later: worked out by hand, and on real sales."""

from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from engines.columns import FREQUENCY, MONETARY, RECENCY
from engines.contract import Engine, Segment, knob
from engines.errors import InputError
from engines.evaluation.holdout import TOP, holdout_curve, holdout_cutoff
from engines.evaluation.stability import stability
from engines.gmm import GaussianMixture
from engines.hierarchical import Hierarchical
from engines.kmeans import KMeans
from engines.rfm import RFM
from tests.engines.cdnow import cdnow_customers
from tests.engines.planted import planted


def captured(engine, before, after):
    curve = holdout_curve(engine, before, after)
    return None if curve is None else curve.at(TOP)


def labelled(engine, customers):
    return engine.fit(customers).assign(customers)


@pytest.mark.slow
@pytest.mark.parametrize("engine", [RFM(), KMeans(), GaussianMixture(), Hierarchical()], ids=lambda e: e.title)
def test_stability_lies_between_chance_and_certainty_and_repeats(engine):
    customers = cdnow_customers()
    labels = labelled(engine, customers)
    found = stability(engine, customers, labels, refits=4)
    assert 0.3 < found < 1
    shuffled = customers.sample(frac=1, random_state=5)
    assert stability(engine, shuffled, labels.sample(frac=1, random_state=6), refits=4) == found
    assert stability(engine, customers, labels, refits=4, seed=1) != found


def test_stability_is_the_mean_index_of_refits():
    customers = cdnow_customers()
    engine = KMeans(k=5)
    labels = labelled(engine, customers)
    random, found = np.random.default_rng(9), []
    for _ in range(3):
        drawn = customers.iloc[np.sort(random.integers(len(customers), size=len(customers)))]
        refit = engine.fit(drawn.set_axis(range(len(drawn))))
        found.append(adjusted_rand_score(labels, refit.assign(customers)))
    assert stability(engine, customers, labels, refits=3, seed=9) == pytest.approx(np.mean(found))


def test_groups_that_are_there_are_stable_and_too_many_are_not():
    customers = planted(3)
    right, wrong = KMeans(k=3, scaling="standard"), KMeans(k=6, scaling="standard")
    assert stability(right, customers, labelled(right, customers)) == pytest.approx(1)
    assert stability(wrong, customers, labelled(wrong, customers)) < 0.8


def test_what_has_no_stability():
    customers = cdnow_customers().iloc[:50]
    assert stability(KMeans(k=1), customers, labelled(KMeans(k=1), customers)) is None
    few = cdnow_customers().iloc[:3]
    assert stability(KMeans(k=3), few, labelled(KMeans(k=3), few), refits=1, seed=0) is None  # no draw has all three


def test_a_large_table_is_measured_on_a_sample():
    seen = []

    class Small(KMeans):
        refit_limit = 300

        def fit(self, customers):
            seen.append(len(customers))
            return super().fit(customers)

    customers = cdnow_customers()
    labels = labelled(KMeans(), customers)
    assert stability(Small(), customers, labels, refits=2) > 0.2
    assert seen == [300, 300]


# --- holdout --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spans:
    keys: tuple

    diagnostics = MappingProxyType({})

    @property
    def segments(self):
        return tuple(Segment(int(key)) for key in sorted(set(self.keys)))

    def assign(self, customers):
        return customers["group"].astype("int64")


@dataclass(frozen=True)
class ByGroup(Engine):
    """Takes the column ``group`` for the segments."""

    title = "By group"
    needs = ("group",)
    seed: int = knob(0, help="Not used.")

    def fit(self, customers):
        return Spans(tuple(customers["group"]))


def people(groups, monetary):
    table = pd.DataFrame({RECENCY: 1, FREQUENCY: 1, MONETARY: monetary, "group": groups}, dtype=float)
    return table.set_axis([f"c{place}" for place in range(len(groups))])


def test_whole_segments_up_to_a_fifth_of_the_customers():
    before = people([0] * 8 + [1] * 2, [1.0] * 8 + [50.0, 30.0])
    after = pd.Series({"c0": 10.0, "c8": 60.0, "c9": 30.0, "stranger": 1000.0})
    assert captured(ByGroup(), before, after) == pytest.approx(0.9)


def test_the_last_segment_counts_in_proportion():
    # the top segment has one of ten customers; of the four next, one more makes up the fifth: a quarter of theirs
    before = people([2] + [1] * 4 + [0] * 5, [90.0] + [20.0] * 4 + [1.0] * 5)
    after = pd.Series([30.0, 20.0, 0.0, 20.0, 0.0, 5.0, 5.0, 5.0, 5.0, 10.0], index=before.index)
    assert captured(ByGroup(), before, after) == pytest.approx((30 + 40 / 4) / 100)
    # one segment holds everyone: a fifth of the customers brings in a fifth
    assert captured(ByGroup(), before.assign(group=0.0), after) == pytest.approx(0.2)


def test_the_order_of_rows_and_the_numbers_of_segments_do_not_matter():
    customers = cdnow_customers()
    after = pd.Series(np.random.default_rng(0).exponential(20, len(customers)), index=customers.index)
    found = captured(KMeans(), customers, after)
    assert captured(KMeans(), customers.sample(frac=1, random_state=1), after[::-1]) == found
    before = people([0, 0, 1, 1, 1, 1, 1, 1, 1, 1], [5.0] * 2 + [1.0] * 8)
    renumbered = before.assign(group=1 - before["group"])
    after = pd.Series(range(10), index=before.index, dtype=float)
    assert captured(ByGroup(), renumbered, after) == captured(ByGroup(), before, after)


def test_what_cannot_be_had():
    before = people([0, 1], [1.0, 2.0])
    assert captured(ByGroup(), before, pd.Series(dtype=float)) is None
    assert captured(ByGroup(), before, pd.Series({"stranger": 5.0})) is None
    with pytest.raises(InputError, match="k = 4"):
        captured(KMeans(k=4), before, pd.Series({"c0": 5.0}))


def test_the_cutoff_leaves_a_quarter_to_look_at():
    assert holdout_cutoff(date(2010, 12, 1), date(2011, 12, 10)) == date(2011, 9, 8)
    assert holdout_cutoff(date(2011, 1, 1), date(2011, 4, 23)) is None  # 112 days: 84 before, 28 after
    assert holdout_cutoff(date(2011, 1, 1), date(2011, 5, 1)) == date(2011, 4, 1)
    assert holdout_cutoff(date(2011, 1, 1), date(2011, 1, 2)) is None
