"""What a selection says in an address, and who stands in an area: the same whoever asks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import InputError
from storage.contract import Selection
from storage.contract.area import MOST_CORNERS, Area

TRIANGLE = Area("recency_days", "frequency", ((0.0, 0.0), (10.0, 0.0), (0.0, 10.0)))
number = st.floats(-1e12, 1e12)


@given(
    st.builds(
        Selection,
        segments=st.lists(st.text(min_size=1)).map(tuple),
        min_clv=number,
        max_recency=st.none() | number,
        shares=st.lists(st.tuples(st.text(min_size=1), number)).map(tuple),
        areas=st.lists(
            st.builds(
                Area,
                st.just("monetary"),
                st.just("clv"),
                st.lists(st.tuples(number, number), min_size=3, max_size=9).map(tuple),
            ),
            max_size=3,
        ).map(tuple),
        q=st.text(),
    )
)
def test_a_query_string_brings_the_very_same_selection_back(selection):
    assert Selection.from_query(selection.to_query()) == selection


def test_old_addresses_mean_what_they_meant():
    pairs = [("segment", "A"), ("country", "B"), ("min_clv", "5"), ("min_frequency", "2"), ("min_monetary", "1.5")]
    pairs += [("max_recency", "90"), ("max_churn", "0.4"), ("q", "x"), ("run", "3")]
    wanted = Selection(
        ("A",), ("B",), min_clv=5, min_frequency=2, min_monetary=1.5, max_recency=90, max_churn=0.4, q="x"
    )
    assert Selection.from_query(pairs) == wanted
    assert dict(wanted.to_query()) == dict(pairs[:-1])


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        (("max_clv", "lots"), "max_clv must be a number"),
        (("min_share", "0.3"), "min_share must be a category"),
        (("min_share", "bags:many"), "min_share must be a number"),
        (("area", "recency_days,frequency"), "3 to"),
        (("area", "recency_days,frequency,1,2,3"), "area must be two columns"),
        (("area", "recency_days,frequency,1,2,3,nan,5,6"), "area must be two columns"),
        (("area", "recency_days,frequency,1,2,3,inf,5,6"), "numbers of at most"),
        (("area", "recency_days,country,1,2,3,4,5,6"), "cannot be drawn on 'country'"),
        (("area", "clv,clv,1,2,3,4,5,6"), "two different columns"),
        (("area", "clv,monetary," + ",".join(["1"] * 2 * (MOST_CORNERS + 1))), "3 to"),
    ],
)
def test_what_cannot_be_read_is_said(pair, sentence):
    with pytest.raises(InputError, match=sentence):
        Selection.from_query([pair])


def test_no_more_than_a_few_areas():
    with pytest.raises(InputError, match="at most"):
        Selection.from_query([("area", TRIANGLE.to_text())] * 5)


def test_who_stands_in_an_area():
    x = np.array([1.0, 9.0, 5.0, 0.0, 10.0, np.nan, -1.0])
    y = np.array([1.0, 9.0, 4.0, 0.0, 0.0, 1.0, 1.0])
    assert TRIANGLE.contains(x, y).tolist() == [True, False, True, True, False, False, False]
    whole = np.arange(4, dtype=np.int32)
    assert TRIANGLE.contains(whole, whole).tolist() == [True] * 4


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=3, max_size=12))
def test_every_point_of_a_field_is_inside_as_its_sides_say(corners):
    area = Area("recency_days", "clv", tuple((float(x), float(y)) for x, y in corners))
    x, y = (grid.ravel().astype(float) for grid in np.meshgrid(np.arange(-1, 14) * 0.5, np.arange(-1, 14) * 0.5))
    expected = []
    for px, py in zip(x, y, strict=True):
        (left, right), (low, high) = area.bounds["recency_days"], area.bounds["clv"]
        odd = False
        for number, corner in enumerate(area.corners):
            (x0, y0), (x1, y1) = sorted((area.corners[number - 1], corner), key=lambda end: end[1])
            odd ^= y0 <= py < y1 and px < x0 + (py - y0) * ((x1 - x0) / (y1 - y0))
        expected.append(bool(odd and left <= px <= right and low <= py <= high))
    assert area.contains(x, y).tolist() == expected
