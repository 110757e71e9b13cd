"""The present moment is asked for in one place, and a page can be looked at as of another."""

import re
from dataclasses import replace
from datetime import date, timedelta

from dashboard.frames.cache import FrameCache
from dashboard.pages.new_run import page as new_run
from dashboard.services import Services
from tests.conftest import ROOT
from tests.dashboard import shop
from tests.dashboard.headless import words
from tests.storage.samples import claim_run

ASKS = re.compile(r"\bdatetime\.(?:now|utcnow)\(|\bdate\.today\(|\btime\.time\(")


def test_nobody_else_asks_for_the_time():
    asking = [path.name for path in (ROOT / "dashboard").rglob("*.py") if ASKS.search(path.read_text(encoding="utf-8"))]
    assert asking == ["clock.py"]


def test_how_long_is_left_is_told_by_the_clock_that_pages_are_handed(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    made = store.save_snapshot(shop.new_snapshot("shop", date(2011, 12, 10)), shop.customers(20))
    run = store.queue_run(made.id, "kmeans", {})
    begun = claim_run(store, "a").started_at
    store.renew_job(run.job_id, "a", lease_seconds=60, stage="Storing", progress=0.5)
    services = Services(settings, store, FrameCache(store))
    for passed, told in ((4, "a few seconds left"), (40, "about 40 s left"), (600, "about 10 min left")):
        then = replace(services, clock=lambda passed=passed: begun + timedelta(seconds=passed))
        assert told in words(new_run.layout(then, started=str(run.id)))
    store.close()
