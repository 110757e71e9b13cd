"""Both vocabularies, and names that were pinned by hand: unique, translated, and with their customers."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from dashboard.config import load_config
from engines.contract import Predecessor, Segment
from engines.kmeans import KMeans
from engines.naming.alignment import matched_pins, overlap
from engines.naming.grids import ELEVEN, TEN, named_grid, own_grid
from engines.naming.vocabulary import playbook_name
from engines.rfm import RFM
from engines.run import segment
from tests.engines.cdnow import cdnow_customers
from tests.engines.naming.kinds import BEST, GONE, GONE_BEST, LOYAL, NEW, made, named

CLASSIC = load_config(environ={}).plays
PLAIN = load_config(environ={}).replace(naming={"vocabulary": "plain"}).plays
BOOKS = {"classic": CLASSIC, "plain": PLAIN}


@pytest.mark.parametrize("book", BOOKS)
@pytest.mark.parametrize("k", range(2, 13))
def test_names_are_unique_and_of_the_vocabulary(book, k):
    customers = cdnow_customers()
    found = named(customers, KMeans(k=k).fit(customers).assign(customers), BOOKS[book])
    names = [item.name for item in found.values()]
    assert len({name.casefold() for name in names}) == k == len({item.colour for item in found.values()})
    known = {play.name for play in BOOKS[book]} - {"Outliers"}
    assert all(bool(item.action) == (item.name in known) for item in found.values())
    assert len(set(names) & known) >= min(k, 6)


def test_the_plain_words_are_those_people_use_where_they_fit():
    assert [item.name for item in named(*made(BEST, LOYAL, NEW, GONE), PLAIN).values()] == [
        "VIP",
        "Loyal",
        "Recent",
        "Dormant",
    ]


def test_a_spare_name_comes_only_where_it_says_much_more():
    spare = {play.name for play in PLAIN if play.spare}
    assert len(PLAIN) - len(spare) == 5  # VIP, Loyal, Recent, Dormant and Outliers
    missed = named(*made(BEST, NEW, GONE_BEST, GONE), PLAIN)
    assert missed[2].name in ("Missed VIP", "Slipping away")  # "Loyal" is free, and would be untrue
    for few in ([BEST, GONE], [BEST, NEW, GONE]):
        assert not {item.name for item in named(*made(*few), PLAIN).values()} & spare


def test_one_meaning_has_one_colour_in_both():
    meant = {playbook_name(play.name, CLASSIC): play.colour for play in PLAIN}
    for play in CLASSIC:
        assert meant[play.name] == play.colour
    assert set(meant) - {play.name for play in CLASSIC} == {"Occasional"}
    assert len({play.colour for play in PLAIN}) == len(PLAIN)
    assert [play.priority for play in PLAIN] == sorted({play.priority for play in PLAIN})


@pytest.mark.parametrize("grid", [TEN, ELEVEN])
def test_the_grid_of_rfm_is_translated_word_by_word(grid):
    names = named_grid(grid, 5).names
    assert {playbook_name(name, PLAIN) for name in names} <= {play.name for play in PLAIN}
    assert len({playbook_name(name, PLAIN) for name in names}) == len(names)
    assert [playbook_name(name, CLASSIC) for name in names] == list(names)
    customers = cdnow_customers()
    classic, plain = (segment("rfm", RFM(grid=grid), customers, plays=plays) for plays in (CLASSIC, PLAIN))
    by_key = {item.key: item for item in classic.segments}
    actions = {play.name: play.action for play in PLAIN}
    for item in plain.segments:
        assert item.customers == by_key[item.key].customers
        if item.name in actions:
            assert item.name == playbook_name(by_key[item.key].name, PLAIN) != by_key[item.key].name
            assert (item.action, item.colour) == (actions[item.name], by_key[item.key].colour)
        else:  # what the rule calls them is not true
            assert (item.name, item.action) == (by_key[item.key].name, "")
    assert sum(item.name in actions for item in plain.segments) >= 6


def test_names_of_ones_own_are_never_translated():
    lines = ("Goldstück: R3", "Champions: R1-2")
    assert own_grid(lines, 3, "RFM").names == ("Goldstück", "Champions")
    customers, labels = made(BEST, GONE, NEW)
    ours = [Segment(0, "Goldstück"), Segment(1, "Champions"), Segment(2, "VIP")]
    found = named(customers, labels, PLAIN, segments=ours)
    assert found[0].name == "Goldstück"
    assert {found[1].name, found[2].name} == {"VIP", "Champions"} or len({found[1].name, found[2].name}) == 2
    twice = named(customers, labels, PLAIN, segments=[Segment(0, "A"), Segment(1, "A"), Segment(2, "A")])
    assert sorted(item.name for item in twice.values()) == ["A", "A 2", "A 3"]


def test_another_vocabulary_takes_over_from_the_old_one():
    customers, labels = made(BEST, LOYAL, NEW, GONE)
    old = named(customers, labels, CLASSIC)
    after = named(customers, labels, PLAIN, previous=Predecessor(labels, tuple(old.values())))
    for key, item in after.items():
        assert (item.name, item.colour) == (playbook_name(old[key].name, PLAIN), old[key].colour)
        assert item.name != old[key].name


# --- pins -----------------------------------------------------------------------------------------------------------


def pinned(customers, labels, plays=CLASSIC, **changes):
    """A run of these customers in which a segment (key 1) was changed by hand and pinned."""
    named_so = named(customers, labels, plays)
    by_hand = dataclasses.replace(named_so[1], pinned=True, revision=1, **changes)
    return Predecessor(labels, tuple(by_hand if item.key == 1 else item for item in named_so.values()))


def test_a_pinned_name_stays_with_its_customers_whatever_they_are_like():
    customers, labels = made(BEST, LOYAL, NEW, GONE)
    assert "About to Sleep" not in {item.name for item in named(customers, labels).values()}
    before = pinned(customers, labels, name="About to Sleep", action="Leave them in peace.", colour="#123456")
    after = named(customers, (labels + 1) % 4, previous=before)
    assert (after[2].name, after[2].action, after[2].colour) == ("About to Sleep", "Leave them in peace.", "#123456")
    assert [item.pinned for item in after.values()].count(True) == 1
    assert len({item.name for item in after.values()}) == 4
    unpinned = Predecessor(labels, tuple(dataclasses.replace(item, pinned=False) for item in before.segments))
    assert named(customers, (labels + 1) % 4, previous=unpinned)[2].action != "Leave them in peace."


def test_a_pin_outdoes_the_names_of_the_engine():
    customers, labels = made(BEST, LOYAL, NEW, GONE)
    engines_own = [Segment(key, name) for key, name in enumerate(("Champions", "Loyal Customers", "Friends", "Lost"))]
    before = pinned(customers, labels, name="Friends")
    after = named(customers, labels, segments=engines_own, previous=before)
    assert [after[key].name for key in range(4)] == ["Champions", "Friends", "Friends 2", "Lost"]


def test_a_pin_goes_where_most_of_its_customers_went_and_is_given_up_when_they_scattered():
    customers, labels = made(BEST, LOYAL, NEW, GONE)
    before = pinned(customers, labels, name="Friends")
    moved = labels.copy()
    moved.iloc[50:65] = 0  # 15 of the 50 went elsewhere
    shares = overlap(moved, before)
    assert shares[1, 1] == pytest.approx(35 / 50)
    assert shares[0, 1] == pytest.approx(15 / 100)
    assert matched_pins(shares, before) == {1: next(item for item in before.segments if item.key == 1)}
    scattered = labels.copy()
    scattered.iloc[50:100] = np.repeat([0, 2, 3, 4, 5], 10)
    assert matched_pins(overlap(scattered, before), before) == {}


def test_two_pins_never_meet_in_one_segment():
    customers, labels = made(BEST, LOYAL, NEW, GONE)
    before = pinned(customers, labels, name="Friends")
    both = tuple(dataclasses.replace(item, pinned=True) if item.key == 0 else item for item in before.segments)
    merged = labels.replace({1: 0})
    found = matched_pins(overlap(merged, Predecessor(labels, both)), Predecessor(labels, both))
    assert len(found) == 1


def test_pins_last_from_run_to_run_and_a_lost_one_is_said():
    customers = cdnow_customers()
    first = segment("kmeans", KMeans(k=4), customers, plays=CLASSIC)
    by_hand = tuple(
        dataclasses.replace(item, name="Friends of the house", pinned=True, revision=1) if number == 0 else item
        for number, item in enumerate(first.segments)
    )
    previous, runs = Predecessor(first.labels, by_hand), []
    for seed in (1, 2):
        runs.append(segment("kmeans", KMeans(k=4, seed=seed), customers, plays=CLASSIC, previous=previous))
        previous = Predecessor(runs[-1].labels, runs[-1].segments)
    ours = [next(item for item in run.segments if item.name == "Friends of the house") for run in runs]
    assert all(item.pinned for item in ours)
    for one, other in pairwise([by_hand[0], *ours]):
        assert one.customers == pytest.approx(other.customers, rel=0.02)
        assert one.colour == other.colour
    # eight small groups of customers: none is the one of then
    scattered = segment("kmeans", KMeans(k=40), customers, plays=CLASSIC, previous=previous)
    lost = "The pinned name Friends of the house was not carried on"
    assert any(note.startswith(lost) for note in scattered.notes)
    assert not any(note.startswith(lost) for run in runs for note in run.notes)
