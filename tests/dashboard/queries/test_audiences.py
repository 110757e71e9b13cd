"""Saved audiences: saved from the desk, counted on every date, and honest where a name is missing."""

from dataclasses import replace
from datetime import date
from urllib.parse import urlencode

import dash
import numpy as np
import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.components import ids
from dashboard.frames.cache import FrameCache
from dashboard.pages.audiences import page
from dashboard.pages.audiences.page import audience_cards
from dashboard.pages.segments import page as segments
from dashboard.pages.segments.dialogs import pinned_audiences
from dashboard.queries import audiences
from dashboard.services import Services
from engines.errors import InputError
from storage.contract import Selection
from tests.dashboard import shop
from tests.dashboard.headless import callback_of, words


@pytest.fixture
def services(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    runs = {}
    for number, day in enumerate((date(2011, 10, 1), date(2011, 11, 1), date(2011, 12, 10))):
        snapshot = store.save_snapshot(shop.new_snapshot("shop", day), shop.customers(200 + 50 * number, seed=number))
        runs[number] = shop.run(store, settings, snapshot, "rfm")
    shop.publish(store, runs[2])
    yield Services(settings, store, FrameCache(store)), runs
    store.close()


def counted(services, run, selection):
    return int(np.count_nonzero(services.frames.get(run).mask(selection)))


def test_an_audience_is_counted_on_every_date(services):
    made, runs = services
    selection = Selection(countries=("Germany",), bounds={"monetary": (40.0, None)})
    saved = audiences.save(made, "Germans", selection, made.store.run(runs[2]))
    assert (saved.dataset, saved.engine) == ("shop", "rfm")
    found = audiences.sizes(made, saved)
    assert [(size.run.id, size.customers) for size in found.counted] == [
        (runs[number], made.store.count(runs[number], selection)) for number in range(3)
    ]
    with pytest.raises(InputError, match="already"):
        audiences.save(made, " Germans ", Selection(), None)


def test_a_name_that_a_run_does_not_have_is_said_and_not_counted_as_nobody(services):
    made, runs = services
    run = made.store.run(runs[2])
    segment = run.segments[0]
    saved = audiences.save(made, "Green", Selection(segments=("Evergreens",)), run)
    both = audiences.save(made, "Both", Selection(segments=("Evergreens", run.segments[1].name)), run)
    scores = audiences.save(made, "Spenders to come", Selection(bounds={"expected_purchases": (5.0, None)}), run)
    old, _, now = audiences.sizes(made, saved).counted
    assert (old.customers, old.missing) == (None, ("Evergreens",))
    assert (now.customers, now.missing) == (None, ("Evergreens",))
    old, _, now = audiences.sizes(made, both).counted
    assert old.missing == ("Evergreens",) and old.customers is not None
    assert now.customers == run.segments[1].customers
    assert "The run of 1 Oct 2011 has no Evergreens." in words(audience_cards(made))
    # once a segment is called so, it is meant on every date that has it
    made.store.edit_segment(run.id, segment.key, revision=segment.revision, name="Evergreens")
    green = audiences.save(made, "Greens", Selection(segments=("Evergreens",)), made.store.run(run.id))
    assert green.selection == urlencode({"segment": segment.identity})
    assert [size.missing for size in audiences.sizes(made, green).counted][-1] == ()
    assert audiences.sizes(made, scores).counted[-1].missing == ("Expected purchases",)
    said = words(audience_cards(made))
    assert "has no Expected purchases" in said


def test_earlier_dates_are_counted_while_that_is_quick(services, monkeypatch):
    made, runs = services
    saved = audiences.save(made, "Everyone", Selection(), made.store.run(runs[2]))
    monkeypatch.setattr(audiences, "_COUNTED", 260)
    assert "Count 1 earlier date as well" in words(audience_cards(made))
    monkeypatch.setattr(audiences, "_COUNTED", 0)
    few = audiences.sizes(made, saved, every_date=False)
    assert ([size.run.id for size in few.counted], few.uncounted) == ([runs[1], runs[2]], 1)
    assert len(audiences.sizes(made, saved).counted) == 3
    assert "Count" not in words(audience_cards(made)), "what was counted once is known"


def test_the_api_saves_renames_pins_counts_and_forgets(services):
    made, runs = services
    with TestClient(create_app(made.config, made.store, environ={}), base_url="http://127.0.0.1") as api:
        new = {"name": "Germans", "selection": "?country=Germany&min_clv=10", "run": runs[2], "pinned": True}
        saved = api.post("/api/v1/audiences", json=new)
        assert saved.status_code == 201
        number = saved.json()["id"]
        assert api.get("/api/v1/audiences").json() == [saved.json()]
        assert saved.json()["selection"] == "country=Germany&min_clv=10"
        for refused in (new, {**new, "name": ""}, {**new, "name": "x", "selection": "min_clv=much"}, {"name": "x"}):
            assert api.post("/api/v1/audiences", json=refused).status_code == 422
        assert api.post("/api/v1/audiences", json={**new, "name": "x", "run": 999}).status_code == 404
        changed = api.patch(f"/api/v1/audiences/{number}", json={"name": "Berliners", "pinned": False}).json()
        assert (changed["name"], changed["pinned"]) == ("Berliners", False)
        over_time = api.get(f"/api/v1/audiences/{number}/sizes").json()["sizes"]
        wanted = Selection(countries=("Germany",), bounds={"clv": (10.0, None)})
        assert [row["customers"] for row in over_time] == [made.store.count(run, wanted) for run in runs.values()]
        assert api.delete(f"/api/v1/audiences/{number}").status_code == 204
        for verb in (api.get, api.delete):
            assert verb(f"/api/v1/audiences/{number}{'/sizes' if verb == api.get else ''}").status_code == 404


def test_the_desk_saves_what_is_in_view_and_shows_pinned_ones(services):
    made, runs = services
    app = dash.Dash("saver", suppress_callback_exceptions=True)
    app.layout = dash.html.Div([dash.dcc.Location(id=ids.LOCATION), dash.dcc.Store(id=ids.THEME)])
    segments.register(app, made)
    client = app.server.test_client()
    shown = {"segments-drawn.data": {"run": runs[2], "query": "?country=Germany"}, "segments-audience-pin.value": True}

    def click(button, **values):
        given = {**shown, f"segments-audience-{button}.n_clicks": 1, **values}
        answer = callback_of(client, "segments-audience-window.is_open", given, f"segments-audience-{button}.n_clicks")
        return answer.json["response"]

    assert "Germany" in click("open")["segments-audience-words"]["children"]
    assert "name" in click("save")["segments-audience-refused"]["children"]
    saved = click("save", **{"segments-audience-name.value": "Germans"})
    assert saved["segments-audience-window"]["is_open"] is False
    assert "Germans" in str(saved["segments-pinned"]["children"])
    assert (
        "already"
        in click("save", **{"segments-audience-name.value": "Germans"})["segments-audience-refused"]["children"]
    )
    (audience,) = made.store.audiences()
    assert (audience.selection, audience.dataset, audience.engine) == ("country=Germany", "shop", "rfm")
    query = urlencode({"run": runs[0], "country": "Germany"})
    assert f"/?{query}" in str(pinned_audiences(made, made.store.run(runs[0])).to_plotly_json())


def test_the_page_pins_renames_and_deletes_after_a_question(services):
    made, runs = services
    assert "No audience yet" in words(page.layout(made, run=str(runs[0])))
    audience = audiences.save(made, "Germans", Selection(countries=("Germany",)), made.store.run(runs[2]))
    assert f"Export {counted(made, runs[2], Selection(countries=('Germany',)))} customers" in words(page.layout(made))

    def click(button, name=None, asked=None):
        return page._done(made, button, name, asked)

    click({"type": "audiences-pin", "id": audience.id})
    assert made.store.audience(audience.id).pinned
    assert click({"type": "audiences-rename", "id": audience.id})["name"] == "Germans"
    click(page.RENAME, "Berliners", audience.id)
    assert made.store.audience(audience.id).name == "Berliners"
    assert "Berliners" in click({"type": "audiences-delete", "id": audience.id})["which"]
    click(page.SPARE, None, audience.id)
    assert made.store.audiences()
    click(page.DELETE, None, audience.id)
    assert not made.store.audiences()


def test_an_audience_of_an_older_version_says_what_to_do_instead(services, monkeypatch):
    made, runs = services
    saved = audiences.save(made, "Drawn", Selection(), made.store.run(runs[2]), pinned=True)
    drawn = replace(saved, selection="area=clv,monetary,1,1,5,1,5,9")
    monkeypatch.setattr(made.store, "audiences", lambda: [drawn])
    (card,) = audience_cards(made)
    assert "give a range of each column instead" in words(card)
    assert pinned_audiences(made, made.store.run(runs[2])) is None
