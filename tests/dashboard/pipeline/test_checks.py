"""Checks before a run is published: each fails where it should, and says what was seen."""

from dataclasses import replace
from datetime import date

import pytest

from dashboard.pipeline.checks import checks, failed_words
from tests.dashboard import shop


@pytest.fixture
def desk(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)

    def stored(customers: int, dropped: int = 0, day: int = 1):
        ledger = {"in": {"lines": 1000}, "rules": [{"rule": "no_customer", "lines": dropped}], "notes": [], "out": {}}
        new = replace(shop.new_snapshot("shop", date(2011, 12, day)), ledger=ledger)
        return store.run(shop.run(store, settings, store.save_snapshot(new, shop.customers(customers)), "rfm"))

    yield settings, store, stored
    store.close()


def sized(run, *customers):
    return replace(run, segments=tuple(replace(run.segments[n], customers=size) for n, size in enumerate(customers)))


def failed(desk, candidate, published):
    return {item["name"]: item["text"] for item in checks(desk[1], desk[0], candidate, published) if not item["passed"]}


def test_a_run_like_the_published_one_passes(desk):
    *_, stored = desk
    then, now = stored(100, 20), stored(95, 90, day=2)
    found = checks(desk[1], desk[0], sized(now, 30, 30), sized(then, 31, 29))
    assert [(item["name"], item["passed"]) for item in found] == [
        *(("customers", True), ("ledger", True), ("segments", True), ("stability", True))
    ]
    assert found[0]["text"] == "95 customers, -5.0% against 100 of the published run; at most 20% fewer."
    assert failed_words(found) == []


def test_customers_who_are_fewer_by_more_than_a_fifth(desk):
    *_, stored = desk
    then, now = stored(100), stored(79, day=2)
    found = failed(desk, sized(now, 1, 1), sized(then, 1, 1))
    assert found == {"customers": "79 customers, -21.0% against 100 of the published run; at most 20% fewer."}
    assert not failed(desk, sized(stored(80, day=3), 1, 1), sized(then, 1, 1))
    assert not failed(desk, sized(then, 1, 1), sized(now, 1, 1)), "more are welcome"


def test_a_rule_that_drops_much_more_or_less_than_before(desk):
    *_, stored = desk
    then, now = stored(50, 20), stored(50, 130, day=2)
    for one, other in ((now, then), (then, now)):
        (found,) = failed(desk, sized(one, 1, 1), sized(other, 1, 1)).items()
        assert found[0] == "ledger" and "The rule no_customer drops" in found[1]


def test_a_segment_twice_its_size(desk):
    *_, stored = desk
    run = stored(50)
    found = failed(desk, replace(sized(run, 40, 60), id=99), sized(run, 20, 80))
    assert list(found) == ["segments"]
    assert f"{run.segments[0].name} holds 40.0% of the customers, 20.0% in the published run" in found["segments"]
    assert not failed(desk, replace(sized(run, 39, 61), id=99), sized(run, 20, 80))
    renamed = replace(run, id=99, segments=tuple(replace(item, name=f"New {item.key}") for item in run.segments))
    assert not failed(desk, renamed, run)


def test_an_engine_that_is_not_stable(desk):
    *_, stored = desk
    run = stored(50)
    unstable = replace(run, metrics={**run.metrics, "stability": 0.59})
    assert list(failed(desk, unstable, None)) == ["stability"]
    assert not failed(desk, replace(run, metrics={"stability": 0.6}), None)
    assert [item["name"] for item in checks(desk[1], desk[0], run, run)] == ["stability"], "nothing to compare with"


def test_the_limits_are_settings(desk):
    settings, store, stored = desk
    then, now = stored(100), stored(50, 300, day=2)
    mild = settings.replace(publish={"customers_drop": 0.5, "ledger_points": 0.3, "segment_growth": 9.0})
    assert all(item["passed"] for item in checks(store, mild, sized(now, 40, 60), sized(then, 20, 80)))
    strict = settings.replace(publish={"stability": 0.99})
    unstable = replace(now, metrics={"stability": 0.98})
    assert failed_words(checks(store, strict, unstable, None))
