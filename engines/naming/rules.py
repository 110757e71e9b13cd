"""Rules of a segment in words, for engines that go by rules (RFM's scores and cut points)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.columns import FREQUENCY, MONETARY, RECENCY, describe
from engines.messages import message, noted

#: More blocks of scores than this are no rule that anyone would read.
_MOST_BLOCKS = 3
_AXES = (RECENCY, FREQUENCY, MONETARY)
#: Where the lowest frequency score ends when it is one order.
_CAME_BACK = 2.0

Block = tuple[slice, slice, slice]
Spans = Sequence[Mapping[str, Any]]


def _formatted(sentence: str, /, **parts: Any) -> str:
    return sentence.format(**parts)


class Wording(NamedTuple):
    """How a rule is put into words: an amount, a number, a sentence with its places (perhaps in another language)."""

    money: Callable[[float], str]
    number: Callable[[float], str] = "{:,g}".format
    say: Callable[..., str] = _formatted


def rules_of(artifacts: Mapping[str, Any], how: Wording) -> dict[int, str]:
    """The rule of each segment by key, from what a run has kept of its model; empty where it goes by no such rules.

    Args:
        artifacts: with ``cells`` (a segment key for each combination of recency, frequency and monetary score, shape
            (bins, bins, bins)) and ``cut_points`` (for each column the scores that occur, worst first, with the values
            they cover).
        how: the words.
    """
    if not {"cells", "cut_points"} <= set(artifacts):
        return {}
    spans = [artifacts["cut_points"][column] for column in _AXES]
    # only scores that someone has; the others need no words
    scores = [[int(span["score"]) - 1 for span in axis] for axis in spans]
    cells = np.array(artifacts["cells"], dtype=np.int64)[np.ix_(*scores)]
    return {int(key): _rule(_blocks(cells == key), spans, how) for key in np.unique(cells)}


def names_of_nobody(artifacts: Mapping[str, Any], held: Set[int], called: Callable[[str], str] = str) -> list[str]:
    """For each name of the grid that nobody has, a sentence that says why.

    Args:
        artifacts: as for :func:`rules_of`, with ``names`` by key.
        held: the keys of the segments that have customers.
        called: what people see for a name of the grid.
    """
    if not {"cells", "cut_points", "names"} <= set(artifacts):
        return []
    cells = np.array(artifacts["cells"], dtype=np.int64)
    spans = [artifacts["cut_points"][column] for column in _AXES]
    # models of earlier versions do not know how many customers have a score: one that can occur counts as had
    had = [{int(span["score"]) - 1 for span in axis if span.get("customers", 1)} for axis in spans]
    one_order = bool(spans[1]) and spans[1][0]["high"] == _CAME_BACK
    return [
        _reason(called(name), np.argwhere(cells == key), had, len(cells), one_order)
        for key, name in enumerate(artifacts["names"])
        if key not in held
    ]


def _reason(name: str, places: NDArray[np.int64], had: Sequence[Set[int]], bins: int, one_order: bool) -> str:
    """Why nobody has a name: the first score that all its cells take and nobody has, if there is one."""
    if not len(places):
        return message(
            "Nobody can be {name} here: with scores of 1 to {bins} the grid has no cell for it.", name=name, bins=bins
        )
    for axis, column in enumerate(_AXES):
        takes = set(places[:, axis].tolist())
        if takes & had[axis]:
            continue
        if column == FREQUENCY and one_order and takes == {0}:
            return message(
                "Nobody can be {name} here: that is for customers with one order, and everybody has more.", name=name
            )
        if column == FREQUENCY and one_order and had[axis] == {0}:
            return message("Nobody can be {name} here: that takes a second order, and nobody has one.", name=name)
        return message(
            "Nobody can be {name} here: nobody has the {title} score that it takes ({scores}).",
            name=name,
            title=describe(column).title.lower(),
            scores=", ".join(str(score + 1) for score in sorted(takes)),
        )
    return message(
        "Nobody is {name} here: there are customers with each of the scores that it takes, but none with all of them.",
        name=name,
    )


def _rule(blocks: Sequence[Block], spans: Sequence[Spans], how: Wording) -> str:
    if len(blocks) > _MOST_BLOCKS:
        return how.say("One of {n} blocks of scores of recency, frequency and spend.", n=how.number(len(blocks)))
    text, *others = (_block_words(block, spans, how) for block in blocks)
    for other in others:
        text = how.say("{rule}; or {other}", rule=text, other=other)
    return f"{text[0].upper()}{text[1:]}."


def _blocks(mine: NDArray[np.bool_]) -> list[Block]:
    """Few blocks of scores that cover all cells of a segment and no other: each grown as far as it goes."""
    left, blocks = mine.copy(), []
    while left.any():
        cell = [int(place) for place in np.argwhere(left)[0]]
        low, high = list(cell), [place + 1 for place in cell]
        for axis in (2, 1, 0):
            for ends, step in ((low, -1), (high, 1)):
                while _fits(mine, low, high, axis, step):
                    ends[axis] += step
        block = (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))
        left[block] = False
        blocks.append(block)
    return blocks


def _fits(mine: NDArray[np.bool_], low: Sequence[int], high: Sequence[int], axis: int, step: int) -> bool:
    place = high[axis] if step > 0 else low[axis] - 1
    if not 0 <= place < mine.shape[axis]:
        return False
    sides = [slice(one, other) for one, other in zip(low, high, strict=True)]
    sides[axis] = slice(place, place + 1)
    return bool(mine[tuple(sides)].all())


def _block_words(block: Block, spans: Sequence[Spans], how: Wording) -> str:
    recency, frequency, monetary = (axis[side] for axis, side in zip(spans, block, strict=True))
    parts = (
        # worst scores come first, so the most days belong to the first span; the fewest days do not belong
        _between(recency[-1]["low"], recency[0]["high"], how.number, _RECENCY, how),
        # the least belongs to it, the most does not
        _between(frequency[0]["low"], frequency[-1]["high"], how.number, _FREQUENCY, how),
        _between(monetary[0]["low"], monetary[-1]["high"], how.money, _MONETARY, how),
    )
    return ", ".join(part for part in parts if part) or how.say("everyone")


#: What is said of a column with only an upper end, only a lower one, and both.
_RECENCY = (
    noted("last order at most {most} days ago"),
    noted("last order more than {least} days ago"),
    noted("last order more than {least} and at most {most} days ago"),
)
_FREQUENCY = (
    noted("fewer than {below} orders"),
    noted("at least {least} orders"),
    noted("at least {least} and fewer than {below} orders"),
)
_MONETARY = (
    noted("spent less than {below}"),
    noted("spent at least {least}"),
    noted("spent at least {least} and less than {below}"),
)


def _between(
    low: float | None, high: float | None, written: Callable[[float], str], words: tuple[str, str, str], how: Wording
) -> str:
    if low is None and high is None:
        return ""
    least, most = ("" if end is None else written(end) for end in (low, high))
    sentence = words[0] if low is None else words[1] if high is None else words[2]
    return how.say(sentence, least=least, most=most, below=most)
