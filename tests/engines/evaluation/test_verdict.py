"""Which of several runs to work with: reasons, draws, and what is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.evaluation.verdict import CRITERIA, Candidate, Sorting, weigh_candidates
from engines.messages import message

EVEN = {"stability": 0.9, "captured": 0.6, "separation": 0.5, "balance": 0.8, "agreement": 0.4}


def candidate(name, smallest=0.1, **figures):
    return Candidate(name, {**EVEN, **figures}, smallest)


def test_the_better_one_is_named_with_reasons_and_what_speaks_against_it():
    said = weigh_candidates([candidate("A", stability=0.7), candidate("B", balance=0.6), candidate("C", captured=0.2)])
    assert (said.best, said.draw) == ((1,), False)
    assert said.headline.startswith("B is the one to work with: it scores 0.65, the next, A, 0.61")
    assert any(text.startswith("As good as any in stability (0.90 against 0.90") for text in said.reasons)
    assert said.against == ("Behind in balance of sizes (0.60 against 0.80 of A; how even its segments are).",)
    assert sum(said.considered.values()) == pytest.approx(1)
    assert said.missing == ()


def test_level_runs_are_a_draw_and_say_what_parts_them():
    said = weigh_candidates(
        [candidate("A", separation=0.5), candidate("B", separation=0.55), candidate("C", stability=0.2)]
    )
    assert (said.best, said.draw) == ((0, 1), True)
    assert said.headline.startswith("It is a draw (A, B): ")
    assert said.reasons == (
        "B is better in separation (0.55 against 0.50 of A; how far it explains recency, frequency and spend).",
    )
    assert weigh_candidates([candidate("A"), candidate("B")]).reasons == ("No single figure tells them apart either.",)


def test_what_one_of_them_lacks_is_not_weighed():
    said = weigh_candidates([candidate("A", captured=None), candidate("B", captured=0.99, balance=0.9), candidate("C")])
    assert said.missing == ("Not weighed, as not every run has it: later revenue captured (A).",)
    assert "later revenue captured" not in said.considered
    nothing = dict.fromkeys(EVEN)
    none = weigh_candidates([Candidate("A", nothing), Candidate("B", nothing)])
    assert (none.best, none.draw, none.scores) == ((), False, ())
    assert "no figure is known" in none.headline
    assert "no run has it" in none.missing[0]


def test_two_runs_agree_with_one_another_equally():
    assert "agreement with the others" not in weigh_candidates([candidate("A"), candidate("B")]).considered


def test_cautions():
    said = weigh_candidates([candidate("A", smallest=0.001, stability=0.5), candidate("B", stability=0.1)])
    assert said.best == (0,)
    assert [text.split(" ")[0] for text in said.cautions] == ["A", "The"]
    with pytest.raises(ValueError, match="two candidates"):
        weigh_candidates([candidate("A")])


@given(st.lists(st.lists(st.floats(0, 1), min_size=5, max_size=5), min_size=2, max_size=6))
def test_the_order_of_candidates_does_not_matter(rows):
    names = [criterion.name for criterion in CRITERIA]
    candidates = [Candidate(str(i), dict(zip(names, row, strict=True))) for i, row in enumerate(rows)]
    there, back = weigh_candidates(candidates), weigh_candidates(candidates[::-1])
    assert {candidates[i].name for i in there.best} == {candidates[::-1][i].name for i in back.best}
    assert all(there.scores[i] <= max(there.scores[j] for j in there.best) for i in range(len(rows)))


def test_plain_sorting_is_said_where_no_candidate_beats_it():
    runs = [candidate("A", captured=0.58), candidate("B", captured=0.60)]
    spend = Sorting("monetary", message("sorted by past spend"), 0.632)
    forecast = Sorting("clv", message("sorted by forecast"), 0.55)
    none = weigh_candidates(runs, [spend, forecast])
    assert none.plain_sorting.startswith("No engine beats plain sorting")
    assert "sorted by past spend 63.2 %" in none.plain_sorting and "forecast" not in none.plain_sorting
    assert "B, 60.0 %" in none.plain_sorting
    better = weigh_candidates(runs, [forecast])
    assert better.plain_sorting.startswith("B finds more of later revenue (60.0 % by its top fifth)")
    assert weigh_candidates(runs).plain_sorting == ""
    assert weigh_candidates(runs, [spend]).best == weigh_candidates(runs).best  # it is no candidate
