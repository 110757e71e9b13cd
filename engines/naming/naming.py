"""Names, actions and colours of segments, chosen from what their customers are like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series
from scipy.optimize import linear_sum_assignment

from engines.clustering.sampling import encode_keys
from engines.clustering.scaling import signed_log
from engines.columns import CLV, FREQUENCY, MONETARY, RECENCY
from engines.contract import NamedSegment, Play, Predecessor, Segment
from engines.naming.alignment import ENOUGH, matched_pins, overlap
from engines.naming.vocabulary import HOMES, home_position, playbook_name

OUTLIERS = "Outliers"

#: How much it counts that a segment holds the customers that had the name before, against the fit of the profile.
_FAITH = 4.0
#: An edited name that the playbook does not know has no home; it stays where enough of its customers stay.
_NO_HOME = 2.0
#: How much further off a name may lie before a spare one, which people know less well, is taken instead.
_RATHER = 0.6

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
    keys, codes = encode_keys(labels.to_numpy(dtype=np.int64))
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

    A pinned segment of ``previous`` hands name, action and colour to the segment that holds its customers now. Other
    names that the engine gave are kept, in the words of the playbook. The rest are dealt out all at once: each segment
    to one name, so that the sum of distances between profiles and the names' homes is least, and segments that hold
    the customers a name had in ``previous`` keep it (with its colour) unless their profile speaks loudly against it. A
    name of the user's own that has no known home gets one from its priority. Only when there are more segments than
    names does a name return with a number.

    Args:
        customers: with recency, frequency and monetary, and CLV where there is one.
        labels: a key for each customer, in the same order, indexed by customer id.
        segments: the engine's.
        plays: the playbook.
        previous: an earlier run to stay aligned to.
    """
    profiles_by_key = {profile.key: profile for profile in profiles(customers, labels)}
    shares = overlap(labels, previous) if previous is not None else {}
    pins = matched_pins(shares, previous) if previous is not None else {}
    # a name given by hand is meant as it is; the others follow the playbook when its words change
    words = {
        segment.key: segment.name if segment.revision or segment.pinned else playbook_name(segment.name, plays)
        for segment in (previous.segments if previous is not None else ())
    }
    by_key = {segment.key: segment for segment in segments}
    names = _given(profiles_by_key, by_key, plays, pins)
    # in an order of their own, so that the engine's numbering cannot decide between equals
    unnamed = sorted(
        (p for p in profiles_by_key.values() if p.key not in names), key=lambda p: (p.place, p.customers), reverse=True
    )
    stays = {(key, words[old]): share for (key, old), share in shares.items() if old in words}
    names |= _dealt(unnamed, plays, set(names.values()), stays)
    book = {play.name: play for play in plays}
    before = {} if previous is None else {words[segment.key]: segment for segment in previous.segments}
    colours = _colours(names, book, before)

    def importance(key: int) -> tuple[int, float, int]:
        play = book.get(names[key])
        return (play.priority if play else len(book) + 1, -profiles_by_key[key].monetary, key)

    named = []
    for key in sorted(profiles_by_key, key=importance):
        name, profile = names[key], profiles_by_key[key]
        own = pins[key].action if key in pins else by_key[key].action if key in by_key else ""
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
                pinned=key in pins,
            )
        )
    return tuple(named)


def _given(
    profiles_by_key: Mapping[int, Profile],
    segments: Mapping[int, Segment],
    plays: Sequence[Play],
    pins: Mapping[int, NamedSegment],
) -> dict[int, str]:
    """The names that are not dealt out: pinned ones, then the engine's own in the playbook's words; none twice."""
    names = {key: pin.name for key, pin in pins.items()}
    for key in sorted(profiles_by_key):
        name = segments[key].name if key in segments and key not in names else ""
        if name:
            taken = set(names.values())
            free = next((word for word in (playbook_name(name, plays), name) if word not in taken), None)
            names[key] = free or _numbered(name, 2, taken)
    return names


def _relative(values: NDArray[np.float64], codes: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """How far each segment's mean lies from everyone's, in deviations of the logarithm, pressed into -1 to 1."""
    logs = signed_log(values)
    deviation = logs.std()
    if deviation < 1e-12:
        return np.zeros(len(sizes))
    steps = (np.bincount(codes, logs) / sizes - logs.mean()) / deviation
    # rounded, so that the last digits of a sum cannot decide a name
    return np.asarray(np.round(steps / np.sqrt(1 + steps**2), 9))


def _dealt(
    unnamed: Sequence[Profile], plays: Sequence[Play], taken: set[str], stays: Mapping[tuple[int, str], float]
) -> dict[int, str]:
    if not unnamed:
        return {}
    book = [play for play in plays if play.name not in taken and play.name != OUTLIERS]
    homes: dict[str, tuple[float, float, float] | None] = {}
    for rank, play in enumerate(sorted(book, key=lambda play: play.priority)):
        worth = 0.8 - 1.6 * rank / max(len(book) - 1, 1)
        homes[play.name] = home_position(play.name) or (worth, worth, worth)
    if not book:
        homes = {name.capitalize(): place for name, place in HOMES.items() if name.capitalize() not in taken}
    for (_, name), share in stays.items():
        if name not in homes and name not in taken and name != OUTLIERS and share >= ENOUGH:
            homes[name] = None
    single, spare = list(homes), {play.name for play in plays if play.spare}
    # numbered copies are so dear that they are used only when the names run out
    copies = -(-len(unnamed) // max(len(single), 1))
    options = [(name, copy) for copy in range(max(copies, 1)) for name in single] or [
        ("Segment", c) for c in range(len(unnamed))
    ]
    cost = np.empty((len(unnamed), len(options)))
    for row, profile in enumerate(unnamed):
        for column, (name, copy) in enumerate(options):
            place = homes.get(name)
            distance = (
                _NO_HOME if place is None else sum((a - b) ** 2 for a, b in zip(profile.place, place, strict=True))
            )
            faith = _FAITH * stays.get((profile.key, name), 0.0) * (copy == 0)
            cost[row, column] = distance - faith + _RATHER * (name in spare) + 100.0 * copy
    rows, columns = linear_sum_assignment(cost)
    holders: dict[str, list[Profile]] = {}
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        holders.setdefault(options[column][0], []).append(unnamed[row])
    result: dict[int, str] = {}
    for name, several in holders.items():
        # who held the name before is first, then who is worth most
        several.sort(key=lambda profile: -stays.get((profile.key, name), 0.0))
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


def _colours(names: Mapping[int, str], book: Mapping[str, Play], before: Mapping[str, NamedSegment]) -> dict[int, str]:
    """A colour for each segment: the one it had, else the playbook's, else a spare one; never the same twice."""
    result: dict[int, str] = {}
    for key, name in sorted(names.items(), key=lambda item: item[1]):
        own_colour = before[name].colour if name in before else book[name].colour if name in book else None
        if own_colour is not None and own_colour not in result.values():
            result[key] = own_colour
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
