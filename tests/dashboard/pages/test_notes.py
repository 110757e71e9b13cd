"""Notes and tags of runs: a form on the run's page, badges in the table of runs; and which run is published."""

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.frames.cache import FrameCache
from dashboard.pages.run import notes
from dashboard.pages.run import page as run_page
from dashboard.pages.runs import page as runs_page
from dashboard.services import Services
from tests.dashboard import shop
from tests.dashboard.headless import callback, words


@pytest.fixture
def desk(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    ids = shop.fill_rfm(store, settings)
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client:
        yield Services(settings, store, FrameCache(store)), ids, client
    store.close()


def save(client, run, note, tags):
    """What the form answers: the message, and its fields as they stand then."""
    outputs = [f"{notes.MESSAGE}.children", f"{notes.NOTE}.value", f"{notes.TAGS}.value"]
    state = [(f"{notes.NOTE}.value", note), (f"{notes.TAGS}.value", tags), (f"{run_page.RUN}.data", run)]
    answer = callback(client, outputs, [(f"{notes.SAVE}.n_clicks", 1)], state).json()["response"]
    return answer[notes.MESSAGE]["children"]["props"]["children"], answer[notes.TAGS]["value"]


def test_a_note_and_tags_are_kept_and_too_many_are_refused(desk):
    services, ids, client = desk
    assert save(client, ids["early"], " For Q4 ", "Q4 test, q4 TEST,, Anna") == ("Saved.", "Q4 test, Anna")
    run = services.store.run(ids["early"])
    assert (run.note, run.tags) == ("For Q4", ("Q4 test", "Anna"))
    message, tags = save(client, ids["early"], "", ",".join(map(str, range(13))))
    assert ("at most 12 tags" in message, tags) == (True, ",".join(map(str, range(13))))
    assert services.store.run(ids["early"]) == run
    assert save(client, ids["early"], "", "") == ("Saved.", "")
    assert services.store.run(ids["early"]).tags == ()


def test_the_table_of_runs_has_tags_and_what_is_published(desk):
    services, ids, _ = desk
    services.store.set_run_note(ids["early"], note="For Q4", tags=["Q4 test"])
    drawn = runs_page.layout(services)
    assert "Q4 test" in words(drawn) and str(drawn.to_plotly_json()).count("For Q4") == 1
    assert words(drawn).count("published") == 2, "one of each data set"
    services.store.set_run_note(ids["early"], tags=[])
    assert " note " in words(runs_page.layout(services))


def test_the_page_of_a_run_says_whether_it_is_published(desk):
    services, ids, _ = desk
    for name, is_published in (("rfm", True), ("early", False)):
        text = words(run_page.layout(services, run=str(ids[name])))
        assert ("UTC published" in " ".join(text.split())) == is_published
        assert "Note and tags" in text
