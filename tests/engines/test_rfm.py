"""RFM: the shares we are held to, scores that ignore the order of rows, grids without gaps, and reasons."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from dashboard.config import load_config
from engines.columns import FREQUENCY, MONETARY, RECENCY, TENURE
from engines.errors import InputError
from engines.features.build import build_customers
from engines.intake.read import read_sales
from engines.naming.grids import named_grid, own_grid
from engines.naming.neutral import parts_of
from engines.rfm import RFM, order_edges, quantile_edges
from engines.run import segment
from engines.settings import Reading
from tests.engines.cdnow import cdnow_customers

# name: share of customers, share of revenue, in per cent; worked out apart from the product, with SciPy's ranks:
# recency in fifths of all, one order F = 1, more orders in quarters of those who have more
SHARES = {
    "Champions": (14.22, 45.83),
    "Loyal Customers": (7.92, 18.16),
    "Potential Loyalists": (18.35, 14.77),
    "Needs Attention": (0.94, 0.83),
    "Hibernating": (39.72, 13.35),
    "About to Sleep": (18.31, 6.05),
    "At Risk": (0.51, 0.61),
    "Can't Lose Them": (0.04, 0.41),
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
        assert people[name] == pytest.approx(share, abs=0.006), name
        assert revenue[name] == pytest.approx(worth, abs=0.006), name


@given(
    values=st.lists(st.integers(0, 12), min_size=1, max_size=60),
    bins=st.integers(3, 10),
)
def test_scores_are_mid_ranks_cut_into_bins(values, bins):
    values = np.array(values, dtype=float)
    twice = np.round(rankdata(values) * 2).astype(int)
    expected = -(-twice * bins // (2 * len(values)))
    np.testing.assert_array_equal(np.searchsorted(quantile_edges(values, bins), values, side="right") + 1, expected)


@given(
    orders=st.lists(st.integers(1, 12), min_size=1, max_size=60),
    bins=st.integers(3, 10),
)
def test_one_order_is_the_lowest_score_and_more_are_scored_among_themselves(orders, bins):
    orders = np.array(orders, dtype=float)
    more = orders > 1
    expected = np.ones(len(orders), dtype=int)
    if more.any():
        twice = np.round(rankdata(orders[more]) * 2).astype(int)
        expected[more] = 1 - (-twice * (bins - 1) // (2 * more.sum()))
    np.testing.assert_array_equal(np.searchsorted(order_edges(orders, bins), orders, side="right") + 1, expected)


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
    assert fitted.cut_points()[RECENCY][4] == {"score": 5, "low": None, "high": 30.0, "customers": 138}


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


# --- names that hold where many buy once ----------------------------------------------------------------------------

#: Names that say that their customers have bought more than once.
MORE_THAN_ONCE = {"Champions", "Loyal Customers", "Potential Loyalists", "At Risk", "Can't Lose Them"}


def bought_once(share, people=4000, seed=1):
    """A shop in which this share of the customers has one order; all else is as in a growing shop."""
    generator = np.random.default_rng(seed)
    frequency = np.where(generator.random(people) < share, 1, 2 + generator.geometric(0.6, people) - 1)
    return pd.DataFrame(
        {
            RECENCY: generator.integers(1, 600, people),
            FREQUENCY: frequency,
            MONETARY: (frequency * generator.lognormal(4, 1, people)).round(2),
        },
        index=[f"c{number:05d}" for number in range(people)],
    )


@pytest.mark.parametrize("bins", range(3, 11))
@pytest.mark.parametrize("share", [0.2, 0.49, 0.8, 0.988, 1.0])
def test_nobody_with_one_order_is_called_someone_who_came_back(share, bins):
    customers = bought_once(share)
    names = names_of(RFM(bins=bins), customers)
    once = customers[FREQUENCY] == 1
    assert not set(names[once]) & MORE_THAN_ONCE
    assert once[names.isin({"New Customers", "Promising"})].all()
    scores = RFM(bins=bins).fit(customers).scores(customers)[:, 1]
    assert (scores[once] == 1).all() and (scores[~once] > 1).all()


@pytest.mark.slow
def test_olist_where_almost_everybody_bought_once(shared_data):
    with read_sales(
        str(shared_data / "olist_transactions.csv.gz"),
        mapping={"customer_id": "customer_unique_id", "order_date": "order_purchase_timestamp", "amount": "price"},
        reading=Reading(trust_guesses=True, unreadable_share=0.1),
    ) as sales:
        customers = build_customers(sales.table, as_of=sales.as_of)
    result = segment("rfm", RFM(), customers, plays=load_config(environ={}).plays)
    names = result.labels.map({item.key: item.name for item in result.segments})
    once = customers[FREQUENCY] == 1
    assert once.mean() > 0.98
    assert not set(names[once]) & MORE_THAN_ONCE
    assert {"New Customers", "Promising", "Hibernating"} <= set(names[once])
    assert any("Frequency score 1 holds 98.9% of the customers" in note for note in result.notes)


def test_new_customers_are_scored_as_those_it_was_fitted_on():
    fitted = RFM().fit(bought_once(1.0))
    later = pd.DataFrame({RECENCY: [1, 1], FREQUENCY: [1, 2], MONETARY: [50.0, 50.0]}, index=["once", "twice"])
    assert fitted.scores(later)[:, 1].tolist() == [1, 2]
    names = {item.key: item.name for item in fitted.segments}
    assert fitted.assign(later).map(names).tolist() == ["New Customers", "Potential Loyalists"]
    # where everyone came back often, a second order is still more than one
    often = bought_once(0.0).assign(**{FREQUENCY: lambda table: table[FREQUENCY] + 5})
    assert RFM().fit(often).scores(later)[:, 1].tolist() == [1, 2]


def test_a_score_of_many_is_noted_and_a_name_of_nobody_is_explained():
    plays = load_config(environ={}).plays
    often = bought_once(0.0)
    notes = segment("rfm", RFM(), often, plays=plays).notes
    assert "Nobody can be New Customers here: that is for customers with one order, and everybody has more." in notes
    assert any(note.startswith("Frequency score 3 holds 5") or "hardly tells" in note for note in notes)
    once = segment("rfm", RFM(), bought_once(1.0), plays=plays).notes
    assert "Nobody can be At Risk here: that takes a second order, and nobody has one." in once
    three = segment("rfm", RFM(bins=3), bought_once(0.5), plays=plays).notes
    assert "Nobody can be Promising here: with scores of 1 to 3 the grid has no cell for it." in three
    plain = load_config(environ={}).replace(naming={"vocabulary": "plain"}).plays
    assert any(note.startswith("Nobody can be Recent here") for note in segment("rfm", RFM(), often, plays=plain).notes)
    apart = segment("rfm", RFM(), cdnow_customers(), plays=plays).notes
    assert any(note.startswith("Nobody is New Customers here") for note in apart)
    cuts = RFM(frequency_cuts="2, 3, 500, 900")
    assert any(
        note == "Nobody can be Can't Lose Them here: nobody has the frequency score that it takes (5)."
        for note in segment("rfm", cuts, often, plays=plays).notes
    )


@pytest.mark.parametrize("grid", ["ten", "eleven"])
def test_a_name_of_the_grid_stays_only_where_it_is_true(grid):
    customers = bought_once(0.6)
    customers[TENURE] = customers[RECENCY] + 30 * (customers[FREQUENCY] - 1)
    # many came lately: the middle is far below the mean
    customers[RECENCY] = (customers[RECENCY] ** 2 / 600).astype(int)
    plays = load_config(environ={}).plays
    result = segment("rfm", RFM(grid=grid), customers, plays=plays)
    rules = {item.key: item.name for item in result.fitted.segments}
    changed = [item for item in result.segments if item.name != rules[item.key]]
    assert {"ten": "About to Sleep", "eleven": "Can't Lose Them"}[grid] in {rules[item.key] for item in changed}
    for item in changed:
        own = customers[result.labels == item.key]
        assert item.action == "" and parts_of(item.name)
        assert any(
            note.startswith(f"{rules[item.key]} would not be true") and note.endswith(f"they are called {item.name}.")
            for note in result.notes
        ), own.mean()
    ours = RFM(bins=3, cells=("About to Sleep: R2-3", "Champions: R1"))
    names = {item.name: item.action for item in segment("rfm", ours, customers, plays=plays).segments}
    assert names == {"About to Sleep": "", "Champions": ""}  # the user's own words stay, advice that is untrue does not


def test_without_money_names_go_by_orders():
    customers = bought_once(0.5).assign(**{MONETARY: 0.0})
    result = segment("rfm", RFM(), customers, plays=load_config(environ={}).plays)
    assert {"Champions", "Loyal Customers", "Hibernating"} <= {item.name for item in result.segments if item.action}
