"""Neutral names of segments, made of what tells their customers from others: "Recent, small baskets"."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from engines.clustering.scaling import signed_log
from engines.columns import FREQUENCY, MONETARY, RECENCY, TENURE
from engines.messages import noted


class Trait(NamedTuple):
    """One thing that customers may have less or more of than all customers, and the words for both."""

    fact: str
    less: str
    more: str


#: In the order in which a name says them.
TRAITS = (
    Trait("recency", noted("recent"), noted("long away")),
    Trait("frequency", noted("few orders"), noted("many orders")),
    Trait("basket", noted("small baskets"), noted("large baskets")),
    Trait("spend", noted("low spend"), noted("high spend")),
    Trait("tenure", noted("short history"), noted("long history")),
)
#: What a name says of customers who are like most, but for one thing and in everything.
BUT_FOR_ONE, TYPICAL = noted("otherwise typical"), noted("typical customers")

#: How far off all customers a trait must be to be worth a word: in deviations of the logarithm, and as a share of the
#: mean.
_WORTH_A_WORD = 0.1

Tell = dict[str, float]  # how far customers are off the mean of all, by trait; below 0 for less


def tells(customers: DataFrame, codes: NDArray[np.int64], sizes: NDArray[np.int64]) -> list[Tell]:
    """For each segment how far its customers are off all customers, by trait, in deviations of the logarithm.

    A trait is left out where the mean and the mean of the logarithm lie on different sides, or hardly off at all: then
    neither word would be true. So it is where the table has no such column.

    Args:
        customers: with recency, frequency and monetary, and tenure where there is one.
        codes: the segment of each customer, from 0.
        sizes: customers in each.
    """
    result: list[Tell] = [{} for _ in sizes]
    for trait, values in _values(customers).items():
        logs = signed_log(values)
        deviation = logs.std()
        if deviation < 1e-12:
            continue
        # rounded, so that the last digits of a sum cannot decide a name
        off = np.round((np.bincount(codes, logs) / sizes - logs.mean()) / deviation, 9)
        plain = np.round((np.bincount(codes, values) / sizes - values.mean()) / max(abs(values.mean()), 1e-12), 9)
        for tell, log, mean in zip(result, off.tolist(), plain.tolist(), strict=True):
            if log * mean > 0 and min(abs(log), abs(mean)) >= _WORTH_A_WORD:
                tell[trait] = log
    return result


def _values(customers: DataFrame) -> dict[str, NDArray[np.float64]]:
    recency, frequency, monetary = (customers[name].to_numpy(np.float64) for name in (RECENCY, FREQUENCY, MONETARY))
    values = {
        "recency": recency,
        "frequency": frequency,
        "basket": np.divide(monetary, frequency, out=np.zeros_like(monetary), where=frequency > 0),
        "spend": monetary,
    }
    if TENURE in customers.columns:
        tenure = customers[TENURE].to_numpy(np.float64, na_value=np.nan)
        if np.isfinite(tenure).all():
            values["tenure"] = tenure
    return values


def neutral_name(tell: Tell, taken: set[str]) -> str:
    """A name of the two traits that tell customers most; with others added, or of others, where that name is taken.

    Large baskets and high spend are no two traits, nor are small ones and low spend. Only when nothing is left to be
    said a number is added.
    """
    strongest = sorted(tell, key=lambda trait: (-abs(tell[trait]), trait))
    said = strongest[:1]
    said += [trait for trait in strongest[1:] if not _same(said[0], trait, tell)][:1]
    others = [trait for trait in strongest if trait not in said]
    others.sort(key=lambda trait: any(_same(trait, one, tell) for one in said))
    choices = [(*said, *extra) for more in range(len(others) + 1) for extra in combinations(others, more)]
    choices += [some for size in range(2, len(strongest)) for some in combinations(strongest, size)]
    names = [_name([_word(trait, tell[trait]) for trait in choice]) for choice in choices]
    free = next((name for name in names if name not in taken), None)
    number = 2
    while free is None:
        numbered = f"{names[0]} {number}"
        free, number = None if numbered in taken else numbered, number + 1
    return free


def still_true(name: str, tell: Tell) -> bool:
    """Whether a neutral name is true of customers; a name with a number, or of any other kind, is not."""
    parts = _PARTS.get(name)
    if parts is None:
        return False
    words = {_word(trait, off) for trait, off in tell.items()}
    if BUT_FOR_ONE in parts or TYPICAL in parts:
        return name == neutral_name(tell, set())
    return set(parts) <= words


def parts_of(name: str) -> tuple[str, ...]:
    """The words that a neutral name is made of, for translation; none where it is no neutral name."""
    return _PARTS.get(name, ())


def _same(one: str, other: str, tell: Tell) -> bool:
    return {one, other} == {"basket", "spend"} and tell[one] * tell[other] > 0


def _word(trait: str, off: float) -> str:
    found = next(item for item in TRAITS if item.fact == trait)
    return found.less if off < 0 else found.more


def _name(words: Sequence[str]) -> str:
    if not words:
        return _capital(TYPICAL)
    order = [word for item in TRAITS for word in (item.less, item.more) if word in words]
    return _capital(", ".join(order if len(order) > 1 else [*order, BUT_FOR_ONE]))


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _all_names() -> dict[str, tuple[str, ...]]:
    """Every neutral name there can be without a number, with the words it is made of."""
    names: dict[str, tuple[str, ...]] = {_capital(TYPICAL): (TYPICAL,)}
    for count in range(1, len(TRAITS) + 1):
        for chosen in combinations(TRAITS, count):
            for words in product(*((item.less, item.more) for item in chosen)):
                said = words if count > 1 else (*words, BUT_FOR_ONE)
                names[_name(words)] = said
    return names


_PARTS = _all_names()
