"""A shape drawn around customers on two of their measures, and the one rule for who stands inside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engines.columns import CHURN_RISK, CLV, FREQUENCY, FUTURE_SPEND, MONETARY, P_PURCHASE, RECENCY
from engines.errors import InputError

#: The measures a shape can be drawn on.
AREA_COLUMNS = (RECENCY, FREQUENCY, MONETARY, CLV, CHURN_RISK, P_PURCHASE, FUTURE_SPEND)
MOST_CORNERS = 64
MOST_AREAS = 4
_LARGEST = 1e15  # beyond it neighbouring numbers are more than a tenth apart, and a shape means nothing

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Area:
    """A polygon on the columns ``x`` and ``y``; its sides are straight in the columns' own units.

    A customer is inside who stands within the corners' bounding rectangle (its edge included) and from whom a ray
    towards greater x crosses an odd number of sides. The side from (x0, y0) to (x1, y1), the lower end first, is
    crossed when y0 <= y < y1 and x < x0 + (y - y0) * k with k = (x1 - x0) / (y1 - y0), in IEEE doubles in that order.
    Who lacks one of the two values is outside.
    """

    x: str
    y: str
    corners: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        for column in (self.x, self.y):
            if column not in AREA_COLUMNS:
                raise InputError(f"area cannot be drawn on {column!r}; it can on {', '.join(AREA_COLUMNS)}.")
        if self.x == self.y:
            raise InputError("area needs two different columns.")
        if not 3 <= len(self.corners) <= MOST_CORNERS:
            raise InputError(f"area must have 3 to {MOST_CORNERS} corners, not {len(self.corners)}.")
        if not all(math.isfinite(value) and abs(value) <= _LARGEST for corner in self.corners for value in corner):
            raise InputError(f"area must have numbers of at most {_LARGEST:g} as corners.")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The area that ``to_text`` wrote down: ``recency_days,frequency,x1,y1,x2,y2,...``.

        Raises:
            InputError: it cannot be read, or is no polygon on two columns.
        """
        x, _, rest = text.partition(",")
        y, _, rest = rest.partition(",")
        try:
            numbers = [float(part) for part in rest.split(",", 2 * MOST_CORNERS + 1)] if rest else []
        except ValueError:
            numbers = [math.nan]
        if len(numbers) % 2 or any(math.isnan(number) for number in numbers):
            raise InputError("area must be two columns and the corners: recency_days,frequency,x1,y1,x2,y2,x3,y3.")
        return cls(x, y, tuple(zip(numbers[::2], numbers[1::2], strict=True)))

    def to_text(self) -> str:
        """The area as an address holds it."""
        return ",".join([self.x, self.y, *(number_text(value) for corner in self.corners for value in corner)])

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """The least and the greatest value of each column within the bounding rectangle."""
        across, up = zip(*self.corners, strict=True)
        return {self.x: (min(across), max(across)), self.y: (min(up), max(up))}

    def contains(self, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Which of the points are inside."""
        (left, right), (low, high) = self.bounds[self.x], self.bounds[self.y]
        inside = (x >= left) & (x <= right)
        inside &= (y >= low) & (y <= high)
        some = np.flatnonzero(inside)
        if len(some):
            inside[some] = self._odd(x[some].astype(np.float64), y[some].astype(np.float64))
        return inside

    def _odd(self, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Whether a ray crosses an odd number of sides; each point looks only at the sides that pass its height."""
        heights, sides = self._slabs
        slab = np.searchsorted(heights, y, side="right")
        odd = np.zeros(len(x), dtype=bool)
        for x0, y0, k in sides:
            odd ^= x < x0[slab] + (y - y0[slab]) * k[slab]
        return odd

    @cached_property
    def _slabs(self) -> tuple[Floats, list[tuple[Floats, Floats, Floats]]]:
        """The corners' heights, and the sides that pass between each two of them: x0, y0 and k by slab, in layers.

        Where a slab has fewer sides than another, the rest are at minus infinity, left of everyone.
        """
        heights = np.unique([y for _, y in self.corners])
        found: list[list[tuple[float, float, float]]] = [[] for _ in range(len(heights) + 1)]
        for start, end in zip(self.corners, (*self.corners[1:], self.corners[0]), strict=True):
            (x0, y0), (x1, y1) = sorted((start, end), key=lambda corner: corner[1])
            if y0 < y1:
                side = (x0, y0, (x1 - x0) / (y1 - y0))
                for slab in range(int(np.searchsorted(heights, y0)) + 1, int(np.searchsorted(heights, y1)) + 1):
                    found[slab].append(side)
        layers = []
        for layer in range(max(len(sides) for sides in found)):
            table = np.array([s[layer] if layer < len(s) else (-math.inf, 0.0, 0.0) for s in found])
            layers.append((table[:, 0], table[:, 1], table[:, 2]))
        return heights, layers


def number_text(value: float) -> str:
    """A number in as few letters as bring it back exactly."""
    return repr(float(value)).removesuffix(".0")
