"""Ward linkage of weighted points by nearest-neighbour chains: the tree that a dendrogram shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.clustering.sampling import Codes
from engines.clustering.scaling import Matrix


@dataclass(frozen=True)
class Tree:
    """The merges of ``leaves`` leaves, in ascending height, numbered as SciPy does.

    ``merges`` has a row for each merge: the two nodes joined (leaves are 0..leaves-1, merge i makes node leaves + i),
    the height (square root of twice the growth of the within-group sum of squares, as SciPy's ``ward``), and the
    customers below it. ``weights`` are the customers of each leaf.
    """

    leaves: int
    merges: Matrix
    weights: Matrix

    def cut(self, k: int) -> Codes:
        """The group (0..k-1) of each leaf when the tree is cut into ``k`` groups, numbered by their first leaf."""
        parent = np.arange(2 * self.leaves - 1)
        for position, (left, right) in enumerate(self.merges[: self.leaves - k, :2].astype(np.int64)):
            parent[left] = parent[right] = self.leaves + position
        # parents have larger numbers than children, so going down from the top meets every parent before its children
        root = parent.copy()
        for node in range(len(parent) - 1, -1, -1):
            root[node] = root[parent[node]]
        _, first, codes = np.unique(root[: self.leaves], return_index=True, return_inverse=True)
        rank = np.empty(len(first), dtype=np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        return rank[codes]

    def top(self, count: int) -> Top:
        """The last merges as a tree of its own with at most ``count`` leaves, for a dendrogram."""
        last_merges = self.merges[len(self.merges) - min(count, self.leaves) + 1 :].copy()
        first_made = self.leaves + len(self.merges) - len(last_merges)
        nodes = last_merges[:, :2].astype(np.int64)
        below = np.unique(nodes[nodes < first_made]) if len(last_merges) else np.array([first_made - 1])
        inside, customers = [], []
        for node in below.tolist():
            customers.append(float(self.weights[node] if node < self.leaves else self.merges[node - self.leaves, 3]))
            while node >= self.leaves:
                node = int(self.merges[node - self.leaves, 0])
            inside.append(node)
        last_merges[:, :2] = np.where(
            nodes < first_made, np.searchsorted(below, nodes), nodes - first_made + len(below)
        )
        shown = [1] * len(below)
        for merge in last_merges:
            shown.append(shown[int(merge[0])] + shown[int(merge[1])])
            merge[3] = shown[-1]
        return Top(last_merges, np.array(customers), np.array(inside, dtype=np.int64))


@dataclass(frozen=True)
class Top:
    """The top of a tree: ``merges`` as SciPy has them (counting shown leaves), and of each shown leaf its customers.

    ``inside`` names one original leaf within each shown leaf, so that its group can be looked up.
    """

    merges: Matrix
    customers: Matrix
    inside: Codes


def ward(points: Matrix, weights: Matrix) -> Tree:
    """Ward's tree of weighted points by the nearest-neighbour chain (Murtagh 1983): O(points) memory.

    A point of weight w is merged exactly as w equal customers would be. Equal heights are settled by position, so the
    points must come in an order of their own (sorted), not in that of a file.

    Args:
        points: shape (points, dimensions), distinct.
        weights: how many customers each point stands for, shape (points,).
    """
    leaves = len(points)
    # columns are kept contiguous (dimensions x slots); a slot is a living group, and dead ones are squeezed out
    centres, mass = np.array(points.T, order="C"), weights.astype(np.float64).copy()
    node, low = np.arange(leaves), np.zeros(leaves)
    alive = np.ones(leaves, dtype=bool)
    merges = np.empty((max(leaves - 1, 0), 4))
    chain: list[int] = []
    for made in range(leaves - 1):
        if 2 * (leaves - made) <= len(node):
            slot = np.cumsum(alive) - 1
            chain = [int(slot[link]) for link in chain]
            centres, mass, node, low = centres[:, alive], mass[alive], node[alive], low[alive]
            alive = np.ones(len(node), dtype=bool)
        if not chain:
            chain = [int(np.argmax(alive))]
        while True:
            here = chain[-1]
            growth = _growth(centres, mass, here, alive)
            neighbour = int(growth.argmin())
            if len(chain) > 1 and growth[chain[-2]] <= growth[neighbour]:
                neighbour = chain[-2]
                break
            chain.append(neighbour)
        chain = chain[:-2]
        keep, gone = min(here, neighbour), max(here, neighbour)
        # rounding must not let a merge lie below the ones it is made of
        height = max(float(np.sqrt(2 * growth[neighbour])), low[here], low[neighbour])
        total = mass[here] + mass[neighbour]
        merges[made] = node[here], node[neighbour], height, total
        centres[:, keep] = (centres[:, here] * mass[here] + centres[:, neighbour] * mass[neighbour]) / total
        mass[keep], low[keep], node[keep] = total, height, leaves + made
        alive[gone] = False
    return Tree(leaves, _in_order(merges, leaves), weights.astype(np.float64))


def _growth(centres: Matrix, mass: Matrix, here: int, alive: np.ndarray) -> Matrix:
    """How much the within-group sum of squares grows when ``here`` joins each other living group."""
    squared = np.zeros(len(mass))
    for values in centres:
        difference = values - values[here]
        difference *= difference
        squared += difference
    squared *= mass * mass[here] / (mass + mass[here])
    squared[~alive] = np.inf
    squared[here] = np.inf
    return squared


def _in_order(unordered: Matrix, leaves: int) -> Matrix:
    """The chain finds merges out of order: sort them by height and number the nodes anew."""
    order = np.argsort(unordered[:, 2], kind="stable")
    number = np.arange(leaves + len(unordered))
    number[leaves + order] = leaves + np.arange(len(unordered))
    merges = unordered[order].copy()
    merges[:, :2] = np.sort(number[merges[:, :2].astype(np.int64)], axis=1)
    return merges
