"""How big the segments are and how much money they bring, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from dashboard.figures import NOTHING_LEFT, Drawing, drawing_of, empty_figure, readable_on, template, visible_colour
from dashboard.frames.aggregates import SegmentTotals
from dashboard.i18n.numbers import count, money, percent, short_money, titled
from dashboard.i18n.texts import noted, say, segment_name


class Tile(NamedTuple):
    """One segment's customers and revenue in view, with their shares."""

    name: str
    colour: str
    customers: int
    share: float
    revenue: float
    revenue_share: float | None


class TileData(NamedTuple):
    """The segments in view in playbook order."""

    tiles: tuple[Tile, ...]
    currency: str


def tile_data(rows: Sequence[SegmentTotals], currency: str) -> TileData:
    """From the totals of the segments in view."""
    tiles = [
        Tile(row.segment.name, row.segment.colour, row.customers, row.share, row.revenue, row.revenue_share)
        for row in rows
    ]
    return TileData(tuple(tiles), currency)


def draw_tiles(data: TileData, theme: str) -> Drawing:
    """Left a tile per segment as large as its customers are many, right as large as its revenue."""
    if not data.tiles:
        return empty_figure(say(NOTHING_LEFT), theme)
    names = [tile.name for tile in data.tiles]
    colours = [visible_colour(tile.colour, theme) for tile in data.tiles]
    hover = [
        say(
            "<b>{segment}</b><br>{customers} customers · {share}<br>{amount} · {revenue_share} of revenue",
            segment=segment_name(tile.name),
            customers=count(tile.customers),
            share=percent(tile.share),
            amount=money(tile.revenue, data.currency),
            revenue_share=percent(tile.revenue_share),
        )
        for tile in data.tiles
    ]
    sides = (
        (
            noted("Customers"),
            [0.0, 0.49],
            [tile.customers for tile in data.tiles],
            [percent(t.share) for t in data.tiles],
        ),
        (
            noted("Revenue"),
            [0.51, 1.0],
            [max(tile.revenue, 0.0) for tile in data.tiles],
            [f"{short_money(t.revenue, data.currency)} · {percent(t.revenue_share)}" for t in data.tiles],
        ),
    )
    traces = [
        {
            "type": "treemap",
            "name": title,
            "domain": {"x": across, "y": [0, 1]},
            "labels": [segment_name(name) for name in names],
            "ids": [f"{title}/{name}" for name in names],
            "parents": [""] * len(names),
            "values": np.array(sizes, dtype=np.float64),
            "text": text,
            "texttemplate": "<b>%{label}</b><br>%{text}",
            "customdata": names,
            "hovertext": hover,
            "hoverinfo": "text",
            "marker": {"colors": colours, "line": {"width": 2, "color": "rgba(0,0,0,0)"}, "pad": {"t": 0}},
            "tiling": {"pad": 3},
            "textfont": {"size": 13, "color": [readable_on(colour) for colour in colours]},
            "pathbar": {"visible": False},
            "root": {"color": "rgba(0,0,0,0)"},
        }
        for title, across, sizes, text in sides
    ]
    figure = go.Figure(traces, {"template": template(theme), "margin": {"l": 4, "r": 4, "t": 44, "b": 4}})
    for title, across, *_ in sides:
        figure.add_annotation(
            text=say(title), x=across[0], y=1.0, xref="paper", yref="paper", xanchor="left", yanchor="bottom",
            showarrow=False, font={"size": 13},
        )  # fmt: skip
    rows = [
        (
            segment_name(t.name),
            count(t.customers),
            percent(t.share),
            money(t.revenue, data.currency),
            percent(t.revenue_share),
        )
        for t in data.tiles
    ]
    revenue = titled(say("Revenue"), data.currency)
    head = (say("Segment"), say("Customers"), say("Share"), revenue, say("Share of revenue"))
    return drawing_of(figure, (head, rows))


def tile_words(data: TileData) -> str:
    """Which segment brings most for its size, in words."""
    tiles = [tile for tile in data.tiles if tile.revenue_share is not None and tile.share > 0]
    if not tiles:
        return say(NOTHING_LEFT) if not data.tiles else say("These segments have no revenue to compare.")
    best = max(tiles, key=lambda tile: (tile.revenue_share or 0.0) / tile.share)
    return say(
        "{segment} bring most for their size: {share} of the customers in view, {revenue_share} of their revenue.",
        segment=segment_name(best.name),
        share=percent(best.share),
        revenue_share=percent(best.revenue_share),
    )
