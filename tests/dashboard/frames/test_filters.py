"""Filters: what an address, the controls and the chips say is one and the same selection."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.frames import filters
from dashboard.frames.aggregates import aggregate_selection, everyone
from dashboard.frames.columns import CustomerColumns
from dashboard.frames.filters import (
    condition_texts,
    read_view,
    toggle_option,
    toggle_ranges,
    without_condition,
    write_view,
)
from dashboard.frames.run import RunFrame
from dashboard.pages.segments import rail
from dashboard.pages.segments.rail import from_controls
from engines.columns import FILTERS
from engines.contract import NamedSegment
from storage.contract import Selection

names = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1), max_size=3, unique=True)
numbers = st.none() | st.integers(0, 10**9).map(lambda cents: cents / 100)
shares = st.none() | st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
selections = st.builds(
    Selection,
    segments=names.map(tuple),
    countries=names.map(tuple),
    bounds=st.fixed_dictionaries(
        {},
        optional={column.name: st.tuples(*[shares if column.kind == "share" else numbers] * 2) for column in FILTERS},
    ),
    q=st.text(st.characters(codec="ascii", categories=("L", "N", "P"))),
)


@given(selection=selections, run=st.none() | st.integers(0, 10**8))
def test_an_address_brings_the_view_back(selection, run):
    view = read_view(write_view(run, selection))
    assert (view.run, view.selection, view.problems) == (run, selection, ())


@given(selection=selections)
def test_the_controls_show_the_selection_and_nothing_else(selection):
    assert from_controls(rail.control_values(selection)) == selection


@given(selection=selections)
def test_every_condition_has_a_chip_and_taking_all_away_leaves_everyone(selection):
    for item in condition_texts(selection, "GBP"):
        smaller = without_condition(selection, item.field, item.value)
        assert len(condition_texts(smaller, "GBP")) == len(condition_texts(selection, "GBP")) - 1
        selection = smaller
    assert selection.is_everyone


def test_what_cannot_be_read_is_named_and_the_rest_still_holds():
    view = read_view("?run=five&min_clv=lots&max_churn=nan&country=France&with=3")
    assert view.run is None
    assert view.selection == Selection(countries=("France",))
    assert len(view.problems) == 3
    assert "'five'" in view.problems[0] and "'lots'" in view.problems[1] and "max_churn" in view.problems[2]
    assert view.others == (("with", "3"),)


def test_other_parameters_stay_in_the_address():
    assert write_view(7, Selection(q="a b"), [("with", "3")]) == "?run=7&q=a+b&with=3"


def test_numbers_that_are_not_there_yet_are_no_condition():
    assert from_controls({"min_clv": None, "min_frequency": "", "q": "  ", "segments": None}) == Selection()
    assert from_controls({"max_churn": 29}) == Selection(bounds={"churn_risk": (None, 0.29)})


def test_chips_say_what_they_take_away():
    bounds = {
        "frequency": (3.0, None),
        "clv": (500.0, None),
        "churn_risk": (None, 0.25),
        "items_per_order": (1.5, None),
        "monetary": (20.0, 1500.0),
        "recency_days": (None, 90.0),
    }
    selection = Selection(("Champions",), ("Germany",), bounds, (("gift_wrap", 0.3),), "178")
    assert [item.words for item in condition_texts(selection, "GBP")] == [
        "Champions",
        "Germany",
        "CLV ≥ £500",
        "Monetary £20.00 to £1,500",
        "Frequency ≥ 3",
        "Recency ≤ 90 days",
        "Churn risk ≤ 25.0\u00a0%",
        "Items per order ≥ 1.50",
        "gift wrap ≥ 30.0\u00a0% of spend",
        "id contains “178”",
    ]


def test_a_click_chooses_one_alone_and_a_second_click_undoes_it():
    start = Selection(countries=("France", "Spain"), bounds={"clv": (10.0, None)})
    once = toggle_option(start, "countries", "Spain")
    assert once == Selection(countries=("Spain",), bounds={"clv": (10.0, None)})
    assert toggle_option(once, "countries", "Spain") == Selection(bounds={"clv": (10.0, None)})


def test_a_range_chosen_twice_is_taken_away():
    start = Selection(bounds={"clv": (5.0, None)})
    cell = {"recency_days": (3.0, 17.0), "frequency": (4.0, 4.0)}
    once = toggle_ranges(start, cell)
    assert once == Selection(bounds={"clv": (5.0, None), "recency_days": (3.0, 17.0), "frequency": (4.0, 4.0)})
    assert [item.words for item in condition_texts(once, "GBP")] == [
        "CLV ≥ £5.00",
        "Frequency 4",
        "Recency 3 to 17 days",
    ]
    assert toggle_ranges(once, cell) == start


def test_a_share_is_set_for_one_category_and_the_others_stay():
    now = Selection(shares=(("bags", 0.2), ("cards", 0.5)))
    shown = rail.control_values(now, "bags")
    assert (shown[rail.CATEGORY], shown[rail.LEAST]) == ("bags", 20)
    assert from_controls(shown, now).shares == (("cards", 0.5), ("bags", 0.2))
    assert from_controls({**shown, rail.LEAST: None}, now).shares == (("cards", 0.5),)
    assert from_controls({**shown, rail.CATEGORY: ""}, now) == now


@pytest.fixture
def frame():
    """Six customers: three French with low, three German with high recency."""
    table = pd.DataFrame(
        {
            "recency_days": [1, 2, 3, 100, 200, 300],
            "frequency": [9, 9, 9, 1, 1, 1],
            "monetary": [10.0, 20.0, 30.0, 40.0, 50.0, 60.0],
            "country": ["France"] * 3 + ["Germany"] * 3,
        },
        index=[f"c{i}" for i in range(6)],
    )
    segments = tuple(NamedSegment(key, f"S{key}", "", "#004488", 3, 0.5, 1.0, 1.0, 1.0, None) for key in (4, 2))
    run = SimpleNamespace(id=1, segments=segments)
    snapshot = SimpleNamespace(info={"currency": "EUR"}, settings={}, dataset="six")
    return RunFrame.make(run, snapshot, CustomerColumns.from_table(table), np.array([4, 4, 2, 2, 2, 4]))


def test_the_filter_that_empties_a_view_is_named_with_what_comes_back(frame):
    found = filters.remedies(
        frame, Selection(countries=("France",), bounds={"frequency": (1.0, None), "recency_days": (None, 0.0)})
    )
    assert [(item.condition.words, item.customers) for item in found] == [("Recency ≤ 0 days", 3)]
    found = filters.remedies(frame, Selection(countries=("Germany",), bounds={"frequency": (5.0, None)}))
    assert [(item.condition.field, item.customers) for item in found] == [("countries", 3), ("frequency", 3)]


def test_options_count_what_each_of_them_would_find(frame):
    selection = Selection(countries=("France",), bounds={"recency_days": (None, 150.0)})
    sums = aggregate_selection(frame, selection, frame.views(selection).rest)
    options = rail.country_options(frame, sums.any_country, selection.countries)
    assert [(item["value"], _count(item)) for item in options] == [("France", "3"), ("Germany", "1")]
    options = rail.segment_options(frame, sums.any_segment)
    assert [(item["value"], _count(item)) for item in options] == [("S4", "2"), ("S2", "1")]


def test_a_country_from_another_data_set_can_still_be_unticked(frame):
    options = rail.country_options(frame, everyone(frame), ("Peru",))
    assert [item["value"] for item in options] == ["France", "Germany", "Peru"]


def _count(option):
    return next(part.children for part in option["label"].children if "option-count" in (part.className or ""))
