"""RFM: scores recency, frequency and spend by quantile, and names every customer by the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series

from engines.clustering.clusterers import key_series
from engines.clustering.sampling import Codes
from engines.clustering.scaling import Matrix, Space, each_finite, fit_space
from engines.columns import FREQUENCY, MONETARY, RECENCY, describe
from engines.contract import Engine, Segment, knob
from engines.errors import InputError
from engines.messages import message, noted
from engines.naming.grids import ELEVEN, TEN, Grid, named_grid, own_grid

_COLUMNS = (RECENCY, FREQUENCY, MONETARY)
#: Numbers that can be sorted as they are.
_PLAIN = (np.dtype(np.int64), np.dtype(np.float64))
#: About so many customers are enough to scale by.
_SPACE_SAMPLE = 100_000
#: Small recency is good, so it is scored by its negative.
_SIGNS = np.array([-1.0, 1.0, 1.0])
#: From so many orders on a customer has come back: fewer are always frequency score 1, and these never.
_CAME_BACK = 2.0
#: A score that more than this share of the customers have is noted: it hardly tells one from another.
_CROWDED = 0.4

Exit = tuple[int, float, int]  # which dimension, its value at the border, the name behind it


@dataclass(frozen=True)
class FittedRFM:
    """Cut points and the grid. ``edges[d][s]`` is the least (signed) value that scores s + 2 in dimension d.

    An edge that nobody can pass (everyone is equal) is infinite. ``counts[d][s]`` is how many of the customers it was
    fitted on score s + 1 in dimension d; models of earlier versions do not know it.
    """

    edges: tuple[Matrix, Matrix, Matrix]
    grid: Grid
    weights: tuple[float, float, float]
    place: Space
    segments: tuple[Segment, ...]
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    counts: tuple[tuple[int, ...], ...] = ()

    def scores(self, customers: DataFrame) -> Codes:
        """Scores of recency, frequency and monetary, each 1 (worst) to the number of bins, shape (customers, 3)."""
        return np.stack(self._passed(customers), axis=1).astype(np.int64) + 1

    def assign(self, customers: DataFrame) -> Series:
        """The key (position in the grid's names) of each customer's cell."""
        bins = self.grid.cells.shape[0]
        recency, frequency, monetary = self._passed(customers)
        cells = (recency.astype(np.int16) * bins + frequency) * bins + monetary
        return key_series(self.grid.cells.ravel().take(cells), customers)

    def _passed(self, customers: DataFrame) -> list[NDArray[np.int8]]:
        """How many edges each customer has passed in each dimension: the scores less one."""
        passes = []
        for d, values in enumerate(each_finite(customers, _COLUMNS, RFM.title)):
            passed = np.zeros(len(values), dtype=np.int8)
            # there are at most nine edges, and comparing with each is far quicker than searching among them
            for edge in self.edges[d] * _SIGNS[d]:
                passed += values >= edge if _SIGNS[d] > 0 else values <= edge
            passes.append(passed)
        return passes

    def explain(self, customers: DataFrame) -> DataFrame:
        """Why each customer is where it is, and the nearest way out.

        Columns: ``recency_days_score``, ``frequency_score``, ``monetary_score``; ``score``, their weighted mean;
        ``segment``, the name; ``exit_column``, ``exit_value`` and ``exit_segment``: the smallest change of one score
        that changes the name, the value at which it happens and the name it leads to (empty where no single change
        does). Of equally small changes one to the better comes first, then recency, frequency, monetary.
        """
        scores = self.scores(customers)
        weights = np.array(self.weights)
        result = DataFrame(scores, index=customers.index, columns=[f"{name}_score" for name in _COLUMNS])
        result["score"] = scores @ weights / weights.sum()
        keys = self.grid.cells[tuple((scores - 1).T)]
        result["segment"] = np.array(self.grid.names, dtype=object)[keys]
        # there are few different cells and many customers: find the way out of each cell once
        cells, member = np.unique(scores, axis=0, return_inverse=True)
        exits = [self._exit(tuple(cell)) for cell in cells.tolist()]
        columns = np.array([_COLUMNS[way[0]] if way else None for way in exits], dtype=object)
        names = np.array([self.grid.names[way[2]] if way else None for way in exits], dtype=object)
        result["exit_column"] = columns[member]
        result["exit_value"] = np.array([way[1] if way else np.nan for way in exits])[member]
        result["exit_segment"] = names[member]
        return result

    def cut_points(self) -> dict[str, list[dict[str, float | int | None]]]:
        """For each column the scores that can occur and the values they cover, ``low`` to ``high``; None: no bound.

        ``customers``: how many of those it was fitted on have the score, where the model knows. Bounds are inclusive on
        the side of the better value and exclusive on the other: frequency scores 4 from its low on, recency scores 4
        up to its high.
        """
        result: dict[str, list[dict[str, float | int | None]]] = {}
        for d, column in enumerate(_COLUMNS):
            borders = np.concatenate([[-np.inf], self.edges[d], [np.inf]])
            spans: list[dict[str, float | int | None]] = []
            for score, (low, high) in enumerate(pairwise(borders), start=1):
                if low < high:
                    ends = (low, high) if _SIGNS[d] > 0 else (-high, -low)
                    low_end, high_end = (float(end) if np.isfinite(end) else None for end in ends)
                    spans.append({"score": score, "low": low_end, "high": high_end})
                    if self.counts:
                        spans[-1]["customers"] = self.counts[d][score - 1]
            result[column] = spans
        return result

    def space(self, customers: DataFrame) -> Matrix:
        """Recency, frequency and monetary as standardised logarithms: the space in which RFM segments are measured."""
        return self.place.transform(customers)

    def artifacts(self) -> dict[str, Any]:
        """What pages may show: the cut points, the grid, and the space of the metrics; JSON-ready."""
        return {
            "space": self.place.title,
            "cut_points": self.cut_points(),
            "names": list(self.grid.names),
            "cells": self.grid.cells.tolist(),
        }

    def _exit(self, cell: tuple[int, ...]) -> Exit | None:
        here = int(self.grid.cells[tuple(score - 1 for score in cell)])
        ways: list[tuple[int, int, int, float, int]] = []
        for d, direction in product(range(3), (1, -1)):
            borders = np.concatenate([[-np.inf], self.edges[d], [np.inf]])
            score = cell[d] + direction
            while 1 <= score <= len(borders) - 1:
                neighbour = int(self.grid.cells[tuple((score if i == d else s) - 1 for i, s in enumerate(cell))])
                if borders[score - 1] < borders[score] and neighbour != here:
                    # upwards the new score begins at its own edge; downwards just below the edge of the next one
                    edge = borders[score - 1] if direction > 0 else borders[score]
                    ways.append((abs(score - cell[d]), -direction, d, float(edge * _SIGNS[d]), neighbour))
                    break
                score += direction
        if not ways:
            return None
        _, _, d, edge, neighbour = min(ways)
        return d, edge, neighbour


@dataclass(frozen=True)
class RFM(Engine):
    """Quantile scores of recency, frequency and monetary, and a grid that names them."""

    title: ClassVar[str] = noted("RFM")
    summary: ClassVar[str] = noted(
        "Scores recency, frequency and spend and names customers by their scores: easy to explain."
    )
    fit_limit: ClassVar[int] = 20_000_000

    bins: int = knob(5, low=3, high=10, help="Scores run from 1 to this number.")
    grid: str = knob(
        TEN,
        choices=(TEN, ELEVEN),
        help="Names: ten of recency and frequency, or eleven that look at spend as well.",
    )
    cells: tuple[str, ...] = knob(
        (),
        help="A grid of your own, a line for each block of scores, as 'Champions: R4-5 F4-5'; empty for the above.",
    )
    recency_cuts: str = knob("", help="Cut points in days, as '30, 90, 180, 365' for 5 bins; empty for quantiles.")
    frequency_cuts: str = knob("", help="Cut points in orders, each the least for the next score; empty for quantiles.")
    monetary_cuts: str = knob("", help="Cut points in money, each the least for the next score; empty for quantiles.")
    recency_weight: float = knob(1.0, low=0.0, high=100.0, help="Weight of recency in the one score.")
    frequency_weight: float = knob(1.0, low=0.0, high=100.0, help="Weight of frequency in the one score.")
    monetary_weight: float = knob(1.0, low=0.0, high=100.0, help="Weight of monetary in the one score.")

    def fit(self, customers: DataFrame) -> FittedRFM:
        """Find the cut points. Quantile scores are ceil(mid-rank / customers x bins): equal values get equal scores.

        Frequency is scored in two steps, so that names such as New Customers and At Risk hold however many buy only
        once: one order is always score 1, and more orders score 2 and up, by quantiles among those who have more than
        one (see :func:`order_edges`). Cut points that the user gives are taken as they are.

        Raises:
            InputError: unusable columns, a grid that does not cover every cell once, or cut points that are not
                ascending numbers, one fewer than bins.
        """
        weights = (self.recency_weight, self.frequency_weight, self.monetary_weight)
        if sum(weights) == 0:
            raise InputError("{title}: all three weights are 0; give at least one of them a weight.", title=self.title)
        grid = own_grid(self.cells, self.bins, self.title) if self.cells else named_grid(self.grid, self.bins)
        self.require(customers)
        if len(customers) == 0:
            raise InputError("{title} needs at least one customer; this table has none.", title=self.title)
        edges, counts, few = [], [], {}
        for d, text in enumerate((self.recency_cuts, self.frequency_cuts, self.monetary_cuts)):
            ordered = _ordered(customers, _COLUMNS[d])
            signed = ordered if _SIGNS[d] > 0 else -ordered[::-1]
            if text.strip():
                edges.append(np.sort(self._given(text, _COLUMNS[d]) * _SIGNS[d]))
            elif _COLUMNS[d] == FREQUENCY:
                edges.append(_order_edges_of(signed, self.bins))
            else:
                edges.append(_edges_of(signed, self.bins))
            passed = np.searchsorted(signed, edges[d], side="left")
            counts.append(tuple(np.diff([0, *passed.tolist(), len(signed)]).tolist()))
            some = np.linspace(0, len(ordered) - 1, min(len(ordered), _SPACE_SAMPLE)).round().astype(np.int64)
            few[_COLUMNS[d]] = ordered[some]
        # the space serves the metrics alone and scales each column by itself: evenly spaced values in order will do
        place, _ = fit_space(DataFrame(few), _COLUMNS, self.title)
        notes: list[str] = [
            message("{title} is the same for everyone and so gets one score.", title=describe(name).title)
            for name in place.constant
        ]
        notes += [
            note
            for column, held in zip(_COLUMNS, counts, strict=True)
            if column not in place.constant
            for note in _crowded(column, held)
        ]
        # a grid of the user's own says what its names mean; those of a common grid are true of some shops only
        segments = tuple(Segment(key, name, checked=not self.cells) for key, name in enumerate(grid.names))
        return FittedRFM(
            (edges[0], edges[1], edges[2]), grid, weights, place, segments, {}, tuple(notes), tuple(counts)
        )

    def _given(self, text: str, column: str) -> Matrix:
        what = f"{self.title}: the cut points of {column}, {text!r},"
        try:
            cuts = np.array([float(part) for part in text.split(",")])
        except ValueError:
            raise InputError("{what} must be numbers with commas between them.", what=what) from None
        if len(cuts) != self.bins - 1 or not np.isfinite(cuts).all() or not (np.diff(cuts) > 0).all():
            raise InputError(
                "{what} must be {bins} ascending numbers, one fewer than bins.", what=what, bins=self.bins - 1
            )
        # a recency of just the cut point still belongs to the better side, as a frequency of just the cut point does
        return cuts


def _crowded(column: str, held: Sequence[int]) -> list[str]:
    """A note on each score that more than 40 % of the customers have."""
    everyone = sum(held)
    return [
        message(
            "{title} score {score} holds {share:.1%} of the customers, for equal values score alike: it hardly tells "
            "them apart.",
            title=describe(column).title,
            score=score,
            share=count / everyone,
        )
        for score, count in enumerate(held, start=1)
        if count > _CROWDED * everyone
    ]


def _ordered(customers: DataFrame, column: str) -> Matrix:
    """The column's values in ascending order.

    Raises:
        InputError: it is not made of finite numbers, as :func:`engines.clustering.scaling.numbers` says.
    """
    if customers[column].dtype in _PLAIN:
        ordered = np.sort(customers[column].to_numpy())
        # in order, what is not finite stands at an end
        if np.isfinite(ordered[[0, -1]]).all():
            return ordered
    return np.sort(next(each_finite(customers, (column,), RFM.title)))


def quantile_edges(values: NDArray[np.float64], bins: int) -> Matrix:
    """The least value of each score from 2 to ``bins`` when scores are ceil(mid-rank / n x bins), from one sort.

    Equal values share the mean of their ranks (mid-rank), so the order of rows cannot matter. A score that no value
    gets has the edge of the next one that does; infinity where there is none.
    """
    return _edges_of(np.sort(values), bins)


def order_edges(values: NDArray[np.float64], bins: int) -> Matrix:
    """The least number of orders of each score from 2 to ``bins``: one order is score 1, whatever the ties.

    Those with more than one order are scored among themselves, ceil(mid-rank / their number x (bins - 1)) + 1, and so
    have the scores from 2 on. A score that nobody gets has the edge of the next one that somebody does; infinity where
    there is none, except that a second order always leads to score 2.
    """
    return _order_edges_of(np.sort(values), bins)


def _order_edges_of(ordered: NDArray[np.float64], bins: int) -> Matrix:
    more = ordered[np.searchsorted(ordered, 1.0, side="right") :]
    if not len(more):
        return np.array([_CAME_BACK, *[np.inf] * (bins - 2)])
    return np.array([min(_CAME_BACK, float(more[0])), *_edges_of(more, bins - 1)])


def _edges_of(ordered: NDArray[np.float64], bins: int) -> Matrix:
    count = len(ordered)
    edges = np.full(bins - 1, np.inf)
    for score in range(2, bins + 1):
        # whoever's mid-rank is beyond (score - 1) / bins of everyone gets this score or a higher one;
        # the candidate is the value at that rank, or else the next larger one
        candidate = ordered[(score - 1) * count // bins]
        below = int(np.searchsorted(ordered, candidate, side="left"))
        upto = int(np.searchsorted(ordered, candidate, side="right"))
        twice_mid_rank = below + upto + 1
        if twice_mid_rank * bins > 2 * (score - 1) * count:
            edges[score - 2] = candidate
        elif upto < count:
            edges[score - 2] = ordered[upto]
    return edges
