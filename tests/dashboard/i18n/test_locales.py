"""Numbers, money and dates as the settings say: the default as it always was, German on every page, files untouched."""

import re
from datetime import date

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.config import load_config
from dashboard.figures import graph_config
from dashboard.frames.cache import FrameCache
from dashboard.i18n import locales, numbers, texts
from dashboard.pages.segments.customers import column_definitions
from engines.errors import InputError
from tests.dashboard import shop
from tests.dashboard.headless import callback

SPACE = "\u00a0"
NARROW = "\u202f"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en_GB", ["1,234.5", f"27.3{SPACE}%", "€8,911,407.90", f"€8.91{SPACE}M", "-€5.00", "9 Dec 2011", "Sep 2011"]),
        ("en_US", ["1,234.5", f"27.3{SPACE}%", "€8,911,407.90", f"€8.91{SPACE}M", "-€5.00", "Dec 9, 2011", "Sep 2011"]),
        (
            "de_DE",
            [
                *("1.234,5", f"27,3{SPACE}%", f"8.911.407,90{SPACE}€", f"8,91{SPACE}Mio.{SPACE}€", f"-5,00{SPACE}€"),
                *("9. Dez. 2011", "Sept. 2011"),
            ],
        ),
        (
            "fr_FR",
            [
                *(f"1{NARROW}234,5", f"27,3{SPACE}%", f"8{NARROW}911{NARROW}407,90{SPACE}€", f"8,91{SPACE}M{SPACE}€"),
                *(f"-5,00{SPACE}€", "9 déc. 2011", "sept. 2011"),
            ],
        ),
        ("en_IN", ["1,234.5", f"27.3{SPACE}%", "€89,11,407.90", f"€8.91{SPACE}M", "-€5.00", "9 Dec 2011", "Sep 2011"]),
    ],
)
def test_each_language_writes_in_its_own_manner(language, expected):
    with locales.speaking(language):
        found = [
            *(numbers.decimal(1234.5), numbers.percent(0.273), numbers.money(8_911_407.9, "EUR")),
            *(numbers.short_money(8_911_407.9, "EUR"), numbers.money(-5.0, "EUR")),
            *(numbers.day(date(2011, 12, 9)), numbers.month(date(2011, 9, 1))),
        ]
    assert found == expected
    assert numbers.decimal(1234.5) == "1,234.5"  # what was spoken for a while is over


def test_currencies_without_cents_and_codes_stay_apart_from_their_number():
    with locales.speaking("de_DE"):
        assert numbers.money(1200.4, "JPY") == f"1.200{SPACE}¥"
        assert numbers.money(-0.3, "KRW") == f"0{SPACE}KRW"
        assert numbers.hover_money("x", "EUR") == f"%{{x:,.2f}}{SPACE}€"
    assert numbers.hover_money("x", "SEK") == f"SEK{SPACE}%{{x:,.2f}}"


@pytest.mark.parametrize("language", ["xx_YY", "de-DE", "german", ""])
def test_an_unknown_language_is_one_error_that_names_the_setting(language):
    with pytest.raises(InputError, match=r"locale\.language: there is no language") as refused:
        load_config(environ={"SEGMENTRY_LOCALE_LANGUAGE": language})
    assert '"de_DE"' in str(refused.value) and "\n" not in str(refused.value)


def test_charts_are_told_signs_and_months_only_where_they_differ():
    assert "locale" not in graph_config("x")
    with locales.speaking("de_DE"):
        told = graph_config("x")
    form = told["locales"][told["locale"]]["format"]
    assert (told["locale"], form["decimal"], form["thousands"]) == ("de-DE", ",", ".")
    assert form["shortMonths"][11] == "Dez." and form["days"][0] == "Sonntag"


@pytest.fixture(scope="module")
def german(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("german")).replace(locale={"language": "de_DE"})
    store = shop.opened(settings)
    runs = shop.fill(store, settings)
    with TestClient(create_app(settings, store, environ={}), base_url="http://localhost") as client:
        yield client, runs, store
    store.close()


def test_pages_are_written_in_german_signs(german):
    client, runs, _ = german
    assert 'data-numbers="de-DE"' in client.get("/").text
    page = callback(
        client,
        ["_pages_content.children", "_pages_store.data"],
        [("url.pathname", "/drift"), ("url.search", f"?run={runs['kmeans']}")],
    )
    assert re.search(r"0,610", page.text) and "0.610" not in page.text
    assert numbers.spoken() == "en_GB"  # no request leaves its language behind


def test_the_navigation_speaks_the_language_of_the_settings(german, tmp_path, monkeypatch):
    client, _, _ = german
    (tmp_path / "de.po").write_text('msgid "Audiences"\nmsgstr "Zielgruppen"\n', encoding="utf-8")
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    assert '"Zielgruppen"' in client.get("/_dash-layout").text
    asked = [("url.pathname", "/audiences"), ("url.search", "")]
    page = callback(client, ["_pages_content.children", "_pages_store.data"], asked)
    assert page.json()["response"]["_pages_store"]["data"] == {"title": "Zielgruppen · Segmentry"}


def test_files_and_the_api_are_for_programs(german):
    client, runs, store = german
    line = client.get(f"/api/v1/runs/{runs['rfm']}/export.csv").text.splitlines()[1]
    assert re.search(r",\d+\.\d+", line)
    told = client.get(f"/api/v1/runs/{runs['rfm']}/insights").json()
    assert "%" in str(told) and not re.search(r"\d,\d\s%", str(told))
    definitions = column_definitions(FrameCache(store).get(runs["rfm"]))
    assert any("segmentryNumber" in str(item.get("valueFormatter")) for item in definitions)
