"""Migration between two dates: who stayed in a segment, who moved where, who is new and who is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame, Series

from engines.columns import CUSTOMER_ID
from engines.contract import NamedSegment

NEW, GONE = "New", "Gone"
#: Columns of a list of movers beside the customer id.
FROM, TO, SPENT_BEFORE, SPENT_NOW = "from_segment", "to_segment", "monetary_before", "monetary_now"

_UNITS = 10_000


@dataclass(frozen=True)
class Side:
    """Customers in their segments at one date. ``labels`` and ``spend`` (so far) are indexed by customer id."""

    labels: Series
    spend: Series
    segments: tuple[NamedSegment, ...]

    @property
    def names(self) -> dict[int, str]:
        """The segments' names by key."""
        return {segment.key: segment.name for segment in self.segments}


@dataclass(frozen=True)
class NetFlow:
    """What a segment gained and lost: customers, and the money they had spent (now; before, where they are gone)."""

    segment: str
    before: int
    after: int
    came: int
    left: int
    money_came: float
    money_left: float

    @property
    def net(self) -> int:
        """Customers that came less those that left."""
        return self.came - self.left

    @property
    def money_net(self) -> float:
        """The money of those that came less that of those that left."""
        return self.money_came - self.money_left


@dataclass(frozen=True)
class Migration:
    """Customers by the segment they were in (rows) and are in (columns).

    ``rows``: segment names of then, ``New`` last; ``columns``: of now, ``Gone`` last. ``customers`` and ``money`` have
    the shape (rows, columns); money is what the customers had spent so far, before they were gone.
    ``colours``: by name. ``movers``: whoever is elsewhere, by customer id: from_segment, to_segment, monetary_before,
    monetary_now.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    customers: NDArray[np.int64]
    money: NDArray[np.float64]
    colours: Mapping[str, str]
    movers: DataFrame

    @property
    def stayed(self) -> int:
        """How many customers are in a segment of the same name."""
        pairs = [(row, self.columns.index(name)) for row, name in enumerate(self.rows) if name in self.columns]
        return int(sum(self.customers[row, column] for row, column in pairs))

    @property
    def in_both(self) -> int:
        """How many customers are known at both dates."""
        return int(self.customers[:-1, :-1].sum())

    def net_flows(self) -> tuple[NetFlow, ...]:
        """What each segment gained and lost, in the order of now, those that are no more last."""
        flows = []
        for name in (*self.columns[:-1], *(name for name in self.rows[:-1] if name not in self.columns)):
            row = self.rows.index(name) if name in self.rows else None
            column = self.columns.index(name) if name in self.columns else None
            stayed = 0 if row is None or column is None else int(self.customers[row, column])
            kept_money = 0.0 if row is None or column is None else float(self.money[row, column])
            before = 0 if row is None else int(self.customers[row].sum())
            after = 0 if column is None else int(self.customers[:, column].sum())
            came_money = 0.0 if column is None else float(self.money[:, column].sum()) - kept_money
            left_money = 0.0 if row is None else float(self.money[row].sum()) - kept_money
            flows.append(NetFlow(name, before, after, after - stayed, before - stayed, came_money, left_money))
        return tuple(flows)


def migration_between(before: Side, after: Side) -> Migration:
    """Who went where between two dates; a segment is the same where what it is known by is, whatever it is called.

    It has the name of the later date at both. The order of rows of the labels does not matter.

    Args:
        before: customers at the earlier date.
        after: customers at the later date, in segments of the same engine.
    """
    before = replace(before, segments=_called_as_now(before.segments, after.segments))
    rows = (*(segment.name for segment in before.segments), NEW)
    columns = (*(segment.name for segment in after.segments), GONE)
    ids = before.labels.index.union(after.labels.index, sort=True)
    place_row = _places(before, ids, rows)
    place_column = _places(after, ids, columns)
    then, now = _spent(before.spend, ids), _spent(after.spend, ids)
    worth = np.where(place_column == len(columns) - 1, then, now)
    cells = place_row * len(columns) + place_column
    shape = (len(rows), len(columns))
    counts = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape).astype(np.int64)
    money = np.zeros(shape[0] * shape[1], dtype=np.int64)
    np.add.at(money, cells, worth)
    names_then, names_now = np.array(rows, dtype=object), np.array(columns, dtype=object)
    changed = names_then[place_row] != names_now[place_column]
    movers = DataFrame(
        {
            FROM: names_then[place_row[changed]],
            TO: names_now[place_column[changed]],
            SPENT_BEFORE: then[changed] / _UNITS,
            SPENT_NOW: now[changed] / _UNITS,
        },
        index=pd.Index(ids[changed], name=CUSTOMER_ID),
    )
    return Migration(rows, columns, counts, money.reshape(shape) / _UNITS, _colours(before, after), movers)


def _called_as_now(then: Sequence[NamedSegment], now: Sequence[NamedSegment]) -> tuple[NamedSegment, ...]:
    """The segments of then under today's names; one that is no more gets a number where its name is another's now."""
    names = {item.known_by: item.name for item in now}
    taken = set(names.values())
    result = []
    for item in then:
        name, number = names.get(item.known_by, item.name), 2
        while item.known_by not in names and name in taken:
            name, number = f"{item.name} {number}", number + 1
        taken.add(name)
        result.append(replace(item, name=name))
    return tuple(result)


def _places(side: Side, ids: pd.Index, names: Sequence[str]) -> NDArray[np.int64]:
    """The place of each customer's segment among the names; the last one where the customer is not there."""
    pairs = sorted((key, place) for place, segment in enumerate(side.segments) for key in segment.keys)
    keys, order = (np.array(values, dtype=np.int64) for values in zip(*pairs, strict=True))
    at = side.labels.index.get_indexer(ids)
    labels = side.labels.to_numpy(np.int64)
    places = np.full(len(ids), len(names) - 1, dtype=np.int64)
    present = at >= 0
    places[present] = order[np.searchsorted(keys, labels[at[present]])]
    return places


def _spent(spend: Series, ids: pd.Index) -> NDArray[np.int64]:
    return np.round(spend.reindex(ids).fillna(0.0).to_numpy(np.float64) * _UNITS).astype(np.int64)


def _colours(before: Side, after: Side) -> dict[str, str]:
    return {segment.name: segment.colour for side in (before, after) for segment in side.segments}
