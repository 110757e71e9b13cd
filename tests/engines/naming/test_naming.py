"""Names come from what customers are like: sensible, unique, and indifferent to numbering and seed."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.columns import CLV, MONETARY
from engines.contract import Play, Predecessor, Segment
from engines.kmeans import KMeans
from engines.naming.neutral import parts_of
from tests.engines.cdnow import cdnow_customers
from tests.engines.naming.kinds import BEST, BY_NAME, GONE, GONE_BEST, LOYAL, NEW, made, named


def test_kinds_get_the_names_people_would_give():
    found = named(*made(BEST, LOYAL, NEW, GONE_BEST, GONE))
    assert found[0].name == "Champions"
    assert found[1].name in ("Loyal Customers", "Potential Loyalists", "Needs Attention")
    assert found[2].name in ("New Customers", "Promising")
    assert found[3].name in ("Can't Lose Them", "At Risk")
    assert found[4].name in ("Hibernating", "Lost")
    for item in found.values():
        assert item.action == BY_NAME[item.name].action
        assert item.colour == BY_NAME[item.name].colour


def test_the_most_important_come_first():
    priorities = [BY_NAME[item.name].priority for item in named(*made(GONE, BEST, NEW, LOYAL)).values()]
    assert priorities == sorted(priorities)


@pytest.mark.parametrize("k", range(2, 12))
def test_names_are_unique_and_from_the_playbook_or_neutral(k):
    customers = cdnow_customers()
    found = named(customers, KMeans(k=k).fit(customers).assign(customers))
    names = [item.name for item in found.values()]
    assert len(set(names)) == k
    assert all(name in BY_NAME or parts_of(name) for name in names)
    assert "Outliers" not in names
    assert len(set(names) & set(BY_NAME)) >= min(k, 6)
    best = max(found.values(), key=lambda item: item.monetary)
    worst = min(found.values(), key=lambda item: item.monetary)
    assert best.name in ("Champions", "Loyal Customers", "Can't Lose Them")
    assert worst.name in ("Hibernating", "Lost", "About to Sleep")


@pytest.mark.parametrize("k", [12, 15, 40])
def test_no_name_of_the_playbook_comes_with_a_number_and_neutral_ones_count_from_the_best(k):
    customers = cdnow_customers()
    found = named(customers, KMeans(k=k).fit(customers).assign(customers))
    names = [item.name for item in found.values()]
    assert len(set(names)) == k == len({item.colour for item in found.values()})
    spend = {}
    for item in found.values():
        if item.name not in BY_NAME:
            stem, _, number = item.name.rpartition(" ")
            stem, number = (stem, int(number)) if number.isdigit() else (item.name, 1)
            assert parts_of(stem) and not item.action
            spend.setdefault(stem, {})[number] = item.monetary
    for by_number in spend.values():
        assert sorted(by_number) == list(range(1, len(by_number) + 1))
        assert sorted(by_number.values(), reverse=True) == [by_number[number] for number in sorted(by_number)]


@given(st.permutations(range(6)))
@settings(max_examples=30, deadline=None)
def test_the_engines_numbering_does_not_matter(order):
    customers, labels = made(BEST, LOYAL, NEW, GONE_BEST, GONE, (100, 4, 200))
    plain = {item.name: item.recency for item in named(customers, labels).values()}
    turned = {item.name: item.recency for item in named(customers, labels.map(dict(enumerate(order)))).values()}
    assert turned == pytest.approx(plain)


@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_the_seed_does_not_matter(k):
    customers = cdnow_customers()

    def names(seed):
        labels = KMeans(k=k, seed=seed).fit(customers).assign(customers)
        return labels.map({key: item.name for key, item in named(customers, labels).items()})

    assert all((names(0) == names(seed)).mean() > 0.98 for seed in (1, 2, 3))


def test_the_scale_of_money_does_not_matter():
    customers = cdnow_customers()
    labels = KMeans(k=5).fit(customers).assign(customers)
    dearer = customers.assign(**{MONETARY: customers[MONETARY] * 100})
    assert {k: v.name for k, v in named(customers, labels).items()} == {
        k: v.name for k, v in named(dearer, labels).items()
    }


def test_clv_speaks_for_worth():
    customers, labels = made((60, 3, 100), (60, 3, 100), GONE)
    customers[CLV] = np.where(labels == 1, 5000.0, 1.0)
    found = named(customers, labels)
    assert BY_NAME[found[1].name].priority < BY_NAME[found[0].name].priority
    assert found[1].clv == pytest.approx(5000)


def test_an_engines_own_names_are_kept():
    customers, labels = made(BEST, GONE, NEW)
    segments = [Segment(0, "At Risk"), Segment(1, "Ours", "Do this."), Segment(2)]
    found = named(customers, labels, segments=segments)
    assert (found[0].name, found[0].action) == ("At Risk", "")  # the best customers need no win-back
    assert named(customers, labels, segments=[Segment(1, "At Risk")])[1].name == "At Risk"
    assert (found[1].name, found[1].action) == ("Ours", "Do this.")
    assert found[2].name in BY_NAME and found[2].name != "At Risk"
    assert len({item.colour for item in found.values()}) == 3


def test_a_playbook_in_other_words():
    words = ["VIP", "Recent", "Loyal", "Dormant"]
    plays = [Play(word, "", f"do {word}", n, f"#00000{n}") for n, word in enumerate(words)]
    found = named(*made(BEST, LOYAL, NEW, GONE), plays=plays)
    assert [found[key].name for key in range(4)] == ["VIP", "Loyal", "Recent", "Dormant"]


def test_a_playbook_of_unknown_words_goes_by_priority():
    plays = [Play(word, "", "", n, f"#00000{n}") for n, word in enumerate(["Gold", "Silver", "Bronze"])]
    found = named(*made(GONE, BEST, (60, 4, 200)), plays=plays)
    assert [found[key].name for key in range(3)] == ["Bronze", "Gold", "Silver"]


def test_without_a_playbook_there_are_names_and_colours_all_the_same():
    found = named(*made(BEST, GONE), plays=())
    assert all(parts_of(item.name) for item in found.values())
    assert "recent" in parts_of(found[0].name) or "high spend" in parts_of(found[0].name)
    assert found[0].colour != found[1].colour


def test_names_follow_the_customers_from_run_to_run():
    customers, labels = made(BEST, LOYAL, NEW, GONE)
    before = named(customers, labels)
    previous = Predecessor(labels, tuple(before.values()))
    after = named(customers, (labels + 1) % 4, previous=previous)
    for key in range(4):
        assert (after[(key + 1) % 4].name, after[(key + 1) % 4].colour) == (before[key].name, before[key].colour)


def test_a_name_of_ones_own_stays_with_its_customers():
    customers, labels = made(BEST, LOYAL, NEW, GONE)
    before = tuple(
        dataclasses.replace(item, name="Friends of the house", colour="#123456", action="Write to them.")
        if key == 1
        else item
        for key, item in named(customers, labels).items()
    )
    moved = labels.copy()
    moved.iloc[50:60] = 0
    after = named(customers, moved, previous=Predecessor(labels, before))
    assert (after[1].name, after[1].colour, after[1].action) == ("Friends of the house", "#123456", "Write to them.")


def test_a_name_does_not_follow_customers_who_have_become_the_opposite():
    customers, labels = made(BEST, GONE)
    previous = Predecessor(labels, tuple(named(customers, labels).values()))
    turned = customers.copy()
    turned.iloc[:50], turned.iloc[50:] = customers.iloc[50:].to_numpy(), customers.iloc[:50].to_numpy()
    assert named(turned, labels, previous=previous)[1].name == "Champions"


def test_other_customers_have_no_say():
    customers, labels = made(BEST, GONE)
    before = tuple(named(customers, labels).values())
    strangers = labels.set_axis([f"x{n}" for n in range(len(labels))])
    assert named(customers, 1 - labels, previous=Predecessor(strangers, before))[1].name == "Champions"
