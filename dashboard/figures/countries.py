"""Where countries lie: their outlines and positions, found by the names that sales give them.

The outlines are those of the countryinfo package, at a resolution for maps of the world. Small countries and a few
others have a position alone there.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

#: Names of shops' exports that countryinfo does not know, in its words.
_ALSO = {"eire": "Ireland", "rsa": "South Africa", "holland": "Netherlands", "uae": "United Arab Emirates"}


class Place(NamedTuple):
    """A country: ISO 3166-1 alpha-3 code, position in degrees, and whether its outline is known."""

    code: str
    latitude: float
    longitude: float
    outlined: bool


@cache
def place_of(name: str) -> Place | None:
    """The country that a name, an ISO code or another spelling stands for; None where it stands for none."""
    from countryinfo import CountryInfo, CountryNotFoundError

    try:
        country = CountryInfo(_ALSO.get(name.strip().lower(), name))
        code, position = country.iso(3), country.latlng()
    except (CountryNotFoundError, KeyError, ValueError):
        return None
    if not code or len(position) != 2:
        return None
    return Place(code, float(position[0]), float(position[1]), code in _shapes())


def outlined_countries() -> tuple[str, ...]:
    """The codes of all countries that have an outline."""
    return tuple(sorted(_shapes()))


@cache
def outlines() -> bytes:
    """All outlines as GeoJSON, each feature with its country's code as its id."""
    shapes = _shapes()
    features = [{"type": "Feature", "id": code, "properties": {}, "geometry": shapes[code]} for code in sorted(shapes)]
    return json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":")).encode()


@cache
def _shapes() -> dict[str, dict[str, Any]]:
    from countryinfo import CountryInfo

    shapes: dict[str, dict[str, Any]] = {}
    for each in CountryInfo.all().values():
        code, features = each.get("ISO", {}).get("alpha3"), (each.get("geoJSON") or {}).get("features", [])
        if code and features:
            polygons = [ring for feature in features for ring in _polygons(feature["geometry"])]
            shapes[code] = {"type": "MultiPolygon", "coordinates": [_wound(polygon) for polygon in polygons]}
    return shapes


def _polygons(geometry: dict[str, Any]) -> list[list[Any]]:
    return [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]


def _wound(polygon: list[Any]) -> list[Any]:
    """Outer rings clockwise and holes the other way: on a sphere the other side of a ring would be filled."""
    return [ring if (_area(ring) < 0) == (place == 0) else ring[::-1] for place, ring in enumerate(polygon)]


def _area(ring: list[Any]) -> float:
    """Twice the area on a flat map; below zero where the ring runs clockwise."""
    return float(sum(one[0] * other[1] - other[0] * one[1] for one, other in pairwise(ring)))
