"""The dendrogram of a hierarchical run: which groups of customers were joined, in which order, and where it was cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import Drawing, drawing_of, ink, template, visible_colour
from dashboard.i18n.numbers import count, plural
from dashboard.i18n.texts import say, segment_name
from engines.contract import NamedSegment, segment_by_key

_BETWEEN = -1  # the place of a merge that joins several segments


class DendrogramData(NamedTuple):
    """The top of a tree, lying on its side: leaves at height 0, one below the other.

    ``corners``: for each merge the heights and places of its bracket, shape (merges, 2, 4); ``owners``: the place in
    ``names`` of the segment it lies within, -1 where it joins several; ``leaves``: the customers of each leaf from the
    top down. Of each segment, from the top down: ``names``, ``colours``, ``customers`` (of its leaves) and ``middles``
    (its place on the vertical axis). ``cut``: the height at which the tree was cut; None where it was not.
    """

    corners: NDArray[np.float64]
    owners: NDArray[np.int64]
    leaves: NDArray[np.float64]
    names: tuple[str, ...]
    colours: tuple[str, ...]
    customers: tuple[float, ...]
    middles: tuple[float, ...]
    cut: float | None


def dendrogram_data(
    artifacts: Mapping[str, Any], diagnostics: Mapping[str, Any], segments: Sequence[NamedSegment]
) -> DendrogramData | None:
    """The arithmetic behind the picture, from what a run has kept of its tree; None where it has kept none.

    ``artifacts`` has ``linkage`` in SciPy's form, ``leaf_customers`` and ``leaf_keys``; ``diagnostics`` the heights of
    the last merge that was made and of the first that was not.
    """
    linkage = np.array(artifacts.get("linkage", ()), dtype=np.float64).reshape(-1, 4)
    if not len(linkage):
        return None
    keys, customers = list(artifacts["leaf_keys"]), np.array(artifacts["leaf_customers"], dtype=np.float64)
    by_key = segment_by_key(segments)
    rank = {key: place for place, key in enumerate(by_key)}
    order = _order(linkage, np.array([rank.get(key, len(rank)) for key in keys]), customers)
    shown = list(dict.fromkeys(keys[leaf] for leaf in order))
    place_of = {key: place for place, key in enumerate(shown)}
    height, middle = np.zeros(len(order) + len(linkage)), np.empty(len(order) + len(linkage))
    middle[order] = np.arange(len(order))
    owner = np.append([place_of[key] for key in keys], np.empty(len(linkage), dtype=np.int64)).astype(np.int64)
    corners = np.empty((len(linkage), 2, 4))
    for number, (one, other) in enumerate(linkage[:, :2].astype(np.int64)):
        node, top = len(order) + number, linkage[number, 2]
        corners[number] = [[height[one], top, top, height[other]], [middle[one]] * 2 + [middle[other]] * 2]
        height[node], middle[node] = top, (middle[one] + middle[other]) / 2
        owner[node] = owner[one] if owner[one] == owner[other] else _BETWEEN
    of_leaf = owner[order]
    return DendrogramData(
        corners=corners,
        owners=owner[len(order) :],
        leaves=customers[order],
        names=tuple(
            segment_name(by_key[key].name) if key in by_key else say("Segment {number}", number=key) for key in shown
        ),
        colours=tuple(by_key[key].colour if key in by_key else "#888888" for key in shown),
        customers=tuple(float(customers[order][of_leaf == place].sum()) for place in range(len(shown))),
        middles=tuple(float(np.flatnonzero(of_leaf == place).mean()) for place in range(len(shown))),
        cut=_cut(diagnostics) if len(shown) > 1 else None,
    )


def _order(linkage: NDArray[np.float64], ranks: NDArray[np.int64], customers: NDArray[np.float64]) -> NDArray[np.int64]:
    """The leaves from the top down, so that no branch crosses another.

    Of two branches the one with the segment of the lower rank comes first, of two within a segment the one with more
    customers.
    """
    leaves = len(customers)
    rank, below = np.append(ranks, np.zeros(len(linkage), dtype=np.int64)), np.append(customers, np.zeros(len(linkage)))
    for number, (one, other) in enumerate(linkage[:, :2].astype(np.int64)):
        below[leaves + number] = below[one] + below[other]
        rank[leaves + number] = min(rank[one], rank[other])
    waiting, order = [leaves + len(linkage) - 1], []
    while waiting:
        node = waiting.pop()
        if node < leaves:
            order.append(node)
            continue
        # the last one put down is taken up first
        children = linkage[node - leaves, :2].astype(np.int64).tolist()
        waiting += sorted(children, key=lambda child: (-rank[child], below[child]))
    return np.array(order, dtype=np.int64)


def _cut(diagnostics: Mapping[str, Any]) -> float | None:
    low, high = diagnostics.get("cut_height"), diagnostics.get("next_height")
    return None if low is None or not high else (float(low) + float(high)) / 2


def draw_dendrogram(data: DendrogramData, theme: str) -> Drawing:
    """Brackets in the colours of their segments, grey above the cut, which is a dashed line."""
    colours = ink(theme)
    figure = go.Figure(layout={"template": template(theme)})
    for place in (_BETWEEN, *range(len(data.names))):
        x, y = _lines(data.corners[data.owners == place])
        colour = colours.faint if place == _BETWEEN else visible_colour(data.colours[place], theme)
        figure.add_scatter(x=x, y=y, mode="lines", line={"color": colour, "width": 2}, hoverinfo="skip")
    figure.add_scatter(
        x=np.zeros(len(data.leaves)),
        y=np.arange(len(data.leaves)),
        mode="markers",
        marker={"size": 5, "color": colours.faint},
        hovertext=[plural(customers, "{n} customer", "{n} customers") for customers in data.leaves],
        hoverinfo="text",
    )
    if data.cut is not None:
        label = {"text": say("cut into {number}", number=len(data.names)), "font": {"color": colours.faint, "size": 12}}
        line = {"color": colours.faint, "width": 1.5, "dash": "dash"}
        figure.add_vline(x=data.cut, line=line, annotation=label, annotation_position="top right")
    figure.update_yaxes(
        tickvals=np.array(data.middles),
        ticktext=[f"{name} ({count(size)})" for name, size in zip(data.names, data.customers, strict=True)],
        range=[len(data.leaves) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        ticks="",
    )
    tallest = float(data.corners[-1, 0].max())
    figure.update_xaxes(
        title_text=say("how unlike the groups joined are (Ward)"), range=[-0.01 * tallest, 1.04 * tallest]
    )
    return drawing_of(figure.update_layout(showlegend=False, uirevision="dendrogram", hovermode="closest"))


def _lines(corners: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The brackets one after another, with gaps between them."""
    gapped = np.concatenate([corners, np.full((len(corners), 2, 1), np.nan)], axis=2)
    return gapped[:, 0].ravel(), gapped[:, 1].ravel()


def dendrogram_words(data: DendrogramData) -> str:
    """The picture in a sentence, for those who cannot see it."""
    parts = ", ".join(f"{name} ({count(size)})" for name, size in zip(data.names, data.customers, strict=True))
    return say(
        "{groups} groups of customers, joined two by two; cut into {segments}: {parts}.",
        groups=len(data.leaves),
        segments=len(data.names),
        parts=parts,
    )
