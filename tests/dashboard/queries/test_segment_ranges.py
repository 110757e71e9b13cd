"""What a segment is likely to spend in all, with its range, in the API and in the drawer."""

from __future__ import annotations

from datetime import date

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.frames.cache import FrameCache
from dashboard.pages.segments.about_segment import about_segment
from dashboard.services import Services
from engines.value.validation.spread import TotalSpread
from tests.dashboard import shop
from tests.dashboard.headless import words

SPREAD = TotalSpread(0.1, 0.2, 0.3, 182, 5.0, ("2011-06-01",), ("cdnow",))


def test_api_and_drawer_have_the_range_of_the_sum(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    value = {"spread": SPREAD.to_dict(), "interval": 0.8}
    known = store.save_snapshot(shop.new_snapshot("known", date(2011, 12, 10), value=value), shop.customers(80))
    unknown = store.save_snapshot(shop.new_snapshot("unknown", date(2011, 12, 10)), shop.customers(80))
    run, plain = (shop.run(store, settings, snapshot, "rfm") for snapshot in (known, unknown))
    services = Services(settings, store, FrameCache(store))
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1/api/v1") as client:
        segments = client.get(f"/runs/{run}/segments").json()
        assert sum(item["total_clv"] for item in segments) == pytest.approx(shop.customers(80)["clv"].sum())
        for item in segments:
            assert item["clv_range"] == pytest.approx(list(SPREAD.of_part(item["total_clv"], 0.8)))
            one = client.get(f"/runs/{run}/segments/{item['key']}").json()["figures"]
            assert one["clv_range"] == item["clv_range"] and one["total_clv"] == item["total_clv"]
        assert {item["clv_range"] for item in client.get(f"/runs/{plain}/segments").json()} == {None}
    for number, has_range in ((run, True), (plain, False)):
        _, parts = about_segment(services, number, segments[0]["key"])
        assert ("CLV, in all" in " ".join(words(part) for part in parts)) == has_range
    store.close()
