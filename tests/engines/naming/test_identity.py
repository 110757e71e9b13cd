"""What a segment is known by: the playbook's word for it, the engine's own, or that of its customers before."""

from __future__ import annotations

import dataclasses

from engines.contract import Predecessor, Segment, segment_by_key, segments_meant
from engines.naming.naming import name_segments
from engines.naming.neutral import parts_of
from engines.naming.vocabulary import playbook_name
from tests.engines.naming.kinds import BEST, GONE, LOYAL, NEW, PLAYS, made, named
from tests.engines.naming.test_vocabulary import CLASSIC, PLAIN


def test_a_name_of_the_playbook_is_known_by_its_key_in_every_vocabulary():
    assert [play.identity for play in CLASSIC] == [play.name for play in CLASSIC]
    words = {playbook_name(play.name, PLAIN): play.identity for play in CLASSIC}
    assert all(play.identity == words.get(play.name, play.name) for play in PLAIN)
    customers, labels = made(BEST, LOYAL, NEW, GONE)
    classic, plain = (named(customers, labels, plays) for plays in (CLASSIC, PLAIN))
    assert {key: item.identity for key, item in classic.items()} == {key: item.name for key, item in classic.items()}
    again = named(customers, labels, PLAIN, previous=Predecessor(labels, tuple(classic.values())))
    assert {key: item.identity for key, item in again.items()} == {key: item.name for key, item in classic.items()}
    assert {item.name for item in plain.values()}.isdisjoint(item.name for item in classic.values())


def test_an_entry_that_gets_another_name_keeps_its_key():
    changes = {"Champions": {"name": "Stars", "key": "Champions"}}
    plays = [dataclasses.replace(play, **changes.get(play.name, {})) for play in PLAYS]
    customers, labels = made(BEST, LOYAL, NEW, GONE)
    before, after = named(customers, labels), named(customers, labels, plays)
    renamed = next(item for item in after.values() if item.name == "Stars")
    assert before[renamed.key].identity == renamed.identity == "Champions"


def test_names_that_people_gave_change_nothing_of_the_next_run():
    customers, labels = made(BEST, LOYAL, NEW, GONE)
    before = tuple(named(customers, labels).values())
    by_hand = tuple(
        dataclasses.replace(item, name=f"Ours {item.key}", own_name=item.name, revision=1) for item in before
    )
    after = [
        tuple(named(customers, 3 - labels, previous=Predecessor(labels, then)).values()) for then in (before, by_hand)
    ]
    assert after[0] == after[1]


def test_an_engines_own_name_is_what_its_segment_is_known_by():
    customers, labels = made(BEST, LOYAL, NEW, GONE)
    own = [Segment(key, name) for key, name in enumerate(("Gold", "Silver", "Bronze", "Champions"))]
    found = named(customers, labels, segments=own)
    assert [found[key].identity for key in range(4)] == ["Gold", "Silver", "Bronze", "Champions"]


def test_a_segment_of_no_name_follows_its_customers_and_a_new_one_has_none_yet():
    customers, labels = made(BEST, LOYAL, NEW, GONE)
    few = [play for play in PLAYS if play.name == "Champions"]
    segments = [Segment(key, "") for key in range(4)]
    first = name_segments(customers, labels, segments, few)
    neutral = [item for item in first if parts_of(item.name)]
    assert neutral and not any(item.identity for item in neutral)
    then = tuple(dataclasses.replace(item, identity=item.identity or f"7.{item.key}") for item in first)
    moved = labels.copy()
    moved.iloc[: len(moved) // 10] = 3  # some of the best are elsewhere
    after = name_segments(customers, (moved + 1) % 4, segments, few, Predecessor(labels, then))
    known = {(item.key - 1) % 4: item.identity for item in after}
    assert known == {item.key: item.identity for item in then}
    scattered = labels.copy()
    scattered.iloc[:] = [number % 4 for number in range(len(labels))]
    lost = name_segments(customers, scattered, segments, few, Predecessor(labels, then))
    assert {item.identity for item in lost} <= {"", "Champions"}


def test_a_text_means_the_identity_first_then_the_name_then_names_of_before():
    customers, labels = made(BEST, LOYAL, NEW, GONE)
    a, b, c, d = named(customers, labels).values()
    swapped = (
        dataclasses.replace(a, name=b.identity, own_name=a.name, former=("Old",)),
        dataclasses.replace(b, name="Something", own_name=b.name),
        dataclasses.replace(c, merged=(9,), former=(*c.former, d.identity)),
    )
    assert segments_meant(swapped, [b.identity]) == [False, True, False]
    assert segments_meant(swapped, ["Something"]) == [False, True, False]
    assert segments_meant(swapped, ["Old"]) == segments_meant(swapped, [a.identity]) == [True, False, False]
    assert segments_meant(swapped, [d.identity, "Nobody"]) == [False, False, True]
    assert segment_by_key(swapped)[9] is swapped[2]
