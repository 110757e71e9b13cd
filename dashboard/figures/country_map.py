"""Which countries the money comes from, on a map: the brighter a country, the more its customers have spent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from dashboard.figures import Drawing, drawing, ink
from dashboard.figures.countries import Place, outlined_countries, place_of
from dashboard.figures.country_bars import CountryBar, CountryData, country_rows
from dashboard.i18n.numbers import count, money, plural, short_money, titled
from dashboard.i18n.texts import say

OUTLINES = "/vendor/countries.geojson"
_FIRST_VIEW = 0.98  # of all revenue
_MARGIN = (14.0, 8.0)  # degrees of longitude and latitude around the countries in view


class Spot(NamedTuple):
    """A country on the map with its customers in view, and the name by which the sales know it."""

    place: Place
    bar: CountryBar


class MapData(NamedTuple):
    """The countries on the map, those with most revenue first, and those that are on none."""

    spots: tuple[Spot, ...]
    elsewhere: tuple[CountryBar, ...]
    revenue: float
    currency: str


def map_data(data: CountryData) -> MapData:
    """The countries of a chart of all of them, put where they lie; of two names of one country the bigger has both."""
    spots: dict[str, Spot] = {}
    elsewhere = []
    for bar in data.bars:
        place = place_of(bar.name)
        if place is None:
            elsewhere.append(bar)
        elif place.code in spots:
            first = spots[place.code].bar
            both = first._replace(customers=first.customers + bar.customers, revenue=first.revenue + bar.revenue)
            spots[place.code] = Spot(place, both)
        else:
            spots[place.code] = Spot(place, bar)
    return MapData(tuple(spots.values()), tuple(elsewhere), data.revenue, data.currency)


def draw_map(data: MapData, theme: str) -> Drawing:
    """Countries in their outlines, small ones as a round mark; colours go by the logarithm of revenue."""
    colours = ink(theme)
    sold = [spot for spot in data.spots if spot.bar.revenue > 0]
    low, high = _reach([spot.bar.revenue for spot in sold])
    world = {
        "type": "choropleth",
        "geojson": OUTLINES,
        "locations": list(outlined_countries()),
        "z": [0] * len(outlined_countries()),
        "colorscale": [[0, colours.line], [1, colours.line]],
        "showscale": False,
        "hoverinfo": "skip",
        "marker": {"line": {"width": 0}},
    }
    shared = {"customdata": None, "hovertemplate": "<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>"}
    outlined_spots = [spot for spot in sold if spot.place.outlined]
    marks = [spot for spot in sold if not spot.place.outlined]
    areas = {
        **shared,
        "type": "choropleth",
        "geojson": OUTLINES,
        "locations": [spot.place.code for spot in outlined_spots],
        "z": [math.log10(spot.bar.revenue) for spot in outlined_spots],
        "coloraxis": "coloraxis",
        "marker": {"line": {"width": 0.5, "color": colours.faint}},
        "customdata": _hover_values(outlined_spots, data.currency),
    }
    points = {
        **shared,
        "type": "scattergeo",
        "lat": [spot.place.latitude for spot in marks],
        "lon": [spot.place.longitude for spot in marks],
        "mode": "markers",
        "marker": {
            "size": 9,
            "color": [math.log10(spot.bar.revenue) for spot in marks],
            "coloraxis": "coloraxis",
            "line": {"width": 1, "color": colours.faint},
        },
        "customdata": _hover_values(marks, data.currency),
    }
    east_west, south_north = _window(_near(data.spots))
    ticks = [float(tick) for tick in range(math.ceil(low), math.floor(high) + 1)] or [low, high]
    layout = {
        "geo": {
            "lonaxis": {"range": list(east_west)},
            "lataxis": {"range": list(south_north)},
            "visible": False,
            "bgcolor": "rgba(0,0,0,0)",
            "projection": {"type": "natural earth"},
        },
        "coloraxis": {
            "colorscale": "Cividis",
            "cmin": low,
            "cmax": high,
            "colorbar": {
                "orientation": "h",
                "thickness": 10,
                "len": 0.8,
                "y": -0.02,
                "yanchor": "top",
                "outlinewidth": 0,
                "tickvals": ticks,
                "ticktext": [short_money(10.0**tick, data.currency) for tick in ticks],
                "title": {"text": titled(say("Revenue"), data.currency, log=True), "side": "bottom"},
            },
        },
        "margin": {"l": 0, "r": 0, "t": 24, "b": 60},
        "showlegend": False,
    }
    bars = [*(spot.bar for spot in data.spots), *data.elsewhere]
    return drawing(theme, [world, areas, points], layout, country_rows(bars, data.revenue, data.currency))


def map_words(data: MapData) -> str:
    """How the map is read, and who is not seen on it, in words."""
    parts = [say("The brighter, the more revenue, on a logarithmic scale; a click filters.")]
    window = _window(_near(data.spots))
    away = [spot.bar.name for spot in data.spots if not _inside(spot, window)]
    if away:
        parts.append(say("Zoom out for {countries}.", countries=_listed(away)))
    if data.elsewhere:
        parts.append(say("Not on the map: {countries}.", countries=_listed([bar.name for bar in data.elsewhere])))
    return " ".join(parts)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return say("{names} and {n} more", names=shown, n=count(len(names) - 3)) if len(names) > 3 else shown


def _hover_values(spots: Sequence[Spot], currency: str) -> list[list[str]]:
    """For hover and click: each country's name in the sales, and its figures in words."""
    return [
        [
            spot.bar.name,
            say(
                "{amount} from {customers}",
                amount=money(spot.bar.revenue, currency),
                customers=plural(spot.bar.customers, "{n} customer", "{n} customers"),
            ),
        ]
        for spot in spots
    ]


def _reach(revenue: Sequence[float]) -> tuple[float, float]:
    """The ends of the scale, as powers of ten."""
    if not revenue:
        return 0.0, 1.0
    low, high = math.log10(min(revenue)), math.log10(max(revenue))
    return (low, high) if high - low > 0.1 else (low - 0.5, high + 0.5)


def _near(spots: Sequence[Spot]) -> list[Spot]:
    """The countries that the map shows at first: the biggest that bring nearly all revenue together."""
    whole, so_far = sum(max(spot.bar.revenue, 0.0) for spot in spots), 0.0
    near: list[Spot] = []
    for spot in spots:
        if near and so_far >= _FIRST_VIEW * whole:
            break
        near.append(spot)
        so_far += max(spot.bar.revenue, 0.0)
    return near


def _window(spots: Sequence[Spot]) -> tuple[tuple[float, float], tuple[float, float]]:
    """The part of the world in which countries lie: from and to, in degrees of longitude and of latitude."""
    if not spots:
        return (-180.0, 180.0), (-60.0, 85.0)
    longitudes, latitudes = [spot.place.longitude for spot in spots], [spot.place.latitude for spot in spots]
    return (
        (max(min(longitudes) - _MARGIN[0], -180.0), min(max(longitudes) + _MARGIN[0], 180.0)),
        (max(min(latitudes) - _MARGIN[1], -85.0), min(max(latitudes) + _MARGIN[1], 85.0)),
    )


def _inside(spot: Spot, window: tuple[tuple[float, float], tuple[float, float]]) -> bool:
    (west, east), (south, north) = window
    return west <= spot.place.longitude <= east and south <= spot.place.latitude <= north
