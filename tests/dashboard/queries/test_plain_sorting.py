"""Engines against plain sorting by what customers have spent and by their forecast: on CDNOW, no engine beats it."""

import json
from datetime import date

import numpy as np
import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.frames.cache import FrameCache
from dashboard.pages.compare import page as compare_page
from dashboard.pages.run import page as run_page
from dashboard.pipeline.run import run_sales
from dashboard.pipeline.sales import SalesRequest
from dashboard.queries.comparison import compare, plain_sortings, verdict_of
from dashboard.queries.comparison_tables import comparison_table
from dashboard.services import Services
from engines import features, intake
from tests.dashboard import shop
from tests.dashboard.headless import callback


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("sorting"))
    store = shop.opened(settings)
    outcome = run_sales(SalesRequest("cdnow-sample", ("rfm", "kmeans")), settings, store)
    app = create_app(settings, store, environ={})
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield Services(settings, store, FrameCache(store)), client, [run.id for run in outcome.runs]
    store.close()


@pytest.mark.slow
def test_what_sorting_captures_is_what_the_top_fifth_spent_later(desk):
    services, _, ids = desk
    with intake.read_sales("cdnow-sample") as sales:
        before = features.build_customers(sales.table, as_of=date(1998, 2, 15))
        now = features.build_customers(sales.table, as_of=sales.as_of)
    later = (now["monetary"] - before["monetary"].reindex(now.index).fillna(0)).reindex(before.index).to_numpy()
    order = np.argsort(-before["monetary"].to_numpy(), kind="stable")
    fifth = later[order][: round(0.2 * len(order))].sum() / later.sum()
    found = plain_sortings([services.store.run(run_id) for run_id in ids])
    assert found["monetary"].top == pytest.approx(fifth, abs=0.005)
    assert found["clv"].top > 0.6 and found["clv"].since == "1998-02-15"


@pytest.mark.slow
def test_the_recommendation_says_that_no_engine_beats_it(desk):
    services, client, ids = desk
    compared = compare(services.frames, ids)
    words = verdict_of(compared, ["RFM", "K-means"]).plain_sorting
    assert words.startswith("No engine beats plain sorting") and "sorted by forecast (CLV as of then)" in words
    tops = {item["column"]: item["top"] for item in client.get("/api/v1/compare", params={"run": ids}).json()["sorted"]}
    assert f"{100 * tops['clv']:.1f} %" in words
    answer = client.get("/api/v1/compare", params={"run": ids}).json()
    assert answer["recommendation"]["plain_sorting"] == words
    assert tops["clv"] > max(item["top"] for item in answer["captured"]) > 0.6
    rows = comparison_table("captured", compared, ["RFM", "K-means"]).rows
    assert ("sorted by past spend", 0.2) in {(row[0], row[1]) for row in rows}


def test_both_pages_show_it(desk):
    services, client, ids = desk
    asked = [("compare-runs.value", ids), ("theme.data", "light")]
    state = [("compare-one.value", str(ids[0])), ("compare-other.value", str(ids[1]))]
    outputs = [f"compare-{name}" for name in ("lead.children", "body.children", "one.options", "one.value")]
    outputs += ["compare-other.options", "compare-other.value"]
    shown = callback(client, outputs, asked, state).text
    assert "Against plain sorting" in shown and "No engine beats plain sorting" in shown
    assert "Sorted by past spend" in shown and "Sorted by forecast (CLV as of then)" in shown
    assert compare_page.PATH == "/compare"
    page = run_page.layout(services, run=str(ids[1])).to_plotly_json()
    text = json.dumps(
        page, default=lambda item: item.to_plotly_json() if hasattr(item, "to_plotly_json") else str(item)
    )
    assert "With no segments at all, customers sorted by past spend 68.0" in text
