"""Names, actions and colours of segments, chosen from what their customers are like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series
from scipy.optimize import linear_sum_assignment

from engines.clustering.sampling import encode_keys
from engines.clustering.scaling import signed_log
from engines.columns import CLV, FREQUENCY, MONETARY, RECENCY, TENURE
from engines.contract import Facts, NamedSegment, Play, Predecessor, Segment
from engines.naming.alignment import ENOUGH, Overlap, matched_pins, overlap
from engines.naming.neutral import Tell, neutral_name, parts_of, still_true, tells
from engines.naming.vocabulary import home_position, playbook_name

OUTLIERS = "Outliers"

#: How much it counts that a segment holds the customers that had the name before, against the fit of the profile.
_FAITH = 4.0
#: An edited name that the playbook does not know has no home; it stays where enough of its customers stay.
_NO_HOME = 2.0
#: A name whose home is further off than this says less than a neutral one.
_NEUTRAL = 1.5
#: The cost of a name that would be untrue.
_UNTRUE = 1e6
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

    ``place`` is where they lie against all customers: how recently, how often, how much, each from -1 to 1. ``facts``
    are what conditions of the playbook are checked on, ``tell`` is what a neutral name would be made of.
    """

    key: int
    customers: int
    revenue_share: float
    recency: float
    frequency: float
    monetary: float
    clv: float | None
    place: tuple[float, float, float]
    facts: Facts
    tell: Tell


def profiles(customers: DataFrame, labels: Series) -> list[Profile]:
    """The profile of each segment that has customers.

    A name that a rule gives and that is to be checked (:attr:`~engines.contract.Segment.checked`) is replaced by a
    neutral one where it is not true.

    Args:
        customers: with recency, frequency and monetary, and CLV and tenure where there are such; finite.
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
    facts, told = _facts(customers, codes, sizes, means), tells(customers, codes, sizes)
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
            facts[i],
            told[i],
        )
        for i, key in enumerate(keys)
    ]


def _facts(
    customers: DataFrame,
    codes: NDArray[np.int64],
    sizes: NDArray[np.int64],
    means: Mapping[str, NDArray[np.float64]],
) -> list[Facts]:
    """The facts of each segment."""
    repeats = (customers[FREQUENCY].to_numpy(np.float64) > 1).astype(np.float64)
    shares = np.bincount(codes, repeats) / sizes
    everyone = {name: float(values @ sizes / sizes.sum()) for name, values in means.items()}
    tenure = customers[TENURE].to_numpy(np.float64, na_value=np.nan) if TENURE in customers.columns else None
    if tenure is not None and not np.isfinite(tenure).all():
        tenure = None
    tenures = None if tenure is None else np.bincount(codes, tenure) / sizes
    recent = means[RECENCY] <= everyone[RECENCY]
    return [
        Facts(
            float(shares[i]),
            float(repeats.mean()),
            float(means[RECENCY][i]),
            everyone[RECENCY],
            float(means[FREQUENCY][i]),
            everyone[FREQUENCY],
            float(means[MONETARY][i]),
            everyone[MONETARY],
            1 + int((means[MONETARY][recent == recent[i]] > means[MONETARY][i]).sum()),
            None if tenures is None else float(tenures[i]),
            None if tenure is None else float(tenure.mean()),
        )
        for i in range(len(sizes))
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
    to one name whose conditions are true of its customers, so that the sum of distances between profiles and the names'
    homes is least; segments that hold the customers a name had in ``previous`` keep it (with its colour) where it is
    still true, unless their profile speaks loudly against it. A name of the user's own that has no known home gets one
    from its priority. A segment that no name is true of, or only one that is far from it or taken, gets a neutral name
    of its two most telling traits. The action of the playbook goes with a name only where its conditions are true.

    A name that a rule gives and that is to be checked (:attr:`~engines.contract.Segment.checked`) is replaced by a
    neutral one where it is not true.

    Args:
        customers: with recency, frequency and monetary, and CLV and tenure where there are such. A condition on
            tenure is not true where there is none.
        labels: a key for each customer, in the same order, indexed by customer id.
        segments: the engine's.
        plays: the playbook.
        previous: an earlier run to stay aligned to.
    """
    profiles_by_key = {profile.key: profile for profile in profiles(customers, labels)}
    shares = overlap(labels, previous) if previous is not None else {}
    pins = matched_pins(shares, previous) if previous is not None else {}
    # what people call a segment is for display alone: names are dealt as if nobody had changed one
    then = () if previous is None else previous.segments
    words = {segment.key: playbook_name(segment.own_name or segment.name, plays) for segment in then}
    by_key = {segment.key: segment for segment in segments}
    names = _given(profiles_by_key, by_key, plays, {key: words[pin.key] for key, pin in pins.items()})
    given = set(names)
    untrue = {key for key, segment in by_key.items() if segment.checked and segment.name and key not in names}
    # in an order of their own, so that the engine's numbering cannot decide between equals
    unnamed = sorted(
        (p for p in profiles_by_key.values() if p.key not in names), key=lambda p: (p.place, p.customers), reverse=True
    )
    stays = {(key, words[old]): share for (key, old), share in shares.items() if old in words}
    names |= _dealt(unnamed, plays, set(names.values()), stays, untrue)
    book = {play.name: play for play in plays}
    before = {words[segment.key]: segment for segment in then}
    identities = _identities(names, given, plays, pins, then, shares)
    colours = _colours(names, book, before)

    def importance(key: int) -> tuple[int, float, int]:
        play = book.get(names[key])
        return (play.priority if play else len(book) + 1, -profiles_by_key[key].monetary, key)

    named = []
    for key in sorted(profiles_by_key, key=importance):
        name, profile = names[key], profiles_by_key[key]
        own = pins[key].action if key in pins else by_key[key].action if key in by_key else ""
        play = play_of(name, plays)
        if not own and play is not None:
            own = play.action if play.holds(profile.facts) else ""
        elif not own and name in before:
            own = before[name].action
        named.append(
            NamedSegment(
                key,
                name,
                own,
                colours[key],
                profile.customers,
                profile.revenue_share,
                profile.recency,
                profile.frequency,
                profile.monetary,
                profile.clv,
                pinned=key in pins,
                facts=profile.facts,
                identity=identities.get(key, ""),
            )
        )
    return tuple(named)


