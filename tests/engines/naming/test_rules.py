"""Rules in words: a customer meets the sentence of exactly the segment it is in."""

import re

import numpy as np
import pandas as pd
import pytest

from engines.columns import FREQUENCY, MONETARY, RECENCY
from engines.kmeans import KMeans
from engines.naming.grids import ELEVEN
from engines.naming.rules import Wording, rules_of
from engines.rfm import RFM
from tests.engines.cdnow import cdnow_customers


def meets(text, customers):
    """Which customers a rule describes, read from the sentence as a person would."""

    def number(pattern, words):
        found = re.search(pattern, words)
        return None if found is None else float(found[1].replace(",", ""))

    chosen = pd.Series(False, index=customers.index)
    for part in text.removesuffix(".").lower().split("; or "):
        here = pd.Series(True, index=customers.index)
        clauses = {
            RECENCY: re.search(r"last order ([^,]*|[^,]*,\d+[^,]*)days ago", part),
            FREQUENCY: re.search(r"(at least|fewer than) [\d.]+( and fewer than [\d.]+)? orders", part),
            MONETARY: re.search(r"spent [^;]*", part),
        }
        if clauses[RECENCY]:
            words = clauses[RECENCY][0]
            over, most = number(r"more than ([\d,.]+)", words), number(r"at most ([\d,.]+)", words)
            here &= customers[RECENCY] > (over if over is not None else -np.inf)
            here &= customers[RECENCY] <= (most if most is not None else np.inf)
        for column in (FREQUENCY, MONETARY):
            if clauses[column]:
                words = clauses[column][0]
                least, below = number(r"at least ([\d.]+)", words), number(r"(?:fewer|less) than ([\d.]+)", words)
                here &= customers[column] >= (least if least is not None else -np.inf)
                here &= customers[column] < (below if below is not None else np.inf)
        chosen |= here
    return chosen


def money(value):
    return f"{value!r}"


@pytest.mark.parametrize(
    "engine",
    [
        RFM(),
        RFM(bins=3),
        RFM(recency_cuts="30, 90, 180, 365", frequency_cuts="2, 3, 5, 9"),
        RFM(bins=3, cells=("A: M3", "B: R3 M1-2", "C: R1-2 F3 M1-2", "D: R1-2 F1-2 M1-2")),
        RFM(bins=3, cells=("A: R3 F3", "B: R1-2", "B: R3 F1-2")),
    ],
    ids=["ten", "three bins", "own cuts", "with money", "in two pieces"],
)
def test_who_meets_the_sentence_is_in_the_segment(engine):
    customers = cdnow_customers()
    fitted = engine.fit(customers)
    labels, rules = fitted.assign(customers), rules_of(fitted.artifacts(), Wording(money))
    assert set(labels) <= set(rules)
    for key, text in rules.items():
        assert (meets(text, customers) == (labels == key)).all(), text
        assert text[0].isupper() and text.endswith(".")


def test_words_people_would_use():
    rng = np.random.default_rng(0)
    customers = pd.DataFrame(
        {
            RECENCY: rng.integers(1, 400, 300),
            FREQUENCY: rng.integers(1, 12, 300),
            MONETARY: rng.uniform(5, 900, 300).round(2),
        }
    )
    engine = RFM(recency_cuts="30, 90, 180, 365", frequency_cuts="2, 3, 5, 9")
    rules = rules_of(engine.fit(customers).artifacts(), Wording(money))
    names = {segment.name: rules[segment.key] for segment in engine.fit(customers).segments}
    assert names["Champions"] == "Last order at most 30 days ago, at least 5 orders."
    assert names["Promising"] == "Last order more than 30 and at most 90 days ago, fewer than 2 orders."
    assert names["At Risk"] == "Last order more than 180 days ago, at least 3 and fewer than 9 orders."


def test_what_no_one_would_read_is_not_spelt_out():
    customers = cdnow_customers().assign(**{FREQUENCY: lambda table: np.arange(len(table)) % 50})
    rules = rules_of(RFM(grid=ELEVEN).fit(customers).artifacts(), Wording(money))
    assert any(
        re.fullmatch(r"One of \d+ blocks of scores of recency, frequency and spend\.", text) for text in rules.values()
    )
    assert max(map(len, rules.values())) < 400


def test_engines_without_rules_have_none():
    customers = cdnow_customers()
    assert rules_of(KMeans().fit(customers).artifacts(), Wording(money)) == {}
    assert rules_of({}, Wording(money)) == {}
