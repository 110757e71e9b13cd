"""From a trial to the published run and back: the banner, the card on Compare, audiences that follow, and roll back."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

WAIT = 120
BANNER, DIALOG = "#shell-banner .seg-trial", "#publish-window"


def call_api(address: str, path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/api/v1/{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=WAIT) as answer:
        return json.load(answer)


@pytest.mark.slow
def test_a_trial_is_compared_published_followed_and_rolled_back(dash_br, desk):
    driver, wait = dash_br.driver, WebDriverWait(dash_br.driver, WAIT)
    published = call_api(desk.address, f"runs/{desk.shop['rfm']}")
    order = {"snapshot": published["snapshot"], "engine": "rfm", "settings": {"bins": 3}}
    trial = call_api(desk.address, "runs", order)["id"]
    wait.until(lambda _: call_api(desk.address, f"runs/{trial}")["state"] == "done")
    saved = {"name": "The best", "selection": "segment=Champions", "run": published["id"]}
    audience = call_api(desk.address, "audiences", saved)["id"]

    def size() -> int:
        return call_api(desk.address, f"audiences/{audience}/sizes")["sizes"][-1]["customers"]

    def champions(run: int) -> int:
        segments = call_api(desk.address, f"runs/{run}/segments")
        return next(item["customers"] for item in segments if item["identity"] == "Champions")

    def shown(selector: str) -> str:
        return wait.until(lambda _: [item.text for item in driver.find_elements(By.CSS_SELECTOR, selector)])[0]

    assert size() == champions(published["id"]) != champions(trial)
    driver.get(f"{desk.address}/compare?run={trial}")
    assert "Trial: not what marketing uses" in shown(BANNER)
    wait.until(lambda _: "The best" in shown("#compare-decision"))
    assert "would be in another segment" in shown("#compare-decision")
    driver.find_element(By.CSS_SELECTOR, "#compare-decision .btn-primary").click()
    wait.until(lambda _: driver.find_elements(By.CSS_SELECTOR, "#publish-checks li"))
    confirm = driver.find_element(By.ID, "publish-confirm")
    confirm.click()
    assert "Say why" in wait.until(lambda _: driver.find_element(By.ID, "publish-refused").text)
    driver.find_element(By.ID, "publish-why").send_keys("Fewer scores")
    confirm.click()
    wait.until(lambda _: driver.find_elements(By.CSS_SELECTOR, ".seg-published"))
    wait.until(lambda _: not driver.find_elements(By.CSS_SELECTOR, BANNER))
    assert size() == champions(trial)

    driver.find_element(By.CSS_SELECTOR, ".seg-published").click()
    wait.until(lambda _: "Fewer scores" in shown("#rollback-list"))
    driver.find_element(By.ID, "rollback-why").send_keys("Five scores after all")
    driver.find_element(By.ID, "rollback-confirm").click()
    wait.until(lambda _: driver.find_elements(By.CSS_SELECTOR, BANNER))
    assert size() == champions(published["id"])
