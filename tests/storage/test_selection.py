"""What a selection says in an address, and that it is read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.columns import CLV, FILTERS
from engines.errors import InputError
from storage.contract import Selection
from storage.contract.selection import Range

number = st.floats(-1e12, 1e12)


@given(
    st.builds(
        Selection,
        segments=st.lists(st.text(min_size=1)).map(tuple),
        bounds=st.dictionaries(
            st.sampled_from([column.name for column in FILTERS]), st.tuples(number, st.none() | number), max_size=3
        ),
        shares=st.lists(st.tuples(st.text(min_size=1), number)).map(tuple),
        q=st.text(),
    )
)
def test_a_query_string_brings_the_very_same_selection_back(selection):
    assert Selection.from_query(selection.to_query()) == selection


def test_old_addresses_mean_what_they_meant():
    pairs = [("segment", "A"), ("country", "B"), ("min_clv", "5"), ("min_frequency", "2"), ("min_monetary", "1.5")]
    pairs += [("max_recency", "90"), ("max_churn", "0.4"), ("q", "x"), ("run", "3")]
    wanted = Selection(
        ("A",),
        ("B",),
        bounds={
            "clv": (5, None),
            "frequency": (2, None),
            "monetary": (1.5, None),
            "recency_days": (None, 90),
            "churn_risk": (None, 0.4),
        },
        q="x",
    )
    assert Selection.from_query(pairs) == wanted
    assert dict(wanted.to_query()) == dict(pairs[:-1])


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        (("max_clv", "lots"), "max_clv must be a number"),
        (("min_share", "0.3"), "min_share must be a category"),
        (("min_share", "bags:many"), "min_share must be a number"),
        (("area", "clv,monetary,1,1,5,1,5,9"), "give a range of each column instead"),
    ],
)
def test_what_cannot_be_read_is_said(pair, sentence):
    with pytest.raises(InputError, match=sentence):
        Selection.from_query([pair])


def test_equal_selections_are_one_key_and_say_the_same():
    one = Selection(bounds={"recency_days": (None, 9.0), "clv": (1.0, None), "monetary": (None, None)})
    other = Selection().with_bound("clv", 1.0).with_bound("recency_days", high=9.0)
    assert one == other and {one: "x"}[other] == "x" and one.to_query() == other.to_query()
    assert one.with_bound("clv") == Selection(bounds={"recency_days": (None, 9.0)})


@pytest.mark.parametrize("column", FILTERS, ids=lambda column: column.name)
def test_every_column_to_filter_by_has_two_parameters(column):
    pairs = list(zip(column.bounds, ("1.5", "2"), strict=True))
    selection = Selection.from_query(pairs)
    assert selection.bounds == {column.name: (1.5, 2.0)} and selection.to_query() == pairs


@pytest.mark.parametrize("bounds", [{"country": (1.0, None)}, {"clv": (None, float("inf"))}])
def test_what_cannot_be_a_bound_is_refused(bounds):
    with pytest.raises(InputError):
        Selection(bounds=bounds)


def test_the_old_name_of_clv_is_a_bound_on_it():
    """``future_spend`` answers for one version, in addresses and in selections that were saved."""
    old = Selection.from_query([("min_future_spend", "5"), ("max_future_spend", "9")])
    assert old == Selection(bounds={CLV: Range(5.0, 9.0)}) == Selection(bounds={"future_spend": Range(5.0, 9.0)})
    assert old.to_query() == [("min_clv", "5"), ("max_clv", "9")]
