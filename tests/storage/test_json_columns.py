"""Columns that the dictionary does not know come back to the bit, by whichever of the two ways they are read."""

import math

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.sql import json_columns

WHOLE = st.none() | st.integers(-(2**63), 2**63 - 1)
TYPES = {
    "share_bags": (pa.float64(), st.none() | st.floats(allow_nan=False, allow_infinity=False)),
    "a-b c.d": (pa.int64(), WHOLE),
    "flag": (pa.bool_(), st.none() | st.booleans()),
    "day": (pa.timestamp("us"), WHOLE),
}
ROWS = st.lists(st.tuples(*(values for _, values in TYPES.values())), min_size=1, max_size=20)


def columns(rows, types):
    arrays = [
        pa.array(list(values), arrow) for values, arrow in zip(zip(*rows, strict=True), types.values(), strict=True)
    ]
    return dict(zip(types, arrays, strict=True))


@settings(max_examples=50, deadline=None)
@given(ROWS, st.sets(st.sampled_from(list(TYPES)), min_size=1), st.integers(0, 3))
def test_numbers_read_as_cells_are_those_read_as_json(rows, wanted, start):
    types = {name: arrow for name, (arrow, _) in TYPES.items()}
    made = columns(rows, types)
    stored = json_columns.to_objects(made).slice(min(start, len(rows) - 1))
    asked = {name: types[name] for name in types if name in wanted}
    assert json_columns._alike(stored, types)
    found = json_columns.from_objects(stored, types, asked)
    assert list(found) == list(asked)
    for name, values in found.items():
        expected = made[name].slice(min(start, len(rows) - 1))
        assert values.type == types[name] and values.equals(expected)
        if pa.types.is_floating(values.type):  # -0.0 is not 0.0
            signs = [
                [None if each is None else math.copysign(1, each) for each in a.to_pylist()] for a in (values, expected)
            ]
            assert signs[0] == signs[1]


@pytest.mark.parametrize("name", ['a"b', "a,b", "a:b", "a}b", "a\nb", "ä", "a\\b", ""])
def test_names_with_marks_are_read_as_json(name):
    types = {name: pa.float64(), "other": pa.float64()}
    made = columns([(0.1, None), (None, 3.0)], types)
    stored = json_columns.to_objects(made)
    assert not json_columns._alike(stored, types)
    assert json_columns.from_objects(stored, types, types) == made


def test_texts_and_what_was_stored_in_another_order_are_read_as_json():
    types = {"text": pa.string(), "share": pa.float64()}
    made = columns([("a,b:}", 0.25), (None, 1e-300)], types)
    assert json_columns.from_objects(json_columns.to_objects(made), types, types) == made
    numbers = {"first": pa.float64(), "second": pa.float64()}
    stored = pa.array(['{"second":2.0,"first":1.0}'])
    found = json_columns.from_objects(stored, numbers, numbers)
    assert (found["first"].to_pylist(), found["second"].to_pylist()) == ([1.0], [2.0])
