"""The frame in a real browser: the navigation beside the page and, on a phone, as a panel over it; nothing runs off."""

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from dashboard.pages import PAGES

pytestmark = pytest.mark.browser

WAIT = 120
FITS = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
DRAWN = """
return Boolean(document.querySelector('#content h1, #content h2'))
  && (!document.querySelector('[data-dash-is-loading=true]') || window.location.pathname === '/choose-k')
"""
ACTIVE = "return Array.from(document.querySelectorAll('.seg-nav .nav-link.active'), item => item.textContent)"
CURRENT = "return Array.from(document.querySelectorAll('.seg-nav [aria-current=page]'), item => item.textContent)"


@pytest.fixture
def window(dash_br, desk):
    """A browser of any width; headless Chromium itself makes none below 500 pixels."""

    class Window:
        driver = dash_br.driver

        def size(self, width, height=900):
            metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            return self

        def open(self, path):
            self.driver.get(desk.address + path)
            self.until(lambda: self.run(DRAWN))

        def until(self, condition):
            return WebDriverWait(self.driver, WAIT).until(lambda _: condition())

        def run(self, script, *given):
            return self.driver.execute_script(script, *given)

        def find(self, selector):
            return self.driver.find_element(By.CSS_SELECTOR, selector)

        def press(self, key):
            ActionChains(self.driver).send_keys(key).perform()

        def box(self, selector):
            return self.run("return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", selector)

    return Window()


def test_on_a_phone_the_navigation_is_a_panel(window, desk):
    run = desk.cdnow["rfm"]
    window.size(420).open(f"/runs?run={run}")
    window.until(lambda: window.run(ACTIVE) == ["Runs"])
    assert window.run(FITS)
    side, menu = window.find("#shell-navigation"), window.find("#shell-menu")
    assert not side.is_displayed() and window.box("header")["height"] < 100
    before = window.box("#content")

    menu.click()
    assert menu.get_attribute("aria-expanded") == "true" and side.is_displayed()
    focused = "return document.activeElement.textContent"
    assert window.run(focused) == "Runs"
    for _ in range(15):  # the keyboard stays in the panel, or leaves the page
        window.press(Keys.TAB)
        assert window.run(
            "return document.activeElement === document.body || Boolean(document.activeElement.closest('.seg-side'))"
        )
    assert window.box("#content") == before

    window.press(Keys.ESCAPE)
    assert menu.get_attribute("aria-expanded") == "false"
    assert window.run("return document.activeElement.id") == "shell-menu"
    window.until(lambda: not side.is_displayed())

    menu.click()
    side.find_element(By.LINK_TEXT, "Audiences").click()
    window.until(lambda: window.run(ACTIVE) == window.run(CURRENT) == ["Audiences"])
    window.until(lambda: not side.is_displayed())
    assert window.driver.current_url == f"{desk.address}/audiences?run={run}"
    assert window.run("return document.activeElement.id") == "content"
    window.until(lambda: window.run(DRAWN) and window.find("#content h1").text == "Audiences")
    assert window.run(FITS)
    assert [entry for entry in window.driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_banner_moves_nobody_who_has_scrolled_and_takes_no_room_when_empty(window, desk):
    window.size(1400).open(f"/runs?run={desk.cdnow['rfm']}")
    side, header, page = (window.box(part) for part in (".seg-side", "header", "#content"))
    assert (side["left"], header["left"], page["left"]) == (0, 208, 208)
    assert 50 < header["height"] < 60 and page["top"] == header["bottom"]
    fill = "dash_clientside.set_props('shell-banner', {children: arguments[0]})"
    window.run(fill, "Trial: not what marketing uses")
    window.until(lambda: window.box("#shell-banner")["height"] > 0)
    assert window.box("#content")["top"] == window.box("#shell-banner")["bottom"]
    window.run(fill, None)
    window.until(lambda: window.box("#shell-banner")["height"] == 0)

    window.size(1400, 300)
    window.run("window.scrollTo({top: 150, behavior: 'instant'})")
    window.until(lambda: window.run("return window.scrollY") == 150)
    seen = window.box("#runs-list")["top"]
    window.run(fill, "Trial: not what marketing uses")
    window.until(lambda: window.run("return window.scrollY") > 150)
    assert window.box("#runs-list")["top"] == pytest.approx(seen, abs=1)
    assert window.box("header")["top"] == window.box(".seg-side")["top"] == 0  # both stay where they are


@pytest.mark.slow
@pytest.mark.parametrize("width", [1400, 420])
def test_no_page_runs_off_the_screen(window, desk, width):
    window.size(width)
    for page in PAGES:
        window.open(f"{page.PATH}?run={desk.shop['kmeans']}")
        window.until(lambda: window.run(FITS))
    window.open(f"/new?run={desk.shop['kmeans']}")
    window.until(lambda: window.run(ACTIVE) == ["Runs"])
    assert window.run(CURRENT) == []


@pytest.mark.slow
def test_the_navigation_is_not_printed(window, desk):
    window.size(1400).open(f"/runs?run={desk.cdnow['rfm']}")
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not window.find("#shell-navigation").is_displayed()
    assert window.box("#content")["left"] == 0
