"""Grids from RFM scores to segment names: ten names, eleven names, or one's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.errors import InputError

TEN = "ten"
ELEVEN = "eleven"
#: Both grids are drawn for scores of 1 to 5; other numbers of bins are laid over them in proportion. Frequency score 1
#: is one order whatever the bins, so it alone is laid over the drawn 1, and the others over 2 to 5.
_DRAWN = 5

# Rows: recency score 5 down to 1; columns: frequency score 1 to 5.
_TEN_ROWS = (
    ("New Customers", "Potential Loyalists", "Potential Loyalists", "Champions", "Champions"),
    ("Promising", "Potential Loyalists", "Potential Loyalists", "Loyal Customers", "Loyal Customers"),
    ("About to Sleep", "About to Sleep", "Needs Attention", "Loyal Customers", "Loyal Customers"),
    ("Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose Them"),
    ("Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose Them"),
)

# Recency, frequency and monetary score of each of the 125 cells, as commonly published.
_ELEVEN_CELLS = {
    "Champions": "555 554 544 545 454 455 445",
    "Loyal Customers": "543 444 435 355 354 345 344 335",
    "Potential Loyalists": (
        "553 551 552 541 542 533 532 531 452 451 442 441 431 453 433 432 423 353 352 351 342 341 333 323"
    ),
    "New Customers": "512 511 422 421 412 411 311",
    "Promising": "525 524 523 522 521 515 514 513 425 424 413 414 415 315 314 313",
    "Needs Attention": "535 534 443 434 343 334 325 324",
    "About to Sleep": "331 321 312 221 213",
    "At Risk": "255 254 245 244 253 252 243 242 235 234 225 224 153 152 145 143 142 135 134 133 125 124",
    "Can't Lose Them": "155 154 144 214 215 115 114 113",
    "Hibernating": "332 322 231 241 251 233 232 223 222 132 123 122 212 211",
    "Lost": "111 112 121 131 141 151",
}

_CELL = re.compile(r"^\s*(?P<name>[^:]+?)\s*:\s*(?P<ranges>.+?)\s*$")
_RANGE = re.compile(r"^(?P<axis>[RFM])(?P<low>\d+)(?:-(?P<high>\d+))?$", re.IGNORECASE)


@dataclass(frozen=True)
class Grid:
    """``names``, and for each cell of scores the position of its name: shape (bins, bins, bins), scores less one."""

    names: tuple[str, ...]
    cells: NDArray[np.int64]


def named_grid(kind: str, bins: int) -> Grid:
    """The ten-name or the eleven-name grid for scores of 1 to ``bins``."""
    if kind == TEN:
        rows = np.array(_TEN_ROWS[::-1])
        texts = np.repeat(rows[:, :, None], _DRAWN, axis=2)
    else:
        texts = np.empty((_DRAWN,) * 3, dtype=object)
        for name, codes in _ELEVEN_CELLS.items():
            for code in codes.split():
                texts[tuple(int(digit) - 1 for digit in code)] = name
    names = tuple(dict.fromkeys(name for row in _TEN_ROWS for name in row)) if kind == TEN else tuple(_ELEVEN_CELLS)
    # the middle of each bin, so that three bins meet scores 1, 3 and 5
    drawn = _middles(bins, _DRAWN)
    often = np.concatenate([[0], 1 + _middles(bins - 1, _DRAWN - 1)])
    chosen = texts[np.ix_(drawn, often, drawn)]
    return Grid(names, np.vectorize(names.index, otypes=[np.int64])(chosen))


def _middles(bins: int, drawn: int) -> NDArray[np.int64]:
    """For each bin the drawn score (less one) that its middle lies in."""
    return ((np.arange(bins) + 0.5) / bins * drawn).astype(np.int64)


def own_grid(lines: Sequence[str], bins: int, owner: str) -> Grid:
    """A grid of one's own, written as ``Name: R4-5 F3-5 M1`` a line; an axis that is not named means all its scores.

    A name may stand in several lines.

    Raises:
        InputError: a line that cannot be read, a score beyond ``bins``, or a cell covered twice or not at all.
    """
    names: list[str] = []
    cells = np.full((bins,) * 3, -1, dtype=np.int64)
    for line in lines:
        name, block = _block(line, bins, owner)
        if name not in names:
            names.append(name)
        taken = cells[block]
        if (taken >= 0).any():
            other = names[int(taken[taken >= 0][0])]
            raise InputError(
                "{owner}: cells: {line!r} covers scores that {other!r} covers already; each belongs to one.",
                owner=owner,
                line=line,
                other=other,
            )
        cells[block] = names.index(name)
    if (cells < 0).any():
        recency, frequency, monetary = (int(score) + 1 for score in np.argwhere(cells < 0)[0])
        raise InputError(
            "{owner}: cells: {open} of {all} cells have no segment, the first is R{recency} "
            "F{frequency} M{monetary}; add a line that covers them.",
            owner=owner,
            open=int((cells < 0).sum()),
            all=bins**3,
            recency=recency,
            frequency=frequency,
            monetary=monetary,
        )
    return Grid(tuple(names), cells)


def _block(line: str, bins: int, owner: str) -> tuple[str, tuple[slice, ...]]:
    match = _CELL.match(line)
    spans = {"R": slice(0, bins), "F": slice(0, bins), "M": slice(0, bins)}
    ranges = [_RANGE.match(text) for text in match["ranges"].split()] if match else [None]
    for item in ranges:
        if item is None:
            raise InputError(
                "{owner}: cells: {line!r} cannot be read; write it as 'Champions: R4-5 F4-5 M1-5'.",
                owner=owner,
                line=line,
            )
        low, high = int(item["low"]), int(item["high"] or item["low"])
        if not 1 <= low <= high <= bins:
            raise InputError(
                "{owner}: cells: {item} in {line!r} is not within the scores 1 to {bins}.",
                owner=owner,
                item=item[0],
                line=line,
                bins=bins,
            )
        spans[item["axis"].upper()] = slice(low - 1, high)
    assert match is not None  # otherwise the loop has raised
    return match["name"], (spans["R"], spans["F"], spans["M"])
