"""What is said of a segment: meaning and action only where they are true, with the reason; neutral names in words."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.components.segment_table import what_to_do
from dashboard.config import load_config
from dashboard.frames.cache import FrameCache
from dashboard.i18n import texts
from dashboard.i18n.locales import speaking
from dashboard.i18n.texts import segment_name
from dashboard.pages.run.sections import segment_section
from dashboard.pages.segments.about_segment import about_segment
from dashboard.queries.advice import Advice, advice_on
from dashboard.services import Services
from engines.contract import Facts, NamedSegment
from engines.naming.neutral import TRAITS, neutral_name, parts_of, still_true
from tests.dashboard import shop
from tests.dashboard.headless import words

PLAYS = load_config(environ={}).plays
BOOK = {play.name: play for play in PLAYS}
BEST = Facts(1.0, 0.66, 12.0, 93.0, 9.25, 4.3, 6200.0, 2054.0, 1, 280.0, 224.0)
GONE = Facts(0.1, 0.66, 250.0, 93.0, 1.2, 4.3, 300.0, 2054.0, 2, 270.0, 224.0)


def named(name, facts, action=None):
    text = BOOK[name].action if action is None else action
    return NamedSegment(
        0, name, text, "#004488", 9, 0.1, facts.recency, facts.frequency, facts.spend, None, facts=facts
    )


def test_why_an_advice_is_given_is_one_line_with_the_figures():
    advice = advice_on(named("Champions", BEST), PLAYS, "GBP")
    assert advice.description == "Bought recently, buy often and spend much."
    assert advice.why == (
        "Why this advice: 100% ordered more than once (all: 66%); last order 12 days ago on average (all: 93); "
        "9.2 orders on average (all: 4.3); £6,200 spent on average (all: £2,054); "
        "number 1 by mean spend among the segments that came as recently."
    )


def test_of_money_that_nobody_knows_nothing_is_said():
    without = dataclasses.replace(BEST, spend=0.0, spend_of_all=0.0)
    assert "spen" not in advice_on(named("Champions", without), PLAYS, "").why


def test_what_is_not_true_is_not_said():
    advice = advice_on(named("Champions", GONE, action=""), PLAYS, "GBP")
    assert advice.description == ""
    assert advice.why.startswith("No advice: that for Champions is not meant for such customers (10% ordered more than")
    assert "last order 250 days ago on average (all: 93)" in advice.why
    assert advice_on(named("Champions", GONE, action="Write to them."), PLAYS, "GBP") == Advice("", "")
    neutral = advice_on(named("Recent, small baskets", BEST, action=""), PLAYS, "GBP")
    assert neutral == Advice("", "No advice: no name of the playbook is true of these customers.")


def test_an_action_by_hand_and_a_run_of_an_earlier_version_have_no_reason():
    assert advice_on(named("Champions", BEST, action="Ring them."), PLAYS, "GBP").why == ""
    earlier = dataclasses.replace(named("Champions", GONE), facts=None)
    assert advice_on(earlier, PLAYS, "GBP") == Advice(BOOK["Champions"].description, "")
    assert advice_on(named("Friends", BEST, action=""), PLAYS, "GBP") == Advice("", "")


def test_no_line_is_drawn_for_what_is_not_there():
    assert [words(line) for line in what_to_do(named("Champions", BEST, action=""), "")] == []
    assert [words(line) for line in what_to_do(named("Champions", BEST), "Why.")] == [BOOK["Champions"].action, "Why."]


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """A filled store, with its runs by name."""
    settings = shop.config(tmp_path_factory.mktemp("advice"))
    store = shop.opened(settings)
    runs = shop.fill(store, settings)
    yield Services(settings, store, FrameCache(store)), runs
    store.close()


def test_every_face_says_why_or_says_nothing(services):
    services, runs = services
    run = services.store.run(runs["kmeans"])
    snapshot = services.store.snapshot(run.snapshot_id)
    page = words(segment_section(run, snapshot, services.config.plays, "run"))
    application = create_app(services.config, services.store, environ={})
    with TestClient(application, base_url="http://127.0.0.1/api/v1") as client:
        listed = {item["key"]: item for item in client.get(f"/runs/{run.id}/segments").json()}
        for item in run.segments:
            why = advice_on(item, services.config.plays, snapshot.currency).why
            assert why and item.facts is not None
            assert listed[item.key]["why"] == why == client.get(f"/runs/{run.id}/segments/{item.key}").json()["why"]
            assert listed[item.key]["facts"]["recency"] == pytest.approx(item.recency)
            assert why in page
            _, panel = about_segment(services, run.id, item.key)
            assert why in " ".join(words(part) for part in panel)
            assert ("What to do:" in words(panel[0])) == bool(item.action)


# --- neutral names in other languages -------------------------------------------------------------------------------


def test_neutral_names_are_said_in_the_language_of_the_request(tmp_path: Path, monkeypatch):
    (tmp_path / "de.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "recent"\nmsgstr "kürzlich da"\n\nmsgid "small baskets"\nmsgstr "kleine Körbe"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    assert segment_name("Recent, small baskets") == "Recent, small baskets"
    with speaking("de"):
        assert segment_name("Recent, small baskets") == "Kürzlich da, kleine Körbe"
        assert segment_name("Recent, small baskets 2") == "Kürzlich da, kleine Körbe 2"
        assert segment_name("Recent, small beer") == "Recent, small beer"


def test_neutral_names_say_the_two_most_telling_traits_and_more_where_they_must():
    tell = {"recency": -0.9, "basket": -0.5, "spend": -1.2, "frequency": 0.4}
    first = neutral_name(tell, set())
    assert first == "Recent, low spend"
    second = neutral_name(tell, {first})
    assert second == "Recent, many orders, low spend"
    assert neutral_name({"basket": 0.5, "spend": 0.6, "tenure": -0.2}, set()) == "High spend, short history"
    assert neutral_name({"recency": 0.5}, set()) == "Long away, otherwise typical"
    assert neutral_name({}, set()) == "Typical customers"
    taken: set[str] = set()
    for _ in range(30):
        taken.add(neutral_name(tell, taken))
    assert len(taken) == 30 and "Recent, low spend 2" in taken
    assert all(part in {word for trait in TRAITS for word in trait[1:]} for part in parts_of(second))
    assert still_true(first, {**tell, "recency": -0.2}) and not still_true(first, {**tell, "recency": 0.2})
    assert not still_true("Typical customers", tell) and not still_true("Champions", tell)
