"""The Value page: what it says of a receipt, and of a snapshot that has none."""

import json
from dataclasses import replace
from datetime import date

import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.frames.cache import FrameCache
from dashboard.pages.value import page
from dashboard.pages.value.expected import season_words
from dashboard.pipeline.sales import SalesRequest
from dashboard.pipeline.validate import validate_models
from dashboard.queries.receipts import FORESIGHT, best_of
from dashboard.services import Services
from engines.columns import WITHOUT_MONEY
from engines.value.validation import golden
from tests.dashboard import shop
from tests.dashboard.answering import answering
from tests.dashboard.figures.numbers import numbers
from tests.dashboard.headless import callback
from tests.storage.samples import put_receipt


@pytest.fixture(scope="module")
def receipt(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("value-settings"))
    found = validate_models(SalesRequest(golden.SOURCE), settings, last_known_day=golden.LAST_KNOWN_DAY)
    return json.loads(json.dumps(found.receipt))


@pytest.fixture(scope="module")
def desk(tmp_path_factory, receipt):
    settings = shop.config(tmp_path_factory.mktemp("value"))
    store = shop.opened(settings)
    old = store.save_snapshot(shop.new_snapshot("young", date(2011, 11, 10)), shop.customers(60))
    checked = store.save_snapshot(shop.new_snapshot("shop", date(2011, 12, 10)), shop.customers(60))
    put_receipt(store, checked.id, page.RECEIPT, receipt)
    runs = [shop.run(store, settings, snapshot, "rfm") for snapshot in (old, checked)]
    with TestClient(create_app(settings, store, environ={}), base_url="http://127.0.0.1") as client:
        yield Services(settings, store, FrameCache(store)), client, checked, runs
    store.close()


def told(component):
    return json.dumps(component.to_plotly_json(), default=lambda item: item.to_plotly_json(), ensure_ascii=False)


def test_the_first_screen_says_what_was_checked_and_who_did_better(desk, receipt):
    services, _, _, runs = desk
    text = told(page.layout(services, run=str(runs[1])))
    assert "shown the sales up to 30 Sep 1997 and nothing after" in text
    assert "2,357 customers is held against what those did in the 39 weeks up to 30 Jun 1998" in text
    for verdict in receipt["verdicts"]:
        assert verdict["words"] in text
    assert text.index("Tested on the 39 weeks after 30 Sep 1997") < text.index("How the models did")
    assert "which no model had seen or was chosen by" in text
    assert "How the models were chosen" in text and "31 Jul 1997" in text
    assert "beats its baselines" in text
    assert '"1.608"' in text and '"−12.1\u00a0%"' in text and '"0.626"' in text, "the published figures of BG/NBD"
    assert "r 0.2426, alpha 4.414, a 0.7929, b 2.426" in text


def test_a_model_that_does_not_beat_its_baselines_is_called_so(desk, receipt):
    services, _, checked, runs = desk
    worse = {**receipt["verdicts"][0], "beats": False, "words": "It does not beat “Nothing”."}
    put_receipt(services.store, checked.id, page.RECEIPT, {**receipt, "verdicts": [worse]})
    try:
        text = told(page.layout(services, run=str(runs[1])))
    finally:
        put_receipt(services.store, checked.id, page.RECEIPT, receipt)
    assert "does not beat its baselines" in text and worse["words"] in text


def test_a_snapshot_without_a_receipt_says_why_and_what_to_do(desk):
    services, _, _, runs = desk
    text = told(page.layout(services, run=str(runs[0])))
    assert "have not been checked" in text and "90 days of sales" in text
    assert "Forecast accuracy: purchases" not in text


