"""The map: countries are found by the names that shops use, and everyone is on it or named beside it."""

from __future__ import annotations

import json

import pytest
from dash.exceptions import PreventUpdate

from dashboard.figures.countries import outlines, place_of
from dashboard.figures.country_bars import CountryBar, CountryData
from dashboard.figures.country_map import draw_map, map_data, map_words
from dashboard.pages.segments.charts import MAP
from dashboard.pages.segments.rail import selection_after_click
from storage.contract import Selection

BARS = (
    CountryBar("United Kingdom", 900, 8000.0),
    CountryBar("EIRE", 40, 800.0),
    CountryBar("Hungary", 5, 700.0),  # has a position and no outline
    CountryBar("Ireland", 2, 100.0),
    CountryBar("Channel Islands", 3, 90.0),
    CountryBar("Australia", 9, 60.0),
    CountryBar("Norway", 1, -20.0),
)
DATA = map_data(CountryData(BARS, 0, None, 9730.0, "GBP"))


@pytest.mark.parametrize(
    ("name", "code"),
    [("United Kingdom", "GBR"), ("UK", "GBR"), ("EIRE", "IRL"), ("USA", "USA"), ("us", "USA"), ("RSA", "ZAF"),
     ("Deutschland", "DEU"), ("Czech Republic", "CZE"), (" Germany ", "DEU")],
)  # fmt: skip
def test_countries_are_found_by_the_names_shops_use(name, code):
    assert place_of(name).code == code


@pytest.mark.parametrize("name", ["Unspecified", "European Community", "Channel Islands", "", "=1+1", "🙂", "Z" * 200])
def test_what_is_no_country_is_none(name):
    assert place_of(name) is None


def test_outlines_are_wound_so_that_the_inside_is_filled():
    features = {item["id"]: item["geometry"] for item in json.loads(outlines())["features"]}
    assert len(features) > 150
    for code in ("GBR", "FRA", "USA", "AUS", "ZAF"):
        for polygon in features[code]["coordinates"]:
            pairs = zip(polygon[0], polygon[0][1:], strict=False)
            assert sum((b[0] - a[0]) * (b[1] + a[1]) for a, b in pairs) > 0, f"{code} runs clockwise"


def test_everyone_is_on_the_map_or_named():
    assert [spot.place.code for spot in DATA.spots] == ["GBR", "IRL", "HUN", "AUS", "NOR"]
    ireland = DATA.spots[1].bar
    assert (ireland.name, ireland.customers, ireland.revenue) == ("EIRE", 42, 900.0), "two names, one country"
    assert map_words(DATA).endswith("Zoom out for Australia. Not on the map: Channel Islands.")


def test_what_is_drawn_is_what_was_bought():
    world, areas, points = draw_map(DATA, "light")["data"]
    assert "GBR" in world["locations"]
    assert areas["locations"] == ["GBR", "IRL", "AUS"]
    assert areas["z"][0] == pytest.approx(3.90309)
    assert areas["customdata"][1] == ["EIRE", "£900.00 from 42 customers"]
    assert points["customdata"] == [["Hungary", "£700.00 from 5 customers"]], "without an outline a mark stands there"
    table = draw_map(DATA, "dark")["layout"]["meta"]["table"]
    assert [row[0] for row in table["rows"]][-1] == "Channel Islands"
    assert len(table["rows"]) == 6


def test_nobody_at_all_is_an_empty_world():
    nobody = map_data(CountryData((), 0, None, 0.0, "GBP"))
    assert draw_map(nobody, "light")["layout"]["geo"]["lonaxis"]["range"] == [-180.0, 180.0]


def test_a_click_filters_by_the_name_in_the_sales():
    point = {"points": [{"location": "IRL", "customdata": ["EIRE", "£900.00 from 42 customers"]}]}
    once = selection_after_click(Selection(), MAP, point)
    assert once.countries == ("EIRE",)
    assert selection_after_click(once, MAP, point) == Selection()
    with pytest.raises(PreventUpdate):
        selection_after_click(Selection(), MAP, {"points": [{"location": "IRL"}]})
