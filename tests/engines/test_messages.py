"""A message is its English sentence, and keeps what it was made of through errors, pickles and JSON."""

import json
import pickle
from datetime import date

import numpy as np
import pytest

from engines.errors import InputError
from engines.messages import Message, from_json, joined, message, message_number, to_json

SAID = message(
    "k = {k} of {name!r} scored {score:.2f} on {day}: {why}",
    k=np.int64(3),
    name="toys",
    score=np.float64(0.5),
    day=date(2011, 12, 9),
    why=message_number("{n:,} line fell.", "{n:,} lines fell.", 1200, n=1200),
)
ENGLISH = "k = 3 of 'toys' scored 0.50 on 2011-12-09: 1,200 lines fell."


def test_a_message_is_its_english_sentence():
    assert SAID == ENGLISH
    assert json.loads(json.dumps({"note": SAID})) == {"note": ENGLISH}
    assert message("Left {as} it } is.") == "Left {as} it } is."  # without parts nothing is filled in
    assert message("{found}", found="a {brace}") == "a {brace}"
    assert message(SAID) is SAID
    assert message_number("{n} line", "{n} lines", 1, n=1) == "1 line"


@pytest.mark.parametrize("said", [SAID, joined([SAID, message("Done."), "toys"]), message("Done.")])
def test_template_and_parts_survive_storage_and_processes(said):
    stored = from_json(json.loads(json.dumps(to_json({"notes": [said, "as it was"], "more": {"template": 1, "x": 2}}))))
    assert stored == {"notes": [said, "as it was"], "more": {"template": 1, "x": 2}}
    for again in (stored["notes"][0], pickle.loads(pickle.dumps(said))):
        assert isinstance(again, Message)
        assert (again.template, again.parts, again.many) == (said.template, said.parts, said.many)
        assert all(type(part) is type(said.parts[name]) for name, part in again.parts.items())
    assert not isinstance(stored["notes"][1], Message)


def test_an_error_has_a_message_that_goes_into_others():
    error = InputError("{file} has no column {column!r}.", file="a.csv", column="Date")
    assert str(error) == "a.csv has no column 'Date'." and error.message.parts["file"] == "a.csv"
    assert pickle.loads(pickle.dumps(error)).message.template == error.message.template
    outer = message("Left out: {error} {other}", error=error, other=ValueError("7"))
    assert outer == "Left out: a.csv has no column 'Date'. 7" and isinstance(outer.parts["error"], Message)
    renamed = outer.changed(lambda text: text.replace("a.csv", "sales.csv"))
    assert renamed == "Left out: sales.csv has no column 'Date'. 7" and renamed.template == outer.template