def test_sales_without_money_are_told_nothing_of_spend(desk, receipt):
    services = desk[0]
    total = {"spend": 0.0, "spend_range": [0, 0], "clv": 0.0, "purchases": 80.0, "purchases_range": [60.0, 110.0]}
    value = {"total": total, "horizon_weeks": 26}
    new = shop.new_snapshot("log", date(2011, 12, 10), currency=WITHOUT_MONEY, value=value)
    log = services.store.save_snapshot(new, shop.customers(60))
    put_receipt(services.store, log.id, page.RECEIPT, receipt)
    text = told(page.layout(services, run=str(shop.run(services.store, services.config, log, "rfm"))))
    assert "Expected purchases, 26 weeks" in text and "range 60 to 110" in text and "Churn risk" in text
    with_money = told(page.layout(services, run=str(desk[3][1])))
    for words in ("Spend ahead", "customers spent", "spent what their interval said"):
        assert words in with_money and words not in text, words
    assert "Expected spend" not in text and "CLV, 26 weeks" not in text


def test_season_and_trend_are_said_where_they_are_used(desk):
    *_, checked, _ = desk
    season = {"used_for": ["purchases", "ltv"], "factors": {"purchases": 1.08, "ltv": 0.9}}
    told_of = replace(checked, info={**checked.info, "value": {"season": season}})
    assert "purchases +8.0\u00a0%, spend -10.0\u00a0% compared with a steady rate" in season_words(told_of)
    unused = replace(checked, info={**checked.info, "value": {"season": {"used_for": [], "factors": {}}}})
    assert season_words(unused) == season_words(checked) == ""


def test_the_charts_show_the_bins_of_the_models_in_use(desk, receipt):
    drawn = page.draw_receipt_charts(receipt, "light")
    bins = receipt["calibration"][receipt["chosen"]["purchases"]]
    assert numbers(drawn[page.CALIBRATION][0]["data"][1]["x"]).tolist() == [item["expected"] for item in bins]
    assert numbers(drawn[page.CALIBRATION][0]["data"][1]["y"]).tolist() == [item["actual"] for item in bins]
    bins = receipt["reliability"][receipt["chosen"]["churn"]]
    assert numbers(drawn[page.RELIABILITY][0]["data"][1]["x"]).tolist() == [item["predicted"] for item in bins]
    assert sum(item["customers"] for item in bins) <= 2357
    if receipt["importances"]:
        assert len(numbers(drawn[page.IMPORTANCES][0]["data"][0]["x"])) == min(10, len(receipt["importances"]))
    nothing = page.draw_receipt_charts(None, "dark")
    assert all(not figure["data"] for figure, _ in nothing.values())


def test_the_browser_gets_the_charts_and_the_golden_run(desk):
    services, client, checked, _ = desk
    outputs = [f"{name}.figure" for name in page._GRAPHS] + [f"{name}-words.children" for name in page._GRAPHS]
    answer = callback(client, outputs, [("theme.data", "dark")], [(f"{page.SNAPSHOT}.data", checked.id)])
    assert answer.status_code == 200
    assert "customers with" in json.dumps(answer.json(), ensure_ascii=False)
    outputs = [f"{page.GOLDEN}.children", f"{page.GOLDEN_TICK}.disabled", f"{page.GOLDEN_JOB}.data"]
    inputs = [(f"{page.GOLDEN_BUTTON}.n_clicks", 1), (f"{page.GOLDEN_TICK}.n_intervals", None)]
    with answering(services.config, services.store):
        answer = callback(client, outputs, inputs, [(f"{page.GOLDEN_JOB}.data", None)])
    text = json.dumps(answer.json(), ensure_ascii=False)
    assert "figures agree with the published ones" in text
    assert "Counting Your Customers the Easy Way" in text and "differs" not in text


def test_the_best_of_a_column_goes_by_what_is_better():
    figures = {"a": {"bias": -0.02, "rmse": 2.0}, "b": {"bias": 0.3, "rmse": 1.0}, "c": {"bias": None, "rmse": None}}
    by = {measure.name: best_of(figures, measure) for measure in FORESIGHT}
    assert (by["bias"], by["rmse"], by["mae"]) == ("a", "b", None)
