"""RFM: the shares we are held to, scores that ignore the order of rows, grids without gaps, and reasons."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from engines.columns import FREQUENCY, MONETARY, RECENCY
from engines.errors import InputError
from engines.naming.grids import named_grid, own_grid
from engines.rfm import RFM, quantile_edges
from tests.engines.cdnow import cdnow_customers

# name: share of customers, share of revenue, in per cent
SHARES = {
    "Champions": (20.1, 50.6),
    "Loyal Customers": (24.9, 31.0),
    "Hibernating": (36.7, 11.3),
    "About to Sleep": (14.8, 4.0),
    "At Risk": (3.3, 2.3),
    "Can't Lose Them": (0.3, 0.8),
}


def names_of(engine, customers):
    fitted = engine.fit(customers)
    by_key = {item.key: item.name for item in fitted.segments}
    return fitted.assign(customers).map(by_key)


def test_shares_on_cdnow():
    customers = cdnow_customers()
    names = names_of(RFM(), customers)
    people = names.value_counts(normalize=True) * 100
    revenue = customers[MONETARY].groupby(names).sum() / customers[MONETARY].sum() * 100
    assert set(people.index) == set(SHARES)
    for name, (share, worth) in SHARES.items():
        assert people[name] == pytest.approx(share, abs=0.06), name
        assert revenue[name] == pytest.approx(worth, abs=0.06), name


@given(
    values=st.lists(st.integers(0, 12), min_size=1, max_size=60),
    bins=st.integers(3, 10),
)
def test_scores_are_mid_ranks_cut_into_bins(values, bins):
    values = np.array(values, dtype=float)
    twice = np.round(rankdata(values) * 2).astype(int)
    expected = -(-twice * bins // (2 * len(values)))
    np.testing.assert_array_equal(np.searchsorted(quantile_edges(values, bins), values, side="right") + 1, expected)


def test_equal_customers_get_equal_scores_and_new_ones_the_same_edges():
    customers = cdnow_customers()
    fitted = RFM().fit(customers)
    scores = pd.DataFrame(fitted.scores(customers), index=customers.index)
    for position, column in enumerate((RECENCY, FREQUENCY, MONETARY)):
        assert (scores[position].groupby(customers[column]).nunique() == 1).all()
    half = customers.iloc[::2]
    np.testing.assert_array_equal(fitted.scores(half), scores.iloc[::2])
    best = pd.DataFrame({RECENCY: [0], FREQUENCY: [500], MONETARY: [1e6]}, index=["new"])
    assert fitted.scores(best).tolist() == [[5, 5, 5]]


def test_more_recent_more_often_and_more_money_never_score_lower():
    customers = cdnow_customers()
    scores = RFM(bins=10).fit(customers).scores(customers)
    for position, (column, sign) in enumerate([(RECENCY, -1), (FREQUENCY, 1), (MONETARY, 1)]):
        order = np.argsort(sign * customers[column].to_numpy(), kind="stable")
        assert (np.diff(scores[order, position]) >= 0).all()


@pytest.mark.parametrize("bins", range(3, 11))
@pytest.mark.parametrize("kind", ["ten", "eleven"])
def test_named_grids_cover_every_cell(kind, bins):
    grid = named_grid(kind, bins)
    assert grid.cells.shape == (bins,) * 3
    assert grid.cells.min() >= 0 and grid.cells.max() < len(grid.names)
    assert grid.names[grid.cells[-1, -1, -1]] == "Champions"
    assert grid.names[grid.cells[0, 0, 0]] in ("Hibernating", "Lost")


def test_the_eleven_name_grid_covers_125_cells_once():
    from engines.naming.grids import _ELEVEN_CELLS

    codes = " ".join(_ELEVEN_CELLS.values()).split()
    assert len(codes) == len(set(codes)) == 125
    assert len(_ELEVEN_CELLS) == 11


def test_a_grid_of_ones_own():
    cells = ("Best: R3 F3", "Rest: R1-2", "Rest: R3 F1-2 M1", "Growing: R3 F1-2 M2-3")
    names = names_of(RFM(bins=3, cells=cells), cdnow_customers())
    assert set(names) <= {"Best", "Rest", "Growing"}
    grid = own_grid(cells, 3, "RFM")
    assert grid.names[grid.cells[2, 0, 1]] == "Growing"


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (("A: R1-4",), "25 of 125 cells have no segment, the first is R5 F1 M1"),
        (("A: R1-5", "B: R5 F5"), "covers scores that 'A' covers already"),
        (("A: R1-6",), "R1-6 in 'A: R1-6' is not within the scores 1 to 5"),
        (("A R1-5",), "cannot be read"),
        (("A: best",), "cannot be read"),
        (("A: R5-1",), "not within"),
    ],
)
def test_a_grid_with_gaps_or_overlaps_is_refused(cells, message):
    with pytest.raises(InputError, match=message):
        RFM(cells=cells).fit(cdnow_customers())


def test_cut_points_in_days_orders_and_money():
    engine = RFM(recency_cuts="30, 90, 180, 365", frequency_cuts="2, 3, 5, 10", monetary_cuts="10,50,100,500")
    fitted = engine.fit(cdnow_customers())
    table = pd.DataFrame(
        {RECENCY: [30, 31, 365, 366], FREQUENCY: [10, 9, 2, 1], MONETARY: [500, 499.99, 10, 9.99]}, index=list("abcd")
    )
    assert fitted.scores(table).tolist() == [[5, 5, 5], [4, 4, 4], [2, 2, 2], [1, 1, 1]]
    assert fitted.cut_points()[RECENCY][4] == {"score": 5, "low": None, "high": 30.0}


@pytest.mark.parametrize("cuts", ["30, 90", "30, 90, 90, 100", "a, b, c, d", "1, 2, 3, inf"])
def test_unusable_cut_points_are_refused(cuts):
    with pytest.raises(InputError, match="cut points of recency_days"):
        RFM(recency_cuts=cuts).fit(cdnow_customers())


def test_weights_make_one_score():
    customers = cdnow_customers()
    why = RFM(recency_weight=2.0, monetary_weight=0.0).fit(customers).explain(customers)
    expected = (2 * why["recency_days_score"] + why["frequency_score"]) / 3
    np.testing.assert_allclose(why["score"], expected)
    with pytest.raises(InputError, match="all three weights are 0"):
        RFM(recency_weight=0.0, frequency_weight=0.0, monetary_weight=0.0).fit(customers)


@pytest.mark.parametrize("engine", [RFM(), RFM(grid="eleven"), RFM(bins=4)], ids=["ten", "eleven", "four bins"])
def test_the_nearest_exit_really_leads_out(engine):
    customers = cdnow_customers()
    fitted = engine.fit(customers)
    why = fitted.explain(customers)
    by_key = {item.key: item.name for item in fitted.segments}
    assert (why["segment"] == fitted.assign(customers).map(by_key)).all()
    moved = customers.astype(float)
    has_exit = why["exit_column"].notna()
    assert has_exit.mean() > 0.9
    for column in (RECENCY, FREQUENCY, MONETARY):
        chosen = has_exit & (why["exit_column"] == column)
        there, here = why.loc[chosen, "exit_value"], moved.loc[chosen, column]
        # a worse score begins just beyond the border, a better one on it
        worse = (there > here) if column == RECENCY else (there < here)
        equal = there == here
        step = np.where(column == RECENCY, 1e-6, -1e-6)
        moved.loc[chosen, column] = there + np.where(worse | equal, step, 0.0)
    after = fitted.assign(moved).map(by_key)
    assert (after[has_exit] == why.loc[has_exit, "exit_segment"]).all()
    assert (after[has_exit] != why.loc[has_exit, "segment"]).all()


def test_a_column_without_differences_gets_one_score_and_a_note():
    customers = cdnow_customers().assign(**{FREQUENCY: 1})
    fitted = RFM().fit(customers)
    assert len(set(fitted.scores(customers)[:, 1])) == 1
    assert any("Frequency is the same for everyone" in note for note in fitted.notes)
