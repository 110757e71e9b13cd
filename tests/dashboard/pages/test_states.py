"""What pages say when there is nothing, little, too much or something odd to show."""

import dash
import pytest

from dashboard.frames.cache import FrameCache
from dashboard.frames.filters import read_view
from dashboard.pages import PAGES
from dashboard.pages.segments.charts import CHARTS
from dashboard.pages.segments.view import draw_parts
from dashboard.services import Services
from tests.dashboard import shop
from tests.dashboard.headless import words
from tests.dashboard.pages import states

FINISHED = ("wordy", "single", "nowhere", "crowd", "returns", "yen", "signless")
EVERY = [chart.name for chart in CHARTS]


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("states"))
    store = shop.opened(settings)
    dash.Dash("states", use_pages=False)
    yield Services(settings, store, FrameCache(store)), states.fill(store, settings)
    store.close()


@pytest.fixture
def nothing(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    yield Services(settings, store, FrameCache(store))
    store.close()


def shown(edge, name, query=""):
    services, ids = edge
    view = read_view(f"?run={ids[name]}{query}")
    return draw_parts(services, view, view.selection, "light", None, EVERY)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.PATH)
@pytest.mark.parametrize("name", [*FINISHED, "failed", "running", "queued"])
def test_every_page_can_be_drawn(edge, page, name):
    services, ids = edge
    assert words(page.layout(services, run=str(ids[name])))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.PATH)
def test_where_nothing_is_loaded_every_page_says_what_to_do_first(nothing, page):
    text = words(page.layout(nothing))
    ways = ("Add sales", "Drop a file", "Go to the segments", "Load the example shop")
    assert page.PATH == "/" or any(way in text for way in ways)


def test_where_nothing_is_loaded_the_example_is_one_click_away(nothing):
    view = read_view("")
    text = words(draw_parts(nothing, view, view.selection, "light", None, EVERY)["notice"])
    assert "No customers yet" in text and "Add sales" in text and "Load the example shop" in text


def test_unfinished_runs_say_how_they_stand(edge):
    assert "it did not work out. Try another k." in words(shown(edge, "failed")["notice"])
    assert "is being worked on" in words(shown(edge, "running")["notice"])
    assert "is waiting to be worked on" in words(shown(edge, "queued")["notice"])


def test_an_empty_result_names_the_filter_and_offers_to_drop_it(edge):
    text = words(shown(edge, "crowd", "&country=Country+001&min_clv=99999999")["notice"])
    assert "Drop “CLV ≥ £100.00" in text.replace("\u00a0", " ") or "Drop “CLV" in text


def test_long_names_stand_whole_where_they_can_be_read(edge):
    parts = shown(edge, "wordy", f"&segment={states.SEGMENT}&country={states.LONG}")
    assert parts["head"][0].title == states.LONG
    assert states.SEGMENT in words(parts["chips"]) and states.LONG in words(parts["chips"])
    assert states.LONG in words(parts["table"])
    ticks = parts["figures"]["boxes"]["layout"]["yaxis"]
    assert states.SEGMENT in ticks["tickvals"] and max(map(len, ticks["ticktext"])) <= 26
    assert [item["label"].title for item in parts["options"]["segments"]].count(states.SEGMENT) == 1


def test_one_segment_is_compared_with_nothing(edge):
    parts = shown(edge, "single")
    assert "most revenue" not in words(parts["insights"])
    assert "Half of" in parts["words"]["boxes"]


def test_without_country_and_value_the_charts_say_why(edge):
    parts = shown(edge, "nowhere")
    assert "do not say where customers live" in parts["words"]["countries"]
    assert "have not been valued" in parts["words"]["boxes"]
    assert parts["country_group"] and words(parts["kpis"]).count("no value model ran") == 2
    assert "nan" not in words(parts["kpis"]).lower()


def test_two_hundred_countries_are_listed_and_drawn_in_part(edge):
    parts = shown(edge, "crowd")
    assert len(parts["options"]["countries"]) == 200
    assert "200 countries" in parts["words"]["countries"]
    assert len(parts["figures"]["countries"]["data"][0]["y"]) == 13


def test_more_returns_than_sales_are_shown_as_they_are(edge):
    text = words(shown(edge, "returns")["kpis"])
    assert "nan" not in text.lower() and "inf" not in text.lower()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.PATH)
def test_without_a_currency_no_page_has_a_sign_or_an_empty_unit(edge, page):
    services, ids = edge
    text = words(page.layout(services, run=str(ids["signless"])))
    assert not [sign for sign in ("£", "€", "$", "GBP", "None", "()") if sign in text and page.PATH != "/data"]


def test_without_a_currency_amounts_are_plain_numbers(edge):
    parts = shown(edge, "signless")
    text = words(parts["kpis"]) + words(parts["table"]) + words(parts["insights"]) + str(parts["words"])
    text += str(parts["figures"])
    assert not [sign for sign in ("£", "€", "¥", "GBP", "None", "()", "( ") if sign in text]
    assert "Revenue 2" in words(parts["kpis"]) or "Revenue 1" in words(parts["kpis"])
    assert parts["figures"]["boxes"]["layout"]["xaxis"]["title"]["text"] in ("CLV (logarithmic)", "CLV")


def test_a_currency_without_cents_has_none(edge):
    parts = shown(edge, "yen")
    text = words(parts["kpis"]) + words(parts["table"]) + parts["words"]["boxes"]
    assert "¥" in text and ".00" not in text
