"""The frame around every page: links in their groups, a way to every page, pickers, and places that are still empty."""

import re

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.pages import PAGES
from tests.conftest import ROOT
from tests.dashboard import shop
from tests.dashboard.headless import callback, components, key_of

GROUPS = [
    (None, ["/", "/audiences", "/value"]),
    ("Models", ["/runs", "/run", "/compare", "/choose-k", "/drift", "/migration"]),
    (None, ["/data", "/exports"]),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A client of a dashboard with runs, and the number of its K-means run."""
    settings = shop.config(tmp_path_factory.mktemp("frame"))
    store = shop.opened(settings)
    ids = shop.fill(store, settings)
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client:
        yield client, ids["kmeans"]
    store.close()


@pytest.fixture(scope="module")
def frame(desk):
    return desk[0].get("/_dash-layout").json()


def named(node, name):
    return next(part["props"] for part in components(node) if part["props"].get("id") == name)


def drawn(client, path, search):
    """A page as it is drawn in the frame."""
    answer = callback(
        client,
        ["_pages_content.children", "_pages_store.data"],
        [("_pages_location.pathname", path), ("_pages_location.search", search)],
    )
    return answer.json()["response"]["_pages_content"]["children"]


def paths(node):
    """The addresses that links lead to, without their query."""
    return [part["props"]["href"].partition("?")[0] for part in components(node) if part["props"].get("href")]


def test_links_stand_in_their_groups(frame):
    side = named(frame, "shell-navigation")
    lists = [part["props"] for part in components(side) if part["type"] == "Ul"]
    headings = [
        named(frame, each["aria-labelledby"])["children"] if "aria-labelledby" in each else None for each in lists
    ]
    assert list(zip(headings, map(paths, lists), strict=True)) == GROUPS
    assert [part["type"] for part in components(side) if part["type"] in ("Hr", "Ul")] == ["Ul", "Hr", "Ul", "Hr", "Ul"]
    assert side["aria-label"] == "Pages"


def test_a_link_leads_to_each_page_and_to_new_run_a_button(desk, frame):
    client, run = desk
    linked = paths(named(frame, "shell-navigation"))
    assert sorted({page.PATH for page in PAGES} - set(linked)) == ["/new"]
    assert len(linked) == len({*linked}) + 1  # the brand leads to the first page as well
    for path in ("/runs", "/data"):
        buttons = [
            part["props"]["href"]
            for part in components(drawn(client, path, f"?run={run}"))
            if "btn-primary" in (part["props"].get("className") or "") and part["props"].get("href")
        ]
        assert buttons == [f"/new?run={run}"], path


def test_where_nothing_is_loaded_the_data_page_offers_no_run(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client:
        assert "/new" not in paths(drawn(client, "/data", ""))
    store.close()


def test_every_link_hears_of_page_and_run(desk, frame):
    """What the browser does with that is in tests/browser/test_frame_journey.py."""
    (found,) = (each for each in desk[0].get("/_dash-dependencies").json() if "shell-link" in each["output"])
    assert found["clientside_function"] == {"namespace": "segmentry", "function_name": "links"}
    assert [f"{each['id']}.{each['property']}" for each in found["inputs"]] == ["url.pathname", "shell-run.data"]
    links = [part["props"]["id"] for part in components(frame) if part["type"] == "NavLink"]
    assert links == [{"type": "shell-link", "path": path} for _, group in GROUPS for path in group]
    assert [found["state"][0]["id"]] == [key_of({"type": "shell-link", "path": ["ALL"]})]


def test_the_header_has_the_pickers_and_its_places(frame):
    header = next(part["props"] for part in components(frame) if part["type"] == "Header")
    order = [key_of(part["props"]["id"]) for part in components(header) if part["props"].get("id")]
    assert order == [
        *("shell-menu", "context-dataset", "context-snapshot", "context-run"),
        *("shell-synthetic", "shell-standing", "shell-bell", "shell-theme"),
    ]
    menu = named(frame, "shell-menu")
    assert (menu["aria-expanded"], menu["aria-controls"]) == ("false", "shell-navigation")


def test_places_to_come_are_there_and_empty(frame):
    for name in ("shell-standing", "shell-banner"):
        assert not named(frame, name).get("children"), name
    style = (ROOT / "assets" / "frame.css").read_text(encoding="utf-8")
    assert re.findall(r"^#shell-(\w+):empty { display: none; }$", style, re.M) == ["standing", "banner"]
    page = next(part for part in components(frame) if part["props"].get("className") == "seg-beside")
    names = [part["props"].get("id") for part in page["props"]["children"]]
    assert names == [None, "shell-banner", "shell-alert", "content"]  # header, banner, what went wrong, page


def test_style_and_script_agree_on_what_a_small_screen_is():
    script, style = ((ROOT / "assets" / name).read_text(encoding="utf-8") for name in ("navigation.js", "frame.css"))
    wide = int(re.search(r"\(min-width: (\d+)px\)", script)[1])
    panel = re.search(r"@media \(max-width: ([\d.]+)px\) {\n  \.seg-frame", style)[1]
    assert float(panel) == pytest.approx(wide - 0.02)
