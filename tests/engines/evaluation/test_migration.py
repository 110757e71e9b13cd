"""Who went where between two dates, worked out by hand, and what holds of every migration."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from engines.contract import NamedSegment
from engines.evaluation.migration import FROM, SPENT_BEFORE, SPENT_NOW, TO, Side, migration_between


def segments(*named):
    nan = float("nan")
    return tuple(NamedSegment(key, name, "", "#004488", 0, nan, nan, nan, nan, None) for key, name in named)


def side(rows, *named):
    """Customers as (id, key, spent), in segments of these keys and names."""
    ids = pd.Index([row[0] for row in rows], name="customer_id", dtype="str")
    labels = pd.Series([row[1] for row in rows], index=ids, dtype="int64")
    return Side(labels, pd.Series([row[2] for row in rows], index=ids, dtype="float64"), segments(*named))


THEN = side(
    [("a", 0, 10), ("b", 0, 20), ("c", 1, 30), ("d", 1, 40), ("e", 1, 50)], (0, "Champions"), (1, "Lost"), (2, "Empty")
)
#: Keys have changed, names have not: a and c are among the Lost, b, d and the new f are Champions, e is gone.
NOW = side([("f", 1, 5), ("d", 1, 44), ("c", 0, 33), ("b", 1, 22), ("a", 0, 11)], (0, "Lost"), (1, "Champions"))


def test_customers_and_money_by_where_they_were_and_are():
    found = migration_between(THEN, NOW)
    assert found.rows == ("Champions", "Lost", "Empty", "New")
    assert found.columns == ("Lost", "Champions", "Gone")
    assert found.customers.tolist() == [[1, 1, 0], [1, 1, 1], [0, 0, 0], [0, 1, 0]]
    assert found.money.tolist() == [[11, 22, 0], [33, 44, 50], [0, 0, 0], [0, 5, 0]]
    assert (found.stayed, found.in_both) == (2, 4)


def test_net_flows_with_their_money():
    lost, champions, empty = migration_between(THEN, NOW).net_flows()
    assert (lost.segment, lost.before, lost.after, lost.came, lost.left, lost.net) == ("Lost", 3, 2, 1, 2, -1)
    assert (lost.money_came, lost.money_left, lost.money_net) == (11, 94, -83)
    assert (champions.segment, champions.came, champions.left, champions.net) == ("Champions", 2, 1, 1)
    assert (champions.money_came, champions.money_left, champions.money_net) == (49, 11, 38)
    assert (empty.segment, empty.before, empty.after, empty.net, empty.money_net) == ("Empty", 0, 0, 0, 0)


def test_movers_are_whoever_is_elsewhere():
    movers = migration_between(THEN, NOW).movers
    assert movers.index.tolist() == ["a", "d", "e", "f"]
    assert movers[FROM].tolist() == ["Champions", "Lost", "Lost", "New"]
    assert movers[TO].tolist() == ["Lost", "Champions", "Gone", "Champions"]
    assert movers[SPENT_BEFORE].tolist() == [10, 40, 50, 0]
    assert movers[SPENT_NOW].tolist() == [11, 44, 0, 5]


def test_nobody_on_either_side():
    found = migration_between(side([], (0, "Champions")), NOW)
    assert found.customers.tolist() == [[0, 0, 0], [2, 3, 0]]
    assert (found.in_both, found.stayed, len(found.movers)) == (0, 0, 5)


people = st.dictionaries(
    st.text("abcxyz", min_size=1, max_size=2), st.tuples(st.integers(-1, 3), st.integers(0, 9_999)), max_size=12
)
NAMED = ((-1, "Outliers"), (0, "A"), (1, "B"), (2, "C"), (3, "D"))


@given(people, people, st.randoms(use_true_random=False))
def test_flows_add_up_whatever_the_order_of_rows(then, now, random):
    rows = [[(name, key, units / 100) for name, (key, units) in each.items()] for each in (then, now)]
    found = migration_between(*(side(each, *NAMED) for each in rows))
    assert found.customers.sum() == len({*then, *now})
    assert found.customers.sum() - found.stayed == len(found.movers)
    flows = found.net_flows()
    assert sum(flow.net for flow in flows) == len(now) - len(then)
    assert all(flow.after - flow.before == flow.net for flow in flows)
    assert np.isclose(
        sum(flow.money_came for flow in flows), found.movers.loc[found.movers[TO] != "Gone", SPENT_NOW].sum()
    )
    for each in rows:
        random.shuffle(each)
    again = migration_between(*(side(each, *NAMED) for each in rows))
    assert np.array_equal(again.customers, found.customers) and np.array_equal(again.money, found.money)
    assert again.movers.equals(found.movers)
