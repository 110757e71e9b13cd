"""Starting runs in a real browser: two engines, their progress over a reload, one cancelled, the other opened."""

from datetime import UTC, datetime

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from dashboard.config import load_config
from dashboard.pipeline.run import run_sales
from dashboard.pipeline.sales import SalesRequest
from storage import open_store
from tests.quick import QUICK, QUICK_ENVIRON
from tests.serving import serving

pytestmark = pytest.mark.browser

WAIT = 120


@pytest.fixture
def shop(tmp_path):
    """A server with a worker beside it, and one snapshot with a run."""
    config = load_config(environ={}).replace(**QUICK)
    store = open_store(f"sqlite:///{tmp_path / 'segmentry.db'}", clock=lambda: datetime.now(UTC))
    run_sales(SalesRequest("cdnow-sample", engines=("rfm",)), config, store)
    environ = {"SEGMENTRY_WORKER_IN_SERVER": "true", "SEGMENTRY_ENGINES_USE": '["rfm"]', **QUICK_ENVIRON}
    with serving(tmp_path, **environ) as address:
        yield address, store
    store.close()


@pytest.mark.slow
def test_start_follow_reload_cancel_and_open(dash_br, shop):
    address, store = shop
    driver = dash_br.driver

    def find(selector):
        return driver.find_element(By.CSS_SELECTOR, selector)

    def text(selector):
        try:
            found = driver.find_elements(By.CSS_SELECTOR, selector)
            return found[0].text if found else ""
        except StaleElementReferenceException:  # drawn anew between the two
            return ""

    def until(condition):
        return WebDriverWait(driver, WAIT).until(lambda _: condition())

    def press(selector):
        driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", find(selector))
        find(selector).click()

    def element(kind, **more):
        names = ",".join(f'"{key}":"{value}"' for key, value in sorted({**more, "type": kind}.items()))
        return driver.find_element(By.XPATH, f"//*[@id='{{{names}}}']")

    def click(one):
        driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", one)
        one.click()

    driver.get(f"{address}/new")
    until(lambda: "RFM with its usual settings" in text("#new-run-review"))
    click(element("new-run-engine", engine="rfm"))  # off
    for name in ("kmeans", "gmm"):
        click(element("new-run-engine", engine=name))
    until(lambda: "2 runs" in text("#new-run-review"))
    click(element("new-run-auto", engine="kmeans"))
    until(lambda: "K-means: the number of segments chosen for you" in text("#new-run-review"))
    seed = find("#new-run-seed")
    seed.clear()
    seed.send_keys("-5")
    assert "is-invalid" in seed.get_attribute("class")  # at once, in the browser
    find("h1").click()
    until(lambda: "K-means: seed = -5 is out of range" in text("body"))
    assert not find("#new-run-start").is_enabled()
    seed.clear()
    seed.send_keys("7")
    find("h1").click()
    until(lambda: find("#new-run-start").is_enabled())
    press("#new-run-start")
    until(lambda: "started=2,3" in driver.current_url.replace("%2C", ","))
    until(lambda: "running" in text("#new-run-panels"))
    driver.refresh()
    until(lambda: "Run 2: K-means" in text("#new-run-panels") and "Run 3: Gaussian" in text("#new-run-panels"))
    press("button[aria-label='Cancel run 3']")
    until(lambda: "cancelled" in text("#new-run-panels"))
    until(lambda: "Open its customers" in text("#new-run-panels"))
    assert "was chosen" in text("#new-run-panels")
    runs = {run.id: run for run in store.runs()}
    assert (runs[2].state, runs[3].state, runs[2].seed, runs[2].starter.way) == ("done", "cancelled", 7, "page")
    assert runs[2].k == runs[2].info["chosen_k"]["k"]
    press("a[href='/?run=2']")
    until(lambda: "Export" in text("#segments-export"))
    driver.get(f"{address}/runs")
    until(lambda: "3 runs" in text("#runs-list"))
    severe = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert severe == []
