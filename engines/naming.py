"""Gives segments names, actions and colours from what their customers are like, never from an engine's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series
from scipy.optimize import linear_sum_assignment

from engines.columns import CLV, FREQUENCY, MONETARY, RECENCY
from engines.contract import NamedSegment, Play, Predecessor, Segment

OUTLIERS = "Outliers"

#: Where a name is at home: (how recently, how often, how much) against all customers, each from -1 to 1.
_HOMES: dict[str, tuple[float, float, float]] = {
    "champions": (0.75, 0.85, 0.85),
    "loyal customers": (0.45, 0.55, 0.55),
    "potential loyalists": (0.60, 0.15, 0.10),
    "new customers": (0.85, -0.60, -0.45),
    "promising": (0.50, -0.60, -0.50),
    "needs attention": (0.00, 0.05, 0.10),
    "about to sleep": (-0.15, -0.50, -0.40),
    "at risk": (-0.50, 0.20, 0.30),
    "can't lose them": (-0.55, 0.75, 0.75),
    "hibernating": (-0.60, -0.50, -0.45),
    "lost": (-0.85, -0.75, -0.75),
}
#: The other words people use for them.
_ALSO = {
    "vip": "champions",
    "vips": "champions",
    "best customers": "champions",
    "loyal": "loyal customers",
    "recent": "new customers",
    "recent customers": "new customers",
    "new": "new customers",
    "need attention": "needs attention",
    "customers needing attention": "needs attention",
    "at-risk": "at risk",
    "cannot lose them": "can't lose them",
    "dormant": "hibernating",
    "inactive": "hibernating",
    "churned": "lost",
}

#: How much it counts that a segment holds the customers that had the name before, against the fit of the profile.
_FAITH = 4.0
#: An edited name that the playbook does not know has no home; it stays where at least so many of its customers stay.
_ENOUGH = 0.3
_NO_HOME = 2.0

#: Colours for names without one of their own.
_SPARE_COLOURS = (
    "#332288", "#117733", "#44AA99", "#88CCEE", "#DDCC77", "#CC6677", "#882255", "#6699CC", "#661100", "#999933",
    "#0077BB", "#009988", "#EE7733", "#CC3311", "#EE3377", "#225522", "#555500", "#0F4C5C", "#9A6324", "#808000",
)  # fmt: skip


@dataclass(frozen=True)
class Profile:
    """Means of the customers of one segment, in the columns' own units, and how many customers it has.

    ``place`` is where they lie against all customers: how recently, how often, how much, each from -1 to 1.
    """

    key: int
    customers: int
    revenue_share: float
    recency: float
    frequency: float
    monetary: float
    clv: float | None
    place: tuple[float, float, float]


def profiles(customers: DataFrame, labels: Series) -> list[Profile]:
    """The profile of each segment that has customers.

    Args:
        customers: with recency, frequency and monetary, and CLV where there is one; finite.
        labels: a key for each customer, in the same order.
    """
    keys, codes = np.unique(labels.to_numpy(), return_inverse=True)
    sizes = np.bincount(codes)
    columns = {name: customers[name].to_numpy(np.float64) for name in (RECENCY, FREQUENCY, MONETARY)}
    clv = customers[CLV].to_numpy(np.float64, na_value=np.nan) if CLV in customers.columns else None
    if clv is not None and not np.isfinite(clv).all():
        clv = None
    means = {name: np.bincount(codes, values) / sizes for name, values in columns.items()}
    recent, often = -_relative(columns[RECENCY], codes, sizes), _relative(columns[FREQUENCY], codes, sizes)
    worth = _relative(columns[MONETARY], codes, sizes)
    if clv is not None:
        worth = (worth + _relative(clv, codes, sizes)) / 2
    revenue = means[MONETARY] * sizes
    shares = revenue / revenue.sum() if revenue.sum() > 0 else np.zeros(len(keys))
    ahead = None if clv is None else np.bincount(codes, clv) / sizes
    return [
        Profile(
            int(key),
            int(sizes[i]),
            float(shares[i]),
            float(means[RECENCY][i]),
            float(means[FREQUENCY][i]),
            float(means[MONETARY][i]),
            None if ahead is None else float(ahead[i]),
            (float(recent[i]), float(often[i]), float(worth[i])),
        )
        for i, key in enumerate(keys)
    ]


def name_segments(
    customers: DataFrame,
    labels: Series,
    segments: Sequence[Segment],
    plays: Sequence[Play],
    previous: Predecessor | None = None,
) -> tuple[NamedSegment, ...]:
    """Name every segment that has customers: unique names and colours, the most important first.

    Names that the engine gave are kept. The others are dealt out all at once: each segment to one name, so that the sum
    of distances between profiles and the names' homes is least, and segments that hold the customers a name had in
    ``previous`` keep it (with its colour) unless their profile speaks loudly against it. A name of the user's own that
    has no known home gets one from its priority. Only when there are more segments than names does a name return with a
    number.

    Args:
        customers: with recency, frequency and monetary, and CLV where there is one.
        labels: a key for each customer, in the same order, indexed by customer id.
        segments: the engine's.
        plays: the playbook.
        previous: an earlier run to stay aligned to.
    """
    found = {profile.key: profile for profile in profiles(customers, labels)}
    by_key = {segment.key: segment for segment in segments}
    names = {key: by_key[key].name for key in found if key in by_key and by_key[key].name}
    # in an order of their own, so that the engine's numbering cannot decide between equals
    unnamed = sorted(
        (p for p in found.values() if p.key not in names), key=lambda p: (p.place, p.customers), reverse=True
    )
    overlap = _overlap(labels, previous) if previous is not None else {}
    names |= _dealt(unnamed, plays, set(names.values()), overlap)
    book = {play.name: play for play in plays}
    before = {} if previous is None else {segment.name: segment for segment in previous.segments}
    colours = _colours(names, book, before)

    def importance(key: int) -> tuple[int, float, int]:
        play = book.get(names[key])
        return (play.priority if play else len(book) + 1, -found[key].monetary, key)

    named = []
    for key in sorted(found, key=importance):
        name, profile = names[key], found[key]
        own = by_key[key].action if key in by_key else ""
        action = own or (book[name].action if name in book else "") or (before[name].action if name in before else "")
        named.append(
            NamedSegment(
                key,
                name,
                action or _action_of_stem(name, book),
                colours[key],
                profile.customers,
                profile.revenue_share,
                profile.recency,
                profile.frequency,
                profile.monetary,
                profile.clv,
            )
        )
    return tuple(named)


def _relative(values: NDArray[np.float64], codes: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """How far each segment's mean lies from everyone's, in deviations of the logarithm, pressed into -1 to 1."""
    logs = np.sign(values) * np.log1p(np.abs(values))
    deviation = logs.std()
    if deviation < 1e-12:
        return np.zeros(len(sizes))
    steps = (np.bincount(codes, logs) / sizes - logs.mean()) / deviation
    # rounded, so that the last digits of a sum cannot decide a name
    return np.asarray(np.round(steps / np.sqrt(1 + steps**2), 9))


def _home(name: str) -> tuple[float, float, float] | None:
    known = name.strip().lower().replace("’", "'")
    return _HOMES.get(_ALSO.get(known, known))


def _dealt(
    unnamed: Sequence[Profile], plays: Sequence[Play], taken: set[str], overlap: Mapping[tuple[int, str], float]
) -> dict[int, str]:
    if not unnamed:
        return {}
    book = [play for play in plays if play.name not in taken and play.name != OUTLIERS]
    homes: dict[str, tuple[float, float, float] | None] = {}
    for rank, play in enumerate(sorted(book, key=lambda play: play.priority)):
        worth = 0.8 - 1.6 * rank / max(len(book) - 1, 1)
        homes[play.name] = _home(play.name) or (worth, worth, worth)
    if not book:
        homes = {name.capitalize(): home for name, home in _HOMES.items() if name.capitalize() not in taken}
    for (_, name), share in overlap.items():
        if name not in homes and name not in taken and name != OUTLIERS and share >= _ENOUGH:
            homes[name] = None
    single = list(homes)
    # numbered copies are so dear that they are used only when the names run out
    copies = -(-len(unnamed) // max(len(single), 1))
    options = [(name, copy) for copy in range(max(copies, 1)) for name in single] or [
        ("Segment", c) for c in range(len(unnamed))
    ]
    cost = np.empty((len(unnamed), len(options)))
    for row, profile in enumerate(unnamed):
        for column, (name, copy) in enumerate(options):
            home = homes.get(name)
            distance = _NO_HOME if home is None else sum((a - b) ** 2 for a, b in zip(profile.place, home, strict=True))
            cost[row, column] = distance - _FAITH * overlap.get((profile.key, name), 0.0) * (copy == 0) + 100.0 * copy
    rows, columns = linear_sum_assignment(cost)
    holders: dict[str, list[Profile]] = {}
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        holders.setdefault(options[column][0], []).append(unnamed[row])
    result: dict[int, str] = {}
    for name, several in holders.items():
        # who held the name before is first, then who is worth most
        several.sort(key=lambda profile: -overlap.get((profile.key, name), 0.0))
        for number, profile in enumerate(several, start=1):
            result[profile.key] = name if number == 1 else _numbered(name, number, {*result.values(), *taken})
    return result


def _numbered(name: str, number: int, taken: set[str]) -> str:
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"


def _action_of_stem(name: str, book: Mapping[str, Play]) -> str:
    stem, _, number = name.rpartition(" ")
    return book[stem].action if number.isdigit() and stem in book else ""


def _overlap(labels: Series, previous: Predecessor) -> dict[tuple[int, str], float]:
    """Jaccard overlap of each segment with each named segment of an earlier run, over the customers of both."""
    before = previous.labels.reindex(labels.index)
    both = before.notna().to_numpy()
    now, then = labels.to_numpy()[both], before.to_numpy()[both].astype(np.int64)
    now_keys, now_codes = np.unique(now, return_inverse=True)
    then_keys, then_codes = np.unique(then, return_inverse=True)
    shape = (len(now_keys), len(then_keys))
    if 0 in shape:
        return {}
    common = np.bincount(now_codes * shape[1] + then_codes, minlength=shape[0] * shape[1]).reshape(shape)
    union = common.sum(axis=1)[:, None] + common.sum(axis=0)[None, :] - common
    names = {segment.key: segment.name for segment in previous.segments}
    return {
        (int(key), names[int(old)]): float(common[i, j] / union[i, j])
        for i, key in enumerate(now_keys)
        for j, old in enumerate(then_keys)
        if int(old) in names and common[i, j]
    }


def _colours(names: Mapping[int, str], book: Mapping[str, Play], before: Mapping[str, NamedSegment]) -> dict[int, str]:
    """A colour for each segment: the one it had, else the playbook's, else a spare one; never the same twice."""
    result: dict[int, str] = {}
    for key, name in sorted(names.items(), key=lambda item: item[1]):
        wanted = before[name].colour if name in before else book[name].colour if name in book else None
        if wanted is not None and wanted not in result.values():
            result[key] = wanted
    reserved = {play.colour for play in book.values()} | {segment.colour for segment in before.values()}
    spare = [colour for colour in _SPARE_COLOURS if colour not in reserved]
    for key, _ in sorted(names.items(), key=lambda item: item[1]):
        if key not in result:
            result[key] = spare.pop(0) if spare else _made_colour(len(result), set(result.values()) | reserved)
    return result


def _made_colour(start: int, taken: set[str]) -> str:
    number = start
    while (colour := f"#{(number * 0x9E3779 + 0x3B6B5B) % 0x1000000:06X}") in taken:
        number += 1
    return colour
