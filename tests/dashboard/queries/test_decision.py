"""What the card on Compare says of publishing a run: people and money that change segment, and audiences it touches."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from dashboard.components.publishing import decision_card
from dashboard.frames.cache import FrameCache
from dashboard.queries import audiences
from dashboard.queries.decision import decision_on
from dashboard.services import Services
from storage.contract import Selection
from tests.dashboard import shop
from tests.dashboard.headless import words


@pytest.fixture
def desk(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    runs = shop.fill(store, settings)
    yield Services(settings, store, FrameCache(store), {}), runs
    store.close()


def test_people_money_and_audiences_are_those_that_change(desk):
    services, runs = desk
    store = services.store
    published, candidate = store.run(store.published("shop").run_id), store.run(runs["kmeans"])
    sizes = [{item.known_by: item.customers for item in run.segments} for run in (published, candidate)]
    shared = next(known for known, size in sizes[0].items() if sizes[1].get(known, size) != size)
    best = Selection(segments=(shared,))
    any_engine = store.save_audience("The best", urlencode({"segment": shared}), pinned=False, dataset="shop")
    store.save_audience("Nobody's", "min_clv=1", pinned=False, dataset="shop")
    found = decision_on(services, candidate)
    assert found is not None and found.published == published
    labels = {run.id: store.labels(run.id) for run in (published, candidate)}
    known = {run.id: {item.key: item.known_by for item in run.segments} for run in (published, candidate)}
    then, now = (labels[run.id].map(known[run.id]) for run in (published, candidate))
    changed = then.index[then != now.reindex(then.index)]
    spent = store.snapshot_customers(candidate.snapshot_id)["monetary"]
    assert (found.known, found.changed, found.new, found.gone) == (len(then), len(changed), 0, 0)
    assert found.money == pytest.approx(spent[changed].sum())
    assert [item.name for item in found.audiences] == [any_engine.name]
    (touched,) = found.audiences
    assert (touched.before, touched.after) == (store.count(published.id, best), store.count(candidate.id, best))
    assert {check["name"] for check in found.checks} == {"customers", "ledger", "segments", "stability"}
    said = words(decision_card(found, "GBP"))
    assert f"{len(changed)} customers of {len(then)}" in said and "The best" in said
    assert audiences.count_on(services, candidate, best) == touched.after


def test_there_is_nothing_to_decide_about_the_published_run_and_one_that_is_not_finished(desk):
    services, runs = desk
    published = services.store.published("shop").run_id
    assert decision_on(services, services.store.run(published)) is None
    assert decision_on(services, services.store.run(runs["queued"])) is None


def test_an_earlier_date_says_who_is_new_and_who_is_gone(desk):
    services, runs = desk
    early = services.store.run(runs["early"])
    found = decision_on(services, early)
    assert found is not None
    now = set(services.store.labels(early.id).index)
    then = set(services.store.labels(found.published.id).index)
    assert (found.known, found.new, found.gone) == (len(now & then), len(now - then), len(then - now))
    assert not {check["name"]: check["passed"] for check in found.checks}["customers"]
