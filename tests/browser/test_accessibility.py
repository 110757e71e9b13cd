"""Everyone can use every page: axe-core finds nothing serious, and from filter to export a keyboard is enough."""

import threading
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest
import uvicorn
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from dashboard.app import create_app
from dashboard.config import load_config
from dashboard.pages import PAGES
from storage import open_store
from tests.conftest import free_port
from tests.serving import wait_until_up

pytestmark = pytest.mark.browser

WAIT = 120
AXE = Path(find_spec("axe_playwright_python").origin).parent / "axe.min.js"
# The inside of a drawing is thousands of marks; drawings are looked at as a whole below.
FINDINGS = """
const done = arguments[1];
const asked = {resultTypes: ["violations"], ...(arguments[0] ? {runOnly: [arguments[0]]} : {})};
axe.run({exclude: [[".js-plotly-plot .main-svg"]]}, asked).then(found => done(
  found.violations.filter(item => ["serious", "critical"].includes(item.impact)).map(
    item => `${item.id}: ${item.nodes.map(node => node.target.join(" ") + " " + node.failureSummary).join("; ")}`)
), error => done([String(error)]));
"""
NAMELESS_DRAWINGS = """
return Array.from(document.querySelectorAll(".main-svg")).filter(item => item.getBoundingClientRect().width
  && item.getAttribute("aria-hidden") !== "true"
  && !(item.getAttribute("role") === "img" && item.getAttribute("aria-label"))
).length;
"""
SETTLED = """
const busy = document.querySelector("[data-dash-is-loading=true]") && window.location.pathname !== "/choose-k";
const coming = Array.from(document.querySelectorAll(".skeleton")).some(item => item.offsetParent);
// rows come when their table is near, and its cells can be seen once it has measured them
document.querySelectorAll(".ag-root").forEach(item => item.scrollIntoView());
const filled = Array.from(document.querySelectorAll(".ag-root")).every(
  item => item.querySelector(".ag-row, .ag-overlay-no-rows-wrapper")
    && item.querySelector(".ag-header-cell")?.checkVisibility({visibilityProperty: true}));
return Boolean(document.querySelector("#content h1, #content h2")) && !busy && !coming && filled;
"""
# Colours that are still changing are neither the old ones nor the new.
DARK = """
const still = document.createElement("style");
still.textContent = "* { transition: none !important; }";
document.head.append(still);
document.documentElement.dataset.bsTheme = "dark";
"""
# Where the keyboard is: what it is on, whether that can be seen, and whether something around it says so.
FOCUS = """
const here = document.activeElement;
const seen = here.matches(".btn-check") ? here.nextElementSibling : here;
const style = window.getComputedStyle(seen), place = seen.getBoundingClientRect();
const marked = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
const inside = place.width > 0 && place.bottom > 0 && place.top < window.innerHeight && place.right > 0;
return {id: here.id, value: here.value || "", label: here.outerHTML.slice(0, 160), ok: marked && inside};
"""


@pytest.fixture
def empty(tmp_path):
    """The address of a dashboard in this process whose store holds nothing."""
    settings = load_config(environ={}).replace(
        database={"url": f"sqlite:///{tmp_path / 'empty.db'}"}, uploads={"folder": str(tmp_path / "uploads")}
    )
    store = open_store(settings.database.url, clock=lambda: datetime.now(UTC))
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings, store, environ={}), host="127.0.0.1", port=port, log_level="error")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until_up(f"http://127.0.0.1:{port}/health")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(WAIT)
    store.close()


def findings(driver, address, *, dark):
    """What axe-core and a look at the drawings find on a page, once it is drawn, in light and, if wanted, in dark."""
    driver.get(address)
    WebDriverWait(driver, WAIT).until(lambda _: driver.execute_script(SETTLED), address)
    WebDriverWait(driver, WAIT).until(lambda _: driver.execute_script(NAMELESS_DRAWINGS) == 0, address)
    driver.execute_script(AXE.read_text(encoding="utf-8"))
    found = [f"{address} (light): {item}" for item in driver.execute_async_script(FINDINGS, "")]
    if not dark:
        return found
    driver.execute_script(DARK)
    return found + [f"{address} (dark): {item}" for item in driver.execute_async_script(FINDINGS, "color-contrast")]


def findings_of(driver, base, query, *, dark, pages=PAGES):
    """What is found on pages of a dashboard."""
    driver.set_script_timeout(2 * WAIT)
    driver.get(f"{base}/health")
    driver.execute_script("window.localStorage.setItem('segmentry-theme', 'light')")
    return [each for page in pages for each in findings(driver, f"{base}{page.PATH}{query}", dark=dark)]


def test_the_first_page_has_no_serious_finding(dash_br, desk):
    assert findings_of(dash_br.driver, desk.address, f"?run={desk.shop['kmeans']}", dark=True, pages=PAGES[:1]) == []


@pytest.mark.slow
def test_no_page_has_a_serious_finding(dash_br, desk):
    assert findings_of(dash_br.driver, desk.address, f"?run={desk.shop['kmeans']}", dark=True) == []


@pytest.mark.slow
def test_no_page_of_an_empty_store_has_a_serious_finding(dash_br, empty):
    assert findings_of(dash_br.driver, empty, "", dark=False) == []


def test_from_filter_to_export_with_the_keyboard_alone(dash_br, desk):
    driver = dash_br.driver
    driver.get(f"{desk.address}/?run={desk.shop['rfm']}")
    export = "return (document.getElementById('segments-export') || document.body).textContent"
    wait = WebDriverWait(driver, WAIT)
    wait.until(lambda _: driver.execute_script(export).startswith("Export "))
    everyone = driver.execute_script(export)

    def press(key):
        ActionChains(driver).send_keys(key).perform()
        return driver.execute_script(FOCUS)

    def tab_to(is_there):
        for _ in range(120):
            here = press(Keys.TAB)
            wait.until(lambda _: driver.execute_script(FOCUS)["ok"], f"the keyboard is out of sight: {here['label']}")
            if is_there(here):
                return
        raise AssertionError("Tab never got there")

    assert "Skip to content" in press(Keys.TAB)["label"]
    assert press(Keys.ENTER)["id"] == "content"
    tab_to(lambda here: here["value"] == "Champions")
    press(Keys.SPACE)
    wait.until(lambda _: driver.execute_script(export) != everyone)
    assert "segment=Champions" in driver.current_url
    tab_to(lambda here: here["value"] == "Germany")
    press(Keys.SPACE)
    wait.until(lambda _: "country=Germany" in driver.current_url)
    tab_to(lambda here: here["id"] == "segments-export")
    said = driver.execute_script(export)
    press(Keys.ENTER)
    folder = Path(dash_br.download_path)
    wait.until(lambda _: list(folder.glob("*.csv")))
    lines = next(iter(folder.glob("*.csv"))).read_text(encoding="utf-8-sig").splitlines()
    assert said.split()[1] == str(len(lines) - 1)