def _given(
    profiles_by_key: Mapping[int, Profile],
    segments: Mapping[int, Segment],
    plays: Sequence[Play],
    pinned: Mapping[int, str],
) -> dict[int, str]:
    """The names that are not dealt out: pinned ones, then the engine's own in the playbook's words; none twice.

    Names that are to be checked and are not true are left out.
    """
    names = dict(pinned)
    for key in sorted(profiles_by_key):
        name = segments[key].name if key in segments and key not in names else ""
        play = play_of(playbook_name(name, plays), plays) if name and segments[key].checked else None
        if name and (play is None or play.holds(profiles_by_key[key].facts)):
            taken = set(names.values())
            free = next((word for word in (playbook_name(name, plays), name) if word not in taken), None)
            names[key] = free or _numbered(name, 2, taken)
    return names


def _identities(
    names: Mapping[int, str],
    given: Set[int],
    plays: Sequence[Play],
    pins: Mapping[int, NamedSegment],
    then: Sequence[NamedSegment],
    shares: Overlap,
) -> dict[int, str]:
    """What each segment is known by: a pin's, the playbook's key, the engine's own name, or what its customers' was.

    A segment of another name follows its customers: it is known by what the segment was that held most of them, unless
    that was the playbook's or is one of this run already. Those left are new, and have none yet.
    """
    result = {key: pin.known_by for key, pin in pins.items()}
    for key, name in names.items():
        play = play_of(name, plays)
        if key not in result and (play is not None or key in given):
            known = name if play is None else f"{play.identity}{name.removeprefix(play.name)}"
            result[key] = known if known not in result.values() else _numbered(known, 2, set(result.values()))
    words = {play.identity for play in plays}
    open_keys = sorted(key for key in names if key not in result)
    old = [item for item in then if item.identity not in {"", *words, *result.values()}]
    if open_keys and old:
        common = np.array([[shares.get((key, item.key), 0.0) for item in old] for key in open_keys])
        for row, column in zip(*(axis.tolist() for axis in linear_sum_assignment(-common)), strict=True):
            if common[row, column] >= ENOUGH:
                result[open_keys[row]] = old[column].identity
    return result


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
    unnamed: Sequence[Profile],
    plays: Sequence[Play],
    taken: set[str],
    stays: Mapping[tuple[int, str], float],
    only_neutral: Set[int],
) -> dict[int, str]:
    """Names for the segments that have none yet, each true of its customers, none twice and none that is taken.

    ``only_neutral``: the keys of those whose rule has another name of the playbook for them, which is not true.
    """
    if not unnamed:
        return {}
    book = {play.name: play for play in plays if play.name not in taken and play.name != OUTLIERS}
    homes: dict[str, tuple[float, float, float] | None] = {}
    for rank, play in enumerate(sorted(book.values(), key=lambda play: play.priority)):
        worth = 0.8 - 1.6 * rank / max(len(book) - 1, 1)
        homes[play.name] = home_position(play.name) or (worth, worth, worth)
    for (_, name), share in stays.items():
        if name not in taken and name not in homes and name != OUTLIERS and share >= ENOUGH:
            homes[name] = None
    # behind the names, one neutral name for each segment; words that only the user knows can be far from no segment
    unknown = bool(book) and not any(home_position(name) for name in book)
    neutral = _UNTRUE / 2 if unknown else _NEUTRAL
    cost = np.full((len(unnamed), len(homes) + len(unnamed)), _UNTRUE)
    for row, profile in enumerate(unnamed):
        cost[row, len(homes) + row] = neutral
        for column, (name, place) in enumerate(homes.items()):
            faith = _FAITH * stays.get((profile.key, name), 0.0)
            if name in book and book[name].when.failed(profile.facts, ranked=True):
                continue
            if parts_of(name):  # the neutral name that the segment had
                if still_true(name, profile.tell) and faith:
                    cost[row, column] = neutral - faith
                continue
            if profile.key in only_neutral:
                continue
            distance = (
                _NO_HOME if place is None else sum((a - b) ** 2 for a, b in zip(profile.place, place, strict=True))
            )
            spare = name in book and book[name].spare
            cost[row, column] = distance - faith + _RATHER * spare
    result, names = {}, list(homes)
    for row, column in zip(*(axis.tolist() for axis in linear_sum_assignment(cost)), strict=True):
        if column < len(names):
            result[unnamed[row].key] = names[column]
    rest = sorted((p for p in unnamed if p.key not in result), key=lambda p: (p.monetary, p.place), reverse=True)
    for profile in rest:
        result[profile.key] = neutral_name(profile.tell, {*result.values(), *taken})
    return result


def play_of(name: str, plays: Sequence[Play]) -> Play | None:
    """The playbook's entry for a name; a number that tells two segments of one name apart does not count."""
    stem, _, number = name.rpartition(" ")
    names = (name, stem) if number.isdigit() else (name,)
    return next((play for wanted in names for play in plays if play.name == wanted), None)


def _numbered(name: str, number: int, taken: set[str]) -> str:
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"


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
